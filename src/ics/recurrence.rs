//! Recurrence rules: `FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO`. The one file that speaks rrule.
//!
//! A rule names civil times. They are found in UTC, which has no daylight saving, and so rrule never
//! meets any of it, nor its own older copy of the time zone database.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rrule::{RRuleSet, RRuleSetIter};

use super::HORIZON;
use super::Remark;
use super::moment::Written;
use super::property::Property;

/// The beginnings of an event that recurs, in order, those before [`HORIZON`].
pub struct Recurrence {
    starts: RRuleSetIter,
    /// There is no last one.
    pub goes_on: bool,
}

/// What a rule may say. A day is the smallest step, so hours and below are none of it.
const KNOWN: [&str; 11] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYDAY",
    "BYSETPOS",
];

const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

const EXAMPLE: &str = "a rule is as in FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO";

/// The rule of an event that begins at `start`. `zone`: that of its times, `None` if it lasts whole
/// days.
pub fn recurrence(
    property: &Property,
    start: DateTime,
    zone: Option<&TimeZone>,
) -> Result<Recurrence, Remark> {
    let text = property.value.trim().to_ascii_uppercase();
    let mut rule = String::new();
    let (mut frequency, mut goes_on) = (None, true);
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else {
            let message = format!("{:?} is not a recurrence rule", property.value);
            let hint = format!("{EXAMPLE}; if the event does not recur, remove the line");
            return Err(property.mistake(message).hint(hint));
        };
        if !KNOWN.contains(&key) {
            let hint = format!("recess follows {}", KNOWN.join(", "));
            return Err(property
                .mistake(format!("{key} is not supported"))
                .hint(hint));
        }
        let value = match key {
            "FREQ" => {
                frequency = Some(value);
                value.to_owned()
            }
            "UNTIL" => until(property, value, zone)?,
            _ => value.to_owned(),
        };
        goes_on &= !matches!(key, "UNTIL" | "COUNT");
        if matches!(key, "INTERVAL" | "COUNT") && value.bytes().all(|byte| byte == b'0') {
            let message = format!("{key} must be 1 or more");
            return Err(property
                .mistake(message)
                .hint("if the event does not recur, remove the line"));
        }
        rule += &format!(";{key}={value}");
    }
    if let Some(other) = frequency.filter(|one| !FREQUENCIES.contains(one)) {
        let hint = format!("recess follows {}", FREQUENCIES.join(", "));
        return Err(property
            .mistake(format!("FREQ={other} is not supported"))
            .hint(hint));
    }
    let rule = rule.trim_start_matches(';');
    let start_text = start.strftime("%Y%m%dT%H%M%SZ");
    let set: RRuleSet = (format!("DTSTART:{start_text}\nRRULE:{rule}").parse())
        .map_err(|error| property.mistake(format!("{error}")).hint(EXAMPLE))?;
    // Without the limit a rule that matches nothing is followed for thousands of years.
    let starts = set.limit().into_iter();
    Ok(Recurrence { starts, goes_on })
}

/// The last civil time, in rrule's words.
fn until(property: &Property, text: &str, zone: Option<&TimeZone>) -> Result<String, Remark> {
    let civil = match (Written::parse(text), zone) {
        (Some(Written::Date(date)), None) => date.at(0, 0, 0, 0),
        (Some(Written::Utc(civil)), Some(zone)) => {
            let instant = TimeZone::UTC.to_timestamp(civil);
            instant.map_or(civil, |instant| zone.to_datetime(instant))
        }
        (Some(Written::Local(civil)), Some(_)) => civil,
        (Some(_), _) => {
            let hint = match zone {
                None => "the event lasts whole days, so write a date, as in UNTIL=20271231",
                Some(_) => "the event has times, so write one in UTC, as in UNTIL=20271231T225959Z",
            };
            return Err(property
                .mistake(format!("UNTIL={text} does not fit DTSTART"))
                .hint(hint));
        }
        (None, _) => {
            let hint = "write 20271231, or 20271231T225959Z for an event with times";
            let message = format!("UNTIL={text} is not a date or a time");
            return Err(property.mistake(message).hint(hint));
        }
    };
    Ok(civil.strftime("%Y%m%dT%H%M%SZ").to_string())
}

impl Iterator for Recurrence {
    type Item = DateTime;

    fn next(&mut self) -> Option<DateTime> {
        let found = Timestamp::from_second(self.starts.next()?.timestamp()).ok()?;
        Some(TimeZone::UTC.to_datetime(found)).filter(|civil| *civil < HORIZON)
    }
}
