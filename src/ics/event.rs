//! When an event takes place.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::component::Component;
use super::length::Length;
use super::moment::{Moment, midnight};
use super::property::Property;
use super::recurrence::recurrence;
use super::{HORIZON, MOST_OCCURRENCES, Reader, Remark};
use crate::calendar::icalendar_instant;

/// When, and what is odd about it.
pub struct Times {
    pub times: Vec<[Timestamp; 2]>,
    pub goes_on: bool,
    pub oddity: Option<Remark>,
}

/// Why an event does not count.
pub enum Refusal {
    /// It says so itself.
    Cancelled,
    /// There is no room for its occurrences.
    TooMany(Remark),
    Mistake(Remark),
}

impl From<Remark> for Refusal {
    fn from(mistake: Remark) -> Self {
        Self::Mistake(mistake)
    }
}

/// The one property of that name.
fn one<'c>(event: &'c Component, name: &str) -> Result<Option<&'c Property>, Remark> {
    let mut all = event.properties.iter().filter(|one| one.name == name);
    let first = all.next();
    match all.next() {
        Some(second) => Err(second
            .mistake("the event has two of it")
            .hint("remove one of them")),
        None => Ok(first),
    }
}

/// When it takes place. `room`: so many occurrences are left for it.
pub fn times(event: &Component, reader: &Reader<'_>, room: usize) -> Result<Times, Refusal> {
    for name in ["RECURRENCE-ID", "EXRULE"] {
        if let Some(property) = one(event, name)? {
            let hint = "recess follows RRULE, RDATE and EXDATE: write the exception as EXDATE, and \
                        what takes its place as an event of its own";
            return Err(property.mistake("it is not supported").hint(hint).into());
        }
    }
    let status = one(event, "STATUS")?;
    if status.is_some_and(|status| status.value.trim().eq_ignore_ascii_case("CANCELLED")) {
        return Err(Refusal::Cancelled);
    }
    let Some(start) = one(event, "DTSTART")? else {
        let hint = "add when it begins, as in DTSTART;VALUE=DATE:20261225";
        return Err(Remark::new(event.line, "the event has no DTSTART")
            .hint(hint)
            .into());
    };
    let begins = Moment::one(start, reader)?;
    let (length, oddity) = length(event, &begins, reader)?;
    let (mut moments, goes_on) = recurring(event, start, &begins, room)?;
    for property in event.properties.iter().filter(|one| one.name == "RDATE") {
        moments.extend(like(&begins, property, reader)?);
    }
    let mut left_out: HashSet<Timestamp> = HashSet::new();
    for property in event.properties.iter().filter(|one| one.name == "EXDATE") {
        let moments = like(&begins, property, reader)?.into_iter();
        left_out.extend(moments.map(|moment| moment.instant(reader.zone)));
    }
    let times = (moments.into_iter())
        .map(|moment| (moment.instant(reader.zone), moment))
        .filter(|(begins, _)| !left_out.contains(begins))
        .map(|(begins, moment)| [begins, length.end(begins, &moment, reader.zone)])
        .collect();
    Ok(Times {
        times,
        goes_on,
        oddity,
    })
}

/// The beginnings that `DTSTART` and `RRULE` name, and whether they go on without an end.
fn recurring(
    event: &Component,
    start: &Property,
    begins: &Moment,
    room: usize,
) -> Result<(Vec<Moment>, bool), Refusal> {
    let Some(rule) = one(event, "RRULE")? else {
        return Ok((vec![begins.clone()], false));
    };
    let (first, zone) = match begins {
        Moment::Day(date) => (date.at(0, 0, 0, 0), None),
        Moment::Time(civil, zone) => (*civil, Some(zone)),
    };
    if first >= HORIZON {
        let message = "a rule is followed to the end of 2099, and this one begins later";
        return Err(rule.mistake(message).hint("remove the rule").into());
    }
    let mut recurrence = recurrence(rule, first, zone)?;
    let as_moment = |civil: DateTime| match zone {
        None => Moment::Day(civil.date()),
        Some(zone) => Moment::Time(civil, zone.clone()),
    };
    let moments: Vec<Moment> = (recurrence.by_ref().take(room)).map(as_moment).collect();
    if moments.len() == room {
        let message = format!("the events take place more than {MOST_OCCURRENCES} times");
        let hint = "end the rule with UNTIL, or write fewer events";
        return Err(Refusal::TooMany(rule.mistake(message).hint(hint)));
    }
    // What such an event means is left open by RFC 5545 (3.8.5.3), and programs differ.
    if !moments.first().is_some_and(|moment| moment.is(first)) {
        let message = "the rule does not name the day of DTSTART";
        let hint = format!("let DTSTART be the first day that {:?} names", rule.value);
        return Err(start.mistake(message).hint(hint).into());
    }
    Ok((moments, recurrence.goes_on))
}

