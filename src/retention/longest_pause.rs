//! How long a consumer stays paused without a break: the length that its limits are measured
//! against.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::policy::{Policy, Window, WindowSet};

/// How far ahead windows are searched that join into one pause.
const AHEAD: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Of a window by itself, so many of its next openings.
const OPENINGS: usize = 64;

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongestPause {
    /// `window night`, `windows night and month-end together`.
    pub by: String,
    /// From its opening until the last of its consumers is back.
    pub length: SignedDuration,
}

/// The longest pause that these windows make for a consumer such as this one; `None` where none is
/// to come.
pub fn longest_pause(
    policy: &Policy,
    id: &ConsumerId,
    windows: &WindowSet,
    now: Timestamp,
) -> Option<LongestPause> {
    let alone = windows.iter().filter_map(|window| {
        Some(LongestPause {
            by: names(&[&window.name]),
            length: longest_of(window, now)?.checked_add(window.resume_spread)?,
        })
    });
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let joined = (policy.pauses(id, windows, now, until))
        .filter(|pause| pause.windows.len() > 1)
        .map(|pause| LongestPause {
            by: names(&pause.windows.names().collect::<Vec<_>>()),
            length: pause.until.duration_since(pause.from),
        });
    // Of equals the first: a window by itself.
    alone.chain(joined).reduce(|longest, hold| {
        if hold.length > longest.length {
            hold
        } else {
            longest
        }
    })
}

fn longest_of(window: &Window, now: Timestamp) -> Option<SignedDuration> {
    let next = |after: &Occurrence| window.next_opening(after.opens);
    let coming = std::iter::successors(window.next_opening(now), next).take(OPENINGS);
    let lengths = window.open_at(now).into_iter().chain(coming);
    lengths.map(|one| one.length()).max()
}

fn names(windows: &[&str]) -> String {
    match windows {
        [name] => format!("window {name}"),
        [others @ .., last] => format!("windows {} and {last} together", others.join(", ")),
        [] => String::new(),
    }
}
