use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::calendar::{Length, Occurrence, Pattern, Rule, Schedule};
use crate::consumer::Kind;
use crate::consumer::example::candidate;

mod overrides;
mod second_by_second;
mod windows;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn rule_in(zone: &str, pattern: &str, length: SignedDuration) -> Schedule {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let pattern = Pattern::parse(pattern).unwrap();
    Schedule::Recurring(Rule::new(pattern, zone, Length::Elapsed(length)))
}

/// Anybody: where nothing spreads their return, consumers with the same windows are alike.
fn anybody() -> ConsumerId {
    ConsumerId::new("ORDERS", "billing")
}

fn selection(selectors: &[&str]) -> Selection {
    let selectors = selectors.iter().map(|text| Selector::parse(text).unwrap());
    Selection::new(selectors.collect())
}

fn window(name: &str, selectors: &[&str], schedule: Schedule) -> Window {
    Window::new(name, schedule, selection(selectors))
}

/// A policy of windows in UTC, all for everybody.
fn policy(max_pause: SignedDuration, windows: &[(&str, SignedDuration)]) -> Policy {
    let windows = windows
        .iter()
        .enumerate()
        .map(|(number, (pattern, length))| {
            window(
                &number.to_string(),
                &["*/*"],
                rule_in("UTC", pattern, *length),
            )
        });
    Policy::new("default", max_pause, windows.collect())
}

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

fn all(policy: &Policy) -> WindowSet {
    policy.windows().iter().cloned().collect()
}

/// Those of the places in the file.
fn some(policy: &Policy, places: &[usize]) -> WindowSet {
    let windows = places.iter().map(|&place| policy.windows()[place].clone());
    windows.collect()
}

// Selectors.

fn selects(selectors: &[&str], path: &str, kind: Option<Kind>) -> bool {
    selection(selectors).selects(&candidate(&path.parse().unwrap(), kind))
}

#[test]
fn a_list_selects_what_it_names_less_what_it_takes_away() {
    for (selectors, path, expected) in [
        (&["ORDERS/billing"][..], "ORDERS/billing", true),
        (&["ORDERS/billing"], "ORDERS/billing2", false),
        (&["ORDERS/billing"], "ORDERS/bill", false),
        (&["ORDERS/billing"], "ORDERS2/billing", false),
        (&["ORDERS/billing"], "orders/billing", false),
        (&["ORDERS/*"], "ORDERS/billing", true),
        (&["ORDERS/*"], "ORDERS_EU/billing", false),
        (&["*/billing"], "ORDERS/billing", true),
        (&["*/billing"], "ORDERS/mail", false),
        (&["*/*"], "EVENTS/mail", true),
        (&["ORDERS*/b*g"], "ORDERS_EU/billing", true),
        (&["ORDERS/b?lling"], "ORDERS/billing", true),
        (&["ORDERS/b?lling"], "ORDERS/blling", false),
        (&["ORDERS/[bm]*"], "ORDERS/mail", true),
        (&["ORDERS/[!bm]*"], "ORDERS/mail", false),
        (&["ORDERS/[^bm]*"], "ORDERS/audit", true),
        (&["ORDERS/{billing,mail}"], "ORDERS/mail", true),
        (&["ORDERS/{billing,mail}"], "ORDERS/audit", false),
        (&["{ORDERS,EVENTS}/mail"], "EVENTS/mail", true),
        (&["ORDERS/a", "EVENTS/*"], "EVENTS/mail", true),
        (&["ORDERS/*", "!ORDERS/audit"], "ORDERS/billing", true),
        (&["ORDERS/*", "!ORDERS/audit"], "ORDERS/audit", false),
        (&["!ORDERS/audit", "ORDERS/*"], "ORDERS/audit", false),
        (&["ORDERS/audit", "!*/audit"], "ORDERS/audit", false),
        (&["*/*", "!EVENTS/*"], "EVENTS/mail", false),
        (&["*/*", "!EVENTS/*"], "ORDERS/mail", true),
        (&["!EVENTS/*"], "ORDERS/mail", false),
        (&[], "ORDERS/mail", false),
    ] {
        let found = selects(selectors, path, Some(Kind::Durable));
        assert_eq!(found, expected, "{selectors:?} and {path}");
    }
}

