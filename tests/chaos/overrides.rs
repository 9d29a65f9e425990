//! Overrides as the bucket has them, read from its bytes without recess.

use jiff::Timestamp;
use serde_json::Value;

use crate::support::config::INSTANCE;

/// The bucket of every history that has one.
pub const BUCKET: &str = "recess";
pub const BUCKET_STREAM: &str = "KV_recess";

/// Where an override lies, by its id: `alice.k7f2q`.
pub fn subject(id: &str) -> String {
    format!("$KV.{BUCKET}.{INSTANCE}.{id}")
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Window(String),
    Consumers(Vec<String>),
}

/// Half-open, in whole seconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub sequence: u64,
    /// It holds, or lets run.
    pub pauses: bool,
    pub target: Target,
    pub from: i64,
    pub until: i64,
}

impl Override {
    /// What a key's value says, where it says anything that counts.
    pub fn read(sequence: u64, value: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(value).ok()?;
        let is_undone = !value["undone"].is_null();
        (!is_undone).then(|| Self::of(sequence, &value))?
    }

    /// What the value of one that was undone says of what it was.
    pub fn was(sequence: u64, value: &str) -> Option<Self> {
        Self::of(sequence, &serde_json::from_str(value).ok()?)
    }

    fn of(sequence: u64, value: &Value) -> Option<Self> {
        if value["v"] != 1 || value["instance"] != INSTANCE {
            return None;
        }
        let pauses = match (value["verb"].as_str()?, value["effect"].as_str()?) {
            ("open" | "extend" | "pause", "pause") => true,
            ("close" | "skip" | "resume", "run") => false,
            _ => return None,
        };
        let target = match (&value["window"], &value["consumers"]) {
            (Value::String(name), Value::Null) => Target::Window(name.clone()),
            (Value::Null, Value::Array(all)) => {
                let texts = all.iter().map(|one| one.as_str().map(str::to_owned));
                Target::Consumers(texts.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        let second = |field: &str| -> Option<i64> {
            let at: Timestamp = value[field].as_str()?.parse().ok()?;
            Some(at.as_second())
        };
        let (from, until) = (second("from")?, second("until")?);
        (from < until).then_some(Self {
            sequence,
            pauses,
            target,
            from,
            until,
        })
    }
}
