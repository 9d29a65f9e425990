//! Lines about the state of a consumer.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, error, info, warn};

use super::words::{OTHER_CLIENT, cause, only_window};
use crate::changes::CONFIRMATION_LIMIT;
use crate::consumer::ConsumerId;
use crate::ledger::FIGHT_LIMIT;
use crate::plan::{Rule, Verdict};
use crate::report::{Act, Report};
use crate::text::utc;
use crate::visible::visible;

pub(super) fn missing(report: &Report, id: &ConsumerId) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id} does not exist, and a window names it; it is paused when it appears in an open window"
    );
}

pub(super) fn contested(report: &Report, id: &ConsumerId, repair: Option<&Act>) {
    let known = repair.and_then(cause);
    error!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        undone_by = known,
        "{id} was changed {FIGHT_LIMIT} times against window {}, by {}: recess leaves it alone until the window closes or \
         the config is reloaded",
        report.windows_of(id).join(", "),
        known.as_deref().unwrap_or(OTHER_CLIENT)
    );
}

pub(super) fn held_back(report: &Report, id: &ConsumerId, wait: Duration) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id} was changed by somebody else again: recess puts it right in {:.0} s, and leaves it alone after the \
         {FIGHT_LIMIT}th time",
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
        "{id}: the server accepted a write over {} s ago and does not show it; recess keeps looking, and writes it again \
         at the next resync where that is still called for",
        CONFIRMATION_LIMIT.as_secs()
    );
}

pub(super) fn foreign(report: &Report, id: &ConsumerId, until: Option<Timestamp>) {
    info!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id} is paused by somebody else{}; recess leaves that alone",
        until.map_or_else(String::new, |until| format!(" until {}", utc(until)))
    );
}

pub(super) fn decided(id: &ConsumerId, verdict: Verdict, rule: Rule) {
    debug!(
        stream = id.stream(),
        consumer = id.consumer(),
        rule = rule.as_str(),
        "{id}: {verdict} by rule {rule}"
    );
}
