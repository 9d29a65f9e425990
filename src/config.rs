//! The config file: what it says, checked once and for all.
//!
//! [`load`] reads a TOML file into a [`Policy`] (which consumers follow which windows) and
//! [`Settings`] (everything else). What it returns needs no further checks; what it refuses, it
//! refuses with every mistake at once, each with its place and the fix. Three rules hold:
//!
//! - **Loading never depends on the clock.** A file that was good stays good.
//! - **Nothing is guessed.** An unknown key or zone is a mistake, never ignored or replaced.
//! - **No secrets.** The file names other files that hold them; those are opened when they are
//!   needed, by others.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::policy::Policy;

mod contents;
mod effects;
mod file;
mod files;
mod losses;
mod nats;
mod outlook;
mod settings;
mod suggest;
#[cfg(test)]
mod tests;
mod value;
mod window;
mod zone;

pub use contents::Contents;
pub use effects::effects;
pub use file::code;
pub use file::findings::{Finding, Severity, Source};
pub use file::read_error::Given;
pub use file::render::render;
pub use nats::credentials::CREDENTIALS_DIRECTORY;
pub use nats::{
    Api, Auth, Connection, ConnectionSource, Identity, Nats, Redacted, Secret, Tls, context,
    credentials,
};
pub use outlook::outlook;
pub use suggest::closest;
pub use value::length::parse as parse_length;
pub use zone::{ZoneData, ZoneSource};

use file::{encoding, raw, read, read_error, syntax};
use window::{MaxPause, conditions, exclusions, windows};
use zone::Zones;

/// Where the file is, unless something else is set.
pub const DEFAULT_PATH: &str = "/etc/recess/recess.toml";

/// What a deployment is called that does not name itself.
pub const DEFAULT_INSTANCE: &str = "default";

/// A config file that can be run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The windows and the consumers they pause.
    pub policy: Arc<Policy>,
    /// Everything else.
    pub settings: Settings,
    /// The zone of what names none, and of times that are shown for several windows.
    pub zone: TimeZone,
    /// The copy of the time zone database by which its zones are understood.
    pub zone_data: ZoneData,
    /// When the file, or a calendar that it names, was last written; the beginning of 1970 where that
    /// is not known.
    pub modified: Timestamp,
    /// What is doubtful about the file, in the order of the file.
    pub warnings: Vec<Finding>,
    /// The file itself, to show warnings in.
    pub source: Source,
    /// The same, key by key, for [`outlook`].
    file: Arc<raw::File>,
}

/// Everything in the file but its windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[nats]`
    pub nats: Nats,
    /// `[http]`
    pub http: Http,
    /// `[controller]`
    pub controller: Controller,
    /// `[events]`
    pub events: Events,
    /// `[overrides]`
    pub overrides: Overrides,
}

/// Where metrics and health are served: `[http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The address and port.
    pub listen: SocketAddr,
    /// Further names under which pages may be asked for, as a browser's `Host` gives them, without
    /// a port.
    pub hosts: Vec<String>,
    /// Of which consumers the metrics have series. It can change at a reload.
    pub consumer_metrics: ConsumerMetrics,
}

impl Http {
    /// Whether a change to those settings needs a restart.
    pub fn needs_restart(&self, newer: &Self) -> bool {
        (self.listen, &self.hosts) != (newer.listen, &newer.hosts)
    }
}

/// Of which consumers the metrics have series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsumerMetrics {
    /// Of all.
    #[default]
    All,
    /// Of those that are not as they should be, or that a person may have to know of.
    Notable,
    /// Of none.
    None,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7778)),
            hosts: Vec::new(),
            consumer_metrics: ConsumerMetrics::All,
        }
    }
}

/// Whether events of windows are published on NATS: `[events]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// What the subjects of events begin with; `None`: there are none.
    pub subject: Option<String>,
}

/// Where overrides are kept, and what they need: `[overrides]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrides {
    /// The key-value bucket; `None`: there are no overrides.
    pub bucket: Option<String>,
    /// How long an override that has ended can still be listed.
    pub keep: Duration,
    /// Whether an override needs a reason.
    pub reason: Reason,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            bucket: None,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            reason: Reason::Required,
        }
    }
}

/// Whether an override needs a reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// A command without `--reason` is refused.
    #[default]
    Required,
    /// `--reason` may be left out.
    Optional,
}

/// How the loop behaves: `[controller]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// How long at most until everything is observed again.
    pub resync: Duration,
    /// How many requests may be under way at once; 1 to 1000.
    pub max_in_flight: usize,
    /// How long to wait for an answer.
    pub request_timeout: Duration,
    /// How far ahead a deadline may lie.
    pub max_pause: SignedDuration,
    /// Whether to send nothing.
    pub dry_run: bool,
    /// Whether to reload when the file, or a calendar that it names, changes.
    pub watch: bool,
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            resync: Duration::from_secs(60),
            max_in_flight: 8,
            request_timeout: Duration::from_secs(3),
            max_pause: SignedDuration::from_hours(7 * 24),
            dry_run: false,
            watch: false,
        }
    }
}

