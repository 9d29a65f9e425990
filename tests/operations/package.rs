//! The Debian package: where it is, and that nobody who knows Debian finds an error in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::RUN;

/// The package that `tests/operations/run` has built.
pub fn deb() -> PathBuf {
    in_target("operations/recess.deb")
}

/// What `tests/operations/run` has put there.
pub fn in_target(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    let path = root().join(target).join(name);
    assert!(path.exists(), "there is no {}; {RUN}", path.display());
    path
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command prints; a program that is not there is no reason to skip a test.
pub fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; {RUN}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs root and Debian packages: tests/operations/run"]
fn lintian_finds_no_error_in_the_package() {
    let output = Command::new("lintian")
        .args([
            "--allow-root",
            "--fail-on",
            "error",
            "--tag-display-limit",
            "0",
        ])
        .arg(deb())
        .output()
        .unwrap_or_else(|error| panic!("lintian: {error}; {RUN}"));
    assert!(output.status.success(), "{output:?}");
}

#[test]
#[ignore = "needs root and Debian packages: tests/operations/run"]
fn the_package_holds_what_an_operator_looks_for() {
    let deb = deb();
    let deb = deb.to_str().unwrap();
    let listed = printed("dpkg-deb", &["--contents", deb]);
    for path in [
        "/usr/bin/recess",
        "/usr/lib/systemd/system/recess.service",
        "/usr/lib/systemd/system/recess@.service",
        "/usr/share/man/man1/recess.1.gz",
        "/usr/share/man/man1/recess-run.1.gz",
        "/usr/share/man/man1/recess-status.1.gz",
        "/usr/share/bash-completion/completions/recess",
        "/usr/share/zsh/vendor-completions/_recess",
        "/usr/share/fish/vendor_completions.d/recess.fish",
        "/usr/share/recess/recess.toml",
        "/usr/share/doc/recess/copyright",
        "/usr/share/doc/recess/README.md",
        "/usr/share/doc/recess/CHANGELOG.md",
        "/usr/share/doc/recess/config/LOGS.md",
        "/usr/share/doc/recess/config/WINDOWS.md",
        "/usr/share/doc/recess/systemd/README.md",
        "/usr/share/doc/recess/examples/grafana/recess.json",
        "/usr/share/doc/recess/examples/nats/jwt/mint",
        "/usr/share/doc/recess/examples/nats/jwt/server.conf",
        "/usr/share/doc/recess/examples/nats/overrides/mint",
        "/usr/share/doc/recess/examples/prometheus/RUNBOOK.md",
        "/usr/share/doc/recess/examples/prometheus/recess.rules.yml",
    ] {
        let ending = format!(" .{path}");
        assert!(
            listed.lines().any(|line| line.ends_with(&ending)),
            "{path} is not in\n{listed}"
        );
    }
    // Whatever there is for Prometheus and Grafana goes with it.
    for subject in ["prometheus", "grafana"] {
        let folder = root().join("examples").join(subject);
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let path = format!(" ./usr/share/recess/{subject}/{name}");
            if entry.path().is_file() && !name.contains(".test.") && !name.ends_with(".md") {
                assert!(listed.contains(&path), "{path} is not in\n{listed}");
            }
        }
    }
    // Or an upgrade would ask whose config to keep.
    assert!(!listed.contains(" ./etc/"), "{listed}");
}
