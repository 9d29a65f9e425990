//! What other schedulers are known to get wrong on the nights when clocks change, with the instants written out.
//!
//! The transitions: London 29 March 2026 01:00 UTC (01:00 becomes 02:00) and 25 October 2026 01:00 UTC (02:00 becomes
//! 01:00); Berlin and Zurich 29 March 2026 01:00 UTC (02:00 becomes 03:00) and 25 October 2026 01:00 UTC (03:00 becomes
//! 02:00); New York 8 March 2026 07:00 UTC and 1 November 2026 06:00 UTC (02:00 becomes 01:00).

use jiff::civil::time;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use recess::calendar::{Length, Occurrence, Pattern, Rule, Schedule, Shift};

mod closes;
mod documents;
mod fixed;
mod laws;
mod openings;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> Length {
    Length::Elapsed(SignedDuration::from_hours(count))
}

fn until(hour: i8, minute: i8) -> Length {
    Length::Until(time(hour, minute, 0, 0))
}

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn rule(name: &str, pattern: &str, length: Length) -> Rule {
    Rule::new(Pattern::parse(pattern).unwrap(), zone(name), length)
}

/// Every occurrence that has an instant in the given time is one of those, and none is left out.
#[track_caller]
fn holds(rule: Rule, (from, to): (&str, &str), expected: &[(&str, &str, Option<Shift>)]) {
    let schedule = Schedule::Recurring(rule);
    let expected: Vec<Occurrence> = (expected.iter())
        .map(|&(opens, closes, shift)| Occurrence {
            opens: at(opens),
            closes: at(closes),
            shift,
        })
        .collect();
    let found: Vec<Occurrence> = schedule.intersecting(at(from), at(to)).collect();
    assert_eq!(found, expected);
    let nanosecond = SignedDuration::from_nanos(1);
    let mut back = Vec::new();
    let mut last = at(to) - nanosecond;
    while let Some(one) = schedule.latest_opening(last, at(from) - nanosecond) {
        back.push(one);
        last = one.opens - nanosecond;
    }
    back.reverse();
    assert_eq!(back, expected, "the way back");
    for one in expected {
        assert!(schedule.open_at(one.opens).is_some());
        assert!(schedule.open_at(one.closes - nanosecond).is_some());
        assert_eq!(schedule.next_opening(one.opens - nanosecond), Some(one));
        assert_eq!(
            schedule.latest_opening(one.opens, one.opens - nanosecond),
            Some(one)
        );
    }
}

const SPRING: (&str, &str) = ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
const AUTUMN: (&str, &str) = ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
const NEW_YORK: (&str, &str) = ("2026-11-01T04:00:00Z", "2026-11-01T08:00:00Z");
const GAP: Option<Shift> = Some(Shift::Gap);
const FIRST: Option<Shift> = Some(Shift::First);
const LAST: Option<Shift> = Some(Shift::Last);
