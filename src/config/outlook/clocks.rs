//! Openings that a change of the clocks shifts, repeats or swallows.

use jiff::Timestamp;

use super::{YEAR, later, some_of};
use crate::calendar::{ClockChange, Outcome, Repeat, Rule, Schedule, Shift};
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::Timing;
use crate::text::date_minute;

pub(super) fn of(raw: &Timing, schedule: &Schedule, now: Timestamp) -> Option<Finding> {
    let (place, told, hint) = match schedule {
        Schedule::Recurring(rule) => {
            let changes = rule.clock_changes(now, later(now, YEAR));
            let told: Vec<String> = (changes.iter())
                .filter(|change| !keeps_its_pace(rule, **change))
                .map(|change| told(*change))
                .collect();
            let hint = "choose another time of day, or say what you want with `gap` and `repeat`; `recess plan` shows these nights";
            (raw.schedule.place()?, told, hint)
        }
        Schedule::Fixed(fixed) => {
            let opening = fixed.next_opening(now)?;
            let civil = fixed.zone().to_datetime(opening.opens);
            let told = match opening.shift? {
                Shift::Gap => format!(
                    "it does not exist: it opens after the gap, at {}",
                    date_minute(civil)
                ),
                Shift::First | Shift::Last => {
                    format!(
                        "{} comes twice: it opens the first time",
                        date_minute(civil)
                    )
                }
            };
            let hint =
                "write it with an offset, as in 2026-12-05T22:00:00+01:00, to name one instant";
            (raw.from.place()?, vec![told], hint)
        }
    };
    if told.is_empty() {
        return None;
    }
    let message = format!("clocks change: {}", some_of(&told));
    Some(place.warning(code::CLOCK_CHANGE, message).hint(hint))
}

/// A rule around the clock that leaves out what does not exist and opens twice what comes twice
/// means elapsed time, and that goes on as on any other night.
fn keeps_its_pace(rule: &Rule, change: ClockChange) -> bool {
    let pace = matches!(change.outcome, Outcome::Left | Outcome::Twice(Repeat::Both));
    rule.pattern().is_interval() && pace
}

fn told(change: ClockChange) -> String {
    let civil = date_minute(change.civil);
    match change.outcome {
        Outcome::Shifted => format!("{civil} does not exist, it opens right after the gap"),
        Outcome::Left => format!("{civil} does not exist, it has no opening of its own"),
        Outcome::Twice(Repeat::First) => format!("{civil} comes twice, it opens the first time"),
        Outcome::Twice(Repeat::Last) => format!("{civil} comes twice, it opens the second time"),
        Outcome::Twice(Repeat::Both) => format!("{civil} comes twice, it opens both times"),
    }
}
