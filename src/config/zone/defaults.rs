//! The zone of what names none: `[defaults]`.

use jiff::tz::TimeZone;

use super::database::Zones;
use super::names::oddity;
use crate::calendar::Zone;
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{self, Entry, Placed};

/// Where names of zones are looked up, and the zone of what names none.
#[derive(Debug)]
pub struct ZoneDefaults<'z> {
    pub zones: &'z Zones,
    /// `None` where the file says something wrong about it.
    pub zone: Option<Zone>,
}

/// What `[defaults]` says of zones.
pub fn zone_defaults<'z>(
    raw: &raw::Defaults,
    zones: &'z Zones,
    findings: &mut Vec<Finding>,
) -> ZoneDefaults<'z> {
    let zone = match &raw.timezone {
        Entry::Absent => Some(Zone::from(TimeZone::UTC)),
        Entry::Broken => None,
        Entry::Given(name) => timezone(name, zones, findings),
    };
    ZoneDefaults { zones, zone }
}

/// A zone by its name.
pub fn timezone(name: &Placed<String>, zones: &Zones, findings: &mut Vec<Finding>) -> Option<Zone> {
    let found = zones.find(&name.value);
    if let (Ok(_), Some((message, hint))) = (&found, oddity(&name.value)) {
        findings.push(name.place.warning(code::ODD_ZONE, message).hint(hint));
    }
    found
        .map_err(|hint| {
            let message = format!("{:?} is not a time zone", name.value);
            findings.push(name.place.error(code::BAD_ZONE, message).hint(hint));
        })
        .ok()
}
