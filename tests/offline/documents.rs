//! What the documents show is real: configs load, commands run and print what is shown, links, paths and targets exist. This
//! file holds what needs no server; the wire tests hold the rest (`tests/wire/documents.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use clap::error::ErrorKind;
use recess::cli::Cli;
use recess::plan::Rule;

use crate::support::documents::{
    Document, Shown, all, all_shown, needs_a_server, read, root, shapes, shell_words,
};

#[test]
fn every_config_in_a_document_loads_without_a_warning() {
    let mut loaded = 0;
    for document in all() {
        for block in document.blocks("toml") {
            let config = recess::config::parse(Path::new(&document.path), &block)
                .unwrap_or_else(|error| panic!("{}: {error}", document.path));
            assert!(config.warnings.is_empty(), "{:?}", config.warnings);
            loaded += 1;
        }
    }
    assert!(loaded >= 4, "{loaded}");
}

/// Runs a command where `recess.toml` is the config that its document shows, and `misspelt.toml` the same with two mistakes.
fn run(shown: &Shown) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = shown.config.as_ref();
    let config = config.unwrap_or_else(|| panic!("{}: no config above it", shown.command));
    let misspelt = config.replace("servers =", "server =");
    let misspelt = misspelt.replace("Zurich", "Zurch");
    fs::write(folder.path().join("recess.toml"), config).unwrap();
    fs::write(folder.path().join("misspelt.toml"), misspelt).unwrap();
    let words = shell_words(&shown.command);
    let output = Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(&words[1..])
        .env("RECESS_CONFIG", "recess.toml")
        .current_dir(&folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn every_command_that_needs_no_server_prints_what_is_shown() {
    let mut commands = BTreeSet::new();
    for shown in all_shown() {
        if shown.command.starts_with("export ") {
            assert_eq!(shown.command, "export RECESS_CONFIG=recess.toml");
            assert_eq!(shown.output, "");
            continue;
        }
        if needs_a_server(&shown.command) {
            continue;
        }
        let printed = run(&shown);
        let words = shell_words(&shown.command);
        let any_day = ["--from", "--at", "misspelt.toml"]
            .iter()
            .any(|fixed| words.iter().any(|word| word == fixed));
        let place = format!("{}: $ {}", shown.document, shown.command);
        if any_day {
            // The last line of some outputs has no end.
            assert_eq!(printed.trim_end(), shown.output.trim_end(), "{place}");
        } else {
            assert_eq!(shapes(&printed), shapes(&shown.output), "{place}");
        }
        commands.insert(words[1].clone());
    }
    let expected = ["check", "explain", "plan"].map(str::to_owned);
    assert!(commands.is_superset(&expected.into()), "{commands:?}");
}

#[test]
fn the_window_to_try_in_the_quick_start_opens_every_minute() {
    let readme = read("README.md");
    let spans = readme.spans();
    let instead = |key: &str| {
        let mut found = spans
            .iter()
            .filter(|span| span.starts_with(&format!("{key} = ")));
        found.next().expect("the README says what to set").clone()
    };
    let config: Vec<String> = (readme.blocks("toml")[0].lines())
        .map(|line| match line.split_whitespace().next() {
            Some(key @ ("schedule" | "duration")) => instead(key),
            _ => line.to_owned(),
        })
        .collect();
    let printed = run(&Shown {
        document: readme.path.clone(),
        command: "recess plan --from 2026-12-01T10:00:00Z --until 2026-12-01T10:03:00Z".to_owned(),
        output: String::new(),
        config: Some(config.join("\n")),
    });
    let openings = printed.lines().filter(|line| line.contains(" 30s "));
    assert_eq!(openings.count(), 3, "{printed}");
}

/// Every line of shell and every code span of a document, with what stands in front of a console's commands taken away.
fn commands(document: &Document) -> Vec<String> {
    let mut commands = document.spans();
    for language in ["sh", "console"] {
        for block in document.blocks(language) {
            let lines = block.lines().filter_map(|line| match language {
                "console" => line.strip_prefix("$ "),
                _ => Some(line),
            });
            commands.extend(lines.map(str::to_owned));
        }
    }
    commands
}

#[test]
fn every_command_of_recess_in_a_document_exists() {
    let mut seen = 0;
    for document in all() {
        for command in commands(&document) {
            let words = shell_words(&command);
            let Some(at) = words.iter().position(|word| word == "recess") else {
                continue;
            };
            let before = &words[..at];
            let runs = (before.iter()).all(|word| word == "sudo" || word.contains('='));
            // A mention of the program, or of something that is called like it.
            if !runs || at + 1 == words.len() {
                continue;
            }
            seen += 1;
            let Err(error) = Cli::try_parse_from(&words[at..]) else {
                continue;
            };
            // A mention may leave arguments out.
            let fits = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::MissingRequiredArgument
            );
            assert!(fits, "{}: `{command}`: {error}", document.path);
        }
    }
    assert!(seen >= 40, "{seen}");
}

