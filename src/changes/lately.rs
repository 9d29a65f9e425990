//! What went wrong lately and a report alone does not show: it has only what its own pass met.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Change;
use crate::calendar::Occurrence;
use crate::report::{Blank, Failure, Report};

/// So long is an occurrence remembered in which nothing was seen paused.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// So many are remembered, the newest.
const MOST: usize = 20;

/// An occurrence that closed, and no consumer was seen paused in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// The window's name.
    pub window: Arc<str>,
    /// Which occurrence, if a report before its close showed it.
    pub occurrence: Option<Occurrence>,
    /// Whether it was observed.
    pub blank: Blank,
    /// When that was reported.
    pub at: Timestamp,
}

/// The memory of that. It follows the reports and their changes as a view does.
#[derive(Clone, Debug, Default)]
pub struct Lately {
    lapses: Vec<Lapse>,
    unanswered: Vec<Failure>,
}

impl Lately {
    /// Takes in a report. Every report is to be passed in, once, in the order in which they were
    /// made.
    pub fn follow(&mut self, report: &Report, changes: &[Change]) {
        for change in changes {
            if let Change::Blank {
                window,
                occurrence,
                blank,
            } = change
            {
                self.lapses.push(Lapse {
                    window: window.clone(),
                    occurrence: *occurrence,
                    blank: *blank,
                    at: report.at,
                });
            } else if let Change::Removed { window, .. } = change {
                self.lapses.retain(|lapse| lapse.window != *window);
            } else if let Change::Closed {
                window, occurrence, ..
            } = change
            {
                // A later occurrence went well: the lapse is history. The one that lapsed is
                // reported as closed too.
                let is_it = |lapse: &Lapse| match lapse.occurrence {
                    Some(one) => one.opens == occurrence.opens,
                    None => lapse.at == report.at,
                };
                (self.lapses).retain(|lapse| lapse.window != *window || is_it(lapse));
            }
        }
        (self.lapses).retain(|lapse| report.at.duration_since(lapse.at) < REMEMBERED);
        let too_many = self.lapses.len().saturating_sub(MOST);
        self.lapses.drain(..too_many);
        if let Some(pass) = report.pass.as_ref().filter(|pass| pass.full) {
            self.unanswered.clone_from(&pass.failures);
        }
    }

    /// The occurrences of the last day in which nothing was seen paused, the newest last; of each
    /// window since the last one that went well.
    pub fn lapses(&self) -> &[Lapse] {
        &self.lapses
    }

    /// What the newest pass that observed everything could not observe.
    pub fn unanswered(&self) -> &[Failure] {
        &self.unanswered
    }
}
