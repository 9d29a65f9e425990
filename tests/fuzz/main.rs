//! Bounded runs of the fuzz targets: texts made up of what such texts are made of, and files that are nearly right.
//! `Cargo.toml` beside this says how to run them for longer, guided by coverage; `RECESS_FUZZ_CASES=100000` how much of
//! this.

mod properties;

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use tokio::time::Instant;

/// In a debug build on a busy machine. The fuzzer itself allows one second.
const AT_MOST: Duration = Duration::from_secs(10);

const WHOLE_FILES: [&str; 3] = [
    include_str!("../../config/recess.toml"),
    include_str!("../../examples/holidays.toml"),
    include_str!("../../examples/two-zones.toml"),
];

const CONFIG: &str = include_str!("config.dict");
const CALENDAR: &str = include_str!("calendar.dict");
const WIRE: &str = include_str!("wire.dict");

/// Calendars with something in them that others get wrong.
const CALENDARS: [&str; 4] = [
    include_str!("../calendars/traps/exceptions-and-additions.ics"),
    include_str!("../calendars/traps/gap-and-repeat.ics"),
    include_str!("../calendars/traps/own-zone-definition.ics"),
    include_str!("../calendars/traps/last-monday-of-may.ics"),
];

/// Answers as nats-server writes them, and advisories.
const ANSWERS: [&str; 7] = [
    include_str!("wire/account.json"),
    include_str!("wire/names.json"),
    include_str!("wire/names-none.json"),
    include_str!("wire/info.json"),
    include_str!("wire/list.json"),
    include_str!("wire/pause.json"),
    include_str!("wire/error.json"),
];
const ADVISORIES: [&str; 2] = [
    include_str!("wire/advisory.txt"),
    include_str!("wire/denial.txt"),
];

/// Values of keys of the bucket.
const OVERRIDES: [&str; 2] = [
    include_str!("wire/override.json"),
    include_str!("wire/override-undone.json"),
];

/// A credentials file and a context.
const FILES: [&str; 2] = [
    "-----BEGIN NATS USER JWT-----\neyJhbGciOiJlZDI1NTE5In0.eyJleHAiOjE3OTYwODMyMDB9.c2ln\n------END NATS USER \
     JWT------\n\n-----BEGIN USER NKEY \
     SEED-----\nSUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n------END USER NKEY SEED------\n",
    r#"{"description":"","url":"nats://a:b@127.0.0.1:4222,nats://c","socks_proxy":"","token":"","user":"x","password":"y","creds":"","nkey":"","cert":"","key":"","ca":"","jetstream_domain":"hub","inbox_prefix":"_I"}"#,
];

/// What texts are made of: those of the fuzzer.
fn pieces(dictionary: &str) -> Vec<String> {
    let lines = dictionary.lines();
    let mut pieces: Vec<String> = lines
        .map(|line| {
            line.trim_matches('"')
                .replace("\\\"", "\"")
                .replace("\\x0a", "\n")
                .replace("\\x0d", "\r")
                .replace("\\\\", "\\")
        })
        .collect();
    assert!(pieces.len() > 30, "{pieces:?}");
    let more = [
        "\u{feff}",
        "\0",
        "ä",
        "{a,",
        "[",
        "]",
        "'",
        "#",
        "-1",
        "9".repeat(30).as_str(),
        "\\",
        "\t",
    ]
    .map(str::to_owned);
    pieces.extend(more);
    pieces
}

fn check<S: Strategy>(cases: u32, texts: S, property: fn(&str))
where
    S::Value: std::fmt::Debug + AsRef<str>,
{
    let cases = std::env::var("RECESS_FUZZ_CASES").map_or(cases, |text| {
        text.parse().expect("RECESS_FUZZ_CASES is a number")
    });
    let config = ProptestConfig {
        failure_persistence: None,
        cases,
        ..ProptestConfig::default()
    };
    let held = TestRunner::new(config).run(&texts, |text| {
        let start = Instant::now();
        property(text.as_ref());
        let took = start.elapsed();
        prop_assert!(took < AT_MOST, "it took {took:?}");
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}

/// A file with some of its bytes taken out, doubled, or with pieces put in.
fn nearly_a_file() -> impl Strategy<Value = String> {
    nearly(&WHOLE_FILES, CONFIG)
}

fn nearly(whole: &[&'static str], dictionary: &str) -> impl Strategy<Value = String> {
    let change = (
        any::<Index>(),
        0..60_usize,
        0..3_u8,
        select(pieces(dictionary)),
    );
    let changes = prop::collection::vec(change, 1..8);
    (select(whole.to_vec()), changes).prop_map(|(file, changes)| {
        let mut text: Vec<char> = file.chars().collect();
        for (at, length, kind, piece) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            let part: Vec<char> = match kind {
                0 => Vec::new(),
                1 => [&text[at..end], &text[at..end]].concat(),
                _ => piece.chars().collect(),
            };
            text.splice(at..end, part);
        }
        text.into_iter().collect()
    })
}

#[test]
fn config_files_that_are_nearly_right() {
    check(300, nearly_a_file(), properties::config);
}

#[test]
fn config_files_of_pieces() {
    let texts = prop::collection::vec(select(pieces(CONFIG)), 0..60);
    check(
        300,
        texts.prop_map(|pieces| pieces.concat()),
        properties::config,
    );
}

#[test]
fn calendars_that_are_nearly_right() {
    let property = |text: &str| properties::calendar(text.as_bytes());
    check(1_000, nearly(&CALENDARS, CALENDAR), property);
}

#[test]
fn calendars_of_pieces() {
    let property = |text: &str| properties::calendar(text.as_bytes());
    let lines = prop::collection::vec(select(pieces(CALENDAR)), 0..12);
    let event =
        lines.prop_map(|lines| format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.concat()));
    let events = prop::collection::vec(event, 0..4);
    let texts = events
        .prop_map(|events| format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.concat()));
    check(1_000, texts, property);
    check(300, "\\PC{0,60}", property);
}

