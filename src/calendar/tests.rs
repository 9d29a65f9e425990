use jiff::tz::TimeZoneDatabase;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// A rule with the default policies and windows of ten minutes.
fn rule(pattern: &str, zone_name: &str) -> Schedule {
    lasting(pattern, zone_name, minutes(10))
}

fn lasting(pattern: &str, zone_name: &str, length: SignedDuration) -> Schedule {
    Schedule::Recurring(recurring(pattern, zone_name, length))
}

fn recurring(pattern: &str, zone_name: &str, length: SignedDuration) -> Rule {
    let pattern = Pattern::parse(pattern).unwrap();
    Rule::new(pattern, zone(zone_name), Length::Elapsed(length))
}

/// A rule of ten minutes with stated policies.
fn stated(pattern: &str, zone_name: &str, gap: Gap, repeat: Repeat) -> Schedule {
    let rule = recurring(pattern, zone_name, minutes(10));
    Schedule::Recurring(rule.with_policies(Some(gap), Some(repeat)))
}

/// The openings in `[from, until)`, as text.
fn openings(rule: &Schedule, from: &str, until: &str) -> Vec<(String, Option<Shift>)> {
    let (from, until) = (time(from), time(until));
    let mut found = Vec::new();
    let mut after = from - SignedDuration::from_nanos(1);
    while let Some(next) = rule.next_opening(after).filter(|next| next.opens < until) {
        assert!(next.opens < next.closes && next.length() <= rule.longest());
        found.push((next.opens.to_string(), next.shift));
        after = next.opens;
    }
    // The way back is the same way.
    let mut back = Vec::new();
    let mut at = until - SignedDuration::from_nanos(1);
    let before = from - SignedDuration::from_nanos(1);
    while let Some(last) = rule.latest_opening(at, before) {
        back.push((last.opens.to_string(), last.shift));
        at = last.opens - SignedDuration::from_nanos(1);
    }
    back.reverse();
    assert_eq!(found, back);
    found
}

fn opens(rule: &Schedule, from: &str, until: &str, expected: &[(&str, Option<Shift>)]) {
    let found = openings(rule, from, until);
    let found: Vec<(&str, Option<Shift>)> = (found.iter())
        .map(|(at, shift)| (at.as_str(), *shift))
        .collect();
    assert_eq!(found, expected, "{rule:?}");
}

const GAP: Option<Shift> = Some(Shift::Gap);
const FIRST: Option<Shift> = Some(Shift::First);
const LAST: Option<Shift> = Some(Shift::Last);

#[test]
fn a_time_of_day_in_a_gap_opens_when_the_gap_is_over() {
    // Zurich, 28 March 2027: 02:00 becomes 03:00 at 01:00 UTC.
    let (from, until) = ("2027-03-27T00:00:00Z", "2027-03-30T00:00:00Z");
    opens(
        &rule("30 2 * * *", "Europe/Zurich"),
        from,
        until,
        &[
            ("2027-03-27T01:30:00Z", None),
            ("2027-03-28T01:00:00Z", GAP),
            ("2027-03-29T00:30:00Z", None),
        ],
    );
    opens(
        &rule("0,30 2 * * *", "Europe/Zurich"),
        from,
        until,
        &[
            ("2027-03-27T01:00:00Z", None),
            ("2027-03-27T01:30:00Z", None),
            ("2027-03-28T01:00:00Z", GAP),
            ("2027-03-29T00:00:00Z", None),
            ("2027-03-29T00:30:00Z", None),
        ],
    );
    // 03:00 exists, and an opening moved to it is the same opening.
    opens(
        &rule("30 2,3 * * *", "Europe/Zurich"),
        "2027-03-28T00:00:00Z",
        "2027-03-28T12:00:00Z",
        &[
            ("2027-03-28T01:00:00Z", GAP),
            ("2027-03-28T01:30:00Z", None),
        ],
    );
    opens(
        &rule("0 2,3 * * *", "Europe/Zurich"),
        "2027-03-28T00:00:00Z",
        "2027-03-28T12:00:00Z",
        &[("2027-03-28T01:00:00Z", None)],
    );
    // The last second before the gap and the first after it are not in it.
    opens(
        &rule("59 59 1 * * *", "Europe/Zurich"),
        "2027-03-28T00:00:00Z",
        "2027-03-28T12:00:00Z",
        &[("2027-03-28T00:59:59Z", None)],
    );
    opens(
        &rule("0 3 * * *", "Europe/Zurich"),
        "2027-03-28T00:00:00Z",
        "2027-03-28T12:00:00Z",
        &[("2027-03-28T01:00:00Z", None)],
    );
}

