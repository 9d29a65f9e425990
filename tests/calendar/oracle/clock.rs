//! The wall clock of a zone on a few days, as chrono-tz shows it minute by minute.

use std::ops::Range;

use chrono::{DateTime, Offset, TimeZone as _};
use chrono_tz::Tz;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{DAY, HOUR, MINUTE, YEARS};

/// Openings are looked for on these days around the centre, and the clock is known for longer than any of them lasts.
const BEFORE: i64 = 64 * HOUR;
const AFTER: i64 = 84 * HOUR;

/// One zone in both libraries.
pub struct Zone {
    pub theirs: Tz,
    pub ours: TimeZone,
}

impl Zone {
    /// What the wall clock shows more than UTC, in seconds, by chrono-tz.
    fn offset(&self, instant: i64) -> i64 {
        let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
        let offset = self.theirs.offset_from_utc_datetime(&utc);
        i64::from(offset.fix().local_minus_utc())
    }

    /// The same by jiff.
    fn offset_by_jiff(&self, instant: i64) -> i64 {
        let instant = Timestamp::from_second(instant).unwrap();
        i64::from(self.ours.to_offset(instant).seconds())
    }

    /// Where to look: what jiff takes for transitions.
    pub fn transitions(&self) -> Vec<i64> {
        let start = |year: i64| (year - 1970) * 365 * DAY + (year - 1969) / 4 * DAY;
        let (first, end) = (start(YEARS.start), start(YEARS.end));
        (self.ours.following(Timestamp::from_second(first).unwrap()))
            .map(|transition| transition.timestamp().as_second())
            .take_while(|instant| *instant < end)
            .collect()
    }

    /// All that this test can see of it: zones that agree in that are one to it.
    pub fn behaviour(&self) -> Vec<(i64, i64)> {
        let transitions = self.transitions().into_iter();
        transitions
            .map(|at| (at, self.offset_by_jiff(at)))
            .collect()
    }
}

/// The same offset from one instant to another.
struct Span {
    instants: Range<i64>,
    offset: i64,
}

impl Span {
    fn civil(&self) -> Range<i64> {
        self.instants.start + self.offset..self.instants.end + self.offset
    }
}

pub struct Clock {
    pub centre: i64,
    spans: Vec<Span>,
}

impl Clock {
    /// Watches the clock around `centre`; `None` where the two libraries differ.
    pub fn watch(zone: &Zone, centre: i64) -> Option<Self> {
        let quarter = 15 * MINUTE;
        let (first, last) = ((centre - BEFORE) / quarter, (centre + AFTER) / quarter);
        let mut spans: Vec<Span> = Vec::new();
        for start in (first..last).map(|number| number * quarter) {
            if zone.offset(start) != zone.offset_by_jiff(start) {
                return None;
            }
            // No zone changes twice in a quarter of an hour.
            let steady = zone.offset(start) == zone.offset(start + quarter);
            let step = if steady { quarter } else { MINUTE };
            for instant in (start..start + quarter).step_by(usize::try_from(step).unwrap()) {
                let offset = zone.offset(instant);
                assert_eq!(offset % MINUTE, 0, "in these years offsets are of minutes");
                match spans.last_mut() {
                    Some(span) if span.offset == offset => span.instants.end = instant + step,
                    _ => spans.push(Span {
                        instants: instant..instant + step,
                        offset,
                    }),
                }
            }
        }
        Some(Self { centre, spans })
    }

    /// Every minute: the instant and what the clock shows then.
    pub fn minutes(&self) -> impl Iterator<Item = (i64, i64)> {
        let step = usize::try_from(MINUTE).unwrap();
        (self.spans.iter()).flat_map(move |span| {
            let instants = span.instants.clone().step_by(step);
            instants.map(|instant| (instant, instant + span.offset))
        })
    }

    /// What the clock leaves out, and the instant at which it does.
    pub fn gaps(&self) -> impl Iterator<Item = (i64, Range<i64>)> {
        self.spans.windows(2).filter_map(|pair| {
            let left_out = pair[0].civil().end..pair[1].civil().start;
            (!left_out.is_empty()).then_some((pair[1].instants.start, left_out))
        })
    }

    /// The instants at which the clock shows that.
    pub fn shows(&self, civil: i64) -> impl DoubleEndedIterator<Item = i64> {
        (self.spans.iter())
            .filter(move |span| span.civil().contains(&civil))
            .map(move |span| civil - span.offset)
    }

    /// The first instant at which the clock shows that; where it leaves it out, the instant of that.
    pub fn first(&self, civil: i64) -> i64 {
        let shown = self.shows(civil).next();
        shown.unwrap_or_else(|| self.gap_at(civil))
    }

    /// The same, but the last of several instants.
    pub fn last(&self, civil: i64) -> i64 {
        let shown = self.shows(civil).last();
        shown.unwrap_or_else(|| self.gap_at(civil))
    }

    fn gap_at(&self, civil: i64) -> i64 {
        let gap = self.gaps().find(|(_, left_out)| left_out.contains(&civil));
        gap.unwrap_or_else(|| panic!("{civil} is beyond the walk"))
            .0
    }

    /// What the clock shows at an instant.
    pub fn civil(&self, instant: i64) -> i64 {
        let mut spans = self.spans.iter();
        let span = spans.find(|span| span.instants.contains(&instant));
        instant + span.expect("an instant of the walk").offset
    }

    /// Civil times worth naming: the first and the last minute of the gap or fold, its middle, and what lies around it.
    pub fn moments(&self) -> [i64; 5] {
        let (before, after) = (
            self.civil(self.centre - MINUTE) + MINUTE,
            self.civil(self.centre),
        );
        let (low, high) = (before.min(after), before.max(after));
        [low, high - MINUTE, (low + high) / 2, low - MINUTE, high]
    }
}
