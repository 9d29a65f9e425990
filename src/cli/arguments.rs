//! What is written on the command line, read as the config file's values are.

use std::time::Duration;

use jiff::Timestamp;

use crate::config;
use crate::plan::TOO_NEAR;
use crate::text::{self, parse_instant};

/// A length of time on the command line, written as in the config file.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    config::parse_length(text).map_err(|wrong| format!("it {}: {}", wrong.reason, wrong.hint))
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
