//! What became of each consumer that was paused or resumed manually.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::bulk::{Bulk, BulkResult, BulkRun};
use crate::cli::overrides::Followed;
use crate::cli::table::{render, table};
use crate::consumer::{ConsumerId, Found, PauseState};
use crate::jetstream::nats::Nats;
use crate::plan::{BulkOp, Hold};
use crate::policy::{Pause, WindowSet};
use crate::report;
use crate::text::{self, utc};

/// How they were before.
pub struct Before(BTreeMap<ConsumerId, Option<Timestamp>>);

/// How they are now.
pub struct Answer {
    op: BulkOp,
    rows: Vec<Row>,
    dry_run: bool,
    record: Record,
}

/// Whether what was done is written down as an override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The config file has no bucket for that.
    NoBucket,
    /// Nothing is to be overridden, or nothing is written.
    Nothing,
    /// It is.
    Override {
        /// Its id.
        id: String,
        /// When it ends.
        until: Timestamp,
    },
}

struct Row {
    id: ConsumerId,
    result: &'static str,
    is_done: bool,
    /// Until when it is paused, or would be.
    until: Option<Timestamp>,
    was_until: Option<Timestamp>,
    error: Option<String>,
    /// It is released from windows that are open, or would be.
    is_released: bool,
    next: Option<NextPause>,
}

/// When a window pauses it again.
struct NextPause {
    window: String,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Debug, Serialize)]
pub struct RowJson<'a> {
    stream: &'a str,
    consumer: &'a str,
    result: &'static str,
    until: Option<String>,
    was_until: Option<String>,
    error: Option<&'a str>,
    next_pause: Option<NextPauseJson<'a>>,
    /// Only with a bucket.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    record: Option<Option<&'a str>>,
}

#[derive(Debug, Serialize)]
struct NextPauseJson<'a> {
    window: &'a str,
    from: String,
    until: String,
}

impl Answer {
    /// Notes how they are, before anything is sent.
    pub fn before(bulk: &Bulk<Nats>) -> Before {
        let rows = bulk.rows().iter();
        Before(
            rows.map(|(id, row)| (id.clone(), paused_until(&row.found)))
                .collect(),
        )
    }

    /// Whether each is as ordered.
    pub fn all_done(&self) -> bool {
        self.rows.iter().all(|row| row.is_done)
    }

    pub fn json<'a>(&'a self) -> Vec<RowJson<'a>> {
        let row = |row: &'a Row| RowJson {
            stream: row.id.stream(),
            consumer: row.id.consumer(),
            result: row.result,
            until: row.until.map(utc),
            was_until: row.was_until.map(utc),
            error: row.error.as_deref(),
            next_pause: row.next.as_ref().map(|next| NextPauseJson {
                window: &next.window,
                from: utc(next.from),
                until: utc(next.until),
            }),
            record: match &self.record {
                Record::NoBucket => None,
                Record::Nothing => Some(None),
                Record::Override { id, .. } => Some(Some(id)),
            },
        };
        self.rows.iter().map(row).collect()
    }

    pub fn text(&self) -> String {
        let resume = self.op == BulkOp::Resume;
        let (third, fourth) = match resume {
            true => ("NEXT PAUSE (UTC)", "BY WINDOW"),
            false => ("UNTIL (UTC)", "WHY"),
        };
        let mut rows = table(&["CONSUMER", "RESULT", third, fourth]);
        for row in &self.rows {
            let (at, words) = match &row.next {
                Some(next) => (Some(next.from), next.window.as_str()),
                None if resume => (None, ""),
                None => (row.until, ""),
            };
            let words = match row.result {
                "kept" => "already paused for longer",
                _ => row.error.as_deref().unwrap_or(words),
            };
            rows.add_row([
                row.id.to_string(),
                row.result.to_owned(),
                at.map_or_else(String::new, text::utc_cell),
                words.to_owned(),
            ]);
        }
        format!("{}\n{}\n", render(rows), self.summary())
    }

    fn summary(&self) -> String {
        let done = self.rows.iter().filter(|row| row.is_done).count();
        let all = self.rows.len();
        let mut text = match (self.op, self.dry_run) {
            (_, true) => {
                let would = self
                    .rows
                    .iter()
                    .filter(|row| row.result.starts_with("would"));
                let verb = match self.op {
                    BulkOp::Pause(_) => "paused",
                    BulkOp::Resume => "resumed",
                };
                format!(
                    "Nothing was sent; {} of {all} consumers would be {verb}.",
                    would.count()
                )
            }
            (BulkOp::Pause(_), false) => format!("{done} of {all} consumers are paused."),
            (BulkOp::Resume, false) => format!("{done} of {all} consumers deliver."),
        };
        if let Record::Override { id, until } = &self.record {
            let until = utc(*until);
            text += &format!("\nOverride {id} lasts until {until}. To undo it: recess undo {id}");
        }
        if self.op != BulkOp::Resume {
            return text;
        }
        let released = self.rows.iter().filter(|row| row.is_released).count();
        if released > 0 {
            text += &format!("\nReleased from open windows, until these close: {released}.");
        }
        let again = self.rows.iter().filter(|row| row.next.is_some()).count();
        if again > 0 {
            text += &format!(
                "\nWindows will pause {again} of them again. To prevent that, exclude them from the \
                 window (\"!STREAM/CONSUMER\") or add an [[exclusion]], then reload recess."
            );
        }
        text
    }
}

