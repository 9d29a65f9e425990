//! A consumer's metadata, of which only the keys are kept that a policy names.
//!
//! It is read entry by entry: what no policy names is passed over as it comes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::consumer::{LabelKeys, LabelReader, Labels};

/// The labels of these keys; without metadata it has none of them.
pub fn read(metadata: Option<&RawValue>, keys: &LabelKeys) -> Result<Labels, String> {
    if keys.is_empty() {
        return Ok(Labels::UNKNOWN);
    }
    let mut reader = LabelReader::new(keys);
    if let Some(metadata) = metadata {
        let mut json = serde_json::Deserializer::from_str(metadata.get());
        (Metadata(&mut reader).deserialize(&mut json))
            .map_err(|error| format!("its metadata cannot be read: {error}"))?;
    }
    Ok(reader.finish())
}

/// Longer metadata is read each time.
const LONGEST_KNOWN: usize = 1024;

/// So much of metadata's text is remembered, in bytes.
const MOST_KNOWN: usize = 4 << 20;

/// What was read before, by the text of the metadata: that of most consumers is the same at each
/// observation. Labels that are equal take one place in memory, as many consumers have the same team.
#[derive(Default)]
pub struct KnownLabels {
    keys: LabelKeys,
    by_text: HashMap<Box<str>, Labels>,
    distinct: HashSet<Labels>,
    /// Of all texts, in bytes.
    size: usize,
}

impl KnownLabels {
    /// The labels of these keys, as [`read`] says.
    pub fn read(
        &mut self,
        metadata: Option<&RawValue>,
        keys: &LabelKeys,
    ) -> Result<Labels, String> {
        let text = metadata.map_or("", RawValue::get);
        if keys.is_empty() || text.len() > LONGEST_KNOWN {
            return read(metadata, keys);
        }
        if self.keys != *keys {
            self.forget(keys);
        }
        if let Some(known) = self.by_text.get(text) {
            return Ok(known.clone());
        }
        if self.size + text.len() > MOST_KNOWN {
            self.forget(keys);
        }
        let labels = read(metadata, keys)?;
        let labels = match self.distinct.get(&labels) {
            Some(same) => same.clone(),
            None => {
                self.distinct.insert(labels.clone());
                labels
            }
        };
        self.size += text.len();
        self.by_text.insert(text.into(), labels.clone());
        Ok(labels)
    }

    fn forget(&mut self, keys: &LabelKeys) {
        *self = Self {
            keys: keys.clone(),
            ..Self::default()
        };
    }

    /// How much of metadata's text is remembered, in bytes.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.by_text.keys().map(|text| text.len()).sum()
    }
}

struct Metadata<'r>(&'r mut LabelReader);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys with a text each")
    }

    /// Go writes no map as `null`.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            if self.0.wants(&key) {
                let Text(value) = map.next_value()?;
                self.0.add(&key, &value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A text that is not copied where it stands as it is.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
