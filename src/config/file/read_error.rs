//! What to do about a config file that cannot be read.
//!
//! Most often the command was meant for one of several instances, or the file is root's only and
//! the service is not root.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::text;

/// So many files are named; a folder with more is not where configs are.
const A_FEW: usize = 5;

/// How the path of a file was given, which decides how another one can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// With `--config`, with `RECESS_CONFIG`, or not at all.
    AsConfig,
    /// As an argument by itself.
    ByItself,
}

/// The fix, as a hint.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "`std::io::ErrorKind` is non-exhaustive; for the others there is nothing more to say"
)]
pub fn hint(path: &Path, why: &io::Error, given: Given) -> String {
    let another = match given {
        Given::AsConfig => "set another path with --config or RECESS_CONFIG",
        Given::ByItself => "name another file",
    };
    match why.kind() {
        ErrorKind::PermissionDenied => format!(
            "the service runs as its own user; the file contains no secrets, so `chmod a+r {}` is \
             safe",
            path.display()
        ),
        ErrorKind::NotFound => match &siblings(path)[..] {
            [] => another.to_owned(),
            others => format!(
                "{another}; this file exists: {}",
                text::names(others.iter().map(|file| file.display()), A_FEW)
            ),
        },
        // Of a file that has changed: at the start, an empty one is a config without windows.
        ErrorKind::UnexpectedEof => {
            "write the file in one go; to pause nothing, send SIGHUP".to_owned()
        }
        _ => another.to_owned(),
    }
}

/// Other config files in the folder, as instances have them (`recess@NAME.service` reads
/// `/etc/recess/NAME.toml`).
fn siblings(path: &Path) -> Vec<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => return Vec::new(),
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = (entries.flatten())
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests;
