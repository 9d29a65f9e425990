use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::live_finding::{LiveFinding, each, together};
use super::openings;
use super::server::of_clock;
use crate::config::{self, Finding, Severity};
use crate::consumer::{Candidate, ConsumerId};
use crate::retention::longest_pause;

/// The longest pause of `ORDERS/billing` by a file of windows, from noon of the first of June.
fn longest(windows: &str) -> Option<(String, SignedDuration)> {
    let text = format!("instance = \"prod-eu\"\n{windows}");
    let config = config::parse(Path::new("recess.toml"), &text).unwrap();
    let id: ConsumerId = "ORDERS/billing".parse().unwrap();
    let windows = config.policy.windows_of(&Candidate::named(&id));
    let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let hold = longest_pause(&config.policy, &id, &windows, now)?;
    Some((hold.by, hold.length))
}

fn window(name: &str, timing: &str) -> String {
    format!("[[window]]\nname = \"{name}\"\nconsumers = [\"ORDERS/*\"]\n{timing}\n")
}

fn some(by: &str, hours: i64) -> Option<(String, SignedDuration)> {
    Some((by.to_owned(), SignedDuration::from_hours(hours)))
}

#[test]
fn the_longest_window_counts_also_where_it_is_far_away() {
    let night = window("night", "schedule = \"30 2 * * *\"\nduration = \"2h\"");
    assert_eq!(longest(&night), some("window night", 2));
    let month = window("month-end", "schedule = \"0 12 28 * *\"\nduration = \"9h\"");
    assert_eq!(longest(&(night + &month)), some("window month-end", 9));
    let wall = window("wall", "schedule = \"0 22 * * *\"\nuntil = \"06:00\"");
    assert_eq!(longest(&wall), some("window wall", 8));
}

#[test]
fn windows_that_join_count_as_one() {
    let first = window("first", "schedule = \"0 2 * * *\"\nduration = \"2h\"");
    let second = window("second", "schedule = \"0 4 * * *\"\nduration = \"3h\"");
    assert_eq!(
        longest(&(first + &second)),
        some("windows first and second together", 5)
    );
}

#[test]
fn a_spread_counts_and_the_past_does_not() {
    let spread = "schedule = \"0 2 * * *\"\nduration = \"2h\"\nresume_spread = \"1h\"";
    assert_eq!(longest(&window("night", spread)), some("window night", 3));
    let over = "from = 2026-05-01T00:00:00Z\nuntil = 2026-05-02T00:00:00Z";
    assert_eq!(longest(&window("over", over)), None);
}

