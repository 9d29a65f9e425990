//! Windows that open no more, not for long, or only in exclusions.

use jiff::{SignedDuration, Timestamp};

use super::{SOON, later};
use crate::calendar::Schedule;
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place};
use crate::config::file::raw;
use crate::policy::{Exclusion, Window};
use crate::text::local_minute;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn of_window(raw: &raw::Window, window: &Window, now: Timestamp) -> Option<Finding> {
    let schedule = &window.schedule;
    let place = beginning(&raw.timing);
    let zone = schedule.zone();
    match first(schedule, now) {
        None => {
            let last = schedule.latest_opening(now, Timestamp::MIN)?;
            let message = format!(
                "it closed for the last time on {}",
                local_minute(last.closes, zone)
            );
            let hint = "remove the window, or give it a future time";
            Some(place.warning(code::PAST, message).hint(hint))
        }
        // What opens once may be as far ahead as one likes.
        Some(opens) if opens > later(now, SOON) && matches!(schedule, Schedule::Recurring(_)) => {
            let message = format!(
                "it does not open in the next 400 days, but on {}",
                local_minute(opens, zone)
            );
            let hint = "check day, month, weekday and `valid_from`";
            Some(place.warning(code::NOT_SOON, message).hint(hint))
        }
        Some(opens) if is_swallowed(window, now, later(opens.max(now), SOON)) => {
            let names: Vec<&str> = window.exclusions.iter().map(|one| &*one.name).collect();
            let message = format!(
                "exclusions remove all of it in the next 400 days: {}",
                names.join(", ")
            );
            let hint = "shorten the exclusion, or limit it with `windows`";
            Some(place.warning(code::EXCLUDED, message).hint(hint))
        }
        Some(_) => None,
    }
}

pub(super) fn of_exclusion(
    raw: &raw::Exclusion,
    exclusion: &Exclusion,
    now: Timestamp,
) -> Option<Finding> {
    let next = first(&exclusion.schedule, now);
    if exclusion.events.is_some() {
        return calendar_ends(raw, &exclusion.schedule, next, now);
    }
    if next.is_some() {
        return None;
    }
    let last = exclusion.schedule.latest_opening(now, Timestamp::MIN)?;
    let place = raw.dates.place().unwrap_or(beginning(&raw.timing));
    let message = format!(
        "it ended for the last time on {}",
        local_minute(last.closes, exclusion.schedule.zone())
    );
    let hint = "remove the exclusion, or give it a future time";
    Some(place.warning(code::PAST, message).hint(hint))
}

/// A calendar without events in the next year is one that was not fetched again.
fn calendar_ends(
    raw: &raw::Exclusion,
    schedule: &Schedule,
    next: Option<Timestamp>,
    now: Timestamp,
) -> Option<Finding> {
    if next.is_some_and(|next| next <= later(now, SOON)) {
        return None;
    }
    let zone = schedule.zone();
    let last = schedule.latest_opening(now, Timestamp::MIN);
    let but = match (next, last) {
        (Some(next), _) => format!("the next begins on {}", local_minute(next, zone)),
        (None, last) => format!("the last ended on {}", local_minute(last?.closes, zone)),
    };
    let message = format!("it has no event in the next 400 days: {but}");
    let hint = "add the coming years to the calendar, or fetch it again";
    Some(
        (raw.calendar.place()?)
            .warning(code::CALENDAR_ENDS, message)
            .hint(hint),
    )
}

/// Where it stands when something begins.
fn beginning(timing: &raw::Timing) -> &Place {
    let place = timing.schedule.place().or(timing.from.place());
    place.unwrap_or(&timing.place)
}

/// The opening that is open at `now`, or the next one.
fn first(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let opening = schedule.open_at(now).or_else(|| schedule.next_opening(now));
    opening.map(|opening| opening.opens)
}

/// Whether exclusions leave nothing of a window. The search begins at each day: a search for an
/// opening that is left ends by itself where exclusions swallow many of them one by one.
fn is_swallowed(window: &Window, now: Timestamp, until: Timestamp) -> bool {
    if window.exclusions.is_empty() || window.open_at(now).is_some() {
        return false;
    }
    let days = std::iter::successors(Some(now), |day| Some(later(*day, DAY)));
    (days.take_while(|day| *day < until))
        .all(|day| window.next_opening_before(day, until).is_none())
}
