//! iCalendar files (RFC 5545): read into events for exclusions, and written for people's calendars
//! (`ics/write.rs`).
//!
//! Pure: bytes in, events and mistakes out, each mistake with its line. Of a calendar only events
//! count; of an event, when it takes place and what it is called. `ics/property.rs` speaks icalendar
//! for single lines, `ics/recurrence.rs` speaks rrule. The invariant: what an event says about its
//! time is followed or refused, never passed over.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

mod component;
mod event;
mod length;
mod lines;
mod moment;
mod property;
mod recurrence;
#[cfg(test)]
mod tests;
mod write;

pub use write::{Entry, write};

/// So many events a calendar may have.
pub const MOST_EVENTS: usize = 10_000;

/// So often they may take place in all: each day for 270 years.
const MOST_OCCURRENCES: usize = 100_000;

/// Events that recur are followed up to this time of their zone.
pub const HORIZON: DateTime = date(2100, 1, 1).at(0, 0, 0, 0);

/// So many mistakes are reported; what follows is not read.
const MOST_MISTAKES: usize = 20;

/// How a calendar is to be understood.
pub struct Reader<'r> {
    /// The zone of whole days, and of times that name none.
    pub zone: &'r TimeZone,
    /// The zone of a name, or what to write instead.
    pub find_zone: &'r dyn Fn(&str) -> Result<TimeZone, String>,
    /// Whether an event of that summary counts. Nothing else is asked of one that does not.
    pub counts: &'r dyn Fn(&str) -> bool,
}

/// What a calendar holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The events that count and take place, in the order of the file.
    pub events: Vec<Event>,
    /// The summaries of all events, whether they count or not.
    pub summaries: Vec<Arc<str>>,
    /// What keeps the file from being used.
    pub mistakes: Vec<Remark>,
    /// What is odd about it.
    pub oddities: Vec<Remark>,
}

/// One event and when it takes place.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is called; may be empty.
    pub summary: Arc<str>,
    /// From when until when, each time.
    pub times: Vec<[Timestamp; 2]>,
    /// It recurs without an end; its times are those before [`HORIZON`].
    pub goes_on: bool,
}

/// Something to report about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line, counted from 1.
    pub line: usize,
    /// What is there.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Remark {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
            hint: None,
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Reads a calendar.
pub fn read(bytes: &[u8], reader: &Reader<'_>) -> Contents {
    let mut contents = Contents::default();
    let events = match component::events(bytes) {
        Ok(events) => events,
        Err(mistake) => {
            contents.mistakes.push(mistake);
            return contents;
        }
    };
    let mut room = MOST_OCCURRENCES;
    for raw in &events {
        if contents.mistakes.len() == MOST_MISTAKES {
            break;
        }
        let summary: Arc<str> = raw.summary().into();
        contents.summaries.push(summary.clone());
        if !(reader.counts)(&summary) {
            continue;
        }
        match event::times(raw, reader, room) {
            Ok(found) => {
                room = room.saturating_sub(found.times.len());
                contents.oddities.extend(found.oddity);
                contents.events.push(Event {
                    summary,
                    times: found.times,
                    goes_on: found.goes_on,
                });
            }
            Err(event::Refusal::Cancelled) => {}
            Err(event::Refusal::TooMany(mistake)) => {
                contents.mistakes.push(mistake);
                break;
            }
            Err(event::Refusal::Mistake(mistake)) => contents.mistakes.push(mistake),
        }
    }
    contents
}
