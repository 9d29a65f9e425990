//! A zone between two of its transitions, where civil times and instants correspond one to one.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The time between two transitions of a zone, `[start, end)`: one offset, so civil times and instants correspond.
pub struct Stretch<'z> {
    zone: &'z TimeZone,
    pub start: Timestamp,
    pub end: Timestamp,
    before: Offset,
    offset: Offset,
    after: Offset,
}

impl<'z> Stretch<'z> {
    pub fn at(zone: &'z TimeZone, instant: Timestamp) -> Self {
        let next = |at: Timestamp| zone.following(at).next();
        // `preceding` excludes its argument, and a stretch includes its start.
        let start = instant
            .checked_add(SignedDuration::from_nanos(1))
            .ok()
            .and_then(|at| zone.preceding(at).next())
            .map(|transition| transition.timestamp());
        let end = next(instant);
        let offset = zone.to_offset(instant);
        let before = start
            .and_then(|start| start.checked_sub(SignedDuration::from_nanos(1)).ok())
            .map_or(offset, |just_before| zone.to_offset(just_before));
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
        let last = self.start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
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

    /// The first civil time that the gap before this stretch swallowed.
    pub fn gap_start(&self) -> Option<DateTime> {
        (self.before < self.offset).then(|| self.before.to_datetime(self.start))
    }

    /// Before it, no civil time leads to an opening in this stretch.
    pub fn earliest_civil(&self) -> DateTime {
        self.gap_start().unwrap_or(self.start_civil())
    }

    /// The first civil time of this stretch that the stretch before it did not have.
    pub fn fold_end(&self) -> DateTime {
        if self.before > self.offset {
            self.before.to_datetime(self.start)
        } else {
            self.start_civil()
        }
    }

    /// The first civil time of this stretch that the next one will have again.
    pub fn next_fold_start(&self) -> Option<DateTime> {
        (self.after < self.offset).then(|| self.after.to_datetime(self.end))
    }
}

/// The first instant at which the clocks of a zone show a civil time; where they skip it, the first instant after.
pub fn first_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => to_instant(offset, civil),
        AmbiguousOffset::Fold { before, .. } => to_instant(before, civil),
        AmbiguousOffset::Gap { before, .. } => Stretch::at(zone, to_instant(before, civil)).start,
    }
}

/// The same, but the last instant of several.
pub fn last_instant(zone: &TimeZone, civil: DateTime) -> Timestamp {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Fold { after, .. } => to_instant(after, civil),
        _ => first_instant(zone, civil),
    }
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
