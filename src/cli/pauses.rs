//! `recess plan --consumer`: the pauses of one consumer, its windows joined and its own moment of
//! return in them.

use jiff::Timestamp;
use serde::Serialize;

use super::table::{render, table};
use super::{Exit, Format, labels};
use crate::config::Config;
use crate::consumer::Candidate;
use crate::policy::Pause;
use crate::text::{self, rounded_span, utc};

/// One pause, as the JSON shows it.
#[derive(Debug, Serialize)]
struct PauseRow {
    consumer: String,
    from: String,
    until: String,
    windows: Vec<String>,
    overrides: Vec<String>,
}

/// Shows them, and whether there are any.
pub fn show(
    config: &Config,
    candidate: &Candidate<'_>,
    (from, until): (Timestamp, Timestamp),
    format: Format,
) -> (Exit, bool) {
    let (policy, id) = (&config.policy, candidate.id);
    let windows = policy.windows_of(candidate);
    let open = labels::open_keys(policy, &windows, candidate);
    let pauses = policy.pauses(id, &windows, from, until);
    if let Format::Json = format {
        if let Some(note) = labels::open_sentence(&open, "").lines().next() {
            super::print_error(&format!("note: {note}"));
        }
        return super::print_json_rows(pauses.map(|pause| PauseRow {
            consumer: id.path(),
            from: utc(pause.from),
            until: utc(pause.until),
            windows: pause.windows.names().map(str::to_owned).collect(),
            overrides: overrides(&pause),
        }));
    }
    let pauses = match super::table_rows(pauses, "choose an earlier --until") {
        Ok(pauses) => pauses,
        Err(exit) => return (exit, true),
    };
    let text = if windows.is_empty() && !windows.unmatched().is_empty() {
        format!("No window pauses {id}: its metadata does not match.\n")
    } else if windows.is_empty() {
        format!("No window names {id}.\n")
    } else if pauses.is_empty() {
        format!("{id} is not paused from {from} until {until}.\n")
    } else {
        text(&pauses)
    };
    let shown = super::print(&(text + &labels::open_sentence(&open, "")));
    (shown, !pauses.is_empty())
}

/// In the wall-clock time of the first window of each.
fn text(pauses: &[Pause]) -> String {
    let is_overridden = pauses.iter().any(|pause| !overrides(pause).is_empty());
    let by = if is_overridden {
        "WINDOWS AND OVERRIDES"
    } else {
        "WINDOWS"
    };
    let mut rows = table(&["PAUSED FROM", "UNTIL", "LENGTH", by]);
    for pause in pauses {
        let first = pause.windows.first();
        let local = |at: Timestamp| match first {
            Some(window) => text::local(at, window.schedule.zone()),
            None => at.to_string(),
        };
        rows.add_row([
            local(pause.from),
            local(pause.until),
            lasts(pause),
            made_by(pause),
        ]);
    }
    render(rows)
}

/// The overrides that have a part in it.
fn overrides(pause: &Pause) -> Vec<String> {
    let overrides = pause.windows.overridden_by(pause.from, pause.closes);
    overrides.iter().map(|one| one.id.to_string()).collect()
}

fn made_by(pause: &Pause) -> String {
    let windows = pause.windows.names().map(str::to_owned);
    let all: Vec<String> = windows.chain(overrides(pause)).collect();
    all.join(" ")
}

fn lasts(pause: &Pause) -> String {
    let lasts = pause.until.duration_since(pause.from);
    if lasts < Pause::FOLLOWED {
        rounded_span(lasts)
    } else {
        // Windows that take turns; `check` warns of them.
        "a year or more".to_owned()
    }
}
