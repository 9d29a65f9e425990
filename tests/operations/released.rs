//! What `config/release/run` has built: each file is what its name says, and all hold the same program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::package::{in_target, printed};
use crate::support::config::Span;
use crate::support::nats_server;
use crate::support::recess::{secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";

/// A processor as Rust, Debian, RPM and containers call it.
struct Machine {
    archive: &'static str,
    deb: &'static str,
    rpm: &'static str,
    image: &'static str,
    crates: &'static str,
    architecture: &'static str,
}

const MACHINES: [Machine; 2] = [
    Machine {
        archive: "-x86_64-linux.tar.gz",
        deb: "_amd64.deb",
        rpm: ".x86_64.rpm",
        image: "-amd64.oci.tar",
        crates: "-x86_64.cdx.json",
        architecture: "amd64",
    },
    Machine {
        archive: "-aarch64-linux.tar.gz",
        deb: "_arm64.deb",
        rpm: ".aarch64.rpm",
        image: "-arm64.oci.tar",
        crates: "-aarch64.cdx.json",
        architecture: "arm64",
    },
];

/// The one file of the release whose name ends so.
pub fn released(ending: &str) -> PathBuf {
    let folder = in_target("operations/released");
    let mut files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let found = files.find(|path| path.to_str().unwrap().ends_with(ending));
    found.unwrap_or_else(|| panic!("no *{ending} in {}", folder.display()))
}

/// Unpacks into a fresh folder by a line of shell, which finds the file as `$1`.
fn unpacked(line: &str, file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        .args(["-ec", line, "sh"])
        .arg(file)
        .current_dir(&folder)
        .status()
        .unwrap();
    assert!(status.success(), "{}: {status}", file.display());
    folder
}

/// Only the program in it.
fn program(folder: &Path) -> PathBuf {
    let found = printed(
        "find",
        &[
            folder.to_str().unwrap(),
            "-name",
            "recess",
            "-type",
            "f",
            "-perm",
            "/1",
        ],
    );
    assert_eq!(found.lines().count(), 1, "{found}");
    PathBuf::from(found.trim())
}

fn of_archive(machine: &Machine) -> (tempfile::TempDir, PathBuf) {
    let folder = unpacked("tar -xzf \"$1\"", &released(machine.archive));
    let program = program(folder.path());
    (folder, program)
}

#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn each_file_has_its_digest() {
    let folder = released("SHA256SUMS");
    let folder = folder.parent().unwrap();
    let status = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(folder)
        .status();
    assert!(status.unwrap().success());
    let listed = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.split("  ").nth(1))
        .collect();
    let files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "SHA256SUMS")
        .collect();
    assert_eq!(listed, files.iter().map(String::as_str).collect());
    // An archive, a deb, an RPM, an image and a list of crates for each machine.
    assert_eq!(files.len(), 5 * MACHINES.len(), "{files:?}");
}

#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn all_that_is_for_a_machine_holds_one_program() {
    for machine in MACHINES {
        let (_folder, program_of_archive) = of_archive(&machine);
        let expected = fs::read(&program_of_archive).unwrap();
        let static_ = printed("file", &[program_of_archive.to_str().unwrap()]);
        assert!(static_.contains("static"), "{static_}");
        for (line, ending) in [
            ("dpkg-deb --extract \"$1\" .", machine.deb),
            (
                "rpm2cpio \"$1\" | cpio --extract --make-directories --quiet",
                machine.rpm,
            ),
            (
                "tar -xf \"$1\" && for blob in blobs/sha256/*; do tar -xzf $blob 2>/dev/null || true; done",
                machine.image,
            ),
        ] {
            let folder = unpacked(line, &released(ending));
            let found = fs::read(program(folder.path())).unwrap();
            assert!(found == expected, "{ending} has another program");
        }
        let image = unpacked("tar -xf \"$1\"", &released(machine.image));
        let blobs = fs::read_dir(image.path().join("blobs/sha256")).unwrap();
        let blobs = blobs.filter_map(|blob| fs::read(blob.unwrap().path()).ok());
        let mut configs = blobs.filter_map(|blob| serde_json::from_slice::<Value>(&blob).ok());
        let config = configs
            .find(|config| config["architecture"].is_string())
            .unwrap();
        assert_eq!(config["architecture"], machine.architecture);
    }
}

/// The documents of an archive are in the same folders as here, so the links between them hold.
#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn an_archive_holds_documents_units_man_pages_and_completions() {
    for machine in MACHINES {
        let (_folder, program) = of_archive(&machine);
        let top = program.parent().unwrap();
        for path in [
            "README.md",
            "CHANGELOG.md",
            "LICENSE",
            "config/recess.toml",
            "config/WINDOWS.md",
            "systemd/recess.service",
            "systemd/README.md",
            "examples/prometheus/recess.rules.yml",
            "man/recess.1",
            "man/recess-run.1",
            "completions/recess.bash",
            "completions/_recess",
            "completions/recess.fish",
        ] {
            assert!(top.join(path).is_file(), "no {path}");
        }
    }
}

/// cargo-audit reads the list in the program, other scanners the one beside it.
#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn the_list_of_crates_is_that_of_each_program() {
    let crates = |list: &Value| -> BTreeSet<String> {
        let list = list.as_array().unwrap();
        let names = list.iter().filter(|one| one["name"] != "recess");
        names
            .map(|one| format!("{} {}", one["name"], one["version"]))
            .collect()
    };
    for machine in MACHINES {
        let (_folder, program) = of_archive(&machine);
        let carried = printed("rust-audit-info", &[program.to_str().unwrap()]);
        let carried: Value = serde_json::from_str(&carried).unwrap();
        let listed = fs::read(released(machine.crates)).unwrap();
        let listed: Value = serde_json::from_slice(&listed).unwrap();
        let listed = crates(&listed["components"]);
        assert!(listed.len() > 100, "{listed:?}");
        assert_eq!(crates(&carried["packages"]), listed);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
async fn the_program_of_another_machine_pauses() {
    let world = World::with(&[BILLING]).await;
    let span = Span::open_for(120);
    let (folder, program) = of_archive(&MACHINES[1]);
    let config = world.config().window("night", &[BILLING], span);
    let config = config.write(folder.path());
    let mut recess = Command::new("qemu-aarch64-static")
        .arg(&program)
        .arg("run")
        .arg("--config")
        .arg(&config)
        .spawn()
        .unwrap();
    until("it pauses", secs(30), async || {
        assert_eq!(recess.try_wait().unwrap(), None);
        let paused = world.account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
    nats_server::signal(recess.id(), "TERM");
    let status = until("it ends", secs(10), async || recess.try_wait().unwrap()).await;
    assert!(status.success(), "{status}");
    let shown = printed(
        "qemu-aarch64-static",
        &[
            program.to_str().unwrap(),
            "status",
            "--config",
            config.to_str().unwrap(),
        ],
    );
    assert!(
        shown.contains("1 of 1 consumers paused; open: night"),
        "{shown}"
    );
}
