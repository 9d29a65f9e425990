//! Exclusions and spread returns.

use super::*;
use crate::calendar::{Boundary, Fixed};

fn every(pattern: &str, length: SignedDuration) -> Schedule {
    rule_in("UTC", pattern, length)
}

fn once(from: &str, until: &str) -> Schedule {
    let [from, until] = [from, until].map(|text| Boundary::Instant(time(text)));
    let utc = jiff::tz::TimeZone::UTC;
    Schedule::Fixed(Fixed::once(utc, from, until).unwrap())
}

fn cut_by(schedule: Schedule, exclusions: impl IntoIterator<Item = Schedule>) -> Window {
    let mut window = window("w", &["*/*"], schedule);
    let exclusions = exclusions.into_iter().map(|schedule| Exclusion {
        name: "x".into(),
        schedule,
        events: None,
    });
    window.exclusions = exclusions.map(Arc::new).collect();
    window
}

fn spread(pattern: &str, length: SignedDuration, spread: i64) -> Window {
    let mut window = window("w", &["*/*"], every(pattern, length));
    window.resume_spread = seconds(spread);
    window
}

/// The state and its end, in short.
fn desired(policy: &Policy, path: &str, at: &str) -> (&'static str, Option<String>) {
    let desired = policy.desired(&path.parse().unwrap(), &all(policy), time(at));
    (
        desired.as_str(),
        desired.until().map(|until| until.to_string()),
    )
}

fn until(state: &'static str, until: &str) -> (&'static str, Option<String>) {
    (state, Some(until.to_owned()))
}

const RUNNING: (&str, Option<String>) = ("running", None);

#[test]
fn consumers_come_back_by_their_names() {
    let policy = Policy::new("default", WEEK, vec![spread("0 1 * * *", hours(2), 600)]);
    for (path, offset, returns) in [
        ("ORDERS/billing", 288, "2026-12-01T03:04:48Z"),
        ("EVENTS/mail", 194, "2026-12-01T03:03:14Z"),
    ] {
        assert_eq!(
            time("2026-12-01T03:00:00Z") + seconds(offset),
            time(returns)
        );
        let desired = |at| desired(&policy, path, at);
        assert_eq!(desired("2026-12-01T00:59:59.999999999Z"), RUNNING);
        assert_eq!(desired("2026-12-01T01:00:00Z"), until("paused", returns));
        assert_eq!(desired("2026-12-01T02:59:59Z"), until("paused", returns));
        assert_eq!(desired("2026-12-01T03:00:00Z"), until("tail", returns));
        let just_before = (time(returns) - SignedDuration::from_nanos(1)).to_string();
        assert_eq!(desired(&just_before), until("tail", returns));
        assert_eq!(desired(returns), RUNNING);
        let id: ConsumerId = path.parse().unwrap();
        let change = |after| {
            policy
                .next_change_of(&id, &all(&policy), time(after))
                .unwrap()
        };
        assert_eq!(change("2026-12-01T01:00:00Z"), time("2026-12-01T03:00:00Z"));
        assert_eq!(change("2026-12-01T03:00:00Z"), time(returns));
        assert_eq!(change(returns), time("2026-12-02T01:00:00Z"));
    }
}

#[test]
fn tails_do_not_join_windows_and_the_latest_of_several_counts() {
    // 01:00 to 02:00 with 288 s of tail, then 02:02 to 02:03 without one, then 02:04 to 02:10.
    let windows = vec![
        spread("0 1 * * *", hours(1), 600),
        spread("2 2 * * *", seconds(60), 0),
        spread("4 2 * * *", seconds(360), 600),
    ];
    let policy = Policy::new("default", WEEK, windows);
    let desired = |at| desired(&policy, "ORDERS/billing", at);
    let (first, last) = ("2026-12-01T02:04:48Z", "2026-12-01T02:14:48Z");
    assert_eq!(desired("2026-12-01T01:30:00Z"), until("paused", first));
    assert_eq!(desired("2026-12-01T02:00:00Z"), until("tail", first));
    assert_eq!(desired("2026-12-01T02:02:00Z"), until("paused", first));
    assert_eq!(desired("2026-12-01T02:03:00Z"), until("tail", first));
    assert_eq!(desired("2026-12-01T02:04:00Z"), until("paused", last));
    assert_eq!(desired("2026-12-01T02:10:00Z"), until("tail", last));
    assert_eq!(desired(last), RUNNING);
}

