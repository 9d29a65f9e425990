//! How each window's rule was read, and when it opens next: what no warning catches, a person sees
//! here.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::config::Config;
use crate::text;

/// So many windows are shown: of a file with thousands the first ones are enough, and `plan` shows
/// any.
const SHOWN: usize = 20;

/// A line a window, in the order of the file.
pub(super) fn lines(config: &Config, now: Timestamp) -> String {
    let (windows, more) = text::first_few(config.policy.windows(), SHOWN);
    let mut text = String::new();
    for window in windows {
        // A string takes every line.
        let _ = writeln!(text, "{}", window.described(now));
    }
    if more > 0 {
        let plural = if more == 1 { "window" } else { "windows" };
        let _ = writeln!(
            text,
            "and {more} more {plural}: recess plan --window NAME shows one"
        );
    }
    text
}