#[test]
fn a_rule_may_skip_gaps() {
    for repeat in [Repeat::First, Repeat::Last, Repeat::Both] {
        let skip = stated("30 2 * * *", "Europe/Zurich", Gap::Skip, repeat);
        opens(
            &skip,
            "2027-03-27T00:00:00Z",
            "2027-03-30T00:00:00Z",
            &[
                ("2027-03-27T01:30:00Z", None),
                ("2027-03-29T00:30:00Z", None),
            ],
        );
    }
}

#[test]
fn a_time_of_day_that_comes_twice_opens_as_the_rule_says() {
    // Zurich, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
    // New York, 1 November 2026: 02:00 becomes 01:00 at 06:00 UTC.
    for (pattern, zone, day, first, last) in [
        (
            "30 2 * * *",
            "Europe/Zurich",
            "2026-10-25",
            "00:30:00",
            "01:30:00",
        ),
        (
            "0 2 * * *",
            "Europe/Zurich",
            "2026-10-25",
            "00:00:00",
            "01:00:00",
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-11-01",
            "05:30:00",
            "06:30:00",
        ),
        (
            "59 59 1 * * *",
            "America/New_York",
            "2026-11-01",
            "05:59:59",
            "06:59:59",
        ),
    ] {
        let (from, until) = (format!("{day}T00:00:00Z"), format!("{day}T23:00:00Z"));
        let (first, last) = (format!("{day}T{first}Z"), format!("{day}T{last}Z"));
        opens(&rule(pattern, zone), &from, &until, &[(&first, FIRST)]);
        let last_only = stated(pattern, zone, Gap::Shift, Repeat::Last);
        opens(&last_only, &from, &until, &[(&last, LAST)]);
        let both = stated(pattern, zone, Gap::Shift, Repeat::Both);
        opens(&both, &from, &until, &[(&first, FIRST), (&last, LAST)]);
    }
}

#[test]
fn a_time_of_day_beside_a_fold_comes_once() {
    for repeat in [Repeat::First, Repeat::Last, Repeat::Both] {
        let (from, until) = ("2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z");
        for (pattern, expected) in [
            ("30 1 * * *", "2026-10-24T23:30:00Z"),
            ("59 59 1 * * *", "2026-10-24T23:59:59Z"),
            ("0 3 * * *", "2026-10-25T02:00:00Z"),
        ] {
            let rule = stated(pattern, "Europe/Zurich", Gap::Shift, repeat);
            opens(&rule, from, until, &[(expected, None)]);
        }
    }
}

#[test]
fn an_interval_rule_keeps_its_interval() {
    opens(
        &rule("0 * * * *", "America/New_York"),
        "2026-11-01T04:00:00Z",
        "2026-11-01T08:00:00Z",
        &[
            ("2026-11-01T04:00:00Z", None),
            ("2026-11-01T05:00:00Z", FIRST),
            ("2026-11-01T06:00:00Z", LAST),
            ("2026-11-01T07:00:00Z", None),
        ],
    );
    opens(
        &rule("0 * * * *", "Europe/Zurich"),
        "2026-10-24T23:00:00Z",
        "2026-10-25T03:00:00Z",
        &[
            ("2026-10-24T23:00:00Z", None),
            ("2026-10-25T00:00:00Z", FIRST),
            ("2026-10-25T01:00:00Z", LAST),
            ("2026-10-25T02:00:00Z", None),
        ],
    );
    opens(
        &rule("30 * * * *", "Europe/Zurich"),
        "2027-03-27T23:00:00Z",
        "2027-03-28T03:00:00Z",
        &[
            ("2027-03-27T23:30:00Z", None),
            ("2027-03-28T00:30:00Z", None),
            ("2027-03-28T01:30:00Z", None),
            ("2027-03-28T02:30:00Z", None),
        ],
    );
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    // 4 October 2026: 02:00 becomes 02:30 at 15:30 UTC of the day before.
    // 4 April 2027: 02:00 becomes 01:30 at 15:00 UTC of the day before.
    let island = "Australia/Lord_Howe";
    let spring = ("2026-10-03T14:00:00Z", "2026-10-03T18:00:00Z");
    opens(
        &rule("15 2 * * *", island),
        spring.0,
        spring.1,
        &[("2026-10-03T15:30:00Z", GAP)],
    );
    opens(
        &rule("15,30 2 * * *", island),
        spring.0,
        spring.1,
        &[("2026-10-03T15:30:00Z", None)],
    );
    opens(
        &rule("45 2 * * *", island),
        spring.0,
        spring.1,
        &[("2026-10-03T15:45:00Z", None)],
    );
    let autumn = ("2027-04-03T14:00:00Z", "2027-04-03T16:00:00Z");
    opens(
        &rule("45 1 * * *", island),
        autumn.0,
        autumn.1,
        &[("2027-04-03T14:45:00Z", FIRST)],
    );
    opens(
        &rule("15 1 * * *", island),
        autumn.0,
        autumn.1,
        &[("2027-04-03T14:15:00Z", None)],
    );
    opens(
        &rule("45 * * * *", island),
        autumn.0,
        autumn.1,
        &[
            ("2027-04-03T14:45:00Z", FIRST),
            ("2027-04-03T15:15:00Z", LAST),
        ],
    );
}

