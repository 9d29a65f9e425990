//! `recess diff` is a review gate: whatever changes which consumers are paused, when, until when or whether at all is shown,
//! with exit status 3; what changes none of that is not.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};

const OLD: &str = r#"
instance = "prod"

[nats]
servers = ["nats://a:4222", "nats://b:4222"]
credentials = "nats.creds"

[controller]
max_pause = "7d"

[[window]]
name = "nightly"
consumers = ["ORDERS/*", "!ORDERS/audit", "!ORDERS/pay"]
schedule = "30 1 * * *"
duration = "2h"
resume_spread = "10m"

[[window]]
name = "far"
consumers = ["ORDERS/far"]
from = 2029-01-01T00:00:00Z
until = 2029-01-01T06:00:00Z

[[window]]
name = "past"
consumers = ["ORDERS/past"]
from = 2020-01-01T00:00:00Z
until = 2020-01-01T06:00:00Z

[[exclusion]]
name = "holidays"
dates = [2026-12-25]
"#;

fn run(old: &str, new: &str, format: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("new")).unwrap();
    fs::write(folder.path().join("old.toml"), old).unwrap();
    fs::write(folder.path().join("new/new.toml"), new).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recess"))
        .args([
            "diff",
            "old.toml",
            "new/new.toml",
            "--from",
            "2026-12-01T00:00:00Z",
        ])
        .args(["--format", format])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn rows(old: &str, new: &str) -> Vec<Value> {
    let output = run(old, new, "json");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let status = if rows.is_empty() { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(status));
    let text = run(old, new, "text");
    assert_eq!(text.status.code(), Some(status), "text and JSON differ");
    rows
}

/// The old file with one text in the place of another.
fn with(from: &str, to: &str) -> String {
    assert!(OLD.contains(from), "{from}");
    OLD.replace(from, to)
}

fn setting(key: &str, old: Value, new: Value) -> Value {
    let side = |value: Value| match value {
        Value::Null => Value::Null,
        value => json!({ key: value }),
    };
    json!({ "window": null, "change": "settings", "old": side(old), "new": side(new) })
}

fn of_window(window: &str, change: &str, old: Value, new: Value) -> Value {
    json!({ "window": window, "change": change, "old": old, "new": new })
}

#[test]
fn each_setting_that_decides_which_consumers_are_paused_or_until_when_is_a_row() {
    let null = Value::Null;
    for (from, to, expected) in [
        (
            "instance = \"prod\"",
            "instance = \"eu\"",
            setting("instance", json!("prod"), json!("eu")),
        ),
        (
            "max_pause = \"7d\"",
            "max_pause = \"1d\"",
            setting("controller.max_pause", json!("7d"), json!("1d")),
        ),
        (
            "max_pause = \"7d\"",
            "dry_run = true",
            setting("controller.dry_run", json!(false), json!(true)),
        ),
        (
            "nats://b:4222",
            "nats://c:4222",
            setting(
                "nats.servers",
                json!(["nats://a:4222", "nats://b:4222"]),
                json!(["nats://a:4222", "nats://c:4222"]),
            ),
        ),
        (
            "nats.creds",
            "other.creds",
            setting(
                "nats.credentials",
                json!("nats.creds"),
                json!("other.creds"),
            ),
        ),
        (
            "credentials =",
            "nkey_seed_file =",
            setting("nats.nkey_seed_file", null.clone(), json!("nats.creds")),
        ),
        (
            "credentials =",
            "domain = \"hub\"\ncredentials =",
            setting("nats.domain", null.clone(), json!("hub")),
        ),
        (
            "credentials =",
            "api_prefix = \"$JS.x.API\"\ncredentials =",
            setting("nats.api_prefix", null.clone(), json!("$JS.x.API")),
        ),
        (
            "credentials =",
            "tls = { ca = \"ca.crt\" }\ncredentials =",
            setting("nats.tls.ca", null.clone(), json!("ca.crt")),
        ),
        (
            "credentials =",
            "allow_crash_prone = true\ncredentials =",
            setting("nats.allow_crash_prone", json!(false), json!(true)),
        ),
        (
            "[nats]",
            "[overrides]\nbucket = \"recess\"\n[nats]",
            setting("overrides.bucket", null.clone(), json!("recess")),
        ),
        (
            "resume_spread = \"10m\"",
            "",
            of_window(
                "nightly",
                "settings",
                json!({"resume_spread": "10m"}),
                json!({"resume_spread": "0s"}),
            ),
        ),
    ] {
        let rows = rows(OLD, &with(from, to));
        assert!(rows.contains(&expected), "{to}: {rows:#?}");
    }
}

