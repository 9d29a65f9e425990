//! News on its way from the loop to the views that may be slower than it.
//!
//! Invariant: to put some in never waits, and so many may wait. Beyond that news is merged with the
//! news before it: the newer state counts, and what happened is kept of both. Its size grows with
//! what happens, not with time: a pass that finds nothing new adds nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::changes::Change;
use crate::report::Report;

/// How much news may wait: more than the busiest second makes.
pub(super) const LIMIT: usize = 64;

/// A report, and what happened since the one before.
pub(super) struct News {
    pub report: Arc<Report>,
    pub changes: Vec<Change>,
}

impl News {
    /// Both as one, for views that did not get the news before.
    fn after(self, mut before: Self) -> Self {
        before.changes.extend(self.changes);
        Self {
            report: self.report,
            changes: before.changes,
        }
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<News>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end into which news is put.
pub(super) struct Outbox(Arc<Shared>);

/// The end from which it is taken.
pub(super) struct Mailbox(Arc<Shared>);

/// Both ends of an empty one.
pub(super) fn mailbox() -> (Outbox, Mailbox) {
    let shared = Arc::<Shared>::default();
    (Outbox(shared.clone()), Mailbox(shared))
}

impl Outbox {
    /// Puts news in. True if it had to be merged with the news before.
    pub fn put(&self, news: News) -> bool {
        let mut queue = self.0.lock();
        let full = queue.waiting.len() >= LIMIT;
        let before = if full { queue.waiting.pop_back() } else { None };
        let merged = before.is_some();
        queue.waiting.push_back(match before {
            Some(before) => news.after(before),
            None => news,
        });
        self.0.arrived.notify_one();
        merged
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.arrived.notify_one();
    }
}

impl Mailbox {
    /// Waits for the next news. `None` after the last, when the other end is gone.
    pub fn take(&self) -> Option<News> {
        let mut queue = self.0.lock();
        loop {
            if let Some(news) = queue.waiting.pop_front() {
                return Some(news);
            }
            if queue.closed {
                return None;
            }
            queue = (self.0.arrived.wait(queue)).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests;
