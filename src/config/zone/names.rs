//! What can be said of a zone by its name alone.

/// Names in the folders of hosts that are no zone: those for "no zone known", those that mean what
/// the host is set to, and copies of all zones, of which `right/` counts leap seconds.
pub fn is_no_zone(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let folder = lower.split('/').next().unwrap_or_default();
    matches!(&*lower, "etc/unknown" | "factory")
        || is_of_the_host(&lower)
        || matches!(folder, "posix" | "right")
}

/// Names that mean whatever the host is set to.
pub fn is_of_the_host(name: &str) -> bool {
    let names = ["localtime", "posixrules", "local"];
    names.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Why a name that is a zone hardly says what people mean by it, and what to write instead.
pub fn oddity(name: &str) -> Option<(String, String)> {
    let upper = name.to_ascii_uppercase();
    if let Some(offset) = upper.strip_prefix("ETC/GMT") {
        let (hours, way, other) = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
            (Some(hours), _) => (hours, "behind", '-'),
            (_, Some(hours)) => (hours, "ahead of", '+'),
            _ => return None,
        };
        let hours: u32 = hours.parse().ok().filter(|hours| *hours > 0)?;
        let message = format!(
            "{name:?} is {hours}h {way} UTC, as its sign is reversed, and has no daylight-saving \
             rules"
        );
        let hint = format!(
            "name a place, such as \"Europe/Zurich\"; for {hours}h on the other side of UTC, write \
             \"Etc/GMT{other}{hours}\""
        );
        return Some((message, hint));
    }
    let (offset, place) = match &*upper {
        "EST" => ("UTC-05:00", "America/New_York"),
        "MST" => ("UTC-07:00", "America/Denver"),
        "HST" => ("UTC-10:00", "Pacific/Honolulu"),
        _ => return None,
    };
    let message = format!("{name:?} is {offset} all year: it has no daylight-saving rules");
    Some((message, format!("name the place, such as \"{place}\"")))
}

/// `+02:00`, `-5`, `UTC+2`.
pub fn is_offset(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let rest = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(&upper);
    rest.starts_with(['+', '-', '\u{2212}'])
}
