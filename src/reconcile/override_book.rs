//! What is known of the overrides in the bucket, and how fresh that is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::jetstream::JetStream;
use crate::jetstream::bucket::{self, BucketError, BucketRead, LastRead};
use crate::now::Now;
use crate::overrides::Bucket;
use crate::plan::OverridesKnown;
use crate::policy::{Override, OverrideId, Policy};
use crate::report::{BucketState, OverridesReport};

/// How long nothing is begun or ended while the bucket was never read: a person may have decided
/// otherwise than the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was read so long ago is read again before a pause is ended.
const FRESH: Duration = Duration::from_secs(1);

/// What came of a read of the bucket.
pub(super) struct BucketAnswer {
    /// `None`: a replica that lags answered.
    read: Result<Option<BucketRead>, BucketError>,
    /// How far the reads before it had come when it began, and when it ended.
    last: (LastRead, LastRead),
}

/// The bucket of the config, and what was read of it.
#[derive(Debug, Default)]
pub(super) struct OverrideBook {
    bucket: Option<Bucket>,
    last: LastRead,
    state: BucketState,
    read: Arc<BucketRead>,
    /// What counted once, was taken back before its end, and may have paused consumers.
    withdrawn: Vec<Arc<Override>>,
    /// When the newest read that counts was made.
    read_at: Option<Now>,
    /// When the bucket was first asked, in uptime.
    asked_at: Option<Duration>,
    /// When an override ends that consumers are kept in sight for.
    outlived_at: Option<Timestamp>,
}

impl OverrideBook {
    /// One that has read nothing yet. From now on the connection listens for hints.
    pub fn of(bucket: Option<Bucket>, jetstream: &impl JetStream) -> Self {
        jetstream.watch_overrides(bucket.as_ref());
        Self {
            bucket,
            ..Self::default()
        }
    }

    /// Follows the bucket of another config. What was read of the same one still counts.
    pub fn follow(&mut self, bucket: Option<Bucket>, jetstream: &impl JetStream) {
        if self.bucket != bucket {
            *self = Self::of(bucket, jetstream);
        }
    }

    /// Where overrides are.
    pub fn bucket(&self) -> Option<&Bucket> {
        self.bucket.as_ref()
    }

    /// Asks the bucket, where there is one.
    pub fn ask<J: JetStream>(
        &mut self,
        jetstream: J,
        now: Now,
    ) -> Option<impl Future<Output = BucketAnswer> + Send + use<J>> {
        let bucket = self.bucket.clone()?;
        self.asked_at.get_or_insert(now.uptime);
        let began = self.last;
        Some(async move {
            let mut last = began;
            let read = bucket::read(&jetstream, &bucket, &mut last).await;
            let last = (began, last);
            BucketAnswer { read, last }
        })
    }

    /// Takes in what was read elsewhere.
    pub fn know(&mut self, read: BucketRead, now: Now) {
        self.last.accepts(&read);
        self.state = BucketState::Read;
        self.read_at = Some(now);
        self.put_in_place(read, now);
    }

    /// Takes in an answer. Returns whether other overrides count than before.
    pub fn take(&mut self, answer: BucketAnswer, now: Now) -> bool {
        let (began, ended) = answer.last;
        let is_alone = began == self.last;
        if is_alone {
            self.last = ended;
        }
        let read = match answer.read {
            // Another read was answered meanwhile, perhaps a later one.
            Ok(Some(read)) if !is_alone && !self.last.accepts(&read) => return false,
            Ok(Some(read)) => read,
            // A hint asks again.
            Ok(None) => return false,
            Err(error) => {
                if !error.is_missing() {
                    self.state = BucketState::Failed(error);
                    return false;
                }
                self.state = BucketState::Missing;
                self.read_at = Some(now);
                return self.put_in_place(BucketRead::default(), now);
            }
        };
        self.state = BucketState::Read;
        self.read_at = Some(now);
        self.put_in_place(read, now)
    }

