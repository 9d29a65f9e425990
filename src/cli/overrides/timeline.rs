//! When a window is open, before and after a command.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::policy::{Override, Policy, Window};
use crate::text;

/// So many openings are shown.
const SHOWN: usize = 3;

/// So far ahead are they looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Two lines: `before: open Fri 2026-11-27 02:30 to 04:30 CET, ..`, `after: ..`. None for an
/// override of no window.
pub fn lines(before: &Policy, after: &Policy, one: &Override, now: Timestamp) -> Option<String> {
    let name = one.terms.target.window()?;
    let (before, after) = (before.window(name)?, after.window(name)?);
    // What a close has just ended is shown, too.
    let just_before = SignedDuration::from_nanos(1);
    let from = one
        .terms
        .from
        .min(now)
        .checked_sub(just_before)
        .unwrap_or(now);
    Some(format!(
        "  before: {}\n  after:  {}\n",
        openings(before, from),
        openings(after, from)
    ))
}

fn openings(window: &Window, from: Timestamp) -> String {
    let until = from.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut openings = window.walk(from, until);
    let shown: Vec<String> = (openings.by_ref().take(SHOWN))
        .map(|one| opening(window, one))
        .collect();
    match (shown.is_empty(), openings.next()) {
        (true, _) => "no opening".to_owned(),
        (false, None) => shown.join(", "),
        (false, Some(_)) => shown.join(", ") + ", ..",
    }
}

/// `Fri 2026-11-27 02:30 CET to 04:30 CET`
fn opening(window: &Window, one: Occurrence) -> String {
    let zone = window.schedule.zone();
    let opens = one.opens.to_zoned(zone.clone());
    let closes = one.closes.to_zoned(zone.clone());
    let end = match opens.date() == closes.date() {
        true => text::short_time(&closes),
        false => text::short_local(&closes),
    };
    format!("{} to {end}", text::short_local(&opens))
}
