//! Every line that the code can log has its row in `config/LOGS.md`, and every row its line: level
//! and fields included.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = include_str!("../../../config/LOGS.md");

/// A debug build's own line, which no release has.
const ONLY_IN_TESTS: &str = "SIGUSR1: ";

/// The words with a `*` for each value, the level, and the fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    words: String,
    level: String,
    fields: Vec<String>,
}

/// Replaces what stands between the two characters, and values that follow on each other, by one
/// `*`.
fn with_stars(text: &str, open: char, close: char) -> String {
    let mut out = String::new();
    let mut is_inside = false;
    for one in text.chars() {
        if one == open {
            is_inside = true;
            if !out.ends_with('*') {
                out.push('*');
            }
        } else if one == close {
            is_inside = false;
        } else if !is_inside {
            out.push(one);
        }
    }
    out
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs")
            && !path.ends_with("tests.rs")
            && !path.ends_with("views/log/table.rs")
        {
            found.push(path);
        }
    }
}

/// Of `window, stream = id.stream(), "`: the names.
fn fields(arguments: &str) -> Vec<String> {
    let mut depth = 0;
    let at_the_top = arguments.split(|one| {
        depth += i32::from("([{".contains(one)) - i32::from(")]}".contains(one));
        depth == 0 && one == ','
    });
    let names = at_the_top.map(|field| field.split('=').next().unwrap_or_default().trim());
    // The one that is a keyword.
    let names = names.map(|name| name.trim_start_matches("r#"));
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The string literal that the text begins with, after its first quote.
fn literal(text: &str) -> String {
    let mut out = String::new();
    let mut all = text.chars().peekable();
    while let Some(one) = all.next() {
        match one {
            '"' => break,
            '\\' => match all.next() {
                Some('\n') => while all.next_if(|next| next.is_whitespace()).is_some() {},
                Some('n') => out.push(' '),
                Some(other) => out.push(other),
                None => break,
            },
            _ => out.push(one),
        }
    }
    out
}

fn logged() -> BTreeSet<Line> {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let mut lines = BTreeSet::new();
    for file in files {
        let source = fs::read_to_string(file).unwrap();
        for level in ["error", "warn", "info", "debug", "trace"] {
            for (_, call) in source
                .split(&format!("{level}!("))
                .skip(1)
                .map(|call| ((), call))
            {
                let (before, text) = call.split_once('"').expect("each line has words");
                let text = literal(text);
                if !text.starts_with(ONLY_IN_TESTS) {
                    lines.insert(Line {
                        words: with_stars(&text, '{', '}'),
                        level: level.to_uppercase(),
                        fields: fields(before),
                    });
                }
            }
        }
    }
    lines
}

fn rows() -> Vec<Line> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [words, level, fields, when, help] = cells[..] else {
            panic!("five cells: {row}");
        };
        assert!(!when.is_empty() && !help.is_empty(), "{row}");
        Line {
            words: with_stars(words.trim_matches('`'), '<', '>'),
            level: level.to_owned(),
            fields: fields.split_whitespace().map(str::to_owned).collect(),
        }
    })
    .collect()
}

/// Whether the row's words are those that the line begins with. A row of values alone is for that
/// line only.
fn begins(line: &Line, row: &Line) -> bool {
    let is_bare = !row.words.chars().any(char::is_alphabetic);
    match is_bare {
        true => line.words == row.words,
        false => line.words.starts_with(&row.words),
    }
}

#[test]
fn every_event_has_its_row_and_every_row_its_event() {
    let rows = rows();
    let mut used: BTreeMap<&Line, usize> = rows.iter().map(|row| (row, 0)).collect();
    assert_eq!(used.len(), rows.len(), "a row is there twice");
    let logged = logged();
    assert!(logged.len() > 50, "the scan finds only {}", logged.len());
    let mut without = Vec::new();
    for line in &logged {
        let row = (rows.iter())
            .filter(|row| {
                begins(line, row) && (&row.level, &row.fields) == (&line.level, &line.fields)
            })
            .max_by_key(|row| row.words.len());
        match row {
            Some(row) => *used.get_mut(row).unwrap() += 1,
            None => without.push(line),
        }
    }
    assert!(
        without.is_empty(),
        "config/LOGS.md has no row for {without:#?}"
    );
    let idle: Vec<_> = used.iter().filter(|(_, uses)| **uses == 0).collect();
    assert!(idle.is_empty(), "nothing logs {idle:#?}");
}