#[test]
fn schedules() {
    let field = "[*0-9LW#?,/+-]{1,6}|\\*/[0-9]{1,3}|(MON|FRI|JAN|7#5|L|15W|\\*|0)";
    let texts = prop::collection::vec(field, 0..8).prop_map(|fields| fields.join(" "));
    check(3_000, texts, properties::schedule);
    // Steps beyond what a field has are read in two ways: seconds first, or last.
    check(
        300,
        "(\\*/[0-9]{1,3} ){5}\\*/[0-9]{1,3}",
        properties::schedule,
    );
    check(500, "\\PC{0,40}", properties::schedule);
}

#[test]
fn selectors() {
    check(
        3_000,
        "!?[A-Z*?{},!^a-c\\[\\]-]{0,12}/?[a-z*?{},!^\\[\\]/.>-]{0,12}",
        properties::selectors,
    );
    check(500, "\\PC{0,40}", properties::selectors);
}

#[test]
fn arguments() {
    let word = select(vec![
        "run",
        "check",
        "plan",
        "explain",
        "diff",
        "status",
        "completions",
        "--from",
        "--until",
        "--at",
        "--consumer",
        "--window",
        "--format",
        "json",
        "--config",
        "--live",
        "--dry-run",
        "--exit-code",
        "ORDERS/billing",
        "-",
        "--",
        "2026-12-01T00:00:00Z",
        "2026-12-01T00:00:00",
        "2026-12-01",
        "now",
        "-9999-12-31T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "",
    ]);
    let words = prop_oneof![
        word.prop_map(str::to_owned),
        "[0-9TZ:+-]{0,30}",
        "\\PC{0,12}"
    ];
    let texts = prop::collection::vec(words, 0..6).prop_map(|words| words.join("\n"));
    check(2_000, texts, properties::arguments);
}

#[test]
fn answers_that_are_nearly_right() {
    check(5_000, nearly(&ANSWERS, WIRE), |text| {
        properties::answers(text.as_bytes())
    });
    let texts = prop::collection::vec(select(pieces(WIRE)), 0..40);
    let texts = texts.prop_map(|pieces| format!("{{{}}}", pieces.join(",")));
    check(1_000, texts, |text| properties::answers(text.as_bytes()));
}

#[test]
fn overrides_that_are_nearly_right() {
    check(5_000, nearly(&OVERRIDES, WIRE), |text| {
        properties::overrides(text.as_bytes())
    });
    let texts = prop::collection::vec(select(pieces(WIRE)), 0..40);
    let texts = texts.prop_map(|pieces| format!("{{{}}}", pieces.join(",")));
    check(1_000, texts, |text| properties::overrides(text.as_bytes()));
}

#[test]
fn entries_that_are_nearly_right() {
    let entries = [
        ANSWERS[3],
        r#"{"name":"it","created":"2026-11-01T12:00:00Z"}"#,
    ];
    check(3_000, nearly(&entries, WIRE), properties::entries);
    let odd = r#"[0-9]{1,30}|-?[0-9]{1,3}e[0-9]{1,3}|null|true|\{\}|\[\]|"\PC{0,20}"|\{"name":("\PC{0,9}"|[0-9]|null)\}"#;
    check(1_000, odd, properties::entries);
}

/// Or the runs above would try refusals only.
#[test]
fn answers_that_are_right_are_read() {
    use recess::jetstream::nats::untrusted;
    let [account, names, none, info, list, pause, error] = ANSWERS.map(str::as_bytes);
    assert_eq!(untrusted::account_info(account), Ok(Some(5)));
    assert_eq!(
        untrusted::names(names).map(|names| names.entries.len()),
        Ok(2)
    );
    assert_eq!(untrusted::names(none), Ok(Vec::new().into()));
    assert!(untrusted::info(info).is_ok_and(|sample| sample.found.is_paused()));
    assert_eq!(untrusted::list(list).map(|list| list.entries.len()), Ok(2));
    assert_eq!(untrusted::written(pause), Ok(()));
    assert!(untrusted::written(error).is_err());
    let [advisory, denial] = ADVISORIES.map(|text| text.split_once('\n').unwrap());
    let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.{}", advisory.0);
    assert!(untrusted::advisory(&subject, advisory.1.as_bytes()).is_some());
    assert_eq!(untrusted::denied(denial.0).as_deref(), Some("_INBOX.x.*"));
    for value in OVERRIDES {
        use recess::overrides::Bucket;
        use recess::overrides::entry::{Entry, Operation, Stored, read};
        let stored = Stored {
            subject: "$KV.recess.default.alice.k7f2q",
            sequence: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            operation: Operation::Put,
            value: value.as_bytes(),
        };
        let entry = read(&stored, &Bucket::new("recess", "default"));
        let is_read = matches!(entry, Entry::Live(_) | Entry::Undone(_));
        assert!(is_read, "{entry:?}");
    }
    let [credentials, context] = FILES;
    assert_eq!(untrusted::credentials(credentials), Ok(()));
    assert!(untrusted::natscli_context(context).is_ok());
}

#[test]
fn advisories() {
    check(3_000, nearly(&ADVISORIES, WIRE), |text| {
        properties::advisories(text.as_bytes())
    });
    check(500, "\\PC{0,60}", |text| {
        properties::advisories(text.as_bytes())
    });
}

#[test]
fn connection_files() {
    check(2_000, nearly(&FILES, WIRE), properties::connection_files);
    check(500, "\\PC{0,60}", properties::connection_files);
}
