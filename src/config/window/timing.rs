//! When something begins and ends: from the keys that say so to a [`Schedule`].

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::window_length::never_closes;
use crate::calendar::{
    Boundary, Fixed, Length, Oddity, Pattern, PatternError, Rule, Schedule, Zone,
};
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{DateTimeValue, Entry, Placed, Timing};
use crate::config::value::date_time;
use crate::config::value::length::duration;
use crate::config::zone::{ZoneDefaults, timezone};

/// Which table the keys are in, which decides what messages advise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    Window,
    Exclusion,
}

impl TableKind {
    /// How to say when it begins.
    fn ways(self) -> &'static str {
        match self {
            Self::Window => {
                "add schedule = \"30 1 * * *\" with duration = \"2h\" or until = \"03:30\" for a \
                 window that recurs; for one that opens once, from = 2026-12-05T22:00:00 with \
                 until = 2026-12-06T04:00:00"
            }
            Self::Exclusion => {
                "add dates = [2026-12-25, 2026-12-26] for whole days, or calendar = \
                 \"holidays.ics\", or from = \
                 2026-11-26T00:00:00 with until = 2026-12-01T00:00:00; or, for one that recurs, \
                 schedule = \"0 8 * * 1\" with duration = \"10h\""
            }
        }
    }

    /// What becomes of `schedule` beside `from`.
    fn choice(self) -> &'static str {
        match self {
            Self::Window => {
                "keep `schedule` for a recurring window, or `from` and `until` for a single one; \
                 the first day of a schedule is `valid_from`"
            }
            Self::Exclusion => {
                "keep `schedule` for a recurring exclusion, or `from` and `until` for a single one"
            }
        }
    }

    /// What it means never to let go.
    fn endless(self) -> &'static str {
        match self {
            Self::Window => "the window opens again before it closes, so it would never close",
            Self::Exclusion => "it starts again before it ends, so its windows never open",
        }
    }
}

/// The schedule that the keys describe.
pub fn schedule(
    raw: &Timing,
    defaults: &ZoneDefaults<'_>,
    kind: TableKind,
    findings: &mut Vec<Finding>,
) -> Option<Schedule> {
    let zone = zone(raw, defaults, findings);
    match (&raw.schedule, &raw.from) {
        (Entry::Absent, Entry::Absent) => {
            no_beginning(raw, kind, findings);
            None
        }
        (_, Entry::Absent) => recurring(raw, zone, findings).map(Schedule::Recurring),
        (Entry::Absent, _) => once(raw, zone, findings).map(Schedule::Fixed),
        (schedule, from) => {
            findings.extend(two_beginnings(schedule, from, kind));
            (schedule.given()).and_then(|text| pattern(text, findings));
            (from.given()).and_then(|from| date_time::date_time(from, findings));
            None
        }
    }
}

