//! Consumers as recess knows them: names, whether they are paused, and whose pause it is.
//!
//! Knows nothing of windows, time zones or the wire. The invariant: a [`Mark`] recognises exactly
//! the deadlines that it stamped, so ownership needs no stored state. It survives restarts, config
//! edits and a second copy of recess.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::visible::visible;

mod candidate;
#[cfg(test)]
pub mod example;
mod labels;
#[cfg(test)]
mod tests;

pub use candidate::Candidate;
pub use labels::{LONGEST_VALUE, Label, LabelKeys, LabelReader, Labels};

/// A consumer's full name. Neither part can hold a slash, a space or a dot (nats-server refuses
/// them), which makes `STREAM/CONSUMER` a safe way to write it.
///
/// Cheap to clone, and small: every book that recess keeps has one for each consumer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConsumerId {
    /// Both names, one after the other.
    text: Arc<str>,
    /// Where the consumer's begins.
    stream_length: usize,
}

impl ConsumerId {
    /// Joins two names that the server or a parsed selector vouches for.
    pub fn new(stream: impl AsRef<str>, consumer: impl AsRef<str>) -> Self {
        let (stream, consumer) = (stream.as_ref(), consumer.as_ref());
        Self {
            text: [stream, consumer].concat().into(),
            stream_length: stream.len(),
        }
    }

    fn parts(&self) -> (&str, &str) {
        let parts = self.text.split_at_checked(self.stream_length);
        parts.unwrap_or((&self.text, ""))
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        self.parts().0
    }

    /// The consumer's name within its stream.
    pub fn consumer(&self) -> &str {
        self.parts().1
    }

    /// What comes after every consumer of a stream, and before those of the next one.
    pub fn end_of(stream: &str) -> Self {
        Self::new(format!("{stream}\0"), "")
    }

    /// `STREAM/CONSUMER`, as config and arguments write it.
    pub fn path(&self) -> String {
        let (stream, consumer) = self.parts();
        format!("{stream}/{consumer}")
    }
}

/// Streams in the order of their names, and each stream's consumers.
impl Ord for ConsumerId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for ConsumerId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for ConsumerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsumerId({:?})", self.path())
    }
}

/// `STREAM > CONSUMER`, as the `nats` command prints it, for people: no letter of it hides or moves
/// another.
impl fmt::Display for ConsumerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stream, consumer) = self.parts();
        write!(f, "{} > {}", visible(stream), visible(consumer))
    }
}

/// A text that is not `STREAM/CONSUMER`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing", visible(.0))]
pub struct NotAConsumer(String);

impl FromStr for ConsumerId {
    type Err = NotAConsumer;

    /// Also reads what is shown to people, `ORDERS > billing`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/').or_else(|| text.split_once(" > ")) {
            Some((stream, consumer)) if is_name(stream) && is_name(consumer) => {
                Ok(Self::new(stream, consumer))
            }
            _ => Err(NotAConsumer(text.to_owned())),
        }
    }
}

/// Whether nats-server accepts this as a stream's or consumer's name: a subject token that is also
/// a file name.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '.' | '*' | '>')
        })
}

/// Whether the server holds a consumer's delivery, in the server's own words, never by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseState {
    /// Delivering, and no deadline is stored.
    Running,
    /// Delivering; a deadline that has passed is still stored (nats-server keeps it until an empty
    /// resume, and in a cluster it makes an app's strict create fail: measured on 2.11.0 to
    /// 2.15.1).
    Lapsed {
        /// The stored deadline.
        until: Timestamp,
    },
    /// Held until `until`.
    Paused {
        /// The stored deadline, to the nanosecond.
        until: Timestamp,
        /// How long the server says it still lasts.
        remaining: SignedDuration,
    },
}

impl PauseState {
    /// The stored deadline, passed or not.
    pub fn deadline(&self) -> Option<Timestamp> {
        match *self {
            Self::Running => None,
            Self::Lapsed { until } | Self::Paused { until, .. } => Some(until),
        }
    }

