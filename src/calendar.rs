//! When a window or an exclusion is open: a [`Schedule`], turned into instants.
//!
//! A [`Rule`] names civil (wall-clock) times by a cron pattern, [`Fixed`] lists them. Between two
//! transitions of a zone, civil times and instants correspond one to one, so a rule walks its zone
//! span by span (`calendar/offset_span.rs`; a table for each zone, `calendar/zone.rs`) and meets
//! daylight saving only at the seams:
//!
//! - a **gap** (clocks go forward): the civil times in it never happen. [`Gap`] says what becomes
//!   of an opening there.
//! - a **fold** (clocks go back): the civil times in it happen twice. [`Repeat`] says which of the
//!   two opens.
//!
//! Pure: nothing here knows the clock, consumers or a server. The invariant: openings come out in
//! the order of their instants, each instant at most once, and [`Schedule::latest_opening`] and
//! [`Schedule::next_opening`] describe the same set.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

mod cron;
mod dialects;
mod fields;
mod fixed;
mod offset_span;
mod rule;
mod span;
#[cfg(test)]
mod tests;
mod times;
mod words;
mod zone;

pub use cron::{Oddity, Pattern, PatternError};
pub use fixed::{Boundary, Fixed, union};
pub use offset_span::icalendar_instant;
pub use rule::{ClockChange, Length, Outcome, Rule};
pub use zone::Zone;

/// One opening of a window: half-open, `[opens, closes)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The first instant of it.
    pub opens: Timestamp,
    /// The first instant after it.
    pub closes: Timestamp,
    /// What daylight saving did to the opening; `None` where it did nothing.
    pub shift: Option<Shift>,
}

impl Occurrence {
    /// Whether `instant` lies in it.
    pub fn covers(&self, instant: Timestamp) -> bool {
        self.opens <= instant && instant < self.closes
    }

    /// The time from its opening to its close.
    pub fn length(&self) -> SignedDuration {
        self.closes.duration_since(self.opens)
    }
}

/// What daylight saving did to an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shift {
    /// Its civil time does not exist that day; it opens at the first instant after the gap.
    Gap,
    /// Its civil time comes twice; this is the first.
    First,
    /// Its civil time comes twice; this is the second.
    Last,
}

impl Shift {
    /// As `plan` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// What becomes of an opening whose civil time does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It opens at the first instant after the gap.
    Shift,
    /// It does not open.
    Skip,
}

/// What becomes of an opening whose civil time comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It opens the first time.
    First,
    /// It opens the second time.
    Last,
    /// It opens both times.
    Both,
}

/// When something is open.
///
/// ```
/// use jiff::{SignedDuration, Timestamp, tz::TimeZone};
/// use recess::calendar::{Length, Pattern, Rule, Schedule, Shift};
///
/// // Every night at 02:30 for two hours, in a zone whose clocks go from 02:00 to 03:00 on 2027-03-28.
/// let pattern = Pattern::parse("30 2 * * *")?;
/// let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3")?;
/// let length = Length::Elapsed(SignedDuration::from_hours(2));
/// let schedule = Schedule::Recurring(Rule::new(pattern, zone, length));
///
/// let evening: Timestamp = "2027-03-27T20:00:00Z".parse()?;
/// let night = schedule.next_opening(evening).expect("it opens every night");
/// assert_eq!(night.opens.to_string(), "2027-03-28T01:00:00Z"); // 03:00 CEST
/// assert_eq!(night.length(), SignedDuration::from_hours(2));
/// assert_eq!(night.shift, Some(Shift::Gap));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Again and again.
    Recurring(Rule),
    /// At times that are written down one by one.
    Fixed(Fixed),
}

impl Schedule {
    /// The zone in which it is written.
    pub fn zone(&self) -> &TimeZone {
        match self {
            Self::Recurring(rule) => rule.zone(),
            Self::Fixed(fixed) => fixed.zone(),
        }
    }

    /// The first occurrence that opens after `after` (a recurring one within ten years).
    pub fn next_opening(&self, after: Timestamp) -> Option<Occurrence> {
        match self {
            Self::Recurring(rule) => rule.next_opening(after),
            Self::Fixed(fixed) => fixed.next_opening(after),
        }
    }

    /// The last occurrence that opened at or before `at`, unless it opened at or before
    /// `not_before`.
    pub fn latest_opening(&self, at: Timestamp, not_before: Timestamp) -> Option<Occurrence> {
        match self {
            Self::Recurring(rule) => rule.latest_opening(at, not_before),
            Self::Fixed(fixed) => {
                (fixed.latest_opening(at)).filter(|found| found.opens > not_before)
            }
        }
    }

    /// The last to close of those that opened at or before `at`, unless it opened at or before
    /// `not_before`.
    pub fn latest_closing(&self, at: Timestamp, not_before: Timestamp) -> Option<Occurrence> {
        match self {
            Self::Recurring(rule) => rule.latest_closing(at, not_before),
            Self::Fixed(_) => self.latest_opening(at, not_before),
        }
    }

    /// The occurrence that is open at `at`; of several, the one that closes last.
    pub fn open_at(&self, at: Timestamp) -> Option<Occurrence> {
        let not_before = before(at, self.longest());
        (self.latest_closing(at, not_before)).filter(|occurrence| occurrence.covers(at))
    }

    /// The first instant from `at` on that it does not cover; the search ends at `enough`.
    pub fn covered_until(&self, at: Timestamp, enough: Timestamp) -> Timestamp {
        match self {
            Self::Recurring(rule) => {
                let mut end = at;
                while end < enough
                    && let Some(open) = self.open_at(end)
                {
                    end = rule.run_from(open);
                }
                end
            }
            Self::Fixed(fixed) => {
                let latest = fixed.latest_opening(at);
                latest.map_or(at, |latest| latest.closes.max(at))
            }
        }
    }

    /// Every occurrence that has an instant in `[from, until)`, whole, in the order of opening.
    pub fn intersecting(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Occurrence> + use<'_> {
        let first = self.next_opening(before(from, self.longest()));
        std::iter::successors(first, |last| self.next_opening(last.opens))
            .take_while(move |occurrence| from < until && occurrence.opens < until)
            .filter(move |occurrence| occurrence.closes > from)
    }

    /// Whether another schedule opens and closes when this one does because it says the same. One
    /// that says otherwise may do so too.
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Recurring(one), Self::Recurring(other)) => one.says_the_same(other),
            (Self::Fixed(one), Self::Fixed(other)) => one == other,
            _ => false,
        }
    }

    /// No occurrence is longer.
    pub fn longest(&self) -> SignedDuration {
        match self {
            Self::Recurring(rule) => rule.longest(),
            Self::Fixed(fixed) => fixed.longest(),
        }
    }
}

fn before(at: Timestamp, length: SignedDuration) -> Timestamp {
    at.checked_sub(length).unwrap_or(Timestamp::MIN)
}
