//! The events of a file: what stands between `BEGIN:VEVENT` and `END:VEVENT`, without what is nested
//! in it. Zones (`VTIMEZONE`), tasks and journals are passed over: they take no time.

use super::lines::lines;
use super::property::{self, Property};
use super::{MOST_EVENTS, Remark};

/// An event as it is written.
pub struct Component {
    /// Where it begins.
    pub line: usize,
    pub properties: Vec<Property>,
}

impl Component {
    /// What it is called.
    pub fn summary(&self) -> &str {
        let mut properties = self.properties.iter();
        let summary = properties.find(|property| property.name == "SUMMARY");
        summary.map_or("", |summary| summary.value.trim())
    }
}

/// What says when an event takes place, whether it does, and what it is called. The rest is not
/// even read.
const OF_INTEREST: [&str; 10] = [
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "RECURRENCE-ID",
    "STATUS",
    "SUMMARY",
];

/// All events, in the order of the file. What is wrong with the file as a whole ends the reading.
pub fn events(bytes: &[u8]) -> Result<Vec<Component>, Remark> {
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut events: Vec<Component> = Vec::new();
    for line in lines(bytes) {
        let line = line?;
        let Some(name) = property::name(&line.text) else {
            return Err(match open.is_empty() {
                true => not_a_calendar(line.number),
                false => Remark::new(line.number, "it cannot be read")
                    .hint("a line is NAME:VALUE; a line that goes on begins with a blank"),
            });
        };
        let kind = || {
            let (_, kind) = line.text.split_once(':').unwrap_or_default();
            kind.trim().to_ascii_uppercase()
        };
        if name.eq_ignore_ascii_case("BEGIN") {
            let kind = kind();
            if open.is_empty() && kind != "VCALENDAR" {
                return Err(not_a_calendar(line.number));
            }
            if kind == "VEVENT" && open.len() == 1 {
                if events.len() == MOST_EVENTS {
                    let message = format!("it has more than {MOST_EVENTS} events");
                    return Err(Remark::new(line.number, message)
                        .hint("leave out past years, or use several calendars"));
                }
                events.push(Component {
                    line: line.number,
                    properties: Vec::new(),
                });
            }
            open.push((kind, line.number));
        } else if name.eq_ignore_ascii_case("END") {
            let kind = kind();
            match open.pop() {
                Some((begun, _)) if begun == kind => {}
                Some((begun, at)) => {
                    let message = format!("END:{kind} closes {begun}, which begins in line {at}");
                    return Err(Remark::new(line.number, message).hint("fetch the file again"));
                }
                None => return Err(not_a_calendar(line.number)),
            }
        } else if open.is_empty() {
            return Err(not_a_calendar(line.number));
        } else if let [_, (kind, _)] = open.as_slice()
            && kind == "VEVENT"
            && OF_INTEREST
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            && let Some(event) = events.last_mut()
        {
            event.properties.push(Property::read(&line)?);
        }
    }
    match open.pop() {
        Some((kind, line)) => Err(Remark::new(
            line,
            format!("{kind} has no END: the file is cut off"),
        )
        .hint("fetch the file again")),
        None => Ok(events),
    }
}

fn not_a_calendar(line: usize) -> Remark {
    Remark::new(line, "it is not an iCalendar file").hint("such a file begins with BEGIN:VCALENDAR")
}
