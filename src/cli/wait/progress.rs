//! How a wait goes on, at a terminal: one line, written over and over.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use jiff::SignedDuration;

use super::outcome::Row;
use crate::cli::table::terminal_width;
use crate::consumer::ConsumerId;
use crate::drain::{DrainState, Goal};
use crate::text::rounded_span;

/// So many of those that are waited for are named.
const MAX_CONSUMERS_NAMED: usize = 3;

/// The line at the bottom of a terminal; nothing elsewhere.
pub struct Progress {
    terminal: bool,
}

impl Progress {
    pub fn new(terminal: bool) -> Self {
        Self { terminal }
    }

    pub fn show(
        &self,
        goal: Goal,
        rows: &BTreeMap<ConsumerId, Row>,
        trouble: Option<&str>,
        left: Duration,
    ) {
        let left = rounded_span(SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX));
        self.write(&line(goal, rows, trouble, &left));
    }

    pub fn show_opening(&self, window: &str, wait: SignedDuration) {
        self.write(&format!("window {window} opens in {}", rounded_span(wait)));
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.write("");
    }

    fn write(&self, text: &str) {
        if !self.terminal {
            return;
        }
        let width = terminal_width(io::stderr()).map_or(80, usize::from);
        // In the last column some terminals wrap.
        let text: String = text.chars().take(width.saturating_sub(1)).collect();
        let mut out = io::stderr().lock();
        let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
    }
}

fn line(goal: Goal, rows: &BTreeMap<ConsumerId, Row>, trouble: Option<&str>, left: &str) -> String {
    let reached = (rows.values()).filter(|row| row.state == DrainState::Reached);
    let mut line = format!("{} of {} {}", reached.count(), rows.len(), goal.as_str());
    let others: Vec<String> = (rows.iter())
        .filter(|(_, row)| !row.state.is_final())
        .take(MAX_CONSUMERS_NAMED)
        .map(|(id, row)| match row.state {
            DrainState::Draining(count) => format!("{id} ({count} in flight)"),
            state @ (DrainState::Reached
            | DrainState::Running
            | DrainState::Paused
            | DrainState::Stalled(_)
            | DrainState::Uncounted
            | DrainState::Missing
            | DrainState::Unknown) => format!("{id} ({})", state.as_str()),
        })
        .collect();
    for part in [
        Some(format!("{left} left")),
        Some(others.join(", ")),
        trouble.map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .filter(|part| !part.is_empty())
    {
        line += "; ";
        line += &part;
    }
    line
}
