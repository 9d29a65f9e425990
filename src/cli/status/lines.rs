//! What changes while it is watched, a line each: for a pipe, a log, a terminal that cannot be
//! drawn on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::consumers::why;
use super::stretches;
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::report::{BucketState, Report, Row};
use crate::summary::{Facts, Summary};
use crate::text::{self, utc, with_plain_blanks};
use crate::views::json;
use crate::visible::visible;

#[cfg(test)]
mod tests;

/// So many consumers are named of those that change alike.
const MAX_CONSUMERS_NAMED: usize = 3;

/// What was shown last.
#[derive(Default)]
pub struct Lines {
    before: Option<Shown>,
}

/// What lines are about. None of it changes by the passage of time alone.
struct Shown {
    connection: String,
    /// Is all as it should be?
    headline: String,
    /// By what each is about.
    others: BTreeMap<String, State>,
    /// As far as they were observed.
    consumers: BTreeMap<ConsumerId, Consumer>,
}

#[derive(PartialEq, Eq)]
struct State {
    text: String,
    /// As most are: no news at first.
    is_ordinary: bool,
    /// What is shown when it is no more.
    over: &'static str,
}

impl State {
    fn ordinary(text: String, over: &'static str) -> Self {
        Self {
            text,
            is_ordinary: true,
            over,
        }
    }

    fn news(text: String, over: &'static str) -> Self {
        Self {
            text,
            is_ordinary: false,
            over,
        }
    }
}

/// What is shown of one consumer.
#[derive(Clone, PartialEq, Eq)]
struct Consumer {
    state: &'static str,
    until: Option<Timestamp>,
    why: String,
}

impl Lines {
    /// What is other than before; at first, what is out of the ordinary.
    pub fn take(&mut self, facts: &Facts<'_>) -> String {
        let report = facts.report;
        let mut lines = Vec::new();
        let before = self.before.take();
        let mut shown = Shown {
            connection: connection(&report.link),
            headline: with_plain_blanks(&Summary::of(facts).headline),
            others: others(facts),
            consumers: BTreeMap::new(),
        };
        if before.as_ref().map(|before| &before.connection) != Some(&shown.connection) {
            lines.push(shown.connection.clone());
        }
        shown.compare_others(before.as_ref(), &mut lines);
        let (headline, known) = match before {
            Some(before) => (before.headline, before.consumers),
            None => Default::default(),
        };
        if facts.is_connected() {
            shown.consumers = consumers(report);
            compare_consumers(&known, &shown.consumers, &mut lines);
            if shown.headline != headline {
                lines.push(shown.headline.clone());
            }
        } else {
            // Each is what it was last, as far as is known.
            (shown.headline, shown.consumers) = (headline, known);
        }
        self.before = Some(shown);
        let at = text::utc_time(facts.now);
        let lines = lines.iter().map(|line| format!("{at} {}\n", visible(line)));
        lines.collect()
    }
}

impl Shown {
    fn compare_others(&self, before: Option<&Self>, lines: &mut Vec<String>) {
        for (subject, state) in &self.others {
            let known = before.and_then(|before| before.others.get(subject));
            let is_news = match (known, before) {
                (Some(known), _) => known != state,
                (None, Some(_)) => true,
                (None, None) => !state.is_ordinary,
            };
            if is_news {
                lines.push(format!("{subject}: {}", state.text));
            }
        }
        let known = before.into_iter().flat_map(|before| &before.others);
        for (subject, state) in known.filter(|(subject, _)| !self.others.contains_key(*subject)) {
            lines.push(format!("{subject}: {}", state.over));
        }
    }
}

fn connection(link: &Link) -> String {
    match link {
        Link::Up(server) => format!(
            "connected to nats-server {} at {}",
            server.version, server.address
        ),
        Link::Down { reason } => format!("not connected: {reason}"),
        Link::Unsuitable(why) => why.to_string(),
    }
}

