//! `--standby`: the argument, and which windows it comes too late for.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::cli::arguments::parse_length;
use crate::plan::TOO_NEAR;
use crate::policy::Policy;
use crate::text;

/// A primary on a busy server needs about a second; a wait of minutes protects no window.
const RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(300);

pub fn parse(text: &str) -> Result<Duration, String> {
    let delay = parse_length(text)?;
    if RANGE.contains(&delay) {
        return Ok(delay);
    }
    let (shortest, longest) = (text::length(*RANGE.start()), text::length(*RANGE.end()));
    Err(format!("it can be from {shortest} to {longest}"))
}

/// Warns of windows whose next occurrence is over before a standby would pause a consumer in it.
pub fn warn_of_short_windows(policy: &Policy, delay: Duration, now: Timestamp) {
    let needed = SignedDuration::try_from(delay)
        .unwrap_or(SignedDuration::MAX)
        .saturating_add(TOO_NEAR);
    for window in policy.windows() {
        let lasts = (window.next_opening(now)).map(|next| next.closes.duration_since(next.opens));
        if let Some(lasts) = lasts.filter(|lasts| *lasts <= needed) {
            warn!(
                window = &*window.name,
                "window {} lasts {}: too short for this standby, which pauses {} after an opening",
                window.name,
                text::span(lasts),
                text::length(delay)
            );
        }
    }
}