#[test]
fn an_exclusion_cuts_a_tail_and_leaves_none_where_it_ends_a_piece() {
    let day = |time: &str| format!("2026-12-01T{time}Z");
    let cut = |from: &str, until: &str| {
        let mut window = cut_by(
            every("0 1 * * *", hours(2)),
            [once(&day(from), &day(until))],
        );
        window.resume_spread = seconds(600);
        Policy::new("default", WEEK, vec![window])
    };
    let ask = |policy: &Policy, at: &str| desired(policy, "ORDERS/billing", &day(at));
    let whole = &day("03:04:48");

    let in_the_tail = cut("03:02:00", "03:03:00");
    assert_eq!(
        ask(&in_the_tail, "02:00:00"),
        until("paused", &day("03:02:00"))
    );
    assert_eq!(
        ask(&in_the_tail, "03:01:59"),
        until("tail", &day("03:02:00"))
    );
    assert_eq!(ask(&in_the_tail, "03:02:00"), RUNNING);
    assert_eq!(ask(&in_the_tail, "03:03:00"), RUNNING);
    // When the tail is cut as it begins, nothing lasts: the next change is the next opening.
    let at_the_close = cut("03:00:00", "03:03:00");
    assert_eq!(
        ask(&at_the_close, "02:00:00"),
        until("paused", &day("03:00:00"))
    );
    assert_eq!(ask(&at_the_close, "03:00:00"), RUNNING);
    let over_the_close = cut("02:30:00", "03:00:00");
    assert_eq!(
        ask(&over_the_close, "02:00:00"),
        until("paused", &day("02:30:00"))
    );
    assert_eq!(ask(&over_the_close, "02:30:00"), RUNNING);
    assert_eq!(ask(&over_the_close, "03:00:00"), RUNNING);
    // The rest of the occurrence has its tail.
    let within = cut("01:30:00", "02:30:00");
    assert_eq!(ask(&within, "01:00:00"), until("paused", &day("01:30:00")));
    assert_eq!(ask(&within, "01:30:00"), RUNNING);
    assert_eq!(ask(&within, "02:30:00"), until("paused", whole));
    assert_eq!(ask(&within, "03:00:00"), until("tail", whole));
    let before = cut("00:30:00", "01:00:00");
    assert_eq!(ask(&before, "01:00:00"), until("paused", whole));
}

#[test]
fn where_nothing_lasts_any_more_the_deadline_takes_no_steps() {
    let tail_cut = once("2026-12-01T03:00:00Z", "2026-12-01T03:03:00Z");
    let mut window = cut_by(every("0 1 * * *", hours(2)), [tail_cut]);
    window.resume_spread = seconds(600);
    let policy = Policy::new("default", seconds(60), vec![window]);
    for (after, change) in [
        ("2026-12-01T02:59:45Z", "2026-12-01T03:00:00Z"),
        ("2026-12-01T03:00:00Z", "2026-12-02T01:00:00Z"),
    ] {
        assert_eq!(policy.next_change(time(after)), Some(time(change)));
    }
}

#[test]
fn at_a_change_those_windows_matter_that_change() {
    let named = |name: &str, pattern: &str, length| {
        window(name, &[&format!("{name}/*")], every(pattern, length))
    };
    let mut windows = vec![
        named("A", "0 1 * * *", hours(2)),
        named("B", "30 1 * * *", hours(1)),
        named("C", "0 3 * * *", hours(1)),
    ];
    // Open from 01:00 to 01:10, and consumers resume until 02:10.
    let mut spread = named("D", "0 1 * * *", seconds(600));
    spread.resume_spread = hours(1);
    windows.push(spread);
    let policy = |max_pause| Policy::new("default", max_pause, windows.clone());
    let streams = |policy: &Policy, [from, until]: [&str; 2]| {
        let [from, until] = [from, until].map(|time_| time(&format!("2026-12-01T{time_}Z")));
        let changing = policy.changing(from, until)?;
        Some(changing.streams().collect::<Vec<_>>().concat())
    };
    let plain = policy(WEEK);
    for (span, expected) in [
        (["01:00:00", "01:00:00"], Some("AD")),
        (["01:10:00", "01:10:00"], Some("D")),
        (["01:30:00", "01:30:00"], Some("B")),
        (["01:30:00.000000001", "02:29:59.999999999"], Some("")),
        (["02:30:00", "03:00:00"], Some("ABC")),
        (["01:00:00", "03:00:00"], None),
    ] {
        assert_eq!(streams(&plain, span).as_deref(), expected, "{span:?}");
    }
    // The furthest deadline moves on each half hour, for what is open or has a tail.
    let stepping = policy(hours(1));
    for (at, expected) in [
        ("01:30:00", "ABD"),
        ("02:00:00", "ABD"),
        ("02:30:00", "AB"),
        ("04:30:00", ""),
    ] {
        assert_eq!(
            streams(&stepping, [at, at]).as_deref(),
            Some(expected),
            "{at}"
        );
    }
}

