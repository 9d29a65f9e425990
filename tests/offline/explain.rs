//! `plan --consumer`, `explain` and `diff`: what is told of one consumer, and of a change. Every expectation is worked out
//! by hand from the rules.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Two windows that touch, the first with a spread return, and a holiday.
const CONFIG: &str = r#"
instance = "test"

[[window]]
name = "early"
consumers = ["*/*"]
schedule = "0 1 * * *"
until = "03:00"
resume_spread = "10m"

[[window]]
name = "late"
consumers = ["ORDERS/billing"]
schedule = "0 3 * * *"
duration = "1h"

[[exclusion]]
name = "holidays"
dates = [2026-12-25]
"#;

fn recess(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(arguments)
        .env("RECESS_CONFIG", folder.join("recess.toml"))
        .current_dir(folder)
        .output()
        .unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recess.toml"), CONFIG).unwrap();
    folder
}

fn pauses(consumer: &str, from: &str, until: &str) -> Value {
    let folder = folder();
    let arguments = [
        "plan",
        "--consumer",
        consumer,
        "--from",
        from,
        "--until",
        until,
    ];
    json_of(&recess(
        folder.path(),
        &[&arguments[..], &["--format", "json"]].concat(),
    ))
}

#[test]
fn the_pauses_of_a_consumer_are_its_windows_joined_and_cut() {
    let pause = |day: &str| {
        json!({
            "consumer": "ORDERS/billing", "from": format!("{day}T01:00:00Z"), "until": format!("{day}T04:00:00Z"),
            "windows": ["early", "late"],
            "overrides": [],
        })
    };
    let told = pauses(
        "ORDERS/billing",
        "2026-12-24T00:00:00Z",
        "2026-12-27T00:00:00Z",
    );
    assert_eq!(told, json!([pause("2026-12-24"), pause("2026-12-26")]));
    // Whole, also where only its end or its beginning is asked for.
    let told = pauses(
        "ORDERS/billing",
        "2026-12-24T03:59:59Z",
        "2026-12-26T01:00:01Z",
    );
    assert_eq!(told, json!([pause("2026-12-24"), pause("2026-12-26")]));
    let told = pauses(
        "ORDERS/billing",
        "2026-12-24T04:00:00Z",
        "2026-12-26T01:00:00Z",
    );
    assert_eq!(told, json!([]));
}

#[test]
fn a_pause_lasts_until_the_consumers_own_return() {
    let expected = json!([{
        "consumer": "EVENTS/mail", "from": "2026-12-24T01:00:00Z", "until": "2026-12-24T03:03:14Z",
        "windows": ["early"],
        "overrides": [],
    }]);
    let told = pauses(
        "EVENTS/mail",
        "2026-12-24T00:00:00Z",
        "2026-12-26T00:00:00Z",
    );
    assert_eq!(told, expected);
    // In the tail too.
    let told = pauses(
        "EVENTS/mail",
        "2026-12-24T03:03:00Z",
        "2026-12-26T00:00:00Z",
    );
    assert_eq!(told, expected);
}

#[test]
fn windows_that_take_turns_make_one_pause_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let config = r#"
        instance = "prod-eu"
        [[window]]
        name = "day"
        consumers = ["ORDERS/billing"]
        schedule = "0 4 * * *"
        until = "03:00"
        [[window]]
        name = "night"
        consumers = ["ORDERS/billing"]
        schedule = "30 2 * * *"
        until = "04:00"
    "#;
    fs::write(folder.path().join("recess.toml"), config).unwrap();
    let asked = [
        "plan",
        "--consumer",
        "ORDERS/billing",
        "--from",
        "2026-12-24T03:30:00Z",
    ];
    let told = recess(folder.path(), &asked);
    let told = String::from_utf8(told.stdout).unwrap();
    let rows: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(rows.len(), 1, "{told}");
    assert!(rows[0].contains("a year or more"), "{told}");
    let rows = json_of(&recess(
        folder.path(),
        &[&asked[..], &["--format", "json"]].concat(),
    ));
    let [row] = rows.as_array().unwrap().as_slice() else {
        panic!("{rows}")
    };
    assert!(row["from"].as_str().unwrap() < "2025-12-24", "{row}");
    assert!(row["until"].as_str().unwrap() > "2027-12-30", "{row}");
}

fn explain(consumer: &str, at: &str) -> Value {
    let folder = folder();
    let arguments = ["explain", consumer, "--at", at, "--format", "json"];
    json_of(&recess(folder.path(), &arguments))
}

