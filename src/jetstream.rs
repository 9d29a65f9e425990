//! The server as recess speaks with it: nine requests, a link that is up or down, and advisories.
//!
//! [`JetStream`] is the seam between the loop and the network. [`nats`] implements it over a real
//! connection; the simulation in `tests/` implements it over a model that keeps one deadline per
//! consumer. Nothing here decides anything.

use std::collections::BTreeSet;
use std::future::Future;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::consumer::{ConsumerId, Found, LabelKeys};
use crate::drain::InFlight;
use crate::overrides::Bucket;
use crate::retention::StreamDetails;
use crate::write::Outcome;

mod advisory;
pub mod bucket;
pub mod nats;
mod writer;

pub use advisory::Advisory;
use bucket::{BucketEnd, BucketError, BucketRead};
pub use writer::Writer;

/// The requests that recess sends.
pub trait JetStream: Clone + Send + Sync + 'static {
    /// The connection's state. Every change wakes the loop.
    fn link(&self) -> watch::Receiver<Link>;

    /// The names of the streams in the account.
    fn stream_names(&self) -> impl Future<Output = Result<Listing<String>, RequestError>> + Send;

    /// Every consumer of a stream, with its labels of these keys; `None` when the stream does not
    /// exist.
    fn list(
        &self,
        stream: &str,
        keys: &LabelKeys,
    ) -> impl Future<Output = Result<Option<Listing<Listed>>, RequestError>> + Send;

    /// One consumer, with its labels of these keys.
    fn info(
        &self,
        id: &ConsumerId,
        keys: &LabelKeys,
    ) -> impl Future<Output = Result<Sample, RequestError>> + Send;

    /// A stream's limits and contents; `None` when it does not exist.
    fn stream(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<StreamDetails>, RequestError>> + Send;

    /// Sets a consumer's deadline. `Ok` means accepted; in a cluster that is before it is applied.
    fn pause(
        &self,
        id: &ConsumerId,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), RequestError>> + Send;

    /// Removes a consumer's deadline. It does not wake a paused consumer (2.11.0 to 2.15.1): only
    /// for lapsed ones.
    fn clear(&self, id: &ConsumerId) -> impl Future<Output = Result<(), RequestError>> + Send;

    /// Every override of an instance that a bucket has, as one of its replicas knows them.
    /// [`bucket::read`] is how to ask.
    fn overrides(
        &self,
        bucket: &Bucket,
    ) -> impl Future<Output = Result<BucketRead, BucketError>> + Send;

    /// How far a bucket has come, by the leader of its stream.
    fn bucket_end(
        &self,
        bucket: &Bucket,
    ) -> impl Future<Output = Result<BucketEnd, BucketError>> + Send;

    /// Which bucket to listen to, in this connection and those after it; `None` for none.
    fn watch_overrides(&self, bucket: Option<&Bucket>);

    /// Changes when it is worth to read the bucket: at once when a write to it is heard, and a few
    /// times after.
    fn override_hints(&self) -> watch::Receiver<u64>;

    /// Whether to listen to the API's audit. It is of use only while there is a pause that a client
    /// can override.
    fn watch_writers(&self, _watch: bool) {}

    /// Who wrote to a consumer last, where that was not this recess and was heard.
    fn last_writer(&self, _id: &ConsumerId) -> Option<Writer> {
        None
    }
}

/// What one answer said of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What was found.
    pub found: Found,
    /// The server's clock at that moment, if the reply shows it.
    pub server_time: Option<Timestamp>,
    /// More of its messages in flight; `None` where no consumer was found.
    pub in_flight: Option<InFlight>,
}

impl Sample {
    /// The server says that there is no such consumer.
    pub const MISSING: Self = Self {
        found: Found::Missing,
        server_time: None,
        in_flight: None,
    };

    /// The server says nothing of the consumer but that it exists.
    pub const UNKNOWN: Self = Self {
        found: Found::Unknown,
        server_time: None,
        in_flight: None,
    };
}

/// A list as the server sent it: what can be used, and what cannot. One bad entry costs no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// The entries with a name that can be asked about.
    pub entries: Vec<T>,
    /// What is wrong with others, or with parts of these.
    pub unreadable: Vec<Unreadable>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

/// One without faults.
impl<T> From<Vec<T>> for Listing<T> {
    fn from(entries: Vec<T>) -> Self {
        Self {
            entries,
            unreadable: Vec::new(),
        }
    }
}

/// An entry of a list that cannot be used. The consumer or stream is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Its name, or what stands in its place: made visible, at most some hundred letters.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One entry of a stream's list of consumers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which consumer.
    pub id: ConsumerId,
    /// What was found.
    pub sample: Sample,
}

/// Whether requests can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not connected, or connected without a JetStream that answers. It is tried again by itself.
    Down {
        /// What is wrong, as the start of a log line; empty before the first attempt.
        reason: String,
    },
    /// Connected to a server that can pause.
    Up(Server),
    /// Connected to a server that recess must not use.
    Unsuitable(Unsuitable),
}

