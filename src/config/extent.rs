//! How long a window is: too long to be one pause, or too short to be any.

use jiff::SignedDuration;

use super::findings::{Finding, Place};
use super::raw::{Entry, Timing};
use super::windows::Context;
use super::{code, endless, length};
use crate::calendar::Schedule;

/// A pause that ends within five seconds could not be relied upon to be applied before it ends; it is never sent.
const NEVER_SENT: SignedDuration = SignedDuration::from_secs(5);

/// What is wrong with the length of a window, or doubtful. A `duration` is judged by itself, so that it is told together
/// with other mistakes of the window; an `until` needs the schedule.
pub(super) fn unusual(
    raw: &Timing,
    schedule: Option<&Schedule>,
    context: &Context<'_>,
) -> Option<Finding> {
    match (&raw.duration, &raw.until) {
        (Entry::Given(duration), Entry::Absent) => {
            let length = length::parse(&duration.value).ok()?;
            let length = SignedDuration::try_from(length).ok()?;
            fixed(&duration.place, length, context)
        }
        (Entry::Absent, Entry::Given(until)) => match schedule? {
            Schedule::Fixed(once) => fixed(&until.place, once.longest(), context),
            recurring => by_the_clock(&until.place, recurring, context),
        },
        _ => None,
    }
}

/// Every opening is as long as that.
fn fixed(place: &Place, length: SignedDuration, context: &Context<'_>) -> Option<Finding> {
    if length <= NEVER_SENT {
        return Some(too_short(place, length));
    }
    let max_pause = context.max_pause.filter(|max_pause| length > *max_pause)?;
    let message = format!(
        "{} is longer than the longest pause, {}",
        show(length),
        show(max_pause)
    );
    Some(too_long(place, message, context))
}

/// Openings are of many lengths, as clocks change.
fn by_the_clock(place: &Place, schedule: &Schedule, context: &Context<'_>) -> Option<Finding> {
    if endless::longer_than(schedule, NEVER_SENT).is_none() {
        return endless::first(schedule).map(|opening| too_short(place, opening.length()));
    }
    let max_pause = context.max_pause?;
    let opening = endless::longer_than(schedule, max_pause)?;
    let opens = schedule.zone().to_datetime(opening.opens);
    let message = format!(
        "the opening of {} lasts {}, longer than the longest pause, {}",
        opens.strftime("%Y-%m-%d %H:%M"),
        show(opening.length()),
        show(max_pause)
    );
    Some(too_long(place, message, context))
}

fn too_long(place: &Place, message: String, context: &Context<'_>) -> Finding {
    let finding = (place.error(code::TOO_LONG, message))
        .hint("shorten the window, or raise `max_pause` in [controller]");
    match context.max_pause_place {
        Some(place) => finding.also(place.span.clone(), "the longest pause"),
        None => finding,
    }
}

fn too_short(place: &Place, length: SignedDuration) -> Finding {
    let message = format!("a window of {} never pauses anything", show(length));
    let hint = "a cluster may apply a pause seconds after accepting it: recess sends none that ends \
                within 5s";
    place.warning(code::TOO_SHORT, message).hint(hint)
}

fn show(length: SignedDuration) -> String {
    length::show(length.unsigned_abs())
}
