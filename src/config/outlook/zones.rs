//! Zones on which the host's time zone data and ours differ: other programs on this host see other
//! times then.

use std::collections::BTreeMap;

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::{later, list, some_of};
use crate::config::Config;
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place};
use crate::config::zone::{ZoneDb, ZoneSource, Zones};
use crate::text;

/// So far ahead they are compared.
const AHEAD: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// A finding for each zone of the file, where it is named first.
pub(super) fn that_differ(config: &Config, now: Timestamp) -> Vec<Finding> {
    let zones = Zones::open();
    let Some(older) = &zones.older else {
        return Vec::new();
    };
    let file = &config.file;
    let windows = (list(&file.windows).iter()).map(|raw| &raw.timing.timezone);
    let exclusions = (list(&file.exclusions).iter()).map(|raw| &raw.timing.timezone);
    let default = [&file.defaults.timezone].into_iter();
    let mut named: BTreeMap<&str, &Place> = BTreeMap::new();
    for name in default.chain(windows).chain(exclusions) {
        if let Some(name) = name.given() {
            named.entry(&name.value).or_insert(&name.place);
        }
    }
    (named.into_iter())
        .filter_map(|(name, place)| differs(name, place, &zones.newer, older, now))
        .collect()
}

fn differs(
    name: &str,
    place: &Place,
    newer: &ZoneDb,
    older: &ZoneDb,
    now: Timestamp,
) -> Option<Finding> {
    let spans = differences(&newer.get(name)?, &older.get(name)?, now, later(now, AHEAD));
    if spans.is_empty() {
        return None;
    }
    let differences: Vec<String> = (spans.iter())
        .map(|span| {
            let until = match span.until {
                Some(until) => format!("until {}", text::utc_date(until)),
                None => "on".to_owned(),
            };
            format!(
                "from {} {until} the offset is {} in {} ({}) and {} in {} ({})",
                text::utc_date(span.from),
                utc(span.newer),
                newer.data.version,
                newer.data.source.as_str(),
                utc(span.older),
                older.data.version,
                older.data.source.as_str(),
            )
        })
        .collect();
    let message = format!(
        "two copies of the time zone database differ for it: {}",
        some_of(&differences)
    );
    let hint = match newer.data.source {
        ZoneSource::Bundled if !older.data.is_known() => {
            "the host's copy has no version (no tzdata.zi), so recess uses its own; update the \
             host's (tzdata), so that other programs here agree"
        }
        ZoneSource::Bundled => {
            "recess uses the newer one; update the host's (tzdata), so that other programs here \
             agree"
        }
        ZoneSource::Host => "recess uses the newer one, the host's, as other programs here do",
    };
    Some(place.warning(code::ZONES_DIFFER, message).hint(hint))
}

struct Span {
    from: Timestamp,
    /// `None` where it goes on beyond what is compared.
    until: Option<Timestamp>,
    newer: Offset,
    older: Offset,
}

/// The times at which the clocks of two versions of a zone differ.
fn differences(newer: &TimeZone, older: &TimeZone, now: Timestamp, until: Timestamp) -> Vec<Span> {
    let changes = |zone: &TimeZone| -> Vec<Timestamp> {
        let changes = zone.following(now).map(|change| change.timestamp());
        changes.take_while(|at| *at < until).collect()
    };
    let mut edges = [vec![now], changes(newer), changes(older)].concat();
    edges.sort();
    edges.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for (index, from) in edges.iter().enumerate() {
        let (new, old) = (newer.to_offset(*from), older.to_offset(*from));
        let next = edges.get(index + 1).copied();
        match spans.last_mut() {
            _ if new == old => {}
            Some(last) if last.until == Some(*from) && (last.newer, last.older) == (new, old) => {
                last.until = next;
            }
            _ => spans.push(Span {
                from: *from,
                until: next,
                newer: new,
                older: old,
            }),
        }
    }
    spans
}

/// `UTC-07:00`.
fn utc(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
