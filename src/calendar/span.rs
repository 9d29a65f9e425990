//! A zone between two of its transitions, where civil times and instants correspond one to one.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

pub const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// The time between two transitions of a zone, `[start, end)`, and the offsets in it and around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
    pub before: Offset,
    pub offset: Offset,
    pub after: Offset,
}

impl Span {
    /// The one that an instant lies in, by the rules of a zone.
    pub fn at(zone: &TimeZone, instant: Timestamp) -> Self {
        let start = start(zone, instant);
        let end = zone.following(instant).next();
        let offset = zone.to_offset(instant);
        let just_before = start.and_then(|start| start.checked_sub(NANOSECOND).ok());
        let before = just_before.map_or(offset, |just_before| zone.to_offset(just_before));
        Self {
            start: start.unwrap_or(Timestamp::MIN),
            end: end.as_ref().map_or(Timestamp::MAX, |t| t.timestamp()),
            before,
            offset,
            after: end.map_or(offset, |t| t.offset()),
        }
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

/// Only at the far ends of time can an offset lead out of range.
pub fn to_instant(offset: Offset, civil: DateTime) -> Timestamp {
    let end = if civil.year() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    offset.to_timestamp(civil).unwrap_or(end)
}
