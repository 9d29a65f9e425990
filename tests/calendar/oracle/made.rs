//! Schedules that are made up together with all their occurrences around an instant.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Datelike, Timelike};
use jiff::civil::{Date, DateTime as Civil, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recess::calendar::{
    Boundary, Fixed, Gap, Length, Occurrence, Pattern, Repeat, Rule, Schedule, Shift,
};

use super::clock::Clock;
use super::cron::{Cron, Day};
use super::{DAY, HOUR, KNOWN, MINUTE};
use crate::support::random::Random;

/// A schedule, how it was written, and its occurrences that open in [`KNOWN`] around the centre, in order.
pub struct Made {
    pub schedule: Schedule,
    pub text: String,
    pub all: Vec<Occurrence>,
}

impl Made {
    pub fn up(clock: &Clock, zone: &TimeZone, longest: i64, random: &mut Random) -> Self {
        match random.below(8) {
            0 => Self::days(clock, zone, random),
            1 => Self::once(clock, zone, &[], random),
            _ => Self::rule(clock, zone, longest, None, random),
        }
    }

    /// Something that lies across what others do: `instants` are their openings and closes.
    pub fn exclusion(
        clock: &Clock,
        zone: &TimeZone,
        instants: &[i64],
        random: &mut Random,
    ) -> Self {
        match random.below(6) {
            0 => Self::days(clock, zone, random),
            1 => {
                // What swallows openings for years is looked for for a long time: here it ends behind the known days.
                let end = clock.civil(clock.centre) + 3 * DAY;
                Self::rule(clock, zone, 3 * HOUR, Some(end), random)
            }
            _ => Self::once(clock, zone, instants, random),
        }
    }

    /// Whole days, in any order, some of them twice.
    fn days(clock: &Clock, zone: &TimeZone, random: &mut Random) -> Self {
        let today = clock.civil(clock.centre).div_euclid(DAY);
        let count = 1 + random.below(4);
        let days: Vec<i64> = (0..count).map(|_| today - 1 + random.below(3)).collect();
        let mut blocks: Vec<Range<i64>> = Vec::new();
        for day in today - 1..=today + 1 {
            let whole = clock.first(day * DAY)..clock.first((day + 1) * DAY);
            if !days.contains(&day) || whole.is_empty() {
                continue;
            }
            match blocks.last_mut() {
                Some(block) if block.end == whole.start => block.end = whole.end,
                _ => blocks.push(whole),
            }
        }
        let dates: Vec<Date> = days.iter().map(|day| civil(day * DAY).date()).collect();
        Self {
            text: format!("the days {dates:?}"),
            schedule: Schedule::Fixed(Fixed::days(zone.clone(), &dates)),
            all: (blocks.into_iter())
                .map(|block| occurrence(block.start, block.end, None))
                .collect(),
        }
    }

    /// From one moment until another. Both are near the centre, or one of `instants`.
    fn once(clock: &Clock, zone: &TimeZone, instants: &[i64], random: &mut Random) -> Self {
        loop {
            let moments = clock.moments();
            let (from, opens, shift) = match random.below(3) {
                0 => {
                    let civil_time = random.pick(&moments) + random.below(3) * 20 * MINUTE;
                    let shown: Vec<i64> = clock.shows(civil_time).collect();
                    let shift = match shown.len() {
                        0 => Some(Shift::Gap),
                        1 => None,
                        _ => Some(Shift::First),
                    };
                    let from = Boundary::Local(civil(civil_time));
                    (from, clock.first(civil_time), shift)
                }
                _ => {
                    let opens = near(clock, instants, random);
                    (Boundary::Instant(second(opens)), opens, None)
                }
            };
            let (until, closes) = match random.below(3) {
                0 => {
                    let civil_time = random.pick(&moments) + random.below(20) * 20 * MINUTE;
                    (Boundary::Local(civil(civil_time)), clock.last(civil_time))
                }
                1 => {
                    let closes = opens + *random.pick(&[1, 600, HOUR, 7 * HOUR]);
                    (Boundary::Instant(second(closes)), closes)
                }
                _ => {
                    let closes = near(clock, instants, random);
                    (Boundary::Instant(second(closes)), closes)
                }
            };
            let fixed = Fixed::once(zone.clone(), from, until);
            assert_eq!(fixed.is_some(), opens < closes, "{from:?} until {until:?}");
            if let Some(fixed) = fixed {
                return Self {
                    schedule: Schedule::Fixed(fixed),
                    text: format!("once from {from:?} until {until:?}"),
                    all: vec![occurrence(opens, closes, shift)],
                };
            }
        }
    }

    fn rule(
        clock: &Clock,
        zone: &TimeZone,
        longest: i64,
        end: Option<i64>,
        random: &mut Random,
    ) -> Self {
        let cron = Cron::make_up(clock, random);
        let pattern =
            Pattern::parse(&cron.to_string()).unwrap_or_else(|error| panic!("`{cron}`: {error}"));
        let (gap, repeat) = if cron.is_interval() {
            (Gap::Skip, Repeat::Both)
        } else {
            (Gap::Shift, Repeat::First)
        };
        let stated_gap =
            (!random.once_in(3)).then(|| *random.pick(&[Gap::Shift, Gap::Shift, Gap::Skip]));
        let stated_repeat = (!random.once_in(3))
            .then(|| *random.pick(&[Repeat::First, Repeat::Last, Repeat::Both]));
        let bound = |random: &mut Random| {
            let near = *random.pick(&clock.moments()) + (random.below(7) - 3) * 10 * MINUTE;
            near + *random.pick(&[0, 0, 0, 1, -1, 6 * HOUR, -6 * HOUR])
        };
        let mut meaning = Meaning {
            cron,
            gap: stated_gap.unwrap_or(gap),
            repeat: stated_repeat.unwrap_or(repeat),
            close: Close::Elapsed(1),
            from: random.once_in(5).then(|| bound(random)),
            until: random.once_in(5).then(|| bound(random)).or(end),
        };
        // Windows that overlap themselves by the thousand say nothing more than those that do so by the dozen.
        let openings = meaning.openings(clock);
        let many = openings.len() > 300;
        let length = match random.below(2) {
            0 if !many => {
                let minute = match random.below(3) {
                    0 => random.below(DAY / MINUTE) * MINUTE,
                    _ => random.pick(&clock.moments()) + random.below(4) * 15 * MINUTE,
                };
                let time = minute.rem_euclid(DAY);
                meaning.close = Close::Until(time);
                Length::Until(civil(time).time())
            }
            _ => {
                let longest = if many { HOUR } else { longest };
                let length = [1, 30 * MINUTE, HOUR, 2 * HOUR, 8 * HOUR, DAY, longest];
                let length = (*random.pick(&length)).min(longest);
                meaning.close = Close::Elapsed(length);
                Length::Elapsed(SignedDuration::from_secs(length))
            }
        };
        let rule = Rule::new(pattern, zone.clone(), length)
            .with_policies(stated_gap, stated_repeat)
            .valid(meaning.from.map(civil), meaning.until.map(civil));
        Self {
            text: meaning.to_string(),
            all: meaning.occurrences(clock, &openings),
            schedule: Schedule::Recurring(rule),
        }
    }

    /// Its openings and closes near the centre.
    pub fn edges(&self, near: &Range<i64>) -> impl Iterator<Item = i64> {
        (self.all.iter())
            .flat_map(|one| [one.opens.as_second(), one.closes.as_second()])
            .filter(move |instant| near.contains(instant))
    }
}

/// A rule in the oracle's terms: civil times are seconds of the wall clock.
struct Meaning {
    cron: Cron,
    gap: Gap,
    repeat: Repeat,
    close: Close,
    from: Option<i64>,
    until: Option<i64>,
}

struct Opening {
    at: i64,
    /// The civil time of the rule that it comes from.
    named: i64,
    shift: Option<Shift>,
}

enum Close {
    Elapsed(i64),
    /// Seconds after midnight.
    Until(i64),
}

impl std::fmt::Display for Meaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {:?} {:?}", self.cron, self.gap, self.repeat)?;
        match self.close {
            Close::Elapsed(length) => write!(f, " for {length} s")?,
            Close::Until(time) => write!(f, " until {}", civil(time).time())?,
        }
        for (word, bound) in [("from", self.from), ("until", self.until)] {
            if let Some(bound) = bound {
                write!(f, ", valid {word} {}", civil(bound))?;
            }
        }
        Ok(())
    }
}

