//! Prometheus's and Alertmanager's programs: how to run them, and where to get them.
//!
//! A missing one fails the test and says how to get it.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::nats_server::Watchdog;
use crate::support::recess::until;

/// The files that `examples/prometheus/README.md` has copied.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prometheus")
}

/// The names of the examples that end so, in order. There are some.
pub fn named(ending: &str) -> Vec<String> {
    let files = fs::read_dir(examples()).expect("the examples are there");
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .collect();
    assert!(!names.is_empty(), "no example ends with {ending}");
    names.sort();
    names
}

/// How a program ended that must end well.
pub fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    run_on(Stdio::null(), program, arguments, folder)
}

/// The same, with that standard input.
pub fn run_on(input: Stdio, program: &str, arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let output = command
        .stdin(input)
        .output()
        .unwrap_or_else(missing(program));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub fn missing<T>(program: &str) -> impl FnOnce(io::Error) -> T {
    move |error| {
        panic!(
            "cannot run {program}: {error}\napt-get install prometheus prometheus-alertmanager has it; \
             tests/monitoring/run installs it and runs these tests"
        )
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    any.local_addr().unwrap().port()
}

/// A daemon that serves pages on a loopback port, and goes with its owner.
pub struct Daemon {
    child: Child,
    _watchdog: Watchdog,
    port: u16,
    log: PathBuf,
}

impl Daemon {
    /// Starts it in its folder, and returns once it says that it is ready.
    pub async fn start(program: &str, arguments: &[&str], folder: &Path, port: u16) -> Self {
        let log = folder.join(format!("{program}.log"));
        let sink = File::create(&log).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder);
        let child = command
            .stdin(Stdio::null())
            .stdout(sink.try_clone().unwrap())
            .stderr(sink)
            .spawn()
            .unwrap_or_else(missing(program));
        let mut daemon = Self {
            _watchdog: Watchdog::over(child.id(), folder),
            child,
            port,
            log,
        };
        let what = format!("{program} is ready");
        until(&what, Duration::from_secs(30), async || {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none(), "{program} ended: {ended:?}");
            let ready = page(daemon.port, "/-/ready").await;
            ready.is_ok_and(|(status, _)| status == 200).then_some(())
        })
        .await;
        daemon
    }

    /// An answer of its API.
    pub async fn ask(&self, path: &str) -> Value {
        let (status, body) = page(self.port, path).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("-- {} --\n{log}", self.log.display());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of a page.
async fn page(port: u16, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok((status.unwrap_or(0), body.to_owned()))
}