    /// Whether delivery is held.
    pub fn is_paused(&self) -> bool {
        matches!(self, Self::Paused { .. })
    }

    /// Whose pause it is, while delivery is held.
    pub fn paused_by(&self, mark: Mark) -> Option<Owner> {
        match *self {
            Self::Paused { until, .. } => Some(mark.owner(until)),
            Self::Running | Self::Lapsed { .. } => None,
        }
    }

    /// What this state will have become after `elapsed` more time, if no client writes.
    pub fn after(self, elapsed: SignedDuration) -> Self {
        match self {
            Self::Paused { until, remaining } if remaining <= elapsed => Self::Lapsed { until },
            Self::Paused { until, remaining } => Self::Paused {
                until,
                remaining: remaining - elapsed,
            },
            Self::Running | Self::Lapsed { .. } => self,
        }
    }
}

/// What one observation showed of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Whether it is paused.
    pub state: PauseState,
    /// When the consumer was created: another instant means another consumer of the same name.
    pub created: Timestamp,
    /// What kind of consumer it is, for selectors.
    pub kind: Kind,
    /// Whether the server said that it is part of a cluster (where a write is accepted before it is
    /// applied).
    pub clustered: bool,
    /// Messages that wait for delivery.
    pub pending: u64,
    /// Messages delivered and not yet acknowledged.
    pub ack_pending: u64,
    /// Whether those are counted: with the ack policy `none` they are not.
    pub counted: bool,
    /// What its metadata has under the keys that the policy names.
    pub labels: Labels,
    /// The sequence in the stream up to which every message is acknowledged.
    pub floor: u64,
}

impl Observation {
    /// Whether any message waits, for its delivery or for an acknowledgement.
    pub fn has_waiting(&self) -> bool {
        self.waiting() > 0
    }

    /// How many messages wait, for their delivery or for an acknowledgement.
    pub fn waiting(&self) -> u64 {
        self.pending.saturating_add(self.ack_pending)
    }
}

/// What decides whether a glob may touch a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Durable, made by people: globs match it.
    Durable,
    /// Ephemeral (KV watchers, ordered consumers): only its exact name matches.
    Ephemeral,
    /// A sourcing consumer (`ack_policy: flow_control`, nats-server 2.14): only its exact name
    /// matches.
    Sourcing,
}

/// What is known of a consumer that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Not observed, or offline: nothing may be concluded from it.
    Unknown,
    /// The server says there is no such consumer.
    Missing,
    /// Observed.
    Present(Observation),
}

impl Found {
    /// The observation, where there is one.
    pub fn observation(&self) -> Option<&Observation> {
        match self {
            Self::Present(observation) => Some(observation),
            Self::Unknown | Self::Missing => None,
        }
    }

    /// Whether it was observed to be paused.
    pub fn is_paused(&self) -> bool {
        self.observation().is_some_and(|o| o.state.is_paused())
    }

    /// Whose pause was observed, if there is one.
    pub fn paused_by(&self, mark: Mark) -> Option<Owner> {
        self.observation()?.state.paused_by(mark)
    }
}

/// Whose deadline is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It carries our mark.
    Recess,
    /// Anyone else's.
    Foreign,
}

impl Owner {
    /// As `status` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recess => "recess",
            Self::Foreign => "foreign",
        }
    }
}

/// What makes a deadline recognisable as ours: the nanoseconds after its whole second. Every
/// nats-server with a pause (2.11.0 to 2.15.1) keeps `pause_until` to the nanosecond.
///
/// There are three of each instance. The plain one is on every pause. The release mark, a
/// millisecond more, is on the deadline that ends a pause on purpose: once that has passed it stays
/// stored, and says to every copy and after every restart that the consumer is to be left running
/// ([`crate::plan::Rule::Released`]). The retention mark, another millisecond more, is on the
/// deadline that ends a pause before messages are lost. It says the same; but where a person's
/// release counts as long as its override lives, this one always does.
///
/// ```
/// use recess::consumer::Mark;
///
/// let mark = Mark::of_instance("prod-eu");
/// let until = "2026-12-01T04:00:00Z".parse()?;
/// assert_eq!(mark.stamp(until).to_string(), "2026-12-01T04:00:00.000245944Z");
/// assert_eq!(mark.stamp_release(until).to_string(), "2026-12-01T04:00:00.001245944Z");
/// assert_eq!(mark.stamp_retention(until).to_string(), "2026-12-01T04:00:00.002245944Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(i32);

