//! The calendar of an exclusion: an iCalendar file beside the config file, read with it. What is
//! wrong in it is reported with the mistakes of the config file, and with its own lines.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::Fixed;
use crate::config::file::code;
use crate::config::file::findings::{Finding, Place, Source};
use crate::config::file::raw::{self, Entry, Placed, Texts};
use crate::config::zone::Zones;
use crate::ics::{self, Contents, Reader, Remark};
use crate::policy::{Event, EventGlob, Events};
use crate::visible::sanitize;

/// A year of public holidays takes some 10 kB.
const LARGEST: u64 = 1024 * 1024;

/// A calendar that goes on without an end, and whose last time is longer, has no gap any more.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The times of the calendar, and its events.
pub fn read(
    raw: &raw::Exclusion,
    zone: Option<TimeZone>,
    zones: &Zones,
    folder: &Path,
    findings: &mut Vec<Finding>,
) -> Option<(Fixed, Events)> {
    let globs = globs(&raw.events, findings);
    let Some(path) = raw.calendar.given() else {
        if let (Entry::Absent, Some(place)) = (&raw.calendar, raw.events.place()) {
            let message = "there is no `calendar`";
            let finding = place.error(code::MISPLACED_KEY, message);
            findings.push(finding.hint("add a line such as: calendar = \"holidays.ics\""));
        }
        return None;
    };
    findings.extend(second_form(raw, &path.place));
    let (source, bytes) = bytes(path, folder, findings)?;
    let (zone, globs) = (zone?, globs?);
    let contents = ics::read(
        &bytes,
        &Reader {
            zone: &zone,
            find_zone: &|name| zones.find(name).map(TimeZone::from),
            counts: &|summary| match &globs {
                None => true,
                Some(globs) => EventGlob::count(globs, summary),
            },
        },
    );
    let report = |remark: &Remark, is_mistake: bool| {
        let (shown, line) = (source.path.display(), remark.line);
        let message = format!("{shown}:{line}: {}", sanitize(&remark.message));
        let finding = match is_mistake {
            true => path.place.error(code::BAD_CALENDAR, message),
            false => path.place.warning(code::ODD_EVENT, message),
        };
        let finding = finding.elsewhere(&source, line);
        match &remark.hint {
            Some(hint) => finding.hint(sanitize(hint)),
            None => finding,
        }
    };
    findings.extend(
        contents
            .mistakes
            .iter()
            .map(|mistake| report(mistake, true)),
    );
    if !contents.mistakes.is_empty() {
        return None;
    }
    findings.extend(together(&contents.oddities).map(|oddity| report(&oddity, false)));
    let times = contents.events.iter().flat_map(|event| &event.times);
    let fixed = Fixed::joined(zone.clone(), times.copied().collect());
    if fixed.longest().is_zero() {
        findings.push(nothing(path, raw, &contents));
        return None;
    }
    if let Some(globs) = raw.events.given() {
        findings.extend(unmatched(globs, &contents));
    }
    let goes_on = contents.events.iter().any(|event| event.goes_on);
    let last = fixed.latest_opening(Timestamp::MAX);
    if goes_on && last.is_some_and(|last| last.length() > LONGEST) {
        let message = "its events follow each other without a gap, so its windows never open";
        let hint = "check the event that recurs without an end, or choose others with `events`";
        findings.push(path.place.error(code::NEVER_CLOSES, message).hint(hint));
    }
    Some((fixed, events(contents, goes_on)))
}

fn events(contents: Contents, goes_on: bool) -> Events {
    let each = contents.events.into_iter().flat_map(|event| {
        let summary = event.summary;
        (event.times.into_iter()).map(move |[begins, ends]| Event {
            summary: summary.clone(),
            begins,
            ends,
        })
    });
    Events::new(each.collect(), goes_on)
}

/// The globs, if there are any; `None` where one is wrong.
#[expect(
    clippy::option_option,
    reason = "no globs are not the same as wrong ones"
)]
fn globs(raw: &Entry<Texts>, findings: &mut Vec<Finding>) -> Option<Option<Vec<EventGlob>>> {
    const HINT: &str = r#"name events by their SUMMARY, as in ["*", "!*half day*"]"#;
    let list = match raw {
        Entry::Absent => return Some(None),
        Entry::Broken => return None,
        Entry::Given(list) => list,
    };
    let globs: Vec<EventGlob> = (list.value.iter())
        .filter_map(|text| {
            let glob = EventGlob::parse(&text.value);
            glob.map_err(|reason| {
                let message = format!("{:?} is not a valid wildcard: {reason}", text.value);
                let hint = "wildcards are *, ?, [abc] and {one,two}: close every bracket";
                findings.push(text.place.error(code::BAD_EVENTS, message).hint(hint));
            })
            .ok()
        })
        .collect();
    if globs.len() < list.value.len() {
        return None;
    }
    if globs.iter().all(EventGlob::is_negated) {
        let message = match globs.is_empty() {
            true => "the list is empty, so it excludes nothing",
            false => "all entries take away (`!`), so it excludes nothing",
        };
        findings.push(list.place.error(code::EXCLUDES_NOTHING, message).hint(HINT));
        return None;
    }
    Some(Some(globs))
}

