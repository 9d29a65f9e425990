//! What other schedulers are known to get wrong on the nights when clocks change, with the instants written out.
//!
//! The transitions: London 29 March 2026 01:00 UTC (01:00 becomes 02:00) and 25 October 2026 01:00 UTC (02:00 becomes
//! 01:00); Berlin and Zurich 29 March 2026 01:00 UTC (02:00 becomes 03:00) and 25 October 2026 01:00 UTC (03:00 becomes
//! 02:00); New York 8 March 2026 07:00 UTC and 1 November 2026 06:00 UTC (02:00 becomes 01:00).

use jiff::civil::{Date, DateTime, date, time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use recess::calendar::{
    Fixed, Gap, Length, Moment, Occurrence, Pattern, Repeat, Rule, Schedule, Shift,
};
use recess::consumer::ConsumerId;
use recess::policy::{Desired, Policy, Selection, Window};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: i64) -> Length {
    Length::Elapsed(SignedDuration::from_hours(count))
}

fn until(hour: i8, minute: i8) -> Length {
    Length::Until(time(hour, minute, 0, 0))
}

fn rule(zone: &str, pattern: &str, length: Length) -> Rule {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    Rule::new(Pattern::parse(pattern).unwrap(), zone, length)
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

#[test]
fn three_hours_in_london_last_three_hours_on_both_nights() {
    // Argo CD's sync windows: two hours or four.
    let midnight = || rule("Europe/London", "0 0 * * *", hours(3));
    holds(
        midnight(),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", None)],
    );
    holds(
        midnight(),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z", None)],
    );
}

#[test]
fn a_night_until_a_time_of_day_ends_at_that_time_on_both_nights() {
    // KEDA's cron trigger: active for 25.5 hours, as the end of the spring night was taken for yesterday's.
    let night = || rule("Europe/Berlin", "30 1 * * *", until(2, 30));
    holds(
        night(),
        SPRING,
        &[("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", None)],
    );
    holds(
        night(),
        AUTUMN,
        &[("2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z", None)],
    );
    let whole = || rule("Europe/Berlin", "0 22 * * *", until(6, 0));
    holds(
        whole(),
        SPRING,
        &[("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", None)],
    );
    holds(
        whole(),
        AUTUMN,
        &[("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z", None)],
    );
}

#[test]
fn friday_night_covers_saturday_morning_and_no_other() {
    // kured: days and times were looked at apart, so Saturday's 03:00 was not Friday's.
    let (from, to) = ("2026-12-03T12:00:00Z", "2026-12-10T12:00:00Z");
    let night = ("2026-12-04T21:00:00Z", "2026-12-05T03:00:00Z", None);
    for length in [hours(6), until(4, 0)] {
        holds(
            rule("Europe/Zurich", "0 22 * * FRI", length),
            (from, to),
            &[night],
        );
    }
}

#[test]
fn a_time_of_day_in_a_gap_opens_once_right_after_it() {
    // systemd#5595, kubernetes#121594: skipped, or a day late.
    let half_past = || rule("Europe/Zurich", "30 2 * * *", hours(1));
    let shifted = ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", GAP);
    holds(half_past(), SPRING, &[shifted]);
    holds(
        half_past().with_policies(Some(Gap::Skip), None),
        SPRING,
        &[],
    );
    // Twice in the gap is once after it.
    holds(
        rule("Europe/Zurich", "0,30 2 * * *", hours(1)),
        SPRING,
        &[shifted],
    );
    // And where it opens then anyway, nothing was moved.
    let ordinary = ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", None);
    holds(
        rule("Europe/Zurich", "30 2,3 * * *", hours(1)),
        SPRING,
        &[
            shifted,
            ("2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z", None),
        ],
    );
    holds(
        rule("Europe/Zurich", "0 2,3 * * *", hours(1)),
        SPRING,
        &[ordinary],
    );
}

#[test]
fn a_time_of_day_in_a_fold_opens_once_and_every_hour_is_every_hour() {
    // systemd#8647, temporal#8205: twice, or for an hour not at all.
    let half_past = || rule("America/New_York", "30 1 * * *", hours(2));
    let first = ("2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z", FIRST);
    let last = ("2026-11-01T06:30:00Z", "2026-11-01T08:30:00Z", LAST);
    holds(half_past(), NEW_YORK, &[first]);
    holds(
        half_past().with_policies(None, Some(Repeat::Last)),
        NEW_YORK,
        &[last],
    );
    holds(
        half_past().with_policies(None, Some(Repeat::Both)),
        NEW_YORK,
        &[first, last],
    );
    let minute = Length::Elapsed(SignedDuration::from_mins(1));
    holds(
        rule("America/New_York", "0 * * * *", minute),
        NEW_YORK,
        &[
            ("2026-11-01T04:00:00Z", "2026-11-01T04:01:00Z", None),
            ("2026-11-01T05:00:00Z", "2026-11-01T05:01:00Z", FIRST),
            ("2026-11-01T06:00:00Z", "2026-11-01T06:01:00Z", LAST),
            ("2026-11-01T07:00:00Z", "2026-11-01T07:01:00Z", None),
        ],
    );
    let gap = ("2026-03-08T06:00:00Z", "2026-03-08T09:00:00Z");
    holds(
        rule("America/New_York", "0 * * * *", minute),
        gap,
        &[
            ("2026-03-08T06:00:00Z", "2026-03-08T06:01:00Z", None),
            ("2026-03-08T07:00:00Z", "2026-03-08T07:01:00Z", None),
            ("2026-03-08T08:00:00Z", "2026-03-08T08:01:00Z", None),
        ],
    );
}

#[test]
fn windows_longer_than_their_period_and_windows_that_touch_make_one_pause() {
    let id = ConsumerId::new("ORDERS", "billing");
    for (pattern, minutes) in [
        ("0 8-10 * * *", 90),
        ("0 8-10 * * *", 60),
        ("0,30 8-10 * * *", 40),
    ] {
        let length = Length::Elapsed(SignedDuration::from_mins(minutes));
        let schedule = Schedule::Recurring(rule("UTC", pattern, length));
        let window = Window::new("w", schedule.clone(), Selection::new(Vec::new()));
        let policy = Policy::new("default", SignedDuration::from_hours(168), vec![window]);
        let end = match minutes {
            90 => at("2026-12-01T11:30:00Z"),
            60 => at("2026-12-01T11:00:00Z"),
            _ => at("2026-12-01T11:10:00Z"),
        };
        for instant in [
            "2026-12-01T08:00:00Z",
            "2026-12-01T08:59:59.999999999Z",
            "2026-12-01T09:00:00Z",
        ] {
            let desired = policy.desired(&id, &[0], at(instant));
            assert_eq!(desired, Desired::Paused(end), "{pattern} at {instant}");
        }
        assert_eq!(policy.desired(&id, &[0], end), Desired::Running);
        assert_eq!(
            schedule.covered_until(at("2026-12-01T08:00:00Z"), Timestamp::MAX),
            end
        );
    }
}

#[test]
fn a_close_in_a_gap_is_the_first_instant_after_it() {
    holds(
        rule("Europe/Zurich", "0 1 * * *", until(2, 15)),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", None)],
    );
    // 03:00 is that instant by another name.
    holds(
        rule("Europe/Zurich", "0 1 * * *", until(3, 0)),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", None)],
    );
}

#[test]
fn a_close_in_a_fold_is_the_later_one() {
    let one = |length| rule("Europe/Zurich", "0 1 * * *", length);
    holds(
        one(until(2, 0)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z", None)],
    );
    holds(
        one(until(2, 59)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T01:59:00Z", None)],
    );
    holds(
        one(until(3, 0)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z", None)],
    );
    // Opened in the same fold: from the first 02:10 until the second 02:20.
    holds(
        rule("Europe/Zurich", "10 2 25 10 *", until(2, 20)),
        AUTUMN,
        &[("2026-10-25T00:10:00Z", "2026-10-25T01:20:00Z", FIRST)],
    );
}

#[test]
fn a_close_that_is_the_opening_is_the_next_days() {
    holds(
        rule("UTC", "0 3 1 12 *", until(3, 0)),
        ("2026-11-30T00:00:00Z", "2026-12-05T00:00:00Z"),
        &[("2026-12-01T03:00:00Z", "2026-12-02T03:00:00Z", None)],
    );
    // In the fold too: the second 02:30 comes at the same civil time, not after it.
    holds(
        rule("Europe/Zurich", "30 2 25 10 *", until(2, 30)),
        AUTUMN,
        &[("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", FIRST)],
    );
}

#[test]
fn what_would_be_over_before_it_opens_is_not_there() {
    // 02:10 is moved to 03:00, and 02:40 and 03:00 are over by then.
    for close in [until(2, 40), until(3, 0)] {
        holds(rule("Europe/Zurich", "10 2 * * *", close), SPRING, &[]);
    }
    holds(
        rule("Europe/Zurich", "10 2 * * *", until(3, 1)),
        SPRING,
        &[("2026-03-29T01:00:00Z", "2026-03-29T01:01:00Z", GAP)],
    );
    // Of two in the gap the one behind the close lasts until the next day's.
    holds(
        rule("Europe/Zurich", "10,50 2 29 3 *", until(2, 40)),
        SPRING,
        &[("2026-03-29T01:00:00Z", "2026-03-30T00:40:00Z", GAP)],
    );
}

#[test]
fn a_rule_is_valid_by_the_civil_times_it_names() {
    let civil = |text: &str| Some(text.parse::<DateTime>().unwrap());
    let half_past = || rule("Europe/Zurich", "30 2 * * *", hours(1));
    let days = ("2026-03-27T12:00:00Z", "2026-03-31T12:00:00Z");
    let [saturday, sunday, monday] = [
        ("2026-03-28T01:30:00Z", "2026-03-28T02:30:00Z", None),
        ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", GAP),
        ("2026-03-30T00:30:00Z", "2026-03-30T01:30:00Z", None),
    ];
    let until = |text: &str| half_past().valid(civil("2026-03-28T00:00:00"), civil(text));
    holds(until("2026-03-29T02:30:00"), days, &[saturday]);
    holds(until("2026-03-29T02:30:01"), days, &[saturday, sunday]);
    holds(
        until("2026-03-31T02:30:00"),
        days,
        &[saturday, sunday, monday],
    );
    let from = |text: &str| half_past().valid(civil(text), civil("2026-03-31T00:00:00"));
    holds(
        from("2026-03-28T02:30:00"),
        days,
        &[saturday, sunday, monday],
    );
    holds(from("2026-03-29T02:30:00"), days, &[sunday, monday]);
    // It opens at 03:00, but the time it names was 02:30.
    holds(from("2026-03-29T02:30:01"), days, &[monday]);
    holds(from("2026-03-29T03:00:00"), days, &[monday]);
    // The end of the gap is no longer valid, so nothing but what was moved there opens then.
    let both = rule("Europe/Zurich", "0,30 2,3 * * *", hours(1));
    let until_three = both.valid(None, civil("2026-03-29T03:00:00"));
    holds(until_three, SPRING, &[sunday]);
    // In a fold the first of two times counts, if it is valid.
    let first = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", FIRST);
    let from = |text: &str| half_past().valid(civil(text), civil("2026-10-26T00:00:00"));
    holds(from("2026-10-25T02:30:00"), AUTUMN, &[first]);
    holds(from("2026-10-25T02:31:00"), AUTUMN, &[]);
}

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

#[test]
fn a_one_off_window_takes_the_whole_of_a_fold_and_none_of_a_gap() {
    let local = |text: &str| Moment::Local(text.parse().unwrap());
    let once = |from: &str, until: &str| {
        let fixed = Fixed::once(zone("Europe/Zurich"), local(from), local(until))?;
        fixed.next_opening(Timestamp::MIN)
    };
    for (from, until, opens, closes, shift) in [
        (
            "2026-10-25T02:10",
            "2026-10-25T02:20",
            "2026-10-25T00:10:00Z",
            "2026-10-25T01:20:00Z",
            FIRST,
        ),
        (
            "2026-10-25T02:10",
            "2026-10-25T02:10",
            "2026-10-25T00:10:00Z",
            "2026-10-25T01:10:00Z",
            FIRST,
        ),
        (
            "2026-10-25T02:20",
            "2026-10-25T02:10",
            "2026-10-25T00:20:00Z",
            "2026-10-25T01:10:00Z",
            FIRST,
        ),
        (
            "2026-03-29T02:10",
            "2026-03-29T03:10",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:10:00Z",
            GAP,
        ),
        (
            "2026-03-29T01:10",
            "2026-03-29T02:10",
            "2026-03-29T00:10:00Z",
            "2026-03-29T01:00:00Z",
            None,
        ),
    ] {
        let expected = Occurrence {
            opens: at(opens),
            closes: at(closes),
            shift,
        };
        assert_eq!(once(from, until), Some(expected), "{from} until {until}");
    }
    assert_eq!(once("2026-03-29T02:10", "2026-03-29T02:50"), None);
    assert_eq!(once("2026-03-28T12:00", "2026-03-28T12:00"), None);
}

#[test]
fn days_are_as_long_as_they_are_and_touching_ones_are_one() {
    let days = |name: &str, days: &[Date]| {
        let fixed = Fixed::days(zone(name), days);
        let first = fixed.next_opening(Timestamp::MIN);
        let found = std::iter::successors(first, |last| fixed.next_opening(last.opens));
        let texts = found.map(|one| [one.opens, one.closes].map(|at| at.to_string()));
        texts.collect::<Vec<_>>()
    };
    let spring = [
        date(2026, 3, 29),
        date(2026, 12, 25),
        date(2026, 3, 28),
        date(2026, 3, 29),
    ];
    assert_eq!(
        days("Europe/Zurich", &spring),
        [
            ["2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z"],
            ["2026-12-24T23:00:00Z", "2026-12-25T23:00:00Z"],
        ]
    );
    // Cairo has no midnight on 24 April, and 23:00 twice on 29 October.
    let cairo = [date(2026, 4, 24), date(2026, 10, 29)];
    assert_eq!(
        days("Africa/Cairo", &cairo),
        [
            ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"],
            ["2026-10-28T21:00:00Z", "2026-10-29T22:00:00Z"],
        ]
    );
    // Samoa had no 30 December 2011.
    assert!(days("Pacific/Apia", &[date(2011, 12, 30)]).is_empty());
    let around = [date(2011, 12, 29), date(2011, 12, 31)];
    assert_eq!(
        days("Pacific/Apia", &around),
        [["2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z"]]
    );
}
