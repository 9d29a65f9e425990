//! What nats-server writes, as far as recess reads it. Unknown fields are passed over.
//!
//! Invariant: whatever writes it, what is read takes bounded memory, its names are such that they
//! make one token of a subject, its errors are one line, and an entry of a list that cannot be read
//! costs no other.

use std::fmt;
use std::marker::PhantomData;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::consumer::{
    ConsumerId, Found, Kind, LabelKeys, Labels, Observation, PauseState, is_name,
};
use crate::drain::InFlight;
use crate::jetstream::{Advisory, RequestError, Sample};
use crate::visible::sanitize;

mod labels;
mod listing;

pub use labels::KnownLabels;
pub use listing::{Entry, ListReply, NamesReply, Slot, listing};

/// nats-server's `err_code` for a request that is not JSON.
pub const INVALID_JSON: u64 = 10025;
/// nats-server's `err_code` for a stream that does not exist.
pub const STREAM_NOT_FOUND: u64 = 10059;
/// nats-server's `err_code` for a consumer that does not exist.
pub const CONSUMER_NOT_FOUND: u64 = 10014;
/// nats-server's `err_code` for a consumer whose nodes are away.
pub const CONSUMER_OFFLINE: u64 = 10119;
/// nats-server's `err_code` for a consumer whose store refuses, with the cause in the description.
const STORE_FAILED: u64 = 10104;
/// The cause where the consumer is gone.
const NO_CONSUMER: &str = "consumer does not exist (10149)";

/// How much nats-server has waiting for a client at most before it gives the client up
/// (`max_pending`), so no answer of its own is longer.
pub const LONGEST_ANSWER: usize = 64 << 20;

/// How many entries nats-server puts on a page at most: streams' names.
const LONGEST_LIST: usize = 1024;

/// How long nats-server lets a name be.
const LONGEST_NAME: usize = 255;

/// Many times as long as any advisory.
const LONGEST_ADVISORY: usize = 64 << 10;

/// What the subjects of the advisories about consumers start with.
pub const ADVISORY_PREFIX: &str = "$JS.EVENT.ADVISORY.CONSUMER";

/// Whether an error says that there is no such consumer.
pub fn says_missing(code: u64) -> bool {
    matches!(code, STREAM_NOT_FOUND | CONSUMER_NOT_FOUND)
}

/// Whether the refusal of a write says so. A consumer that is being deleted at that moment is still
/// there and its store is not; the cause stands in the text only (2.12.8 to 2.15.1, standalone).
pub fn says_gone(code: u64, description: &str) -> bool {
    says_missing(code) || (code == STORE_FAILED && description.ends_with(NO_CONSUMER))
}

#[derive(Deserialize)]
struct Refusal {
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// An answer of which only the absence of an error matters.
#[derive(Deserialize)]
pub struct Done {}

/// `$JS.API.INFO`.
#[derive(Deserialize)]
pub struct AccountInfo {
    #[serde(default)]
    pub api: ApiStats,
}

#[derive(Default, Deserialize)]
pub struct ApiStats {
    pub level: Option<u64>,
}

/// A list of no more entries than nats-server writes: an entry can take a hundred times the memory
/// of its text. Go writes an empty list as `null` where it never made one.
fn bounded<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {LONGEST_LIST} entries")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(entry) = entries.next_element()? {
                if list.len() == LONGEST_LIST {
                    return Err(A::Error::invalid_length(LONGEST_LIST + 1, &self));
                }
                list.push(entry);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(Bounded(PhantomData))
}

/// Whether nats-server can have given that name to a stream or consumer. Any other could make a
/// request to something else.
fn is_possible(name: &str) -> bool {
    is_name(name) && name.len() <= LONGEST_NAME
}

fn unreadable(subject: &str, reason: impl fmt::Display) -> RequestError {
    RequestError::Unreadable {
        subject: subject.to_owned(),
        reason: sanitize(&reason.to_string()),
    }
}

/// `$JS.API.CONSUMER.INFO`, also an entry of the list.
#[derive(Deserialize)]
pub struct Info {
    #[serde(default)]
    name: String,
    #[serde(default)]
    created: String,
    #[serde(default)]
    config: InfoConfig,
    #[serde(default)]
    delivered: Activity,
    #[serde(default)]
    ack_floor: Activity,
    #[serde(default)]
    num_pending: u64,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    paused: bool,
    /// Nanoseconds.
    #[serde(default)]
    pause_remaining: i64,
    ts: Option<String>,
    cluster: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct InfoConfig {
    #[serde(default)]
    durable_name: String,
    #[serde(default)]
    ack_policy: String,
    /// Nanoseconds.
    #[serde(default)]
    ack_wait: i64,
    #[serde(default, deserialize_with = "bounded")]
    backoff: Vec<i64>,
    pause_until: Option<String>,
    /// Read by itself, and only where a policy names some of its keys.
    metadata: Option<Box<RawValue>>,
}

/// What was delivered, or acknowledged.
#[derive(Default, Deserialize)]
struct Activity {
    #[serde(default)]
    stream_seq: u64,
    last_active: Option<String>,
}

impl Activity {
    /// When that was last the case. One that cannot be read is none: only `wait` needs it.
    fn last(&self) -> Option<Timestamp> {
        instant(self.last_active.as_deref()?)
    }
}

impl Info {
    /// What it says of the consumer, with its labels of these keys. `subject` is where it came from,
    /// for the error.
    pub fn into_sample(self, subject: &str, keys: &LabelKeys) -> Result<Sample, RequestError> {
        let sample = self.sample(|metadata| labels::read(metadata, keys));
        sample.map_err(|reason| unreadable(subject, reason))
    }

