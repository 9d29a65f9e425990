//! Reads of the overrides that hints ask for. They go on beside the loop's steps, as no change by
//! the calendar may wait for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::Driver;
use crate::jetstream::JetStream;
use crate::jetstream::bucket::BucketRead;
use crate::reconcile::override_book::BucketAnswer;
use crate::report::{BucketState, Report, Wake};

/// How soon the bucket is asked again when it was not read.
const FAILED: Duration = Duration::from_secs(5);

/// How soon after a read the next one begins: hints may come in hundreds a second.
const APART: Duration = Duration::from_millis(50);

/// The read under way, and when the next is due.
#[derive(Default)]
pub(super) struct OverrideReads {
    read: Option<Pin<Box<dyn Future<Output = BucketAnswer> + Send>>>,
    /// In uptime.
    due: Option<Duration>,
    /// When the newest one began, in uptime.
    began: Option<Duration>,
}

impl OverrideReads {
    /// The answer is no longer of interest.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// When the next one is to begin, in uptime.
    pub fn next(&self) -> Option<Duration> {
        self.due.filter(|_| self.read.is_none())
    }

    fn no_later_than(&mut self, at: Duration) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl<J: JetStream, P: FnMut(Report)> Driver<J, P> {
    /// Something was written to the bucket.
    pub fn read_overrides_soon(&mut self) {
        let now = self.reconciler.clock.now().uptime;
        let began = self.overrides.began;
        let at = began.map_or(now, |began| now.max(began + APART));
        self.overrides.no_later_than(at);
    }

    /// Resolves when the read under way was answered; never, where there is none.
    pub async fn overrides_read(&mut self) -> BucketAnswer {
        match &mut self.overrides.read {
            Some(read) => {
                let answer = read.await;
                self.overrides.read = None;
                answer
            }
            None => std::future::pending().await,
        }
    }

    /// Begins a read that is due, and takes in the answer to one that was answered meanwhile.
    pub fn take_overrides_read(&mut self) {
        self.follow_overrides();
        let now = self.reconciler.clock.now().uptime;
        if self.overrides.next().is_some_and(|due| due <= now) && self.is_up() {
            self.overrides.due = None;
            let read = self.reconciler.read_overrides();
            self.overrides.began = read.as_ref().map(|_| now);
            self.overrides.read = read.map(FutureExt::boxed);
        }
        if let Some(answer) = self.overrides_read().now_or_never() {
            self.take_overrides(answer);
        }
    }

    /// Takes in an answer.
    pub fn take_overrides(&mut self, answer: BucketAnswer) {
        let before = self.reconciler.overrides.shown();
        self.reconciler.take_overrides(answer);
        self.show_overrides(&before);
    }

    /// Reads the overrides before something rests on them, for no longer than `limit`.
    pub(super) async fn refresh_overrides(&mut self, limit: Duration) {
        let before = self.reconciler.overrides.shown();
        self.reconciler.refresh_overrides(limit).await;
        self.show_overrides(&before);
    }

    fn show_overrides(&mut self, before: &(BucketState, Arc<BucketRead>)) {
        self.follow_overrides();
        if self.reconciler.overrides.shown() != *before {
            self.publish(None);
        }
    }

    /// Goes by the overrides that were taken in since the last step: by the calendar as it is now,
    /// and whom they concern is observed at once.
    fn follow_overrides(&mut self) {
        self.follow_policy();
        let is_asked = self.overrides.due.is_some() || self.overrides.read.is_some();
        if self.reconciler.overrides.has_failed() && !is_asked {
            let now = self.reconciler.clock.now().uptime;
            self.overrides.no_later_than(now + FAILED);
        }
        let affected = std::mem::take(&mut self.reconciler.affected);
        let now = self.reconciler.clock.now();
        for id in &affected.consumers {
            self.ask(id, now);
        }
        if affected.and_others {
            self.full.now(Wake::Advisory);
        }
    }
}
