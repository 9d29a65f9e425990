//! What programs get: the arrays that `status`, `plan` and `overrides` print as JSON, and that the
//! daemon serves. One row each, one way to write them, so that neither can disagree with the other.
//!
//! The rows of openings and overrides are made where those are
//! ([`Opening::row`](crate::policy::Opening::row), [`Listed::row`](crate::overrides::listed::Listed::row)).

use std::io;

use jiff::Timestamp;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::consumer::{ConsumerId, Found, Owner, PauseState};
use crate::report::{Report, Row};
use crate::retention::Loss;
use crate::text::utc;

/// Writes rows as an array, one by one as they come, and a line feed. Whether there were any.
///
/// # Errors
/// Those of `out`.
pub fn write_rows<T: Serialize>(
    mut out: impl io::Write,
    rows: impl Iterator<Item = T>,
) -> io::Result<bool> {
    let mut rows = rows.peekable();
    let any = rows.peek().is_some();
    let mut json = serde_json::Serializer::pretty(&mut out);
    let mut array = json.serialize_seq(None)?;
    for row in rows {
        array.serialize_element(&row)?;
    }
    array.end()?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(any)
}

/// One consumer.
#[derive(Debug, Serialize)]
pub struct StatusRow<'a> {
    stream: &'a str,
    consumer: &'a str,
    desired: StateRow,
    observed: StateRow,
    owner: Option<&'static str>,
    verdict: &'static str,
    rule: &'static str,
    windows: Vec<&'a str>,
    overrides: Vec<String>,
    exempt: bool,
    pending: Option<u64>,
    ack_pending: Option<u64>,
    loss: Option<LossRow>,
}

/// A loss to come.
#[derive(Debug, Serialize)]
pub struct LossRow {
    at: String,
    cause: &'static str,
    exact: bool,
}

impl LossRow {
    /// That loss.
    pub fn of(loss: Loss) -> Self {
        Self {
            at: utc(loss.at),
            cause: loss.cause.as_str(),
            exact: loss.exact,
        }
    }
}

/// What a consumer should be, or is.
#[derive(Debug, Serialize)]
pub struct StateRow {
    state: &'static str,
    until: Option<String>,
}

impl StateRow {
    /// What was found.
    pub fn found(found: &Found) -> Self {
        let (state, until) = observed(found);
        Self {
            state,
            until: until.map(utc),
        }
    }
}

/// What was found: the word for it, and the deadline that is stored.
pub fn observed(found: &Found) -> (&'static str, Option<Timestamp>) {
    match found {
        Found::Unknown => ("unknown", None),
        Found::Missing => ("missing", None),
        Found::Present(seen) => match seen.state {
            PauseState::Running => ("running", None),
            PauseState::Lapsed { until } => ("lapsed", Some(until)),
            PauseState::Paused { until, .. } => ("paused", Some(until)),
        },
    }
}

/// Every consumer in scope.
pub fn status(report: &Report) -> impl Iterator<Item = StatusRow<'_>> {
    let rows = report.rows.iter();
    rows.map(|(id, row)| status_row(report, id, row))
}

fn status_row<'a>(report: &'a Report, id: &'a ConsumerId, row: &'a Row) -> StatusRow<'a> {
    StatusRow {
        stream: id.stream(),
        consumer: id.consumer(),
        desired: StateRow {
            state: row.desired.as_str(),
            until: row.desired.until().map(utc),
        },
        observed: StateRow::found(&row.found),
        owner: row.owner(report.mark()).map(Owner::as_str),
        verdict: row.verdict.as_str(),
        rule: row.rule.as_str(),
        windows: row.windows.names().collect(),
        overrides: overrides_on(report, row),
        exempt: row.windows.is_exempt(report.at),
        pending: row.found.observation().map(|seen| seen.pending),
        ack_pending: row.found.observation().map(|seen| seen.ack_pending),
        loss: row.backlog.losses().to_come.map(LossRow::of),
    }
}

/// The overrides that have the last word on a consumer now.
pub fn overrides_on(report: &Report, row: &Row) -> Vec<String> {
    let overrides = row.windows.overridden_by(report.at, report.at);
    overrides.iter().map(|one| one.id.to_string()).collect()
}
