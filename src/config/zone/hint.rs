//! "Did you mean ..?" for time zones. A hint that is a zone hours away is worse than none, so a
//! name is taken for a misspelt one only where its place is nearly right; abbreviations and cities
//! that are no zones have zones of their own.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::names::is_no_zone;
use crate::config::suggest::distance;
use places::{ABBREVIATIONS, PLACES, WELL_KNOWN};
use windows::WINDOWS_ZONES;

mod places;
#[cfg(test)]
mod tests;
mod windows;

/// So many zones are named of those that an abbreviation may mean.
const MAX_ZONES_SUGGESTED: usize = 3;

/// What a name that is no zone most likely means, as a hint.
pub fn zone_hint(word: &str, database: &TimeZoneDatabase) -> String {
    if let Some(zones) = by_abbreviation(word, database) {
        return format!(
            "{word} is an abbreviation without daylight-saving rules; name the place: {}",
            any_of(&zones)
        );
    }
    if let Some(zone) = of_windows(word) {
        return format!("{word} is a name of Windows; write \"{zone}\"");
    }
    match closest_zone(word, database) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => r#"name a place of the IANA time zone database, such as "Europe/Zurich", or "UTC""#
            .to_owned(),
    }
}

/// The zone that Windows calls so.
fn of_windows(word: &str) -> Option<&'static str> {
    let mut known = WINDOWS_ZONES.iter();
    let (_, zone) = known.find(|(name, _)| name.eq_ignore_ascii_case(word.trim()))?;
    Some(zone)
}

/// `"Asia/Kolkata", "Asia/Jerusalem" or "Europe/Dublin"`.
fn any_of(zones: &[String]) -> String {
    let quoted: Vec<String> = zones.iter().map(|zone| format!("\"{zone}\"")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

/// The zones whose clocks go by such an abbreviation in winter or summer.
fn by_abbreviation(word: &str, database: &TimeZoneDatabase) -> Option<Vec<String>> {
    let word = word.trim().to_ascii_uppercase();
    let is_one =
        (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_one {
        return None;
    }
    if let Some((_, zones)) = ABBREVIATIONS.iter().find(|(known, _)| *known == word) {
        return Some(zones.iter().map(|zone| (*zone).to_owned()).collect());
    }
    // Any year does: a law that changes seldom changes an abbreviation.
    let seasons = [date(2026, 1, 15), date(2026, 7, 15)];
    let seasons = seasons.map(|day| TimeZone::UTC.to_timestamp(day.at(12, 0, 0, 0)));
    let uses = |name: &str| {
        let zone = database.get(name).ok();
        zone.is_some_and(|zone| {
            let mut seasons = seasons.iter().flatten();
            seasons.any(|at: &Timestamp| zone.to_offset_info(*at).abbreviation() == word)
        })
    };
    let mut zones: Vec<String> = (WELL_KNOWN.iter())
        .filter(|name| uses(name))
        .map(|name| (*name).to_owned())
        .collect();
    if zones.is_empty() {
        zones = names(database)
            .filter(|name| name.contains('/') && uses(name))
            .collect();
        zones.sort();
    }
    zones.truncate(MAX_ZONES_SUGGESTED);
    Some(zones).filter(|zones| !zones.is_empty())
}

/// The zone that a name means that is written wrongly, or that is a city without a zone of its own.
/// People leave out or mistake the continent, so the place counts by itself.
fn closest_zone(word: &str, database: &TimeZoneDatabase) -> Option<String> {
    let word = word.trim().to_lowercase().replace([' ', '-'], "_");
    let word = (word.strip_prefix("posix/").or(word.strip_prefix("right/"))).unwrap_or(&word);
    if word.starts_with("utc") {
        return Some("UTC".to_owned());
    }
    let place = last_part(word);
    let own = PLACES.iter().find(|(_, places)| places.contains(&place));
    let is_known = |name: &str| database.get(name).is_ok();
    let exact = names(database)
        .filter(|zone| last_part(&folded(zone)) == place)
        .min_by_key(|zone| distance(word, &folded(zone)));
    if let Some(zone) = exact.or(own
        .map(|(zone, _)| (*zone).to_owned())
        .filter(|zone| is_known(zone)))
    {
        return Some(zone);
    }
    // Of four letters, one that is wrong makes another word.
    let near = |text: &str| match text.chars().count() {
        0..=4 => 0,
        length => (length / 4).min(3),
    };
    names(database)
        .filter_map(|zone| {
            let lower = folded(&zone);
            let (part, whole) = (distance(place, last_part(&lower)), distance(word, &lower));
            let same_start = place.chars().next() == lower.rsplit('/').next()?.chars().next();
            let by_part = (part <= near(place) && same_start).then_some(2 * part + 1);
            let by_whole = (whole <= near(last_part(&lower))).then_some(2 * whole);
            Some(((by_whole.into_iter().chain(by_part).min()?, whole), zone))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, zone)| zone)
}

/// The names of zones that are places, and `UTC`. Those in `Etc/` are a digit from each other, and
/// hours.
fn names(database: &TimeZoneDatabase) -> impl Iterator<Item = String> {
    let names = database.available().map(|name| name.to_string());
    names.filter(|name| {
        let is_place = match name.split_once('/') {
            // Old names by regions, which are words for elsewhere too: Brazil/East, Mexico/General.
            Some((folder, _)) => !["Etc", "Brazil", "Chile", "Mexico"].contains(&folder),
            None => false,
        };
        (is_place || name == "UTC") && !is_no_zone(name)
    })
}

fn folded(zone: &str) -> String {
    zone.to_lowercase().replace('-', "_")
}

fn last_part(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}
