//! The deployment as a whole: its start, its name, and whether anything is sent.

use super::Change;
use crate::consumer::Owner;
use crate::report::Report;

pub(super) fn compare(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let Some(before) = before else {
        changes.push(Change::Started);
        return;
    };
    if before.dry_run != after.dry_run {
        changes.push(Change::DryRun(after.dry_run));
    }
    let took_over = |report: &Report| report.standby.map_or(0, |standby| standby.takeovers);
    if let Some(standby) = after
        .standby
        .filter(|_| took_over(before) < took_over(after))
    {
        changes.push(Change::TookOver {
            after: standby.delay,
        });
    }
    let (from, to) = (before.policy.instance(), after.policy.instance());
    if from != to {
        let paused = (after.rows.values())
            .filter(|row| row.found.paused_by(after.mark()) == Some(Owner::Recess));
        changes.push(Change::Renamed {
            from: from.into(),
            to: to.into(),
            paused: paused.count(),
        });
    }
}
