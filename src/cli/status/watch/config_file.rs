//! The config file while the state is watched: who edits it wants to see what comes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use crate::config::{self, Config};

/// The file, and what it last said.
pub struct ConfigFile {
    path: PathBuf,
    modified: Option<SystemTime>,
    /// What is in force.
    pub config: Config,
    /// What is wrong with a newer version.
    pub refused: Option<String>,
}

impl ConfigFile {
    /// A file that was read just now.
    pub fn new(path: &Path, config: Config) -> Self {
        Self {
            path: path.to_owned(),
            modified: modified(path),
            config,
            refused: None,
        }
    }

    /// Puts what it says in force if it was written since. Only a new start connects to other
    /// servers, or otherwise.
    pub fn follow(&mut self, loop_config: &watch::Sender<Arc<Config>>) {
        let now = modified(&self.path);
        if now == self.modified {
            return;
        }
        self.modified = now;
        self.refused = match config::load(&self.path) {
            Err(error) => Some(error.first()),
            Ok(config) if config.settings.nats != self.config.settings.nats => {
                Some("[nats] has changed: start `recess status --watch` again".to_owned())
            }
            Ok(config) => {
                loop_config.send_replace(Arc::new(super::of_the_loop(config.clone())));
                self.config = config;
                None
            }
        };
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
