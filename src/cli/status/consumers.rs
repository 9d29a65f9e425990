//! The table of consumers: once, and again and again while it is watched.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{ConsumerId, Owner, PauseState};
use crate::plan::{Rule, Verdict};
use crate::report::{Report, Row};
use crate::summary::{Facts, Trouble};
use crate::text::{self, rounded_span};
use crate::views::json;

/// The headings; that of the deadlines names their zone: `UNTIL (UTC)`.
pub fn headings(until: &str) -> [&str; 10] {
    [
        "CONSUMER", "WANTED", "FOUND", until, "LEFT", "WHOSE", "BACKLOG", "UNACKED", "WHY",
        "WINDOWS",
    ]
}

/// What a narrow terminal does without: LEFT says what UNTIL does.
pub fn dispensable(until: &str) -> [&str; 5] {
    [until, "UNACKED", "BACKLOG", "WHOSE", "WINDOWS"]
}

/// A consumer's line, at that uptime; `until` writes a deadline.
pub fn cells(
    report: &Report,
    id: &ConsumerId,
    row: &Row,
    uptime: Duration,
    until: impl Fn(Timestamp) -> String,
) -> [String; 10] {
    let seen = row.found.observation();
    let (state, deadline) = json::observed(&row.found);
    let age = SignedDuration::try_from(uptime.saturating_sub(row.seen)).unwrap_or_default();
    let left = match seen.map(|seen| seen.state) {
        Some(PauseState::Paused { remaining, .. }) => {
            rounded_span((remaining - age).max(SignedDuration::ZERO))
        }
        _ => String::new(),
    };
    let count = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    [
        id.to_string(),
        row.desired.as_str().to_owned(),
        state.to_owned(),
        deadline.map_or_else(String::new, until),
        left,
        (row.owner(report.mark()))
            .map_or("", Owner::as_str)
            .to_owned(),
        count(seen.map(|seen| seen.pending)),
        count(seen.map(|seen| seen.ack_pending)),
        why(row, report.at) + &losing(row),
        held_by(report, row),
    ]
}

/// Its windows, and the overrides that last.
fn held_by(report: &Report, row: &Row) -> String {
    let windows = row.held_by().map(str::to_owned);
    let all: Vec<String> = windows.chain(json::overrides_on(report, row)).collect();
    all.join(" ")
}

/// What ought to be done: whether a daemon does it, only the daemon knows. Where that is nothing
/// although it is not plainly as wanted, the rule says why; and that it is exempt.
pub fn why(row: &Row, at: Timestamp) -> String {
    match (row.verdict, row.rule) {
        (verdict, _) if verdict.action().is_some() => format!("should {verdict}"),
        (Verdict::Settled, Rule::Running | Rule::Lapsed | Rule::LapsedForeign)
            if row.windows.is_exempt(at) =>
        {
            "exempt".to_owned()
        }
        (Verdict::Settled, Rule::Running | Rule::Paused) => "settled".to_owned(),
        (Verdict::Settled, rule) => format!("settled: {rule}"),
        (verdict, _) => verdict.to_string(),
    }
}

/// What its pause loses.
fn losing(row: &Row) -> String {
    row.backlog
        .losses()
        .to_come
        .map_or_else(String::new, |loss| {
            let at = text::at_or_about(loss.at, loss.exact);
            format!("; {} {at}", loss.cause.as_str())
        })
}

/// How much a consumer calls for attention, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Something is wrong with it.
    Wrong(Trouble),
    /// It is not simply as wanted.
    Unsettled,
    /// It is paused, as wanted.
    Held,
    /// It delivers, as wanted.
    Free,
}

pub fn rank(row: &Row, facts: &Facts<'_>) -> Rank {
    match (Trouble::of(row, facts), row.verdict, row.rule) {
        (Some(trouble), _, _) => Rank::Wrong(trouble),
        (None, Verdict::Settled, Rule::Running) => Rank::Free,
        (None, Verdict::Settled, Rule::Paused | Rule::Tail) => Rank::Held,
        (None, _, _) => Rank::Unsettled,
    }
}
