//! A program that drives a browser, and how the test and the program wait for each other.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::recess::{Recess, secs};

/// Where the documents have the picture of the page.
pub const PICTURE: &str = "examples/page/page.webp";

/// Longer than the longest of them takes on a busy machine.
const LONGEST: u64 = 120;

pub struct Browser {
    program: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    /// Starts a program of this folder with the page of that recess.
    pub fn start(program: &str, recess: &Recess, arguments: &[&str]) -> Self {
        let modules = std::env::var_os("RECESS_TEST_MODULES").map(PathBuf::from);
        let modules = modules.expect("RECESS_TEST_MODULES is not set: tests/web/run sets it");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new("node")
            .arg(root.join("tests/web").join(program))
            .arg(format!("http://127.0.0.1:{}/", recess.port()))
            .args(arguments)
            .env("RECESS_TEST_MODULES", modules)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is there: tests/web/run installs it");
        let stdout = child.stdout.take().expect("it is piped");
        Self {
            program: child,
            said: BufReader::new(stdout).lines(),
        }
    }

    /// Waits until it is ready for the test to do something.
    pub async fn until_ready(&mut self, word: &str) {
        let expected = format!("ready {word}");
        let waiting = async {
            while let Some(line) = self.said.next_line().await.unwrap() {
                if line == expected {
                    return true;
                }
                println!("{line}");
            }
            false
        };
        let is_ready = timeout(secs(LONGEST), waiting).await;
        assert_eq!(is_ready, Ok(true), "it never said {expected}");
    }

    /// Waits for its end, which must be a good one.
    pub async fn ends_well(mut self) {
        let ending = async {
            while let Some(line) = self.said.next_line().await.unwrap() {
                println!("{line}");
            }
            self.program.wait().await.unwrap()
        };
        let status = timeout(secs(LONGEST), ending).await;
        let status = status.expect("it ends");
        assert!(status.success(), "{status}: what it said is above");
    }
}
