//! What windows do as a calendar, for people who plan around them: `plan --format ics` and
//! `/calendar.ics`.
//!
//! The same config and the same overrides make the same bytes all day long: nothing in it is the
//! present time. An event is an occurrence, as calendar programs know no cron rules; it is dated by
//! when its config file was written, or by the last override of it.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::config::Config;
use crate::consumer::Candidate;
use crate::ics::{Entry, write};
use crate::policy::{Override, Pause, Policy, Window};
use crate::text::utc;

#[cfg(test)]
mod tests;

/// So many days before today, and after it.
const DAYS: (i64, i64) = (7, 60);

/// What is decided, and when the config file was written.
#[derive(Clone, Copy)]
pub struct Decided<'d> {
    /// The windows, with their overrides.
    pub policy: &'d Policy,
    /// [`Config::modified`].
    pub modified: Timestamp,
}

impl<'d> From<&'d Config> for Decided<'d> {
    fn from(config: &'d Config) -> Self {
        Self {
            policy: &config.policy,
            modified: config.modified,
        }
    }
}

/// What is shown at `now`: whole days of UTC.
pub fn span(now: Timestamp) -> (Timestamp, Timestamp) {
    let today = TimeZone::UTC.to_datetime(now).with().time(Time::midnight());
    let today = today.build().ok();
    let midnight = today.and_then(|today| TimeZone::UTC.to_timestamp(today).ok());
    let midnight = midnight.unwrap_or(now);
    let days = |count: i64| SignedDuration::from_hours(24 * count);
    let (before, after) = DAYS;
    (
        midnight.checked_sub(days(before)).unwrap_or(Timestamp::MIN),
        midnight
            .checked_add(days(after + 1))
            .unwrap_or(Timestamp::MAX),
    )
}

/// The openings of the windows of these names (of all, where no name is given), and those that
/// overrides have cancelled.
pub fn windows(
    decided: Decided<'_>,
    only: &[String],
    (from, until): (Timestamp, Timestamp),
) -> Vec<Entry> {
    let policy = decided.policy;
    let open = policy.openings(from, until, only);
    let open = open.map(|opening| (opening.window, opening.occurrence, false));
    let mut all: Vec<(&Window, Occurrence, bool)> = open.collect();
    let overridden = policy.windows_named(only);
    for window in overridden.filter(|window| !window.overlay().is_empty()) {
        let by_file = window.by_file().walk(from, until);
        let cancelled = by_file.filter(|one| window.walk(one.opens, one.closes).next().is_none());
        all.extend(cancelled.map(|one| (window, one, true)));
    }
    all.sort_by_key(|(window, one, _)| (one.opens, window.name.clone()));
    (all.into_iter())
        .map(|(window, one, is_cancelled)| {
            let touching = window.overlay().touching(one.opens, one.closes);
            let overrides: Vec<&Override> = touching.map(|span| &*span.by).collect();
            decided.entry(
                &format!("{}/{}", window.name, utc(one.opens)),
                (one.opens, one.closes),
                window.name.to_string(),
                format!("Pauses {}", window.selection),
                &overrides,
                is_cancelled,
            )
        })
        .collect()
}

/// The pauses of a consumer.
pub fn consumer(
    decided: Decided<'_>,
    candidate: &Candidate<'_>,
    (from, until): (Timestamp, Timestamp),
) -> Vec<Entry> {
    let id = candidate.id;
    let windows = decided.policy.windows_of(candidate);
    let pauses = decided.policy.pauses(id, &windows, from, until);
    let pauses = pauses.map(|pause: Pause| {
        let overrides = pause.windows.overridden_by(pause.from, pause.closes);
        let overrides: Vec<&Override> = overrides.iter().map(|one| &**one).collect();
        let names: Vec<&str> = pause.windows.names().collect();
        decided.entry(
            &format!("{}/{}", id.path(), utc(pause.from)),
            (pause.from, pause.until),
            format!("{id} paused"),
            format!("Windows: {}", names.join(", ")),
            &overrides,
            false,
        )
    });
    pauses.collect()
}

/// The calendar of these entries. `of`: the window or consumer, if it is one's.
pub fn calendar(decided: Decided<'_>, of: Option<&str>, entries: Vec<Entry>) -> String {
    let instance = decided.policy.instance();
    let name = match of {
        Some(of) => format!("recess {instance}: {of}"),
        None => format!("recess {instance}"),
    };
    write(&name, entries)
}

impl Decided<'_> {
    fn entry(
        self,
        what: &str,
        (begins, ends): (Timestamp, Timestamp),
        summary: String,
        mut description: String,
        overrides: &[&Override],
        is_cancelled: bool,
    ) -> Entry {
        let mut stamp = self.modified;
        for one in overrides {
            stamp = stamp.max(one.made);
            let (verb, by) = (one.terms.verb.as_str(), one.id.author());
            description += &format!("\n{verb} by {by} ({})", one.id);
            if let Some(reason) = &one.terms.reason {
                description += &format!(": {reason}");
            }
        }
        Entry {
            uid: format!("{what}@{}.recess", self.policy.instance()),
            stamp,
            begins,
            ends,
            summary,
            description,
            is_cancelled,
        }
    }
}
