//! What the files of a config hold, byte by byte: whether they have changed is not a matter of their
//! dates, which a file that is put in the place of another may share with it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::file::{encoding, read};
use super::files;

/// As much of a file as is compared: more than is ever loaded of a calendar.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The config file and the calendars that it names, as they are. Equal ones load alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    path: PathBuf,
    /// With why one cannot be read.
    files: BTreeMap<PathBuf, Result<Vec<u8>, io::ErrorKind>>,
}

impl Contents {
    /// Reads the config file at that path, and the calendars that can be found in it: of a file that
    /// holds mistakes, those that are named where it is right.
    pub fn read(path: &Path) -> Self {
        let config = bytes(path);
        let mut files = BTreeMap::new();
        if let Ok(config) = &config {
            let (text, _) = encoding::decode(config);
            let (raw, _) = read::read(&text);
            files.extend(files::calendars(path, &raw).map(|path| {
                let bytes = bytes(&path);
                (path, bytes)
            }));
        }
        files.insert(path.to_owned(), config);
        Self {
            path: path.to_owned(),
            files,
        }
    }

    /// Where they are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// Whether the config file holds nothing at all: as one does that is about to be written.
    pub fn is_blank(&self) -> bool {
        match self.files.get(&self.path) {
            Some(Ok(config)) => config.trim_ascii().is_empty(),
            Some(Err(_)) | None => false,
        }
    }

    /// Whether one of the files is missing: as it is for a moment where it is replaced in two steps.
    pub fn lacks_a_file(&self) -> bool {
        let mut files = self.files.values();
        files.any(|file| matches!(file, Err(io::ErrorKind::NotFound)))
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, io::ErrorKind> {
    // To open a pipe would be to wait for a writer.
    if !fs::metadata(path).map_err(|error| error.kind())?.is_file() {
        return Err(io::ErrorKind::Other);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.kind())?;
    let read = file.take(LARGEST).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| error.kind())
}
