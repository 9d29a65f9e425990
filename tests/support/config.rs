//! Config files with windows near the present.
//!
//! Works out for itself what recess should write for them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan};

/// What the config calls the deployment, unless a test says otherwise.
pub const INSTANCE: &str = "prod-eu";

/// The mark of that instance in nanoseconds: 1 + FNV-1a64 mod 999,999, worked out without recess.
pub const MARK: i32 = 245_944;

/// One occurrence of a window.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub opens: Timestamp,
    pub closes: Timestamp,
}

impl Span {
    /// Opens `wait` seconds from now, or up to a second later.
    pub fn opening_in(wait: i64, length: i64) -> Self {
        let opens = Timestamp::now() + (wait + 1).seconds();
        let opens = Timestamp::from_second(opens.as_second()).unwrap();
        Self {
            opens,
            closes: opens + length.seconds(),
        }
    }

    /// Has been open for a minute, and closes `rest` seconds from now, or up to a second later.
    pub fn open_for(rest: i64) -> Self {
        Self::opening_in(-60, 60 + rest)
    }

    pub fn closing(self, closes: Timestamp) -> Self {
        Self { closes, ..self }
    }

    /// What recess writes as `pause_until`.
    pub fn deadline(self) -> Timestamp {
        self.closes + i64::from(MARK).nanoseconds()
    }
}

/// A config file in the making.
#[derive(Clone)]
pub struct Config {
    servers: Vec<String>,
    settings: String,
    windows: String,
    /// Variables that recess is started with.
    pub environment: Vec<(String, String)>,
}

impl Config {
    pub fn new(servers: impl IntoIterator<Item = String>) -> Self {
        Self {
            servers: servers.into_iter().collect(),
            settings: String::new(),
            windows: String::new(),
            environment: Vec::new(),
        }
    }

    /// A line such as `controller.resync = "1s"`.
    pub fn set(mut self, line: &str) -> Self {
        self.settings += line;
        self.settings += "\n";
        self
    }

    /// A line that names a file.
    pub fn file(self, key: &str, file: &Path) -> Self {
        self.set(&format!("{key} = {file:?}"))
    }

    pub fn env(mut self, variable: &str, value: &Path) -> Self {
        let value = value.to_str().unwrap().to_owned();
        self.environment.push((variable.to_owned(), value));
        self
    }

    pub fn window(mut self, name: &str, consumers: &[&str], span: Span) -> Self {
        let schedule = span.opens.strftime("%-S %-M %-H %-d %-m *");
        let seconds = span.closes.duration_since(span.opens).as_secs();
        let text = format!(
            "[[window]]\nname = {name:?}\nconsumers = {consumers:?}\nschedule = \"{schedule}\"\nduration = \"{seconds}s\"\n"
        );
        self.windows += &text;
        self
    }

    /// Lines after the last window: more of that one, or tables of their own.
    pub fn also(mut self, lines: &str) -> Self {
        self.windows += lines;
        self.windows += "\n";
        self
    }

    pub fn text(&self, listen: &str) -> String {
        let mut text = String::new();
        // A context names the servers itself.
        if !self.servers.is_empty() {
            let _ = writeln!(text, "nats.servers = {:?}", self.servers);
        }
        let _ = writeln!(text, "http.listen = {listen:?}");
        if !self.settings.contains("instance") {
            let _ = writeln!(text, "instance = {INSTANCE:?}");
        }
        text + &self.settings + &self.windows
    }

    /// Writes it for the commands that need no daemon.
    pub fn write(&self, directory: &Path) -> PathBuf {
        let path = directory.join("recess.toml");
        fs::write(&path, self.text("127.0.0.1:0")).unwrap();
        path
    }
}
