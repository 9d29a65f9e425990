//! A recurring rule: openings by cron, each of the same length or until the same time of day.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::offset_span::{
    OffsetSpan, first_instant, last_instant, last_second_before, second_after, whole_second,
};
use super::{Gap, Occurrence, Pattern, Repeat, Shift, Zone};

/// How far ahead a search goes. Leap-day rules can rest for eight years (2096 to 2104).
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

/// The longest occurrence with `until`: a day, and a fold (a whole day in Kwajalein in 1969).
const LONGEST_UNTIL: SignedDuration = SignedDuration::from_hours(49);

/// When an occurrence closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// After so much elapsed time, of whole seconds and above zero.
    Elapsed(SignedDuration),
    /// At the first such civil time strictly after the opening's civil time as the rule names it.
    /// In a gap that is the first instant after it, in a fold the later of the two.
    Until(Time),
}

/// A change of the clocks that meets an opening of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockChange {
    /// The civil time that does not exist or comes twice; of several, the first.
    pub civil: DateTime,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of an opening whose civil time does not exist or comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It does not exist: it opens at the first instant after the gap.
    Shifted,
    /// It does not exist, and has no opening of its own.
    Left,
    /// It comes twice: this says which of the two opens, or that both do.
    Twice(Repeat),
}

/// A recurring rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pattern: Box<Pattern>,
    zone: Zone,
    length: Length,
    gap: Gap,
    repeat: Repeat,
    /// The civil times, as the rule names them, at which it may open: `[valid_from, valid_until)`.
    valid_from: DateTime,
    valid_until: DateTime,
    runs: Vec<Run>,
}

/// Times of day of a rule, each no further from the one before than an occurrence lasts: while the
/// clocks do not change, it is open without a break from the first until the last has closed.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Time,
    last: Time,
}

