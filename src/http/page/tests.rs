use super::*;

#[test]
fn the_page_is_of_the_minute_but_not_of_a_time_before_its_report() {
    for (now, report, shown) in [
        ("02:41:59.9", "02:40:30", "02:41:00"),
        ("02:41:59.9", "02:41:30.5", "02:41:30.5"),
        ("02:41:00", "02:41:00", "02:41:00"),
        // The clock was set back.
        ("02:41:10", "02:50:00", "02:41:10"),
    ] {
        let instant = |time| format!("2026-12-01T{time}Z").parse().unwrap();
        assert_eq!(
            shown_at(instant(now), instant(report)),
            instant(shown),
            "{now} {report}"
        );
    }
}

#[test]
fn a_browser_may_run_what_stands_in_the_page_and_nothing_else() {
    let policy = policy();
    let policy = policy.to_str().unwrap();
    assert_ne!(policy, FORBIDDEN);
    for forbidden in ["unsafe", "http", "*", "strict-dynamic"] {
        assert!(!policy.contains(forbidden), "{policy}");
    }
}
