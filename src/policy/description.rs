//! A window in words: how its rule was read, and when it opens next.

use jiff::Timestamp;

use super::Window;
use crate::calendar::{Length, Schedule};
use crate::text::{self, rounded_span};
use crate::visible::visible;

impl Window {
    /// A line about it: `nightly-vacuum: every day at 02:30, for 2h; next Fri 2026-11-27 02:30 CET`
    pub fn described(&self, now: Timestamp) -> String {
        let local = |at: Timestamp| {
            let zoned = at.to_zoned(self.schedule.zone().clone());
            format!("{} {}", text::day(zoned.date()), text::short_time(&zoned))
        };
        let rule = match &self.schedule {
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
        let open = self
            .open_at(now)
            .map(|open| format!("open until {}", local(open.closes)));
        let next = self
            .next_opening(now)
            .map(|next| format!("next {}", local(next.opens)));
        let when: Vec<String> = open.into_iter().chain(next).collect();
        let when = match (when.as_slice(), &self.schedule) {
            ([], Schedule::Fixed(_)) => "no further opening".to_owned(),
            ([], Schedule::Recurring(_)) => "no further opening in the next 10 years".to_owned(),
            (when, _) => when.join("; "),
        };
        format!("{}: {rule}; {when}", visible(&self.name))
    }
}
