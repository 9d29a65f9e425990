//! What a process of recess was told of a consumer, read anew from the bytes that it was sent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::natures::Nature;
use crate::overrides::BUCKET_STREAM;
use crate::wants::Want;
use crate::wire::Frame;

/// 1 + FNV-1a64 of the instance's name mod 999,999: see `support/config.rs`, which worked it out.
pub const MARK: i32 = crate::support::config::MARK;

/// The mark of a deadline that ends a pause on purpose.
pub const RELEASE_MARK: i32 = MARK + 1_000_000;

/// The mark of a deadline that ends a pause before messages are lost.
pub const RETENTION_MARK: i32 = MARK + 2_000_000;

pub fn is_ours(deadline: Timestamp) -> bool {
    deadline.subsec_nanosecond() == MARK || is_release(deadline) || keeps_messages(deadline)
}

/// Whether it ends a pause before messages are lost.
pub fn keeps_messages(deadline: Timestamp) -> bool {
    deadline.subsec_nanosecond() == RETENTION_MARK
}

pub fn is_release(deadline: Timestamp) -> bool {
    deadline.subsec_nanosecond() == RELEASE_MARK
}

/// A consumer as an answer shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Unknown,
    Missing,
    Running,
    Lapsed(Timestamp),
    Paused {
        until: Timestamp,
        remaining: SignedDuration,
    },
}

impl State {
    /// Whether it is released from what holds it over that time.
    pub fn is_released(self, (from, until): (i64, i64)) -> bool {
        let release = self.deadline().filter(|at| is_release(*at));
        release.is_some_and(|at| (from..until).contains(&at.as_second()))
    }

    /// Whether it was let go before messages were lost, in what holds it over that time.
    pub fn keeps_messages(self, (from, until): (i64, i64)) -> bool {
        match self {
            Self::Lapsed(at) => keeps_messages(at) && (from..until).contains(&at.as_second()),
            _ => false,
        }
    }

    /// Whether it is a pause of recess's beyond what is wanted that is kept, for windows whose `where` does not hold.
    pub fn is_kept(self, want: Want, kept: Option<i64>) -> bool {
        let Self::Paused { until, .. } = self else {
            return false;
        };
        let wanted = match want {
            Want::Running => i64::MIN,
            Want::Tail(until) | Want::Paused(until) => until,
        };
        let until = Some(until).filter(|until| is_ours(*until) && !is_release(*until));
        until.is_some_and(|until| {
            until.as_second() > wanted && kept.is_some_and(|kept| until.as_second() <= kept)
        })
    }

    pub fn deadline(self) -> Option<Timestamp> {
        match self {
            Self::Lapsed(until) | Self::Paused { until, .. } => Some(until),
            Self::Unknown | Self::Missing | Self::Running => None,
        }
    }
}

/// One answer about one consumer.
#[derive(Clone, Debug)]
pub struct Sight {
    pub state: State,
    pub nature: Nature,
    pub clustered: bool,
    pub created: String,
    /// When it was asked for, and in which connection.
    pub asked: Timestamp,
    pub connection: usize,
    pub told: Timestamp,
}

/// What an advisory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    Deadline(Option<Timestamp>),
    Created,
    Deleted,
}

/// What one is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Account,
    Streams,
    List(String),
    Info(String),
    Pause(String),
    /// What overrides there are.
    Bucket,
    /// How far the leader of the bucket's stream has come.
    BucketEnd,
    /// What a stream drops or refuses.
    Limits(String),
    /// As whom it is known, where the bucket was denied.
    Identity,
    Other,
}

impl Question {
    pub fn of(frame: &Frame) -> Self {
        if frame.subject == "$SYS.REQ.USER.INFO" {
            return Self::Identity;
        }
        let Some(verb) = frame.subject.strip_prefix("$JS.API.") else {
            return Self::Other;
        };
        let words: Vec<&str> = verb.split('.').collect();
        match words[..] {
            ["INFO"] => Self::Account,
            ["STREAM", "NAMES"] => Self::Streams,
            ["CONSUMER", "LIST", stream] => Self::List(stream.to_owned()),
            ["CONSUMER", "INFO", stream, name] => Self::Info(format!("{stream}/{name}")),
            ["CONSUMER", "PAUSE", stream, name] => Self::Pause(format!("{stream}/{name}")),
            ["DIRECT", "GET", stream] if stream == BUCKET_STREAM => Self::Bucket,
            ["STREAM", "INFO", stream] if stream == BUCKET_STREAM => Self::BucketEnd,
            ["STREAM", "INFO", stream] => Self::Limits(stream.to_owned()),
            _ => Self::Other,
        }
    }
}

/// Who an advisory speaks of, and what it says.
pub fn advice(frame: &Frame) -> Option<(String, Advice)> {
    let rest = frame.subject.strip_prefix("$JS.EVENT.ADVISORY.CONSUMER.")?;
    let words: Vec<&str> = rest.split('.').collect();
    let [kind, stream, name] = words[..] else {
        return None;
    };
    let advice = match kind {
        "PAUSE" => Advice::Deadline(instant(&frame.json()["pause_until"])),
        "CREATED" => Advice::Created,
        "DELETED" => Advice::Deleted,
        _ => return None,
    };
    Some((format!("{stream}/{name}"), advice))
}

fn instant(value: &Value) -> Option<Timestamp> {
    let instant: Timestamp = value.as_str()?.parse().ok()?;
    // Go's zero time.
    (instant.as_second() > 0).then_some(instant)
}

/// What an answer says of consumers. `known` are those of the stream that were heard of before.
pub fn sights<'a>(
    question: &Question,
    frame: &Frame,
    known: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, (State, Value)> {
    let answer = frame.json();
    let code = answer["error"]["err_code"].as_u64();
    let missing = matches!(code, Some(10014 | 10059));
    match question {
        Question::Info(path) if missing => {
            BTreeMap::from([(path.clone(), (State::Missing, Value::Null))])
        }
        Question::Info(path) if code.is_none() => {
            BTreeMap::from([(path.clone(), (state(&answer), answer))])
        }
        Question::List(stream) if missing || code.is_none() => {
            let mut sights: BTreeMap<_, _> = known
                .map(|path| (path.clone(), (State::Missing, Value::Null)))
                .collect();
            let empty = Vec::new();
            for name in answer["missing"].as_array().unwrap_or(&empty) {
                let path = format!("{stream}/{}", name.as_str().unwrap_or_default());
                sights.insert(path, (State::Unknown, Value::Null));
            }
            for info in answer["consumers"].as_array().unwrap_or(&empty) {
                let name = info["name"].as_str().unwrap_or_default();
                if !name.is_empty() {
                    sights.insert(format!("{stream}/{name}"), (state(info), info.clone()));
                }
            }
            sights
        }
        _ => BTreeMap::new(),
    }
}

pub fn state(info: &Value) -> State {
    let until = instant(&info["config"]["pause_until"]);
    let paused = info["paused"] == true;
    match until {
        None => State::Running,
        Some(until) if paused => State::Paused {
            until,
            remaining: SignedDuration::from_nanos(info["pause_remaining"].as_i64().unwrap_or(0)),
        },
        // The cluster's own leader answers for a consumer that has none, and knows its config only.
        Some(until) if instant(&info["ts"]).is_some_and(|now| until > now) => State::Unknown,
        Some(until) => State::Lapsed(until),
    }
}

/// The deadline that a PAUSE carries; `None` where it carries none.
pub fn deadline(frame: &Frame) -> Option<Timestamp> {
    instant(&frame.json()["pause_until"])
}
