//! [`JetStream`] over a real connection. The one module that knows async-nats.
//!
//! Three promises on top of async-nats' connections, which [`connect`] makes and
//! [`connection_task`] keeps:
//!
//! - nothing is sent while the link is down, and nothing sent in one connection arrives in the
//!   next;
//! - a request that a lost connection or a denied permission has doomed ends at once, not at its
//!   timeout;
//! - the link is up only after `$JS.API.INFO` has shown a server that can pause.
//!
//! Replies are read by the small types in [`wire`], as async-nats' own refuse a whole list for one
//! consumer with an ack policy that they do not know, and drop the server's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::{Client, Event};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{OnceCell, broadcast, mpsc, watch};

use super::bucket::{BucketEnd, BucketError, BucketRead};
use super::{Advisory, JetStream, Link, Listed, Listing, RequestError, Sample, Writer};
use crate::config::{self, Api};
use crate::consumer::{ConsumerId, LabelKeys};
use crate::overrides::Bucket;
use crate::retention::StreamDetails;

mod audit;
mod bucket;
mod connect;
mod connect_error;
mod connection_task;
mod details;
mod flood;
mod lists;
mod pagination;
mod publisher;
mod request;
mod secrets;
mod suitability;
#[cfg(any(fuzzing, debug_assertions))]
#[doc(hidden)]
pub mod untrusted;
mod wire;

use audit::Writers;
use bucket::Hints;
pub use bucket::{Made, Undid};
use connect::Connected;
use connection_task::ConnectionTask;
use publisher::{Leaving, Notice};
pub use publisher::{Left, NoticeCounts};
use request::Abort;
use wire::KnownLabels;

/// How many advisories may wait for the loop. More are dropped: they are hints, and the resync
/// finds the same.
const ADVISORY_BACKLOG: usize = 65_536;

/// How many aborts a request may fall behind: more than requests can be under way.
const ABORTS: usize = 1024;

/// A connection to NATS that reconnects by itself.
#[derive(Clone)]
pub struct Nats {
    session: watch::Receiver<Option<Arc<Session>>>,
    link: watch::Receiver<Link>,
    abort: broadcast::Sender<Abort>,
    notices: mpsc::Sender<Notice>,
    notice_counts: NoticeCounts,
    leaving: Leaving,
    writers: Writers,
    hints: Hints,
    known_labels: Arc<Mutex<KnownLabels>>,
    timeout: Duration,
}

/// One connection, from its connect to its loss.
struct Session {
    client: Client,
    /// The server's address.
    address: String,
    api: Api,
    inbox_prefix: String,
    /// The user as whom the server knows us, once it was asked.
    user: OnceCell<Option<String>>,
}

impl Session {
    fn begin(connected: Connected) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let session = Self {
            client: connected.client,
            address: connected.address,
            api: connected.connection.api,
            inbox_prefix: connected.connection.inbox_prefix,
            user: OnceCell::new(),
        };
        (session, connected.events)
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    fn hears_answers_on(&self, subject: &str) -> bool {
        let rest = subject.strip_prefix(&self.inbox_prefix);
        rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// Why a request may have no responder.
    fn silence(&self) -> String {
        match &self.api {
            Api::Default => "JetStream is not enabled for this account".to_owned(),
            Api::Domain(domain) => format!("JetStream domain {domain} is not reachable"),
            Api::Prefix(prefix) => format!("there is no JetStream API at the prefix {prefix}"),
        }
    }
}

impl Nats {
    /// Starts to connect, and keeps at it for as long as the runtime lives. Returns at once; the
    /// link shows how it goes.
    pub fn start(settings: &config::Nats, timeout: Duration) -> (Self, mpsc::Receiver<Advisory>) {
        let (link_sender, link) = watch::channel(Link::Down {
            reason: String::new(),
        });
        let (session_sender, session) = watch::channel(None);
        let (abort, _) = broadcast::channel(ABORTS);
        let (notices, queue) = mpsc::channel(publisher::BACKLOG);
        let (advisories, advisory_receiver) = mpsc::channel(ADVISORY_BACKLOG);
        let nats = Self {
            session,
            link,
            abort: abort.clone(),
            notices,
            notice_counts: NoticeCounts::default(),
            leaving: Leaving::new(),
            writers: Writers::new(),
            hints: Hints::new(),
            known_labels: Arc::default(),
            timeout,
        };
        tokio::spawn(nats.clone().carry(queue));
        let connection_task = ConnectionTask {
            nats: nats.clone(),
            settings: settings.clone(),
            link: link_sender,
            session: session_sender,
            abort,
            advisories,
        };
        tokio::spawn(connection_task.keep());
        (nats, advisory_receiver)
    }
}

impl JetStream for Nats {
    fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    async fn stream_names(&self) -> Result<Listing<String>, RequestError> {
        self.all_names().await
    }

