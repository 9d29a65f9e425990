//! The words of charts and tables.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text;

/// What a bar shows: `nightly-vacuum: Fri 26 Mar 01:30 to Fri 26 Mar 03:30 CET, is open`
pub(super) fn title(
    name: &str,
    (from, until): (Timestamp, Timestamp),
    what: &str,
    zone: &TimeZone,
) -> String {
    let day = |at: Timestamp| {
        let at = at.to_zoned(zone.clone());
        let day = text::day_month(at.date());
        format!("{day} {}", text::time_of_day(at.time()))
    };
    let abbreviation = text::abbreviation(until, zone);
    format!(
        "{name}: {} to {} {abbreviation}, {what}",
        day(from),
        day(until)
    )
}

/// From when until when, with days unless both are today or the end is on the same day:
/// `22:00 – 04:00`, `Sat 27 Mar 03:00 – Mon 29 Mar 12:00`
pub(super) fn from_to(
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let is_short = until.duration_since(from).as_hours() < 24;
    if is_short {
        // The chart's days show which day it is.
        let time = |at: Timestamp| text::time_of_day(at.to_zoned(zone.clone()).time());
        return format!("{} – {}", time(from), time(until));
    }
    let (from, until) = (
        text::beside(from, now, zone),
        text::beside(until, now, zone),
    );
    format!("{from} – {until}")
}

/// A name in so many letters.
pub(super) fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(letters.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Of a zone's name what people say: `New York`
pub(super) fn city(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    let city = name.rsplit('/').next().unwrap_or(name);
    city.replace('_', " ")
}
