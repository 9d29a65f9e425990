//! What is doubtful about a file that is right, seen from a given day: rules that hardly open,
//! nights on which clocks change, windows that together hold for too long.
//!
//! Whether a file loads never depends on the clock, so none of this is checked when it loads:
//! `check` asks for it.

use jiff::{SignedDuration, Timestamp};

use super::Config;
use super::file::findings::Finding;
use super::file::raw;
use crate::text;

mod chains;
mod clocks;
mod openings;
mod strays;
mod zones;

/// So far ahead a rule should open.
const SOON: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How far ahead daylight-saving changes are reported.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Everything doubtful, in the order of the file.
pub fn outlook(config: &Config, now: Timestamp) -> Vec<Finding> {
    let windows = list(&config.file.windows);
    let both = windows.iter().zip(config.policy.windows());
    let mut findings: Vec<Finding> = Vec::new();
    for (raw, window) in both {
        findings.extend(openings::of_window(raw, window, now));
        findings.extend(strays::of_window(raw, window));
        findings.extend(clocks::of(&raw.timing, &window.schedule, now));
    }
    for raw in list(&config.file.exclusions) {
        let mut known = config.policy.exclusions();
        let name = raw.name.given().map(|name| &*name.value);
        if let Some(exclusion) = known.find(|one| Some(&*one.name) == name) {
            findings.extend(openings::of_exclusion(raw, exclusion, now));
        }
    }
    findings.extend(chains::too_long(config, windows, now));
    findings.extend(zones::that_differ(config, now));
    findings.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
    findings
}

fn list<T>(entry: &raw::Entry<Vec<T>>) -> &[T] {
    entry.given().map_or(&[], |list| &list.value)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Of many alike, the first few.
fn some_of(what: &[String]) -> String {
    const SHOWN: usize = 4;
    text::clauses(what, SHOWN)
}
