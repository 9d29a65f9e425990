//! A bulk operation on its way: what it asks, and what has become of each consumer.

use std::collections::{BTreeMap, BTreeSet};

use crate::consumer::ConsumerId;
use crate::jetstream::RequestError;
use crate::plan::BulkOp;
use crate::report::Pass;
use crate::write::Outcome;

#[cfg(test)]
mod tests;

/// What has become of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkResult {
    /// It is not as ordered yet.
    Waiting,
    /// It was as ordered already.
    Untouched,
    /// It is as ordered, and was seen so.
    Done,
    /// It was, or would have been, and another client has overridden it.
    Undone,
    /// It is not there.
    Missing,
    /// The deadline came first: it is not written any more.
    TooLate,
    /// The server accepted it, and it does not show.
    Unconfirmed,
    /// Nothing can be learned of it.
    Unknown,
    /// It could not be done.
    Failed(RequestError),
}

impl BulkResult {
    /// Whether it is as ordered.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::Untouched)
    }
}

/// An operation in progress. It can be read if the work is stopped before its end.
#[derive(Debug)]
pub struct BulkRun {
    /// What is ordered.
    pub op: BulkOp,
    /// The consumers it is for, and the result of each.
    pub results: BTreeMap<ConsumerId, BulkResult>,
    /// What was sent and answered.
    pub pass: Pass,
    /// To which something was sent.
    pub(super) sent: BTreeSet<ConsumerId>,
}

impl BulkRun {
    /// To how many a request was sent that the server accepted.
    pub fn accepted(&self) -> usize {
        let accepted = self.pass.acts.iter().filter(|act| act.result.is_ok());
        accepted.map(|act| &act.id).collect::<BTreeSet<_>>().len()
    }

    /// Of how many it is not known whether the server has done what was sent.
    pub fn in_doubt(&self) -> usize {
        let mut doubts = BTreeSet::new();
        for act in &self.pass.acts {
            match act.error().map(RequestError::outcome) {
                Some(Outcome::TimedOut | Outcome::Cut) => doubts.insert(&act.id),
                _ => doubts.remove(&act.id),
            };
        }
        doubts.len()
    }

    /// Which are not as ordered yet.
    pub(super) fn waiting(&self) -> BTreeSet<ConsumerId> {
        let waiting = self
            .results
            .iter()
            .filter(|(_, result)| **result == BulkResult::Waiting);
        waiting.map(|(id, _)| id.clone()).collect()
    }

    /// What a person must mend is not sent again: of the acts from `first` on.
    pub(super) fn fail_for_good(&mut self, first: usize) {
        for act in self.pass.acts.iter().skip(first) {
            let error = act.error();
            let Some(error) = error.filter(|error| error.is_final()) else {
                continue;
            };
            let result = match *error == RequestError::Missing {
                true => BulkResult::Missing,
                false => BulkResult::Failed(error.clone()),
            };
            self.results.insert(act.id.clone(), result);
        }
    }
}
