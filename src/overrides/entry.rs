//! An override as a key of the bucket: its name, and the JSON in it.
//!
//! Whoever may write to the bucket writes it, by this program or by hand. Invariant: whatever is
//! there, reading it takes bounded memory, costs no other key, and either gives an override that
//! [`encode`] could have written or says what is wrong with it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bucket, id_of};
use crate::policy::{Override, OverrideId, Selection, Selector, Target, Terms, Verb};
use crate::visible::sanitize;

#[cfg(test)]
mod tests;

/// The only version of the JSON that there is.
const VERSION: u64 = 1;

/// A longer value is none of ours: the bucket's own limit.
pub const LONGEST_VALUE: usize = 4096;

/// How many selectors an override can have. Each takes some microseconds to read, with each read of
/// the bucket.
pub const MOST_SELECTORS: usize = 100;

/// The newest revision of a key.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'s> {
    /// The subject of the key.
    pub subject: &'s str,
    /// The bucket's sequence.
    pub sequence: u64,
    /// When the server stored it.
    pub at: Timestamp,
    /// What was done to the key.
    pub operation: Operation,
    /// What was written with it.
    pub value: &'s [u8],
}

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A value was written.
    Put,
    /// It was deleted or purged, with or without a value that says why.
    Erase,
    /// Its time was up, and the bucket keeps a marker of that.
    Expire,
}

impl Operation {
    /// By the headers `KV-Operation` and `Nats-Marker-Reason`.
    pub fn of_headers(operation: Option<&str>, marker: Option<&str>) -> Self {
        match (operation, marker) {
            (_, Some("MaxAge")) => Self::Expire,
            (_, Some(_)) | (Some("DEL" | "PURGE"), None) => Self::Erase,
            (_, None) => Self::Put,
        }
    }
}

/// What a key says.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An override.
    Live(Override),
    /// One that was ended early.
    Undone(Undone),
    /// Nothing that can be used.
    Unreadable(Unreadable),
    /// One whose time to be kept is up.
    Expired,
}

/// An override that was ended early. It does not count any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// Which.
    pub id: OverrideId,
    /// What it was; `None` where its key was deleted by other means than `recess undo`.
    pub was: Option<Override>,
    /// How it ended.
    pub undoing: Undoing,
}

/// How an override was ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// By whom; `None` where it was deleted by other means.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A key that says nothing that can be used. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// The key behind the instance, `alice.k7f2q`, as it is: not fit to be shown.
    pub id: String,
    /// What is wrong with it, in one line.
    pub reason: String,
}

/// Reads the newest revision of a key of `bucket`.
pub fn read(stored: &Stored<'_>, bucket: &Bucket) -> Entry {
    let key = bucket.key(stored.subject).unwrap_or(stored.subject);
    let unreadable = |reason: String| {
        Entry::Unreadable(Unreadable {
            id: key.to_owned(),
            reason,
        })
    };
    let Some(id) = id_of(key) else {
        return unreadable("its key is not INSTANCE.AUTHOR.ID".to_owned());
    };
    if stored.operation == Operation::Expire {
        return Entry::Expired;
    }
    let is_erased = stored.operation == Operation::Erase;
    match decode(stored, &id, bucket) {
        Ok((one, None)) if !is_erased => Entry::Live(one),
        Err(reason) if !is_erased => unreadable(reason),
        decoded => {
            let (was, undoing) =
                decoded.map_or((None, None), |(one, undoing)| (Some(one), undoing));
            let by_other_means = Undoing {
                by: None,
                reason: None,
                at: stored.at,
            };
            Entry::Undone(Undone {
                id,
                was,
                undoing: undoing.unwrap_or(by_other_means),
            })
        }
    }
}

/// The JSON. Fields that are unknown are passed over.
#[derive(Serialize, Deserialize)]
struct Value {
    v: u64,
    instance: String,
    effect: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consumers: Option<Vec<String>>,
    from: String,
    until: String,
    verb: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undone: Option<UndoneValue>,
}

#[derive(Serialize, Deserialize)]
struct UndoneValue {
    by: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    at: String,
}

/// Of which version a value is, whatever else another version may have changed.
#[derive(Deserialize)]
struct Version {
    v: u64,
}