#[test]
fn a_gap_or_fold_at_midnight_belongs_to_the_right_day() {
    // Cairo, Friday 24 April 2026: 00:00 becomes 01:00 at 22:00 UTC of Thursday.
    // Thursday 29 October 2026: 24:00 becomes 23:00 at 21:00 UTC.
    let (from, until) = ("2026-04-22T12:00:00Z", "2026-04-24T12:00:00Z");
    opens(
        &rule("0 0 * * *", "Africa/Cairo"),
        from,
        until,
        &[
            ("2026-04-22T22:00:00Z", None),
            ("2026-04-23T22:00:00Z", GAP),
        ],
    );
    opens(
        &rule("30 0 * * FRI", "Africa/Cairo"),
        from,
        until,
        &[("2026-04-23T22:00:00Z", GAP)],
    );
    opens(&rule("30 0 * * SAT", "Africa/Cairo"), from, until, &[]);
    let (from, until) = ("2026-10-29T12:00:00Z", "2026-10-30T12:00:00Z");
    opens(
        &rule("30 23 * * THU", "Africa/Cairo"),
        from,
        until,
        &[("2026-10-29T20:30:00Z", FIRST)],
    );
    opens(
        &rule("0 0 * * FRI", "Africa/Cairo"),
        from,
        until,
        &[("2026-10-29T22:00:00Z", None)],
    );
    // Santiago, Sunday 6 September 2026: 00:00 becomes 01:00 at 04:00 UTC.
    let (from, until) = ("2026-09-05T12:00:00Z", "2026-09-06T12:00:00Z");
    opens(
        &rule("0 0 * * SUN", "America/Santiago"),
        from,
        until,
        &[("2026-09-06T04:00:00Z", GAP)],
    );
    opens(
        &rule("0 0 6 9 *", "America/Santiago"),
        from,
        until,
        &[("2026-09-06T04:00:00Z", GAP)],
    );
    // Asuncion has kept its summer time since October 2024.
    opens(
        &rule("0 0 * * *", "America/Asuncion"),
        "2026-10-03T12:00:00Z",
        "2026-10-05T12:00:00Z",
        &[
            ("2026-10-04T03:00:00Z", None),
            ("2026-10-05T03:00:00Z", None),
        ],
    );
}

