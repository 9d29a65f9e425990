//! Dates and times as events have them: `20261225`, `20261224T180000`, `20261224T170000Z`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::property::Property;
use super::{Reader, Remark};
use crate::calendar::icalendar_instant;

/// A date or a time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Date(Date),
    /// By the clocks of some zone.
    Local(DateTime),
    Utc(DateTime),
}

impl Written {
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            None => return day(text).map(Self::Date),
            Some((date, time)) => (date, time),
        };
        let (time, is_utc) = match time.strip_suffix('Z') {
            Some(time) => (time, true),
            None => (time, false),
        };
        let civil = day(date)?.to_datetime(time_of_day(time)?);
        Some(match is_utc {
            true => Self::Utc(civil),
            false => Self::Local(civil),
        })
    }
}

fn day(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, [4, 2, 2])?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn time_of_day(text: &str) -> Option<Time> {
    let [hour, minute, second] = numbers(text, [2, 2, 2])?;
    let (hour, minute) = (hour.try_into().ok()?, minute.try_into().ok()?);
    Time::new(hour, minute, second.try_into().ok()?, 0).ok()
}

/// Numbers of so many digits each, one behind the other.
fn numbers(text: &str, digits: [usize; 3]) -> Option<[i16; 3]> {
    let mut rest = text;
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let (these, behind) = rest.split_at_checked(digits)?;
        if !these.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = these.parse().ok()?;
        rest = behind;
    }
    rest.is_empty().then_some(numbers)
}

/// When something begins, ends, is added or left out.
#[derive(Clone, Debug)]
pub enum Moment {
    Day(Date),
    Time(DateTime, TimeZone),
}

impl Moment {
    /// The instant of it; of a day its first.
    pub fn instant(&self, days: &TimeZone) -> Timestamp {
        match self {
            Self::Day(date) => midnight(*date, days),
            Self::Time(civil, zone) => icalendar_instant(zone, *civil),
        }
    }

    /// What the property says of one moment, or of several, with commas between them.
    pub fn all(property: &Property, reader: &Reader<'_>) -> Result<Vec<Self>, Remark> {
        let values = property.value.split(',');
        values
            .map(|text| Self::of(property, text.trim(), reader))
            .collect()
    }

    fn of(property: &Property, text: &str, reader: &Reader<'_>) -> Result<Self, Remark> {
        let expected = property.parameter("VALUE").map(str::to_ascii_uppercase);
        if let Some(kind @ ("PERIOD" | "TEXT")) = expected.as_deref() {
            let message = format!("{kind} is not supported");
            return Err(property
                .mistake(message)
                .hint("write dates, or dates and times"));
        }
        let wrong = || {
            let hint = "write 20261225, 20261224T180000, or 20261224T170000Z for UTC";
            (property.mistake(format!("{text:?} is not a date or a time"))).hint(hint)
        };
        let written = Written::parse(text).ok_or_else(wrong)?;
        let is_day = matches!(written, Written::Date(_));
        let as_told = match expected.as_deref() {
            Some("DATE") => is_day,
            Some("DATE-TIME") => !is_day,
            _ => true,
        };
        if !as_told {
            return Err(wrong());
        }
        match (written, property.parameter("TZID")) {
            // A whole day is one of the zone that is read for, whatever zone is named beside it.
            (Written::Date(date), _) => Ok(Self::Day(date)),
            (Written::Utc(civil), None) => Ok(Self::Time(civil, TimeZone::UTC)),
            (Written::Utc(_), Some(zone)) => {
                let message = format!("{text:?} is in UTC, and TZID names {zone:?}");
                Err(property.mistake(message).hint("remove the Z, or TZID"))
            }
            (Written::Local(civil), None) => Ok(Self::Time(civil, reader.zone.clone())),
            (Written::Local(civil), Some(name)) => {
                let zone = (reader.find_zone)(name).map_err(|hint| {
                    let message = format!("TZID {name:?} is not a time zone");
                    property.mistake(message).hint(hint)
                })?;
                Ok(Self::Time(civil, zone))
            }
        }
    }

    /// The same, of a property that has one moment.
    pub fn one(property: &Property, reader: &Reader<'_>) -> Result<Self, Remark> {
        Self::of(property, property.value.trim(), reader)
    }
}

/// The first instant of a day.
pub fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    crate::calendar::Boundary::Local(date.at(0, 0, 0, 0)).opening(zone)
}
