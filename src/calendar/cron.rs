//! Cron patterns, matched against civil (wall-clock) times.
//!
//! The one file that knows the cron crate. Lines are read by recess (`calendar/dialects.rs`,
//! `calendar/fields.rs`); croner gets them in its own notation and finds the days they name. It is
//! asked only about civil times, which have no zone, so its own rules for daylight saving (fixed,
//! and not ours) never come into play: [`super::Rule`] resolves what it finds.

use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time};

use super::fields::{Fields, Unit};
use super::times::Times;
use super::{dialects, words};

/// How many days are tested one by one, before croner searches.
const NEAR: usize = 3;

/// A parsed cron pattern: 5 fields, 6 with leading seconds, or a nickname such as `@daily`.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// As recess reads it.
    fields: Fields,
    cron: Cron,
    /// The times of day, apart from the days: croner walks field by field, and most questions are
    /// about one day.
    times: Times,
    every_day: bool,
}

/// Where a pattern hardly says what people mean by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A step over all values of a field that reaches beyond them (`*/90` minutes): only the first
    /// value ever matches.
    LongStep {
        /// The field, as in `minute`.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A step over all values of a field that does not divide them (`*/45` minutes): the last
    /// stretch is shorter.
    UnevenStep {
        /// The field, as in `minute`.
        field: &'static str,
        /// What stands there.
        text: String,
        /// From the last value that matches to the first one again.
        rest: u16,
    },
    /// Day of month and weekday, both restricted: either of them is enough.
    DayOrWeekday,
    /// Day of month and weekday, both restricted, and one of them begins with `*`: both must match.
    DayAndWeekday,
    /// Six fields that look like five and one too many: as they stand, it opens every hour.
    EveryHour {
        /// The five fields that may be meant.
        five: String,
    },
}

/// Why a text is not a usable cron pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text cannot be read, or means different things to different programs.
    #[error("{reason}")]
    Unreadable {
        /// A fragment that fits behind a colon.
        reason: String,
        /// What to write instead, as a sentence, if it is known.
        instead: Option<String>,
    },
    /// It can be read, but no date and time ever matches it (as `0 0 30 2 *`).
    #[error("it matches no date and time")]
    NeverMatches,
}

