//! A zone between two of its transitions, where civil times and instants correspond one to one.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
mod tests;

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// No clock is farther from UTC: jiff knows offsets below 26 hours.
const FARTHEST: SignedDuration = SignedDuration::from_hours(26);

/// The time between two transitions of a zone, `[start, end)`: one offset, so civil times and
/// instants correspond.
pub struct OffsetSpan<'z> {
    zone: &'z TimeZone,
    pub start: Timestamp,
    pub end: Timestamp,
    before: Offset,
    offset: Offset,
    after: Offset,
}

impl<'z> OffsetSpan<'z> {
    pub fn at(zone: &'z TimeZone, instant: Timestamp) -> Self {
        let start = start(zone, instant);
        let end = zone.following(instant).next();
        let offset = zone.to_offset(instant);
        let just_before = start.and_then(|start| start.checked_sub(NANOSECOND).ok());
        let before = just_before.map_or(offset, |just_before| zone.to_offset(just_before));
        Self {
            zone,
            start: start.unwrap_or(Timestamp::MIN),
            end: end.as_ref().map_or(Timestamp::MAX, |t| t.timestamp()),
            before,
            offset,
            after: end.map_or(offset, |t| t.offset()),
        }
    }

    pub fn following(&self) -> Option<Self> {
        (self.end < Timestamp::MAX).then(|| Self::at(self.zone, self.end))
    }

    pub fn preceding(&self) -> Option<Self> {
        let last = self.start.checked_sub(NANOSECOND).ok()?;
        Some(Self::at(self.zone, last))
    }

    pub fn last_instant(&self) -> Timestamp {
        self.end
            .checked_sub(SignedDuration::from_secs(1))
            .unwrap_or(self.end)
    }

    pub fn civil(&self, instant: Timestamp) -> DateTime {
        self.offset.to_datetime(instant)
    }

    pub fn instant(&self, civil: DateTime) -> Timestamp {
        to_instant(self.offset, civil)
    }

    pub fn start_civil(&self) -> DateTime {
        self.civil(self.start)
    }

    pub fn end_civil(&self) -> DateTime {
        self.civil(self.end)
    }

    /// The first civil time that the gap before this span swallowed.
    pub fn gap_start(&self) -> Option<DateTime> {
        (self.before < self.offset).then(|| self.before.to_datetime(self.start))
    }

    /// Before it, no civil time leads to an opening in this span.
    pub fn earliest_civil(&self) -> DateTime {
        self.gap_start().unwrap_or(self.start_civil())
    }

    /// The first civil time of this span that the span before it did not have.
    pub fn fold_end(&self) -> DateTime {
        if self.before > self.offset {
            self.before.to_datetime(self.start)
        } else {
            self.start_civil()
        }
    }

    /// The first civil time of this span that the next one will have again.
    pub fn next_fold_start(&self) -> Option<DateTime> {
        (self.after < self.offset).then(|| self.after.to_datetime(self.end))
    }
}

/// When the span of an instant begins: with the last transition at or before it, if there is one.
fn start(zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
    // `preceding` excludes its argument, and a span includes its start.
    let after = instant.checked_add(NANOSECOND).ok()?;
    let found = zone.preceding(after).next()?.timestamp();
    // Behind the last transition that the table of a zone lists, jiff (0.2.46) asks the yearly rule
    // alone, and that may name a day before it: where a law has changed the clocks once (Ciudad
    // Juarez on 30 November 2022). The way forward always goes by the table.
    let later = (zone.following(found)).map(|transition| transition.timestamp());
    later.take_while(|at| *at <= instant).last().or(Some(found))
}

/// The first instant at which the clocks of a zone show a civil time; where they skip it, the first
/// instant after.
pub fn first_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    instants(zone, civil).0
}

/// The same, but the last instant of several.
pub fn last_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    instants(zone, civil).1
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
fn instants(zone: &TimeZone, civil: DateTime) -> (Timestamp, Timestamp) {
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

/// Only at the far ends of time can an offset lead out of range.
fn to_instant(offset: Offset, civil: DateTime) -> Timestamp {
    let end = if civil.year() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    offset.to_timestamp(civil).unwrap_or(end)
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
