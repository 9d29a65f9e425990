//! Lists, page by page: each entry is read by itself, so that one that cannot be read costs no
//! other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Info, KnownLabels, LONGEST_NAME, bounded, is_possible};
use crate::consumer::LabelKeys;
use crate::jetstream::nats::pagination::Page;
use crate::jetstream::{Listing, Sample, Unreadable};
use crate::visible::sanitize;

/// `$JS.API.STREAM.NAMES`.
#[derive(Deserialize)]
pub struct NamesReply<'a> {
    pub total: usize,
    #[serde(borrow, default, deserialize_with = "bounded")]
    streams: Vec<&'a RawValue>,
}

/// `$JS.API.CONSUMER.LIST`.
#[derive(Deserialize)]
pub struct ListReply<'a> {
    pub total: usize,
    // Each entry is read by itself, so that one that cannot be read costs no other.
    #[serde(borrow, default, deserialize_with = "bounded")]
    consumers: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "bounded")]
    missing: Vec<&'a RawValue>,
}

/// A place in a list. Each entry takes one, also one that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A name that can be asked about.
    Name(String),
    /// What stands there instead, made visible.
    Odd(String),
}

/// What stands in a place, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    pub content: T,
    pub fault: Option<String>,
}

impl NamesReply<'_> {
    /// The streams on the page.
    pub fn into_page(self) -> Page<Slot, Entry<()>> {
        let place = |text: &RawValue| place_of_name(text, ());
        Page {
            entries: self.streams.iter().map(|text| place(text)).collect(),
            total: self.total,
        }
    }
}

impl ListReply<'_> {
    /// Everyone on the page, with their labels of these keys.
    pub fn into_page(self, keys: &LabelKeys, known: &mut KnownLabels) -> Page<Slot, Entry<Sample>> {
        // A consumer whose leader did not answer the cluster in time is only here. An offline one
        // is also an entry without a name.
        let missing = self.missing.iter();
        let mut entries: BTreeMap<_, _> = missing
            .map(|text| place_of_name(text, Sample::UNKNOWN))
            .collect();
        let mut offline = entries.len();
        for text in &self.consumers {
            let (slot, entry) = match serde_json::from_str::<Info>(text.get()) {
                Ok(info) if info.name.is_empty() && offline > 0 => {
                    offline -= 1;
                    continue;
                }
                Ok(info) => {
                    let name = Some(info.name.clone()).filter(|name| !name.is_empty());
                    let sample = info.sample(|metadata| known.read(metadata, keys));
                    place(name, text, sample, Sample::UNKNOWN)
                }
                Err(error) => {
                    let named = serde_json::from_str::<Named>(text.get()).ok();
                    let name = named.map(|named| named.name);
                    place(name, text, Err(error.to_string()), Sample::UNKNOWN)
                }
            };
            entries.insert(apart(slot, &entries), entry);
        }
        Page {
            entries,
            total: self.total,
        }
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Entries without a name may be alike, and take a place each.
fn apart<V>(slot: Slot, entries: &BTreeMap<Slot, V>) -> Slot {
    match slot {
        Slot::Odd(shown) if shown.starts_with('{') => (1..)
            .map(|number| match number {
                1 => Slot::Odd(shown.clone()),
                _ => Slot::Odd(format!("{shown} ({number})")),
            })
            .find(|slot| !entries.contains_key(slot))
            .unwrap_or(Slot::Odd(shown)),
        slot @ (Slot::Odd(_) | Slot::Name(_)) => slot,
    }
}

/// The place of an entry that is a name.
fn place_of_name<T: Clone>(text: &RawValue, content: T) -> (Slot, Entry<T>) {
    match serde_json::from_str::<String>(text.get()) {
        Ok(name) => place(Some(name), text, Ok(content.clone()), content),
        Err(error) => place(None, text, Err(error.to_string()), content),
    }
}

/// The place of an entry of that name, with what was read of it or else what is known without.
/// `text` is all of it.
fn place<T>(
    name: Option<String>,
    text: &RawValue,
    read: Result<T, String>,
    unread: T,
) -> (Slot, Entry<T>) {
    let (slot, wrong_name) = match name {
        Some(name) if is_possible(&name) => (Slot::Name(name), None),
        Some(name) if name.len() > LONGEST_NAME => {
            let reason = format!("its name has {} bytes", name.len());
            (Slot::Odd(sanitize(&name)), Some(reason))
        }
        Some(name) => {
            let reason = "its name contains characters that no request can carry".to_owned();
            (Slot::Odd(sanitize(&name)), Some(reason))
        }
        None => (
            Slot::Odd(sanitize(text.get())),
            Some("it has no name".to_owned()),
        ),
    };
    let (content, wrong_content) = match read {
        Ok(content) => (content, None),
        Err(reason) => (unread, Some(sanitize(&reason))),
    };
    let fault = match (wrong_name, wrong_content) {
        (Some(name), Some(content)) => Some(format!("{name}: {content}")),
        (name, content) => name.or(content),
    };
    (slot, Entry { content, fault })
}

/// A list, with what is wrong with it apart.
pub fn listing<T, L>(
    places: BTreeMap<Slot, Entry<T>>,
    listed: impl Fn(String, T) -> L,
) -> Listing<L> {
    let mut listing = Listing::default();
    for (slot, Entry { content, fault }) in places {
        if let Some(reason) = fault {
            let name = match &slot {
                Slot::Name(name) => sanitize(name),
                Slot::Odd(shown) => shown.clone(),
            };
            listing.unreadable.push(Unreadable { name, reason });
        }
        if let Slot::Name(name) = slot {
            listing.entries.push(listed(name, content));
        }
    }
    listing
}
