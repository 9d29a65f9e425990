//! An event as it is sent: a subject, and a CloudEvent 1.0 in JSON.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::Event;
use super::crowd::{Counts, NAMED};
use crate::consumer::ConsumerId;

/// What a URI may hold as it is, beside letters and digits.
const IN_A_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Debug, Serialize)]
struct CloudEvent<'e> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: &'e str,
    time: String,
    datacontenttype: &'static str,
    data: Data<'e>,
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
}

impl Event {
    /// `PREFIX.INSTANCE.WINDOW.KIND`. What a token of a subject cannot hold is an underscore there; the event itself has the
    /// names as they are.
    pub fn subject(&self, prefix: &str) -> String {
        let (instance, window) = (token(&self.instance), token(&self.window));
        format!("{prefix}.{instance}.{window}.{}", self.kind.as_str())
    }

    /// The same for every copy of recess that tells of it.
    pub fn id(&self) -> String {
        let instance = &self.instance;
        let opens = seconds(self.occurrence.opens);
        let kind = self.kind.as_str();
        let id = format!("{instance}/{}/{opens}/{kind}", self.window);
        match &self.consumer {
            Some(consumer) => format!("{id}/{}", consumer.path()),
            None => id,
        }
    }

    /// The message.
    pub fn to_json(&self) -> Vec<u8> {
        let consumers: Vec<String> = match &self.consumer {
            Some(consumer) => vec![consumer.path()],
            None => (self.crowd.names.iter().take(NAMED))
                .map(ConsumerId::path)
                .collect(),
        };
        let event = CloudEvent {
            specversion: "1.0",
            id: self.id(),
            source: format!("/recess/{}", utf8_percent_encode(&self.instance, IN_A_URI)),
            kind: format!("recess.window.{}", self.kind.as_str()),
            subject: &self.window,
            time: format!("{:.3}", self.at),
            datacontenttype: "application/json",
            data: Data {
                window: &self.window,
                opens: seconds(self.occurrence.opens),
                closes: seconds(self.occurrence.closes),
                consumers,
                counts: &self.crowd.counts,
                late_ms: i64::try_from(self.late().as_millis()).unwrap_or(i64::MAX),
            },
        };
        // Nothing in it can fail to be JSON.
        serde_json::to_vec(&event).unwrap_or_default()
    }
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
