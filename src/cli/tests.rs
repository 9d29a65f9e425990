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