#[test]
fn a_pause_is_explained_by_all_that_its_deadline_rests_on() {
    let expected = json!({
        "consumer": "ORDERS/billing", "at": "2026-12-24T02:00:00Z",
        "desired": { "state": "paused", "until": "2026-12-24T04:00:00Z" },
        "because": [
            { "window": "early", "opens": "2026-12-24T01:00:00Z", "closes": "2026-12-24T03:00:00Z", "effect": "pauses" },
            { "window": "late", "opens": "2026-12-24T03:00:00Z", "closes": "2026-12-24T04:00:00Z", "effect": "pauses" },
        ],
        "next_change": "2026-12-24T03:00:00Z",
    });
    assert_eq!(explain("ORDERS/billing", "2026-12-24T02:00:00Z"), expected);
}

#[test]
fn a_tail_an_exclusion_and_a_closed_window_are_explained() {
    let expected = json!({
        "consumer": "EVENTS/mail", "at": "2026-12-24T03:01:00Z",
        "desired": { "state": "tail", "until": "2026-12-24T03:03:14Z" },
        "because": [
            { "window": "early", "opens": "2026-12-24T01:00:00Z", "closes": "2026-12-24T03:00:00Z", "effect": "spread" },
        ],
        "next_change": "2026-12-24T03:03:14Z",
    });
    assert_eq!(explain("EVENTS/mail", "2026-12-24T03:01:00Z"), expected);

    let expected = json!({
        "consumer": "EVENTS/mail", "at": "2026-12-25T02:00:00Z",
        "desired": { "state": "running", "until": null },
        "because": [
            { "exclusion": "holidays", "opens": "2026-12-25T00:00:00Z", "closes": "2026-12-26T00:00:00Z", "effect": "cuts" },
        ],
        "next_change": "2026-12-26T01:00:00Z",
    });
    assert_eq!(explain("EVENTS/mail", "2026-12-25T02:00:00Z"), expected);

    let closed = explain("EVENTS/mail", "2026-12-24T12:00:00Z");
    let because = json!([
        { "window": "early", "opens": "2026-12-26T01:00:00Z", "closes": "2026-12-26T03:00:00Z", "effect": "names it, closed" },
    ]);
    assert_eq!(closed["because"], because);
}

