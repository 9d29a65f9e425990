//! Reports on their way from the loop to those who may be slower than it.
//!
//! Invariant: to put one in never waits, and what waits has a bound. Where the bound is reached, a report is merged with the
//! one before: the newer state counts, and what has happened is kept of both.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::report::Report;

/// How many reports may wait: more than the busiest second makes.
pub(super) const LIMIT: usize = 64;

#[derive(Default)]
struct Shared {
    reports: Mutex<Reports>,
    news: Condvar,
}

#[derive(Default)]
struct Reports {
    waiting: VecDeque<Arc<Report>>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end into which reports are put.
pub(super) struct Outbox(Arc<Shared>);

/// The end from which they are taken.
pub(super) struct Mailbox(Arc<Shared>);

/// Both ends of an empty one.
pub(super) fn mailbox() -> (Outbox, Mailbox) {
    let shared = Arc::<Shared>::default();
    (Outbox(shared.clone()), Mailbox(shared))
}

impl Outbox {
    /// Puts a report in. True where it had to be merged with the one before.
    pub fn put(&self, report: Arc<Report>) -> bool {
        let mut reports = self.0.lock();
        let full = reports.waiting.len() >= LIMIT;
        let before = if full {
            reports.waiting.pop_back()
        } else {
            None
        };
        let merged = before.is_some();
        reports.waiting.push_back(match before {
            Some(before) => Arc::new(Report::clone(&report).after(&before)),
            None => report,
        });
        self.0.news.notify_one();
        merged
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.news.notify_one();
    }
}

impl Mailbox {
    /// Waits for the next report. `None` after the last, when the other end is gone.
    pub fn take(&self) -> Option<Arc<Report>> {
        let mut reports = self.0.lock();
        loop {
            if let Some(report) = reports.waiting.pop_front() {
                return Some(report);
            }
            if reports.closed {
                return None;
            }
            reports = (self.0.news.wait(reports)).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests;
