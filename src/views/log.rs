//! The log: one line per change, none per consumer and pass in the steady state.
//!
//! [`line`] names the function of each change, and that function holds the line's level, fields and
//! words. A line that is about one consumer or window carries its names as fields too: the journal
//! indexes them, text leaves them out.

use std::mem::discriminant;

use tracing::info;

use crate::changes::Change;
use crate::report::Report;

mod clock;
mod connection;
mod consumers;
mod deployment;
mod losses;
mod observations;
mod overrides;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
mod windows;
mod words;
mod writes;

/// Of many lines alike, so many are shown.
const SHOWN_OF_MANY: usize = 5;

/// Logs what happened.
pub(super) fn show(report: &Report, changes: &[Change]) {
    for alike in changes.chunk_by(|one, next| discriminant(one) == discriminant(next)) {
        let many = alike.first().and_then(of_many);
        let limit = many.map_or(usize::MAX, |_| SHOWN_OF_MANY);
        for change in alike.iter().take(limit) {
            line(report, change);
        }
        let more = alike.len().saturating_sub(limit);
        if more > 0 {
            let shown = many.unwrap_or_default();
            info!("and {more} more like the line above{shown}");
        }
    }
}

/// Of a change that a single cause can make thousands of: which command shows them all, if one
/// does. `recess status` knows what is so, not what happened. Decisions are debug lines, for those
/// who want all.
fn of_many(change: &Change) -> Option<&'static str> {
    match change {
        Change::Unanswered(_)
        | Change::Would { .. }
        | Change::Missing(_)
        | Change::Foreign { .. }
        | Change::Released { .. }
        | Change::AtRisk { .. }
        | Change::StillWaiting { .. }
        | Change::Lost(_)
        | Change::Opened { .. }
        | Change::Closed { .. } => Some("; `recess status` shows them all"),
        Change::Override(_) => Some("; `recess overrides --all` shows them all"),
        Change::Empty(_) | Change::Unmatched { .. } => {
            Some("; `recess check --live` shows them all")
        }
        Change::Repaired(_)
        | Change::Vanished(_)
        | Change::Failed(_)
        | Change::Contested { .. }
        | Change::RepairDelayed { .. }
        | Change::Orphaned { .. }
        | Change::LabelsLost { .. }
        | Change::Unconfirmed(_)
        | Change::Deleted { .. }
        | Change::Rescheduled { .. }
        | Change::Blank { .. }
        | Change::Unreadable(_)
        | Change::PassedOver(_) => Some(""),
        Change::Started
        | Change::DryRun(_)
        | Change::TookOver { .. }
        | Change::Renamed { .. }
        | Change::Connected(_)
        | Change::Denied(_)
        | Change::Disconnected(_)
        | Change::Unsupported { .. }
        | Change::FirstAttempt
        | Change::Clock { .. }
        | Change::ClockStepped
        | Change::Removed { .. }
        | Change::Resumed(_)
        | Change::Exempt { .. }
        | Change::Burst(_)
        | Change::Wrote(_)
        | Change::Unlisted(_)
        | Change::LimitsUnread(_)
        | Change::Decided(_)
        | Change::Stage(_) => None,
    }
}

fn line(report: &Report, change: &Change) {
    match change {
        Change::Started => deployment::started(report),
        Change::DryRun(on) => deployment::dry_run(*on),
        Change::TookOver { after } => deployment::took_over(*after),
        Change::Renamed { from, to, paused } => deployment::renamed(from, to, *paused),
        Change::Connected(server) => connection::connected(server),
        Change::Denied(subjects) => connection::denied(subjects),
        Change::Disconnected(reason) => connection::disconnected(reason),
        Change::Unsupported {
            server,
            was_connected,
        } => connection::unsupported(server, *was_connected),
        Change::Clock {
            from,
            to,
            newest,
            smooth,
        } => clock::trust(*from, *to, *newest, *smooth),
        Change::ClockStepped => clock::stepped(),
        Change::Opened {
            window,
            occurrence,
            goes_on,
        } => windows::opened(report, window, *occurrence, *goes_on),
        Change::Rescheduled { window, occurrence } => {
            windows::opened(report, window, *occurrence, true);
        }
        // That it goes on is said where it opens.
        Change::Closed { goes_on: true, .. } => {}
        Change::Closed { window, next, .. } => windows::closed(report, window, *next),
        Change::Removed { window, .. } => windows::removed(window),
        Change::Blank { window, blank, .. } => windows::blank(window, *blank),
        Change::Burst(burst) => writes::burst(burst),
        Change::Wrote(wrote) => writes::wrote(report, wrote),
        Change::Repaired(act) => writes::repaired(report, act),
        Change::Vanished(act) => writes::vanished(act),
        Change::Failed(act) => writes::failed(report, act),
        Change::Would { id, verdict } => writes::would(report, id, *verdict),
        Change::Missing(id) => consumers::missing(report, id),
        Change::Contested { id, repair } => consumers::contested(report, id, repair.as_deref()),
        Change::RepairDelayed { id, wait } => consumers::repair_delayed(report, id, *wait),
        Change::Orphaned {
            id,
            until,
            resumes_in,
        } => consumers::orphaned(id, *until, *resumes_in),
        Change::Resumed(ids) => consumers::resumed(ids),
        Change::Deleted { id, windows } => consumers::deleted(id, windows),
        Change::Unconfirmed(id) => consumers::unconfirmed(report, id),
        Change::Exempt { ids, is_odd } => consumers::exempt(report, ids, *is_odd),
        Change::LabelsLost { id, until, windows } => consumers::labels_lost(id, *until, windows),
        Change::Foreign { id, until } => consumers::foreign(report, id, *until),
        Change::Released {
            id,
            since,
            before_loss: false,
        } => consumers::released(report, id, *since),
        Change::Released { id, since, .. } => losses::released(report, id, *since),
        Change::AtRisk {
            id,
            loss,
            released_at,
        } => losses::at_risk(report, id, *loss, *released_at),
        Change::StillWaiting { id, since } => losses::still_waiting(report, id, *since),
        Change::Lost(id) => losses::lost(report, id),
        Change::LimitsUnread(failures) => losses::unread(failures),
        Change::Decided(ids) => consumers::decided(report, ids),
        Change::Unanswered(failure) => observations::unanswered(failure),
        Change::Unlisted(failures) => observations::unlisted(failures),
        Change::Unreadable(sentence) => observations::unreadable(sentence),
        Change::PassedOver(sentence) => observations::passed_over(sentence),
        Change::Empty(window) => observations::empty(window),
        Change::Unmatched { window, selector } => observations::unmatched(window, selector),
        Change::Override(change) => overrides::line(report, change),
        // For programs: the lines above say the same for people.
        Change::FirstAttempt | Change::Stage(_) => {}
    }
}
