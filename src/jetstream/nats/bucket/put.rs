//! Writing to a bucket: a new key, or a purge that says why. And who it is that writes.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use async_nats::{HeaderMap, Request, header};
use bytes::Bytes;
use serde::Deserialize;

use super::OPERATION;
use crate::config::Api;
use crate::jetstream::RequestError;
use crate::jetstream::bucket::BucketError;
use crate::jetstream::nats::{Nats, Session, wire};
use crate::overrides::entry::{LONGEST_VALUE, Undoing, encode};
use crate::overrides::{Bucket, draw};
use crate::policy::{Override, OverrideId, Terms};

/// What the bucket keeps of an override that was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undid {
    /// What it was, and who undid it and why.
    WithWords,
    /// Its id: the bucket is full.
    WithoutWords,
}

/// So many ids are tried: with five letters each, the second is hardly ever needed.
const DRAWS: u32 = 5;

/// nats-server's `err_code` for a key that exists already.
const KEY_EXISTS: u64 = 10071;

/// A new entry leaves room for the words with which it is undone.
const LONGEST_NEW: usize = LONGEST_VALUE - 1024;

/// The shortest time to live that nats-server takes.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// Who one is, is answered by the server of the connection.
const WHO_TIMEOUT: Duration = Duration::from_secs(1);

/// The subject of that question.
const USER_INFO: &str = "$SYS.REQ.USER.INFO";

impl Nats {
    /// Stores a new override under an author's name, for at least that long. Returns its id, and
    /// its sequence in the bucket. After a timeout it may be stored all the same.
    pub async fn create_override(
        &self,
        bucket: &Bucket,
        author: &str,
        terms: &Terms,
        keep: Duration,
    ) -> Result<(OverrideId, u64), BucketError> {
        let value = fitting(encode(terms, None, bucket), LONGEST_NEW, bucket)?;
        for _ in 0..DRAWS {
            let id = draw(author, random());
            let mut headers = time_to_live(keep);
            headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
            match self.put(bucket, &id, headers, value.clone()).await {
                Err(BucketError::Request(RequestError::Refused {
                    code: KEY_EXISTS, ..
                })) => {}
                stored => return stored.map(|sequence| (id, sequence)),
            }
        }
        Err(BucketError::Taken {
            bucket: bucket.name().to_owned(),
            draws: DRAWS,
        })
    }

    /// Purges an override's key, with what it was and why it was undone, which is kept for that
    /// long. A full bucket takes no value that is longer than the one before, so there the key is
    /// purged without words: that an override ends is worth more than why.
    pub async fn undo_override(
        &self,
        bucket: &Bucket,
        one: &Override,
        undoing: &Undoing,
        keep: Duration,
    ) -> Result<Undid, BucketError> {
        let value = encode(&one.terms, Some(undoing), bucket);
        let value = fitting(value, LONGEST_VALUE, bucket)?;
        let mut headers = time_to_live(keep);
        headers.insert(OPERATION, "PURGE");
        headers.insert(header::NATS_ROLLUP, "sub");
        let purge = |value| self.put(bucket, &one.id, headers.clone(), value);
        match purge(value).await {
            Err(BucketError::Full { .. }) => purge(Bytes::new()).await.map(|_| Undid::WithoutWords),
            purged => purged.map(|_| Undid::WithWords),
        }
    }

    /// The NATS user of this connection; `None` if the server does not report it.
    pub async fn user(&self) -> Option<String> {
        let session = self.up().ok()?;
        let user = session.user.get_or_init(|| self.ask_user(&session)).await;
        user.clone()
    }

    /// What a failed request means for a bucket.
    pub(super) async fn explain(&self, error: RequestError, bucket: &Bucket) -> BucketError {
        // Any other error needs no question.
        let user = match matches!(error, RequestError::Denied { .. }) {
            true => self.user().await,
            false => None,
        };
        BucketError::of(error, bucket, user)
    }

    async fn ask_user(&self, session: &Session) -> Option<String> {
        let question = Request::new();
        let asked = self.answer(session, USER_INFO, question, WHO_TIMEOUT);
        let answer = asked.await.ok()?;
        let info: UserInfo = wire::read(&answer.payload, USER_INFO).ok()?;
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        some(info.data.user_name).or(some(info.data.user))
    }

    /// One publish to a key that is stored and acknowledged by the bucket's stream.
    async fn put(
        &self,
        bucket: &Bucket,
        id: &OverrideId,
        headers: HeaderMap,
        value: Bytes,
    ) -> Result<u64, BucketError> {
        let session = self.up().map_err(BucketError::Request)?;
        let subject = match &session.api {
            Api::Default => bucket.subject(id),
            Api::Domain(_) | Api::Prefix(_) => {
                format!("{}.{}", session.api.prefix(), bucket.subject(id))
            }
        };
        let request = Request::new().headers(headers).payload(value);
        let answer = self.answer(&session, &subject, request, self.timeout).await;
        let ack = answer.and_then(|answer| wire::read::<Ack>(&answer.payload, &subject));
        match ack {
            Ok(ack) => ack.of(bucket, &session.api),
            Err(RequestError::NoResponders { .. }) => Err(self.why_nobody(bucket).await),
            Err(error) => Err(self.explain(error, bucket).await),
        }
    }
}

/// A value, unless no bucket takes it.
fn fitting(value: Vec<u8>, longest: usize, bucket: &Bucket) -> Result<Bytes, BucketError> {
    if value.len() > longest {
        return Err(BucketError::TooLong {
            bucket: bucket.name().to_owned(),
        });
    }
    Ok(value.into())
}

fn time_to_live(keep: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let seconds = keep.max(SHORTEST_TTL).as_secs();
    headers.insert(header::NATS_MESSAGE_TTL, format!("{seconds}s"));
    headers
}

/// 64 bits that differ with each call and in each process. They need not be a secret, and the
/// server refuses a key that exists.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// That a message is stored.
#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    seq: u64,
}

impl Ack {
    /// The sequence, if it was the bucket that stored it. A leaf node's bucket of the same name
    /// does so with a good answer.
    fn of(self, bucket: &Bucket, api: &Api) -> Result<u64, BucketError> {
        let wanted = match api {
            Api::Domain(domain) => Some(domain.clone()),
            Api::Default | Api::Prefix(_) => None,
        };
        let elsewhere = wanted.as_ref().is_some_and(|domain| *domain != self.domain);
        if self.stream == bucket.stream() && !elsewhere {
            return Ok(self.seq);
        }
        Err(BucketError::Elsewhere {
            bucket: bucket.name().to_owned(),
            stream: self.stream,
            domain: self.domain,
            wanted,
        })
    }
}

/// `$SYS.REQ.USER.INFO`.
#[derive(Deserialize)]
struct UserInfo {
    data: UserData,
}

#[derive(Deserialize)]
struct UserData {
    /// The public key, where it is known by a key.
    user: Option<String>,
    /// The name that the key's JWT gives.
    user_name: Option<String>,
}