impl Meaning {
    /// Looks at the wall clock minute by minute.
    fn openings(&self, clock: &Clock) -> Vec<Opening> {
        let mut openings = Vec::new();
        let mut open = |at: i64, named: i64, shift: Option<Shift>| {
            if KNOWN.contains(&(at - clock.centre)) {
                openings.push(Opening { at, named, shift });
            }
        };
        let mut day = Day::default();
        for (_, civil) in clock.minutes() {
            if !day.matches(&self.cron, civil) {
                continue;
            }
            for named in self.named(civil) {
                let shown: Vec<i64> = clock.shows(named).collect();
                match (shown.as_slice(), self.repeat) {
                    (&[only], _) => open(only, named, None),
                    (&[first, _], Repeat::First) => open(first, named, Some(Shift::First)),
                    (&[_, last], Repeat::Last) => open(last, named, Some(Shift::Last)),
                    (&[first, last], Repeat::Both) => {
                        open(first, named, Some(Shift::First));
                        open(last, named, Some(Shift::Last));
                    }
                    _ => panic!("the wall clock showed {named} at {shown:?}"),
                }
            }
        }
        for (instant, left_out) in clock.gaps().filter(|_| self.gap == Gap::Shift) {
            for civil in left_out.step_by(usize::try_from(MINUTE).unwrap()) {
                if day.matches(&self.cron, civil) {
                    (self.named(civil)).for_each(|named| open(instant, named, Some(Shift::Gap)));
                }
            }
        }
        openings
    }