impl Pattern {
    /// Parses a pattern and makes sure that some civil time matches it. Day of month and weekday,
    /// both restricted, match when either does, and both must where one of them begins with `*`: as
    /// in Vixie cron and cronie.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fields = dialects::read(text).map_err(|refusal| PatternError::Unreadable {
            reason: refusal.reason,
            instead: refusal.instead,
        })?;
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .build()
            .parse(&fields.written())
            .map_err(|error| PatternError::Unreadable {
                reason: error.to_string(),
                instead: None,
            })?;
        let values = |unit| fields.of(unit).values.as_slice();
        let times = Times::new(
            values(Unit::Hour),
            values(Unit::Minute),
            values(Unit::Second),
        );
        let times = times.ok_or(PatternError::NeverMatches)?;
        let every_day = !fields.restricts(Unit::Day)
            && !fields.restricts(Unit::Weekday)
            && fields.of(Unit::Month).is_all();
        let pattern = Self {
            text: text.trim().to_owned(),
            fields,
            times,
            every_day,
            cron,
        };
        // A fixed start, not "now": whether a file loads never depends on the clock. Leap days
        // recur within 8 years (1896 to 1904, 2096 to 2104), so a pattern that matches at all
        // matches within croner's own search limit.
        match pattern.next(DateTime::constant(2024, 1, 1, 0, 0, 0, 0)) {
            Some(_) => Ok(pattern),
            None => Err(PatternError::NeverMatches),
        }
    }

    /// The first match at or after `from`.
    pub fn next(&self, from: DateTime) -> Option<DateTime> {
        let today = from.date();
        if let Some(time) = self.times.from(from.time())
            && self.matches(today)
        {
            return Some(today.to_datetime(time));
        }
        let tomorrow = today.tomorrow().ok()?;
        if self.every_day {
            return Some(tomorrow.to_datetime(self.times.first()));
        }
        let midnight = tomorrow.to_datetime(Time::midnight());
        self.cron.find_next_occurrence(&midnight, true).ok()
    }

    /// The last match at or before `to`.
    pub fn previous(&self, to: DateTime) -> Option<DateTime> {
        self.previous_since(to, DateTime::MIN)
    }

    /// The last match in `[since, to]`: the search ends there.
    pub(super) fn previous_since(&self, to: DateTime, since: DateTime) -> Option<DateTime> {
        let mut day = to.date();
        let mut time = self.times.to(to.time());
        // Most questions are about a window of a day or less.
        for _ in 0..NEAR {
            if let Some(time) = time
                && self.matches(day)
            {
                return Some(day.to_datetime(time)).filter(|found| *found >= since);
            }
            if day <= since.date() {
                return None;
            }
            day = day.yesterday().ok()?;
            time = Some(self.times.last());
        }
        let last = day.to_datetime(self.times.last());
        let found = self.cron.find_previous_occurrence(&last, true).ok();
        found.filter(|found| *found >= since)
    }

    /// Whether the pattern names that day: then it names every of its times of day.
    fn matches(&self, day: Date) -> bool {
        let first = day.to_datetime(self.times.first());
        self.every_day || self.cron.is_time_matching(&first).unwrap_or(false)
    }

    /// The times of day that match, in order: on a day that matches, all of them do.
    pub(super) fn times_of_day(&self) -> impl Iterator<Item = Time> {
        self.times.iter()
    }

    /// What it names, in words: `every day at 02:30`.
    pub fn describe(&self) -> String {
        words::describe(&self.fields)
    }

    /// What about it hardly says what people mean.
    pub fn oddities(&self) -> Vec<Oddity> {
        let fields = &self.fields;
        let (days, weekdays) = (fields.restricts(Unit::Day), fields.restricts(Unit::Weekday));
        let steps = fields.all.iter().filter_map(|field| {
            let step = field
                .step
                .filter(|_| field.starred && *field.text != *"*")?;
            let (unit, text) = (field.unit, field.text.clone());
            let rest = unit.count() % step;
            // Months are of several lengths and weeks of seven days, so even steps are not expected
            // over days.
            let is_even = matches!(unit, Unit::Second | Unit::Minute | Unit::Hour);
            // `1-7 * */7` is how cron says "the first Sunday", and gets a warning of its own.
            let is_idiom = unit == Unit::Weekday && days;
            let field = unit.name();
            if step >= unit.count() {
                (!is_idiom).then_some(Oddity::LongStep { field, text })
            } else {
                (is_even && rest != 0).then_some(Oddity::UnevenStep { field, text, rest })
            }
        });
        let either = days && weekdays && !fields.needs_both();
        let both = days && weekdays && fields.needs_both() && !fields.plus;
        steps
            .chain(either.then_some(Oddity::DayOrWeekday))
            .chain(both.then_some(Oddity::DayAndWeekday))
            .chain(self.every_hour())
            .collect()
    }

    /// `30 2 * * * *`: second 30 of minute 2 of every hour, where a sixth field has slipped in.
    fn every_hour(&self) -> Option<Oddity> {
        let fields = &self.fields;
        let text = |unit| fields.of(unit).text.as_str();
        let (second, minute) = (text(Unit::Second), text(Unit::Minute));
        let (month, weekday) = (text(Unit::Month), text(Unit::Weekday));
        let plain = |text| dialects::is_list_of_numbers(text);
        let hours = fields
            .of(Unit::Minute)
            .values
            .iter()
            .all(|minute| *minute < 24);
        let slipped = plain(second) && plain(minute) && hours && text(Unit::Hour) == "*";
        // The first is how every hour is written with its seconds.
        let is_meant = fields.of(Unit::Second).values == [0] && matches!(month, "*" | "?");
        // A month can be a weekday that has moved on with the rest.
        let five = match month {
            "*" | "?" => [second, minute, text(Unit::Day), "*", weekday],
            month => [second, minute, text(Unit::Day), "*", month],
        };
        (fields.has_seconds && slipped && !is_meant).then(|| Oddity::EveryHour {
            five: five.join(" "),
        })
    }

    /// Whether this rule repeats around the clock (hour field `*`, or a step over `*`). Such a rule
    /// means "every so often", not "at this time of day", and gets other defaults in a gap and a
    /// fold.
    pub fn is_interval(&self) -> bool {
        self.fields.of(Unit::Hour).step.is_some()
    }
}

/// The pattern as it was written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
