//! Cron patterns, matched against civil (wall-clock) times.
//!
//! The one file that knows the cron crate. croner reads patterns and finds the days they name; it is asked only about civil
//! times, which have no zone, so its own rules for daylight saving (fixed, and not ours) never come into play:
//! [`super::Rule`] resolves what it finds.

use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time};

use super::times::Times;

/// So many days are looked at one by one, before croner searches.
const NEAR: usize = 3;

/// A parsed cron pattern: 5 fields, 6 with leading seconds, or a nickname such as `@daily`.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    cron: Cron,
    /// The times of day, apart from the days: croner walks field by field, and most questions are about one day.
    times: Times,
    every_day: bool,
}

/// Where a pattern hardly says what people mean by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A step over all values of a field that reaches beyond them (`*/90` minutes): only the first value ever matches.
    LongStep {
        /// The field, as in `minute`.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A step over all values of a field that does not divide them (`*/45` minutes): the last stretch is shorter.
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
}

/// Why a text is not a usable cron pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// It can be read, but no date and time ever matches it (as `0 0 30 2 *`).
    #[error("no date and time ever matches it")]
    NeverMatches,
}

impl Pattern {
    /// Parses a pattern and makes sure that some civil time matches it. Day of month and weekday, both restricted,
    /// match when either does, as in Vixie cron.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build()
            .parse(text)
            .map_err(|error| PatternError::Unreadable(reason(&error)))?;
        let fields = &cron.pattern;
        let times = Times::new(
            &fields.hours.values(),
            &fields.minutes.values(),
            &fields.seconds.values(),
        );
        let times = times.ok_or(PatternError::NeverMatches)?;
        let every_day = fields.is_dom_wildcard()
            && fields.is_dow_wildcard()
            && fields.months.values().len() == 12;
        let pattern = Self {
            text: text.trim().to_owned(),
            times,
            every_day,
            cron,
        };
        // A fixed start, not "now": whether a file loads never depends on the clock. Leap days recur within 8 years
        // (1896 to 1904, 2096 to 2104), so a pattern that matches at all matches within croner's own search limit.
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

    /// The last match in `[since, to]`: nothing is looked for before.
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

    /// What about it hardly says what people mean.
    pub fn oddities(&self) -> Vec<Oddity> {
        let mut fields: Vec<&str> = self.text.split_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        // Months are of several lengths and weeks of seven days, so nobody expects even steps over days.
        let named = [
            ("second", 60, true),
            ("minute", 60, true),
            ("hour", 24, true),
            ("day", 31, false),
            ("month", 12, false),
            ("weekday", 7, false),
        ];
        let steps = (fields.iter().zip(named)).filter_map(|(text, (field, values, even))| {
            let step: u16 = text.strip_prefix("*/")?.parse().ok()?;
            let (text, rest) = ((*text).to_owned(), values % step.max(1));
            if step >= values {
                Some(Oddity::LongStep { field, text })
            } else {
                (even && rest != 0).then_some(Oddity::UnevenStep { field, text, rest })
            }
        });
        let fields = &self.cron.pattern;
        let either =
            !fields.is_dom_wildcard() && !fields.is_dow_wildcard() && !fields.matches_dom_and_dow();
        steps
            .chain(either.then_some(Oddity::DayOrWeekday))
            .collect()
    }

    /// Whether this rule repeats around the clock (hour field `*`, or a step over `*`). Such a rule means "every so
    /// often", not "at this time of day", and gets other defaults in a gap and a fold.
    pub fn is_interval(&self) -> bool {
        let fields: Vec<&str> = self.text.split_whitespace().collect();
        match fields.as_slice() {
            [nickname] => nickname.eq_ignore_ascii_case("@hourly"),
            [_, hour, _, _, _] | [_, _, hour, _, _, _] => *hour == "*" || hour.starts_with("*/"),
            _ => false,
        }
    }
}

/// The pattern as it was written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// croner's reason without its own error class in front, as a fragment that fits behind a colon.
fn reason(error: &croner::errors::CronError) -> String {
    use croner::errors::CronError;
    let text = match error {
        CronError::InvalidPattern(text)
        | CronError::IllegalCharacters(text)
        | CronError::ComponentError(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.trim_start_matches("CronPattern contains ");
    let mut letters = text.trim_end_matches('.').chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => "not a cron pattern".to_owned(),
    }
}
