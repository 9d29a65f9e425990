//! The way from one span of a zone to the next, and which instants a civil time has in them.

use std::ops::Deref;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::Zone;
use super::span::{NANOSECOND, Span, to_instant};

#[cfg(test)]
mod tests;

/// No clock is farther from UTC: jiff knows offsets below 26 hours.
const FARTHEST: SignedDuration = SignedDuration::from_hours(26);

/// Where spans come from.
#[derive(Clone, Copy)]
pub enum Spans<'z> {
    /// From the rules of a zone, each time: for what is asked once.
    Rules(&'z TimeZone),
    /// From a table.
    Table(&'z Zone),
}

impl<'z> From<&'z TimeZone> for Spans<'z> {
    fn from(zone: &'z TimeZone) -> Self {
        Self::Rules(zone)
    }
}

impl<'z> From<&'z Zone> for Spans<'z> {
    fn from(zone: &'z Zone) -> Self {
        Self::Table(zone)
    }
}

/// A span with those around it: one offset, so civil times and instants correspond.
pub struct OffsetSpan<'z> {
    spans: Spans<'z>,
    span: Span,
}

impl Deref for OffsetSpan<'_> {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.span
    }
}

impl<'z> OffsetSpan<'z> {
    /// The one that an instant lies in.
    pub fn at(spans: impl Into<Spans<'z>>, instant: Timestamp) -> Self {
        let spans = spans.into();
        let span = match spans {
            Spans::Rules(zone) => Span::at(zone, instant),
            Spans::Table(zone) => zone.span(instant),
        };
        Self { spans, span }
    }

    pub fn following(&self) -> Option<Self> {
        (self.end < Timestamp::MAX).then(|| Self::at(self.spans, self.end))
    }

    pub fn preceding(&self) -> Option<Self> {
        let last = self.start.checked_sub(NANOSECOND).ok()?;
        Some(Self::at(self.spans, last))
    }
}

/// The first instant at which the clocks of a zone show a civil time; where they skip it, the first
/// instant after.
pub fn first_instant<'z>(zone: impl Into<Spans<'z>>, civil: DateTime) -> Timestamp {
    instants(zone.into(), civil).0
}

/// The same, but the last instant of several.
pub fn last_instant<'z>(zone: impl Into<Spans<'z>>, civil: DateTime) -> Timestamp {
    instants(zone.into(), civil).1
}

/// The instant of a civil time in an iCalendar file: of two the first; one that the clocks skip goes
/// by the offset before the gap (RFC 5545, 3.3.5), so that 02:30 is then 03:30.
pub fn icalendar_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    let first = first_instant(zone, civil);
    if zone.to_datetime(first) == civil {
        return first;
    }
    to_instant(OffsetSpan::at(zone, first).before, civil)
}

/// The first and the last instant of a civil time, from the spans around it: jiff's own answer goes
/// by the yearly rule as soon as the last listed transition is over, also for a fold that the rule
/// alone would have had.
fn instants(zone: Spans<'_>, civil: DateTime) -> (Timestamp, Timestamp) {
    let guess = to_instant(Offset::UTC, civil);
    let from = guess.checked_sub(FARTHEST).unwrap_or(Timestamp::MIN);
    let until = guess.checked_add(FARTHEST).unwrap_or(Timestamp::MAX);
    let spans = std::iter::successors(Some(OffsetSpan::at(zone, from)), OffsetSpan::following);
    let mut found = None;
    for span in spans.take_while(|span| span.start <= until) {
        let at = span.instant(civil);
        if span.start <= at && at < span.end {
            found = Some((found.map_or(at, |(first, _)| first), at));
        } else if found.is_none() && civil < span.start_civil() {
            found = Some((span.start, span.start));
        }
    }
    // Nothing is shown at the far ends of time only.
    found.unwrap_or((guess, guess))
}

/// The whole second that an instant lies in. Rules open on whole seconds only.
pub fn whole_second(instant: Timestamp) -> Timestamp {
    // jiff rounds towards 1970, so a fraction before it is negative.
    let borrow = i64::from(instant.subsec_nanosecond() < 0);
    Timestamp::new(instant.as_second() - borrow, 0).unwrap_or(Timestamp::MIN)
}

pub fn second_after(instant: Timestamp) -> Option<Timestamp> {
    whole_second(instant)
        .checked_add(SignedDuration::from_secs(1))
        .ok()
}

pub fn last_second_before(civil: DateTime) -> DateTime {
    civil
        .checked_sub(SignedDuration::from_secs(1))
        .unwrap_or(DateTime::MIN)
}
