//! A key-value bucket: read whole by one request, listened to for hints, written by one publish.
//!
//! No watcher and no consumer: those of async-nats' `kv` would be consumers like others, which a
//! glob could pause, and do not survive a server's restart.

use std::sync::Arc;

use async_nats::{HeaderMap, Message, StatusCode, header};
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::{Nats, Session, wire};
use crate::jetstream::RequestError;
use crate::jetstream::bucket::{BucketEnd, BucketError, BucketRead, MOST_ENTRIES};
use crate::overrides::Bucket;
use crate::overrides::entry::{self, Entry, Operation, Stored};
use crate::visible::sanitize;

mod hints;
mod make;
mod put;

pub(super) use hints::HintTask;
pub use hints::Hints;
pub use make::Made;
pub use put::Undid;

/// The header that says what was done to a key.
const OPERATION: &str = "KV-Operation";

/// Up to which sequence an answer is complete; it stands at its end.
const UP_TO: &str = "Nats-UpTo-Sequence";

/// How many entries an answer leaves out; it stands at its end.
const PENDING: &str = "Nats-Num-Pending";

/// An answer with more bytes is none of nats-server's, which ends a batch at 16 MiB.
const LONGEST: usize = 32 << 20;

impl Nats {
    /// Every override of an instance, as one of the servers that have the bucket knows them.
    pub async fn read_bucket(&self, bucket: &Bucket) -> Result<BucketRead, BucketError> {
        let session = self.up().map_err(BucketError::Request)?;
        let verb = format!("DIRECT.GET.{}", bucket.stream());
        let subject = format!("{}.{verb}", session.api.prefix());
        let body = json!({ "multi_last": [bucket.subjects()] }).to_string();
        let mut collected = Collected::default();
        let read = self.read_answers(&session, &subject, body.into(), bucket, &mut collected);
        match timeout(self.timeout, self.undisturbed(&subject, read)).await {
            Ok(Ok(Ok(Answer::Whole(read)))) => Ok(read),
            Ok(Ok(Ok(Answer::Nothing))) => Ok(BucketRead::default()),
            Ok(Ok(Ok(Answer::Nobody))) => Err(self.why_nobody(bucket).await),
            Ok(Ok(Err(error)) | Err(error)) => Err(self.explain(error, bucket).await),
            Err(_) if collected.count > 0 => Err(BucketError::Incomplete {
                subject,
                count: collected.count,
            }),
            Err(_) => Err(BucketError::Request(RequestError::TimedOut {
                subject,
                milliseconds: self.timeout.as_millis(),
            })),
        }
    }

    /// The answers to one request, up to the one that ends them.
    async fn read_answers(
        &self,
        session: &Session,
        subject: &str,
        body: Bytes,
        bucket: &Bucket,
        collected: &mut Collected,
    ) -> Result<Answer, RequestError> {
        let inbox = session.client.new_inbox();
        // Both fail only where the connection is gone already.
        let subscribed = session.client.subscribe(inbox.clone()).await;
        let mut answers = subscribed.map_err(|_| RequestError::Cut)?;
        let asked = session
            .client
            .publish_with_reply(subject.to_owned(), inbox, body);
        asked.await.map_err(|_| RequestError::Cut)?;
        while let Some(message) = answers.next().await {
            if let Some(answer) = collected.take(&message, subject, bucket)? {
                return Ok(answer);
            }
        }
        Err(RequestError::Cut)
    }

    /// How far a bucket has come, by the leader of its stream.
    pub(super) async fn ask_bucket_end(&self, bucket: &Bucket) -> Result<BucketEnd, BucketError> {
        let body = json!({ "subjects_filter": bucket.subjects() }).to_string();
        match self.stream_of(bucket, body.into()).await {
            Ok(info) => Ok(BucketEnd {
                last: info.state.last_seq,
                is_empty: info.state.subjects.is_none(),
            }),
            Err(error) => Err(self.explain(error, bucket).await),
        }
    }

    /// Why a read has no reply: the stream's leader knows.
    async fn why_nobody(&self, bucket: &Bucket) -> BucketError {
        let name = bucket.name().to_owned();
        match self.stream_of(bucket, Bytes::new()).await {
            Ok(info) if !info.config.allow_direct => BucketError::NoDirectGet { bucket: name },
            Ok(_) | Err(RequestError::TimedOut { .. }) => BucketError::Unavailable { bucket: name },
            Err(RequestError::Refused {
                code: wire::STREAM_NOT_FOUND,
                ..
            }) => BucketError::Missing { bucket: name },
            Err(error @ (RequestError::NotConnected | RequestError::Cut)) => {
                BucketError::Request(error)
            }
            Err(_) => BucketError::Silent { bucket: name },
        }
    }

