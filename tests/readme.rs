//! What the README shows is real: its config loads, its plan is what `recess plan` prints, its table is the one that the
//! decision's test goes through.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The contents of the README's fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let found: Vec<String> = (text.split("```").skip(1).step_by(2))
        .filter_map(|block| {
            block
                .strip_prefix(&format!("{language}\n"))
                .map(str::to_owned)
        })
        .collect();
    assert!(!found.is_empty(), "the README has no {language} block");
    found
}

#[test]
fn every_config_in_the_readme_loads_without_a_warning() {
    for block in blocks("toml") {
        let config = recess::config::parse(Path::new("README.md"), &block)
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }
}

#[test]
fn the_plan_and_the_explanation_in_the_readme_are_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("recess.toml");
    fs::write(&config, &blocks("toml")[0]).unwrap();
    let mut shown = 0;
    for block in blocks("console") {
        let (command, expected) = block.split_once('\n').unwrap();
        let offline = ["$ recess plan", "$ recess explain"];
        if !offline.iter().any(|offline| command.starts_with(offline)) {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_recess"))
            .args(command.split_whitespace().skip(2))
            .env("RECESS_CONFIG", &config)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        shown += 1;
    }
    assert_eq!(shown, 2);
}

#[test]
fn the_mistakes_in_the_readme_are_what_check_tells() {
    let folder = tempfile::tempdir().unwrap();
    let right = &blocks("toml")[0];
    let wrong = right
        .replace("servers =", "server =")
        .replace("Zurich", "Zurch");
    fs::write(folder.path().join("recess.toml"), wrong).unwrap();
    let shown = blocks("console");
    let shown = shown
        .iter()
        .find_map(|block| block.strip_prefix("$ recess check --config recess.toml\n"));
    let output = Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(["check", "--config", "recess.toml"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        told.trim_end(),
        shown.expect("the README shows `check`").trim_end()
    );
}

#[test]
fn every_file_and_heading_that_the_readme_links_to_exists() {
    let text = readme();
    let anchors: Vec<String> = (text.lines())
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    let targets: Vec<&str> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.starts_with("http"))
        .collect();
    assert!(targets.len() >= 4, "{targets:?}");
    for target in targets {
        let exists = match target.strip_prefix('#') {
            Some(anchor) => anchors.iter().any(|known| known == anchor),
            None => root().join(target).exists(),
        };
        assert!(exists, "the README links to {target}, which does not exist");
    }
}