/// Loads a config file.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    match fs::read(path) {
        Ok(bytes) => {
            let config = parse_bytes(path, &bytes)?;
            Ok(Config {
                modified: files::modified(path, &config.file),
                ..config
            })
        }
        Err(source) => Err(ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Checks the text of the config file at that path, which is shown in messages, and to whose folder
/// the relative paths in the file are relative.
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    check(path, text, Vec::new())
}

/// The same of a file's bytes, which may be in another encoding than UTF-8: a mistake like others.
pub fn parse_bytes(path: &Path, bytes: &[u8]) -> Result<Config, ConfigError> {
    let (text, findings) = encoding::decode(bytes);
    check(path, &text, findings)
}

/// Checks a text of which something may be known to be wrong.
fn check(path: &Path, text: &str, mut findings: Vec<Finding>) -> Result<Config, ConfigError> {
    let (raw, mut of_keys) = read::read(text);
    findings.append(&mut of_keys);
    let whole = findings.iter().all(|finding| finding.code != code::SYNTAX);
    let mut checked = Vec::new();
    let instance = settings::instance(&raw.instance, &mut checked);
    let max_pause = settings::max_pause(&raw.controller, &mut checked);
    let folder = path.parent().unwrap_or(Path::new(""));
    let settings = settings::settings(&raw, folder, max_pause, &mut checked);
    let zones = Zones::open();
    let zone_defaults = zone::zone_defaults(&raw.defaults, &zones, &mut checked);
    let loss_defaults = losses::loss_defaults(&raw.defaults, &mut checked);
    let exclusions = exclusions::exclusions(&raw, folder, &zone_defaults, &mut checked);
    let context = windows::Context {
        zones: &zone_defaults,
        max_pause: MaxPause {
            length: max_pause,
            place: raw.controller.max_pause.place(),
        },
        exclusions: &exclusions,
        on_loss: loss_defaults.on_loss,
    };
    let windows = windows::windows(&raw.windows, &context, &mut checked);
    windows::without_reserved_names(&raw, &mut checked);
    let exempt = conditions::exempt(&raw.defaults.exempt, &mut checked);
    checked.retain(|finding| whole || finding.stands_alone());
    syntax::without_unreadable_lines(text, &findings, &mut checked);
    findings.append(&mut checked);
    findings.sort_by_key(|finding| finding.span.as_ref().map_or(usize::MAX, |span| span.start));

    let source = Source::new(path, text);
    if findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(ConfigError::Invalid { source, findings });
    }
    let mut policy = Policy::new(&instance, settings.controller.max_pause, windows)
        .with_loss_defaults(loss_defaults);
    if raw.instance.is_absent() {
        policy = policy.with_unset_instance();
    }
    if let Some(key) = exempt {
        policy = policy.with_exempt(key);
    }
    Ok(Config {
        policy: Arc::new(policy),
        settings,
        // A zone that is none was an error above.
        zone: (zone_defaults.zone.clone()).map_or(TimeZone::UTC, TimeZone::from),
        zone_data: zones.newer.data.clone(),
        modified: Timestamp::UNIX_EPOCH,
        warnings: findings,
        source,
        file: Arc::new(raw),
    })
}

/// Why there is no [`Config`].
#[derive(Debug)]
pub enum ConfigError {
    /// The file could not be read from disk.
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file holds mistakes.
    Invalid {
        /// The file.
        source: Source,
        /// Every mistake, and every warning too, in the order of the file.
        findings: Vec<Finding>,
    },
}

impl ConfigError {
    /// What is wrong, one by one.
    pub fn findings(&self) -> Vec<Finding> {
        self.findings_given(Given::AsConfig)
    }

    /// The same, with the fix for a path that was given in that way.
    pub fn findings_given(&self, given: Given) -> Vec<Finding> {
        match self {
            Self::Unreadable { path, source } => {
                let message = format!("cannot read it: {source}");
                vec![
                    Finding::new(Severity::Error, code::UNREADABLE, "config file", &message)
                        .hint(read_error::hint(path, source, given)),
                ]
            }
            Self::Invalid { findings, .. } => findings.clone(),
        }
    }

    /// The file that they speak of; of one that could not be read, its path.
    pub fn source(&self) -> Source {
        match self {
            Self::Unreadable { path, .. } => Source::new(path, ""),
            Self::Invalid { source, .. } => source.clone(),
        }
    }

    /// The first mistake, in a line: `line 12: window night: duration: ..`
    pub fn first(&self) -> String {
        let source = self.source();
        let mut findings = self.findings().into_iter();
        let first = findings.find(|finding| finding.severity == Severity::Error);
        let first = first.map(|finding| match finding.line(&source) {
            Some(line) => format!("line {line}: {finding}"),
            None => finding.to_string(),
        });
        first.unwrap_or_else(|| "it cannot be read".to_owned())
    }

    /// Every mistake under the line that it is in.
    pub fn render(&self, colour: bool) -> String {
        render(&self.source(), &self.findings(), colour)
    }
}

/// [`ConfigError::render`] without colour.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The text has everything, so there is no source to ask for more.
impl std::error::Error for ConfigError {}