    /// The same; what is wrong with it where it says nothing. `labels` reads its metadata.
    fn sample(
        &self,
        labels: impl FnOnce(Option<&RawValue>) -> Result<Labels, String>,
    ) -> Result<Sample, String> {
        let time = |what: &str, text: &str| {
            instant(text).ok_or_else(|| format!("{what} `{text}` is not a time"))
        };
        let deadline = match &self.config.pause_until {
            Some(text) => Some(time("pause_until", text)?).filter(|until| !is_zero_time(*until)),
            None => None,
        };
        let server_time = (self.ts.as_deref())
            .map(|text| time("ts", text))
            .transpose()?;
        // While a consumer of a cluster has no leader, the cluster's own answers for it, and knows
        // its config only (seen on 2.15.1 after a node had died).
        let without_leader = !self.paused && deadline > server_time && server_time.is_some();
        if without_leader {
            return Ok(Sample {
                server_time,
                ..Sample::UNKNOWN
            });
        }
        let state = match deadline {
            Some(until) if self.paused => PauseState::Paused {
                until,
                remaining: SignedDuration::from_nanos(self.pause_remaining),
            },
            Some(until) => PauseState::Lapsed { until },
            None => PauseState::Running,
        };
        let kind = if self.config.ack_policy == "flow_control" {
            Kind::Sourcing
        } else if self.config.durable_name.is_empty() {
            Kind::Ephemeral
        } else {
            Kind::Durable
        };
        let labels = labels(self.config.metadata.as_deref())?;
        Ok(Sample {
            found: Found::Present(Observation {
                state,
                created: time("created", &self.created)?,
                kind,
                clustered: self.cluster.is_some(),
                pending: self.num_pending,
                ack_pending: self.num_ack_pending,
                counted: self.config.ack_policy != "none",
                labels,
                floor: self.ack_floor.stream_seq,
            }),
            server_time,
            in_flight: Some(self.in_flight()),
        })
    }

    fn in_flight(&self) -> InFlight {
        let config = &self.config;
        let longest =
            (config.backoff.iter()).fold(config.ack_wait, |longest, step| longest.max(*step));
        InFlight {
            ack_wait: SignedDuration::from_nanos(longest),
            sign: self.delivered.last().max(self.ack_floor.last()),
        }
    }
}

/// Reads an answer, its error first: an error's answer carries zero values in the other fields.
pub fn read<'a, T: Deserialize<'a>>(payload: &'a [u8], subject: &str) -> Result<T, RequestError> {
    if payload.len() > LONGEST_ANSWER {
        let reason = format!("it has {} bytes", payload.len());
        return Err(unreadable(subject, reason));
    }
    let refusal: Refusal =
        serde_json::from_slice(payload).map_err(|error| unreadable(subject, error))?;
    if let Some(error) = refusal.error {
        return Err(RequestError::Refused {
            code: if error.err_code == 0 {
                error.code
            } else {
                error.err_code
            },
            description: sanitize(&error.description),
        });
    }
    serde_json::from_slice(payload).map_err(|error| unreadable(subject, error))
}

/// An RFC 3339 time. The server takes deadlines up to the year 9999, a little further than jiff's
/// last instant.
fn instant(text: &str) -> Option<Timestamp> {
    match text.parse() {
        Ok(instant) => Some(instant),
        Err(_) if text.starts_with("9999-12-3") => Some(Timestamp::MAX),
        Err(_) => None,
    }
}

/// Go's zero time, year 1, which the server writes for "none".
fn is_zero_time(instant: Timestamp) -> bool {
    instant.as_second() == -62_135_596_800
}

#[derive(Deserialize)]
struct PauseAdvisory {
    pause_until: Option<String>,
}

/// The deadline in a PAUSE request of whomever; `None` where it asks for none.
pub fn requested(payload: &[u8]) -> Option<Timestamp> {
    let asked: PauseAdvisory = serde_json::from_slice(payload).ok()?;
    instant(asked.pause_until.as_deref()?)
}

/// Reads an advisory; `None` for one that is not understood, which is as good as one that was lost.
pub fn advisory(subject: &str, payload: &[u8]) -> Option<Advisory> {
    let mut tokens = subject
        .strip_prefix(ADVISORY_PREFIX)?
        .strip_prefix('.')?
        .splitn(3, '.');
    let (kind, stream, consumer) = (tokens.next()?, tokens.next()?, tokens.next()?);
    if !is_possible(stream) || !is_possible(consumer) || payload.len() > LONGEST_ADVISORY {
        return None;
    }
    let id = ConsumerId::new(stream, consumer);
    match kind {
        "PAUSE" => {
            let advisory: PauseAdvisory = serde_json::from_slice(payload).ok()?;
            let until = advisory.pause_until.as_deref().and_then(instant);
            Some(Advisory::Pause {
                id,
                until: until.filter(|until| !is_zero_time(*until)),
            })
        }
        "CREATED" => Some(Advisory::Created(id)),
        "DELETED" => Some(Advisory::Deleted(id)),
        _ => None,
    }
}