#[test]
fn a_list_that_takes_away_all_it_names_leaves_nothing() {
    for (selectors, nothing) in [
        (&["ORDERS/*", "!ORDERS/*"][..], true),
        (&["ORDERS/*", "!*/*"], true),
        (&["ORDERS/bill*", "!ORDERS/b*"], true),
        (&["ORDERS/billing", "!ORDERS/*ing"], true),
        (&["ORDERS/*ing", "!ORDERS/*ing"], true),
        (&["ORDERS/a", "ORDERS/b", "!*/a", "!*/b"], true),
        (&["ORDERS/*ing", "!*/*"], true),
        (&["ORDERS/*", "!ORDERS/audit"], false),
        (&["ORDERS/*", "!ORDERS/?"], false),
        (&["ORDERS/b*", "!ORDERS/bill*"], false),
        (&["ORDERS/*", "EVENTS/*", "!ORDERS/*"], false),
        (&["ORDERS/*"], false),
    ] {
        assert_eq!(
            selection(selectors).leaves_nothing(),
            nothing,
            "{selectors:?}"
        );
    }
}

#[test]
fn a_pattern_covers_another_only_if_it_matches_all_its_names() {
    let patterns = [
        "a", "ab", "*", "a*", "ab*", "*b", "?", "??", "a?", "[ab]*", "[!a]*", "{a,ab}", "{a*,b}",
        "*a*", "a*b",
    ];
    let names = ["a", "b", "aa", "ab", "ba", "bb", "aab", "aba", "abb", "bab"];
    for (one, other) in patterns
        .iter()
        .flat_map(|one| patterns.map(|other| (*one, other)))
    {
        let parse = |text: &str| Selector::parse(&format!("S/{text}")).unwrap();
        let (by, of) = (parse(one), parse(other));
        let misses = |name: &&str| {
            let id = ConsumerId::new("S", *name);
            of.matches(&id) && !by.matches(&id)
        };
        if by.covers(&of) {
            assert_eq!(
                names.into_iter().find(misses),
                None,
                "`{one}` covers `{other}`"
            );
        }
    }
}

#[test]
fn what_people_did_not_make_is_touched_by_its_exact_name_only() {
    for kind in [Some(Kind::Ephemeral), Some(Kind::Sourcing), None] {
        for (selectors, expected) in [
            (&["KV/watch"][..], true),
            (&["KV/*"], false),
            (&["*/watch"], false),
            (&["KV/wat?h"], false),
            (&["*/*", "KV/watch"], true),
            (&["KV/watch", "!KV/*"], false),
            (&["KV/watch", "!KV/watch"], false),
            (&["KV/watch", "!*/other"], true),
        ] {
            let found = selects(selectors, "KV/watch", kind);
            assert_eq!(found, expected, "{selectors:?} and {kind:?}");
        }
    }
}

#[test]
fn a_selector_says_what_it_names() {
    for (text, negated, exact, exact_stream) in [
        (
            "ORDERS/billing",
            false,
            Some("ORDERS/billing"),
            Some("ORDERS"),
        ),
        (
            "!ORDERS/billing",
            true,
            Some("ORDERS/billing"),
            Some("ORDERS"),
        ),
        ("ORDERS/*", false, None, Some("ORDERS")),
        ("*/billing", false, None, None),
        ("!{A,B}/x", true, None, None),
    ] {
        let selector = Selector::parse(text).unwrap();
        assert_eq!(selector.as_str(), text);
        assert_eq!(selector.is_negated(), negated, "{text}");
        let named = selector.exact().map(|id| id.path());
        assert_eq!(named.as_deref(), exact, "{text}");
        assert_eq!(selector.exact_stream(), exact_stream, "{text}");
    }
    let selector = Selector::parse("!ORD*/billing").unwrap();
    assert!(selector.matches(&"ORDERS/billing".parse().unwrap()));
    assert!(selector.may_match_in("ORDERS"));
    assert!(!selector.may_match_in("EVENTS"));
    let list = selection(&["ORDERS/*", "!ORDERS/audit"]);
    let texts: Vec<&str> = list.selectors().iter().map(Selector::as_str).collect();
    assert_eq!(texts, ["ORDERS/*", "!ORDERS/audit"]);
}

