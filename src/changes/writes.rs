//! What a pass sent, and what became of it.

use super::Change;
use crate::jetstream::RequestError;
use crate::report::{Act, Pass};
use crate::write::Action;

pub(super) fn of_pass(pass: &Pass, changes: &mut Vec<Change>) {
    for action in Action::ALL {
        let acts: Vec<Act> = (pass.acts.iter())
            .filter(|act| act.action == action && act.result.is_ok() && act.repair.is_none())
            .cloned()
            .collect();
        if !acts.is_empty() {
            let took = pass.took;
            changes.push(Change::Wrote { action, acts, took });
        }
    }
    let repaired = (pass.acts.iter()).filter(|act| act.result.is_ok() && act.repair.is_some());
    changes.extend(repaired.map(|act| Change::Repaired(Box::new(act.clone()))));
    let is_gone = |act: &&Act| act.result == Err(RequestError::Missing);
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
