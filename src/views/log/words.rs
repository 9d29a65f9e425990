//! The parts that sentences are made of.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::ConsumerId;
use crate::jetstream::{RequestError, Writer};
use crate::report::{Act, Report};
use crate::text::{self, utc};
use crate::write::Action;

/// Until when that is so which was done to a consumer.
pub(super) fn until(act: &Act) -> String {
    match (act.action, act.deadline) {
        (Action::Pause | Action::Retime, Some(until)) => format!(" until {}", utc(until)),
        (Action::Resume, Some(until)) => format!(" as of {}", utc(until)),
        (Action::Clear, _) => " of its expired deadline".to_owned(),
        _ => String::new(),
    }
}

/// How late the first and the last of many were.
pub(super) fn timing(lateness: Option<(SignedDuration, SignedDuration)>) -> String {
    lateness.map_or_else(String::new, |(first, last)| {
        format!(
            "; the first {} ms after the opening, the last {} ms",
            first.as_millis(),
            last.as_millis()
        )
    })
}

/// How late one was.
pub(super) fn timing_of_one(lateness: Option<SignedDuration>) -> String {
    lateness.map_or_else(String::new, |late| {
        format!(", {} ms after the opening", late.as_millis())
    })
}

pub(super) fn past(action: Action) -> &'static str {
    match action {
        Action::Pause => "paused",
        Action::Retime => "retimed",
        Action::Resume => "resumed",
        Action::Clear => "cleared",
    }
}

pub(super) fn what_next(error: &RequestError) -> &'static str {
    match error {
        RequestError::TimedOut { .. } => "retrying in 5 s if still needed",
        RequestError::Cut | RequestError::NotConnected => "retrying when connected",
        RequestError::Denied { .. }
        | RequestError::NoResponders { .. }
        | RequestError::Refused { .. }
        | RequestError::Missing
        | RequestError::Shifting
        | RequestError::TooLong { .. }
        | RequestError::Unreadable { .. } => "retrying with growing delays",
    }
}

/// An instant in the wall-clock time of a window's zone.
pub(super) fn local(report: &Report, window: &str, instant: Timestamp) -> String {
    match report.policy.window(window) {
        Some(known) => text::local(instant, known.schedule.zone()),
        None => utc(instant),
    }
}

/// The cause of a repair, if it is not known.
pub(super) const OTHER_CLIENT: &str = "another client";

/// What made a repair necessary, as far as it is known.
pub(super) fn cause(act: &Act) -> Option<String> {
    let writer = act.undone_by.as_deref().map(Writer::to_string);
    if !act.by_same_instance {
        return writer;
    }
    let writer = writer.map_or_else(String::new, |writer| format!(" ({writer})"));
    Some(format!(
        "another recess with this instance name, whose config differs{writer}"
    ))
}

/// The window that a line about this consumer is about, if it follows but one.
pub(super) fn only_window<'a>(report: &'a Report, id: &ConsumerId) -> Option<&'a str> {
    match report.windows_of(id)[..] {
        [window] => Some(window),
        _ => None,
    }
}
