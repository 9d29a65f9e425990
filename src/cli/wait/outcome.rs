//! What a wait came to, for people, for programs, and as an exit status.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::released::Release;
use crate::calendar::Occurrence;
use crate::cli::Exit;
use crate::cli::table::{render, table};
use crate::consumer::ConsumerId;
use crate::drain::{DrainState, Goal};
use crate::policy::Window;
use crate::report::LeftOut;
use crate::text::{self, rounded_span, utc};

/// How a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All are what was waited for.
    Reached,
    /// All are, but some of which it cannot be known, or that globs leave out though they may have
    /// messages in flight.
    Unknown,
    /// Some have messages in flight whose worker has stopped.
    Stalled,
    /// There is no consumer to wait for, or no longer.
    NoConsumer,
    /// The time is over.
    TimedOut,
    /// A selector matches no consumer that exists.
    Unmatched,
    /// It cannot go on, for a reason that was reported: with this status.
    Failed(Exit),
    /// A consumer was released from the pause that is waited for, and stays so.
    Released,
    /// The window does not open in time; when it does.
    NotOpen(Option<Occurrence>),
    /// A signal ended the wait.
    Interrupted,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unknown => "unknown",
            Self::Stalled => "stalled",
            Self::NoConsumer => "no-consumer",
            Self::TimedOut => "timed-out",
            Self::Unmatched => "unmatched",
            Self::Released => "released",
            Self::Failed(_) => "failed",
            Self::NotOpen(_) => "not-open",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One consumer.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub state: DrainState,
    /// Until when it is paused.
    pub until: Option<Timestamp>,
    /// The deadline at which it was released from a pause, if that is what it still has.
    pub release: Option<Timestamp>,
    pub ack_pending: Option<u64>,
}

/// What is known at the end.
pub struct Outcome {
    pub goal: Goal,
    pub end: End,
    pub took: Duration,
    pub at: Timestamp,
    pub window: Option<Window>,
    /// The window's occurrence.
    pub open: Option<Occurrence>,
    pub rows: BTreeMap<ConsumerId, Row>,
    /// Who was not considered.
    pub left_out: LeftOut,
    /// Why something could not be observed.
    pub trouble: Option<String>,
    /// Which consumer stays released.
    pub released: Option<Release>,
}

#[derive(Debug, Serialize)]
pub struct OutcomeJson<'a> {
    #[serde(rename = "for")]
    goal: &'static str,
    outcome: &'static str,
    seconds: u64,
    window: Option<&'a str>,
    /// Of the occurrence that is open, or else of the next.
    opens: Option<String>,
    closes: Option<String>,
    /// When the first of the pauses ends.
    until: Option<String>,
    /// Why something could not be observed, or there is no connection.
    error: Option<&'a str>,
    consumers: Vec<RowJson<'a>>,
    /// Consumers that a glob leaves out: not durable, or serving another stream.
    passed_over: Vec<PassedOverJson<'a>>,
}

#[derive(Debug, Serialize)]
struct PassedOverJson<'a> {
    stream: &'a str,
    consumer: &'a str,
}

#[derive(Debug, Serialize)]
struct RowJson<'a> {
    stream: &'a str,
    consumer: &'a str,
    state: &'static str,
    until: Option<String>,
    ack_pending: Option<u64>,
}

impl Outcome {
    pub fn exit(&self) -> Exit {
        match self.end {
            End::Reached => Exit::Done,
            End::Unknown => Exit::Reported,
            End::Stalled
            | End::NoConsumer
            | End::TimedOut
            | End::Unmatched
            | End::Released
            | End::NotOpen(_) => Exit::Failed,
            End::Failed(exit) => exit,
            End::Interrupted => Exit::Interrupted,
        }
    }