#[test]
fn what_is_no_selector_is_refused() {
    for text in [
        "",
        "!",
        "ORDERS",
        "ORDERS/",
        "/billing",
        "/",
        "A/b/c",
        "ORDERS > billing",
        "!/",
        "A//b",
    ] {
        assert_eq!(
            Selector::parse(text).unwrap_err(),
            SelectorError::Form,
            "`{text}`"
        );
    }
    for (text, part) in [
        ("ORDERS.EU/billing", "ORDERS.EU"),
        ("ORDERS/bil.ling", "bil.ling"),
        ("ORDERS/>", ">"),
        ("OR DERS/x", "OR DERS"),
        (" ORDERS/x", " ORDERS"),
        ("ORDERS/x ", "x "),
        ("ORDERS/x\t", "x\t"),
        ("ORDERS/x\\y", "x\\y"),
        ("ORDERS/*.x", "*.x"),
    ] {
        assert_eq!(
            Selector::parse(text).unwrap_err(),
            SelectorError::Name(part.into()),
            "`{text}`"
        );
    }
    for text in ["ORDERS/[a", "ORDERS/{a", "ORDERS/{a,b", "[z-a]/x"] {
        let refused = Selector::parse(text).unwrap_err();
        assert!(
            matches!(refused, SelectorError::Glob { .. }),
            "`{text}`: {refused}"
        );
    }
}

#[test]
fn what_globs_are_made_of_can_be_a_name_and_brackets_make_letters_of_it() {
    let matches = |text: &str, name: &str| {
        Selector::parse(text)
            .unwrap()
            .matches(&ConsumerId::new("ORDERS", name))
    };
    for (glob, name, other) in [
        ("ORDERS/a[1]", "a[1]", "a1"),
        ("!ORDERS/a[1]", "a[1]", "a1"),
        ("ORDERS/a?", "a?", "ab"),
        ("ORDERS/{a,b}", "{a,b}", "a"),
    ] {
        let selector = Selector::parse(glob).unwrap();
        assert!(
            selector.matches(&ConsumerId::new("ORDERS", other)),
            "{glob}"
        );
        assert_eq!(selector.literal(), Some(ConsumerId::new("ORDERS", name)));
        let named = selector.read_as_name();
        assert_eq!(named.exact(), Some(ConsumerId::new("ORDERS", name)));
        assert_eq!(named.is_negated(), glob.starts_with('!'));
        assert!(!named.matches(&ConsumerId::new("ORDERS", other)), "{glob}");
        assert_eq!((named.as_str(), named.literal()), (glob, None));
    }
    // No name holds a star, and a name needs no reading.
    for text in ["ORDERS/*", "ORDERS/a[1]*", "*/a[1]", "ORDERS/billing"] {
        assert_eq!(Selector::parse(text).unwrap().literal(), None, "{text}");
    }
    for (escaped, name, other) in [
        ("ORDERS/a[[]1]", "a[1]", "a1"),
        ("ORDERS/a[?]", "a?", "ab"),
        ("ORDERS/[{]a,b[}]", "{a,b}", "a"),
    ] {
        assert!(matches(escaped, name), "{escaped}");
        assert!(!matches(escaped, other), "{escaped}");
    }
}

#[test]
fn a_glob_for_streams_of_any_name_strays_into_those_of_mqtt_and_buckets() {
    for (text, stream, strays) in [
        ("*/*", "KV_settings", true),
        ("*/billing", "$MQTT_sess", true),
        ("[KO]*/*", "OBJ_files", true),
        ("K*/*", "KV_settings", true),
        ("*/*", "ORDERS", false),
        ("KV_*/*", "KV_settings", false),
        ("KV_settings/*", "KV_settings", false),
        ("$MQTT_*/*", "$MQTT_sess", false),
        ("ORDERS/*", "KV_settings", false),
    ] {
        let selector = Selector::parse(text).unwrap();
        assert_eq!(selector.strays_into(stream), strays, "{text} {stream}");
    }
}