    async fn stream_of(&self, bucket: &Bucket, body: Bytes) -> Result<StreamInfo, RequestError> {
        let verb = format!("STREAM.INFO.{}", bucket.stream());
        self.request(&verb, body).await
    }
}

/// What the bucket answers.
enum Answer {
    Whole(BucketRead),
    /// The bucket has nothing of the instance.
    Nothing,
    /// No bucket, no direct get, or no server.
    Nobody,
}

/// The answers so far.
#[derive(Default)]
struct Collected {
    read: BucketRead,
    count: usize,
    bytes: usize,
}

impl Collected {
    /// Takes one message; the answer, where it was the last.
    fn take(
        &mut self,
        message: &Message,
        subject: &str,
        bucket: &Bucket,
    ) -> Result<Option<Answer>, RequestError> {
        let no_headers = HeaderMap::new();
        let headers = message.headers.as_ref().unwrap_or(&no_headers);
        let refused = |status: StatusCode| RequestError::Refused {
            code: u64::from(status.as_u16()),
            description: sanitize(message.description.as_deref().unwrap_or_default()),
        };
        match message.status.map(|status| (status, status.as_u16())) {
            None => {}
            Some((_, 204)) => return self.end(headers, subject).map(Some),
            Some((_, 404)) => return Ok(Some(Answer::Nothing)),
            Some((_, 413)) => return Err(RequestError::TooLong { most: MOST_ENTRIES }),
            Some((_, 503)) => return Ok(Some(Answer::Nobody)),
            Some((status, _)) => return Err(refused(status)),
        }
        self.count += 1;
        self.bytes += message.length;
        if self.count > MOST_ENTRIES || self.bytes > LONGEST {
            return Err(RequestError::TooLong { most: MOST_ENTRIES });
        }
        let stored = stored(headers, &message.payload)
            .ok_or_else(|| unreadable(subject, "an entry has no subject, sequence or time"))?;
        match entry::read(&stored, bucket) {
            Entry::Live(one) => self.read.live.push(Arc::new(one)),
            Entry::Undone(one) => self.read.undone.push(one),
            Entry::Unreadable(one) => self.read.unreadable.push(one),
            Entry::Expired => {}
        }
        Ok(None)
    }

    fn end(&mut self, headers: &HeaderMap, subject: &str) -> Result<Answer, RequestError> {
        if number(headers, PENDING).is_some_and(|pending| pending > 0) {
            return Err(RequestError::TooLong { most: self.count });
        }
        let Some(up_to) = number(headers, UP_TO) else {
            return Err(unreadable(
                subject,
                "its end does not say up to which sequence it is",
            ));
        };
        let mut read = std::mem::take(&mut self.read);
        read.live.sort_by_key(|one| one.sequence);
        read.up_to = Some(up_to);
        Ok(Answer::Whole(read))
    }
}

fn unreadable(subject: &str, reason: &str) -> RequestError {
    RequestError::Unreadable {
        subject: subject.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A message of the bucket, as its headers tell of it.
fn stored<'m>(headers: &'m HeaderMap, value: &'m [u8]) -> Option<Stored<'m>> {
    let text = |name: &'static str| headers.get(name).map(|value| value.as_str());
    let operation = text(OPERATION);
    let marker = headers.get(header::NATS_MARKER_REASON);
    Some(Stored {
        subject: headers.get(header::NATS_SUBJECT)?.as_str(),
        sequence: number(headers, "Nats-Sequence")?,
        at: headers
            .get(header::NATS_TIME_STAMP)?
            .as_str()
            .parse::<Timestamp>()
            .ok()?,
        operation: Operation::of_headers(operation, marker.map(|reason| reason.as_str())),
        value,
    })
}

fn number(headers: &HeaderMap, name: &'static str) -> Option<u64> {
    headers.get(name)?.as_str().parse().ok()
}

/// `$JS.API.STREAM.INFO`, as far as a bucket's reader wants to know.
#[derive(Deserialize)]
struct StreamInfo {
    config: StreamConfig,
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamConfig {
    #[serde(default)]
    allow_direct: bool,
}

#[derive(Deserialize)]
struct StreamState {
    #[serde(default)]
    last_seq: u64,
    /// The subjects that were asked for and are there.
    subjects: Option<serde::de::IgnoredAny>,
}