#[test]
fn each_change_of_the_consumers_of_a_window_is_a_row() {
    let selected = |list: &[&str]| json!({ "consumers": list });
    let old = ["ORDERS/*", "!ORDERS/audit", "!ORDERS/pay"];
    let list = |list: &[&str]| format!("{list:?}");
    for new in [
        vec!["ORDERS/*", "ORDERS/audit", "!ORDERS/pay"],
        vec!["ORDERS/*", "!ORDERS/pay"],
        vec!["ORDERS/*", "!ORDERS/audit", "!ORDERS/pay", "!ORDERS/mail"],
        vec!["*/*", "!ORDERS/audit", "!ORDERS/pay"],
    ] {
        let rows = rows(OLD, &with(&list(&old), &list(&new)));
        assert_eq!(
            rows,
            [of_window(
                "nightly",
                "consumers",
                selected(&old),
                selected(&new)
            )]
        );
    }
    // A window that is there no more, or new, and one that opens later than 400 days ahead.
    let renamed = rows(OLD, &with("name = \"far\"", "name = \"farther\""));
    let far = selected(&["ORDERS/far"]);
    let opening = json!({ "opens": "2029-01-01T00:00:00Z", "closes": "2029-01-01T06:00:00Z" });
    let expected = [
        of_window("far", "consumers", far.clone(), Value::Null),
        of_window("farther", "consumers", Value::Null, far),
        of_window("far", "removed", opening.clone(), Value::Null),
        of_window("farther", "added", Value::Null, opening),
    ];
    assert_eq!(renamed, expected);
}

#[test]
fn a_change_later_than_what_is_compared_is_shown_once() {
    let ends = |until: &str| {
        with(
            "duration = \"2h\"",
            &format!("duration = \"2h\"\nvalid_until = {until}"),
        )
    };
    let rows = rows(&ends("2029-06-30"), &ends("2029-06-27"));
    let opening = json!({ "opens": "2029-06-28T01:30:00Z", "closes": "2029-06-28T03:30:00Z" });
    assert_eq!(
        rows,
        [of_window("nightly", "removed", opening, Value::Null)]
    );
}

#[test]
fn an_exclusion_that_cuts_only_the_return_is_a_row() {
    let cut = format!(
        "{OLD}\n[[exclusion]]\nname = \"sale\"\nfrom = 2026-12-03T03:35:00Z\nuntil = 2026-12-03T09:00:00Z\n"
    );
    let side = |back: &str| json!({ "opens": "2026-12-03T01:30:00Z", "closes": "2026-12-03T03:30:00Z", "all_resumed": back });
    let (old, new) = (side("2026-12-03T03:40:00Z"), side("2026-12-03T03:35:00Z"));
    assert_eq!(rows(OLD, &cut), [of_window("nightly", "changed", old, new)]);
}

#[test]
fn what_changes_nothing_is_no_row() {
    let past = OLD.find("[[window]]\nname = \"past\"").unwrap();
    let without_past = format!(
        "{}{}",
        &OLD[..past],
        &OLD[OLD.find("[[exclusion]]").unwrap()..]
    );
    for new in [
        OLD.to_owned(),
        with(
            r#""!ORDERS/audit", "!ORDERS/pay""#,
            r#""!ORDERS/pay", "!ORDERS/audit", "!ORDERS/pay""#,
        ),
        with(
            r#""nats://a:4222", "nats://b:4222""#,
            r#""nats://b:4222", "nats://a:4222""#,
        ),
        with("max_pause = \"7d\"", "resync = \"5m\""),
        with("duration = \"2h\"", "until = \"03:30\""),
        with("30 1 * * *", "30 01 * * *"),
        with("ORDERS/past", "ORDERS/other"),
        with("holidays", "christmas"),
        without_past,
    ] {
        assert_eq!(rows(OLD, &new), Vec::<Value>::new(), "{new}");
    }
}

