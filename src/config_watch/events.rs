//! What the kernel reports of some places. The one file that knows notify.
//!
//! Folders are watched, not files: a file that is put in the place of another is another file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

/// What has been reported.
#[derive(Debug, Default)]
pub struct Seen {
    /// What is of interest: files and links by their names in these folders, and the folders.
    places: BTreeSet<PathBuf>,
    /// The files that a program has written to and not closed.
    writing: BTreeSet<PathBuf>,
}

impl Seen {
    /// Whether a program is in the middle of writing to one of the places.
    pub fn is_being_written(&self) -> bool {
        !self.writing.is_empty()
    }

    /// Takes a report in. False: it changes nothing.
    fn take(&mut self, event: notify::Result<Event>) -> bool {
        let Ok(event) = event else {
            return true;
        };
        if event.need_rescan() {
            // Some were lost, and what is lost may be the end of a write.
            self.writing.clear();
            return true;
        }
        let paths = event.paths.into_iter();
        let places: Vec<PathBuf> = paths.filter(|path| self.places.contains(path)).collect();
        let is_closed = event.kind == EventKind::Access(AccessKind::Close(AccessMode::Write));
        // recess itself reads them.
        if places.is_empty() || (matches!(event.kind, EventKind::Access(_)) && !is_closed) {
            return false;
        }
        for place in places {
            match event.kind {
                EventKind::Modify(ModifyKind::Data(_)) => {
                    self.writing.insert(place);
                }
                // The rights of a file that is being written may change meanwhile.
                EventKind::Modify(ModifyKind::Metadata(_)) => {}
                EventKind::Access(_)
                | EventKind::Any
                | EventKind::Create(_)
                | EventKind::Modify(_)
                | EventKind::Other
                | EventKind::Remove(_) => {
                    self.writing.remove(&place);
                }
            }
        }
        true
    }
}

/// Why the files are not watched.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The system watches nothing more for this user.
    #[error("{}", without_paths(.0))]
    None(notify::Error),
    /// A folder cannot be watched.
    #[error("{}: {}", folder.display(), without_paths(source))]
    Folder {
        /// Its path.
        folder: PathBuf,
        /// The reason.
        source: notify::Error,
    },
}

/// notify shows paths as code has them.
fn without_paths(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::MaxFilesWatch => {
            "the limit of watches is reached: raise the sysctl fs.inotify.max_user_watches"
                .to_owned()
        }
        ErrorKind::PathNotFound => "it is gone".to_owned(),
        ErrorKind::Generic(why) => why.clone(),
        ErrorKind::WatchNotFound | ErrorKind::InvalidConfig(_) => "notify has failed".to_owned(),
    }
}

/// The watched folders.
pub struct Events {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    seen: watch::Sender<Seen>,
}

impl Events {
    /// Watches nothing yet.
    pub fn new() -> Result<Self, EventsError> {
        let seen = watch::Sender::new(Seen::default());
        let sender = seen.clone();
        let watcher = notify::recommended_watcher(move |event| {
            sender.send_if_modified(|seen| seen.take(event));
        });
        let watcher = watcher.map_err(EventsError::None)?;
        Ok(Self {
            watcher,
            folders: BTreeSet::new(),
            seen,
        })
    }

    /// Watches these from now on, and nothing else. What was watched already is watched without a
    /// gap.
    pub fn watch(&mut self, places: BTreeSet<PathBuf>) -> Result<(), EventsError> {
        let folders: BTreeSet<PathBuf> = (places.iter())
            .filter_map(|place| place.parent())
            .map(Path::to_owned)
            .collect();
        // Also those that are watched, as another folder may have come in the place of one. The
        // events of both have one path, and the second is as good as the first.
        for folder in &folders {
            let watched = self.watcher.watch(folder, RecursiveMode::NonRecursive);
            watched.map_err(|source| EventsError::Folder {
                folder: folder.clone(),
                source,
            })?;
        }
        for folder in self.folders.difference(&folders) {
            // A folder that was removed is not watched any more.
            let _ = self.watcher.unwatch(folder);
        }
        self.seen.send_if_modified(|seen| {
            seen.writing.retain(|place| places.contains(place));
            seen.places = places.union(&folders).cloned().collect();
            false
        });
        self.folders = folders;
        Ok(())
    }

    /// What has been reported, and what will be.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }
}

#[cfg(test)]
mod tests;
