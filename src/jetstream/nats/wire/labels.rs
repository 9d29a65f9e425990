//! A consumer's metadata, of which only the keys are kept that a policy names.
//!
//! It is read entry by entry: what no policy names is passed over as it comes.

use std::borrow::Cow;
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
