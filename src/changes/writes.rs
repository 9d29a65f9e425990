//! What a pass sent, and what became of it.

use std::time::Duration;

use jiff::SignedDuration;

use super::Change;
use crate::jetstream::RequestError;
use crate::report::{Act, Pass};
use crate::write::Action;

/// So many are kept one by one: a pass may write to a hundred thousand consumers.
const KEPT: usize = 100;

/// Writes of one kind that the server accepted in one pass, repairs aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Writes {
    /// Of what kind.
    pub action: Action,
    /// How many.
    pub count: usize,
    /// The first hundred of them.
    pub first: Vec<Act>,
    /// The shortest and the longest time from an opening to its pause, where they are for openings.
    pub lateness: Option<(SignedDuration, SignedDuration)>,
    /// How long the pass took.
    pub took: Duration,
}

impl Writes {
    fn of(action: Action, pass: &Pass) -> Option<Self> {
        let acts = (pass.acts.iter())
            .filter(|act| act.action == action && act.result.is_ok() && act.repair.is_none());
        let late = acts.clone().filter_map(|act| act.lateness);
        let writes = Self {
            action,
            count: acts.clone().count(),
            first: acts.take(KEPT).cloned().collect(),
            lateness: late.clone().min().zip(late.max()),
            took: pass.took,
        };
        (writes.count > 0).then_some(writes)
    }
}

pub(super) fn of_pass(pass: &Pass, changes: &mut Vec<Change>) {
    let wrote = (Action::ALL.into_iter()).filter_map(|action| Writes::of(action, pass));
    changes.extend(wrote.map(|writes| Change::Wrote(Box::new(writes))));
    let repaired = (pass.acts.iter()).filter(|act| act.result.is_ok() && act.repair.is_some());
    changes.extend(repaired.map(|act| Change::Repaired(Box::new(act.clone()))));
    let is_gone = |act: &&Act| act.error() == Some(&RequestError::Missing);
    let (gone, failed): (Vec<&Act>, Vec<&Act>) =
        (pass.acts.iter().filter(|act| act.result.is_err())).partition(is_gone);
    changes.extend(
        gone.into_iter()
            .map(|act| Change::Vanished(Box::new(act.clone()))),
    );
    changes.extend(
        failed
            .into_iter()
            .map(|act| Change::Failed(Box::new(act.clone()))),
    );
}
