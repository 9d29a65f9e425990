//! How each window's rule was read, and when it opens next: what no warning catches, a person sees here.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::calendar::{Length, Schedule};
use crate::config::Config;
use crate::policy::Window;
use crate::text::{self, rounded_span};
use crate::visible::visible;

/// So many windows are shown: of a file with thousands the first ones tell enough, and `plan` shows any.
const SHOWN: usize = 20;

/// A line a window, in the order of the file.
pub(super) fn lines(config: &Config, now: Timestamp) -> String {
    let (windows, more) = text::first_few(config.policy.windows(), SHOWN);
    let mut text = String::new();
    for window in windows {
        // A string takes every line.
        let _ = writeln!(text, "{}", line(window, now));
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

/// `nightly-vacuum: every day at 02:30, for 2h; next Fri 2026-11-27 02:30 CET`
fn line(window: &Window, now: Timestamp) -> String {
    let local = |at: Timestamp| {
        let zoned = at.to_zoned(window.schedule.zone().clone());
        format!("{} {}", text::day(zoned.date()), text::short_time(&zoned))
    };
    let rule = match &window.schedule {
        Schedule::Recurring(rule) => {
            let end = match rule.length() {
                Length::Elapsed(duration) => format!("for {}", rounded_span(duration)),
                Length::Until(time) => format!("until {}", text::time_of_day(time)),
            };
            format!("{}, {end}", rule.pattern().describe())
        }
        Schedule::Fixed(fixed) => match fixed.next_opening(Timestamp::MIN) {
            Some(once) => format!(
                "once, from {} until {}",
                local(once.opens),
                local(once.closes)
            ),
            None => "once".to_owned(),
        },
    };
    let open = window
        .open_at(now)
        .map(|open| format!("open until {}", local(open.closes)));
    let next = window
        .next_opening(now)
        .map(|next| format!("next {}", local(next.opens)));
    let when: Vec<String> = open.into_iter().chain(next).collect();
    let when = match (when.as_slice(), &window.schedule) {
        ([], Schedule::Fixed(_)) => "no further opening".to_owned(),
        ([], Schedule::Recurring(_)) => "no further opening in the next 10 years".to_owned(),
        (when, _) => when.join("; "),
    };
    format!("{}: {rule}; {when}", visible(&window.name))
}