/// GitHub's name of a heading's place.
fn anchor(heading: &str) -> String {
    (heading.to_lowercase().chars())
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_file_and_heading_that_a_document_links_to_exists() {
    let mut followed = 0;
    for document in all() {
        let folder = Path::new(&document.path).parent().unwrap();
        let prose = document.prose();
        let targets = (prose.split("](").skip(1))
            .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
            .filter(|target| !target.starts_with("http"));
        for target in targets {
            let place = format!("{} links to {target}", document.path);
            let (file, heading) = match target.split_once('#') {
                Some((file, heading)) => (file, Some(heading)),
                None => (target, None),
            };
            let path = match file {
                "" => PathBuf::from(&document.path),
                _ => folder.join(file),
            };
            assert!(root().join(&path).exists(), "{place}: no such file");
            if let Some(heading) = heading {
                let linked = read(path.to_str().unwrap()).prose();
                let known = (linked.lines())
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#').trim()) == heading);
                assert!(known, "{place}: no such heading");
            }
            followed += 1;
        }
    }
    assert!(followed >= 40, "{followed}");
}

#[test]
fn every_path_and_target_that_a_document_names_exists() {
    let mut named = 0;
    for document in all() {
        for command in commands(&document) {
            let words = shell_words(&command);
            for word in &words {
                let (first, rest) = word.split_once('/').unwrap_or_default();
                let ours = ["benches", "config", "examples", "src", "systemd", "tests"];
                if !ours.contains(&first) || rest.is_empty() {
                    continue;
                }
                let path = root().join(word);
                let exists = match word.split_once('*') {
                    None => path.exists(),
                    Some((before, after)) => (root().join(before).read_dir().unwrap())
                        .any(|file| file.unwrap().file_name().to_str().unwrap().ends_with(after)),
                };
                assert!(exists, "{}: there is no {word}", document.path);
                named += 1;
            }
            for pair in words.windows(2) {
                let name = &pair[1];
                let places = match &*pair[0] {
                    "--example" => [format!("examples/{name}.rs"), format!("examples/{name}")],
                    "--test" => [format!("tests/{name}.rs"), format!("tests/{name}/main.rs")],
                    "--bench" => [
                        format!("benches/{name}.rs"),
                        format!("benches/{name}/main.rs"),
                    ],
                    _ => continue,
                };
                let exists = places.iter().any(|place| root().join(place).exists());
                assert!(exists, "{}: `{command}`", document.path);
                named += 1;
            }
        }
    }
    assert!(named >= 10, "{named}");
}

#[test]
fn the_readme_fits_on_a_few_screens() {
    let readme = read("README.md");
    let lines = readme.text.lines().count();
    assert!(
        lines <= 200,
        "{lines} lines: move some beside the files that they describe"
    );
    let long = (readme.prose().lines().map(str::to_owned))
        .find(|line| !line.starts_with('|') && line.chars().count() > 110);
    assert_eq!(long, None);
}

/// Words that this project's texts and messages do not use, and what they use instead.
const WORDS: &[(&[&str], &str)] = &[
    (
        &["told", "tell", "tells", "says"],
        "reports, logs, shows, prints",
    ),
    (&["look at", "looks at", "looked at", "looks"], "observes"),
    (
        &["somebody", "nobody", "whom"],
        "another client, no consumer",
    ),
    (
        &["in vain", "at rest", "anew"],
        "without effect, idle, again",
    ),
    (
        &["comes back", "come back", "let go", "lets go"],
        "resumes, resume",
    ),
    (
        &["gives up", "give up", "given up", "hangs up"],
        "stops, closes the connection",
    ),
    (&["way out"], "the fix"),
    (&["of ours", "theirs"], "recess's, foreign"),
    (&["fights"], "overridden by another client"),
    (&["quiet"], "drained"),
    (&["by hand"], "manually"),
    (
        &["clocks go", "comes twice", "come twice"],
        "daylight-saving change",
    ),
];

/// What a text of the project says in words of its own: without code, and without the decision table, which quotes the program.
fn words_of(text: &str) -> Vec<(usize, String)> {
    let table = Rule::table();
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !table.lines().any(|row| row == *line))
        .map(|(number, line)| {
            let plain: Vec<&str> = line.split('`').step_by(2).collect();
            (number + 1, plain.join(" "))
        })
        .collect()
}

