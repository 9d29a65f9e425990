//! Openings that a change of the clocks shifts, repeats or swallows.

use jiff::Timestamp;

use super::{YEAR, later, some_of};
use crate::calendar::{ClockChange, Outcome, Repeat, Rule, Schedule, Shift};
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::Timing;
use crate::text::date_minute;

pub(super) fn of(raw: &Timing, schedule: &Schedule, now: Timestamp) -> Option<Finding> {
    let (place, texts, hint) = match schedule {
        Schedule::Recurring(rule) => {
            let changes = rule.clock_changes(now, later(now, YEAR));
            let texts: Vec<String> = (changes.iter())
                .filter(|change| !keeps_its_pace(rule, **change))
                .map(|change| describe(*change))
                .collect();
            let hint = "choose another time of day, or set `gap` and `repeat`; `recess plan` shows \
                        these nights";
            (raw.schedule.place()?, texts, hint)
        }
        Schedule::Fixed(fixed) => {
            let opening = fixed.next_opening(now)?;
            let civil = fixed.zone().to_datetime(opening.opens);
            let text = match opening.shift? {
                Shift::Gap => format!(
                    "this time does not exist: the window opens after the gap, at {}",
                    date_minute(civil)
                ),
                Shift::First | Shift::Last => {
                    format!(
                        "{} occurs twice: the window opens the first time",
                        date_minute(civil)
                    )
                }
            };
            let hint = "to name one instant, write an offset, as in 2026-12-05T22:00:00+01:00";
            (raw.from.place()?, vec![text], hint)
        }
    };
    if texts.is_empty() {
        return None;
    }
    let message = format!("daylight-saving change: {}", some_of(&texts));
    Some(place.warning(code::CLOCK_CHANGE, message).hint(hint))
}

/// A rule around the clock that leaves out what does not exist and opens twice what comes twice
/// means elapsed time, and that goes on as on any other night.
fn keeps_its_pace(rule: &Rule, change: ClockChange) -> bool {
    let pace = matches!(change.outcome, Outcome::Left | Outcome::Twice(Repeat::Both));
    rule.pattern().is_interval() && pace
}

fn describe(change: ClockChange) -> String {
    let civil = date_minute(change.civil);
    match change.outcome {
        Outcome::Shifted => format!("{civil} does not exist, so it opens right after the gap"),
        Outcome::Left => format!("{civil} does not exist, so there is no opening for it"),
        Outcome::Twice(Repeat::First) => {
            format!("{civil} occurs twice, and it opens the first time")
        }
        Outcome::Twice(Repeat::Last) => {
            format!("{civil} occurs twice, and it opens the second time")
        }
        Outcome::Twice(Repeat::Both) => format!("{civil} occurs twice, and it opens both times"),
    }
}
