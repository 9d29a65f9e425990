//! Times of day and dates as the config file writes them. Which of them a key takes depends on the
//! keys beside it, so they are read here and not with the types of the file.

use jiff::civil::{Date, DateTime, Time};

use super::length;
use crate::calendar::Boundary;
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{DateTimeValue, Placed};

/// A time of day, at which each opening of a rule closes.
pub fn time_of_day(value: &Placed<DateTimeValue>, findings: &mut Vec<Finding>) -> Option<Time> {
    let finding = match &value.value {
        DateTimeValue::Time(time) if time.subsec_nanosecond() == 0 => return Some(*time),
        DateTimeValue::Time(_) => fraction(value),
        DateTimeValue::Text(text) => match parse_time(text) {
            Ok(time) => return Some(time),
            Err(hint) => {
                let message = format!("{text:?} is not a time of day");
                value.place.error(code::BAD_TIME, message).hint(hint)
            }
        },
        DateTimeValue::Date(_) | DateTimeValue::Local(_) | DateTimeValue::Instant(_) => wrong_type(
            "a time of day",
            value,
            "with `schedule`, `until` is a time of day, as in until = \"03:30\"; for a date, write \
             `from` instead of `schedule`",
        ),
    };
    findings.push(finding);
    None
}

/// A whole day.
pub fn date(value: &Placed<DateTimeValue>, findings: &mut Vec<Finding>) -> Option<Date> {
    let hint = match &value.value {
        DateTimeValue::Date(date) => return Some(*date),
        DateTimeValue::Local(_) | DateTimeValue::Instant(_) => {
            "`dates` are whole days, as in 2026-12-25; for hours, write `from` and `until` instead"
        }
        DateTimeValue::Text(text) if is_date(text) => WITHOUT_QUOTES,
        DateTimeValue::Text(_) | DateTimeValue::Time(_) => {
            "write days without quotes, as in dates = [2026-12-25, 2026-12-26]"
        }
    };
    findings.push(wrong_type("a date", value, hint));
    None
}

/// A date and time, at which a one-off begins or ends.
pub fn date_time(value: &Placed<DateTimeValue>, findings: &mut Vec<Finding>) -> Option<Boundary> {
    const EXPECTED: &str = "a date and time";
    let finding = match &value.value {
        DateTimeValue::Local(civil) if civil.subsec_nanosecond() == 0 => {
            return Some(Boundary::Local(*civil));
        }
        DateTimeValue::Instant(instant) if instant.subsec_nanosecond() == 0 => {
            return Some(Boundary::Instant(*instant));
        }
        DateTimeValue::Local(_) | DateTimeValue::Instant(_) => fraction(value),
        DateTimeValue::Date(date) => {
            let hint = format!("write the time of day too, as in {date}T00:00:00");
            wrong_type(EXPECTED, value, &hint)
        }
        DateTimeValue::Text(text) if is_date(text) && text.len() > "2026-12-05".len() => {
            wrong_type(EXPECTED, value, WITHOUT_QUOTES)
        }
        DateTimeValue::Text(_) | DateTimeValue::Time(_) => wrong_type(
            EXPECTED,
            value,
            "write date and time without quotes, as in 2026-12-05T22:00:00",
        ),
    };
    findings.push(finding);
    None
}

/// One of the two ends of the time in which a rule is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    From,
    /// The first civil time that is not valid any more. A date's whole day counts.
    Until,
}

/// A civil time from which on, or until which, a rule is valid.
pub fn bound(
    value: &Placed<DateTimeValue>,
    bound: Bound,
    findings: &mut Vec<Finding>,
) -> Option<DateTime> {
    const EXPECTED: &str = "a date, or a date and time";
    let finding = match &value.value {
        DateTimeValue::Date(date) if bound == Bound::From => return Some(midnight(*date)),
        DateTimeValue::Date(date) => return Some(date.tomorrow().map_or(DateTime::MAX, midnight)),
        DateTimeValue::Local(civil) if civil.subsec_nanosecond() == 0 => return Some(*civil),
        DateTimeValue::Local(_) => fraction(value),
        DateTimeValue::Instant(_) => wrong_type(
            "a date, or a date and time without an offset",
            value,
            "it is in the window's time zone: remove the offset",
        ),
        DateTimeValue::Text(text) if is_date(text) => wrong_type(EXPECTED, value, WITHOUT_QUOTES),
        DateTimeValue::Text(_) | DateTimeValue::Time(_) => wrong_type(
            EXPECTED,
            value,
            "write the date without quotes, as in 2026-12-01 or 2026-12-01T06:00:00",
        ),
    };
    findings.push(finding);
    None
}

fn midnight(date: Date) -> DateTime {
    date.at(0, 0, 0, 0)
}

const NO_FRACTION: &str = "recess uses whole seconds: remove the fraction";

const WITHOUT_QUOTES: &str = "remove the quotes";

/// Whether it would be a date without the quotes around it.
fn is_date(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4
        && text
            .get(..10)
            .is_some_and(|date| date.parse::<Date>().is_ok())
}

fn wrong_type(expected: &str, value: &Placed<DateTimeValue>, hint: &str) -> Finding {
    let found = match value.value {
        DateTimeValue::Text(_) => "text",
        DateTimeValue::Time(_) => "a time of day",
        DateTimeValue::Date(_) => "a date without a time",
        DateTimeValue::Local(_) => "a date and time",
        DateTimeValue::Instant(_) => "a date and time with an offset",
    };
    let message = format!("expected {expected}, found {found}");
    value.place.error(code::WRONG_TYPE, message).hint(hint)
}

fn fraction(value: &Placed<DateTimeValue>) -> Finding {
    (value
        .place
        .error(code::BAD_TIME, "it has a fraction of a second"))
    .hint("recess uses whole seconds: remove the fraction")
}

/// `HH:MM` or `HH:MM:SS`; or the fix.
pub fn parse_time(text: &str) -> Result<Time, String> {
    if let Some(time) = exact_time(text) {
        return Ok(time);
    }
    // What was meant, where only digits or blanks are wrong.
    let parts = text.trim().split(':').map(|part| match part.len() {
        1 => format!("0{part}"),
        _ => part.to_owned(),
    });
    let full = parts.collect::<Vec<_>>().join(":");
    Err(if exact_time(&full).is_some() {
        format!("write \"{full}\"")
    } else if matches!(full.as_str(), "24:00" | "24:00:00") {
        "midnight is \"00:00\"".to_owned()
    } else if text.contains(':') && text.contains(['.', ',']) {
        NO_FRACTION.to_owned()
    } else if length::parse(text).is_ok() {
        format!("for a length, write duration = {text:?}; for a time of day, until = \"03:30\"")
    } else {
        "write hours from 00 to 23 and minutes, as in \"03:30\"; seconds may follow, as in \
         \"03:30:15\""
            .to_owned()
    })
}

fn exact_time(text: &str) -> Option<Time> {
    let part = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i8>().ok()).flatten()
    };
    let parts = text.split(':').map(part).collect::<Option<Vec<i8>>>()?;
    match parts.as_slice() {
        [hour, minute] => Time::new(*hour, *minute, 0, 0).ok(),
        [hour, minute, second] => Time::new(*hour, *minute, *second, 0).ok(),
        _ => None,
    }
}