#[test]
fn only_a_kind_that_globs_leave_alone_is_passed_over() {
    let rule = || rule_in("UTC", "0 1 * * *", hours(1));
    let selectors = ["ORDERS/*", "!ORDERS/audit", "ORDERS/named"];
    let policy = Policy::new("a", WEEK, vec![window("w", &selectors, rule())]);
    let interest = policy.interest();
    for (name, kind, passed_over) in [
        ("worker", Kind::Ephemeral, true),
        ("copy", Kind::Sourcing, true),
        ("worker", Kind::Durable, false),
        ("audit", Kind::Ephemeral, false),
        ("named", Kind::Ephemeral, false),
    ] {
        let id = ConsumerId::new("ORDERS", name);
        assert_eq!(
            interest.passes_over(&candidate(&id, Some(kind))),
            passed_over,
            "{name}"
        );
    }
    let elsewhere = ConsumerId::new("EVENTS", "worker");
    assert!(!interest.passes_over(&candidate(&elsewhere, Some(Kind::Ephemeral))));
}

#[test]
fn a_policy_knows_the_windows_of_a_consumer() {
    let rule = || rule_in("UTC", "0 1 * * *", hours(1));
    let policy = Policy::new(
        "prod-eu",
        WEEK,
        vec![
            window("a", &["ORDERS/*"], rule()),
            window("b", &["KV/watch"], rule()),
            window("c", &["*/*", "!ORDERS/audit"], rule()),
        ],
    );
    assert_eq!(policy.instance(), "prod-eu");
    assert_eq!(policy.mark(), Mark::of_instance("prod-eu"));
    let of = |path: &str, kind| {
        let windows = policy.windows_of(&candidate(&path.parse().unwrap(), kind));
        windows.names().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("ORDERS/billing", Some(Kind::Durable)), "a c");
    assert_eq!(of("ORDERS/audit", Some(Kind::Durable)), "a");
    assert_eq!(of("KV/watch", Some(Kind::Durable)), "b c");
    assert_eq!(of("KV/watch", Some(Kind::Ephemeral)), "b");
    assert_eq!(of("KV/watch", None), "b");
    assert_eq!(of("ORDERS/billing", None), "");
}

// What is desired.

#[test]
fn a_consumer_is_paused_while_a_window_of_its_is_open() {
    let policy = policy(WEEK, &[("0 1 * * *", hours(2))]);
    let until = Desired::Paused(time("2026-12-01T03:00:00Z"));
    for (at, desired) in [
        ("2026-12-01T00:59:59.999999999Z", Desired::Running),
        ("2026-12-01T01:00:00Z", until),
        ("2026-12-01T02:59:59.999999999Z", until),
        ("2026-12-01T03:00:00Z", Desired::Running),
    ] {
        assert_eq!(
            policy.desired(&anybody(), &all(&policy), time(at)),
            desired,
            "{at}"
        );
        assert_eq!(
            policy.desired(&anybody(), &WindowSet::default(), time(at)),
            Desired::Running,
            "of no window"
        );
    }
}

#[test]
fn windows_that_overlap_or_touch_make_one_pause() {
    let policy = policy(
        WEEK,
        &[
            ("0 1 * * *", hours(2)),  // 01 to 03
            ("0 3 * * *", hours(1)),  // 03 to 04, touches the first
            ("30 3 * * *", hours(2)), // 03:30 to 05:30, overlaps the second
            ("45 3 * * *", seconds(60)),
            ("0 6 * * *", hours(1)), // on its own
        ],
    );
    let desired = |windows: &WindowSet, at| policy.desired(&anybody(), windows, time(at));
    let some = |places: &[usize]| some(&policy, places);
    let until = |text| Desired::Paused(time(text));
    let end = until("2026-12-01T05:30:00Z");
    for at in [
        "2026-12-01T01:00:00Z",
        "2026-12-01T02:59:59.999999999Z",
        "2026-12-01T03:00:00Z",
        "2026-12-01T03:45:30Z",
        "2026-12-01T04:30:00Z",
    ] {
        assert_eq!(desired(&all(&policy), at), end, "{at}");
    }
    assert_eq!(
        desired(&all(&policy), "2026-12-01T05:30:00Z"),
        Desired::Running
    );
    // Only the consumer's own windows count.
    let at = "2026-12-01T02:00:00Z";
    assert_eq!(desired(&some(&[0]), at), until("2026-12-01T03:00:00Z"));
    assert_eq!(desired(&some(&[0, 1]), at), until("2026-12-01T04:00:00Z"));
    assert_eq!(desired(&some(&[0, 2]), at), until("2026-12-01T03:00:00Z"));
    assert_eq!(desired(&some(&[1, 2]), at), Desired::Running);
}

