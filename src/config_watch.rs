//! When the config file, or a calendar that it names, has been replaced: with `[controller] watch`.
//!
//! The kernel reports what happens to the files ([`events`]); what they hold decides. A file is
//! written in many ways: in place, under another name that then takes its place, by links that lead
//! to another version, several times in a row. So a new version is what stands there, other than the
//! last one that was loaded, when no program has it open for writing and nothing has happened to it
//! for a while; and it has been loaded only if it still stands there after that.
//!
//! Invariant: what is reported late or not at all costs time, never truth. Each wait begins with the
//! files being watched, and then compared.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::config::{Config, ConfigError, Contents};

mod events;
mod places;

use events::{Events, Seen};
use places::places;

/// For so long nothing happens to files that have been written: a program that writes several times
/// in a row does it faster.
const SETTLED: Duration = Duration::from_millis(500);

/// The same for files of which one is empty or missing: whoever replaces it is not done, most
/// likely.
const SETTLED_UNFINISHED: Duration = Duration::from_secs(3);

/// Where files cannot be watched, so often they are compared, and it is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// The files of a config, and what they held when they were last loaded.
pub struct ConfigWatch {
    path: PathBuf,
    loaded: Contents,
    events: Option<Events>,
    /// Why the files are not watched, as it was logged.
    trouble: Option<String>,
}

impl ConfigWatch {
    /// Of the config file at that path, which is about to be loaded.
    pub fn before_load(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            loaded: Contents::read(path),
            events: None,
            trouble: None,
        }
    }

    /// The file is about to be loaded again for another reason than that it has changed.
    pub fn note(&mut self) {
        self.loaded = Contents::read(&self.path);
    }

    /// Waits for another version, and loads it. An empty file is an error.
    ///
    /// Cancel-safe: what has not been returned is found again.
    pub async fn next(
        &mut self,
        load: impl Fn() -> Result<Config, ConfigError>,
    ) -> Result<Config, ConfigError> {
        loop {
            let (contents, seen) = self.settled().await;
            let loaded = match contents.is_blank() {
                false => load(),
                true => Err(ConfigError::Unreadable {
                    path: self.path.clone(),
                    source: io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty"),
                }),
            };
            let is_changed = seen.is_some_and(|seen| seen.has_changed().unwrap_or(true));
            if !is_changed && Contents::read(&self.path) == contents {
                self.loaded = contents;
                return loaded;
            }
        }
    }

    /// A version that is not the loaded one, and to which nothing has happened for a while, or will
    /// have happened where what has been seen changes.
    async fn settled(&mut self) -> (Contents, Option<watch::Receiver<Seen>>) {
        loop {
            let (contents, seen) = self.observe();
            let is_known = contents == self.loaded;
            let patience = match contents.is_blank() || contents.lacks_a_file() {
                true => SETTLED_UNFINISHED,
                false => SETTLED,
            };
            let Some(mut seen) = seen else {
                match is_known {
                    true => tokio::time::sleep(RETRY).await,
                    false => tokio::time::sleep(patience).await,
                }
                if !is_known && Contents::read(&self.path) == contents {
                    return (contents, None);
                }
                continue;
            };
            // An error would mean that nothing is reported any more: `events` holds the sender.
            if is_known {
                let _ = seen.changed().await;
                continue;
            }
            let has_settled = timeout(patience, seen.changed()).await.is_err();
            if has_settled && !seen.borrow().is_being_written() {
                return (contents, Some(seen));
            }
            if has_settled {
                let _ = seen.changed().await;
            }
        }
    }

    /// What the files hold, and what is seen of them from before they were read; none where they
    /// cannot be watched.
    fn observe(&mut self) -> (Contents, Option<watch::Receiver<Seen>>) {
        loop {
            // Its calendars are known only once it has been read.
            let named = Contents::read(&self.path);
            let watched = self.watch(&named);
            let contents = Contents::read(&self.path);
            if contents.paths().eq(named.paths()) {
                return (contents, watched);
            }
        }
    }

    fn watch(&mut self, contents: &Contents) -> Option<watch::Receiver<Seen>> {
        match self.try_watch(contents) {
            Ok(seen) => {
                if self.trouble.take().is_some() {
                    info!("config watched again");
                }
                Some(seen)
            }
            Err(error) => {
                let why = error.to_string();
                if self.trouble.as_ref() != Some(&why) {
                    warn!(
                        "config not watched: {why}; recess compares its files every minute, and \
                         retries"
                    );
                    self.trouble = Some(why);
                }
                // With it go the watches that it has, and what is half known.
                self.events = None;
                None
            }
        }
    }

    fn try_watch(&mut self, contents: &Contents) -> Result<watch::Receiver<Seen>, Box<dyn Error>> {
        let mut events = match self.events.take() {
            Some(events) => events,
            None => Events::new()?,
        };
        let mut found = on_the_way(contents)?;
        loop {
            events.watch(found.clone())?;
            // A link may have been replaced before it was watched.
            let now = on_the_way(contents)?;
            if now == found {
                break;
            }
            found = now;
        }
        let seen = events.seen();
        self.events = Some(events);
        Ok(seen)
    }
}

/// All that decides what the paths of these files lead to.
fn on_the_way(contents: &Contents) -> io::Result<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    for path in contents.paths() {
        all.extend(places(&absolute(path)?));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
