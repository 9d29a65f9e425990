//! What is different of the consumers, row by row.

use std::sync::Arc;
use std::time::Duration;

use super::Change;
use crate::consumer::{ConsumerId, Found, Owner};
use crate::plan::{Rule, Verdict};
use crate::policy::{Desired, Exempt};
use crate::report::{Report, Row, Rows};

/// A write that was accepted and does not show for so long is an error.
pub const CONFIRMATION_LIMIT: Duration = Duration::from_secs(10);

/// A write that waits for less than that is as good as sent.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// Changes of one kind after the other, each in the order of the names.
#[derive(Default)]
struct Kinds {
    would: Vec<Change>,
    missing: Vec<Change>,
    contested: Vec<Change>,
    repairs_delayed: Vec<Change>,
    orphaned: Vec<Change>,
    unconfirmed: Vec<Change>,
    labels_lost: Vec<Change>,
    foreign: Vec<Change>,
    released: Vec<Change>,
    at_risk: Vec<Change>,
    still_waiting: Vec<Change>,
    lost: Vec<Change>,
    decided: Vec<ConsumerId>,
}

pub(super) fn compare(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let nothing = Rows::default();
    let rows = before.map_or(&nothing, |before| &before.rows);
    let was_dry_run = before.is_some_and(|before| before.dry_run);
    let mut kinds = Kinds::default();
    let (mut resumed, mut exempted, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for (id, was, is) in joined(rows, &after.rows) {
        if was.is_some_and(|was| is_resumed_by_server(id, was, is, after)) {
            resumed.push(id.clone());
        }
        if after.dry_run {
            kinds.would(id, was.filter(|_| was_dry_run), is);
        }
        kinds.compare(id, was, is, after);
        let exempt_before = (was.zip(before)).and_then(|(row, before)| exempt(row, before));
        match exempt(is, after).filter(|_| exempt_before.is_none()) {
            Some(found) if found.is_odd => odd.push(id.clone()),
            Some(_) => exempted.push(id.clone()),
            None => {}
        }
    }
    let unlisted = before.map_or_else(Arc::default, |before| before.unlisted.clone());
    let unlisted = (*unlisted != *after.unlisted).then(|| after.unlisted.clone());
    let unread = before.map_or_else(Arc::default, |before| before.limits_unread.clone());
    let limits_unread = (*unread != *after.limits_unread).then(|| after.limits_unread.clone());
    changes.extend((!resumed.is_empty()).then_some(Change::Resumed(resumed)));
    changes.extend(before.map_or_else(Vec::new, |before| deleted(before, after)));
    for (ids, is_odd) in [(exempted, false), (odd, true)] {
        changes.extend((!ids.is_empty()).then_some(Change::Exempt { ids, is_odd }));
    }
    changes.extend(kinds.would);
    changes.extend(kinds.missing);
    changes.extend(kinds.contested);
    changes.extend(kinds.repairs_delayed);
    changes.extend(kinds.orphaned);
    changes.extend(unlisted.map(Change::Unlisted));
    changes.extend(kinds.unconfirmed);
    changes.extend(kinds.labels_lost);
    changes.extend(kinds.foreign);
    changes.extend(kinds.at_risk);
    changes.extend(kinds.released);
    changes.extend(kinds.still_waiting);
    changes.extend(kinds.lost);
    changes.extend(limits_unread.map(Change::LimitsUnread));
    let decided = kinds.decided;
    changes.extend((!decided.is_empty()).then_some(Change::Decided(decided)));
}

/// The rows of after, each with the one that it had before.
fn joined<'r>(
    before: &'r Rows,
    after: &'r Rows,
) -> impl Iterator<Item = (&'r ConsumerId, Option<&'r Row>, &'r Row)> {
    let mut before = before.iter().peekable();
    after.iter().map(move |(id, row)| {
        while before.next_if(|(known, _)| *known < id).is_some() {}
        let was = before.next_if(|(known, _)| *known == id);
        (id, was.map(|(_, row)| row), row)
    })
}

impl Kinds {
    fn would(&mut self, id: &ConsumerId, was: Option<&Row>, is: &Row) {
        let is_same = was.is_some_and(|was| was.verdict == is.verdict);
        if is.verdict.action().is_some() && !is_same {
            self.would.push(Change::Would {
                id: id.clone(),
                verdict: is.verdict,
            });
        }
    }