fn others(facts: &Facts<'_>) -> BTreeMap<String, State> {
    let report = facts.report;
    let windows = report.windows.iter().map(|state| {
        let text = match facts.next(state) {
            Some(next) => format!("closed, opens next {}", utc(next.opens)),
            None => "closed, has no further opening in the next 10 years".to_owned(),
        };
        let state_of = State::ordinary(text, "removed");
        (format!("window {}", state.name), state_of)
    });
    let open = stretches::open_windows(facts).into_iter().map(|open| {
        let note = open
            .note
            .map_or_else(String::new, |note| format!(", {note}"));
        let text = format!("open until {}{note}", utc(open.until));
        (
            format!("window {}", open.name),
            State::news(text, "removed"),
        )
    });
    let overrides = stretches::overrides(facts)
        .into_iter()
        .map(|(one, stretch)| {
            let note = stretch.note.unwrap_or_default();
            let text = format!("{} until {}, {note}", stretch.name, utc(stretch.until));
            (format!("override {}", one.id), State::news(text, "ended"))
        });
    let failures = facts.lately.unanswered().iter().map(|failure| {
        let text = format!("cannot be observed: {}", failure.error);
        (failure.subject.clone(), State::news(text, "observed again"))
    });
    let bucket = unread(report).map(|text| {
        let subject = "overrides".to_owned();
        (subject, State::news(text, "read again"))
    });
    let refused = facts.refused.map(|why| {
        let text = format!("rejected, the config before it stays active: {why}");
        ("new config".to_owned(), State::news(text, "accepted"))
    });
    // Of a window that is open the later one stays.
    (windows.chain(open).chain(overrides))
        .chain(failures)
        .chain(bucket)
        .chain(refused)
        .collect()
}

/// Why the overrides are not known.
fn unread(report: &Report) -> Option<String> {
    let overrides = report.overrides.as_ref()?;
    let bucket = &overrides.bucket;
    match &overrides.state {
        BucketState::Unasked | BucketState::Read => None,
        BucketState::Missing => Some(format!("bucket {bucket} does not exist")),
        BucketState::Failed(error) => Some(format!("bucket {bucket} not read: {error}")),
    }
}

fn consumers(report: &Report) -> BTreeMap<ConsumerId, Consumer> {
    let rows = report.rows.iter();
    rows.map(|(id, row)| (id.clone(), consumer(row, report.at)))
        .collect()
}

fn consumer(row: &Row, at: Timestamp) -> Consumer {
    let (state, until) = json::observed(&row.found);
    let is_paused = row.found.is_paused();
    Consumer {
        state,
        until: until.filter(|_| is_paused),
        why: why(row, at),
    }
}

/// A line for those that have become the same; a window pauses thousands at once.
fn compare_consumers(
    before: &BTreeMap<ConsumerId, Consumer>,
    after: &BTreeMap<ConsumerId, Consumer>,
    lines: &mut Vec<String>,
) {
    let is_ordinary = |one: &Consumer| one.state == "running" && one.why == "settled";
    let news = after.iter().filter(|(id, one)| match before.get(*id) {
        Some(known) => known != *one,
        None => !is_ordinary(one),
    });
    type Alike<'a> = Vec<(&'a ConsumerId, Option<Timestamp>)>;
    let mut alike: BTreeMap<(&str, &str), Alike<'_>> = BTreeMap::new();
    for (id, one) in news {
        alike
            .entry((one.state, &one.why))
            .or_default()
            .push((id, one.until));
    }
    for ((state, why), them) in alike {
        let names = text::names(them.iter().map(|(id, _)| *id), MAX_CONSUMERS_NAMED);
        let untils: BTreeSet<String> = them
            .iter()
            .filter_map(|(_, until)| until.map(utc))
            .collect();
        let until = match (untils.first(), untils.last()) {
            (Some(first), Some(last)) if first == last => format!(" until {first}"),
            (Some(first), Some(last)) => format!(" until {first} to {last}"),
            _ => String::new(),
        };
        lines.push(format!("{names}: {state}{until}; {why}"));
    }
    let gone = before.keys().filter(|id| !after.contains_key(*id));
    let gone = text::names(gone, MAX_CONSUMERS_NAMED);
    if !gone.is_empty() {
        lines.push(format!("{gone}: no longer observed"));
    }
}
