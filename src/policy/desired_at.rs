//! What windows make of consumers at one instant.
//!
//! Thousands of consumers follow the same windows, in other combinations: each window is asked
//! once.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;

use super::coverage::covered_until;
use super::{Desired, Policy, Returning, Window, WindowSet};
use crate::consumer::ConsumerId;

#[cfg(test)]
mod tests;

/// So many answers of windows are kept: enough for any pass, and an end where windows take turns
/// every second.
const MOST_KEPT: usize = 200_000;

/// An instant, and what was found out about it so far.
#[derive(Debug)]
pub struct DesiredAt<'p> {
    at: Timestamp,
    /// The furthest deadline that may be written at that instant.
    furthest: Timestamp,
    /// Until when a window is open from an instant on.
    covered: HashMap<(*const Window, Timestamp), Timestamp>,
    /// How consumers come back from a window at an instant.
    returning: HashMap<(*const Window, Timestamp), Option<Returning>>,
    sets: HashMap<WindowSet, Together>,
    /// Windows are known here by where they are, so the policy must not go away meanwhile.
    policy: PhantomData<&'p Policy>,
}

/// What several windows make of those who follow all of them.
#[derive(Clone, Debug)]
struct Together {
    /// The first instant that no window covers; the moment itself where none is open.
    covered: Timestamp,
    returning: Vec<Returning>,
}

impl Policy {
    /// An instant, to ask many questions about.
    pub fn desired_at(&self, at: Timestamp) -> DesiredAt<'_> {
        DesiredAt {
            at,
            furthest: self.furthest_deadline(at),
            covered: HashMap::new(),
            returning: HashMap::new(),
            sets: HashMap::new(),
            policy: PhantomData,
        }
    }
}

impl DesiredAt<'_> {
    /// What a consumer that follows `windows` should be doing.
    ///
    /// It is paused while one of them is open, or an override that names it has the last word and
    /// pauses, so overlapping and touching windows make one pause, until the first instant that
    /// none of them covers; or until its own moment of return, where a window spreads those.
    /// Between the two it is in the tail. A deadline is never more than `max_pause` ahead: beyond
    /// that it moves in steps of half of `max_pause`, counted since the epoch, so that every copy
    /// of recess names the same instant.
    pub fn desired(&mut self, id: &ConsumerId, windows: &WindowSet) -> Desired {
        if let Some(together) = self.sets.get(windows) {
            return self.of(id, together);
        }
        let together = self.together(windows);
        let desired = self.of(id, &together);
        self.sets.insert(windows.clone(), together);
        desired
    }

    /// The same, where nobody else will ask about such a set.
    pub(super) fn desired_once(mut self, id: &ConsumerId, windows: &WindowSet) -> Desired {
        let together = self.together(windows);
        self.of(id, &together)
    }

    fn of(&self, id: &ConsumerId, together: &Together) -> Desired {
        let returns = together.returning.iter().map(|returning| returning.of(id));
        let until = returns
            .fold(together.covered, Timestamp::max)
            .min(self.furthest);
        if together.covered > self.at {
            Desired::Paused(until)
        } else if until > self.at {
            Desired::Tail(until)
        } else {
            Desired::Running
        }
    }

    fn together(&mut self, set: &WindowSet) -> Together {
        let (at, furthest) = (self.at, self.furthest);
        let covered = covered_until(set, at, furthest, |window, from| {
            self.covered_until(window, from)
        });
        Together {
            covered,
            returning: (set.iter())
                .filter_map(|window| self.returning(window, covered))
                .filter_map(|returning| set.left_of(returning, covered))
                .collect(),
        }
    }

    fn covered_until(&mut self, window: &Arc<Window>, from: Timestamp) -> Timestamp {
        let furthest = self.furthest;
        known(&mut self.covered, (Arc::as_ptr(window), from), || {
            window.covered_until(from, furthest)
        })
    }

    fn returning(&mut self, window: &Arc<Window>, at: Timestamp) -> Option<Returning> {
        if window.resume_spread.is_zero() {
            return None;
        }
        known(&mut self.returning, (Arc::as_ptr(window), at), || {
            window.returning(at)
        })
    }
}

fn known<K: Eq + Hash, V: Copy>(
    answers: &mut HashMap<K, V>,
    asked: K,
    find: impl FnOnce() -> V,
) -> V {
    if answers.len() >= MOST_KEPT {
        answers.clear();
    }
    *answers.entry(asked).or_insert_with(find)
}
