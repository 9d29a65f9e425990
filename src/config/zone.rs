//! Time zones by name. A name that is not one is refused, never replaced by UTC.

use jiff::tz::{self, TimeZone};

use super::guess;

/// Finds a zone in the IANA time zone database, or tells the way out.
pub(super) fn find(name: &str) -> Result<TimeZone, String> {
    match TimeZone::get(name) {
        Ok(zone) if !is_placeholder(name) => Ok(zone),
        _ => Err(hint(name)),
    }
}

/// The names for "no zone known", which behave like UTC.
fn is_placeholder(name: &str) -> bool {
    ["Etc/Unknown", "Factory"]
        .iter()
        .any(|placeholder| name.eq_ignore_ascii_case(placeholder))
}

fn hint(name: &str) -> String {
    if is_offset(name) {
        return r#"an offset knows no daylight saving; name a place, such as "Europe/Zurich", or "UTC""#
            .to_owned();
    }
    let names = tz::db().available().map(|name| name.to_string());
    let names = names.filter(|name| !is_placeholder(name));
    match guess::closest_zone(name, names) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => r#"name a place of the IANA time zone database, such as "Europe/Zurich", or "UTC""#
            .to_owned(),
    }
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