#[test]
fn an_occurrence_is_cut_into_pieces() {
    let day = |time: &str| format!("2026-12-01T{time}Z");
    let ranges = [("01:30", "02:00"), ("02:00", "02:10"), ("02:40", "03:30")];
    let exclusions =
        ranges.map(|(from, until)| once(&day(&format!("{from}:00")), &day(&format!("{until}:00"))));
    let window = cut_by(every("0 1 * * *", hours(2)), exclusions);
    let from_to = |piece: Occurrence| [piece.opens, piece.closes].map(|at| at.to_string());
    let rows = window.intersecting(time(&day("00:00:00")), time(&day("12:00:00")));
    let first = [day("01:00:00"), day("01:30:00")];
    let second = [day("02:10:00"), day("02:40:00")];
    assert_eq!(
        rows.into_iter().map(from_to).collect::<Vec<_>>(),
        [first.clone(), second.clone()]
    );
    let next = |at: &str| window.next_opening(time(&day(at))).map(from_to).unwrap();
    assert_eq!(next("00:00:00"), first);
    assert_eq!(next("01:00:00"), second);
    assert_eq!(next("01:45:00"), second);
    let tomorrow = ["2026-12-02T01:00:00Z", "2026-12-02T03:00:00Z"];
    assert_eq!(next("02:10:00"), tomorrow);
    let open = |at: &str| window.open_at(time(&day(at))).map(from_to);
    assert_eq!(open("01:29:59"), Some(first));
    assert_eq!(open("01:30:00"), None);
    assert_eq!(open("02:10:00"), Some(second));
    assert_eq!(open("02:40:00"), None);
    let end = |at: &str| {
        window
            .by_file()
            .excluded_until(time(&day(at)))
            .map(|end| end.to_string())
    };
    assert_eq!(end("01:30:00"), Some(day("02:10:00")));
    assert_eq!(end("02:00:00"), Some(day("02:10:00")));
    assert_eq!(end("02:10:00"), None);
}

#[test]
fn in_a_fold_the_next_opening_is_the_one_that_opens_then() {
    // Zurich, 25 October 2026: from the first 02:45 until the next day's 02:30, and from the second
    // 02:00 until 02:30.
    let zone = TimeZoneDatabase::bundled().get("Europe/Zurich").unwrap();
    let until = Length::Until(jiff::civil::time(2, 30, 0, 0));
    let rule = Rule::new(Pattern::parse("0,45 2 * * *").unwrap(), zone, until);
    let rule = rule.with_policies(None, Some(crate::calendar::Repeat::Both));
    let window = cut_by(Schedule::Recurring(rule), []);
    let short = Occurrence {
        opens: time("2026-10-25T01:00:00Z"),
        closes: time("2026-10-25T01:30:00Z"),
        shift: Some(crate::calendar::Shift::Last),
    };
    let next = window.next_opening(time("2026-10-25T00:45:00Z"));
    assert_eq!(next, Some(short));
    // But open is what lasts longer.
    let open = window.open_at(short.opens).unwrap();
    assert_eq!(open.opens, time("2026-10-25T00:45:00Z"));
}

#[test]
fn a_selector_makes_up_a_consumer_that_it_matches() {
    for (selector, example) in [
        ("ORDERS/billing", "ORDERS/billing"),
        ("!ORDERS/audit", "ORDERS/audit"),
        ("ORDERS/*", "ORDERS/x"),
        ("*/*", "x/x"),
        ("ORD*/b?l*", "ORD/bxl"),
        ("{EU,US}-*/[ab]-mail", "EU-/a-mail"),
        ("ORDERS/[!a]*", "ORDERS/x"),
    ] {
        let made = Selector::parse(selector).unwrap().example();
        assert_eq!(made.unwrap().path(), example, "{selector}");
    }
}

#[test]
fn a_pause_that_is_longer_than_a_limit_is_found_and_no_other() {
    let longer = |windows: &[(&str, SignedDuration)], limit| {
        let policy = policy(hours(24 * 7), windows);
        let all = all(&policy);
        let (from, until) = (time("2026-12-01T12:00:00Z"), time("2027-12-01T12:00:00Z"));
        let found = policy.longer_pause(&anybody(), &all, limit, from, until);
        found.map(|pause| (pause.from.to_string(), pause.closes.to_string()))
    };
    let night = ("0 22 * * *", hours(8));
    assert_eq!(longer(&[night], hours(8)), None);
    assert!(longer(&[night], hours(8) - seconds(1)).is_some());
    // They touch, and are 12 hours together.
    let nights = [night, ("0 6 * * *", hours(4))];
    assert_eq!(longer(&nights, hours(12)), None);
    let found = longer(&nights, hours(12) - seconds(1)).unwrap();
    assert_eq!(found.0, "2026-12-01T22:00:00Z");
    assert_eq!(found.1, "2026-12-02T10:00:00Z");
    // A second between them.
    assert_eq!(longer(&[night, ("1 0 6 * * *", hours(4))], hours(9)), None);
    // It begins before the time that is asked about, and months ahead.
    let found = longer(&[("0 0 1 * *", hours(40))], hours(30)).unwrap();
    assert_eq!(found.0, "2026-12-01T00:00:00Z");
    let found = longer(&[("0 0 1 7 *", hours(40))], hours(30)).unwrap();
    assert_eq!(found.0, "2027-07-01T00:00:00Z");
}
