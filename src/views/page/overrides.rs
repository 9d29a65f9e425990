//! What people decided at run time: what, why, who, and the command that takes it back.

use std::sync::Arc;

use maud::{Markup, html};

use super::View;
use crate::overrides::listed::State;
use crate::policy::{Override, Verb};
use crate::text;
use crate::visible::visible;

/// So many are shown, those that end first.
const MOST: usize = 20;

/// The overrides that are not over.
pub(super) fn section(view: &View<'_>) -> Markup {
    let report = view.facts.report;
    let live = report.overrides.iter().flat_map(|all| &all.read.live);
    let state = |one: &Override| State::of(one, &report.policy, view.facts.now);
    let mut lasting: Vec<(&Arc<Override>, State)> = (live.map(|one| (one, state(one))))
        .filter(|(_, state)| !state.is_over())
        .collect();
    lasting.sort_by_key(|(one, state)| {
        let terms = &one.terms;
        (*state != State::Active, terms.until, one.sequence)
    });
    let count = lasting.len();
    html! {
        section aria-labelledby="o" {
            h2 id="o" {
                "Overrides "
                @match count {
                    0 => {},
                    1 => span.dim { "1 override, it ends by itself" },
                    count => span.dim { (count) " overrides, each ends by itself" },
                }
            }
            @if report.overrides.is_none() {
                p.dim { "The config has no " code { "[overrides]" } "." }
            } @else if lasting.is_empty() {
                p.dim { "None. " code { "recess open" } ", " code { "close" } ", " code { "extend" } " and " code { "skip" } " make one." }
            } @else {
                ul.ovs {
                    @for (one, state) in lasting.iter().take(MOST) { (item(view, one, *state)) }
                }
            }
            @if count > MOST {
                p { (count - MOST) " more: " code { (view.command("recess overrides")) } }
            }
        }
    }
}

fn item(view: &View<'_>, one: &Override, state: State) -> Markup {
    let terms = &one.terms;
    let target = terms.target.to_string();
    html! {
        li.ov {
            div.what {
                b { (terms.verb.past()) } " " code { (visible(&target)) } " " (when(view, one, state))
            }
            @if let Some(reason) = &terms.reason { div.why { "“" (visible(reason)) "”" } }
            @if state == State::Idle { div.who { "without effect: the config has no such window" } }
            div.who { (visible(one.id.author())) ", " (view.beside(one.made)) }
            code.cmd { (view.command(&format!("recess undo {}", text::shell_argument(&one.id.to_string())))) }
        }
    }
}

/// `until 06:00`, `03:30 → 04:00`
fn when(view: &View<'_>, one: &Override, state: State) -> Markup {
    let terms = &one.terms;
    let has_begun = state == State::Active && terms.verb != Verb::Extend;
    html! {
        @if has_begun {
            "until " (view.beside(terms.until))
        } @else {
            (view.beside(terms.from)) " " span aria-hidden="true" { "→" }
            span.hidden { "to" } " " (end(view, one))
        }
    }
}

/// The end, without its day if that is the day of the beginning.
fn end(view: &View<'_>, one: &Override) -> String {
    let terms = &one.terms;
    text::beside(terms.until, terms.from, view.zone())
}
