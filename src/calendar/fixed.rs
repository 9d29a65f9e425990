//! Occurrences that are written down one by one: a one-off window, or days of a calendar.

use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::offset_span::{first_instant, last_instant};
use super::{Occurrence, Shift};

/// One end of a one-off window, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A wall-clock time of the window's zone.
    Local(DateTime),
    /// An instant, by its own offset.
    Instant(Timestamp),
}

impl Boundary {
    /// When something opens that is to open then: in a gap at the first instant after it, of two
    /// the first.
    pub fn opening(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Local(civil) => first_instant(zone, civil),
            Self::Instant(instant) => instant,
        }
    }

    /// When something closes that is to close then: in a gap at the first instant after it, of two
    /// the last.
    pub fn closing(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Local(civil) => last_instant(zone, civil),
            Self::Instant(instant) => instant,
        }
    }
}

/// Occurrences that do not touch, in order: a few of a config file, thousands of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    zone: TimeZone,
    occurrences: Arc<[Occurrence]>,
    /// The length of the longest.
    longest: SignedDuration,
}

impl Fixed {
    /// From one moment until another. `None` where it would close before it opens or as it opens.
    pub fn once(zone: TimeZone, from: Boundary, until: Boundary) -> Option<Self> {
        let (opens, closes) = (from.opening(&zone), until.closing(&zone));
        let shift = match from {
            Boundary::Local(civil) => shift(&zone, civil, opens),
            Boundary::Instant(_) => None,
        };
        let occurrence = Occurrence {
            opens,
            closes,
            shift,
        };
        (opens < closes).then(|| Self::of(zone, vec![occurrence]))
    }

    /// Whole local days, in any order. A day that the zone skipped is no time at all.
    pub fn days(zone: TimeZone, dates: &[Date]) -> Self {
        let days = dates.iter().map(|date| {
            let next = date.tomorrow().unwrap_or(Date::MAX);
            [*date, next].map(|day| Boundary::Local(day.at(0, 0, 0, 0)).opening(&zone))
        });
        Self::joined(zone.clone(), days.collect())
    }

    /// From each of those instants until the one beside it, in any order; what touches is joined,
    /// and what ends no later than it begins is left out.
    pub fn joined(zone: TimeZone, mut times: Vec<[Timestamp; 2]>) -> Self {
        times.retain(|[opens, closes]| opens < closes);
        let occurrence = |[opens, closes]: [Timestamp; 2]| Occurrence {
            opens,
            closes,
            shift: None,
        };
        Self::of(zone, union(times).into_iter().map(occurrence).collect())
    }

    fn of(zone: TimeZone, occurrences: Vec<Occurrence>) -> Self {
        let longest = occurrences.iter().map(Occurrence::length).max();
        Self {
            zone,
            occurrences: occurrences.into(),
            longest: longest.unwrap_or(SignedDuration::ZERO),
        }
    }

    /// The zone in which it was written.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first occurrence that opens after `after`.
    pub fn next_opening(&self, after: Timestamp) -> Option<Occurrence> {
        let index = self.occurrences.partition_point(|one| one.opens <= after);
        self.occurrences.get(index).copied()
    }

    /// The last occurrence that opened at or before `at`.
    pub fn latest_opening(&self, at: Timestamp) -> Option<Occurrence> {
        let index = self.occurrences.partition_point(|one| one.opens <= at);
        self.occurrences.get(index.checked_sub(1)?).copied()
    }

    /// The longest of them.
    pub fn longest(&self) -> SignedDuration {
        self.longest
    }
}

/// The same instants, given in any order, as stretches of time that neither touch nor overlap, in
/// order.
pub fn union(mut times: Vec<[Timestamp; 2]>) -> Vec<[Timestamp; 2]> {
    times.sort();
    let mut union: Vec<[Timestamp; 2]> = Vec::new();
    for [from, until] in times {
        match union.last_mut() {
            Some([_, end]) if from <= *end => *end = until.max(*end),
            _ => union.push([from, until]),
        }
    }
    union
}

/// What daylight saving did to a one-off opening.
fn shift(zone: &TimeZone, civil: DateTime, opens: Timestamp) -> Option<Shift> {
    if zone.to_datetime(opens) != civil {
        Some(Shift::Gap)
    } else {
        (last_instant(zone, civil) != opens).then_some(Shift::First)
    }
}