#[test]
fn the_texts_use_the_words_of_the_field() {
    let mut texts: Vec<(String, String)> = all()
        .iter()
        .map(|document| (document.path.clone(), document.prose()))
        .collect();
    for folder in [
        "config",
        "examples",
        "examples/kubernetes",
        "examples/prometheus",
    ] {
        for file in root().join(folder).read_dir().unwrap() {
            let path = file.unwrap().path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            // The tests of alerts are for those who change them.
            let is_test = path.to_str().unwrap().contains(".test.");
            if matches!(ending, Some("toml" | "yaml" | "yml")) && !is_test {
                let text = fs::read_to_string(&path).unwrap();
                texts.push((path.display().to_string(), text));
            }
        }
    }
    assert!(texts.len() >= 20, "{}", texts.len());
    let mut found = Vec::new();
    for (path, text) in &texts {
        for (number, line) in words_of(text) {
            found.extend(unused_words(path, number, &line));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The words of a line that this project's texts do not use.
fn unused_words(path: &str, number: usize, line: &str) -> Vec<String> {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let line = line.to_lowercase();
    let plain: Vec<&str> = line
        .split(|c| !in_a_word(c))
        .filter(|word| !word.is_empty())
        .collect();
    let plain = format!(" {} ", plain.join(" "));
    let mut found = Vec::new();
    for (words, instead) in WORDS {
        for word in (words.iter()).filter(|word| plain.contains(&format!(" {word} "))) {
            found.push(format!("{path}:{number}: {word:?}, better: {instead}"));
        }
    }
    found
}

/// The lines of the program's code that hold text in quotes, each reduced to that text. A text of several lines is taken whole
/// from its second line on.
fn messages_of(source: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut messages = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let code = line.trim_start();
        if !inside && code.starts_with("//") {
            continue;
        }
        let line = line.replace("\\\"", " ").replace("'\"'", "");
        let mut text = String::new();
        for (index, part) in line.split('"').enumerate() {
            inside ^= index > 0;
            if inside {
                text = text + part + " ";
            }
        }
        messages.push((number + 1, text));
    }
    messages
}

#[test]
fn the_messages_use_the_words_of_the_field() {
    let mut folders = vec![root().join("src")];
    let (mut found, mut words) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for (number, text) in messages_of(source) {
                words += text.split_whitespace().count();
                found.extend(unused_words(path.to_str().unwrap(), number, &text));
            }
        }
    }
    assert!(words > 5_000, "{words}");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
