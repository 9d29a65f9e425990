//! A copy of recess behind proxies of its own, one before each node, and what befalls it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::overrides::BUCKET;
use crate::proxy::{Proxy, Weather};
use crate::record::{Process, Record, What};
use crate::rules::Rules;
use crate::servers::Servers;
use crate::support::config::Config;
use crate::support::random::Random;
use crate::support::recess::{Recess, secs};

/// Processes are told apart in the record across all copies.
static PROCESSES: AtomicUsize = AtomicUsize::new(1);

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Longer than a healthy burst takes, and shorter than the windows of most histories.
const STANDBY: [&str; 2] = ["--standby", "2s"];

/// What the files that are refused hold.
const BAD: [&str; 4] = [
    "[[window]\n",
    "instanse = \"typo\"\n",
    "[[window]]\nname = \"no rule\"\nconsumers = [\"S0/*\"]\n",
    "\u{0}\u{1}",
];

pub struct DaemonUnderTest {
    process: Option<Recess>,
    pub proxies: Arc<Vec<Proxy>>,
    number: Arc<AtomicUsize>,
    record: Record,
    /// By which file it is started, and which lies there for its next reload.
    pub rules: Arc<Rules>,
    settings: Vec<String>,
    files: tempfile::TempDir,
    has_clock: bool,
    /// As which it connects.
    pub user: &'static str,
    /// It leaves what is to be sent to the other copy for a while.
    pub is_standby: bool,
    /// What those that are gone said.
    logs: String,
    /// What went wrong with it that no signal of ours explains.
    pub faults: Vec<String>,
}

impl DaemonUnderTest {
    pub async fn new(
        servers: &Servers,
        record: &Record,
        rules: Arc<Rules>,
        settings: Vec<String>,
        has_clock: bool,
    ) -> Self {
        let number = Arc::new(AtomicUsize::new(0));
        let mut proxies = Vec::new();
        for node in servers.nodes() {
            proxies.push(Proxy::before(node.port(), record, number.clone()).await);
        }
        let files = tempfile::Builder::new()
            .prefix("recess-copy-")
            .tempdir()
            .unwrap();
        fs::write(files.path().join("password"), &servers.password).unwrap();
        fs::write(files.path().join("clock"), "+0").unwrap();
        Self {
            process: None,
            proxies: Arc::new(proxies),
            number,
            record: record.clone(),
            rules,
            settings,
            files,
            has_clock,
            user: "recess",
            is_standby: false,
            logs: String::new(),
            faults: Vec::new(),
        }
    }

