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

/// What texts are made of: those of the fuzzer.
fn pieces() -> Vec<String> {
    let lines = include_str!("config.dict").lines();
    let mut pieces: Vec<String> = lines
        .map(|line| {
            line.trim_matches('"')
                .replace("\\\"", "\"")
                .replace("\\x0a", "\n")
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
    let change = (any::<Index>(), 0..60_usize, 0..3_u8, select(pieces()));
    let changes = prop::collection::vec(change, 1..8);
    (select(WHOLE_FILES.to_vec()), changes).prop_map(|(file, changes)| {
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
    let texts = prop::collection::vec(select(pieces()), 0..60);
    check(
        300,
        texts.prop_map(|pieces| pieces.concat()),
        properties::config,
    );
}

#[test]
fn schedules() {
    let field = "[*0-9LW#?,/+-]{1,6}|\\*/[0-9]{1,3}|(MON|FRI|JAN|7#5|L|15W|\\*|0)";
    let texts = prop::collection::vec(field, 0..8).prop_map(|fields| fields.join(" "));
    check(3_000, texts, properties::schedule);
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
