use clap::CommandFactory;

use super::*;

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
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
fn json_instants_are_whole_seconds_of_utc() {
    let marked: Timestamp = "2026-12-01T03:00:00.000435253Z".parse().unwrap();
    assert_eq!(json_instant(marked), "2026-12-01T03:00:00Z");
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
        assert_eq!(
            table::length(jiff::SignedDuration::from_secs(seconds)),
            text
        );
    }
}