/// Its own zone, else the one that it would have.
pub fn zone(
    raw: &Timing,
    defaults: &ZoneDefaults<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Zone> {
    match &raw.timezone {
        Entry::Absent => defaults.zone.clone(),
        own @ (Entry::Broken | Entry::Given(_)) => {
            (own.given()).and_then(|name| timezone(name, defaults.zones, findings))
        }
    }
}

fn no_beginning(raw: &Timing, kind: TableKind, findings: &mut Vec<Finding>) {
    let message = "its start is missing";
    let (place, hint) = match (&raw.duration, raw.until.given()) {
        (_, Some(until)) if until.value.has_date() => {
            date_time::date_time(until, findings);
            (
                &until.place,
                "add a line such as: from = 2026-12-05T22:00:00",
            )
        }
        (Entry::Absent, None) => (&raw.place, kind.ways()),
        (duration, until) => {
            (duration.given()).and_then(|text| self::duration(text, findings));
            until.and_then(|time| date_time::time_of_day(time, findings));
            (&raw.place, "add a line such as: schedule = \"30 1 * * *\"")
        }
    };
    findings.push(place.error(code::MISSING_KEY, message).hint(hint));
}

fn two_beginnings(
    schedule: &Entry<String>,
    from: &Entry<DateTimeValue>,
    kind: TableKind,
) -> Option<Finding> {
    let (schedule, from) = (schedule.place()?, from.place()?);
    let message = "`schedule` already defines the start";
    let finding = from.error(code::AMBIGUOUS_TIMING, message);
    Some((finding.hint(kind.choice())).also(schedule.span.clone(), "the schedule"))
}

/// From one date and time until another.
fn once(raw: &Timing, zone: Option<Zone>, findings: &mut Vec<Finding>) -> Option<Fixed> {
    let from = (raw.from.given()).and_then(|from| date_time::date_time(from, findings));
    let until = (raw.until.given()).and_then(|until| date_time::date_time(until, findings));
    if let Some(duration) = raw.duration.given() {
        let message = "`duration` cannot be combined with `from`";
        let hint = match &raw.until {
            Entry::Absent => "write the end instead: until = 2026-12-06T04:00:00",
            Entry::Broken | Entry::Given(_) => "remove the line: `until` defines the end",
        };
        findings.push(
            duration
                .place
                .error(code::MISPLACED_KEY, message)
                .hint(hint),
        );
        return None;
    }
    if raw.until.is_absent() {
        let place = raw.from.place().unwrap_or(&raw.place);
        let finding = place.error(code::MISSING_KEY, "there is no `until`");
        findings.push(finding.hint("add a line such as: until = 2026-12-06T04:00:00"));
    }
    let (zone, from, until) = (zone?, from?, until?);
    let zone = zone.time_zone();
    let fixed = Fixed::once(zone.clone(), from, until);
    if fixed.is_none() {
        findings.extend(reversed(raw, zone, from, until));
    }
    fixed
}

fn reversed(raw: &Timing, zone: &TimeZone, from: Boundary, until: Boundary) -> Option<Finding> {
    let skipped = match (from, until) {
        (Boundary::Local(from), Boundary::Local(until)) => from < until,
        _ => false,
    };
    let message = if skipped {
        "all times from `from` to `until` are in a spring-forward gap"
    } else {
        "it is not after `from`"
    };
    let hint = format!(
        "in UTC it would last from {} to {}: choose a later end",
        from.opening(zone),
        until.closing(zone)
    );
    let finding = (raw.until.place()?).error(code::ENDS_BEFORE_START, message);
    Some((finding.hint(hint)).also(raw.from.place()?.span.clone(), "it starts here"))
}

fn recurring(raw: &Timing, zone: Option<Zone>, findings: &mut Vec<Finding>) -> Option<Rule> {
    let pattern = (raw.schedule.given()).and_then(|text| pattern(text, findings));
    let length = length(raw, findings);
    Some(Rule::new(pattern?, zone?, length?))
}

/// When each opening of a rule closes.
fn length(raw: &Timing, findings: &mut Vec<Finding>) -> Option<Length> {
    let elapsed = (raw.duration.given()).and_then(|text| duration(text, findings));
    let until = (raw.until.given()).and_then(|time| date_time::time_of_day(time, findings));
    match (&raw.duration, &raw.until) {
        (Entry::Absent, Entry::Absent) => {
            let message = "`duration` or `until` is missing";
            let hint = "add a line such as: duration = \"2h\" (elapsed time), or: until = \
                        \"03:30\" (time of day)";
            findings.push(raw.place.error(code::MISSING_KEY, message).hint(hint));
            None
        }
        (Entry::Given(duration), Entry::Given(until)) => {
            let message = "`duration` already defines the end";
            let finding = until.place.error(code::AMBIGUOUS_TIMING, message);
            findings.push(
                (finding.hint("keep one of: duration, until"))
                    .also(duration.place.span.clone(), "the duration"),
            );
            None
        }
        _ => {
            let elapsed = elapsed.and_then(|elapsed| SignedDuration::try_from(elapsed).ok());
            elapsed.map(Length::Elapsed).or(until.map(Length::Until))
        }
    }
}

/// That a schedule never lets go, if it does not.
pub fn endless(raw: &Timing, schedule: &Schedule, kind: TableKind) -> Option<Finding> {
    let text = raw.schedule.given()?;
    if !never_closes(schedule) {
        return None;
    }
    let finding = text.place.error(code::NEVER_CLOSES, kind.endless());
    Some(match (&raw.duration, &raw.until) {
        (Entry::Given(duration), _) => finding
            .hint("choose a schedule that opens less often, or shorten `duration`")
            .also(duration.place.span.clone(), "each opening lasts this long"),
        (_, Entry::Given(until)) => finding
            .hint("choose a schedule that does not open again before `until`")
            .also(until.place.span.clone(), "each opening lasts until then"),
        _ => finding,
    })
}

/// A pattern that can be used, and hardly says what was meant.
fn odd(text: &Placed<String>, oddity: Oddity) -> Finding {
    let (message, hint) = match oddity {
        Oddity::LongStep { field, text } => (
            format!("`{text}` matches only the first {field}: the step is longer than the field"),
            "write the values themselves; for a longer period, write several windows".to_owned(),
        ),
        Oddity::UnevenStep { field, text, rest } => (
            format!("`{text}` does not divide the {field} field: the last step is only {rest}"),
            "write a step that divides the field, or the values themselves".to_owned(),
        ),
        Oddity::DayOrWeekday => (
            "it restricts both day and weekday: it opens on a day that matches either".to_owned(),
            "cron reads it so too; to require both, write + before the weekday, as in \"0 3 1-7 * \
             +MON\""
                .to_owned(),
        ),
        Oddity::DayAndWeekday => (
            "it restricts both day and weekday, one of them with `*`: it opens only on a day that \
             matches both"
                .to_owned(),
            "cron reads it so too, but other programs do not; to make it explicit, write + before \
             the weekday, as in \"0 3 */2 * +MON\""
                .to_owned(),
        ),
        Oddity::EveryHour { five } => (
            "with six fields the seconds are first: it opens every hour".to_owned(),
            format!("if five fields are meant, write \"{five}\""),
        ),
    };
    (text.place.warning(code::ODD_SCHEDULE, message)).hint(hint)
}

fn pattern(text: &Placed<String>, findings: &mut Vec<Finding>) -> Option<Pattern> {
    let error = match Pattern::parse(&text.value) {
        Ok(pattern) => {
            findings.extend((pattern.oddities().into_iter()).map(|oddity| odd(text, oddity)));
            return Some(pattern);
        }
        Err(error) => error,
    };
    findings.push(match error {
        PatternError::Unreadable { reason, instead } => {
            let message = format!("{:?} is not a cron pattern: {reason}", text.value);
            let instead = instead.unwrap_or_else(|| {
                "write minute (0-59), hour (0-23), day (1-31), month (1-12), weekday (0-7), as in \
                 \"30 1 * * *\"; seconds may precede them"
                    .to_owned()
            });
            (text.place.error(code::BAD_SCHEDULE, message)).hint(instead)
        }
        PatternError::NeverMatches => {
            let message = format!("{:?} matches no date and time", text.value);
            (text.place.error(code::NEVER_OPENS, message))
                .hint("check day and month: for example, no year has a 30 February")
        }
    });
    None
}