    fn config(&self) -> Config {
        let mut config = Config::new(self.proxies.iter().map(Proxy::url))
            .set(&format!("nats.username = {:?}", self.user))
            .file("nats.password_file", &self.files.path().join("password"))
            .set(&format!("nats.inbox_prefix = \"_INBOX_{}\"", self.user));
        if self.rules.has_bucket {
            config = config.set(&format!("overrides.bucket = {BUCKET:?}"));
        }
        for setting in &self.settings {
            config = config.set(setting);
        }
        if self.has_clock {
            assert!(
                Path::new(FAKETIME).exists(),
                "install Debian's package faketime"
            );
            config = config
                .env("LD_PRELOAD", Path::new(FAKETIME))
                .env("FAKETIME_TIMESTAMP_FILE", &self.files.path().join("clock"))
                .env("FAKETIME_NO_CACHE", Path::new("1"))
                .env("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1"));
        }
        config.also(&self.rules.toml)
    }

    pub fn process(&self) -> Process {
        self.number.load(SeqCst)
    }

    pub fn recess(&self) -> Option<&Recess> {
        self.process.as_ref()
    }

    fn note(&self, text: &str) {
        self.record
            .push(self.process(), What::Note(text.to_owned()));
    }

    pub async fn start(&mut self) {
        self.number.store(PROCESSES.fetch_add(1, SeqCst), SeqCst);
        self.set_clock(0);
        let started = What::Started(self.rules.clone());
        self.record.push(self.process(), started);
        let arguments: &[&str] = match self.is_standby {
            true => &STANDBY,
            false => &[],
        };
        self.process = Some(Recess::start_with(&self.config(), arguments).await);
    }

    /// Keeps what it said, once it has ended.
    fn bury(&mut self) {
        if let Some(recess) = self.process.take() {
            self.record.push(self.process(), What::Ended);
            let log = recess.log();
            if log.contains("panicked") {
                self.faults.push("I5: it panicked".to_owned());
            }
            self.logs += &format!("-- process {} --\n{log}", self.process());
        }
    }

    fn kill(&mut self) {
        if let Some(recess) = &mut self.process {
            recess.kill();
            self.bury();
        }
    }

    /// SIGTERM: it ends, and soon.
    pub async fn terminate(&mut self) {
        let Some(recess) = &mut self.process else {
            return;
        };
        match recess.terminate(secs(10)).await {
            Some(status) if status.success() => {}
            ended => self
                .faults
                .push(format!("I5: SIGTERM, and within 10 s: {ended:?}")),
        }
        self.bury();
    }

    /// Another file in the place of its own, and a reload.
    pub fn reload(&mut self, rules: Arc<Rules>) {
        self.rules = rules;
        if let Some(recess) = &self.process {
            let good = What::File(self.rules.clone());
            self.record.push(self.process(), good);
            recess.reload(&self.config());
        }
    }

    /// A file that is refused.
    pub fn reload_badly(&self, random: &mut Random) {
        if let Some(recess) = &self.process {
            self.note("it is given a bad file");
            let bad = *random.pick(&BAD);
            recess.write_config(bad);
            recess.signal("HUP");
        }
    }

    pub fn set_clock(&self, milliseconds: i64) {
        if self.has_clock {
            let seconds = milliseconds as f64 / 1000.0;
            let file = self.files.path().join("clock");
            // In one step: it is read at any time.
            let new = self.files.path().join("clock.new");
            fs::write(&new, format!("{seconds:+.3}\n")).unwrap();
            self.record.push(self.process(), What::Clock(milliseconds));
            fs::rename(new, file).unwrap();
        }
    }

    /// One thing that befalls it, from its beginning to its end. `versions` are files that may lie in its place.
    pub async fn suffer(&mut self, random: &mut Random, versions: &[Arc<Rules>]) {
        let wait = Duration::from_millis((100 + random.below(2_900)) as u64);
        match random.below(if self.has_clock { 24 } else { 11 }) {
            0 | 1 => {
                self.note(&format!("it is killed, for {wait:?}"));
                self.kill();
                tokio::time::sleep(wait).await;
                self.start().await;
            }
            2 => {
                self.note(&format!("it is ended, for {wait:?}"));
                self.terminate().await;
                tokio::time::sleep(wait).await;
                self.start().await;
            }
            3 | 4 => {
                self.stands_still();
                tokio::time::sleep(wait).await;
                self.goes_on();
            }
            5..=8 => {
                self.reload(random.pick(versions).clone());
                tokio::time::sleep(wait / 4).await;
            }
            9 | 10 => {
                self.reload_badly(random);
                tokio::time::sleep(wait / 4).await;
            }
            _ => {
                let ahead = *random.pick(&[-25_000, -8_000, -1_500, 700, 3_000, 12_000, 27_000]);
                self.set_clock(ahead);
                tokio::time::sleep(wait).await;
            }
        }
    }

    pub fn stands_still(&self) {
        if let Some(recess) = &self.process {
            self.record.push(self.process(), What::Stopped);
            recess.signal("STOP");
        }
    }

    pub fn goes_on(&self) {
        if let Some(recess) = &self.process {
            recess.signal("CONT");
            self.record.push(self.process(), What::Continued);
        }
    }

    /// The last fault is over: it runs, by that file, with a clock that is right.
    pub async fn heal(&mut self, rules: Arc<Rules>) {
        for proxy in self.proxies.iter() {
            proxy.becomes(Weather::Fine);
        }
        self.set_clock(0);
        if self.process.is_none() {
            self.rules = rules;
            self.start().await;
        } else {
            self.reload(rules);
        }
        if let Some(recess) = &mut self.process
            && let Some(status) = recess.end(Duration::ZERO).await
        {
            self.faults
                .push(format!("I5: it ended by itself: {status}"));
        }
    }

    /// All that it ever said.
    pub fn log(&self) -> String {
        let last = self.process.as_ref().map(Recess::log).unwrap_or_default();
        format!("{}-- process {} --\n{last}", self.logs, self.process())
    }
}
