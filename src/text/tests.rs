use super::*;

fn zurich() -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled()
        .get("Europe/Zurich")
        .unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn an_instant_is_written_without_its_mark() {
    let at = instant("2026-12-01T02:30:05.000435253Z");
    assert_eq!(utc(at), "2026-12-01T02:30:05Z");
    assert_eq!(utc_cell(at), "Tue 2026-12-01 02:30:05");
    assert_eq!(utc_time(at), "02:30:05Z");
    assert_eq!(local(at, &zurich()), "Tue 2026-12-01 03:30:05 CET");
    assert_eq!(local_minute(at, &zurich()), "Tue 2026-12-01 03:30 CET");
}

#[test]
fn a_local_time_has_seconds_only_if_there_are_some() {
    for (at, short, exact, offset) in [
        (
            "2026-07-01T02:30:00Z",
            "04:30 CEST",
            "04:30:00 CEST",
            "2026-07-01T04:30:00+02:00",
        ),
        (
            "2026-12-01T02:30:05Z",
            "03:30:05 CET",
            "03:30:05 CET",
            "2026-12-01T03:30:05+01:00",
        ),
    ] {
        let at = instant(at).to_zoned(zurich());
        assert_eq!(short_time(&at), short);
        assert_eq!(time(&at), exact);
        assert_eq!(with_offset(&at), offset);
    }
}

#[test]
fn json_instants_are_whole_seconds_of_utc() {
    let marked: Timestamp = "2026-12-01T03:00:00.000435253Z".parse().unwrap();
    assert_eq!(utc(marked), "2026-12-01T03:00:00Z");
}

#[test]
fn lengths_are_written_as_the_config_writes_them() {
    for (seconds, text) in [
        (7200, "2h"),
        (5400, "1h 30m"),
        (90, "1m 30s"),
        (3599, "59m 59s"),
        (86_461, "1d 1m"),
    ] {
        assert_eq!(rounded_span(SignedDuration::from_secs(seconds)), text);
    }
}

#[test]
fn a_span_is_written_without_its_sign_and_rounded_only_if_asked() {
    for (seconds, exact, rounded) in [
        (0, "0s", "0s"),
        (3_599, "59m 59s", "59m 59s"),
        (3_659, "1h 59s", "1h"),
    ] {
        for span in [seconds, -seconds].map(SignedDuration::from_secs) {
            assert_eq!(super::span(span), exact, "{seconds}");
            assert_eq!(rounded_span(span), rounded, "{seconds}");
        }
    }
}

#[test]
fn a_long_list_ends_with_how_many_more_there_are() {
    let all = ["a", "b", "c"];
    for (most, as_names, as_clauses) in [
        (1, "a and 2 more", "a; and 2 more"),
        (2, "a, b and 1 more", "a; b; and 1 more"),
        (3, "a, b, c", "a; b; c"),
        (4, "a, b, c", "a; b; c"),
    ] {
        assert_eq!(names(all, most), as_names);
        assert_eq!(clauses(all, most), as_clauses);
    }
    assert_eq!(names(Vec::<&str>::new(), 2), "");
}

#[test]
fn clocks_differ_by_seconds_or_by_what_is_read_at_a_glance() {
    for (milliseconds, words) in [
        (40, "0.0 s"),
        (-1_100, "1.1 s"),
        (119_900, "119.9 s"),
        (-120_000, "2m"),
        (1_000_000_000_000, "11574d 1h 46m"),
    ] {
        let offset = SignedDuration::from_millis(milliseconds);
        assert_eq!(clock_offset(offset), words);
    }
}

#[test]
fn an_instant_needs_a_zone() {
    for good in [
        "2026-12-01T22:00:00Z",
        "2026-12-01T22:00:00+01:00",
        "2026-12-01 22:00Z",
    ] {
        assert!(parse_instant(good).is_ok(), "{good}");
    }
    let refused = parse_instant("2026-12-01T22:00:00").unwrap_err();
    assert!(
        refused.contains("it has no zone: write 2026-12-01T22:00:00Z"),
        "{refused}"
    );
    for bad in ["tomorrow", "", "22:00"] {
        assert!(
            parse_instant(bad)
                .unwrap_err()
                .contains("write an instant as in"),
            "{bad}"
        );
    }
}

#[test]
fn a_sentence_has_the_two_largest_units_of_a_length() {
    for (seconds, text) in [
        (0, "0 s"),
        (45, "45 s"),
        (90, "1 m 30 s"),
        (4740, "1 h 19 m"),
        (9000, "2 h 30 m"),
        (7200, "2 h"),
        (266_461, "3 d 2 h"),
        (-90, "1 m 30 s"),
    ] {
        assert_eq!(spaced(SignedDuration::from_secs(seconds)), text);
    }
}

#[test]
fn a_countdown_agrees_with_a_clock_without_seconds() {
    let until = instant("2027-03-26T03:00:00Z");
    for (now, text) in [
        ("2027-03-26T01:41:00Z", "1 h 19 m"),
        ("2027-03-26T01:41:59Z", "1 h 19 m"),
        ("2027-03-26T02:59:59Z", "1 m"),
        ("2027-03-26T03:00:00Z", "1 m"),
        ("2027-03-24T01:00:30Z", "2 d 2 h"),
    ] {
        assert_eq!(countdown(until, instant(now)), text, "{now}");
    }
}

#[test]
fn an_instant_has_its_day_only_on_another_day_and_its_year_only_in_another_year() {
    let now = instant("2027-03-26T01:41:00Z");
    for (at, text) in [
        ("2027-03-26T03:00:00Z", "04:00 CET"),
        ("2027-03-25T23:00:05Z", "00:00:05 CET"),
        ("2027-03-25T22:59:00Z", "Thu 25 Mar 23:59 CET"),
        ("2027-03-28T01:00:00Z", "Sun 28 Mar 03:00 CEST"),
        ("2028-03-01T00:30:00Z", "Wed 1 Mar 2028 01:30 CET"),
    ] {
        assert_eq!(beside_with_zone(instant(at), now, &zurich()), text, "{at}");
    }
}

#[test]
fn digits_come_in_groups_of_three() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1204, "1\u{a0}204"),
        (88_310, "88\u{a0}310"),
        (1_000_000, "1\u{a0}000\u{a0}000"),
    ] {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn a_shell_takes_an_argument_as_it_is() {
    for (argument, text) in [
        ("ORDERS/billing", "ORDERS/billing"),
        ("ORDERS/*", "'ORDERS/*'"),
        ("", "''"),
        ("O/$(reboot)", "'O/$(reboot)'"),
        ("O/it's", r"'O/it'\''s'"),
        ("-x y", "'-x y'"),
    ] {
        assert_eq!(shell_argument(argument), text);
    }
}