#[test]
fn a_window_touches_itself() {
    // Every second hour for two hours, but for a day.
    let policy = policy(WEEK, &[("0 */2 1 12 *", hours(2))]);
    let end = Desired::Paused(time("2026-12-02T00:00:00Z"));
    assert_eq!(
        policy.desired(&anybody(), &all(&policy), time("2026-12-01T00:00:00Z")),
        end
    );
    assert_eq!(
        policy.desired(&anybody(), &all(&policy), time("2026-12-01T23:59:59Z")),
        end
    );
}

#[test]
fn no_deadline_is_further_ahead_than_max_pause() {
    // Five days from the first of the month on, and at most two days at a time, in steps of one.
    let policy = policy(hours(48), &[("0 0 1 * *", hours(5 * 24))]);
    let until = |text| Desired::Paused(time(text));
    for (at, desired) in [
        ("2026-12-01T00:00:00Z", until("2026-12-03T00:00:00Z")),
        (
            "2026-12-01T23:59:59.999999999Z",
            until("2026-12-03T00:00:00Z"),
        ),
        ("2026-12-02T00:00:00Z", until("2026-12-04T00:00:00Z")),
        ("2026-12-03T12:00:00Z", until("2026-12-05T00:00:00Z")),
        ("2026-12-04T00:00:00Z", until("2026-12-06T00:00:00Z")),
        ("2026-12-05T23:59:59Z", until("2026-12-06T00:00:00Z")),
        ("2026-12-06T00:00:00Z", Desired::Running),
    ] {
        assert_eq!(
            policy.desired(&anybody(), &all(&policy), time(at)),
            desired,
            "{at}"
        );
    }
    // The steps are changes like any other.
    for (after, change) in [
        ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
        ("2026-12-01T23:59:59.999999999Z", "2026-12-02T00:00:00Z"),
        ("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"),
        ("2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z"),
        ("2026-12-06T00:00:00Z", "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(
            policy.next_change(time(after)),
            Some(time(change)),
            "{after}"
        );
    }
}

#[test]
fn the_next_change_is_the_first_opening_or_close() {
    let policy = policy(WEEK, &[("0 1 * * *", hours(2)), ("0 2 * * *", hours(2))]);
    for (after, change) in [
        ("2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z"),
        ("2026-12-01T01:00:00Z", "2026-12-01T02:00:00Z"),
        ("2026-12-01T02:00:00Z", "2026-12-01T03:00:00Z"),
        ("2026-12-01T03:00:00Z", "2026-12-01T04:00:00Z"),
        ("2026-12-01T04:00:00Z", "2026-12-02T01:00:00Z"),
    ] {
        assert_eq!(
            policy.next_change(time(after)),
            Some(time(change)),
            "{after}"
        );
    }
    assert_eq!(
        Policy::new("default", WEEK, Vec::new()).next_change(time("2026-12-01T00:00:00Z")),
        None
    );
}

#[test]
fn a_bounded_search_finds_an_opening_before_its_bound_only() {
    let window = window("a", &["*/*"], rule_in("UTC", "0 1 * * *", hours(2)));
    let after = time("2026-12-01T03:00:00Z");
    let found = |before| {
        window
            .next_opening_before(after, time(before))
            .map(|one| one.opens)
    };
    assert_eq!(found("2026-12-02T01:00:00Z"), None);
    assert_eq!(
        found("2026-12-02T01:00:01Z"),
        Some(time("2026-12-02T01:00:00Z"))
    );
}

#[test]
fn desired_states_are_named() {
    let until = time("2026-12-01T03:00:00Z");
    for (desired, word, end) in [
        (Desired::Running, "running", None),
        (Desired::Tail(until), "tail", Some(until)),
        (Desired::Paused(until), "paused", Some(until)),
    ] {
        assert_eq!(desired.as_str(), word);
        assert_eq!(desired.until(), end);
    }
}

