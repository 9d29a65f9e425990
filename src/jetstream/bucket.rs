//! Overrides as a key-value bucket has them: what one read of it gives, whether that counts, and
//! why there may be none.
//!
//! A replica answers a read, so an answer can be older than the one before. [`read`] takes none
//! that is; [`LastRead`] knows which of them count.

use std::sync::Arc;

use jiff::Timestamp;

use super::{JetStream, RequestError};
use crate::overrides::Bucket;
use crate::overrides::entry::{Undone, Unreadable};
use crate::overrides::listed::Listed;
use crate::policy::{Override, Policy};
use crate::visible::visible;

pub mod judge;
#[cfg(test)]
mod tests;

/// How many keys nats-server answers with at most (413 beyond).
pub const MOST_ENTRIES: usize = 1024;

/// What a bucket has of one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BucketRead {
    /// The overrides that count, in the order of their sequence: the last word counts.
    pub live: Vec<Arc<Override>>,
    /// Those that were ended early.
    pub undone: Vec<Undone>,
    /// What cannot be used.
    pub unreadable: Vec<Unreadable>,
    /// The bucket's sequence up to which this is all; `None` where nothing is there: then the
    /// server that answers does not say how far it has come.
    pub up_to: Option<u64>,
}

/// What the leader of a bucket's stream says, which no replica is ahead of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketEnd {
    /// The bucket's last sequence.
    pub last: u64,
    /// Whether it has nothing of the instance.
    pub is_empty: bool,
}

impl BucketRead {
    /// What was ended early, as far as its key says what it was.
    pub fn withdrawn(&self) -> Vec<Arc<Override>> {
        let was = self.undone.iter().filter_map(|undone| undone.was.clone());
        was.map(Arc::new).collect()
    }

    /// All that it has, in the order in which it was written; what cannot be used last.
    pub fn listed(&self, policy: &Policy, now: Timestamp) -> Vec<Listed> {
        let live = self.live.iter().map(|one| {
            let listed = Listed::live(one.clone(), policy, now);
            (one.made, listed)
        });
        let undone = (self.undone.iter()).map(|one| (one.undoing.at, Listed::undone(one)));
        let mut all: Vec<(Timestamp, Listed)> = live.chain(undone).collect();
        all.sort_by_key(|(at, _)| *at);
        let unreadable = self.unreadable.iter().map(Listed::unreadable);
        all.into_iter()
            .map(|(_, one)| one)
            .chain(unreadable)
            .collect()
    }

    /// Whether the bucket has nothing of the instance.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty() && self.undone.is_empty() && self.unreadable.is_empty()
    }
}

/// How far the newest read that counted had come; 0 before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastRead(u64);

impl LastRead {
    /// Whether a read counts, as far as it shows itself; noted where it does. An empty one counts
    /// where nothing was read before: a replica that lags has nothing too.
    pub fn accepts(&mut self, read: &BucketRead) -> bool {
        let reach = read.up_to.unwrap_or_default();
        let counts = reach >= self.0;
        self.0 = self.0.max(reach);
        counts
    }

    /// The same for a read that was not accepted, by what the leader said after it. A bucket that
    /// ends before the last read did is another one, created again or restored.
    pub fn accepts_by(&mut self, end: BucketEnd, read: &BucketRead) -> bool {
        let is_remade = end.last < self.0;
        let is_nothing = read.is_empty() && end.is_empty;
        if is_remade {
            self.0 = read.up_to.unwrap_or_default();
        } else if is_nothing {
            self.0 = end.last;
        }
        is_remade || is_nothing
    }

    /// Notes that there was no read. Behind an answer that there is no bucket a new one may come,
    /// whose sequence begins at 1.
    pub fn failed(&mut self, error: &BucketError) {
        if error.may_be_remade() {
            *self = Self::default();
        }
    }
}

/// Reads a bucket; `None` where the answer is older than the last that counted, which stays then.
///
/// # Errors
///
/// As [`JetStream::overrides`]. What the stream's leader says is asked for only about an answer
/// that seems old; where that is not permitted, the answer is taken for old, and a bucket that was
/// created again between two reads is not seen before it has come as far as the old one.
pub async fn read(
    jetstream: &impl JetStream,
    bucket: &Bucket,
    last: &mut LastRead,
) -> Result<Option<BucketRead>, BucketError> {
    let note = |error: BucketError, last: &mut LastRead| {
        last.failed(&error);
        error
    };
    let read = match jetstream.overrides(bucket).await {
        Ok(read) if last.accepts(&read) => return Ok(Some(read)),
        Ok(read) => read,
        Err(error) => return Err(note(error, last)),
    };
    match jetstream.bucket_end(bucket).await {
        Ok(end) => Ok(last.accepts_by(end, &read).then_some(read)),
        Err(BucketError::Denied { .. }) => Ok(None),
        Err(error) => Err(note(error, last)),
    }
}

