//! The consumers: how each is, until when, whose pause it is, and what waits.

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};

use super::View;
use crate::consumer::{ConsumerId, Found, Observation, Owner, PauseState};
use crate::policy::Selector;
use crate::report::Row;
use crate::summary::{Counts, Trouble};
use crate::text::{self, count as number, grouped};
use crate::visible::visible;

/// So many are shown.
const MOST: usize = 200;

/// So many of these are printed: `style.css` leaves out the others.
const ON_PAPER: usize = 60;

/// So many streams are offered to choose from.
const MOST_STREAMS: usize = 20;

/// One of them.
struct Line<'v> {
    id: &'v ConsumerId,
    row: &'v Row,
    trouble: Option<Trouble>,
}

/// The table, or the first part of it: what is not as it should be comes first, then what is paused.
pub(super) fn section(view: &View<'_>) -> Markup {
    let rows = &view.facts.report.rows;
    let filter = view.consumer.map(Filter::of);
    let mut lines: Vec<Line<'_>> = (rows.iter())
        .filter(|(id, _)| filter.as_ref().is_none_or(|filter| filter.matches(id)))
        .map(|(id, row)| Line {
            id,
            row,
            trouble: Trouble::of(row, &view.facts),
        })
        .collect();
    lines.sort_by_key(|line| {
        let trouble = line
            .trouble
            .map_or((true, None), |trouble| (false, Some(trouble)));
        let is_unsettled = line.row.verdict.action().is_some() || line.row.unconfirmed.is_some();
        (trouble, !is_unsettled, !line.row.found.is_paused(), line.id)
    });
    let counts = Counts::of(lines.iter().map(|line| line.row));
    let shown = lines.get(..MOST).unwrap_or(&lines);
    html! {
        section aria-labelledby="consumers" {
            h2 id="consumers" tabindex="-1" {
                "Consumers "
                span.dim { (counted(&lines, &counts)) }
            }
            (of_filter(view, filter.as_ref()))
            @if shown.is_empty() {
                p.dim { "None." }
            } @else {
                (table(view, shown))
            }
            @if shown.len() > ON_PAPER {
                p.paper { "On paper: the first " (number(ON_PAPER)) " of " (number(lines.len())) "." }
            }
            @if lines.len() > shown.len() {
                (more(view, &lines, shown.len()))
            }
        }
    }
}

/// `7, of which 5 paused, 1 unknown`
fn counted(lines: &[Line<'_>], counts: &Counts) -> String {
    let all = number(lines.len());
    let unknown = lines
        .iter()
        .filter(|line| line.row.found == Found::Unknown)
        .count();
    match unknown {
        0 => format!("{all}, of which {} paused", number(counts.paused)),
        some if some == lines.len() => format!("{all}, their state is unknown"),
        some => {
            let paused = number(counts.paused);
            format!("{all}, of which {paused} paused, {} unknown", number(some))
        }
    }
}

/// Which of them are asked for.
struct Filter<'v> {
    given: &'v str,
    selector: Option<Selector>,
}

impl<'v> Filter<'v> {
    fn of(given: &'v str) -> Self {
        let selector = match given.contains('/') {
            true => Selector::parse(given),
            false => Selector::parse(&format!("*/{given}")),
        };
        Self {
            given,
            selector: selector.ok(),
        }
    }

    fn matches(&self, id: &ConsumerId) -> bool {
        (self.selector.as_ref()).is_none_or(|one| one.matches(id) != one.is_negated())
    }
}

fn of_filter(view: &View<'_>, filter: Option<&Filter<'_>>) -> Markup {
    let Some(filter) = filter else {
        return html! {};
    };
    let all = number(view.facts.report.rows.len());
    html! {
        p {
            @match filter.selector {
                Some(_) => { "Only those that match " code { (visible(filter.given)) } "." },
                None => { code { (visible(filter.given)) } " is not STREAM/CONSUMER, with * for any letters." },
            }
            " " a href="?" { "Show all " (all) }
        }
    }
}

/// What is left out, and how it can be seen.
fn more(view: &View<'_>, lines: &[Line<'_>], shown: usize) -> Markup {
    let mut streams: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *streams.entry(line.id.stream()).or_default() += 1;
    }
    let (few, others) = text::first_few(&streams, MOST_STREAMS);
    html! {
        p {
            "The first " (number(shown)) " of " (number(lines.len()))
            " are shown, those with problems first. " code { (view.command("recess status")) }
            " lists all; add " code { "?consumer=GLOB" } " to the address to choose. "
            @if streams.len() > 1 {
                "By stream: "
                @for (stream, count) in few {
                    a href=(link(stream)) { (visible(stream)) } " (" (number(*count)) ") "
                }
                @if others > 0 { "and " (others) " more." }
            }
        }
    }
}

