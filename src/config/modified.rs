//! When what the config says was last changed: the date of what is written from it, which is the
//! same for each copy and each command until the file is written again.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::file::raw;

/// When the file at that path, or a calendar that it names, was last written.
pub fn modified(path: &Path, file: &raw::File) -> Timestamp {
    let folder = path.parent().unwrap_or(Path::new(""));
    let exclusions = file.exclusions.given().map_or(&[][..], |list| &list.value);
    let calendars = exclusions.iter().filter_map(|one| one.calendar.given());
    let calendars = calendars.map(|calendar| folder.join(&calendar.value));
    let all = std::iter::once(path.to_owned()).chain(calendars);
    let times = all.filter_map(|path| {
        let written = fs::metadata(path).ok()?.modified().ok()?;
        let second = Timestamp::try_from(written).ok()?.as_second();
        Timestamp::from_second(second).ok()
    });
    times.max().unwrap_or(Timestamp::UNIX_EPOCH)
}
