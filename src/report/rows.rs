//! The rows of all consumers, made to be copied: each report has them as they are after its pass,
//! and there may be a hundred thousand.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::RangeBounds;
use std::sync::Arc;

use super::Row;
use crate::consumer::ConsumerId;

#[cfg(test)]
mod tests;

/// Each consumer's row, in the order of the names. Copies share every row that neither has changed
/// since.
#[derive(Clone, Debug, Default)]
pub struct Rows(Arc<BTreeMap<ConsumerId, Arc<Row>>>);

impl Rows {
    /// The row of a consumer.
    pub fn get(&self, id: &ConsumerId) -> Option<&Row> {
        self.0.get(id).map(|row| &**row)
    }

    /// The same, with the name as it is kept here.
    pub fn get_key_value(&self, id: &ConsumerId) -> Option<(&ConsumerId, &Row)> {
        self.0.get_key_value(id).map(|(id, row)| (id, &**row))
    }

    /// Whether a consumer has a row.
    pub fn contains_key(&self, id: &ConsumerId) -> bool {
        self.0.contains_key(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_> {
        self.into_iter()
    }

    /// Their names.
    pub fn keys(&self) -> impl Iterator<Item = &ConsumerId> {
        self.0.keys()
    }

    /// Those from one name to another.
    pub fn range(
        &self,
        names: impl RangeBounds<ConsumerId>,
    ) -> impl Iterator<Item = (&ConsumerId, &Row)> {
        self.0.range(names).map(|(id, row)| (id, &**row))
    }

    /// The streams of which there are consumers, each once. Its consumers are skipped.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        let first = self.keys().next().map(ConsumerId::stream);
        std::iter::successors(first, |stream| {
            let mut rest = self.range(ConsumerId::end_of(stream)..);
            rest.next().map(|(id, _)| id.stream())
        })
    }

    /// They alone.
    pub fn values(&self) -> impl Iterator<Item = &Row> {
        self.0.values().map(|row| &**row)
    }

    /// The row of a consumer, to change it. It is copied if another copy of the rows has it too.
    pub fn get_mut(&mut self, id: &ConsumerId) -> Option<&mut Row> {
        self.table().get_mut(id).map(Arc::make_mut)
    }

    /// Those that `which` chooses, to change them: no other is copied.
    pub fn iter_mut(
        &mut self,
        which: impl Fn(&Row) -> bool,
    ) -> impl Iterator<Item = (&ConsumerId, &mut Row)> {
        let chosen = (self.table().iter_mut()).filter(move |(_, row)| which(row));
        chosen.map(|(id, row)| (id, Arc::make_mut(row)))
    }

    /// Sets the row of a consumer.
    pub fn insert(&mut self, id: ConsumerId, row: Row) {
        self.table().insert(id, Arc::new(row));
    }

    /// Removes the row of a consumer.
    pub fn remove(&mut self, id: &ConsumerId) {
        self.table().remove(id);
    }

    /// Removes all but those that `which` chooses.
    pub fn retain(&mut self, which: impl Fn(&ConsumerId, &Row) -> bool) {
        self.table().retain(|id, row| which(id, row));
    }

    /// The rows as they are shared, to change which there are.
    pub fn table(&mut self) -> &mut BTreeMap<ConsumerId, Arc<Row>> {
        Arc::make_mut(&mut self.0)
    }
}

/// All rows, in the order of the names.
pub struct Iter<'r>(btree_map::Iter<'r, ConsumerId, Arc<Row>>);

impl<'r> Iterator for Iter<'r> {
    type Item = (&'r ConsumerId, &'r Row);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(id, row)| (id, &**row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'r> IntoIterator for &'r Rows {
    type Item = (&'r ConsumerId, &'r Row);
    type IntoIter = Iter<'r>;

    fn into_iter(self) -> Self::IntoIter {
        Iter(self.0.iter())
    }
}

impl FromIterator<(ConsumerId, Row)> for Rows {
    fn from_iter<I: IntoIterator<Item = (ConsumerId, Row)>>(rows: I) -> Self {
        let rows = rows.into_iter().map(|(id, row)| (id, Arc::new(row)));
        Self(Arc::new(rows.collect()))
    }
}