fn told(code: &'static str, path: &str, message: &str) -> LiveFinding {
    let id: ConsumerId = path.parse().unwrap();
    LiveFinding::consumer(Severity::Warning, code, &id, message)
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn consumers_of_a_stream_that_have_the_same_are_told_together() {
    let mut all: Vec<LiveFinding> = (0..1_000)
        .map(|number| told("ack-wait", &format!("ORDERS/c{number}"), "it waits"))
        .collect();
    all.push(told("ack-wait", "EVENTS/mail", "it waits"));
    all.push(told("max-deliver", "ORDERS/c0", "once"));
    all.push(told("max-deliver", "ORDERS/c1", "twice"));
    assert_eq!(each(&all).len(), 1_003);
    assert_eq!(
        lines(&together(&all)),
        [
            "ORDERS > c0, c1, c2 and 997 more: it waits",
            "EVENTS > mail: it waits",
            "ORDERS > c0, c1: once (for c0; `--format json` shows each)",
        ]
    );
}

#[test]
fn streams_are_told_together_and_the_rest_one_by_one() {
    let stream = |name| LiveFinding::stream(Severity::Warning, "unknown-limits", name, "denied");
    let window =
        |name: &str| LiveFinding::from(Finding::new(Severity::Warning, "idle", name, "idle"));
    let all = [stream("A"), window("w1"), stream("B"), window("w2")];
    assert_eq!(
        lines(&together(&all)),
        ["streams A, B: denied", "w1: idle", "w2: idle"]
    );
}

#[test]
fn a_clock_that_is_off_is_told_with_what_follows() {
    let told = |milliseconds| {
        let skew = SignedDuration::from_millis(milliseconds);
        of_clock(skew).map(|told| each(&[told])[0].message.clone())
    };
    assert_eq!(told(1_000), None);
    assert_eq!(told(-1_000), None);
    for (milliseconds, words) in [
        (
            1_100,
            "1.1 s behind the server's: windows open and close that late",
        ),
        (
            -30_000,
            "30.0 s ahead of the server's: windows open and close that early",
        ),
        (
            30_100,
            "30.1 s behind the server's: recess starts and extends pauses, but does not shorten or \
             end any early",
        ),
        (
            -90_000,
            "90.0 s ahead of the server's: recess starts and extends pauses, but does not shorten \
             or end any early",
        ),
        (
            1_000_000_000_000,
            "11574d 1h 46m behind the server's: recess starts and ends no pause until they agree",
        ),
    ] {
        let message = format!("this host's clock is {words}");
        assert_eq!(told(milliseconds), Some(message));
    }
}

#[test]
fn a_window_is_shown_as_it_was_read_with_its_next_opening() {
    let lines = |windows: &[String], now: &str| {
        let text = format!(
            "instance = \"prod-eu\"\ndefaults.timezone = \"Europe/Zurich\"\n{}",
            windows.concat()
        );
        let config = config::parse(Path::new("recess.toml"), &text).unwrap();
        openings::lines(&config, now.parse().unwrap())
    };
    let nightly = |rest: &str| window("nightly", &format!("schedule = \"30 2 * * *\"\n{rest}"));
    let two_hours = "duration = \"2h\"\n";
    let once = window(
        "once",
        "from = 2026-12-05T22:00:00\nuntil = 2026-12-06T04:00:15",
    );
    let november = "2026-11-27T00:00:00Z";
    for (windows, now, expected) in [
        (
            nightly(two_hours),
            november,
            "nightly: every day at 02:30, for 2h; next Fri 2026-11-27 02:30 CET\n",
        ),
        (
            nightly("until = \"04:00\"\ntimezone = \"Asia/Tokyo\""),
            november,
            "nightly: every day at 02:30, until 04:00; next Sat 2026-11-28 02:30 JST\n",
        ),
        (
            nightly(two_hours),
            "2026-11-27T02:00:00Z",
            "nightly: every day at 02:30, for 2h; open until Fri 2026-11-27 04:30 CET; next Sat 2026-11-28 02:30 CET\n",
        ),
        // An exclusion counts.
        (
            nightly(two_hours) + "[[exclusion]]\nname = \"x\"\ndates = [2026-11-27, 2026-11-28]\n",
            november,
            "nightly: every day at 02:30, for 2h; next Sun 2026-11-29 02:30 CET\n",
        ),
        (
            nightly("duration = \"2h\"\nvalid_until = 2026-11-01"),
            november,
            "nightly: every day at 02:30, for 2h; no further opening in the next 10 years\n",
        ),
        (
            once.clone(),
            november,
            "once: once, from Sat 2026-12-05 22:00 CET until Sun 2026-12-06 04:00:15 CET; next Sat 2026-12-05 22:00 CET\n",
        ),
        (
            once,
            "2026-12-07T00:00:00Z",
            "once: once, from Sat 2026-12-05 22:00 CET until Sun 2026-12-06 04:00:15 CET; no further opening\n",
        ),
    ] {
        assert_eq!(lines(&[windows], now), expected);
    }
    let many: Vec<String> = (0..25)
        .map(|number| {
            window(
                &format!("w{number}"),
                "schedule = \"0 3 * * *\"\nduration = \"2h\"",
            )
        })
        .collect();
    let shown = lines(&many, november);
    assert_eq!(shown.lines().count(), 21, "{shown}");
    assert!(
        shown.ends_with("and 5 more windows: recess plan --window NAME shows one\n"),
        "{shown}"
    );
    assert!(lines(&many[..21], november).contains("and 1 more window:"));
    assert_eq!(lines(&many[..20], november).lines().count(), 20);
}
