//! From when until when a rule is valid, and what is written down date by date.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};
use recess::calendar::{Boundary, Fixed, Occurrence};

use super::*;

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

#[test]
fn a_one_off_window_takes_the_whole_of_a_fold_and_none_of_a_gap() {
    let local = |text: &str| Boundary::Local(text.parse().unwrap());
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