/// The value for new terms, or for those of an override that is undone.
pub fn encode(terms: &Terms, undoing: Option<&Undoing>, bucket: &Bucket) -> Vec<u8> {
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let value = Value {
        v: VERSION,
        instance: bucket.instance.clone(),
        effect: terms.effect.as_str().to_owned(),
        window: terms.target.window().map(str::to_owned),
        consumers: terms.target.selectors().map(owned),
        from: terms.from.to_string(),
        until: terms.until.to_string(),
        verb: terms.verb.as_str().to_owned(),
        reason: terms.reason.as_deref().map(str::to_owned),
        host: terms.host.as_deref().map(str::to_owned),
        undone: undoing.map(|undoing| UndoneValue {
            by: undoing.by.clone(),
            reason: undoing.reason.clone(),
            at: undoing.at.to_string(),
        }),
    };
    // Nothing in it can fail to be JSON.
    serde_json::to_vec(&value).unwrap_or_default()
}

/// The override in a value, and how it ended early; what is wrong with it otherwise.
fn decode(
    stored: &Stored<'_>,
    id: &OverrideId,
    bucket: &Bucket,
) -> Result<(Override, Option<Undoing>), String> {
    let bytes = stored.value;
    if bytes.len() > LONGEST_VALUE {
        return Err(format!(
            "its value has {} bytes, the limit is {LONGEST_VALUE}",
            bytes.len()
        ));
    }
    let Version { v } = serde_json::from_slice(bytes).map_err(not_json)?;
    if v != VERSION {
        return Err(format!(
            "its value is of version {v}, and this recess reads version {VERSION} only"
        ));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(not_json)?;
    if value.instance != bucket.instance {
        return Err("it is of another instance whose name makes the same key".to_owned());
    }
    let verb = verb(&value.verb)?;
    let effect = verb.effect();
    if value.effect != effect.as_str() {
        let (verb, effect) = (verb.as_str(), effect.as_str());
        return Err(format!(
            "its effect is not {effect}, which is what {verb} does"
        ));
    }
    let (from, until) = (second("from", &value.from)?, second("until", &value.until)?);
    if until <= from {
        return Err("its end is not after its start".to_owned());
    }
    let undoing = value.undone.map(|undone| {
        Ok::<_, String>(Undoing {
            at: instant("undone.at", &undone.at)?,
            by: undone.by,
            reason: undone.reason,
        })
    });
    let one = Override {
        id: id.clone(),
        sequence: stored.sequence,
        made: stored.at,
        terms: Terms {
            effect,
            target: target(value.window, value.consumers)?,
            from,
            until,
            verb,
            reason: value.reason.map(Into::into),
            host: value.host.map(Into::into),
        },
    };
    Ok((one, undoing.transpose()?))
}

fn not_json(error: serde_json::Error) -> String {
    format!("its value is not an override's JSON: {error}")
}

fn verb(text: &str) -> Result<Verb, String> {
    let found = Verb::ALL.into_iter().find(|verb| verb.as_str() == text);
    found.ok_or_else(|| {
        let names = Verb::ALL.map(Verb::as_str).join(", ");
        format!("its verb is none of {names}")
    })
}

fn target(window: Option<String>, consumers: Option<Vec<String>>) -> Result<Target, String> {
    match (window, consumers) {
        (Some(window), None) if !window.trim().is_empty() => Ok(Target::Window(window.into())),
        (None, Some(texts)) if texts.len() > MOST_SELECTORS => {
            Err(format!("it names more than {MOST_SELECTORS} selectors"))
        }
        (None, Some(texts)) => {
            let selectors = texts.iter().map(|text| Selector::parse(text));
            let selectors: Vec<Selector> = selectors
                .collect::<Result<_, _>>()
                .map_err(|error| format!("its consumers are not selectors: {error}"))?;
            let selection = Selection::new(selectors);
            match selection.leaves_nothing() {
                true => Err("its consumers name none".to_owned()),
                false => Ok(Target::Consumers(selection)),
            }
        }
        (Some(_), None) => Err("its window has no name".to_owned()),
        (Some(_), Some(_)) => Err("it names a window and consumers".to_owned()),
        (None, None) => Err("it names neither a window nor consumers".to_owned()),
    }
}

fn second(field: &str, text: &str) -> Result<Timestamp, String> {
    let at = instant(field, text)?;
    match at.subsec_nanosecond() {
        0 => Ok(at),
        _ => Err(format!("its {field} is not a whole second")),
    }
}

fn instant(field: &str, text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse();
    parsed.map_err(|_| format!("its {field} is not an instant such as 2026-12-01T04:00:00Z"))
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", sanitize(&self.id), sanitize(&self.reason))
    }
}
