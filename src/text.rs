//! How times, lengths of time and long lists are written, and instants read: one way each, whichever
//! view shows them.
//!
//! A program gets instants in UTC, as RFC 3339 has them. A person gets wall-clock times, with the
//! weekday, as windows are made of weekdays, and with the zone, unless a heading names it.

use std::fmt::Display;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

#[cfg(test)]
mod tests;

/// An instant for programs and in sentences: UTC, in whole seconds, so without the mark.
/// `2026-12-01T02:30:00Z`
pub fn utc(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second())
        .unwrap_or(at)
        .to_string()
}

/// The same as an adverbial of a sentence: `at 2026-12-01T02:30:00Z`, or `at about ..` of an
/// estimate.
pub fn at_or_about(at: Timestamp, exact: bool) -> String {
    let about = if exact { "" } else { "about " };
    format!("at {about}{}", utc(at))
}

/// The same by the clocks of a zone, for programs: `2026-12-01T03:30:00+01:00`
pub fn with_offset(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// An instant by the clocks of a zone: `Tue 2026-12-01 03:30:00 CET`
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime("%a %Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The same to the minute: `Tue 2026-12-01 03:30 CET`
pub fn local_minute(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

/// For a column whose heading says that it is in UTC: `Tue 2026-12-01 02:30:00`
pub fn utc_cell(at: Timestamp) -> String {
    date_time(Offset::UTC.to_datetime(at))
}

/// The same with seconds only if there are some: `Tue 2026-12-01 03:30 CET`
pub fn short_local(at: &Zoned) -> String {
    format!("{} {}", day(at.date()), short_time(at))
}

/// What a wall clock shows: `Tue 2026-12-01 03:30:00`
pub fn date_time(civil: DateTime) -> String {
    civil.strftime("%a %Y-%m-%d %H:%M:%S").to_string()
}

/// The same to the minute: `Tue 2026-12-01 03:30`
pub fn date_minute(civil: DateTime) -> String {
    civil.strftime("%a %Y-%m-%d %H:%M").to_string()
}

/// What a wall clock shows, where the weekday says nothing: `2026-12-01 03:30`
pub fn minute(civil: DateTime) -> String {
    civil.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The date in UTC: `2026-12-01`
pub fn utc_date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `Tue 2026-12-01`
pub fn day(date: Date) -> String {
    date.strftime("%a %Y-%m-%d").to_string()
}

/// `Tue`
pub fn weekday(date: Date) -> String {
    date.strftime("%a").to_string()
}

/// The time of a day, beside the day: `03:30:00 CET`
pub fn time(at: &Zoned) -> String {
    at.strftime("%H:%M:%S %Z").to_string()
}

/// The same with seconds only if there are some: `03:30 CET`
pub fn short_time(at: &Zoned) -> String {
    format!("{} {}", time_of_day(at.time()), at.strftime("%Z"))
}

/// A time of day as the config file writes it, with seconds only if there are some: `03:30`
pub fn time_of_day(time: Time) -> String {
    let format = if time.second() == 0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    time.strftime(format).to_string()
}

/// The time of day in UTC, in front of what is read as it happens: `02:30:00Z`
pub fn utc_time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// A length of whole seconds as the config file writes it: `7d`, `1h 30m`.
pub fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    if seconds == 0 {
        return "0s".to_owned();
    }
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    parts.join(" ")
}

/// The time between two instants, whichever of them is the later one: `1h 30m`.
pub fn span(span: SignedDuration) -> String {
    length(span.unsigned_abs())
}

/// The same, with seconds only below an hour: `2h`, `1d 30m`.
pub fn rounded_span(span: SignedDuration) -> String {
    let seconds = span.as_secs().unsigned_abs();
    length(Duration::from_secs(if seconds >= 3600 {
        seconds - seconds % 60
    } else {
        seconds
    }))
}

/// The same in a sentence, by its two largest units: `1 h 19 m`, `45 s`, `3 d 2 h`.
pub fn spaced(span: SignedDuration) -> String {
    let rounded = length(span.unsigned_abs());
    let largest: Vec<&str> = rounded.split(' ').take(2).collect();
    let mut spaced = String::new();
    for letter in largest.join(" ").chars() {
        if letter.is_ascii_alphabetic() {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    spaced
}

/// The time until an instant as a wall clock without seconds has it: at 02:41:50 it is `1 h 19 m`
/// until 04:00.
pub fn countdown(until: Timestamp, now: Timestamp) -> String {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let ahead = minute(until).saturating_sub(minute(now)).max(1);
    spaced(SignedDuration::from_secs(ahead.saturating_mul(60)))
}

/// An instant beside a clock that shows `now`, as people say it: the time alone on the same day,
/// with the day on others, with the year in others. `04:00`, `Sat 27 Mar 01:30`
pub fn beside(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let time = time_of_day(at.time());
    if at.date() == now.date() {
        return time;
    }
    let year = match at.year() == now.year() {
        true => String::new(),
        false => format!(" {}", at.year()),
    };
    format!("{}{year} {time}", day_month(at.date()))
}

/// The same with the zone: `04:00 CET`
pub fn beside_with_zone(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    format!("{} {}", beside(at, now, zone), abbreviation(at, zone))
}

/// What a zone is called at an instant: `CET`
pub fn abbreviation(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Z").to_string()
}

/// `Sat 27 Mar`
pub fn day_month(date: Date) -> String {
    date.strftime("%a %-d %b").to_string()
}

/// A number for people, in groups of three digits: `88 310`. The blanks do not break a line.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many there are, for people: [`grouped`].
pub fn count(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}

/// A text with [`grouped`] numbers for those who break lines by themselves, or not at all.
pub fn with_plain_blanks(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// An argument of a command to type, which a shell takes as it is: in quotes if it needs them.
pub fn shell_argument(argument: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=+,@%".contains(letter);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// By how much two clocks differ, whichever is ahead: `1.1 s`, `3m 20s`, `11574d 1h`.
pub fn clock_offset(offset: SignedDuration) -> String {
    if offset.abs() < SignedDuration::from_mins(2) {
        return format!("{:.1} s", offset.as_secs_f64().abs());
    }
    rounded_span(offset)
}

/// The first `most` of many, and how many there are beyond those.
pub fn first_few<T>(all: impl IntoIterator<Item = T>, most: usize) -> (Vec<T>, usize) {
    let mut all = all.into_iter();
    let few = all.by_ref().take(most).collect();
    (few, all.count())
}

/// Many names as a list of the first few: `a, b and 7 more`.
pub fn names<T: Display>(all: impl IntoIterator<Item = T>, most: usize) -> String {
    match first_few(all, most) {
        (few, 0) => joined(few, ", "),
        (few, more) => format!("{} and {more} more", joined(few, ", ")),
    }
}

/// The same of what holds commas itself: `a; b; and 7 more`.
pub fn clauses<T: Display>(all: impl IntoIterator<Item = T>, most: usize) -> String {
    match first_few(all, most) {
        (few, 0) => joined(few, "; "),
        (few, more) => format!("{}; and {more} more", joined(few, "; ")),
    }
}

fn joined<T: Display>(all: Vec<T>, separator: &str) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(separator)
}

/// How an instant is written.
const INSTANT: &str = "write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00";

/// An instant as a person writes it, on the command line or in an address. One without a zone is
/// refused: some tools would read it as UTC and some as local.
///
/// # Errors
/// What to write instead.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if text.contains('[') {
        return Err(format!("a zone name is not supported here: {INSTANT}"));
    }
    match text.parse::<DateTime>() {
        Ok(local) => Err(format!(
            "it has no zone: write {local}Z for UTC, or an offset as in {local}+01:00"
        )),
        Err(_) if text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit()) => {
            Err(format!("there is no such day, time or offset: {INSTANT}"))
        }
        Err(_) => Err(INSTANT.to_owned()),
    }
}
