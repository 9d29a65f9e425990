//! Cron patterns, matched against civil (wall-clock) times.
//!
//! The one file that knows the cron crate. croner is asked only about civil times, which have no zone, so its own rules
//! for daylight saving (fixed, and not ours) never come into play: [`super::Rule`] resolves what it finds.

use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{DateTime, Time};

/// A parsed cron pattern: 5 fields, 6 with leading seconds, or a nickname such as `@daily`.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    cron: Cron,
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
        let pattern = Self {
            text: text.trim().to_owned(),
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
        self.cron.find_next_occurrence(&from, true).ok()
    }

    /// The last match at or before `to`.
    pub fn previous(&self, to: DateTime) -> Option<DateTime> {
        self.cron.find_previous_occurrence(&to, true).ok()
    }

    /// The times of day that match, in order: on a day that matches, all of them do.
    pub(super) fn times_of_day(&self) -> Vec<Time> {
        let fields = &self.cron.pattern;
        let values = [&fields.hours, &fields.minutes, &fields.seconds].map(|field| field.values());
        let [hours, minutes, seconds] = values;
        let mut times = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                let fields = |second: &u16| {
                    let part = |value: &u16| i8::try_from(*value).ok();
                    Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
                };
                times.extend(seconds.iter().filter_map(fields));
            }
        }
        times
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
