//! What happened as an event for programs: a subject, and a CloudEvent 1.0 in JSON.
//!
//! An event's id is the stage's identity: a subscriber recognises a second one, from two copies of
//! recess or from one before and after a restart, and a stream that captures events drops it.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::changes::{Change, Counts, MAX_NAMES_IN_EVENT, Stage};
use crate::consumer::ConsumerId;
use crate::report::Report;
use crate::views::json;

mod overrides;
#[cfg(test)]
mod tests;

/// An event as it is sent.
pub(super) struct Event {
    pub id: String,
    pub subject: String,
    pub payload: Vec<u8>,
}

/// The event of a change, where there is one.
pub(super) fn of(report: &Report, change: &Change, prefix: &str) -> Option<Event> {
    if let Change::Stage(stage) = change {
        Some(Event {
            id: id(stage),
            subject: subject(stage, prefix),
            payload: to_json(stage),
        })
    } else if let Change::Override(change) = change {
        overrides::of(report, change, prefix)
    } else {
        None
    }
}

/// What a URI may hold as it is, beside letters and digits.
const IN_A_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Debug, Serialize)]
struct CloudEvent<'e, D> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: &'e str,
    time: String,
    datacontenttype: &'static str,
    data: D,
}

#[derive(Debug, Serialize)]
struct Data<'e> {
    window: &'e str,
    opens: String,
    closes: String,
    /// The first hundred.
    consumers: Vec<String>,
    counts: &'e Counts,
    late_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<json::LossRow>,
}

/// The subjects of all events of an instance.
pub(super) fn subjects(instance: &str, prefix: &str) -> String {
    format!("{prefix}.{}.>", token(instance))
}

/// `PREFIX.INSTANCE.WINDOW.KIND`. What a token of a subject cannot hold is an underscore there; the
/// event itself has the names as they are.
fn subject(stage: &Stage, prefix: &str) -> String {
    let (instance, window) = (token(&stage.instance), token(&stage.window));
    format!("{prefix}.{instance}.{window}.{}", stage.kind.as_str())
}

/// The same for every copy of recess that sends it.
fn id(stage: &Stage) -> String {
    let instance = &stage.instance;
    let opens = seconds(stage.occurrence.opens);
    let kind = stage.kind.as_str();
    let id = format!("{instance}/{}/{opens}/{kind}", stage.window);
    match &stage.consumer {
        Some(consumer) => format!("{id}/{}", consumer.path()),
        None => id,
    }
}

/// The message.
fn to_json(stage: &Stage) -> Vec<u8> {
    let consumers: Vec<String> = match &stage.consumer {
        Some(consumer) => vec![consumer.path()],
        None => (stage.consumers.names.iter().take(MAX_NAMES_IN_EVENT))
            .map(ConsumerId::path)
            .collect(),
    };
    let event = CloudEvent {
        specversion: "1.0",
        id: id(stage),
        source: source(&stage.instance),
        kind: format!("recess.window.{}", stage.kind.as_str()),
        subject: &stage.window,
        time: format!("{:.3}", stage.at),
        datacontenttype: "application/json",
        data: Data {
            window: &stage.window,
            opens: seconds(stage.occurrence.opens),
            closes: seconds(stage.occurrence.closes),
            consumers,
            counts: &stage.consumers.counts,
            late_ms: i64::try_from(stage.late().as_millis()).unwrap_or(i64::MAX),
            loss: stage.loss.map(json::LossRow::of),
        },
    };
    // Nothing in it can fail to be JSON.
    serde_json::to_vec(&event).unwrap_or_default()
}

/// Which recess says so.
fn source(instance: &str) -> String {
    format!("/recess/{}", utf8_percent_encode(instance, IN_A_URI))
}

fn seconds(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second())
        .unwrap_or(instant)
        .to_string()
}

fn token(name: &str) -> String {
    let fits = |c: char| !(c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>'));
    name.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect()
}