impl Moment {
    fn is(&self, civil: DateTime) -> bool {
        match self {
            Self::Day(date) => date.at(0, 0, 0, 0) == civil,
            Self::Time(own, _) => *own == civil,
        }
    }

    fn is_day(&self) -> bool {
        matches!(self, Self::Day(_))
    }
}

/// The moments of a property, which are days if the event begins with a day, and times if not.
fn like(begins: &Moment, property: &Property, reader: &Reader<'_>) -> Result<Vec<Moment>, Remark> {
    let moments = Moment::all(property, reader)?;
    match moments
        .iter()
        .all(|moment| moment.is_day() == begins.is_day())
    {
        true => Ok(moments),
        false => Err(unlike(property, begins)),
    }
}

fn unlike(property: &Property, begins: &Moment) -> Remark {
    match begins.is_day() {
        true => (property.mistake("it has a time, and DTSTART is a whole day"))
            .hint("write a date, as in 20261225"),
        false => (property.mistake("it is a whole day, and DTSTART has a time"))
            .hint("write a date and a time, as in 20261224T180000"),
    }
}

/// How long an event lasts, and what is odd about that.
fn length(
    event: &Component,
    begins: &Moment,
    reader: &Reader<'_>,
) -> Result<(Length, Option<Remark>), Remark> {
    const DAY: Length = Length {
        days: 1,
        ..Length::NONE
    };
    let end = one(event, "DTEND")?;
    let length = match (end, one(event, "DURATION")?) {
        (Some(_), Some(duration)) => {
            let message = "DTEND already defines the end";
            return Err(duration
                .mistake(message)
                .hint("keep one of: DTEND, DURATION"));
        }
        (Some(end), None) => until(begins, end, reader)?,
        (None, Some(duration)) => for_so_long(begins, duration)?,
        (None, None) if begins.is_day() => DAY,
        (None, None) => Length::NONE,
    };
    if length != Length::NONE {
        return Ok((length, None));
    }
    match end {
        Some(end) if begins.is_day() => {
            let message = "it is the day of DTSTART, and the day of DTEND does not count: recess \
                           takes the event for one day";
            let hint = "the DTEND of a day is the next day";
            Ok((DAY, Some(end.mistake(message).hint(hint))))
        }
        _ => {
            let hint = "give it a DTEND after its DTSTART, or leave it out with `events`";
            Err(Remark::new(event.line, "the event lasts no time").hint(hint))
        }
    }
}

/// From the beginning to `DTEND`: for days so many of them, else elapsed time, which is also that of
/// each recurrence (RFC 5545, 3.8.5.3).
fn until(begins: &Moment, end: &Property, reader: &Reader<'_>) -> Result<Length, Remark> {
    let length = match (begins, Moment::one(end, reader)?) {
        (Moment::Day(first), Moment::Day(last)) => Length {
            days: i64::from((last - *first).get_days()),
            ..Length::NONE
        },
        (Moment::Time(..), last @ Moment::Time(..)) => {
            let (first, last) = (begins.instant(reader.zone), last.instant(reader.zone));
            Length {
                time: last.duration_since(first),
                ..Length::NONE
            }
        }
        (Moment::Day(_), Moment::Time(..)) | (Moment::Time(..), Moment::Day(_)) => {
            return Err(unlike(end, begins));
        }
    };
    if length.days < 0 || length.time.is_negative() {
        return Err((end.mistake("it is before DTSTART")).hint("exchange the two"));
    }
    Ok(length)
}

fn for_so_long(begins: &Moment, duration: &Property) -> Result<Length, Remark> {
    let text = duration.value.trim().to_ascii_uppercase();
    let hint = "write P1D for a day, P1W for a week, PT2H30M for two and a half hours";
    let Some(length) = Length::parse(&text) else {
        return Err((duration.mistake(format!("{text:?} is not a length of time"))).hint(hint));
    };
    if begins.is_day() && !length.time.is_zero() {
        let message = format!("{text:?} has hours, and DTSTART is a whole day");
        return Err(duration.mistake(message).hint("write days, as in P1D"));
    }
    Ok(length)
}

impl Length {
    /// When an event ends that begins then.
    fn end(self, begins: Timestamp, moment: &Moment, days: &TimeZone) -> Timestamp {
        let span = jiff::Span::new().try_days(self.days).unwrap_or_default();
        let end = match moment {
            Moment::Day(date) => {
                let end = date.checked_add(span).unwrap_or(jiff::civil::Date::MAX);
                midnight(end, days)
            }
            Moment::Time(civil, zone) if self.days != 0 => {
                icalendar_instant(zone, civil.checked_add(span).unwrap_or(DateTime::MAX))
            }
            Moment::Time(..) => begins,
        };
        end.checked_add(self.time).unwrap_or(Timestamp::MAX)
    }
}