    /// Of those that open at one instant the longest, and an ordinary one before one that was moved there.
    fn occurrences(&self, clock: &Clock, openings: &[Opening]) -> Vec<Occurrence> {
        let mut found: BTreeMap<i64, Occurrence> = BTreeMap::new();
        let rank = |one: Occurrence| (one.closes, one.shift != Some(Shift::Gap));
        for opening in openings {
            let at = opening.at;
            let one = occurrence(at, self.close(clock, at, opening.named), opening.shift);
            let longer = found.get(&at).is_none_or(|old| rank(*old) < rank(one));
            if one.opens < one.closes && longer {
                found.insert(at, one);
            }
        }
        found.into_values().collect()
    }

    /// The seconds of a minute that the rule names.
    fn named(&self, minute: i64) -> impl Iterator<Item = i64> {
        (self.cron.seconds().into_iter())
            .map(move |second| minute + second)
            .filter(|named| self.from.is_none_or(|from| from <= *named))
            .filter(|named| self.until.is_none_or(|until| *named < until))
    }

    fn close(&self, clock: &Clock, opens: i64, named: i64) -> i64 {
        match self.close {
            Close::Elapsed(length) => opens + length,
            Close::Until(time) => {
                let today = named.div_euclid(DAY) * DAY + time;
                clock.last(if today > named { today } else { today + DAY })
            }
        }
    }
}

/// An instant within half a day of the centre, or one of those that matter to others.
fn near(clock: &Clock, instants: &[i64], random: &mut Random) -> i64 {
    if instants.is_empty() || random.once_in(4) {
        clock.centre + (random.below(48) - 24) * 30 * MINUTE
    } else {
        *random.pick(instants) + *random.pick(&[0, 0, 0, 1, -1, 1_800, -1_800])
    }
}

fn occurrence(opens: i64, closes: i64, shift: Option<Shift>) -> Occurrence {
    Occurrence {
        opens: second(opens),
        closes: second(closes),
        shift,
    }
}

pub fn second(instant: i64) -> Timestamp {
    Timestamp::from_second(instant).unwrap()
}

/// So many seconds of the wall clock, as jiff writes them.
fn civil(seconds: i64) -> Civil {
    let date = DateTime::from_timestamp(seconds, 0).unwrap();
    let part = |value: u32| i8::try_from(value).unwrap();
    let year = i16::try_from(date.year()).unwrap();
    let time = Time::constant(
        part(date.hour()),
        part(date.minute()),
        part(date.second()),
        0,
    );
    Date::constant(year, part(date.month()), part(date.day())).to_datetime(time)
}
