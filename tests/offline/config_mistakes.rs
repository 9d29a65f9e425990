//! One file per mistake, with the exact message that an operator sees; `outlook-` files are looked at on a given day, as
//! `check` does. `RECESS_BLESS=1` writes the messages anew; read
//! them before you commit them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use recess::config::{self, Config, ConfigError, Finding, Severity};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/config");

/// The day on which `outlook-` files are looked at.
const TODAY: &str = "2026-12-01T12:00:00Z";

/// The names of the fixtures with this extension, without it.
fn names(extension: &str) -> BTreeSet<String> {
    let files = fs::read_dir(FIXTURES).expect("the fixtures are there");
    files
        .map(|file| file.expect("a readable directory").path())
        .filter(|path| path.extension() == Some(OsStr::new(extension)))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

fn fixture(name: &str, extension: &str) -> PathBuf {
    Path::new(FIXTURES).join(format!("{name}.{extension}"))
}

/// Some fixtures are not in UTF-8.
fn load(name: &str) -> Result<Config, ConfigError> {
    let bytes = fs::read(fixture(name, "toml")).expect("a readable fixture");
    config::parse_bytes(Path::new("recess.toml"), &bytes)
}

/// What loading a fixture says, under the name that operators give the file.
fn message(name: &str) -> String {
    match load(name) {
        Ok(config) => config::render(&config.source, &doubts(name, &config), false),
        Err(error) => error.to_string(),
    }
}

fn doubts(name: &str, config: &Config) -> Vec<Finding> {
    let today = TODAY.parse().expect("an instant");
    match name.starts_with("outlook-") {
        true => config::outlook(config, today),
        false => config.warnings.clone(),
    }
}

/// Both texts, line by line, with the lines marked that only one of them has.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let mut text = String::new();
    for line in 0..expected.len().max(found.len()) {
        match (expected.get(line), found.get(line)) {
            (Some(expected), Some(found)) if expected == found => writeln!(text, "  {found}"),
            (expected, found) => (expected.map_or(Ok(()), |line| writeln!(text, "- {line}")))
                .and(found.map_or(Ok(()), |line| writeln!(text, "+ {line}"))),
        }
        .expect("a string takes every line");
    }
    text
}

/// The name of a fixture without the word for findings that are no mistakes.
fn without_kind(name: &str) -> &str {
    let kinds = ["warning-", "outlook-"];
    (kinds.iter())
        .find_map(|kind| name.strip_prefix(kind))
        .unwrap_or(name)
}

#[test]
fn every_mistake_is_told_in_exactly_these_words() {
    let files = names("toml");
    assert!(files.len() >= 180, "only {} fixtures found", files.len());

    if env::var_os("RECESS_BLESS").is_some() {
        for name in &files {
            fs::write(fixture(name, "txt"), message(name)).expect("a writable fixture");
        }
    }
    assert_eq!(
        names("txt"),
        files,
        "each .toml has its .txt, and each .txt its .toml"
    );

    let mut differences = String::new();
    for name in &files {
        let expected = fs::read_to_string(fixture(name, "txt")).expect("a fixture in UTF-8");
        let found = message(name);
        if expected != found {
            let lines = difference(&expected, &found);
            write!(differences, "\n=== {name}\n{lines}").expect("a string takes every line");
        }
    }
    assert!(
        differences.is_empty(),
        "messages have changed (- was, + is):\n{differences}"
    );
}

#[test]
fn a_fixture_is_named_after_the_code_it_shows() {
    for name in names("toml") {
        let findings = match load(&name) {
            Ok(config) => doubts(&name, &config),
            Err(error) => error.findings(),
        };
        assert!(!findings.is_empty(), "{name}: nothing is wrong with it");
        if name == "many-at-once" {
            continue;
        }
        let wanted = without_kind(&name);
        for finding in findings {
            assert!(
                wanted.starts_with(finding.code) || wanted.ends_with("-and-others"),
                "{name}: {} is another mistake",
                finding.code
            );
            let warning = finding.severity == Severity::Warning;
            assert_eq!(warning, wanted != name, "{name}");
        }
    }
}

#[test]
fn every_code_has_a_fixture() {
    let source = include_str!("../../src/config/file/code.rs");
    let fixtures = names("toml");
    let codes: Vec<&str> = (source.lines())
        .filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1))
        .collect();
    assert!(codes.len() >= 20, "only {} codes found", codes.len());
    for code in codes {
        let shown = (fixtures.iter()).any(|name| without_kind(name).starts_with(code));
        // What depends on the host is shown elsewhere: by the unit tests, and by `zone_data.rs`.
        let elsewhere = [config::code::UNREADABLE, config::code::ZONES_DIFFER];
        assert!(
            shown || elsewhere.contains(&code),
            "no fixture shows `{code}`"
        );
    }
}