#[test]
fn a_window_whose_every_occurrence_changes_alike_is_one_line_with_a_count() {
    let text = |new: &str| {
        let output = run(OLD, new, "text");
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stdout).unwrap()
    };
    let longer = text(&with("duration = \"2h\"", "duration = \"3h\""));
    assert_eq!(longer.lines().count(), 2, "{longer}");
    assert!(
        longer.contains("399 times, the last on Tue 2028-01-04"),
        "{longer}"
    );

    // On the wall clock, in a zone with daylight saving; the two nights when clocks change are lines of their own.
    let zone = |schedule: &str| {
        with(
            "schedule = \"30 1 * * *\"",
            &format!("schedule = \"{schedule}\"\ntimezone = \"Europe/Zurich\""),
        )
    };
    let output = run(&zone("30 1 * * *"), &zone("30 4 * * *"), "text");
    let shifted = String::from_utf8(output.stdout).unwrap();
    let lines = shifted.lines().count();
    assert!((2..=4).contains(&lines), "{shifted}");
    assert!(shifted.contains(" times, the last on "), "{shifted}");

    // Two holidays more are two lines: other nights are not like them.
    let holidays = text(&with(
        "[2026-12-25]",
        "[2026-12-25, 2026-12-26, 2027-01-01]",
    ));
    let days: Vec<bool> = ["2026-12-26", "2027-01-01"]
        .map(|day| holidays.contains(day))
        .to_vec();
    assert_eq!(
        (holidays.lines().count(), days),
        (3, vec![true, true]),
        "{holidays}"
    );

    // A dropped `!` and a setting, in words.
    let dropped = text(&with("\"!ORDERS/audit\"", "\"ORDERS/audit\""));
    let line = dropped.lines().nth(1).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        words,
        ["consumers", "nightly", "!ORDERS/audit", "ORDERS/audit"]
    );
    let dry = text(&with("max_pause = \"7d\"", "dry_run = true"));
    assert!(dry.contains("controller.dry_run = true"), "{dry}");
}

#[test]
fn a_calendar_that_has_changed_is_a_change_of_openings() {
    let folder = tempfile::tempdir().unwrap();
    let calendar = |day: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{day}\nEND:VEVENT\nEND:VCALENDAR\n")
    };
    let config = with("dates = [2026-12-25]", "calendar = \"days.ics\"");
    // Each file's calendar lies beside it.
    for (version, day) in [("old", "20261225"), ("new", "20261226")] {
        let folder = folder.path().join(version);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("recess.toml"), &config).unwrap();
        fs::write(folder.join("days.ics"), calendar(day)).unwrap();
    }
    let diff = |old: &str, new: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_recess"))
            .args(["diff", old, new, "--from", "2026-12-01T00:00:00Z"])
            .args(["--format", "json"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), rows)
    };
    let (exit, rows) = diff("old/recess.toml", "new/recess.toml");
    assert_eq!(exit, Some(3));
    let shown: Vec<_> = (rows.iter())
        .map(|row| {
            (
                row["change"].as_str().unwrap(),
                &row["old"]["opens"],
                &row["new"]["opens"],
            )
        })
        .collect();
    let (added, removed) = (json!("2026-12-25T01:30:00Z"), json!("2026-12-26T01:30:00Z"));
    assert_eq!(
        shown,
        [
            ("added", &Value::Null, &added),
            ("removed", &removed, &Value::Null)
        ]
    );
    assert_eq!(
        diff("old/recess.toml", "old/recess.toml"),
        (Some(0), vec![])
    );
}

#[test]
fn what_a_window_asks_of_metadata_and_the_key_of_exempt_ones_are_settings() {
    let narrowed = with(
        "schedule = \"30 1 * * *\"",
        "where = { tier = [\"gold\", \"silver\"], team = \"billing\" }\nschedule = \"30 1 * * *\"",
    );
    let asked = json!({ "where": { "team": "billing", "tier": ["gold", "silver"] } });
    let row = |old, new| of_window("nightly", "settings", old, new);
    assert_eq!(rows(OLD, &narrowed), [row(Value::Null, asked.clone())]);
    assert_eq!(rows(&narrowed, OLD), [row(asked, Value::Null)]);
    // The order of keys decides nothing.
    let turned = narrowed.replace(
        "{ tier = [\"gold\", \"silver\"], team = \"billing\" }",
        "{ team = \"billing\", tier = [\"gold\", \"silver\"] }",
    );
    assert!(turned.contains("{ team"));
    assert_eq!(rows(&narrowed, &turned), [] as [Value; 0]);
    let exempt = format!("{OLD}\n[defaults]\nexempt = \"recess.exempt\"\n");
    let key = setting("defaults.exempt", Value::Null, json!("recess.exempt"));
    assert_eq!(rows(OLD, &exempt), [key]);
}
