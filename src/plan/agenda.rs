//! When each consumer is observed again, if nothing happens before: what the loop sleeps until.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::Plan;
use crate::consumer::ConsumerId;

#[cfg(test)]
mod tests;

/// The next observation of each consumer, in uptime. Most have none: the calendar and the resync
/// see to them.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    looks: HashMap<ConsumerId, Duration>,
    /// The same, in the order of time.
    order: BTreeSet<(Duration, ConsumerId)>,
}

impl Agenda {
    /// Takes in a plan: it knows all there is to know of the consumers that it decides about.
    pub fn follow(&mut self, plan: &Plan) {
        for planned in &plan.decisions {
            self.set(&planned.id, planned.look);
        }
    }

    /// An observation at that time, unless there is one sooner.
    pub fn no_later_than(&mut self, id: &ConsumerId, at: Duration) {
        let sooner = self.looks.get(id).is_none_or(|known| at < *known);
        if sooner {
            self.set(id, Some(at));
        }
    }

    /// No observation of these.
    pub fn forget<'i>(&mut self, ids: impl IntoIterator<Item = &'i ConsumerId>) {
        for id in ids {
            self.set(id, None);
        }
    }

    /// No observation of those of which that is true.
    pub fn forget_those(&mut self, is_one: impl Fn(&ConsumerId) -> bool) {
        self.order.retain(|(_, id)| !is_one(id));
        self.looks.retain(|id, _| !is_one(id));
    }

    /// No observation of any.
    pub fn clear(&mut self) {
        // Not emptied, as room for all consumers would stay.
        *self = Self::default();
    }

    /// Those whose observation is due.
    pub fn due(&self, now: Duration) -> impl Iterator<Item = &ConsumerId> {
        (self.order.iter())
            .take_while(move |(at, _)| *at <= now)
            .map(|(_, id)| id)
    }

    /// When the next observation is due.
    pub fn next_look(&self) -> Option<Duration> {
        self.order.first().map(|(at, _)| *at)
    }

    fn set(&mut self, id: &ConsumerId, look: Option<Duration>) {
        let before = match look {
            Some(at) => self.looks.insert(id.clone(), at),
            None => self.looks.remove(id),
        };
        if before == look {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, id.clone()));
        }
        if let Some(at) = look {
            self.order.insert((at, id.clone()));
        }
    }
}
