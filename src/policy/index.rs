//! Which selections name a consumer, without asking each: a file may have ten thousand windows
//! with one each, and an account as many consumers.
//!
//! Selectors are kept by what the names have in common that they match (a whole name, a start, an
//! end), first of the stream, then of the consumer. A name has few starts and ends, and only the
//! selectors found under those are asked. The invariant: the answer is that of
//! [`Selection::names`](super::Selection::names), asked of each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::pattern::{Affix, Pattern};
use super::{Selection, Selector};
use crate::consumer::ConsumerId;

/// The selectors of many selections.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Selectors by stream, then by consumer.
    selectors: ByName<ByName<Vec<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    /// The place of its selection.
    place: usize,
    selector: Selector,
}

impl Index {
    pub fn of(selections: &[Selection]) -> Self {
        let mut index = Self::default();
        for (place, selection) in selections.iter().enumerate() {
            for selector in selection.selectors() {
                let (stream, consumer) = selector.patterns();
                let entries = index.selectors.entry(stream).entry(consumer);
                entries.push(Entry {
                    place,
                    selector: selector.clone(),
                });
            }
        }
        index
    }

    /// The places of the selections that name a consumer, in order. `globs` says whether globs mean
    /// it.
    pub fn naming(&self, id: &ConsumerId, globs: bool) -> BTreeSet<usize> {
        let by_consumer = self.selectors.found(id.stream());
        let entries = by_consumer.flat_map(|consumers| consumers.found(id.consumer()));
        let matching = entries.flatten().filter(|entry| entry.selector.matches(id));
        let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
        for entry in matching {
            if entry.selector.is_negated() {
                without.insert(entry.place);
            } else if entry.selector.reaches(globs) {
                with.insert(entry.place);
            }
        }
        with.retain(|place| !without.contains(place));
        with
    }
}

/// Things by what the names have in common that they are about.
#[derive(Debug)]
struct ByName<T> {
    whole: HashMap<Arc<str>, T>,
    starts: HashMap<Arc<str>, T>,
    ends: HashMap<Arc<str>, T>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self {
            whole: HashMap::new(),
            starts: HashMap::new(),
            ends: HashMap::new(),
        }
    }
}

impl<T: Default> ByName<T> {
    /// Where things are kept that are about the names that a pattern matches.
    fn entry(&mut self, pattern: &Pattern) -> &mut T {
        let (map, affix) = match pattern.affix() {
            Affix::Whole(name) => (&mut self.whole, name),
            Affix::Start(start) => (&mut self.starts, start),
            Affix::End(end) => (&mut self.ends, end),
        };
        map.entry(affix.into()).or_default()
    }

    /// What is kept under a name, or under one of its starts or ends.
    fn found<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f T> {
        let cuts = (0..=name.len()).filter(|at| name.is_char_boundary(*at));
        let affixes = cuts.flat_map(move |at| {
            let (start, end) = name.split_at(at);
            let starts = some(&self.starts).and_then(|starts| starts.get(start));
            let ends = some(&self.ends).and_then(|ends| ends.get(end));
            [starts, ends]
        });
        self.whole.get(name).into_iter().chain(affixes.flatten())
    }
}

/// A map that is worth asking: hashing a name costs more than seeing that a map is empty.
fn some<K, V>(map: &HashMap<K, V>) -> Option<&HashMap<K, V>> {
    (!map.is_empty()).then_some(map)
}