    pub fn json(&self) -> OutcomeJson<'_> {
        let occurrence = match self.end {
            End::NotOpen(next) => next,
            End::Reached
            | End::Unknown
            | End::Stalled
            | End::NoConsumer
            | End::Unmatched
            | End::Released
            | End::Failed(_)
            | End::TimedOut
            | End::Interrupted => self.open,
        };
        OutcomeJson {
            goal: self.goal.as_str(),
            outcome: self.end.as_str(),
            seconds: self.took.as_secs(),
            window: self.window.as_ref().map(|window| &*window.name),
            opens: occurrence.map(|one| utc(one.opens)),
            closes: occurrence.map(|one| utc(one.closes)),
            until: first_end(&self.rows).map(utc),
            error: self.trouble.as_deref(),
            consumers: (self.rows.iter())
                .map(|(id, row)| RowJson {
                    stream: id.stream(),
                    consumer: id.consumer(),
                    state: row.state.as_str(),
                    until: row.until.map(utc),
                    ack_pending: row.ack_pending,
                })
                .collect(),
            passed_over: (self.left_out.passed_over.keys())
                .map(|id| PassedOverJson {
                    stream: id.stream(),
                    consumer: id.consumer(),
                })
                .collect(),
        }
    }

    /// If all are as wanted, a line; otherwise a table of those that are not.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if matches!(self.end, End::Unmatched | End::Failed(_)) {
            return text;
        }
        if self.end == End::Reached {
            text += &format!("{}{}\n", self.all(), self.until());
        }
        let others = (self.rows.iter()).filter(|(_, row)| row.state != DrainState::Reached);
        let mut rows = table(&["CONSUMER", "STATE", "IN FLIGHT", "PAUSED UNTIL (UTC)"]);
        for (id, row) in others {
            rows.add_row([
                id.to_string(),
                row.state.as_str().to_owned(),
                (row.ack_pending).map_or_else(String::new, |count| count.to_string()),
                (row.until).map_or_else(String::new, text::utc_cell),
            ]);
        }
        if !rows.is_empty() {
            text += &render(rows);
        }
        text
    }

    fn all(&self) -> String {
        let goal = self.goal.as_str();
        let reached: Vec<&ConsumerId> = self.of(|state| state == DrainState::Reached);
        match reached[..] {
            [id] => format!("{id} is {goal}"),
            _ => format!("{} consumers are {goal}", reached.len()),
        }
    }

    fn until(&self) -> String {
        match first_end(&self.rows) {
            Some(until) => format!(
                ", until {} (in {})",
                utc(until),
                rounded_span(until.duration_since(self.at))
            ),
            None => String::new(),
        }
    }

    fn of(&self, which: impl Fn(DrainState) -> bool) -> Vec<&ConsumerId> {
        let rows = self.rows.iter().filter(|(_, row)| which(row.state));
        rows.map(|(id, _)| id).collect()
    }

    /// Why the status is not 0.
    pub fn complaint(&self) -> Option<String> {
        let goal = self.goal.as_str();
        let name = self.window.as_ref().map_or("", |window| &window.name);
        let so_far = || {
            let reached = self.of(|state| state == DrainState::Reached).len();
            let all = self.rows.len();
            match &self.trouble {
                Some(trouble) if all == 0 => trouble.clone(),
                Some(trouble) => format!("{reached} of {all} consumers are {goal}; {trouble}"),
                None => format!("{reached} of {all} consumers are {goal}"),
            }
        };
        let names = |which: fn(DrainState) -> bool| {
            const MAX_CONSUMERS_NAMED: usize = 3;
            text::names(self.of(which), MAX_CONSUMERS_NAMED)
        };
        Some(match self.end {
            End::Reached | End::Unmatched | End::Failed(_) => return None,
            End::Interrupted => format!("interrupted: {}", so_far()),
            End::TimedOut => format!(
                "error: timed out after {}: {}",
                text::length(self.took),
                so_far()
            ),
            End::Stalled => format!(
                "error: stalled: {}: its messages in flight have outlived ack_wait, so their \
                 worker has stopped or returned them; the server delivers them again after the \
                 pause",
                names(|state| matches!(state, DrainState::Stalled(_)))
            ),
            End::Unknown => {
                let uncounted = names(|state| state == DrainState::Uncounted);
                if uncounted.is_empty() {
                    "unknown: a wildcard leaves out consumers that may have messages in flight; \
                     name them exactly, or exclude them with !"
                        .to_owned()
                } else {
                    format!(
                        "unknown: {uncounted} has ack policy none, so the server does not count \
                         messages in flight"
                    )
                }
            }
            End::NoConsumer if self.window.is_none() => format!(
                "error: deleted meanwhile: {}",
                names(|state| state == DrainState::Missing)
            ),
            End::NoConsumer => format!("error: window {name} matches no existing consumer"),
            End::Released => {
                let release = self.released.as_ref();
                format!("error: {}", release.map_or_else(so_far, Release::sentence))
            }
            End::NotOpen(Some(next)) => format!(
                "error: window {name} is closed and opens next {}, in {}, after the timeout",
                utc(next.opens),
                rounded_span(next.opens.duration_since(self.at).max(SignedDuration::ZERO))
            ),
            End::NotOpen(None) => {
                format!(
                    "error: window {name} is closed and has no further opening in the next 10 years"
                )
            }
        })
    }
}

/// The earliest end of a pause among those that are paused.
fn first_end(rows: &BTreeMap<ConsumerId, Row>) -> Option<Timestamp> {
    rows.values().filter_map(|row| row.until).min()
}