#[test]
fn a_day_that_never_was() {
    // Samoa went from 29 to 31 December 2011, over the date line: midnight came at 10:00 UTC, a day
    // later by the clock.
    let (from, until) = ("2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
    opens(
        &rule("0 2 * * *", "Pacific/Apia"),
        from,
        until,
        &[
            ("2011-12-29T12:00:00Z", None),
            ("2011-12-30T10:00:00Z", GAP),
            ("2011-12-30T12:00:00Z", None),
            ("2011-12-31T12:00:00Z", None),
        ],
    );
    opens(
        &rule("0 0 * * *", "Pacific/Apia"),
        from,
        until,
        &[
            ("2011-12-29T10:00:00Z", None),
            ("2011-12-30T10:00:00Z", None),
            ("2011-12-31T10:00:00Z", None),
        ],
    );
    let skip = stated("0 2 30 12 *", "Pacific/Apia", Gap::Skip, Repeat::First);
    opens(
        &skip,
        "2011-01-01T00:00:00Z",
        "2013-01-01T00:00:00Z",
        &[("2012-12-29T12:00:00Z", None)],
    );
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_opens_on() {
    let night = lasting("0 22 * * FRI", "Europe/Zurich", minutes(6 * 60));
    let friday = Occurrence {
        opens: time("2026-12-04T21:00:00Z"),
        closes: time("2026-12-05T03:00:00Z"),
        shift: None,
    };
    assert_eq!(
        night.open_at(time("2026-12-05T02:59:59.999999999Z")),
        Some(friday)
    );
    assert_eq!(night.open_at(time("2026-12-05T03:00:00Z")), None);
    assert_eq!(
        night.open_at(time("2026-12-05T22:00:00Z")),
        None,
        "Saturday evening"
    );
}

#[test]
fn a_length_is_elapsed_time() {
    // 01:30 to 03:30 by the clock before the change, one hour more or less of it in between.
    for (night, opens, closes) in [
        (
            "2027-03-27T12:00:00Z",
            "2027-03-28T00:30:00Z",
            "2027-03-28T02:30:00Z",
        ),
        (
            "2026-10-24T12:00:00Z",
            "2026-10-24T23:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
    ] {
        let rule = lasting("30 1 * * *", "Europe/Zurich", minutes(120));
        let next = rule.next_opening(time(night)).unwrap();
        assert_eq!((next.opens, next.closes), (time(opens), time(closes)));
    }
}

#[test]
fn an_occurrence_is_half_open() {
    let rule = lasting("30 1 * * *", "UTC", minutes(120));
    let occurrence = rule.next_opening(time("2026-12-01T00:00:00Z")).unwrap();
    for (at, open) in [
        ("2026-12-01T01:29:59.999999999Z", false),
        ("2026-12-01T01:30:00Z", true),
        ("2026-12-01T03:29:59.999999999Z", true),
        ("2026-12-01T03:30:00Z", false),
    ] {
        assert_eq!(rule.open_at(time(at)), open.then_some(occurrence), "{at}");
        assert_eq!(occurrence.covers(time(at)), open, "{at}");
    }
}

#[test]
fn next_is_later_and_latest_is_not() {
    let rule = lasting("30 1 * * *", "UTC", minutes(120));
    let at = time("2026-12-01T01:30:00Z");
    let nanosecond = SignedDuration::from_nanos(1);
    let day = SignedDuration::from_hours(24);
    let next = |after| rule.next_opening(after).unwrap().opens;
    assert_eq!(next(at - nanosecond), at);
    assert_eq!(next(at), at + day);
    assert_eq!(next(at + nanosecond), at + day);
    let latest = |at, not_before| Some(rule.latest_opening(at, not_before)?.opens);
    assert_eq!(latest(at, at - day), Some(at));
    assert_eq!(latest(at - nanosecond, at - day * 2), Some(at - day));
    assert_eq!(
        latest(at - nanosecond, at - day),
        None,
        "not later than the bound"
    );
    assert_eq!(latest(at, at), None);
    assert_eq!(latest(at, at - nanosecond), Some(at));
}

#[test]
fn a_window_longer_than_its_period_is_always_open() {
    let rule = lasting("0 * * * *", "UTC", minutes(90));
    let (from, until) = (time("2026-12-01T10:15:00Z"), time("2026-12-01T11:00:00Z"));
    let open = rule.open_at(from).unwrap();
    assert_eq!(
        open.opens,
        time("2026-12-01T10:00:00Z"),
        "of two, the one that closes last"
    );
    let rows: Vec<_> = rule
        .intersecting(from, until)
        .map(|row| row.opens.to_string())
        .collect();
    assert_eq!(rows, ["2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z"]);
}

#[test]
fn a_window_that_touches_the_next_has_no_seam() {
    let rule = lasting("0 */2 * * *", "UTC", minutes(120));
    let seam = time("2026-12-01T02:00:00Z");
    let before = rule.open_at(seam - SignedDuration::from_nanos(1)).unwrap();
    let after = rule.open_at(seam).unwrap();
    assert_eq!((before.closes, after.opens), (seam, seam));
}

#[test]
fn intersecting_occurrences_come_whole_and_in_order() {
    let rule = lasting("0 1 * * *", "UTC", minutes(60));
    let rows = |from: &str, until: &str| -> Vec<String> {
        let rows = rule.intersecting(time(from), time(until));
        rows.map(|row| row.opens.to_string()).collect()
    };
    let (first, second) = ("2026-12-01T01:00:00Z", "2026-12-02T01:00:00Z");
    assert_eq!(
        rows("2026-12-01T01:30:00Z", "2026-12-02T01:00:01Z"),
        [first, second]
    );
    assert_eq!(
        rows("2026-12-01T01:59:59.9Z", "2026-12-02T01:00:00Z"),
        [first]
    );
    assert!(rows("2026-12-01T02:00:00Z", "2026-12-02T01:00:00Z").is_empty());
    assert_eq!(
        rows("2026-12-01T02:00:00Z", "2026-12-02T01:00:00.000000001Z"),
        [second]
    );
    assert!(rows("2026-12-01T01:30:00Z", "2026-12-01T01:30:00Z").is_empty());
    assert!(rows("2026-12-02T01:30:00Z", "2026-12-01T01:30:00Z").is_empty());
}

#[test]
fn what_has_closed_at_an_instant_has_nothing_of_it() {
    // One that ends by the clock could be longer, so it is looked for further back.
    let pattern = Pattern::parse("0 1 * * *").unwrap();
    let until = Length::Until(jiff::civil::time(2, 0, 0, 0));
    let rule = Schedule::Recurring(Rule::new(pattern, zone("UTC"), until));
    let (close, later) = (time("2026-12-01T02:00:00Z"), time("2026-12-01T03:00:00Z"));
    assert_eq!(rule.intersecting(close, later).count(), 0);
    let just_before = close - SignedDuration::from_nanos(1);
    assert_eq!(rule.intersecting(just_before, later).count(), 1);
}

#[test]
fn one_that_opened_at_the_end_of_the_search_is_not_looked_for() {
    let (opens, closes) = (time("2026-12-01T01:00:00Z"), time("2026-12-01T02:00:00Z"));
    let [from, until] = [opens, closes].map(Boundary::Instant);
    let once = Schedule::Fixed(Fixed::once(zone("UTC"), from, until).unwrap());
    let just_before = opens - SignedDuration::from_nanos(1);
    assert!(once.latest_opening(closes, just_before).is_some());
    assert_eq!(once.latest_opening(closes, opens), None);
}

#[test]
fn patterns_of_every_form() {
    let (from, until) = ("2028-01-01T00:00:00Z", "2028-04-01T00:00:00Z");
    for (pattern, expected) in [
        ("0 3 L * *", &["2028-01-31", "2028-02-29", "2028-03-31"][..]),
        ("0 3 * * FRI#2", &["2028-01-14", "2028-02-11", "2028-03-10"]),
        ("0 3 * * 5L", &["2028-01-28", "2028-02-25", "2028-03-31"]),
        ("0 3 29 2 *", &["2028-02-29"]),
        // Either the day of the month or the weekday.
        (
            "0 3 13 2 FRI",
            &[
                "2028-02-04",
                "2028-02-11",
                "2028-02-13",
                "2028-02-18",
                "2028-02-25",
            ],
        ),
        (
            "0 3 * 2 7",
            &["2028-02-06", "2028-02-13", "2028-02-20", "2028-02-27"],
        ),
        ("0 3 1 JAN,mar ?", &["2028-01-01", "2028-03-01"]),
    ] {
        let expected: Vec<_> = (expected.iter())
            .map(|day| (format!("{day}T03:00:00Z"), None))
            .collect();
        let found = openings(&rule(pattern, "UTC"), from, until);
        assert_eq!(found, expected, "{pattern}");
    }
}

#[test]
fn six_fields_begin_with_seconds() {
    opens(
        &rule("15,45 30 1 * * *", "UTC"),
        "2026-12-01T00:00:00Z",
        "2026-12-02T00:00:00Z",
        &[
            ("2026-12-01T01:30:15Z", None),
            ("2026-12-01T01:30:45Z", None),
        ],
    );
    opens(
        &rule("*/20 30 1 * * *", "UTC"),
        "2026-12-01T00:00:00Z",
        "2026-12-02T00:00:00Z",
        &[
            ("2026-12-01T01:30:00Z", None),
            ("2026-12-01T01:30:20Z", None),
            ("2026-12-01T01:30:40Z", None),
        ],
    );
}

#[test]
fn nicknames_mean_what_cron_says() {
    for (nickname, next) in [
        ("@hourly", "2026-12-02T13:00:00Z"),
        ("@daily", "2026-12-03T00:00:00Z"),
        ("@weekly", "2026-12-06T00:00:00Z"),
        ("@monthly", "2027-01-01T00:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("@annually", "2027-01-01T00:00:00Z"),
    ] {
        let found = rule(nickname, "UTC").next_opening(time("2026-12-02T12:34:56Z"));
        assert_eq!(found.unwrap().opens, time(next), "{nickname}");
    }
}

#[test]
fn a_leap_day_rule_rests_for_up_to_eight_years() {
    let rule = rule("0 3 29 2 *", "Europe/Zurich");
    let next = rule.next_opening(time("2096-03-01T00:00:00Z")).unwrap();
    assert_eq!(next.opens, time("2104-02-29T02:00:00Z"));
    let latest = rule.latest_opening(time("2104-01-01T00:00:00Z"), time("2090-01-01T00:00:00Z"));
    assert_eq!(latest.unwrap().opens, time("2096-02-29T02:00:00Z"));
}

#[test]
fn nothing_hangs_or_panics_at_the_ends_of_time() {
    for zone_name in ["UTC", "Europe/Zurich", "Pacific/Apia"] {
        let rule = rule("30 2 * * *", zone_name);
        assert_eq!(rule.next_opening(Timestamp::MAX), None);
        assert_eq!(rule.latest_opening(Timestamp::MIN, Timestamp::MIN), None);
        assert_eq!(rule.open_at(Timestamp::MIN), None);
        let _ = rule.next_opening(Timestamp::MIN);
        let _ = rule.open_at(Timestamp::MAX);
        assert_eq!(rule.intersecting(Timestamp::MIN, Timestamp::MIN).count(), 0);
    }
}

#[test]
fn before_1970_the_seconds_are_counted_right() {
    let rule = rule("0 3 * * *", "UTC");
    let at = time("1969-12-31T03:00:00Z");
    let half = SignedDuration::from_millis(500);
    let next = rule.next_opening(at - half).unwrap();
    assert_eq!(next.opens, at);
    let latest = rule
        .latest_opening(at - half, at - SignedDuration::from_hours(48))
        .unwrap();
    assert_eq!(latest.opens, at - SignedDuration::from_hours(24));
    assert_eq!(
        rule.next_opening(at).unwrap().opens,
        at + SignedDuration::from_hours(24)
    );
}

#[test]
fn an_interval_rule_is_told_by_its_hour_field() {
    for (pattern, interval) in [
        ("0 * * * *", true),
        ("*/5 * * * *", true),
        ("0 */2 * * *", true),
        ("0 */6 * * SUN", true),
        ("0 0 * * * *", true),
        ("30 0 */3 * * *", true),
        (" 0  *  * * * ", true),
        ("@hourly", true),
        ("@HOURLY", true),
        ("0 0 * * *", false),
        ("* 2 * * *", false),
        ("*/5 2 * * *", false),
        ("0 0,12 * * *", false),
        ("0 0-23 * * *", false),
        ("0 0-23/2 * * *", false),
        ("* * 2 * * *", false),
        ("0 0 2 * * *", false),
        ("@daily", false),
        ("@weekly", false),
    ] {
        assert_eq!(
            Pattern::parse(pattern).unwrap().is_interval(),
            interval,
            "`{pattern}`"
        );
    }
}

#[test]
fn patterns_are_shown_as_they_were_written() {
    assert_eq!(
        Pattern::parse(" 30 1 * * mon-fri ").unwrap().to_string(),
        "30 1 * * mon-fri"
    );
    assert_eq!(Pattern::parse("@Daily").unwrap().to_string(), "@Daily");
}

#[test]
fn a_pattern_that_no_date_matches_is_refused() {
    for pattern in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 0 31 4 *"] {
        assert_eq!(
            Pattern::parse(pattern).unwrap_err(),
            PatternError::NeverMatches
        );
    }
    assert_eq!(
        PatternError::NeverMatches.to_string(),
        "it matches no date and time"
    );
    for pattern in ["0 0 29 2 *", "0 0 31 2 MON", "59 59 23 31 12 *"] {
        assert!(Pattern::parse(pattern).is_ok(), "{pattern}");
    }
}

#[test]
fn a_pattern_that_cannot_be_read_is_refused_with_the_reason() {
    for pattern in [
        "",
        " ",
        "30",
        "30 1 * *",
        "30 1 * * * * *",
        "0 0 * * JAN",
        "60 1 * * *",
        "30 24 * * *",
        "30 1 0 * *",
        "30 1 32 * *",
        "30 1 * 13 *",
        "30 1 * * 8",
        "30 1 * * FOO",
        "@reboot",
        "a b c d e",
        "30 1 * * * #",
        "*/0 * * * *",
        "-1 * * * *",
        "1.5 * * * *",
        "30 1 * * MON#6",
    ] {
        let refused = Pattern::parse(pattern).unwrap_err();
        let text = refused.to_string();
        assert!(
            matches!(refused, PatternError::Unreadable { .. }),
            "`{pattern}`: {text}"
        );
        // A fragment that fits behind a colon.
        assert!(
            text.starts_with(|c: char| !c.is_uppercase()),
            "`{pattern}`: {text}"
        );
        assert!(!text.ends_with('.'), "`{pattern}`: {text}");
        assert!(!text.contains("Error"), "`{pattern}`: {text}");
    }
}

#[test]
fn a_rule_says_what_it_is_made_of() {
    let rule = recurring("30 1 * * *", "Europe/Zurich", minutes(90));
    assert_eq!(rule.pattern().to_string(), "30 1 * * *");
    assert_eq!(rule.zone().iana_name(), Some("Europe/Zurich"));
    assert_eq!(rule.length(), Length::Elapsed(minutes(90)));
    let words = [Shift::Gap, Shift::First, Shift::Last].map(Shift::as_str);
    assert_eq!(words, ["gap", "first", "last"]);
}

#[test]
fn in_a_fold_the_latest_to_open_may_be_the_first_to_close() {
    // Zurich, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC. What opened at the first 02:45
    // lasts until the next day.
    let pattern = Pattern::parse("0,45 2 * * *").unwrap();
    let until = Length::Until(jiff::civil::time(2, 30, 0, 0));
    let rule = Rule::new(pattern, zone("Europe/Zurich"), until);
    let rule = Schedule::Recurring(rule.with_policies(None, Some(Repeat::Both)));
    let closes = |at| rule.next_opening(time(at)).map(|next| next.closes);
    let (short, long) = (time("2026-10-25T01:30:00Z"), time("2026-10-26T01:30:00Z"));
    for (before, expected) in [
        ("2026-10-24T23:59:59Z", short),
        ("2026-10-25T00:44:59Z", long),
        ("2026-10-25T00:59:59Z", short),
        ("2026-10-25T01:44:59Z", long),
    ] {
        assert_eq!(closes(before), Some(expected), "after {before}");
    }
    for (at, opens, shift) in [
        ("2026-10-25T00:44:59Z", "2026-10-25T00:00:00Z", FIRST),
        ("2026-10-25T00:45:00Z", "2026-10-25T00:45:00Z", FIRST),
        ("2026-10-25T01:00:00Z", "2026-10-25T00:45:00Z", FIRST),
        ("2026-10-25T01:30:00Z", "2026-10-25T00:45:00Z", FIRST),
        ("2026-10-25T01:44:59Z", "2026-10-25T00:45:00Z", FIRST),
        ("2026-10-25T01:45:00Z", "2026-10-25T01:45:00Z", LAST),
    ] {
        let open = rule.open_at(time(at)).map(|open| (open.opens, open.shift));
        assert_eq!(open, Some((time(opens), shift)), "{at}");
    }
    assert_eq!(
        rule.open_at(long),
        None,
        "02:30 is the close of all of them"
    );
}

/// Civil time and what becomes of it, of the changes in 2026.
fn changes(rule: &Rule) -> Vec<(String, Outcome)> {
    let changes = rule.clock_changes(time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
    (changes.iter())
        .map(|change| (change.civil.to_string(), change.outcome))
        .collect()
}

#[test]
fn the_changes_of_the_clocks_that_meet_a_rule() {
    use Outcome::{Left, Shifted, Twice};
    let (spring, autumn) = ("2026-03-29T0", "2026-10-25T0");
    let both = |time: &str, first, second| {
        vec![
            (format!("{spring}{time}:00"), first),
            (format!("{autumn}{time}:00"), second),
        ]
    };
    let berlin = |pattern| recurring(pattern, "Europe/Berlin", minutes(10));
    let first = Twice(Repeat::First);
    assert_eq!(changes(&berlin("30 2 * * *")), both("2:30", Shifted, first));
    // 02:00 is in the gap, and in the fold; 03:00 is in neither.
    assert_eq!(changes(&berlin("0 2 * * *")), both("2:00", Shifted, first));
    assert_eq!(changes(&berlin("0 3 * * *")), []);
    assert_eq!(changes(&berlin("59 1 * * *")), []);
    assert_eq!(changes(&berlin("30 2 * * SAT")), []);
    // It opens at 03:00 anyway, so 02:15 has no opening of its own.
    assert_eq!(
        changes(&berlin("15 2,3 * * *")),
        both("2:15", Shifted, first)
    );
    assert_eq!(changes(&berlin("0 2,3 * * *")), both("2:00", Left, first));
    let stated = |gap, repeat| berlin("30 2 * * *").with_policies(Some(gap), Some(repeat));
    assert_eq!(
        changes(&stated(Gap::Skip, Repeat::Last)),
        both("2:30", Left, Twice(Repeat::Last))
    );
    assert_eq!(
        changes(&stated(Gap::Shift, Repeat::Both)),
        both("2:30", Shifted, Twice(Repeat::Both))
    );
    // It would be over before it opens.
    let pattern = Pattern::parse("10 2 * * *").unwrap();
    let until = Length::Until(jiff::civil::time(2, 40, 0, 0));
    let swallowed = Rule::new(pattern, zone("Europe/Berlin"), until);
    assert_eq!(changes(&swallowed), both("2:10", Left, first));
    // As long as the rule is valid only.
    let valid = |from, until| changes(&berlin("30 2 * * *").valid(from, until));
    let summer = jiff::civil::date(2026, 7, 1).at(0, 0, 0, 0);
    assert_eq!(valid(Some(summer), None).len(), 1);
    assert_eq!(valid(None, Some(summer)).len(), 1);
    assert_eq!(valid(Some(summer), Some(summer)), []);
    // At 03:00 itself it is valid no more, so 02:00 has that instant for itself.
    let end = jiff::civil::date(2026, 3, 29).at(3, 0, 0, 0);
    let until_three = berlin("0 2,3 * * *").valid(None, Some(end));
    assert_eq!(
        changes(&until_three),
        [("2026-03-29T02:00:00".to_owned(), Shifted)]
    );
    // A change at the end of the time that is asked about is not in it.
    let change = time("2026-03-29T01:00:00Z");
    let before = change - SignedDuration::from_hours(1);
    let nightly = berlin("30 2 * * *");
    assert!(nightly.clock_changes(before, change).is_empty());
    let just_after = change + SignedDuration::from_nanos(1);
    assert_eq!(nightly.clock_changes(before, just_after).len(), 1);
    assert_eq!(
        changes(&recurring("30 2 * * *", "Asia/Tokyo", minutes(10))),
        []
    );
}

#[test]
fn a_pattern_that_hardly_says_what_is_meant() {
    let of = |pattern: &str| Pattern::parse(pattern).unwrap().oddities();
    let long = |field, text: &str| Oddity::LongStep {
        field,
        text: text.to_owned(),
    };
    let uneven = |field, text: &str, rest| Oddity::UnevenStep {
        field,
        text: text.to_owned(),
        rest,
    };
    for plain in [
        "* * * * *",
        "*/15 */6 * * *",
        "*/30 0 12 * * *",
        "0 3 */2 * *",
        "0 3 * */5 1-5",
        "0 3 1-7 * +MON",
        "@daily",
        "0 3 1 * *",
        "0 3 * * MON",
    ] {
        assert_eq!(of(plain), [], "{plain}");
    }
    assert_eq!(of("*/90 * * * *"), [long("minute", "*/90")]);
    assert_eq!(of("0 */24 * * *"), [long("hour", "*/24")]);
    assert_eq!(of("*/60 * * * * *"), [long("second", "*/60")]);
    assert_eq!(of("*/45 * * * *"), [uneven("minute", "*/45", 15)]);
    assert_eq!(of("0 */5 * * *"), [uneven("hour", "*/5", 4)]);
    assert_eq!(of("0 3 1 * MON"), [Oddity::DayOrWeekday]);
    assert_eq!(of("0 3 1-31 * MON"), [Oddity::DayOrWeekday]);
    assert_eq!(of("0 3 */2 * MON"), [Oddity::DayAndWeekday]);
    assert_eq!(of("0 3 1-7 * */7"), [Oddity::DayAndWeekday]);
    assert_eq!(of("0 3 */2 * +MON"), []);
    assert_eq!(of("0 3 * * */7"), [long("weekday", "*/7")]);
    let every_hour = |five: &str| Oddity::EveryHour {
        five: five.to_owned(),
    };
    assert_eq!(of("30 2 * * * *"), [every_hour("30 2 * * *")]);
    assert_eq!(of("30 2 * * * MON"), [every_hour("30 2 * * MON")]);
    assert_eq!(of("30 2 * * 1-5 *"), [every_hour("30 2 * * 1-5")]);
    for meant in [
        "0 0 * * * *",
        "00 00 * * * *",
        "0 30 * * * MON",
        "15 30 * * * *",
        "30 0 3 * * *",
    ] {
        assert_eq!(of(meant), [], "{meant}");
    }
    assert_eq!(of("0 3 1,15 * 1-5"), [Oddity::DayOrWeekday]);
}
