//! The exclusions of the file, checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendar_file;
use super::timing::{self, TableKind};
use crate::calendar::{Fixed, Schedule};
use crate::config::file::code;
use crate::config::file::findings::Finding;
use crate::config::file::raw::{self, DateTimeValue, Entry, Placed, Texts};
use crate::config::suggest;
use crate::config::value::{date_time, names};
use crate::config::zone::ZoneDefaults;
use crate::policy;
use crate::text;

/// A year's rule that holds for longer never lets go.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// An exclusion, and the windows that it concerns.
#[derive(Debug)]
pub struct Exclusion {
    pub exclusion: Arc<policy::Exclusion>,
    /// By name; `None` for every window.
    windows: Option<Vec<String>>,
}

impl Exclusion {
    pub fn concerns(&self, window: &str) -> bool {
        (self.windows.as_ref()).is_none_or(|names| names.iter().any(|name| name == window))
    }
}

/// The exclusions. Those with a mistake are left out. Paths are relative to `folder`.
pub fn exclusions(
    raw: &raw::File,
    folder: &Path,
    defaults: &ZoneDefaults<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<Exclusion> {
    let list = raw.exclusions.given().map_or(&[][..], |list| &list.value);
    names::unique(list.iter().map(|raw| &raw.name), "exclusion", findings);
    let windows: Option<Vec<&str>> = match &raw.windows {
        Entry::Absent => Some(Vec::new()),
        Entry::Broken => None,
        Entry::Given(list) => {
            let names = list.value.iter().filter_map(|window| window.name.given());
            Some(names.map(|name| name.value.as_str()).collect())
        }
    };
    (list.iter())
        .filter_map(|raw| exclusion(raw, folder, defaults, windows.as_deref(), findings))
        .collect()
}

fn exclusion(
    raw: &raw::Exclusion,
    folder: &Path,
    defaults: &ZoneDefaults<'_>,
    known: Option<&[&str]>,
    findings: &mut Vec<Finding>,
) -> Option<Exclusion> {
    let name = (raw.name.given()).and_then(|text| names::name(text, findings));
    let windows = match &raw.windows {
        Entry::Absent => Some(None),
        Entry::Broken => None,
        Entry::Given(list) => windows(list, known, findings).map(Some),
    };
    let (schedule, events) = if !raw.calendar.is_absent() || !raw.events.is_absent() {
        let zone = timing::zone(&raw.timing, defaults, findings);
        let from_file = calendar_file::read(
            raw,
            zone.map(TimeZone::from),
            defaults.zones,
            folder,
            findings,
        );
        from_file.map(|(fixed, events)| (Schedule::Fixed(fixed), Some(events)))?
    } else if !raw.dates.is_absent() {
        let zone = timing::zone(&raw.timing, defaults, findings);
        let dates = raw.dates.given();
        findings.extend(dates.and_then(|dates| second_form(raw, dates)));
        dates.and_then(|dates| Some((days(dates, zone.map(TimeZone::from), findings)?, None)))?
    } else {
        let kind = TableKind::Exclusion;
        (
            timing::schedule(&raw.timing, defaults, kind, findings)?,
            None,
        )
    };
    findings.extend(timing::endless(
        &raw.timing,
        &schedule,
        TableKind::Exclusion,
    ));
    findings.extend(too_long(raw, &schedule));
    let exclusion = policy::Exclusion {
        name: name?.into(),
        schedule,
        events,
    };
    Some(Exclusion {
        exclusion: Arc::new(exclusion),
        windows: windows?,
    })
}

/// The windows that are named.
fn windows(
    list: &Placed<Texts>,
    known: Option<&[&str]>,
    findings: &mut Vec<Finding>,
) -> Option<Vec<String>> {
    if list.value.is_empty() {
        let message = "the list is empty, so it excludes nothing";
        let hint = "name windows, or remove the line to exclude all windows";
        findings.push((list.place.error(code::EXCLUDES_NOTHING, message)).hint(hint));
        return None;
    }
    if let Some(known) = known {
        let unknown = list
            .value
            .iter()
            .filter(|name| !known.contains(&name.value.as_str()));
        findings.extend(unknown.map(|name| unknown_window(name, known)));
    }
    Some(list.value.iter().map(|name| name.value.clone()).collect())
}

fn unknown_window(name: &Placed<String>, known: &[&str]) -> Finding {
    let hint = match suggest::closest(&name.value, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None if known.is_empty() => "this file has no windows".to_owned(),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("{name:?}")).collect();
            format!("this file has: {}", known.join(", "))
        }
    };
    let message = format!("there is no window {:?}", name.value);
    (name.place.error(code::UNKNOWN_WINDOW, message)).hint(hint)
}

/// A key beside `dates` that says something else about when it holds.
fn second_form(
    raw: &raw::Exclusion,
    dates: &Placed<Vec<Placed<DateTimeValue>>>,
) -> Option<Finding> {
    let timing = &raw.timing;
    let others = [
        timing.schedule.place(),
        timing.duration.place(),
        timing.from.place(),
        timing.until.place(),
    ];
    let finding = (others.into_iter().flatten().next()?).error(
        code::AMBIGUOUS_TIMING,
        "`dates` already defines when it holds",
    );
    Some(
        finding
            .hint("keep `dates`, or `from` and `until`, or `schedule` with `duration` or `until`")
            .also(dates.place.span.clone(), "the dates"),
    )
}

/// Whole days.
fn days(
    list: &Placed<Vec<Placed<DateTimeValue>>>,
    zone: Option<TimeZone>,
    findings: &mut Vec<Finding>,
) -> Option<Schedule> {
    if list.value.is_empty() {
        let message = "the list is empty, so it excludes nothing";
        let hint = "name days, as in dates = [2026-12-25, 2026-12-26]";
        findings.push((list.place.error(code::EXCLUDES_NOTHING, message)).hint(hint));
    }
    let mut dates: Vec<(Date, &Placed<DateTimeValue>)> = Vec::new();
    for written in &list.value {
        let Some(date) = date_time::date(written, findings) else {
            continue;
        };
        match dates.iter().find(|(known, _)| *known == date) {
            Some((_, first)) => findings.push(
                (written.place)
                    .warning(code::DUPLICATE_DATE, format!("{date} is repeated"))
                    .hint("remove one of them, unless another day was meant")
                    .also(first.place.span.clone(), "first written here"),
            ),
            None => dates.push((date, written)),
        }
    }
    let zone = zone?;
    for (date, written) in &dates {
        let day = Fixed::days(zone.clone(), &[*date]);
        if day.next_opening(Timestamp::MIN).is_none() {
            let zone = zone.iana_name().unwrap_or("that zone");
            let message = format!("{date} does not exist in {zone}");
            let hint = "remove the day, or check the time zone";
            findings.push((written.place.error(code::EXCLUDES_NOTHING, message)).hint(hint));
        }
    }
    let dates: Vec<Date> = dates.iter().map(|(date, _)| *date).collect();
    Some(Schedule::Fixed(Fixed::days(zone, &dates)))
}

fn too_long(raw: &raw::Exclusion, schedule: &Schedule) -> Option<Finding> {
    let text = raw.timing.duration.given()?;
    if schedule.longest() <= SignedDuration::try_from(LONGEST).ok()? {
        return None;
    }
    let message = format!("{:?} is too long", text.value);
    let longest = text::length(LONGEST);
    let hint = format!(
        "the maximum is {longest}; with `from` and `until` instead of `schedule` there is none"
    );
    Some((text.place.error(code::OUT_OF_RANGE, message)).hint(hint))
}