// Properties.

/// Rules from a second to days, dense and sparse, in zones with and without daylight saving.
fn any_window() -> impl Strategy<Value = (&'static str, &'static str, i64)> {
    (
        select(
            &[
                "UTC",
                "Europe/Zurich",
                "America/New_York",
                "Australia/Lord_Howe",
                "Africa/Cairo",
            ][..],
        ),
        select(
            &[
                "30 1 * * *",
                "30 2 * * *",
                "0 22 * * FRI",
                "0 * * * *",
                "*/15 * * * *",
                "0 */6 * * *",
                "0 0 1 * *",
                "15 30 2 * * *",
                "0 2 * * SAT,SUN",
            ][..],
        ),
        prop_oneof![1..120_i64, 60..7_200_i64, 3_600..200_000_i64],
    )
}

/// An instant near the changes of daylight saving of 2026, to the nanosecond.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let starts = select(
        &[
            "2026-03-06T00:00:00Z",
            "2026-03-27T00:00:00Z",
            "2026-10-22T00:00:00Z",
            "2026-12-01T00:00:00Z",
        ][..],
    );
    (
        starts,
        0..864_000_i64,
        select(&[0, 0, 1, 500_000_000, 999_999_999_i64][..]),
    )
        .prop_map(|(start, after, nanos)| {
            time(start) + seconds(after) + SignedDuration::from_nanos(nanos)
        })
}

prop_compose! {
    fn any_policy()(
        windows in prop::collection::vec(any_window(), 1..5),
        max_pause in prop_oneof![20..200_i64, 200..100_000_i64, Just(7 * 86_400)],
    ) -> Policy {
        let windows = windows.into_iter().map(|(zone, pattern, length)| {
            window(pattern, &["*/*"], rule_in(zone, pattern, seconds(length)))
        });
        Policy::new("default", seconds(max_pause), windows.collect())
    }
}

