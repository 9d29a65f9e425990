//! The families about windows.

use super::super::family::Family;
use super::{flag, seconds, size};

pub const FAMILIES: &[Family] = &[
    Family::window(
        "window_active",
        "Whether the window is open.",
        |_, window| Some(flag(window.open.is_some())),
    ),
    Family::window(
        "window_opens_timestamp_seconds",
        "When the window opens next.",
        |_, window| Some(seconds(window.next?.opens)),
    ),
    Family::window(
        "window_closes_timestamp_seconds",
        "When the window closes, now or next.",
        |_, window| Some(seconds(window.open.or(window.next)?.closes)),
    ),
    Family::window(
        "window_consumers",
        "How many existing consumers the window matches.",
        |_, window| Some(size(window.consumers)),
    ),
    Family::window(
        "window_unmatched_selectors",
        "How many wildcard selectors match no existing consumer; absent until known.",
        |_, window| Some(size(window.unmatched.as_ref()?.len())),
    ),
    Family::window(
        "window_exempt_consumers",
        "How many more consumers the window would match if their metadata did not keep them out; \
         absent without `exempt` in the config.",
        |_, window| Some(size(window.exempt)),
    )
    .only_if(|report| report.policy.exempt().is_some()),
];