#[test]
fn explain_reads_well_and_says_so_when_nothing_names_the_consumer() {
    let folder = folder();
    let arguments = ["explain", "ORDERS/billing", "--at", "2026-12-24T02:00:00Z"];
    let output = recess(folder.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = "\
At 2026-12-24T02:00:00Z, ORDERS > billing should be paused until 2026-12-24T04:00:00Z.

WHAT          EFFECT  OPENS                     CLOSES
window early  pauses  Thu 2026-12-24 01:00 UTC  03:00 UTC
window late   pauses  Thu 2026-12-24 03:00 UTC  04:00 UTC

Nothing changes before 2026-12-24T03:00:00Z (in 1h).
";
    assert_eq!(text, expected);
    fs::write(
        folder.path().join("recess.toml"),
        CONFIG.replace("*/*", "ORDERS/*"),
    )
    .unwrap();
    let output = recess(folder.path(), &["explain", "EVENTS/mail"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.ends_with("None of the 2 windows names it.\n"),
        "{text}"
    );
    fs::write(
        folder.path().join("recess.toml"),
        CONFIG.replace(r#"["*/*"]"#, r#"["*/*", "!EVENTS/mail"]"#),
    )
    .unwrap();
    // As it is shown, too; and instants without a fraction.
    let arguments = [
        "explain",
        "EVENTS > mail",
        "--at",
        "2026-12-24T02:00:00.123456789Z",
    ];
    let output = recess(folder.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "At 2026-12-24T02:00:00Z, EVENTS > mail should be running.\nWindow early names it, but \
         excludes it with \"!EVENTS/mail\".\n"
    );
    let output = recess(folder.path(), &["explain", "ORDERS.billing"]);
    assert_eq!(output.status.code(), Some(2));
}

fn diff(old: &str, new: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.toml"), old).unwrap();
    fs::write(folder.path().join("new.toml"), new).unwrap();
    let from = ["--from", "2026-12-01T00:00:00Z", "--format", "json"];
    let output = recess(
        folder.path(),
        &[&["diff", "old.toml", "new.toml"], &from[..]].concat(),
    );
    (output.status.code(), json_of(&output))
}

#[test]
fn a_diff_tells_what_is_moved_removed_and_added_in_400_days() {
    assert_eq!(diff(CONFIG, CONFIG), (Some(0), json!([])));

    let (status, rows) = diff(CONFIG, &CONFIG.replace("0 3 * * *", "30 3 * * *"));
    assert_eq!(status, Some(3));
    let rows = rows.as_array().unwrap().clone();
    // Every day but the holiday.
    assert_eq!(rows.len(), 399);
    let first = json!({
        "window": "late", "change": "changed",
        "old": { "opens": "2026-12-01T03:00:00Z", "closes": "2026-12-01T04:00:00Z" },
        "new": { "opens": "2026-12-01T03:30:00Z", "closes": "2026-12-01T04:30:00Z" },
    });
    assert_eq!(rows[0], first);

    // A holiday less is a night more for both windows.
    let (status, rows) = diff(CONFIG, &CONFIG.replace("2026-12-25", "2025-12-25"));
    assert_eq!(status, Some(3));
    let added = |window: &str, opens: &str, closes: &str| {
        json!({
            "window": window, "change": "added", "old": null,
            "new": { "opens": format!("2026-12-25T{opens}:00Z"), "closes": format!("2026-12-25T{closes}:00Z") },
        })
    };
    let expected = json!([
        added("early", "01:00", "03:00"),
        added("late", "03:00", "04:00")
    ]);
    assert_eq!(rows, expected);

    let (_, rows) = diff(
        CONFIG,
        &CONFIG.replace("name = \"late\"", "name = \"later\""),
    );
    let times = rows.as_array().unwrap().iter();
    let times = times.filter(|row| row["change"] != "consumers");
    let kinds: Vec<_> = (times.take(2))
        .map(|row| {
            (
                row["window"].as_str().unwrap(),
                row["change"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(kinds, [("late", "removed"), ("later", "added")]);
}

/// A calendar of a holiday that recurs, and of one that is no holiday here.
const CALENDAR: &str = "BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Christmas Day
DTSTART;VALUE=DATE:20201225
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
SUMMARY:Working Saturday
DTSTART;VALUE=DATE:20270109
END:VEVENT
END:VCALENDAR
";

#[test]
fn an_exclusion_is_explained_by_the_event_of_its_calendar() {
    let folder = folder();
    let with_calendar = CONFIG.replace(
        "dates = [2026-12-25]",
        "calendar = \"days.ics\"\nevents = [\"*\", \"!Working*\"]",
    );
    assert_ne!(with_calendar, CONFIG);
    fs::write(folder.path().join("recess.toml"), with_calendar).unwrap();
    fs::write(folder.path().join("days.ics"), CALENDAR).unwrap();
    let explain = |at: &str, format: &str| {
        let arguments = ["explain", "ORDERS/billing", "--at", at, "--format", format];
        recess(folder.path(), &arguments)
    };
    let christmas = "2031-12-25T01:30:00Z";
    let because = &json_of(&explain(christmas, "json"))["because"];
    assert_eq!(
        because[0],
        json!({
            "exclusion": "holidays",
            "event": "Christmas Day",
            "opens": "2031-12-25T00:00:00Z",
            "closes": "2031-12-26T00:00:00Z",
            "effect": "cuts",
        })
    );
    let text = explain(christmas, "text");
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(
        text.contains("exclusion holidays (Christmas Day)"),
        "{text}"
    );
    let saturday = &json_of(&explain("2027-01-09T01:30:00Z", "json"))["desired"];
    assert_eq!(saturday["state"], "paused");
}

/// A window for one team, and one for all; consumers can be exempt.
const LABELLED: &str = r#"
instance = "test"

[defaults]
exempt = "recess.exempt"

[[window]]
name = "billing"
consumers = ["ORDERS/*"]
where = { team = "billing" }
schedule = "0 1 * * *"
duration = "2h"

[[window]]
name = "all"
consumers = ["ORDERS/*"]
schedule = "0 1 * * *"
duration = "1h"
"#;

/// What `explain` says of ORDERS/a within both windows, with that metadata, and of standard error.
fn explained(with: &[&str], format: &str) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recess.toml"), LABELLED).unwrap();
    let mut arguments = vec!["explain", "ORDERS/a", "--at", "2026-12-01T01:30:00Z"];
    arguments.extend(["--format", format]);
    for one in with {
        arguments.extend(["--with", one]);
    }
    let output = recess(folder.path(), &arguments);
    let err = String::from_utf8(output.stderr.clone()).unwrap();
    (output, err)
}

#[test]
fn metadata_decides_what_is_explained() {
    let (both, one) = (json!("2026-12-01T03:00:00Z"), json!("2026-12-01T02:00:00Z"));
    let exempt = ["names it, exempt", "names it, exempt"];
    let other = ["pauses", "names it, `where` does not hold"];
    for (with, until, effects) in [
        (&[][..], &both, &["pauses", "pauses"]),
        (&["team=billing"], &both, &["pauses", "pauses"]),
        (&["team=mail"], &one, &other),
        (&["tier=gold"], &one, &other),
        (
            &["team=billing", "recess.exempt=true"],
            &Value::Null,
            &exempt,
        ),
        (
            &["team=billing", "recess.exempt=2026-12-01T01:40:00Z"],
            &Value::Null,
            &exempt,
        ),
        (
            &["team=billing", "recess.exempt=2026-12-01T01:20:00Z"],
            &both,
            &["pauses", "pauses"],
        ),
        (
            &["team=billing", "recess.exempt=false"],
            &both,
            &["pauses", "pauses"],
        ),
    ] {
        let (output, _) = explained(with, "json");
        let told = json_of(&output);
        assert_eq!(&told["desired"]["until"], until, "{with:?}");
        let because = told["because"].as_array().unwrap().iter();
        let found: Vec<&str> = because.map(|row| row["effect"].as_str().unwrap()).collect();
        assert_eq!(found, effects, "{with:?}");
        let open = &told["depends_on_metadata"];
        match with.is_empty() {
            true => assert_eq!(*open, json!(["recess.exempt", "team"])),
            false => assert!(open.is_null(), "{with:?}"),
        }
    }
    let told = json_of(&explained(&["recess.exempt=2026-12-01T01:40:00Z"], "json").0);
    assert_eq!(told["next_change"], "2026-12-01T01:40:00Z");
}

#[test]
fn without_metadata_the_answer_says_what_it_depends_on_and_how_to_give_it() {
    let text = |with: &[&str]| String::from_utf8(explained(with, "text").0.stdout).unwrap();
    let open = "This depends on the consumer's metadata (recess.exempt, team): give it with --with KEY=VALUE, or ask \
                the server with --live.\n";
    assert!(text(&[]).contains(open), "{}", text(&[]));
    let known = text(&["team=a\"b"]);
    assert!(!known.contains("This depends"), "{known}");
    assert!(
        known.contains("Metadata: recess.exempt absent, team \"a\\\"b\".\n"),
        "{known}"
    );
    let (_, err) = explained(&["teem=billing"], "json");
    assert_eq!(
        err,
        "note: the config file has no condition on the metadata key \"teem\"\n"
    );
    let (output, err) = explained(&["team"], "json");
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("write it as KEY=VALUE"), "{err}");
}

#[test]
fn the_pauses_of_a_consumer_follow_its_metadata() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recess.toml"), LABELLED).unwrap();
    for (with, from, until) in [
        (&["team=billing"][..], "01:00", "03:00"),
        (&["team=mail"], "01:00", "02:00"),
        (
            &["team=mail", "recess.exempt=2026-12-01T01:59:00Z"],
            "01:59",
            "02:00",
        ),
    ] {
        let span = [
            "--from",
            "2026-12-01T00:00:00Z",
            "--until",
            "2026-12-02T00:00:00Z",
        ];
        let mut arguments = vec!["plan", "--consumer", "ORDERS/a", "--format", "json"];
        arguments.extend(span);
        arguments.extend(with.iter().flat_map(|one| ["--with", one]));
        let told = json_of(&recess(folder.path(), &arguments));
        let pauses = told.as_array().unwrap();
        assert_eq!(pauses.len(), 1, "{with:?}: {told}");
        let at = |time: &str| json!(format!("2026-12-01T{time}:00Z"));
        assert_eq!(pauses[0]["from"], at(from), "{with:?}");
        assert_eq!(pauses[0]["until"], at(until), "{with:?}");
    }
    // A plan of windows has no consumer whose metadata it could be.
    let output = recess(folder.path(), &["plan", "--with", "team=billing"]);
    assert_eq!(output.status.code(), Some(2));
}
