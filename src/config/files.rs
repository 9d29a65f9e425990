//! The files that a config is made of: the config file, and the calendars that it names.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::file::raw;

/// The calendars of the config file at that path.
pub fn calendars(path: &Path, file: &raw::File) -> impl Iterator<Item = PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let exclusions = file.exclusions.given().map_or(&[][..], |list| &list.value);
    let calendars = exclusions.iter().filter_map(|one| one.calendar.given());
    calendars.map(move |calendar| folder.join(&calendar.value))
}

/// When the file at that path, or a calendar that it names, was last written: the date of what is
/// written from them, which is the same for each copy and each command until one is written again.
pub fn modified(path: &Path, file: &raw::File) -> Timestamp {
    let all = std::iter::once(path.to_owned()).chain(calendars(path, file));
    let times = all.filter_map(|path| {
        let written = fs::metadata(path).ok()?.modified().ok()?;
        let second = Timestamp::try_from(written).ok()?.as_second();
        Timestamp::from_second(second).ok()
    });
    times.max().unwrap_or(Timestamp::UNIX_EPOCH)
}
