//! Lines about what recess sends, and what becomes of it.

use tracing::{error, info, warn};

use super::SHOWN_OF_MANY;
use super::words::{
    OTHER_CLIENT, cause, only_window, past, timing, timing_of_one, until, what_next,
};
use crate::changes::Writes;
use crate::consumer::ConsumerId;
use crate::jetstream::RequestError;
use crate::plan::Verdict;
use crate::report::{Act, Burst, Report};
use crate::text::utc;
use crate::visible::visible;

/// How far a long burst has come.
pub(super) fn burst(burst: &Burst) {
    let failed = (burst.acts.iter())
        .filter(|act| act.result.is_err())
        .count();
    let failed = match failed {
        0 => String::new(),
        failed => format!("; {failed} of the newest {} failed", burst.acts.len()),
    };
    info!(
        "requests answered: {} of {} after {} s, the rest in about {} s{failed}",
        burst.done,
        burst.done + burst.left,
        burst.took.as_secs(),
        burst.left_to_wait().as_secs_f64().ceil(),
    );
}

/// A few one by one, many as one line.
pub(super) fn wrote(report: &Report, writes: &Writes) {
    if writes.count > SHOWN_OF_MANY {
        info!(
            "{} {} consumers in {} ms{}",
            past(writes.action),
            writes.count,
            writes.took.as_millis(),
            timing(writes.lateness)
        );
        return;
    }
    for act in &writes.first {
        info!(
            stream = act.id.stream(),
            consumer = act.id.consumer(),
            window = only_window(report, &act.id),
            "{} {}{}{}",
            past(act.action),
            act.id,
            until(act),
            timing_of_one(act.lateness)
        );
    }
}

pub(super) fn repaired(report: &Report, act: &Act) {
    let what = act.repair.map_or("changed", |repair| repair.as_str());
    let known = cause(act);
    let path = act.id.path();
    warn!(
        stream = act.id.stream(),
        consumer = act.id.consumer(),
        window = only_window(report, &act.id),
        undone_by = known,
        "{}: overridden: {what} by {}; {} again{}; to release it early, run recess resume {}",
        act.id,
        known.as_deref().unwrap_or(OTHER_CLIENT),
        past(act.action),
        until(act),
        visible(&path)
    );
}

/// Consumers come and go. Where a window names one exactly, that it is missing is reported by
/// itself.
pub(super) fn vanished(act: &Act) {
    info!(
        stream = act.id.stream(),
        consumer = act.id.consumer(),
        "{}: deleted before it was {}",
        act.id,
        past(act.action)
    );
}

pub(super) fn failed(report: &Report, act: &Act) {
    let Some(error) = act.error() else { return };
    let (stream, consumer) = (act.id.stream(), act.id.consumer());
    let window = only_window(report, &act.id);
    let (id, past, next) = (&act.id, past(act.action), what_next(error));
    match error {
        // Nothing but a person can mend that.
        RequestError::Denied { .. } => {
            error!(
                stream,
                consumer, window, "{id}: not {past}: {error}; {next}"
            );
        }
        RequestError::NotConnected
        | RequestError::Cut
        | RequestError::TimedOut { .. }
        | RequestError::NoResponders { .. }
        | RequestError::Refused { .. }
        | RequestError::Missing
        | RequestError::Shifting
        | RequestError::TooLong { .. }
        | RequestError::Unreadable { .. } => {
            warn!(
                stream,
                consumer, window, "{id}: not {past}: {error}; {next}"
            );
        }
    }
}

pub(super) fn would(report: &Report, id: &ConsumerId, verdict: Verdict) {
    let until =
        (verdict.deadline()).map_or_else(String::new, |until| format!(" until {}", utc(until)));
    info!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "dry run: would {verdict} {id}{until}"
    );
}