/// What the release mark adds, in nanoseconds: more than any plain mark, so that no instance's
/// release is another's pause.
const RELEASE: i32 = 1_000_000;

/// What the retention mark adds, in nanoseconds.
const RETENTION: i32 = 2 * RELEASE;

impl Mark {
    /// The mark of an instance: `1 + fnv1a64(instance) mod 999_999` nanoseconds. At most a
    /// millisecond, so that it never matters to anyone but us, and never zero, which is what people
    /// and scripts write.
    pub fn of_instance(instance: &str) -> Self {
        let spread = fnv1a64(instance.as_bytes()) % 999_999;
        // Below a million, so it always fits.
        Self(1 + i32::try_from(spread).unwrap_or(0))
    }

    /// The plain mark in nanoseconds, 1 to 999,999.
    pub fn nanoseconds(self) -> i32 {
        self.0
    }

    /// The deadline to write for an instant of whole seconds.
    pub fn stamp(self, instant: Timestamp) -> Timestamp {
        Timestamp::new(instant.as_second(), self.0).unwrap_or(Timestamp::MAX)
    }

    /// The deadline to write for an instant of whole seconds at which a pause ends on purpose.
    pub fn stamp_release(self, instant: Timestamp) -> Timestamp {
        Timestamp::new(instant.as_second(), self.0 + RELEASE).unwrap_or(Timestamp::MAX)
    }

    /// The deadline to write for an instant of whole seconds at which a pause ends so that no
    /// message is lost.
    pub fn stamp_retention(self, instant: Timestamp) -> Timestamp {
        Timestamp::new(instant.as_second(), self.0 + RETENTION).unwrap_or(Timestamp::MAX)
    }

    /// A deadline of another instance name, as it would be with this one: a release stays one.
    pub fn restamp(self, deadline: Timestamp) -> Timestamp {
        match deadline.subsec_nanosecond() {
            RETENTION.. => self.stamp_retention(deadline),
            RELEASE.. => self.stamp_release(deadline),
            _ => self.stamp(deadline),
        }
    }

    /// Whether a stored deadline was stamped with this mark, plain or for a release.
    pub fn owns(self, deadline: Timestamp) -> bool {
        deadline.subsec_nanosecond() == self.0
            || self.is_release(deadline)
            || self.is_for_retention(deadline)
    }

    /// Whether a stored deadline ends a pause before messages are lost.
    pub fn is_for_retention(self, deadline: Timestamp) -> bool {
        deadline.subsec_nanosecond() == self.0 + RETENTION
    }

    /// Whether a stored deadline ends a pause on purpose.
    pub fn is_release(self, deadline: Timestamp) -> bool {
        deadline.subsec_nanosecond() == self.0 + RELEASE
    }

    /// The instant that a stored deadline was stamped for; `None` where it carries another mark, or
    /// none.
    pub fn unstamp(self, deadline: Timestamp) -> Option<Timestamp> {
        if self.owns(deadline) {
            Timestamp::new(deadline.as_second(), 0).ok()
        } else {
            None
        }
    }

    /// Whose deadline it is.
    pub fn owner(self, deadline: Timestamp) -> Owner {
        if self.owns(deadline) {
            Owner::Recess
        } else {
            Owner::Foreign
        }
    }
}

/// FNV-1a, 64 bit: the hash behind the mark. Written out because its values are a contract (two
/// versions of recess must agree), which no general hashing library promises.
pub fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