impl Before {
    /// What would be done.
    pub fn would(&self, bulk: &Bulk<Nats>, run: &BulkRun, record: Record) -> Answer {
        let mut answer = self.after(bulk, run, record);
        answer.dry_run = true;
        for row in answer.rows.iter_mut().filter(|row| row.result == "waiting") {
            row.result = match run.op {
                BulkOp::Pause(_) => "would-pause",
                BulkOp::Resume => "would-resume",
            };
            if let BulkOp::Pause(until) = run.op {
                row.until = Some(until);
            }
        }
        answer
    }

    /// What was done.
    pub fn after(&self, bulk: &Bulk<Nats>, run: &BulkRun, record: Record) -> Answer {
        self.answer(bulk, run.op, (bulk.rows(), &run.results), record)
    }

    /// What a daemon, or this command in its place, has done for a recorded pause.
    pub fn followed(
        &self,
        bulk: &Bulk<Nats>,
        until: Timestamp,
        followed: &Followed,
        record: Record,
    ) -> Answer {
        let was_longer = |id: &ConsumerId| self.0.get(id).copied().flatten() >= Some(until);
        let results = followed.results.iter().map(|(id, result)| {
            let result = match (result.is_done(), was_longer(id)) {
                (true, true) => BulkResult::Untouched,
                (true, false) => BulkResult::Done,
                (false, _) => result.clone(),
            };
            (id.clone(), result)
        });
        let results = results.collect();
        self.answer(
            bulk,
            BulkOp::Pause(until),
            (&followed.rows, &results),
            record,
        )
    }

    fn answer(
        &self,
        bulk: &Bulk<Nats>,
        op: BulkOp,
        (rows, results): (
            &BTreeMap<ConsumerId, report::Row>,
            &BTreeMap<ConsumerId, BulkResult>,
        ),
        record: Record,
    ) -> Answer {
        let now = bulk.server_now();
        let mut hold = bulk.holds();
        let row = |(id, result): (&ConsumerId, &BulkResult)| {
            let seen = rows.get(id);
            let found = seen.map(|row| &row.found);
            let resumes = seen.filter(|_| op == BulkOp::Resume);
            let (word, error) = word_and_error(result, op);
            Row {
                id: id.clone(),
                result: word,
                is_done: result.is_done(),
                until: found.and_then(paused_until),
                was_until: self.0.get(id).copied().flatten(),
                is_released: resumes.is_some_and(|row| hold(row) != Hold::None) && error.is_none(),
                next: resumes.and_then(|row| next_pause(&row.windows, now)),
                error,
            }
        };
        Answer {
            op,
            rows: results.iter().map(row).collect(),
            dry_run: false,
            record,
        }
    }
}

fn paused_until(found: &Found) -> Option<Timestamp> {
    match found.observation()?.state {
        PauseState::Paused { until, .. } => Some(until),
        PauseState::Running | PauseState::Lapsed { .. } => None,
    }
}

/// The word for it, and what went wrong.
fn word_and_error(result: &BulkResult, op: BulkOp) -> (&'static str, Option<String>) {
    let pause = op != BulkOp::Resume;
    let failed = |why: &str| ("failed", Some(why.to_owned()));
    match result {
        BulkResult::Waiting => ("waiting", None),
        BulkResult::Untouched if pause => ("kept", None),
        BulkResult::Untouched => ("running", None),
        BulkResult::Done if pause => ("paused", None),
        BulkResult::Done => ("resumed", None),
        BulkResult::Undone if pause => failed("another client resumed it at once"),
        BulkResult::Undone => failed("another client paused it again at once"),
        BulkResult::Missing => failed("it no longer exists"),
        BulkResult::TooLate => failed("the deadline passed before the pause was observed"),
        BulkResult::Unconfirmed => {
            failed("the server accepted the request but does not show its effect")
        }
        BulkResult::Unknown => failed("the server has not answered about it"),
        BulkResult::Failed(error) => ("failed", Some(error.to_string())),
    }
}

/// What pauses it next, once the windows that are open have closed.
fn next_pause(windows: &WindowSet, now: Timestamp) -> Option<NextPause> {
    let horizon = now.checked_add(Pause::FOLLOWED).unwrap_or(Timestamp::MAX);
    let closed = windows.covered_until(now, horizon);
    let openings = windows
        .iter()
        .filter_map(|window| Some((window.next_opening(closed)?, &window.name)));
    let (occurrence, window) = openings.min()?;
    Some(NextPause {
        window: window.to_string(),
        from: occurrence.opens,
        until: occurrence.closes,
    })
}
