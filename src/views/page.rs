//! The page: the state of everything for people who look rather than read.
//!
//! A pure function of a [`View`]. It acts on nothing and prints the command to type instead. It is
//! one HTML document without a request for anything else: [`STYLE`] and [`SCRIPT`] stand in it as
//! they are, so that their hashes can be allowed and everything else forbidden; hence no `style=`
//! attribute. What a chart shows stands beside it in words, and no state is shown by colour alone. The one
//! module that knows maud, which escapes whatever it is given; marks and control characters of
//! names go through [`crate::visible`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::jetstream::Link;
use crate::summary::{Facts, Level, Problem, Prose, Summary, with_config};
use crate::text;
use crate::visible::visible;

mod chart;
mod charts;
mod consumers;
mod openings;
mod overrides;
mod scale;
mod stretch;
mod svg;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

use timeline::Timeline;

/// What the one `style` element holds, byte for byte.
pub const STYLE: &str = include_str!("page/style.css");

/// What the one `script` element holds, byte for byte.
pub const SCRIPT: &str = include_str!("page/live.js");

/// So many things to check are shown, the most urgent ones.
const MOST_PROBLEMS: usize = 8;

/// The icon of the tab: two bars.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='4' \
                    y='3' width='3' height='10' rx='1' fill='%230f766e'/%3E%3Crect x='9' y='3' width='3' height='10' \
                    rx='1' fill='%230f766e'/%3E%3C/svg%3E";

/// What the page is made of.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    /// The state of everything.
    pub facts: Facts<'v>,
    /// When the config in force was loaded.
    pub loaded: Timestamp,
    /// Which consumers to show, as `?consumer=` has it: a selector, or a glob on consumers' names
    /// alone; `None` for all.
    pub consumer: Option<&'v str>,
}

impl View<'_> {
    fn zone(&self) -> &TimeZone {
        &self.facts.config.zone
    }

    /// An instant as it is said now.
    fn beside(&self, at: Timestamp) -> String {
        text::beside(at, self.facts.now, self.zone())
    }

    /// The abbreviation of the zone at an instant: `CET`
    fn abbreviation(&self, at: Timestamp) -> String {
        text::abbreviation(at, self.zone())
    }

    /// A command of recess's as it is to be typed here.
    fn command(&self, command: &str) -> String {
        visible(&with_config(command, &self.facts)).into_owned()
    }
}

/// The page as HTML.
pub fn page(view: &View<'_>) -> String {
    let summary = Summary::of(&view.facts);
    let instance = visible(view.facts.report.policy.instance());
    let days = scale::week(view.facts.now, view.zone());
    let timeline = Timeline::of(view, &days);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (summary.title()) " · recess " (instance) }
                link rel="icon" href=(ICON);
                // Without a script it is loaded again as a whole.
                noscript { meta http-equiv="refresh" content="30"; }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#consumers" { "To the consumers" }
                (header(view, &instance))
                main {
                    (verdict(&summary))
                    (charts::hatch())
                    (charts::near(view, &timeline, &summary))
                    (charts::week(view, &timeline, &days))
                    (consumers::section(view))
                    div.two {
                        (overrides::section(view))
                        (openings::section(view, &timeline))
                    }
                }
                (footer(view))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

fn header(view: &View<'_>, instance: &str) -> Markup {
    let now = view.facts.now;
    let local = now.to_zoned(view.zone().clone());
    let is_utc = *view.zone() == TimeZone::UTC;
    html! {
        header {
            div.brand {
                svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
                    rect x="6" y="4" width="4.4" height="16" rx="1.4" {}
                    rect x="13.6" y="4" width="4.4" height="16" rx="1.4" {}
                }
                b { "recess" }
                span.inst { (instance) }
            }
            div.clock {
                time datetime=(text::utc(now)) {
                    (text::day_month(local.date())) " " (local.year()) " "
                    b { (local.strftime("%H:%M")) } " " (view.abbreviation(now))
                }
                @if !is_utc {
                    span.dim { (now.strftime("%H:%M")) " UTC" }
                }
            }
            (link(view))
        }
    }
}

fn link(view: &View<'_>) -> Markup {
    let report = view.facts.report;
    let local = report.at.to_zoned(view.zone().clone());
    html! {
        div.link {
            @match &report.link {
                Link::Up(server) => {
                    span.st.run { "connected" } " "
                    span.dim {
                        "nats-server " (visible(&server.version)) " at "
                        (visible(server.address.trim_start_matches("nats://")))
                        ", observed " (text::time(&local))
                    }
                }
                Link::Down { .. } => span.st.down { "not connected" },
                Link::Unsuitable(_) => span.st.down { "unsupported server" },
            }
            @if let Some(standby) = report.standby {
                " " span.dim { "standby, acts " (text::length(standby.delay)) " after the primary" }
            }
        }
    }
}

fn verdict(summary: &Summary) -> Markup {
    let level = summary.level;
    html! {
        section.verdict.(level.as_str()) aria-labelledby="v" {
            div.glyph aria-hidden="true" { (level.glyph()) }
            div {
                h1 id="v" { (summary.headline) }
                p { (prose(&summary.outlook)) }
            }
            (todo(&summary.problems))
        }
    }
}

fn prose(prose: &Prose) -> Markup {
    html! {
        @for piece in prose.pieces() {
            @if piece.is_strong { b { (piece.text) } } @else { (piece.text) }
        }
    }
}

/// The things to check: the first as it is, the others behind it.
fn todo(problems: &[Problem]) -> Markup {
    let Some((first, others)) = problems.split_first() else {
        return html! {};
    };
    let count = problems.len();
    let left_out = others.len().saturating_sub(MOST_PROBLEMS - 1);
    html! {
        div.todo {
            h2 { @if count == 1 { "1 thing to check" } @else { (count) " things to check" } }
            (problem(first))
            @if !others.is_empty() {
                details open[others.len() < 3] {
                    summary { (others.len()) " more" }
                    ul {
                        @for other in others.iter().take(MOST_PROBLEMS - 1) { li { (problem(other)) } }
                        @if left_out > 0 { li { (left_out) " more are in the log." } }
                    }
                }
            }
        }
    }
}

fn problem(problem: &Problem) -> Markup {
    let class = problem.level.as_str();
    html! {
        p.(class) {
            span aria-hidden="true" { (problem.level.glyph()) } " "
            @if problem.level == Level::Bad { span.urgent { "Urgent: " } }
            b { (problem.about) } " " (problem.text) "."
        }
        code.cmd { (problem.command) }
    }
}

fn footer(view: &View<'_>) -> Markup {
    let config = view.facts.config;
    html! {
        footer {
            span { "recess " (env!("CARGO_PKG_VERSION")) }
            span { (visible(&config.source.path.display().to_string())) ", loaded " (view.beside(view.loaded)) }
            span { "zone data " (config.zone_data.version) }
            span {
                a href="/metrics" { "metrics" } " "
                a href="/healthz" { "healthz" } " "
                a href="/readyz" { "readyz" }
            }
            span { "This page reads only; act with " code { "recess" } "." }
        }
    }
}