impl Link {
    /// How many requests may be in flight at once, of `most` that the config allows: a crash-prone
    /// server is sent one.
    pub fn in_flight(&self, most: usize) -> usize {
        match self {
            Self::Up(server) if server.crash_prone => 1,
            Self::Up(_) | Self::Down { .. } | Self::Unsuitable(_) => most,
        }
    }

    /// Which connection it is, by [`Server::connects`]; none that can be used has none.
    pub fn connection(&self) -> Option<u64> {
        match self {
            Self::Up(server) => Some(server.connects),
            Self::Down { .. } | Self::Unsuitable(_) => None,
        }
    }
}

/// A server that recess can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// nats-server's version; where the API is in another domain or account, as far as its API
    /// level shows it.
    pub version: String,
    /// The address that was connected to.
    pub address: String,
    /// Counts the connects, so that a quick loss and return is seen as news.
    pub connects: u64,
    /// The version can crash on a PAUSE beside another request, and the config allows it: one
    /// request at a time.
    pub crash_prone: bool,
    /// The advisories that the account's permissions keep from us: what others do is then seen at
    /// the next resync only.
    pub denied: BTreeSet<String>,
}

/// Why a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// Older than 2.11: it has no consumer pause.
    #[error(
        "nats-server {version} has no consumer pause, which came with 2.11: connect to nats-server \
         2.12.8 or newer"
    )]
    NoPause {
        /// nats-server's version.
        version: String,
    },
    /// 2.11.x and 2.12.0 to 2.12.7: a PAUSE beside an INFO or LIST, by any client, can crash the
    /// server (`concurrent map iteration and map write`; fixed in 2.12.8 and 2.14.0).
    #[error(
        "nats-server {version} can crash when a consumer is paused while another client asks about \
         it (fixed in 2.12.8 and 2.14.0): upgrade it, or set allow_crash_prone = true in [nats] to \
         take the risk"
    )]
    CrashProne {
        /// nats-server's version.
        version: String,
    },
}

/// Why a request has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection, so nothing was sent.
    #[error("not connected to NATS, nothing was sent")]
    NotConnected,
    /// The connection broke before the answer came.
    #[error("the connection was lost before the reply arrived")]
    Cut,
    /// No answer in time.
    #[error("no reply to {subject} within {milliseconds} ms")]
    TimedOut {
        /// The subject of the request.
        subject: String,
        /// How long the answer was waited for.
        milliseconds: u128,
    },
    /// The account's permissions do not allow the subject.
    #[error("permission denied to publish to {subject}: allow it for recess's NATS user")]
    Denied {
        /// The subject of the request.
        subject: String,
    },
    /// The subject has no responder.
    #[error("no responder for {subject}: {meaning}")]
    NoResponders {
        /// The subject of the request.
        subject: String,
        /// What that means.
        meaning: String,
    },
    /// The server refused.
    #[error("nats-server refused the request: {description} (error {code})")]
    Refused {
        /// nats-server's `err_code`.
        code: u64,
        /// nats-server's words.
        description: String,
    },
    /// The consumer that was to be written to does not exist any more.
    #[error("it no longer exists")]
    Missing,
    /// Too much changed between the pages of a list for it to be known whole.
    #[error("the list kept changing while it was read")]
    Shifting,
    /// The list claims to be longer than any.
    #[error("the list has more than {most} entries, which is more than recess reads")]
    TooLong {
        /// How many it reads.
        most: usize,
    },
    /// The answer is not what the protocol promises.
    #[error("cannot read the reply to {subject}: {reason}")]
    Unreadable {
        /// The subject of the request.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RequestError {
    /// What is known of a write that ended so.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Cut => Outcome::Cut,
            Self::TimedOut { .. } | Self::Unreadable { .. } => Outcome::TimedOut,
            Self::NotConnected
            | Self::Denied { .. }
            | Self::NoResponders { .. }
            | Self::Refused { .. }
            | Self::Missing
            | Self::Shifting
            | Self::TooLong { .. } => Outcome::Refused,
        }
    }

    /// Whether to send it again is of no use before a person has changed something.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Missing
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::NoResponders { .. } => true,
            Self::NotConnected
            | Self::Cut
            | Self::TimedOut { .. }
            | Self::Shifting
            | Self::TooLong { .. }
            | Self::Unreadable { .. } => false,
        }
    }

    /// The word in the metrics' label `result`.
    pub fn label(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } | Self::Cut => "timeout",
            Self::Denied { .. } => "denied",
            Self::NotConnected
            | Self::NoResponders { .. }
            | Self::Refused { .. }
            | Self::Missing
            | Self::Shifting
            | Self::TooLong { .. }
            | Self::Unreadable { .. } => "error",
        }
    }
}
