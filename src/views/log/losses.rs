//! Lines about messages that a pause loses, or would.

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::SHOWN_OF_MANY;
use super::words::only_window;
use crate::consumer::ConsumerId;
use crate::report::{Failure, Report};
use crate::retention::{Cause, Loss};
use crate::text::{self, utc};
use crate::visible::visible;

pub(super) fn at_risk(
    report: &Report,
    id: &ConsumerId,
    loss: Loss,
    released_at: Option<Timestamp>,
) {
    let until = report.rows.get(id).and_then(|row| row.desired.until());
    let until = until.map_or_else(String::new, |until| format!(" until {}", utc(until)));
    let next = released_at.map_or_else(String::new, |at| {
        format!("; recess releases it at {}", utc(at))
    });
    let (stream, consumer) = (id.stream(), id.consumer());
    let window = only_window(report, id);
    let windows = report.windows_of(id).join(", ");
    if loss.cause == Cause::Refused {
        warn!(
            stream,
            consumer,
            window,
            cause = loss.cause.as_str(),
            "{id}: publishers at risk: its stream is full {}, and window {windows} pauses it{until}; from then on \
             the stream refuses messages",
            text::at_or_about(loss.at, loss.exact)
        );
    } else {
        warn!(
            stream,
            consumer,
            window,
            cause = loss.cause.as_str(),
            "{id}: messages at risk: its stream drops the first that waits {} ({}), and window {windows} pauses \
             it{until}{next}",
            text::at_or_about(loss.at, loss.exact),
            loss.cause.as_str()
        );
    }
}

pub(super) fn released(report: &Report, id: &ConsumerId, since: Option<Timestamp>) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: released before its stream drops messages{}; recess does not pause it again before window {} has closed",
        since.map_or_else(String::new, |since| format!(", as of {}", utc(since))),
        report.windows_of(id).join(", ")
    );
}

pub(super) fn still_waiting(report: &Report, id: &ConsumerId, since: Option<Timestamp>) {
    warn!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: has acknowledged no message{}: its stream drops those that wait unless a client processes them",
        since.map_or_else(String::new, |since| format!(
            " since its release at {}",
            utc(since)
        ))
    );
}

pub(super) fn lost(report: &Report, id: &ConsumerId) {
    error!(
        stream = id.stream(),
        consumer = id.consumer(),
        window = only_window(report, id),
        "{id}: messages lost: its stream drops messages that wait for it while it is paused; \
         recess_consumer_lost_messages_total counts them"
    );
}

pub(super) fn unread(failures: &[Failure]) {
    let Some(first) = failures.first() else {
        return info!("limits of streams read again: losses in a pause are forecast");
    };
    let names = failures
        .iter()
        .filter_map(|failure| failure.stream.as_deref());
    let names: Vec<_> = names.map(visible).collect();
    warn!(
        stream = match failures {
            [failure] => failure.stream.as_deref(),
            _ => None,
        },
        "limits of {} not read: {}; recess does not know when messages that wait there are lost",
        text::names(&names, SHOWN_OF_MANY),
        first.error
    );
}