/// The address of the page with one stream's consumers.
pub(super) fn link(stream: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    // What selectors give a meaning to is a letter in brackets; a `!` has one at the start alone.
    let literal: String = (stream.char_indices())
        .map(|(place, letter)| match letter {
            '*' | '?' | '[' | ']' | '{' | '}' => format!("[{letter}]"),
            '!' if place == 0 => "?".to_owned(),
            letter => letter.to_string(),
        })
        .collect();
    let glob = format!("{literal}/*");
    format!("?consumer={}", utf8_percent_encode(&glob, NON_ALPHANUMERIC))
}

fn table(view: &View<'_>, lines: &[Line<'_>]) -> Markup {
    let zone = view.abbreviation(view.facts.now);
    html! {
        table.cons {
            thead {
                tr {
                    th scope="col" { "Consumer" }
                    th scope="col" { "State" }
                    th scope="col" { "Until (" (zone) ")" }
                    th scope="col" { "Whose pause" }
                    th.r scope="col" { "Waiting" }
                    th.r scope="col" { "In flight" }
                    th scope="col" { "By" }
                }
            }
            tbody { @for line in lines { (row(view, line)) } }
        }
    }
}

fn row(view: &View<'_>, Line { id, row, trouble }: &Line<'_>) -> Markup {
    let seen = row.found.observation();
    let paused_until = seen.and_then(|seen| match seen.state {
        PauseState::Paused { until, .. } => Some(until),
        PauseState::Running | PauseState::Lapsed { .. } => None,
    });
    html! {
        tr {
            th scope="row" {
                span.stream { (visible(id.stream())) } " " span.gt { ">" } " " (visible(id.consumer()))
                @if let Some(trouble) = trouble {
                    div.warn.(trouble.level().as_str()) {
                        span aria-hidden="true" { (trouble.level().glyph()) } " "
                        (visible(&trouble.of_one(row, &view.facts)))
                    }
                }
            }
            td data-l="State" { (state(view, row, seen)) }
            td.n data-l="Until" {
                @match (&row.found, paused_until, row.desired.until()) {
                    (_, Some(until), _) => (deadline(view, until)),
                    // What the calendar says is all that is known.
                    (Found::Unknown, None, Some(until)) => span.dim { "scheduled: " (view.beside(until)) },
                    _ => {},
                }
            }
            td data-l="Whose" {
                @match row.found.paused_by(view.facts.report.mark()) {
                    Some(Owner::Recess) => "recess",
                    Some(Owner::Foreign) => "another client",
                    None => {},
                }
            }
            td.n.r data-l="Waiting" { @if let Some(seen) = seen { (grouped(seen.pending)) } }
            td.n.r data-l="In flight" { @if let Some(seen) = seen { (in_flight(seen)) } }
            td.by data-l="By" { (by(view, row)) }
        }
    }
}

fn deadline(view: &View<'_>, until: Timestamp) -> Markup {
    html! {
        (view.beside(until))
        span.dim { " in " (text::countdown(until, view.facts.now)) }
    }
}

fn state(view: &View<'_>, row: &Row, seen: Option<&Observation>) -> Markup {
    let paused = seen.filter(|seen| seen.state.is_paused());
    html! {
        @match (&row.found, paused) {
            (Found::Unknown, _) => span.st.unknown { "unknown" },
            (Found::Missing, _) => span.st.unknown { "missing" },
            (Found::Present(_), Some(seen)) if seen.counted && seen.ack_pending > 0 => {
                span.st.drain { "paused, " (grouped(seen.ack_pending)) " in flight" }
            }
            (Found::Present(_), Some(_)) => span.st.paused { "paused" },
            (Found::Present(_), None) if row.is_released() => span.st.run { "running, released" },
            (Found::Present(_), None) if row.windows.is_exempt(view.facts.now) => {
                span.st.run { "running, exempt" }
            }
            (Found::Present(_), None) => span.st.run { "running" },
        }
    }
}

/// With the ack policy `none` nothing is counted.
fn in_flight(seen: &Observation) -> String {
    match seen.counted {
        true => grouped(seen.ack_pending),
        false => "not counted".to_owned(),
    }
}

/// Its windows, and the overrides that have the last word on it now.
fn by(view: &View<'_>, row: &Row) -> Markup {
    let now = view.facts.now;
    let overrides = row.windows.overridden_by(now, now);
    let windows = row.held_by().map(|name| visible(name).into_owned());
    let overrides = overrides.iter().map(|one| {
        let verb = one.terms.verb.as_str();
        format!("{verb} by {}", visible(one.id.author()))
    });
    html! { (windows.chain(overrides).collect::<Vec<_>>().join(", ")) }
}
