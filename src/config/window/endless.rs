//! What the openings of a schedule are like over the years: do they ever let go, is one longer than it may be?

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Occurrence, Schedule};

/// Where the walk begins, in the schedule's own zone. Fixed, so that whether a file loads never depends on the clock.
const FROM: DateTime = date(2024, 1, 1).at(0, 0, 0, 0);

/// How long it is: leap year to leap year. It begins later for what begins later.
const YEARS: SignedDuration = SignedDuration::from_hours(24 * (5 * 365 + 2));

/// How many occurrences are walked before it is enough: a day and more of one-second windows, months of one-minute
/// windows. The longest walk takes 0.06 to 0.15 s in a release build on two small cores; a rule that lets go takes
/// microseconds.
const STEPS: usize = 200_000;

/// The opening with which a walk begins.
pub fn first(schedule: &Schedule) -> Option<Occurrence> {
    let from = schedule.zone().to_timestamp(FROM).ok()?;
    (schedule.open_at(from)).or_else(|| schedule.next_opening(from))
}

fn end(first: Occurrence) -> Timestamp {
    first.opens.checked_add(YEARS).unwrap_or(Timestamp::MAX)
}

/// Whether no break is met between its occurrences, from its first opening on.
pub fn never_closes(schedule: &Schedule) -> bool {
    let Some(mut open) = first(schedule) else {
        return false;
    };
    let until = end(open);
    let mut touched = false;
    for _ in 0..STEPS {
        if open.closes >= until {
            break;
        }
        match schedule.open_at(open.closes) {
            Some(next) => (open, touched) = (next, true),
            None => return false,
        }
    }
    touched
}

/// An opening that is longer than `limit`, if there is one.
pub fn longer_than(schedule: &Schedule, limit: SignedDuration) -> Option<Occurrence> {
    if schedule.longest() <= limit {
        return None;
    }
    let first = first(schedule)?;
    let until = end(first);
    std::iter::successors(Some(first), |last| schedule.next_opening(last.opens))
        .take_while(|opening| opening.opens < until)
        .take(STEPS)
        .find(|opening| opening.length() > limit)
}
