//! Labels: what a consumer's metadata has under the keys that a policy names.
//!
//! Whoever makes a consumer writes its metadata, and may write 128 kB of it. Of that no more is kept
//! than the values of the named keys, each up to [`LONGEST_VALUE`].

use std::collections::BTreeSet;
use std::sync::Arc;

/// The longest value that is kept, in bytes. Of a longer one it is known that it is there: no
/// pattern but `*` matches it.
pub const LONGEST_VALUE: usize = 256;

/// The metadata keys that a policy names, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelKeys(Arc<[Arc<str>]>);

impl LabelKeys {
    /// These keys, in any order.
    pub fn new(keys: impl IntoIterator<Item = Arc<str>>) -> Self {
        let keys: BTreeSet<Arc<str>> = keys.into_iter().collect();
        Self(keys.into_iter().collect())
    }

    /// Whether there is none, so that metadata need not be read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| &**key)
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.0.binary_search_by(|known| (**known).cmp(key)).ok()
    }
}

/// What is known of a consumer's metadata. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(Option<Arc<Read>>);

/// The keys that were looked for, and what was found under each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Read {
    keys: LabelKeys,
    values: Vec<Option<Value>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Value {
    Text(Box<str>),
    TooLong,
}

/// What is known of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'l> {
    /// The metadata was not read, or not for this key.
    Unknown,
    /// The metadata does not have the key.
    Absent,
    /// Its value.
    Text(&'l str),
    /// Its value is longer than [`LONGEST_VALUE`].
    TooLong,
}

impl Labels {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(None);

    /// What of this metadata is kept.
    ///
    /// ```
    /// use recess::consumer::{Label, LabelKeys, Labels};
    ///
    /// let keys = LabelKeys::new(["team".into(), "tier".into()]);
    /// let labels = Labels::of(&keys, [("team", "billing"), ("host", "a17")]);
    /// assert_eq!(labels.get("team"), Label::Text("billing"));
    /// assert_eq!(labels.get("tier"), Label::Absent);
    /// // No policy asked for it.
    /// assert_eq!(labels.get("host"), Label::Unknown);
    /// ```
    pub fn of<'m>(
        keys: &LabelKeys,
        metadata: impl IntoIterator<Item = (&'m str, &'m str)>,
    ) -> Self {
        let mut reader = LabelReader::new(keys);
        for (key, value) in metadata {
            reader.add(key, value);
        }
        reader.finish()
    }

    /// Whether both take the same place in memory.
    #[cfg(test)]
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> Label<'_> {
        let known = (self.0.as_ref()).and_then(|read| read.values.get(read.keys.place(key)?));
        match known {
            None => Label::Unknown,
            Some(None) => Label::Absent,
            Some(Some(Value::Text(text))) => Label::Text(text),
            Some(Some(Value::TooLong)) => Label::TooLong,
        }
    }
}

/// Metadata that is being read, entry by entry.
#[derive(Debug)]
pub struct LabelReader(Read);

impl LabelReader {
    /// Nothing has been read yet.
    pub fn new(keys: &LabelKeys) -> Self {
        Self(Read {
            keys: keys.clone(),
            values: vec![None; keys.0.len()],
        })
    }

    /// Whether an entry of that key is kept.
    pub fn wants(&self, key: &str) -> bool {
        self.0.keys.place(key).is_some()
    }

    /// The next entry. Of a key that comes twice the later value counts, as in Go.
    pub fn add(&mut self, key: &str, value: &str) {
        let place = self.0.keys.place(key);
        if let Some(known) = place.and_then(|place| self.0.values.get_mut(place)) {
            *known = Some(match value.len() {
                ..=LONGEST_VALUE => Value::Text(value.into()),
                _ => Value::TooLong,
            });
        }
    }

    /// What was read.
    pub fn finish(self) -> Labels {
        match self.0.keys.is_empty() {
            true => Labels::UNKNOWN,
            false => Labels(Some(Arc::new(self.0))),
        }
    }
}
