//! What is written on the command line, read as the config file's values are.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::config;
use crate::plan::TOO_NEAR;
use crate::text;

/// A length of time on the command line, written as in the config file.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    config::parse_length(text).map_err(|wrong| format!("it {}: {}", wrong.reason, wrong.hint))
}

const INSTANT: &str = "write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00";

/// An instant on the command line. One without a zone is refused: some tools would read it as UTC
/// and some as local.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if text.contains('[') {
        return Err(format!("a zone name is not supported here: {INSTANT}"));
    }
    match text.parse::<DateTime>() {
        Ok(local) => Err(format!(
            "it has no zone: write {local}Z for UTC, or an offset as in {local}+01:00"
        )),
        Err(_) if text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit()) => {
            Err(format!("there is no such day, time or offset: {INSTANT}"))
        }
        Err(_) => Err(INSTANT.to_owned()),
    }
}

/// Manual deadlines have whole seconds: nanoseconds would be a mark.
pub fn whole_second(text: &str) -> Result<Timestamp, String> {
    let instant = parse_instant(text)?;
    match instant.subsec_nanosecond() {
        0 => Ok(instant),
        _ => Err("write whole seconds".to_owned()),
    }
}

/// Why a pause is refused that ends too soon.
pub fn too_short() -> String {
    format!(
        "a pause of {} or less could end before each server has applied it",
        text::span(TOO_NEAR)
    )
}