/// Why a bucket was not read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// There is no such bucket.
    #[error("bucket {bucket} does not exist: make it with `recess overrides create`")]
    Missing {
        /// Its name.
        bucket: String,
    },
    /// The bucket's stream answers no direct get.
    #[error(
        "bucket {bucket} cannot be read: its stream does not allow direct get; run `nats stream edit KV_{bucket} \
         --allow-direct`"
    )]
    NoDirectGet {
        /// Its name.
        bucket: String,
    },
    /// The bucket exists and no server that has it answers.
    #[error(
        "bucket {bucket} exists, but no server that has it answers: `nats stream info KV_{bucket}` shows which are away"
    )]
    Unavailable {
        /// Its name.
        bucket: String,
    },
    /// The bucket has no responder, and permissions do not allow to find out why.
    #[error(
        "no responder for bucket {bucket}: it does not exist, its stream does not allow direct get, \
         or its servers are down; `nats kv info {bucket}` shows which"
    )]
    Silent {
        /// Its name.
        bucket: String,
    },
    /// Answers came, and not the end of them.
    #[error(
        "{subject} was answered with {count} of its messages and no end: where the JetStream API is imported, its export \
         needs `response: stream`"
    )]
    Incomplete {
        /// The subject of the request.
        subject: String,
        /// How many answers came.
        count: usize,
    },
    /// A permission is missing.
    #[error("permission denied to publish to {subject}: allow it for {}", user_of(.user.as_deref()))]
    Denied {
        /// The subject.
        subject: String,
        /// The user that asked, if the server reports it.
        user: Option<String>,
    },
    /// The bucket takes no more (10077).
    #[error(
        "bucket {bucket} is full, nothing was stored: purge ended overrides (`nats kv purge {bucket} KEY`), or raise \
         max_bytes of stream KV_{bucket}"
    )]
    Full {
        /// Its name.
        bucket: String,
    },
    /// The value is longer than the bucket takes (10054).
    #[error(
        "bucket {bucket} refuses values so long, nothing was stored: write a shorter reason, or name fewer consumers"
    )]
    TooLong {
        /// Its name.
        bucket: String,
    },
    /// The bucket's stream keeps no time to live (10166).
    #[error(
        "bucket {bucket} does not delete ended overrides, nothing was stored: set allow_msg_ttl of \
         stream KV_{bucket}"
    )]
    NoTimeToLive {
        /// Its name.
        bucket: String,
    },
    /// Each id that was drawn is in use (10071).
    #[error("bucket {bucket} has each of {draws} random keys already, nothing was stored")]
    Taken {
        /// Its name.
        bucket: String,
        /// How many were tried.
        draws: u32,
    },
    /// Another stream or domain stored it.
    #[error(
        "stored in stream {} (domain {}) instead of KV_{bucket}{}: the daemon does not read it there; check domain or \
         api_prefix in [nats]",
        visible(.stream), or_none(.domain), in_domain(.wanted.as_deref())
    )]
    Elsewhere {
        /// The bucket's name.
        bucket: String,
        /// The stream that stored it.
        stream: String,
        /// Its domain; empty without one.
        domain: String,
        /// The domain that it was sent to.
        wanted: Option<String>,
    },
    /// Any other failure.
    #[error(transparent)]
    Request(RequestError),
}

impl BucketError {
    /// Whether there is no such bucket.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Whether another bucket of that name may stand there when it answers again.
    fn may_be_remade(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::NoDirectGet { .. }
            | Self::Unavailable { .. }
            | Self::Silent { .. } => true,
            Self::Denied { .. }
            | Self::Full { .. }
            | Self::TooLong { .. }
            | Self::NoTimeToLive { .. }
            | Self::Taken { .. }
            | Self::Elsewhere { .. }
            | Self::Incomplete { .. }
            | Self::Request(_) => false,
        }
    }
}

impl BucketError {
    /// What a failed request means for a bucket. `user` is the one that a denied permission
    /// belongs to.
    pub(super) fn of(error: RequestError, bucket: &Bucket, user: Option<String>) -> Self {
        let name = bucket.name().to_owned();
        if let RequestError::Denied { subject } = error {
            return Self::Denied { subject, user };
        }
        let RequestError::Refused { code, .. } = error else {
            return Self::Request(error);
        };
        match code {
            10054 => Self::TooLong { bucket: name },
            10059 => Self::Missing { bucket: name },
            10077 => Self::Full { bucket: name },
            10166 => Self::NoTimeToLive { bucket: name },
            _ => Self::Request(error),
        }
    }
}

fn user_of(user: Option<&str>) -> String {
    match user {
        Some(user) => format!("NATS user {}", visible(user)),
        None => "the NATS user of this config".to_owned(),
    }
}

fn or_none(domain: &str) -> String {
    match domain {
        "" => "none".to_owned(),
        domain => visible(domain).into_owned(),
    }
}

fn in_domain(domain: Option<&str>) -> String {
    domain.map_or_else(String::new, |domain| format!(" of domain {domain}"))
}