impl Rule {
    /// Whether another rule opens and closes when this one does because it says the same.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.pattern.to_string() == other.pattern.to_string()
            && self.zone == other.zone
            && self.length == other.length
            && (self.gap, self.repeat) == (other.gap, other.repeat)
            && (self.valid_from, self.valid_until) == (other.valid_from, other.valid_until)
    }

    /// A rule with the default treatment of gaps and folds: an interval rule (`0 * * * *`) means
    /// elapsed time, so it skips and doubles; every other rule opens once a day.
    pub fn new(pattern: Pattern, zone: impl Into<Zone>, length: Length) -> Self {
        let (gap, repeat) = if pattern.is_interval() {
            (Gap::Skip, Repeat::Both)
        } else {
            (Gap::Shift, Repeat::First)
        };
        let runs = match length {
            Length::Elapsed(duration) => runs(&pattern, duration),
            Length::Until(_) => Vec::new(),
        };
        Self {
            pattern: Box::new(pattern),
            zone: zone.into(),
            length,
            gap,
            repeat,
            valid_from: DateTime::MIN,
            valid_until: DateTime::MAX,
            runs,
        }
    }

    /// The same rule with a stated treatment of gaps, of folds, or of both.
    pub fn with_policies(self, gap: Option<Gap>, repeat: Option<Repeat>) -> Self {
        Self {
            gap: gap.unwrap_or(self.gap),
            repeat: repeat.unwrap_or(self.repeat),
            ..self
        }
    }

    /// The same rule, for openings at civil times in `[from, until)` only.
    pub fn valid(self, from: Option<DateTime>, until: Option<DateTime>) -> Self {
        Self {
            valid_from: from.unwrap_or(self.valid_from),
            valid_until: until.unwrap_or(self.valid_until),
            ..self
        }
    }

    /// The cron pattern.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The zone whose wall clock the pattern names.
    pub fn zone(&self) -> &TimeZone {
        self.zone.time_zone()
    }

    /// When its occurrences close.
    pub fn length(&self) -> Length {
        self.length
    }

    /// No occurrence is longer.
    pub fn longest(&self) -> SignedDuration {
        match self.length {
            Length::Elapsed(duration) => duration,
            Length::Until(_) => LONGEST_UNTIL,
        }
    }

    /// The first occurrence that opens after `after`, within [`HORIZON`] of it or of the first day.
    pub fn next_opening(&self, after: Timestamp) -> Option<Occurrence> {
        let mut from = second_after(after)?;
        // Most rules have no first day, and are asked this for every opening.
        if self.valid_from > DateTime::MIN {
            from = from.max(first_instant(&self.zone, self.valid_from));
        }
        let horizon = from.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut span = OffsetSpan::at(&self.zone, from);
        while span.start <= horizon && span.earliest_civil() < self.valid_until {
            if span.start >= from
                && let Some(occurrence) = self.behind_gap(&span)
            {
                return Some(occurrence);
            }
            let (low, high) = self.civil_range(&span);
            let first = low.max(span.civil(from.max(span.start)));
            if first < high {
                match self.pattern.next(first) {
                    Some(civil) if civil < high => return Some(self.occurrence(&span, civil)),
                    Some(_) => {}
                    None => return None,
                }
            }
            span = span.following()?;
        }
        None
    }

    /// The last occurrence that opened in `(not_before, at]`.
    pub fn latest_opening(&self, at: Timestamp, not_before: Timestamp) -> Option<Occurrence> {
        let to = whole_second(at);
        let mut span = OffsetSpan::at(&self.zone, to);
        loop {
            let (low, high) = self.civil_range(&span);
            let last = last_second_before(high).min(span.civil(to.min(span.last_instant())));
            // In this span, civil times follow each other as instants do.
            let since = low.max(span.civil(not_before.max(span.start)));
            let found = match self.pattern.previous_since(last, since) {
                Some(civil) if low < high => Some(self.occurrence(&span, civil)),
                _ => self.behind_gap(&span),
            };
            if let Some(occurrence) = found {
                return (occurrence.opens > not_before).then_some(occurrence);
            }
            if span.start <= not_before || span.fold_end() <= self.valid_from {
                return None;
            }
            span = span.preceding()?;
        }
    }

    /// The last to close of those that opened in `(not_before, at]`.
    ///
    /// It is the latest to open, but in the second half of a fold: there an occurrence may close at
    /// its time of day while one that opened in the first half, at a later time of day, lasts until
    /// the next day.
    pub fn latest_closing(&self, at: Timestamp, not_before: Timestamp) -> Option<Occurrence> {
        let latest = self.latest_opening(at, not_before)?;
        let folded = self.repeat == Repeat::Both && matches!(self.length, Length::Until(_));
        if !folded || latest.shift != Some(Shift::Last) {
            return Some(latest);
        }
        let first_half = OffsetSpan::at(&self.zone, latest.opens).preceding();
        let first_half =
            first_half.and_then(|half| self.latest_opening(half.last_instant(), not_before));
        let longer = first_half.filter(|earlier| earlier.closes > latest.closes);
        longer.or(Some(latest))
    }

    /// Until when this occurrence and those of the same day that follow it leave no break.
    pub(super) fn run_from(&self, open: Occurrence) -> Timestamp {
        let run_end = || {
            let Length::Elapsed(duration) = self.length else {
                return None;
            };
            let span = OffsetSpan::at(&self.zone, open.opens);
            let civil = span.civil(open.opens);
            let index = self.runs.partition_point(|run| run.first <= civil.time());
            let run = self.runs.get(index.checked_sub(1)?)?;
            let (_, high) = self.civil_range(&span);
            let last = civil.date().to_datetime(run.last);
            let last = (self.pattern).previous(last.min(last_second_before(high)))?;
            span.instant(last).checked_add(duration).ok()
        };
        run_end().map_or(open.closes, |end| end.max(open.closes))
    }

    fn occurrence(&self, span: &OffsetSpan<'_>, civil: DateTime) -> Occurrence {
        let opens = span.instant(civil);
        Occurrence {
            opens,
            closes: self.close(opens, civil),
            shift: shift(span, civil),
        }
    }

    /// The occurrence whose opening falls in the gap before this span and is moved to its first
    /// instant; `None` where the rule opens then anyway, or where it would be over before it
    /// begins.
    fn behind_gap(&self, span: &OffsetSpan<'_>) -> Option<Occurrence> {
        let start = span.start_civil();
        let gap = span.gap_start()?;
        if self.gap == Gap::Skip || (start < self.valid_until && self.opens_at(start)) {
            return None;
        }
        // Of several civil times in the gap, the last one closes last.
        let end = start.min(self.valid_until);
        let civil = self.pattern.previous(last_second_before(end))?;
        if civil < gap.max(self.valid_from) {
            return None;
        }
        let closes = self.close(span.start, civil);
        (span.start < closes).then_some(Occurrence {
            opens: span.start,
            closes,
            shift: Some(Shift::Gap),
        })
    }

    /// The changes of the clocks in `(from, until)` that meet an opening, in order.
    pub fn clock_changes(&self, from: Timestamp, until: Timestamp) -> Vec<ClockChange> {
        (self.zone.time_zone().following(from))
            .take_while(|change| change.timestamp() < until)
            .filter_map(|change| self.met_by(&OffsetSpan::at(&self.zone, change.timestamp())))
            .collect()
    }

    /// Whether the change with which a span begins meets an opening.
    fn met_by(&self, span: &OffsetSpan<'_>) -> Option<ClockChange> {
        let start = span.start_civil();
        let gap = span.gap_start();
        let (low, high) = match gap {
            Some(gap) => (gap, start),
            None => (start, span.fold_end()),
        };
        let civil = self.pattern.next(low.max(self.valid_from))?;
        let outcome = match gap {
            None => Outcome::Twice(self.repeat),
            Some(_) if self.behind_gap(span).is_some() => Outcome::Shifted,
            Some(_) => Outcome::Left,
        };
        (civil < high.min(self.valid_until)).then_some(ClockChange { civil, outcome })
    }

    fn opens_at(&self, civil: DateTime) -> bool {
        self.pattern.next(civil) == Some(civil)
    }

    fn close(&self, opens: Timestamp, civil: DateTime) -> Timestamp {
        match self.length {
            Length::Elapsed(duration) => opens.checked_add(duration).unwrap_or(Timestamp::MAX),
            Length::Until(time) => {
                let today = civil.date().to_datetime(time);
                let tomorrow = || civil.date().tomorrow().map(|date| date.to_datetime(time));
                let close = if today > civil {
                    today
                } else {
                    tomorrow().unwrap_or(DateTime::MAX)
                };
                last_instant(&self.zone, close)
            }
        }
    }

    /// The civil times at which the rule may open in this span, `[low, high)`: all of them, less
    /// the half of a fold that the other span has.
    fn civil_range(&self, span: &OffsetSpan<'_>) -> (DateTime, DateTime) {
        let low = match self.repeat {
            Repeat::First => span.fold_end(),
            Repeat::Last | Repeat::Both => span.start_civil(),
        };
        let high = match self.repeat {
            Repeat::Last => span.next_fold_start().unwrap_or(span.end_civil()),
            Repeat::First | Repeat::Both => span.end_civil(),
        };
        (low.max(self.valid_from), high.min(self.valid_until))
    }
}

fn runs(pattern: &Pattern, duration: SignedDuration) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for time in pattern.times_of_day() {
        match runs.last_mut() {
            Some(run) if time.duration_since(run.last) <= duration => run.last = time,
            _ => runs.push(Run {
                first: time,
                last: time,
            }),
        }
    }
    runs
}

/// What daylight saving did to an opening at a civil time that exists.
fn shift(span: &OffsetSpan<'_>, civil: DateTime) -> Option<Shift> {
    if civil < span.fold_end() {
        Some(Shift::Last)
    } else if span.next_fold_start().is_some_and(|fold| civil >= fold) {
        Some(Shift::First)
    } else {
        None
    }
}
