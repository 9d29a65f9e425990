//! Writing an override into the bucket.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::NoteArgs;
use super::store::{self, Store};
use crate::cli::{Exit, complain, host_name};
use crate::config::Config;
use crate::jetstream::RequestError;
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::jetstream::nats::Nats;
use crate::overrides::Bucket;
use crate::policy::{Override, OverrideId, Policy, Terms};

/// The bucket as a command found it, and what is written down with a new override.
pub struct Recorder {
    store: Store,
    read: BucketRead,
    author: String,
    reason: Option<Arc<str>>,
}

impl Recorder {
    /// Reads the bucket, and who it is that writes.
    pub async fn open(
        store: Store,
        note: &NoteArgs,
        reason: Option<Arc<str>>,
        nats: &Nats,
    ) -> Result<Self, Exit> {
        let read = store.read(nats).await?;
        let author = store::author(note.author.as_deref(), nats).await?;
        Ok(Self {
            store,
            read,
            author,
            reason,
        })
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.store.bucket
    }

    /// What the bucket had before.
    pub fn read(&self) -> &BucketRead {
        &self.read
    }

    /// The author under whose name it writes.
    pub fn author(&self) -> &str {
        &self.author
    }

    /// Why it writes.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The policy before.
    pub fn before(&self, config: &Config, now: Timestamp) -> Policy {
        store::overridden(&config.policy, &self.read, now)
    }

    /// What it has with one more.
    pub fn with(&self, one: &Arc<Override>) -> BucketRead {
        let mut read = self.read.clone();
        read.live.push(one.clone());
        read.up_to = read.up_to.max(Some(one.sequence));
        read
    }

    /// The override as it would be.
    pub fn draft(&self, terms: Terms, now: Timestamp) -> Arc<Override> {
        let last = self.read.live.iter().map(|one| one.sequence).max();
        Arc::new(Override {
            id: OverrideId::new(self.author.as_str(), ""),
            sequence: last.unwrap_or_default().saturating_add(1),
            made: now,
            terms: self.noted(terms),
        })
    }

    /// Writes it.
    pub async fn write(
        &self,
        nats: &Nats,
        terms: Terms,
        now: Timestamp,
    ) -> Result<Arc<Override>, Exit> {
        let terms = self.noted(terms);
        let keep = self.kept(terms.until, now);
        let written = nats
            .create_override(&self.store.bucket, &self.author, &terms, keep)
            .await;
        let (id, sequence) = written.map_err(|error| {
            let is_unknown = matches!(
                error,
                BucketError::Request(RequestError::TimedOut { .. } | RequestError::Cut)
            );
            let exit = store::failed(error);
            if is_unknown {
                complain("it may be written nevertheless: `recess overrides` lists it then");
            }
            exit
        })?;
        Ok(Arc::new(Override {
            id,
            sequence,
            made: now,
            terms,
        }))
    }

    /// How long a key is kept from now on that ends at `until`.
    pub fn kept(&self, until: Timestamp, now: Timestamp) -> Duration {
        let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        left.saturating_add(self.store.keep)
    }

    fn noted(&self, terms: Terms) -> Terms {
        Terms {
            reason: self.reason.clone(),
            host: host_name().map(Into::into),
            ..terms
        }
    }
}