/// A key beside `calendar` that says something else about when it holds.
fn second_form(raw: &raw::Exclusion, calendar: &Place) -> Option<Finding> {
    let timing = &raw.timing;
    let others = [
        raw.dates.place(),
        timing.schedule.place(),
        timing.duration.place(),
        timing.from.place(),
        timing.until.place(),
    ];
    let message = "`calendar` already defines when it holds";
    let finding = others.into_iter().flatten().next()?;
    let finding = finding.error(code::AMBIGUOUS_TIMING, message);
    let hint = "keep one of them: several exclusions can hold for the same windows";
    Some(
        finding
            .hint(hint)
            .also(calendar.span.clone(), "the calendar"),
    )
}

/// The file.
fn bytes(
    path: &Placed<String>,
    folder: &Path,
    findings: &mut Vec<Finding>,
) -> Option<(Source, Vec<u8>)> {
    let text = &path.value;
    if text.contains("://") {
        let message = format!("{text:?} is a URL, and recess fetches nothing");
        let hint = "let a timer fetch the calendar into a file, as in \
                    examples/automation/recess-calendar.timer, and name that file";
        findings.push(path.place.error(code::BAD_PATH, message).hint(hint));
        return None;
    }
    if text.trim().is_empty() {
        let finding = path.place.error(code::BAD_PATH, "it is empty");
        findings.push(finding.hint(r#"name a file, as in calendar = "holidays.ics""#));
        return None;
    }
    let file = folder.join(text);
    match bounded(&file) {
        Ok(bytes) => Some((Source::new(&file, &String::from_utf8_lossy(&bytes)), bytes)),
        Err(error) => {
            let message = format!("cannot read {}: {error}", file.display());
            let finding = path.place.error(code::UNREADABLE, message);
            let hint = match error.kind() == io::ErrorKind::PermissionDenied {
                true => format!(
                    "the service runs as its own user: chmod a+r {}",
                    file.display()
                ),
                false => "a relative path begins at the folder of the config file".to_owned(),
            };
            findings.push(finding.hint(hint));
            None
        }
    }
}

/// A file that is one, and not larger than [`LARGEST`].
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    // To open a pipe would be to wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= LARGEST => Ok(bytes),
        _ => Err(io::Error::other("it is larger than 1 MiB")),
    }
}

/// What is odd in the same way, once: one program makes all events of a file alike.
fn together(oddities: &[Remark]) -> impl Iterator<Item = Remark> {
    let mut seen = HashSet::new();
    (oddities.iter())
        .filter(move |oddity| seen.insert(oddity.message.as_str()))
        .map(|oddity| {
            let alike = oddities.iter().filter(|one| one.message == oddity.message);
            let mut oddity = oddity.clone();
            match alike.count() - 1 {
                0 => {}
                1 => oddity.message += " (1 more event likewise)",
                more => oddity.message += &format!(" ({more} more events likewise)"),
            }
            oddity
        })
}

/// Globs without effect: a name that is spelt otherwise.
fn unmatched(globs: &Placed<Texts>, contents: &Contents) -> Vec<Finding> {
    let matches = |text: &Placed<String>| {
        let glob = EventGlob::parse(&text.value).ok();
        let mut summaries = contents.summaries.iter();
        glob.is_none_or(|glob| summaries.any(|summary| glob.matches(summary)))
    };
    (globs.value.iter())
        .filter(|text| !matches(text))
        .map(|text| {
            let message = format!("{:?} matches no event of the calendar", text.value);
            let hint = "check the spelling, capitals too, or remove the entry";
            text.place
                .warning(code::UNMATCHED_EVENTS, message)
                .hint(hint)
        })
        .collect()
}

fn nothing(path: &Placed<String>, raw: &raw::Exclusion, contents: &Contents) -> Finding {
    let (place, what) = match raw.events.place() {
        _ if contents.summaries.is_empty() => (&path.place, "the calendar has no events"),
        Some(globs) => (globs, "no event of the calendar counts"),
        None => (&path.place, "no event of the calendar takes place"),
    };
    let message = format!("{what}, so it excludes nothing");
    let finding = place.error(code::EXCLUDES_NOTHING, message);
    let names: Vec<String> = (contents.summaries.iter().take(3))
        .map(|summary| format!("{summary:?}"))
        .collect();
    match names.is_empty() {
        true => finding.hint("fetch the file again"),
        false => finding.hint(format!("its events are: {}", names.join(", "))),
    }
}
