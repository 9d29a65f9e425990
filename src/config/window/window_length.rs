//! How long a window is: too long to be one pause, too short to be any, or without end. Openings
//! are walked over fixed years, so the clock has no say.

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Occurrence, Schedule};
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place};
use crate::config::file::raw::{Entry, Timing};
use crate::config::value::length;
use crate::text::{self, span};

/// Where the walk begins, in the schedule's own zone. Fixed, so that whether a file loads never
/// depends on the clock.
const FROM: DateTime = date(2024, 1, 1).at(0, 0, 0, 0);

/// How long it is: leap year to leap year. It begins later for what begins later.
const YEARS: SignedDuration = SignedDuration::from_hours(24 * (5 * 365 + 2));

/// How many occurrences are walked before it is enough: a day and more of one-second windows,
/// months of one-minute windows. The longest walk takes 0.06 to 0.15 s in a release build on two
/// small cores; a rule that lets go takes microseconds.
const STEPS: usize = 200_000;

/// A pause that ends within five seconds could not be relied upon to be applied before it ends; it
/// is never sent.
const NEVER_SENT: SignedDuration = SignedDuration::from_secs(5);

/// The longest pause, `controller.max_pause`.
#[derive(Clone, Copy, Debug)]
pub struct MaxPause<'f> {
    /// `None` where it could not be read.
    pub length: Option<SignedDuration>,
    /// Where it stands in the file, if it does.
    pub place: Option<&'f Place>,
}

/// What is wrong with the length of a window, or doubtful. A `duration` is judged by itself, so
/// that it is reported together with other errors of the window; an `until` needs the schedule.
pub fn unusual(
    raw: &Timing,
    schedule: Option<&Schedule>,
    longest: MaxPause<'_>,
) -> Option<Finding> {
    match (&raw.duration, &raw.until) {
        (Entry::Given(duration), Entry::Absent) => {
            let length = length::parse(&duration.value).ok()?;
            let length = SignedDuration::try_from(length).ok()?;
            fixed(&duration.place, length, longest)
        }
        (Entry::Absent, Entry::Given(until)) => match schedule? {
            Schedule::Fixed(once) => fixed(&until.place, once.longest(), longest),
            recurring => by_the_clock(&until.place, recurring, longest),
        },
        _ => None,
    }
}

/// Every opening is as long as that.
fn fixed(place: &Place, length: SignedDuration, longest: MaxPause<'_>) -> Option<Finding> {
    if length <= NEVER_SENT {
        return Some(too_short(place, length));
    }
    let max_pause = longest.length.filter(|max_pause| length > *max_pause)?;
    let message = format!(
        "{} is longer than `max_pause`, {}",
        span(length),
        span(max_pause)
    );
    Some(too_long(place, message, longest))
}

/// Openings are of many lengths, as clocks change.
fn by_the_clock(place: &Place, schedule: &Schedule, longest: MaxPause<'_>) -> Option<Finding> {
    if longer_than(schedule, NEVER_SENT).is_none() {
        return first_opening(schedule).map(|opening| too_short(place, opening.length()));
    }
    let max_pause = longest.length?;
    let opening = longer_than(schedule, max_pause)?;
    let opens = schedule.zone().to_datetime(opening.opens);
    let message = format!(
        "the occurrence of {} lasts {}, longer than `max_pause`, {}",
        text::minute(opens),
        span(opening.length()),
        span(max_pause)
    );
    Some(too_long(place, message, longest))
}

fn too_long(place: &Place, message: String, longest: MaxPause<'_>) -> Finding {
    let finding = (place.error(code::TOO_LONG, message))
        .hint("shorten the window, or raise `max_pause` in [controller]");
    match longest.place {
        Some(place) => finding.also(place.span.clone(), "the longest pause"),
        None => finding,
    }
}

fn too_short(place: &Place, length: SignedDuration) -> Finding {
    let message = format!("a window of {} never pauses anything", span(length));
    let hint = "a cluster may apply a pause seconds after accepting it: recess sends none that \
                ends within 5s";
    place.warning(code::TOO_SHORT, message).hint(hint)
}

/// The opening with which a walk begins.
fn first_opening(schedule: &Schedule) -> Option<Occurrence> {
    let from = schedule.zone().to_timestamp(FROM).ok()?;
    (schedule.open_at(from)).or_else(|| schedule.next_opening(from))
}

fn end(first: Occurrence) -> Timestamp {
    first.opens.checked_add(YEARS).unwrap_or(Timestamp::MAX)
}

/// Whether no break is met between its occurrences, from its first opening on.
pub fn never_closes(schedule: &Schedule) -> bool {
    let Some(mut open) = first_opening(schedule) else {
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
fn longer_than(schedule: &Schedule, limit: SignedDuration) -> Option<Occurrence> {
    if schedule.longest() <= limit {
        return None;
    }
    let first = first_opening(schedule)?;
    let until = end(first);
    std::iter::successors(Some(first), |last| schedule.next_opening(last.opens))
        .take_while(|opening| opening.opens < until)
        .take(STEPS)
        .find(|opening| opening.length() > limit)
}
