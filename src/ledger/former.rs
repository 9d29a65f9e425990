//! What recess wrote under another instance name: after a reload that renames the instance its
//! pauses carry the old mark.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{ConsumerId, Found, Mark, PauseState};

#[cfg(test)]
mod tests;

/// How long a deadline that has passed is remembered: a Clear may be due for it, a minute after the
/// lapse.
const LAPSED: SignedDuration = SignedDuration::from_hours(24);

/// The deadlines with a former mark, exactly: a mark alone would also recognise what another
/// deployment writes that takes the old name.
#[derive(Debug, Default)]
pub struct Former {
    deadlines: HashMap<ConsumerId, BTreeSet<Timestamp>>,
}

impl Former {
    /// Remembers deadlines that were written under another name.
    pub fn remember(&mut self, deadlines: impl IntoIterator<Item = (ConsumerId, Timestamp)>) {
        for (id, until) in deadlines {
            self.deadlines.entry(id).or_default().insert(until);
        }
    }

    /// Whether a stored deadline is one of them.
    pub fn wrote(&self, id: &ConsumerId, deadline: Timestamp) -> bool {
        (self.deadlines.get(id)).is_some_and(|deadlines| deadlines.contains(&deadline))
    }

    /// The deadline as it would be with today's mark.
    pub fn translate(&self, id: &ConsumerId, deadline: Timestamp, mark: Mark) -> Timestamp {
        if self.wrote(id, deadline) {
            mark.restamp(deadline)
        } else {
            deadline
        }
    }

    /// The same for what was found, so that nothing behind it needs to know of former names.
    pub fn translate_found(&self, id: &ConsumerId, found: &mut Found, mark: Mark) {
        if let Found::Present(seen) = found
            && let PauseState::Lapsed { until } | PauseState::Paused { until, .. } = &mut seen.state
        {
            *until = self.translate(id, *until, mark);
        }
    }

    /// Forgets those that passed long ago.
    pub fn prune(&mut self, now: Timestamp) {
        let oldest = now.checked_sub(LAPSED).unwrap_or(Timestamp::MIN);
        self.deadlines
            .retain(|_, deadlines| deadlines.last().is_some_and(|until| *until > oldest));
    }
}
