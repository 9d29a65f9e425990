//! The questions that only `check --live` asks, and their answers as nats-server writes them.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use super::{Nats, wire};
use crate::consumer::ConsumerId;
use crate::jetstream::RequestError;
use crate::retention::{ConsumerDetails, Discard, StreamDetails};

impl Nats {
    /// A stream's limits and contents; `None` when it does not exist.
    pub async fn stream_details(&self, name: &str) -> Result<Option<StreamDetails>, RequestError> {
        let verb = format!("STREAM.INFO.{name}");
        found(self.request::<StreamInfo>(&verb, Bytes::new()).await)
            .map(|info| info.map(StreamDetails::from))
    }

    /// A consumer's configuration and progress; `None` when it does not exist.
    pub async fn consumer_details(
        &self,
        id: &ConsumerId,
    ) -> Result<Option<ConsumerDetails>, RequestError> {
        let verb = format!("CONSUMER.INFO.{}.{}", id.stream(), id.consumer());
        found(self.request::<ConsumerInfo>(&verb, Bytes::new()).await)
            .map(|info| info.map(ConsumerDetails::from))
    }
}

fn found<T>(answer: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
    match answer {
        Err(RequestError::Refused { code, .. }) if wire::says_missing(code) => Ok(None),
        answer => answer.map(Some),
    }
}

/// `$JS.API.STREAM.INFO`.
#[derive(Deserialize)]
struct StreamInfo {
    config: StreamConfig,
    state: StreamState,
    ts: Option<String>,
}

#[derive(Deserialize)]
struct StreamConfig {
    /// Nanoseconds; 0 for no limit.
    #[serde(default)]
    max_age: i64,
    /// -1 for no limit.
    #[serde(default)]
    max_msgs: i64,
    #[serde(default)]
    max_bytes: i64,
    #[serde(default)]
    discard: String,
    #[serde(default)]
    retention: String,
    #[serde(default)]
    num_replicas: usize,
}

#[derive(Deserialize)]
struct StreamState {
    #[serde(default)]
    messages: u64,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    first_seq: u64,
    first_ts: Option<String>,
    #[serde(default)]
    last_seq: u64,
    last_ts: Option<String>,
}

impl From<StreamInfo> for StreamDetails {
    fn from(info: StreamInfo) -> Self {
        let StreamInfo { config, state, ts } = info;
        // Of an empty stream the server reports Go's zero time, or of messages that are gone.
        let time = |text| instant(text).filter(|at| state.messages > 0 && at.as_second() > 0);
        Self {
            max_age: length(config.max_age),
            max_messages: limit(config.max_msgs),
            max_bytes: limit(config.max_bytes),
            discard: match &*config.discard {
                "new" => Discard::New,
                _ => Discard::Old,
            },
            empties: matches!(&*config.retention, "workqueue" | "interest"),
            replicas: config.num_replicas,
            messages: state.messages,
            bytes: state.bytes,
            first: (state.first_seq, time(state.first_ts)),
            last: (state.last_seq, time(state.last_ts)),
            at: instant(ts),
        }
    }
}

/// `$JS.API.CONSUMER.INFO`.
#[derive(Deserialize)]
struct ConsumerInfo {
    #[serde(default)]
    config: ConsumerConfig,
    #[serde(default)]
    delivered: Progress,
    #[serde(default)]
    num_pending: u64,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    num_redelivered: u64,
}

#[derive(Default, Deserialize)]
struct ConsumerConfig {
    #[serde(default)]
    ack_policy: String,
    /// Nanoseconds.
    #[serde(default)]
    ack_wait: i64,
    #[serde(default)]
    max_deliver: i64,
    /// Nanoseconds; 0 for none.
    #[serde(default)]
    inactive_threshold: i64,
}

#[derive(Default, Deserialize)]
struct Progress {
    #[serde(default)]
    stream_seq: u64,
}

impl From<ConsumerInfo> for ConsumerDetails {
    fn from(info: ConsumerInfo) -> Self {
        let acknowledged = matches!(&*info.config.ack_policy, "explicit" | "all");
        Self {
            ack_wait: length(info.config.ack_wait).filter(|_| acknowledged),
            max_deliver: limit(info.config.max_deliver),
            inactive_threshold: length(info.config.inactive_threshold),
            pending: info.num_pending,
            ack_pending: info.num_ack_pending,
            redelivered: info.num_redelivered,
            delivered: info.delivered.stream_seq,
        }
    }
}

/// What is not a time counts as not reported.
fn instant(text: Option<String>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn length(nanoseconds: i64) -> Option<Duration> {
    let nanoseconds = u64::try_from(nanoseconds).ok()?;
    (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
}

fn limit(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}
