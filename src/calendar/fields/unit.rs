//! What the fields of a cron line count, and the names of months and weekdays.

/// What a field counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

use Unit::{Day, Hour, Minute, Month, Second, Weekday};

pub const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// From 0 on.
pub const WEEKDAYS: [&str; 7] = [
    "SUNDAY",
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
];

impl Unit {
    /// As messages name it.
    pub fn name(self) -> &'static str {
        match self {
            Second => "second",
            Minute => "minute",
            Hour => "hour",
            Day => "day of the month",
            Month => "month",
            Weekday => "weekday",
        }
    }

    /// The lowest and the highest number that may be written.
    pub fn bounds(self) -> (u16, u16) {
        match self {
            Second | Minute => (0, 59),
            Hour => (0, 23),
            Day => (1, 31),
            Month => (1, 12),
            Weekday => (0, 7),
        }
    }

    /// The highest number that is a value of its own: 7 is a second number for Sunday.
    pub fn last(self) -> u16 {
        match self {
            Weekday => 6,
            Second | Minute | Hour | Day | Month => self.bounds().1,
        }
    }

    pub fn count(self) -> u16 {
        self.last() - self.bounds().0 + 1
    }

    pub fn is_day(self) -> bool {
        matches!(self, Day | Weekday)
    }
}

/// The month or weekday that a word names: its English name, or the first three letters of it or
/// more.
pub fn named(word: &str) -> Option<(Unit, u16)> {
    let starts = |name: &&str| word.len() >= 3 && name.starts_with(word);
    let month = MONTHS.iter().zip(1..).find(|(name, _)| starts(name));
    let weekday = WEEKDAYS.iter().zip(0..).find(|(name, _)| starts(name));
    let month = month.map(|(_, number)| (Month, number));
    month.or(weekday.map(|(_, number)| (Weekday, number)))
}