    async fn list(
        &self,
        stream: &str,
        keys: &LabelKeys,
    ) -> Result<Option<Listing<Listed>>, RequestError> {
        self.all_of(stream, keys).await
    }

    async fn info(&self, id: &ConsumerId, keys: &LabelKeys) -> Result<Sample, RequestError> {
        let subject = format!("CONSUMER.INFO.{}.{}", id.stream(), id.consumer());
        let reply = self.request::<wire::Info>(&subject, Bytes::new()).await;
        match reply {
            Ok(info) => info.into_sample(&subject, keys),
            Err(RequestError::Refused { code, .. }) if wire::says_missing(code) => {
                Ok(Sample::MISSING)
            }
            Err(RequestError::Refused {
                code: wire::CONSUMER_OFFLINE,
                ..
            }) => Ok(Sample::UNKNOWN),
            Err(error) => Err(error),
        }
    }

    async fn stream(&self, name: &str) -> Result<Option<StreamDetails>, RequestError> {
        self.stream_details(name).await
    }

    async fn pause(&self, id: &ConsumerId, until: Timestamp) -> Result<(), RequestError> {
        // Exactly this form: anything that does not start with `{` is a successful resume (2.11.0
        // to 2.15.1), and on 2.11 so is an unknown field. jiff prints RFC 3339 with an upper-case T
        // and Z, nanoseconds included.
        let body = Bytes::from(format!(r#"{{"pause_until":"{until}"}}"#));
        self.write_pause(id, body).await
    }

    async fn clear(&self, id: &ConsumerId) -> Result<(), RequestError> {
        self.write_pause(id, Bytes::new()).await
    }

    async fn overrides(&self, bucket: &Bucket) -> Result<BucketRead, BucketError> {
        self.read_bucket(bucket).await
    }

    async fn bucket_end(&self, bucket: &Bucket) -> Result<BucketEnd, BucketError> {
        self.ask_bucket_end(bucket).await
    }

    fn watch_overrides(&self, bucket: Option<&Bucket>) {
        self.hints.watch(bucket);
    }

    fn override_hints(&self) -> watch::Receiver<u64> {
        self.hints.subscribe()
    }

    fn watch_writers(&self, watch: bool) {
        self.writers.watch(watch);
    }

    fn last_writer(&self, id: &ConsumerId) -> Option<Writer> {
        self.writers.last(id)
    }
}

impl Nats {
    /// Whether the account's permissions allow to pause a consumer, found out without touching it:
    /// the server refuses a text that is not JSON before it searches for the consumer (2.11.0 to
    /// 2.15.1; any other text would resume it).
    pub async fn may_pause(&self, id: &ConsumerId) -> Result<(), RequestError> {
        match self.write_pause(id, Bytes::from_static(b"{")).await {
            Err(RequestError::Refused {
                code: wire::INVALID_JSON,
                ..
            }) => Ok(()),
            answer => answer,
        }
    }

    async fn write_pause(&self, id: &ConsumerId, body: Bytes) -> Result<(), RequestError> {
        let subject = format!("CONSUMER.PAUSE.{}.{}", id.stream(), id.consumer());
        match self.request::<wire::Done>(&subject, body).await {
            Err(RequestError::Refused { code, description })
                if wire::says_gone(code, &description) =>
            {
                Err(RequestError::Missing)
            }
            answer => answer.map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests;
