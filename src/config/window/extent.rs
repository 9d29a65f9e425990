//! How long a window is: too long to be one pause, or too short to be any.

use jiff::SignedDuration;

use super::endless;
use crate::calendar::Schedule;
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place};
use crate::config::file::raw::{Entry, Timing};
use crate::config::value::length;

/// A pause that ends within five seconds could not be relied upon to be applied before it ends; it is never sent.
const NEVER_SENT: SignedDuration = SignedDuration::from_secs(5);

/// The longest pause, `controller.max_pause`.
#[derive(Clone, Copy, Debug)]
pub struct MaxPause<'f> {
    /// `None` where it could not be read.
    pub length: Option<SignedDuration>,
    /// Where it stands in the file, if it does.
    pub place: Option<&'f Place>,
}

/// What is wrong with the length of a window, or doubtful. A `duration` is judged by itself, so that it is told together
/// with other mistakes of the window; an `until` needs the schedule.
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
        "{} is longer than the longest pause, {}",
        show(length),
        show(max_pause)
    );
    Some(too_long(place, message, longest))
}

/// Openings are of many lengths, as clocks change.
fn by_the_clock(place: &Place, schedule: &Schedule, longest: MaxPause<'_>) -> Option<Finding> {
    if endless::longer_than(schedule, NEVER_SENT).is_none() {
        return endless::first(schedule).map(|opening| too_short(place, opening.length()));
    }
    let max_pause = longest.length?;
    let opening = endless::longer_than(schedule, max_pause)?;
    let opens = schedule.zone().to_datetime(opening.opens);
    let message = format!(
        "the opening of {} lasts {}, longer than the longest pause, {}",
        opens.strftime("%Y-%m-%d %H:%M"),
        show(opening.length()),
        show(max_pause)
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
    let message = format!("a window of {} never pauses anything", show(length));
    let hint = "a cluster may apply a pause seconds after accepting it: recess sends none that ends \
                within 5s";
    place.warning(code::TOO_SHORT, message).hint(hint)
}

fn show(length: SignedDuration) -> String {
    length::show(length.unsigned_abs())
}
