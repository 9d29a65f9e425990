//! Lines about the state of a consumer.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{Level, debug, error, info, warn};

use super::SHOWN_OF_MANY;
use super::words::{OTHER_CLIENT, cause, only_window};
use crate::changes::CONFIRMATION_LIMIT;
use crate::consumer::ConsumerId;
use crate::ledger::FIGHT_LIMIT;
use crate::policy::ExemptKey;
use crate::report::{Act, Report, Row};
use crate::text::{self, utc};
use crate::visible::visible;

pub(super) fn missing(report: &Report, id: &ConsumerId) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: does not exist, but a window names it; recess pauses it if it is created while the window is open"
    );
}

pub(super) fn contested(report: &Report, id: &ConsumerId, repair: Option<&Act>) {
    let known = repair.and_then(cause);
    error!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        undone_by = known,
        "{id}: contested: overridden {FIGHT_LIMIT} times against window {}, by {}; recess leaves it unchanged until the \
         window closes or the config is reloaded",
        report.windows_of(id).join(", "),
        known.as_deref().unwrap_or(OTHER_CLIENT)
    );
}

pub(super) fn repair_delayed(report: &Report, id: &ConsumerId, wait: Duration) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: overridden again by another client; re-applying in {:.0} s; recess stops after {FIGHT_LIMIT} times",
        wait.as_secs_f64().ceil()
    );
}

pub(super) fn orphaned(id: &ConsumerId, until: Option<Timestamp>, resumes_in: Option<Duration>) {
    let until = until.map_or_else(String::new, utc);
    let path = id.path();
    let path = visible(&path);
    let (stream, consumer) = (id.stream(), id.consumer());
    match resumes_in {
        None => warn!(
            stream,
            consumer,
            "{id}: paused by a recess of this name until {until}, but no window names it; left unchanged, as `instance` is \
             not set and another deployment may own it; to resume it: recess resume {path}"
        ),
        Some(wait) => warn!(
            stream,
            consumer,
            "{id}: paused by recess until {until}, but no window names it; resuming in {:.0} s; to keep it paused: recess \
             pause {path} --until {until}",
            wait.as_secs_f64().ceil()
        ),
    }
}

pub(super) fn unconfirmed(report: &Report, id: &ConsumerId) {
    error!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: write accepted over {} s ago but not visible in CONSUMER.INFO; resending at the next resync if still \
         needed",
        CONFIRMATION_LIMIT.as_secs()
    );
}

/// One line, however many there are.
pub(super) fn exempt(report: &Report, ids: &[ConsumerId], is_odd: bool) {
    let key = report.policy.exempt().map_or("", ExemptKey::as_str);
    let (key, names) = (visible(key), text::names(ids, SHOWN_OF_MANY));
    let count = ids.len();
    if is_odd {
        warn!(
            "exempt by metadata ({count}): {names}; the value of {key} is not true, false or an RFC 3339 time, and counts \
             as true: no window pauses them; correct the value"
        );
    } else {
        info!("exempt by metadata ({count}): {names}; no window pauses them until {key} changes");
    }
}

pub(super) fn labels_lost(id: &ConsumerId, until: Option<Timestamp>, windows: &[Arc<str>]) {
    let path = id.path();
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only(windows),
        "{id}: metadata no longer matches `where` of window {}; it stays paused{}, then runs; to resume it now: recess \
         resume {}",
        windows.join(", "),
        until.map_or_else(String::new, |until| format!(" until {}", utc(until))),
        visible(&path)
    );
}

pub(super) fn foreign(report: &Report, id: &ConsumerId, until: Option<Timestamp>) {
    info!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: paused by another client{}; recess leaves it unchanged",
        until.map_or_else(String::new, |until| format!(" until {}", utc(until)))
    );
}

pub(super) fn released(report: &Report, id: &ConsumerId, since: Option<Timestamp>) {
    info!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: released by `recess resume`{}; recess does not pause it again before window {} has closed",
        since.map_or_else(String::new, |since| format!(" as of {}", utc(since))),
        report.windows_of(id).join(", ")
    );
}

/// One line, however many there are: they resume together.
pub(super) fn resumed(ids: &[ConsumerId]) {
    info!(
        "resumed by the server ({}): {}; the deadlines passed",
        ids.len(),
        text::names(ids, SHOWN_OF_MANY)
    );
}

pub(super) fn deleted(id: &ConsumerId, windows: &[Arc<str>]) {
    info!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only(windows),
        "{id}: deleted during window {}",
        windows.join(", ")
    );
}

pub(super) fn decided(report: &Report, ids: &[ConsumerId]) {
    if !tracing::enabled!(Level::DEBUG) {
        return;
    }
    for id in ids {
        let Some(Row { verdict, rule, .. }) = report.rows.get(id) else {
            continue;
        };
        debug!(
            stream = id.stream(),
            consumer = id.consumer(),
            rule = rule.as_str(),
            "{id}: {verdict} by rule {rule}"
        );
    }
}

/// The one window, where it is one.
fn only(windows: &[Arc<str>]) -> Option<&str> {
    match windows {
        [window] => Some(window),
        _ => None,
    }
}