/// The first instant from `at` on that no window covers, by putting occurrences together one after
/// the other; or anything after `enough`.
fn uncovered(windows: &WindowSet, at: Timestamp, enough: Timestamp) -> Timestamp {
    let mut rows: Vec<(Timestamp, Timestamp)> = windows
        .iter()
        .flat_map(|window| window.schedule.intersecting(at, enough))
        .map(|row| (row.opens, row.closes))
        .collect();
    rows.sort();
    (rows.iter()).fold(
        at,
        |end, &(opens, closes)| if opens <= end { end.max(closes) } else { end },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_before_the_next_change(
        policy in any_policy(),
        at in any_instant(),
        moments in prop::collection::vec(0.0..1.0_f64, 4),
        mask in 0..16_usize,
    ) {
        let some: WindowSet = (policy.windows().iter().enumerate())
            .filter(|(place, _)| mask & (1 << place) != 0)
            .map(|(_, window)| window.clone())
            .collect();
        let change = policy.next_change(at).unwrap();
        prop_assert!(change > at);
        let length = change.duration_since(at);
        let last = length - SignedDuration::from_nanos(1);
        let moments = moments.iter().map(|part| at + length.mul_f64(*part));
        for instant in moments.filter(|instant| *instant < change).chain([at + last]) {
            for windows in [&some, &all(&policy)] {
                let (now, then) = (policy.desired(&anybody(), windows, at), policy.desired(&anybody(), windows, instant));
                prop_assert_eq!(now, then, "at {} and at {}", at, instant);
            }
        }
    }

    #[test]
    fn the_deadline_is_the_first_uncovered_instant_or_a_step_within_max_pause(
        policy in any_policy(),
        at in any_instant(),
    ) {
        let max_pause = policy.max_pause.as_secs();
        let step = max_pause / 2;
        let furthest = (at.as_second() + max_pause) / step * step;
        let furthest = Timestamp::from_second(furthest).unwrap();
        let end = uncovered(&all(&policy), at, at + seconds(max_pause + 1));
        let expected = match end {
            end if end == at => Desired::Running,
            end => Desired::Paused(end.min(furthest)),
        };
        prop_assert_eq!(policy.desired(&anybody(), &all(&policy), at), expected);
        if let Desired::Paused(until) = expected {
            prop_assert!(until > at && until.duration_since(at) <= policy.max_pause);
            prop_assert_eq!(until.subsec_nanosecond(), 0);
        }
    }
}

/// What the index is made for is speed alone: it finds what asking every window finds, for every
/// shape of pattern, and names that begin and end alike.
#[test]
fn the_index_finds_the_windows_that_asking_each_finds() {
    let parts = [
        "a", "ab", "ba", "*", "a*", "*a", "a*b", "?", "a?", "?b", "[ab]", "[!a]b", "{a,ba}",
        "a{a,b}", "*[b]*", "é*", "*é",
    ];
    let names = [
        "a", "b", "aa", "ab", "ba", "aab", "aba", "bab", "é", "aé", "éa", "x",
    ];
    let selectors: Vec<String> = (parts.iter())
        .flat_map(|stream| {
            parts
                .iter()
                .map(move |consumer| format!("{stream}/{consumer}"))
        })
        .collect();
    // A window each, and every third takes away what another names.
    let windows = selectors.iter().enumerate().map(|(number, text)| {
        let taken = format!("!{}", selectors[(number * 7 + 3) % selectors.len()]);
        let list = [text.as_str(), taken.as_str()];
        let list = if number % 3 == 0 {
            &list[..]
        } else {
            &list[..1]
        };
        window(
            &number.to_string(),
            list,
            rule_in("UTC", "0 1 * * *", hours(1)),
        )
    });
    let policy = Policy::new("default", WEEK, windows.collect());
    let mut found = 0;
    for (stream, consumer) in names
        .iter()
        .flat_map(|s| names.iter().map(move |c| (*s, *c)))
    {
        let id = ConsumerId::new(stream, consumer);
        for kind in [None, Some(Kind::Durable), Some(Kind::Ephemeral)] {
            let asked: WindowSet = (policy.windows().iter())
                .filter(|window| window.selection.selects(&candidate(&id, kind)))
                .cloned()
                .collect();
            assert_eq!(
                policy.windows_of(&candidate(&id, kind)),
                asked,
                "{id} {kind:?}"
            );
            found += asked.len();
        }
    }
    assert!(found > 1_000, "only {found} windows were found");
}

#[test]
fn a_deadline_is_wanted_soon_if_a_change_within_the_time_wants_exactly_that() {
    // Opens at 02:00 for an hour and at 02:30 for two: from 02:00 on it wants a pause until 04:30.
    let policy = policy(
        hours(24),
        &[("0 2 * * *", hours(1)), ("30 2 * * *", hours(2))],
    );
    let day = |text: &str| time(&format!("2026-12-01T{text}Z"));
    for (at, ahead, deadline, wanted) in [
        ("01:59:40", 30, "04:30:00", true),
        ("01:59:40", 20, "04:30:00", true),
        ("01:59:40", 19, "04:30:00", false),
        // What is wanted now is no change.
        ("02:10:00", 30, "04:30:00", false),
        // No change wants that.
        ("01:59:40", 30, "03:00:00", false),
        ("01:59:40", 30, "04:29:59", false),
        ("01:59:40", 30, "04:30:01", false),
    ] {
        let is_wanted = policy.wants_soon(
            &anybody(),
            &all(&policy),
            day(deadline),
            day(at),
            seconds(ahead),
        );
        assert_eq!(is_wanted, wanted, "{deadline} at {at}, within {ahead} s");
    }
}

#[test]
fn what_the_servers_clock_bounds_now_is_wanted_soon_too() {
    // Deadlines move on every 30 s, and one that is wanted in 20 s may be further ahead then.
    let policy = policy(seconds(60), &[("35 0 12 * * *", hours(1))]);
    let (at, ahead) = (time("2026-12-01T12:00:15Z"), seconds(30));
    let wanted = |deadline| policy.wants_soon(&anybody(), &all(&policy), time(deadline), at, ahead);
    assert!(wanted("2026-12-01T12:01:30Z"));
    assert!(wanted("2026-12-01T12:01:00Z"));
    assert!(!wanted("2026-12-01T12:00:30Z"));
    assert!(!wanted("2026-12-01T12:02:00Z"));
}
