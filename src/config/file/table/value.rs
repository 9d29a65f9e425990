//! The values that keys can have, by type.

use std::ops::Range;

use jiff::civil::{Date, Time};
use jiff::tz;
use toml::Spanned;
use toml::de::DeValue;
use toml::value::{Datetime, Offset};

use crate::config::file::findings::Place;
use crate::config::file::raw::{Condition, Conditions, DateTimeValue, Placed, Texts};

/// A value that a key can have.
pub(in crate::config) trait Value: Sized {
    fn read(value: &Spanned<DeValue<'_>>, place: &Place) -> Result<Self, WrongType>;
}

pub(in crate::config) struct WrongType {
    pub expected: &'static str,
    pub found: &'static str,
    pub span: Range<usize>,
}

impl WrongType {
    fn new(expected: &'static str, value: &Spanned<DeValue<'_>>) -> Self {
        Self {
            expected,
            found: name_of(value.get_ref()),
            span: value.span(),
        }
    }
}

impl Value for String {
    fn read(value: &Spanned<DeValue<'_>>, _: &Place) -> Result<Self, WrongType> {
        let text = value.get_ref().as_str();
        text.map(str::to_owned)
            .ok_or_else(|| WrongType::new("text in quotes", value))
    }
}

impl Value for bool {
    fn read(value: &Spanned<DeValue<'_>>, _: &Place) -> Result<Self, WrongType> {
        let wrong = || WrongType::new("true or false, without quotes", value);
        value.get_ref().as_bool().ok_or_else(wrong)
    }
}

impl Value for i64 {
    /// A number too big for 64 bits reads as the biggest there is, which no key accepts.
    fn read(value: &Spanned<DeValue<'_>>, _: &Place) -> Result<Self, WrongType> {
        let wrong = || WrongType::new("a whole number, without quotes", value);
        let number = value.get_ref().as_integer().ok_or_else(wrong)?;
        let too_big = if number.as_str().starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        };
        Ok(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(too_big))
    }
}

impl Value for DateTimeValue {
    fn read(value: &Spanned<DeValue<'_>>, _: &Place) -> Result<Self, WrongType> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Self::Text(text.to_string())),
            DeValue::Datetime(written) => date_or_time(written).ok_or_else(|| {
                let leaps = written.time.and_then(|time| time.second) == Some(60);
                WrongType {
                    expected: "a date or time that recess supports",
                    found: if leaps {
                        "a leap second"
                    } else {
                        "one out of range"
                    },
                    span: value.span(),
                }
            }),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => Err(WrongType::new("a date or a time", value)),
        }
    }
}

/// The same in jiff's types. `None` for a leap second, and at the far ends of time.
fn date_or_time(written: &Datetime) -> Option<DateTimeValue> {
    let date = |date: toml::value::Date| {
        let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
        Date::new(i16::try_from(date.year).ok()?, month, day).ok()
    };
    let time = |time: toml::value::Time| {
        let (hour, minute) = (
            i8::try_from(time.hour).ok()?,
            i8::try_from(time.minute).ok()?,
        );
        let second = i8::try_from(time.second.unwrap_or(0)).ok()?;
        let nanosecond = i32::try_from(time.nanosecond.unwrap_or(0)).ok()?;
        Time::new(hour, minute, second, nanosecond).ok()
    };
    Some(match (written.date, written.time, written.offset) {
        (None, Some(of_day), None) => DateTimeValue::Time(time(of_day)?),
        (Some(day), None, None) => DateTimeValue::Date(date(day)?),
        (Some(day), Some(of_day), None) => {
            DateTimeValue::Local(date(day)?.to_datetime(time(of_day)?))
        }
        (Some(day), Some(of_day), Some(offset)) => {
            let minutes = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i32::from(minutes),
            };
            let offset = tz::Offset::from_seconds(minutes * 60).ok()?;
            let civil = date(day)?.to_datetime(time(of_day)?);
            DateTimeValue::Instant(offset.to_timestamp(civil).ok()?)
        }
        _ => return None,
    })
}

/// A value that a list can hold.
pub(in crate::config) trait Element: Value {
    /// What such a list is called.
    const LIST: &'static str;
}

impl Element for String {
    const LIST: &'static str = "a list of texts in quotes";
}

impl Element for DateTimeValue {
    const LIST: &'static str = "a list of dates";
}

/// Each element with its own place.
impl<T: Element> Value for Vec<Placed<T>> {
    fn read(value: &Spanned<DeValue<'_>>, place: &Place) -> Result<Self, WrongType> {
        let elements = value.get_ref().as_array();
        let elements = elements.ok_or_else(|| WrongType::new(T::LIST, value))?;
        let elements = elements.iter().map(|element| {
            let span = element.span();
            Ok(Placed {
                value: T::read(element, place)?,
                place: Place {
                    span,
                    ..place.clone()
                },
            })
        });
        elements.collect()
    }
}

impl Value for Conditions {
    fn read(value: &Spanned<DeValue<'_>>, place: &Place) -> Result<Self, WrongType> {
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(WrongType::new("a table of metadata keys", value));
        };
        let conditions = entries.iter().map(|(key, wanted)| {
            let at = |span| Place {
                span,
                ..place.clone()
            };
            let texts = match wanted.get_ref() {
                DeValue::String(text) => vec![Placed {
                    value: text.to_string(),
                    place: at(wanted.span()),
                }],
                DeValue::Array(_) => Texts::read(wanted, place)?,
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Table(_) => {
                    let expected = "text in quotes or a list of such (metadata is text only)";
                    return Err(WrongType::new(expected, wanted));
                }
            };
            Ok(Condition {
                key: Placed {
                    value: key.get_ref().to_string(),
                    place: at(key.span()),
                },
                any_of: Placed {
                    value: texts,
                    place: at(wanted.span()),
                },
            })
        });
        conditions.collect::<Result<_, _>>().map(Conditions)
    }
}

/// What an operator calls a value of that type.
pub fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(array) if array.iter().any(|e| e.get_ref().is_table()) => "a list of tables",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