    fn put_in_place(&mut self, mut read: BucketRead, now: Now) -> bool {
        // One that stays is the very same: what rests on it need not be worked out again.
        let known: HashMap<&OverrideId, &Arc<Override>> =
            (self.read.live.iter()).map(|one| (&one.id, one)).collect();
        for one in &mut read.live {
            if let Some(known) = known.get(&one.id).filter(|known| **known == one) {
                *one = (*known).clone();
            }
        }
        let ids: BTreeSet<&OverrideId> = read.live.iter().map(|one| &one.id).collect();
        let vanished = (self.read.live.iter()).filter(|one| !ids.contains(&one.id));
        let mut withdrawn: Vec<_> = std::mem::take(&mut self.withdrawn);
        withdrawn.extend(vanished.cloned().chain(read.withdrawn()));
        withdrawn.retain(|one| now.wall < one.terms.until);
        withdrawn.sort_by(|one, other| one.id.cmp(&other.id));
        withdrawn.dedup_by(|one, other| one.id == other.id);
        self.withdrawn = withdrawn;
        let differs = self.read.live != read.live;
        self.read = Arc::new(read);
        differs
    }

    /// The policy of the file with what counts.
    pub fn applied(&mut self, policy: &Arc<Policy>, now: Now) -> Arc<Policy> {
        let ends = (self.read.live.iter().chain(&self.withdrawn)).map(|one| one.terms.until);
        self.outlived_at = ends.filter(|end| now.wall < *end).min();
        if self.bucket.is_none() {
            return policy.clone();
        }
        let overridden = policy.with_overrides(&self.read.live, now.wall);
        Arc::new(overridden.after_withdrawing(&self.withdrawn, now.wall))
    }

    /// Whether an override has ended for whose sake consumers are kept in sight.
    pub fn is_outlived(&self, now: Now) -> bool {
        self.outlived_at.is_some_and(|end| end <= now.wall)
    }

    /// Whether what is known is new enough to end a pause by it.
    pub fn is_fresh(&self, now: Now) -> bool {
        let read_at = self.read_at.map(|read_at| read_at.uptime);
        self.bucket.is_none() || read_at.is_some_and(|at| now.uptime.saturating_sub(at) <= FRESH)
    }

    /// Whether it is to be asked for again soon. A bucket that does not exist is made by a person,
    /// which is heard.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, BucketState::Failed(_))
    }

    /// Whether the bucket answered when it was asked last.
    pub fn is_readable(&self) -> bool {
        self.state == BucketState::Read
    }

    /// What decisions may rest on.
    pub fn known(&self, now: Now) -> OverridesKnown {
        match (&self.bucket, self.read_at) {
            (None, _) => OverridesKnown::NoBucket,
            (Some(_), Some(_)) if self.state == BucketState::Missing => OverridesKnown::NoBucket,
            (Some(_), Some(_)) => OverridesKnown::Read,
            (Some(_), None) if self.may_wait(now) => OverridesKnown::Awaited,
            (Some(_), None) => OverridesKnown::Unread,
        }
    }

    /// When waiting for the first read ends, in uptime.
    pub fn waits_until(&self) -> Option<Duration> {
        let is_unread = self.bucket.is_some() && self.read_at.is_none();
        is_unread.then_some(self.asked_at? + PATIENCE)
    }

    fn may_wait(&self, now: Now) -> bool {
        self.asked_at.is_none_or(|at| now.uptime < at + PATIENCE)
    }

    /// What of it the views show, to see whether it is news.
    pub fn shown(&self) -> (BucketState, Arc<BucketRead>) {
        (self.state.clone(), self.read.clone())
    }

    /// For the views.
    pub fn report(&self) -> Option<OverridesReport> {
        let bucket = self.bucket.as_ref()?;
        Some(OverridesReport {
            bucket: bucket.name().into(),
            state: self.state.clone(),
            read: self.read.clone(),
            read_at: self.read_at.map(|read_at| read_at.wall),
        })
    }
}
