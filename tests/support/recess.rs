//! The real recess as a child process.
//!
//! Knows how to start, signal and end it, and where it shows what it does. Must not know what it should do.
//! Invariant: no recess outlives its owner, and one that a failed test leaves behind tells its log.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::config::Config;
use super::nats_server::{self, Watchdog};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_recess");

const POLL: Duration = Duration::from_millis(20);

/// Polls until the probe has an answer. The bound is for a busy machine; what is measured is measured by the caller.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "waited {within:?} in vain until {what}"
        );
        tokio::time::sleep(POLL).await;
    }
}

/// Sleeps until the wall clock shows that instant.
pub async fn reach(instant: Timestamp) {
    let wait = instant.duration_since(Timestamp::now());
    tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
}

/// Runs a command of recess to its end.
pub fn command(arguments: &[&str]) -> Output {
    command_with(&[], arguments)
}

/// The same, with these variables set.
pub fn command_with(environment: &[(String, String)], arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env_remove("RECESS_CONFIG")
        .env_remove("RECESS_LOG")
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What `recess status` complains of: all that it says where it cannot ask the server.
pub fn complaint_of_status(config: &Config) -> String {
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let arguments = ["status", "--config", path.to_str().unwrap()];
    let output = command_with(&config.environment, &arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// `recess run`.
pub struct Recess {
    child: Child,
    _watchdog: Watchdog,
    files: tempfile::TempDir,
    port: u16,
}

impl Recess {
    /// Starts it, and returns once its pages answer.
    pub async fn start(config: &Config) -> Self {
        Self::start_with(config, &[]).await
    }

    pub async fn start_with(config: &Config, arguments: &[&str]) -> Self {
        let mut recess = Self::launch(config, arguments);
        loop {
            let answer = until("recess serves its pages or ends", secs(10), async || {
                let ended = recess.child.try_wait().unwrap();
                let answers = recess.get("/healthz").await.is_ok();
                (answers || ended.is_some()).then_some(ended)
            });
            match answer.await {
                None => return recess,
                // The port was free a moment ago, and somebody else was faster.
                Some(_) if recess.log().contains("cannot listen") => {
                    recess = Self::launch(config, arguments);
                }
                Some(status) => panic!("recess ended by itself ({status})"),
            }
        }
    }

    /// Starts it so that permissions of files bind it, even where the tests run as root.
    pub async fn start_unprivileged(config: &Config) -> Self {
        let ours = tempfile::tempdir().unwrap();
        let root = fs::metadata(&ours).unwrap().uid() == 0;
        let mut program = Command::new(if root { "setpriv" } else { PROGRAM });
        if root {
            // Capabilities that are inherited or ambient would outlast the bounding set.
            for set in [
                "--bounding-set=-all",
                "--inh-caps=-all",
                "--ambient-caps=-all",
            ] {
                program.arg(set);
            }
            program.arg(PROGRAM);
        }
        Self::start_as(program, config).await
    }

    /// Starts it with so many file descriptors.
    pub async fn start_with_descriptors(config: &Config, count: usize) -> Self {
        let mut program = Command::new("sh");
        let script = format!(r#"ulimit -n {count}; exec "$0" "$@""#);
        program.args(["-c", &script, PROGRAM]);
        Self::start_as(program, config).await
    }

    /// Starts it with its log where the caller wants it.
    pub async fn start_logging_to(config: &Config, stderr: Stdio) -> Self {
        let recess = Self::launch_logging_to(Command::new(PROGRAM), config, &[], Some(stderr));
        recess.serving().await
    }

    async fn start_as(program: Command, config: &Config) -> Self {
        Self::launch_as(program, config, &[]).serving().await
    }

    async fn serving(self) -> Self {
        let mut recess = self;
        until("recess serves its pages", secs(10), async || {
            assert_eq!(recess.child.try_wait().unwrap(), None, "it ended by itself");
            recess.get("/healthz").await.ok()
        })
        .await;
        recess
    }

    /// Starts it, and returns at once.
    pub fn launch(config: &Config, arguments: &[&str]) -> Self {
        Self::launch_as(Command::new(PROGRAM), config, arguments)
    }

    fn launch_as(program: Command, config: &Config, arguments: &[&str]) -> Self {
        Self::launch_logging_to(program, config, arguments, None)
    }

    fn launch_logging_to(
        mut program: Command,
        config: &Config,
        arguments: &[&str],
        stderr: Option<Stdio>,
    ) -> Self {
        let files = tempfile::Builder::new()
            .prefix("recess-run-")
            .tempdir()
            .unwrap();
        let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = any.local_addr().unwrap().port();
        drop(any);
        let log = File::create(files.path().join("log")).unwrap();
        fs::write(files.path().join("recess.toml"), config.text(&listen(port))).unwrap();
        let child = program
            .args(["run", "--config", "recess.toml"])
            .args(arguments)
            .env_remove("RECESS_LOG")
            .envs(config.environment.iter().cloned())
            .current_dir(&files)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(stderr.unwrap_or_else(|| log.into()))
            .spawn()
            .unwrap();
        Self {
            _watchdog: Watchdog::over(child.id(), files.path()),
            child,
            files,
            port,
        }
    }

    /// Puts a text in the place of its config file.
    pub fn write_config(&self, text: &str) {
        fs::write(self.files.path().join("recess.toml"), text).unwrap();
    }

    /// Puts another config in the place of its own and sends SIGHUP.
    pub fn reload(&self, config: &Config) {
        self.write_config(&config.text(&listen(self.port)));
        self.signal("HUP");
    }

    /// Its config file.
    pub fn config_path(&self) -> std::path::PathBuf {
        self.files.path().join("recess.toml")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its pages are.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn signal(&self, name: &str) {
        nats_server::signal(self.child.id(), name);
    }

    /// What the kernel keeps of the process in a file or folder.
    pub fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(name)
    }

    /// How many files and sockets it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// `VmRSS`, or `VmHWM` for the most it has ever had, in MB.
    pub fn memory(&self, which: &str) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(which));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.unwrap_or_else(|| panic!("no {which} in {status}")) / 1024
    }

    /// How long it has kept processors busy.
    pub fn busy(&self) -> Duration {
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        // After the name, which is in brackets: the 12th and 13th are the ticks in user and kernel mode, a hundredth of a second.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }

    /// SIGKILL: it cannot do anything about it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how it ended; `None` when it did not in time.
    pub async fn terminate(&mut self, within: Duration) -> Option<ExitStatus> {
        self.signal("TERM");
        self.end(within).await
    }

    /// How it ended by itself; `None` when it did not in time.
    pub async fn end(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < deadline => tokio::time::sleep(POLL).await,
                status => return status,
            }
        }
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.files.path().join("log")).unwrap()
    }

    /// The lines of its log that ask for somebody's attention.
    pub fn complaints(&self) -> Vec<String> {
        let loud = |line: &&str| line.contains(" WARN ") || line.contains("ERROR");
        self.log().lines().filter(loud).map(str::to_owned).collect()
    }

    pub async fn until_log(&self, text: &str) {
        let what = format!("the log says {text:?}");
        until(&what, secs(20), async || {
            self.log().contains(text).then_some(())
        })
        .await;
    }

    /// Status and body of one of its pages. An error where it takes longer than any page may.
    pub async fn get(&self, path: &str) -> io::Result<(u16, String)> {
        let answer = tokio::time::timeout(secs(10), self.answer(path)).await;
        answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn answer(&self, path: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: recess\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Ok((status.unwrap_or(0), body.to_owned()))
    }

    pub async fn metrics(&self) -> String {
        self.get("/metrics")
            .await
            .expect("recess serves its pages")
            .1
    }

    /// The value of one series, named as Prometheus does, without the prefix `recess_`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let series = format!("recess_{series} ");
        let metrics = self.metrics().await;
        let line = metrics.lines().find(|line| line.starts_with(&series))?;
        line.strip_prefix(&series)?.parse().ok()
    }

    /// The sum over all series of one metric.
    pub async fn total(&self, metric: &str) -> f64 {
        let start = format!("recess_{metric}{{");
        let metrics = self.metrics().await;
        let values = metrics.lines().filter(|line| line.starts_with(&start));
        values
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Waits for a series to have that value.
    pub async fn until_metric(&self, series: &str, value: f64, within: Duration) {
        let what = format!("{series} is {value}");
        until(&what, within, async || {
            (self.metric(series).await == Some(value)).then_some(())
        })
        .await;
    }

    /// Waits for so many passes more. The first of them may be under way.
    pub async fn passes(&self, more: u32) {
        let all = self.total("passes_total").await + f64::from(more);
        until(&format!("{more} passes"), secs(30), async || {
            (self.total("passes_total").await >= all).then_some(())
        })
        .await;
    }

    /// Waits for a pass to have gone well.
    pub async fn until_ready(&self) {
        until("recess is ready", secs(10), async || {
            matches!(self.get("/readyz").await, Ok((200, _))).then_some(())
        })
        .await;
    }
}

impl Drop for Recess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- the log of recess --\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
