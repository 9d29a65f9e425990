//! The unit files: what they allow the service, and that the two are one.

use std::fs;
use std::process::Command;

use crate::machine::RUN;
use crate::package::root;

fn unit(name: &str) -> String {
    fs::read_to_string(root().join("systemd").join(name)).unwrap()
}

/// A unit's directives, without comments and empty lines.
fn directives(text: &str) -> Vec<&str> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect()
}

#[test]
fn the_template_is_the_service_but_for_names() {
    let service = unit("recess.service")
        .replace("JetStream consumers", "JetStream consumers (%i)")
        .replace("/etc/recess/recess.toml", "/etc/recess/%i.toml")
        .replace(":/etc/recess/nats.", ":/etc/recess/%i/nats.");
    let template = unit("recess@.service");
    let (service, template) = (directives(&service), directives(&template));
    assert!(service.len() > 40, "{service:?}");
    assert_eq!(service, template);
}

#[test]
#[ignore = "needs root and Debian packages: tests/operations/run"]
fn systemd_scores_the_units_at_most_at_1_1() {
    for name in ["recess.service", "recess@.service"] {
        let output = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=11", "--no-pager"])
            .arg(root().join("systemd").join(name))
            .output()
            .unwrap_or_else(|error| panic!("systemd-analyze: {error}; {RUN}"));
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(told.contains("Overall exposure level"), "{output:?}");
        assert!(output.status.success(), "{told}");
    }
}

#[test]
fn the_document_makes_a_standby_as_the_file_does() {
    let document = unit("README.md");
    let (_, block) = document.split_once("   ```ini\n").expect("a block");
    let (block, _) = block.split_once("   ```").expect("its end");
    let lines: Vec<&str> = block.lines().map(str::trim).collect();
    let file = unit("standby.conf");
    assert_eq!(directives(&file), lines);
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
#[ignore = "needs root and Debian packages: tests/operations/run"]
fn systemd_accepts_the_units_of_the_examples() {
    let files = tempfile::tempdir().unwrap();
    let units: [(&str, &[&str]); 3] = [
        (
            "monthly-report.service",
            &["/usr/bin/recess", "/usr/local/bin/monthly-report"],
        ),
        (
            "recess-calendar.service",
            &["/usr/local/bin/fetch-calendar"],
        ),
        ("recess-calendar.timer", &[]),
    ];
    for (name, programs) in units {
        let text = fs::read_to_string(root().join("examples/automation").join(name)).unwrap();
        // It looks whether programs and users are there, and these are not.
        let mut changed = text.replace("User=report\n", "");
        for program in programs {
            assert!(changed.contains(program), "{text}");
            changed = changed.replace(program, "/bin/true");
        }
        fs::write(files.path().join(name), changed).unwrap();
    }
    for (name, _) in units {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(files.path().join(name))
            .output()
            .unwrap_or_else(|error| panic!("systemd-analyze: {error}; {RUN}"));
        let told = String::from_utf8_lossy(&output.stderr);
        let ours: Vec<&str> = told.lines().filter(|line| line.contains(name)).collect();
        assert!(output.status.success() && ours.is_empty(), "{told}");
    }
}
