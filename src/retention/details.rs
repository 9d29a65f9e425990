//! What a pause can work against: the parts of streams' and consumers' configurations, and how far
//! each has come.
//!
//! The loop asks for a stream's, where a consumer of it is held; `check --live` for both.

use std::time::Duration;

use jiff::Timestamp;

use super::number;

/// A consumer's configuration and progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerDetails {
    /// How long a delivered message may go without being acknowledged; `None` where none has to be.
    pub ack_wait: Option<Duration>,
    /// How often a message is delivered at most.
    pub max_deliver: Option<u64>,
    /// How long the server keeps it while no client uses it; `None` for ever.
    pub inactive_threshold: Option<Duration>,
    /// Messages that wait for delivery.
    pub pending: u64,
    /// Messages delivered and not yet acknowledged.
    pub ack_pending: u64,
    /// How many of those were delivered more than once.
    pub redelivered: u64,
    /// The place in the stream of the message that was delivered last.
    pub delivered: u64,
}

/// Which message a full stream does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// The oldest.
    Old,
    /// The newest: its publisher is refused.
    New,
}

/// A stream's limits and contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDetails {
    /// How old a message becomes.
    pub max_age: Option<Duration>,
    /// How many messages it holds.
    pub max_messages: Option<u64>,
    /// How much it holds.
    pub max_bytes: Option<u64>,
    /// What it does when it is full.
    pub discard: Discard,
    /// Messages go when they are acknowledged (`workqueue` and `interest`), so a pause fills it.
    pub empties: bool,
    /// On how many servers it is.
    pub replicas: usize,
    /// How many messages it holds now.
    pub messages: u64,
    /// How much it holds now.
    pub bytes: u64,
    /// The place of the oldest message, and when it came.
    pub first: (u64, Option<Timestamp>),
    /// The place of the newest message, and when it came.
    pub last: (u64, Option<Timestamp>),
    /// The server's clock at that moment, if the reply shows it.
    pub at: Option<Timestamp>,
}

impl StreamDetails {
    /// Whether it has any limit.
    pub fn is_limited(&self) -> bool {
        self.max_age.is_some() || self.max_messages.is_some() || self.max_bytes.is_some()
    }

    /// How many messages it holds after that place, whoever they are for.
    pub(super) fn after(&self, place: u64) -> u64 {
        self.last.0.saturating_sub(place).min(self.messages)
    }

    /// How large a message is on average; `None` where it holds none.
    pub(super) fn mean_size(&self) -> Option<f64> {
        (self.messages > 0 && self.bytes > 0).then(|| number(self.bytes) / number(self.messages))
    }
}
