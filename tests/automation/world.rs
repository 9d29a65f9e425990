//! A server with consumers on which somebody works, and the examples as an operator has them: copied, with what is his.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use async_nats::jetstream::Message;

use crate::support::account::Account;
use crate::support::config::Config;
use crate::support::nats_server::Server;
use crate::support::recess::PROGRAM;
use crate::support::world as support;

pub struct World {
    pub server: Server,
    pub account: Account,
    /// Where the scripts run.
    pub files: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let consumers = ["BILLING/mail", "BILLING/ledger"];
        let support::World { server, account } = support::World::with(&consumers).await;
        Self {
            server,
            account,
            files: tempfile::tempdir().unwrap(),
        }
    }

    pub fn config(&self) -> Config {
        Config::new([self.server.url()])
    }

    /// A worker takes a message and is at work on it.
    pub async fn take(&self) -> Message {
        self.account.publish("BILLING", 1).await;
        self.account.take("BILLING/mail", 1).await.remove(0)
    }

    pub async fn is_paused(&self) -> bool {
        self.account.look("BILLING/mail").await.paused
    }

    /// An example with these texts in place of those. Each is found, or the test fails.
    pub fn example(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = fs::read_to_string(folder().join(name)).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{name} has no {from}");
            text = text.replace(from, to);
        }
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A program of the operator's own.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.files.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A command that finds `recess` where programs are.
    pub fn command(&self, program: impl AsRef<Path>, config: &Path) -> Command {
        let recess = Path::new(PROGRAM).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program.as_ref());
        command
            .env("PATH", format!("{}:{path}", recess.display()))
            .env("RECESS_CONFIG", config)
            .env_remove("RECESS_LOG")
            .current_dir(&self.files)
            .stdin(Stdio::null());
        command
    }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/automation")
}

/// Runs it to its end beside the rest of the test.
pub fn begin(mut command: Command) -> tokio::task::JoinHandle<Output> {
    tokio::task::spawn_blocking(move || command.output().unwrap())
}

/// Where `tests/automation/run` has put Python's packages.
pub fn python() -> String {
    std::env::var("RECESS_TEST_PYTHON")
        .expect("run tests/automation/run, which installs what is needed")
}

/// Exit status and standard error.
pub fn ended(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}