    fn compare(&mut self, id: &ConsumerId, was: Option<&Row>, is: &Row, after: &Report) {
        let begins = |holds: fn(&Row) -> bool| holds(is) && !was.is_some_and(holds);
        let deadline = || is.found.observation()?.state.deadline();
        let id = || id.clone();
        if begins(|row| row.found == Found::Missing) {
            self.missing.push(Change::Missing(id()));
        }
        if begins(|row| row.contested) {
            let repair = None;
            self.contested.push(Change::Contested { id: id(), repair });
        }
        if begins(is_repair_delayed) {
            let wait = is.sends_in.unwrap_or_default();
            self.repairs_delayed
                .push(Change::RepairDelayed { id: id(), wait });
        }
        if begins(Row::is_orphan) {
            let is_left = is.rule == Rule::OrphanUnnamed;
            self.orphaned.push(Change::Orphaned {
                id: id(),
                until: deadline(),
                resumes_in: (!is_left).then(|| is.sends_in.unwrap_or_default()),
            });
        }
        if begins(|row| row.rule == Rule::LabelsLost) {
            let windows = is.windows.unmatched().iter();
            self.labels_lost.push(Change::LabelsLost {
                id: id(),
                until: deadline(),
                windows: windows.map(|window| window.name.clone()).collect(),
            });
        }
        if begins(is_unconfirmed) {
            self.unconfirmed.push(Change::Unconfirmed(id()));
        }
        if begins(|row| row.verdict == Verdict::Foreign) {
            let until = deadline();
            self.foreign.push(Change::Foreign { id: id(), until });
        }
        if begins(Row::is_released) {
            self.released.push(Change::Released {
                id: id(),
                since: deadline(),
                before_loss: is.is_released_before_loss(after.mark()),
            });
        }
        // A cause that changes is another risk.
        let cause = |row: &Row| row.backlog.losses().to_come.map(|loss| loss.cause);
        if let Some(loss) = is.backlog.losses().to_come
            && was.and_then(cause) != Some(loss.cause)
        {
            self.at_risk.push(Change::AtRisk {
                id: id(),
                loss,
                released_at: is.release_ahead(after.mark()),
            });
        }
        if begins(|row| row.backlog.losses().still_waits) {
            let since = deadline();
            self.still_waiting
                .push(Change::StillWaiting { id: id(), since });
        }
        if begins(|row| row.backlog.losses().goes_on) {
            self.lost.push(Change::Lost(id()));
        }
        if was.map(|was| was.rule) != Some(is.rule) {
            self.decided.push(id());
        }
    }
}

/// That it is exempt at the time of the report.
fn exempt(row: &Row, report: &Report) -> Option<Exempt> {
    row.windows.exempt().filter(|one| one.covers(report.at))
}

/// Whether a pause of recess's is over because its deadline passed, and not because of a write.
fn is_resumed_by_server(id: &ConsumerId, was: &Row, is: &Row, after: &Report) -> bool {
    let deadline = was
        .found
        .observation()
        .and_then(|seen| seen.state.deadline());
    let is_over = deadline.is_some_and(|deadline| deadline <= after.at);
    let is_written = || {
        let acts = after.pass.iter().flat_map(|pass| &pass.acts);
        acts.into_iter()
            .any(|act| act.id == *id && act.result.is_ok())
    };
    was.found.paused_by(after.mark()) == Some(Owner::Recess)
        && matches!(is.found, Found::Present(_))
        && !is.found.is_paused()
        && is_over
        && !is_written()
}

/// The consumers of open windows that are there no more. What a reload takes out of the windows was
/// not deleted.
fn deleted(before: &Report, after: &Report) -> Vec<Change> {
    if !Arc::ptr_eq(&before.policy, &after.policy) {
        return Vec::new();
    }
    let gone = before.rows.iter().filter(|(id, row)| {
        matches!(row.desired, Desired::Paused(_))
            && matches!(row.found, Found::Present(_))
            && !after.rows.contains_key(id)
    });
    gone.map(|(id, row)| Change::Deleted {
        id: id.clone(),
        windows: row
            .windows
            .iter()
            .map(|window| window.name.clone())
            .collect(),
    })
    .collect()
}

/// A failure is reported with what comes next, and an orphan with when it is resumed.
fn is_repair_delayed(row: &Row) -> bool {
    let is_fight = row.problem.is_none() && !row.is_orphan();
    is_fight && row.sends_in.is_some_and(|wait| wait >= SHORT_WAIT)
}

fn is_unconfirmed(row: &Row) -> bool {
    (row.unconfirmed).is_some_and(|since| since >= CONFIRMATION_LIMIT)
}
