//! What a process of recess knows of one consumer, by what it was told and sent.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::told::{Advice, Sight, State, is_ours, is_release};

/// An answer that takes longer may not have been waited for.
pub const LATE: SignedDuration = SignedDuration::from_millis(250);

/// So many of one consumer are kept.
pub const MOST_SIGHTS: usize = 400;

/// A write, and what became of it.
pub struct Write {
    pub at: Timestamp,
    pub connection: usize,
    pub deadline: Option<Timestamp>,
    /// It was refused, so that what was known before is known still.
    pub refused: bool,
    /// It was seen, refused or contradicted: nothing waits for it any more.
    pub over: bool,
}

impl Write {
    pub fn is_contradicted_by(&self, advice: &Advice) -> bool {
        *advice != Advice::Deadline(self.deadline) && *advice != Advice::Created
    }
}

#[derive(Default)]
pub struct Known {
    pub sights: Vec<Sight>,
    pub write: Option<Write>,
    /// The newest advisories.
    pub advised: Vec<(Timestamp, Advice)>,
    /// Deadlines of others that it was shown.
    pub foreign: BTreeSet<Timestamp>,
    /// One that it has extended, and nothing has happened since that would make it forget that.
    pub extended: Option<Timestamp>,
    /// Until when a pause of its own may last.
    pub held: Option<Timestamp>,
}

impl Known {
    pub fn see(&mut self, sight: Sight) {
        let stored = sight.state.deadline();
        if let Some(write) = &mut self.write {
            write.over |= stored == write.deadline || sight.state == State::Missing;
        }
        let recreated = (self.sights.iter().rev())
            .find(|before| !before.created.is_empty())
            .is_some_and(|before| before.created != sight.created);
        if recreated || stored.is_none_or(|until| !is_ours(until) || is_release(until)) {
            self.extended = None;
        }
        if let State::Paused { until, .. } = sight.state {
            if is_ours(until) {
                self.held = self.held.max(Some(until));
            } else {
                self.foreign.insert(until);
            }
        }
        self.sights.push(sight);
        if self.sights.len() > MOST_SIGHTS {
            self.sights.drain(..MOST_SIGHTS / 2);
        }
    }

    /// What a write may rest on: what was asked for in its connection after the write before.
    pub fn rests_on(&self, connection: usize, recent: Timestamp) -> Vec<Sight> {
        let after = (self.write.as_ref())
            .filter(|write| !write.refused)
            .map(|write| write.at);
        let mut rested = Vec::new();
        for sight in self.sights.iter().rev() {
            if sight.connection != connection || after.is_some_and(|after| sight.asked < after) {
                continue;
            }
            rested.push(sight.clone());
            // It may have been passed over only where it came late, or right before an edge.
            let late = sight.told.duration_since(sight.asked) > LATE;
            if sight.told < recent && !late {
                break;
            }
        }
        rested
    }

    pub fn wrote(
        &mut self,
        deadline: Option<Timestamp>,
        connection: usize,
        at: Timestamp,
        rested: &[Sight],
    ) {
        if deadline.is_some_and(is_ours) {
            self.held = self.held.max(deadline);
        }
        let newest = rested.first().map(|sight| sight.state);
        self.extended = match newest {
            // Without doubt about what it rests on.
            Some(State::Paused { until, .. }) if !is_ours(until) && rested.len() == 1 => {
                deadline.filter(|ours| *ours > until).map(|_| until)
            }
            _ => self.extended.filter(|_| deadline.is_some_and(is_ours)),
        };
        self.write = Some(Write {
            at,
            connection,
            deadline,
            refused: false,
            over: false,
        });
    }
}
