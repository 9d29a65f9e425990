//! The openings from now on as a table: the chart in words.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::stretch::{Kind, Stretch};
use super::timeline::{Timeline, is_once};
use super::{View, words};
use crate::calendar::{Occurrence, Shift};
use crate::policy::Window;
use crate::text;
use crate::visible::visible;

/// So many are shown.
const MOST: usize = 30;

/// What happens to a window without a break: it is open, or is not although its schedule says so.
struct Episode<'v> {
    window: &'v Window,
    from: Timestamp,
    until: Timestamp,
    kinds: Vec<&'v Kind>,
}

impl Episode<'_> {
    fn is_open(&self) -> bool {
        self.kinds.iter().any(|kind| kind.is_open())
    }
}

/// The table.
pub(super) fn section(view: &View<'_>, timeline: &Timeline<'_>) -> Markup {
    let mut all: Vec<Episode<'_>> = (timeline.windows.iter())
        .flat_map(|(window, stretches)| episodes(window, stretches))
        .filter(|episode| episode.until > view.facts.now)
        .collect();
    all.sort_by_key(|episode| (episode.from, &episode.window.name));
    let more = all.len().saturating_sub(MOST);
    html! {
        section aria-labelledby="n" {
            h2 id="n" { "Openings " a.dim href="/calendar.ics" { "calendar" } }
            @if all.is_empty() {
                p.dim { "No window opens in the next seven days." }
            } @else {
                table.next {
                    thead {
                        tr {
                            @for heading in ["Day", "Opens", "Closes", "Length", "Window", "Note"] {
                                th scope="col" { (heading) }
                            }
                        }
                    }
                    tbody { @for episode in all.iter().take(MOST) { (row(view, episode)) } }
                }
            }
            @if more > 0 || timeline.left_out > 0 {
                p { code { (view.command("recess plan")) } " lists all." }
            }
        }
    }
}

/// Stretches that join are one opening; each that is closed is on its own.
fn episodes<'v>(window: &'v Window, stretches: &'v [Stretch]) -> Vec<Episode<'v>> {
    let mut episodes: Vec<Episode<'v>> = Vec::new();
    for stretch in stretches {
        match episodes.last_mut() {
            Some(last)
                if last.until == stretch.from && last.is_open() && stretch.kind.is_open() =>
            {
                last.until = stretch.until;
                last.kinds.push(&stretch.kind);
            }
            _ => episodes.push(Episode {
                window,
                from: stretch.from,
                until: stretch.until,
                kinds: vec![&stretch.kind],
            }),
        }
    }
    episodes
}

fn row(view: &View<'_>, episode: &Episode<'_>) -> Markup {
    let at = |at: Timestamp| at.to_zoned(view.zone().clone());
    let (opens, closes) = (at(episode.from), at(episode.until));
    let end = match opens.date() == closes.date() {
        true => text::short_time(&closes),
        false => format!(
            "{} {}",
            text::day_month(closes.date()),
            text::short_time(&closes)
        ),
    };
    html! {
        tr class=[(!episode.is_open()).then_some("off")] {
            th scope="row" { (text::day_month(opens.date())) }
            td.n data-l="Opens" { (text::short_time(&opens)) }
            td.n data-l="Closes" { (end) }
            td.n data-l="Length" { (text::spaced(episode.until.duration_since(episode.from))) }
            td.by data-l="Window" { (visible(&episode.window.name)) }
            td.dim data-l="Note" { (notes(view, episode).join("; ")) }
        }
    }
}

fn notes(view: &View<'_>, episode: &Episode<'_>) -> Vec<String> {
    let now = view.facts.now;
    let mut notes = Vec::new();
    if episode.is_open() && episode.from <= now {
        notes.push("open now".to_owned());
    }
    for kind in &episode.kinds {
        notes.extend(match kind {
            Kind::Open | Kind::Missed => None,
            Kind::Often => Some("again and again".to_owned()),
            Kind::Extra(by) => Some(by.credit()),
            Kind::Skipped(by) => Some(format!("stays closed: {}", by.credit())),
            Kind::Excluded(name) => Some(format!("stays closed: {}", visible(name))),
        });
    }
    let zone = episode.window.schedule.zone();
    if zone != view.zone() {
        let there = episode.from.to_zoned(zone.clone());
        notes.push(format!(
            "{} {} in {}",
            text::weekday(there.date()),
            text::time_of_day(there.time()),
            words::city(zone)
        ));
    }
    if is_once(episode.window) {
        notes.push("once".to_owned());
    }
    if episode.is_open() {
        let occurrence = episode.window.open_at(episode.from);
        let all = occurrence.iter().flat_map(|one| daylight_saving(one, zone));
        notes.extend(all.map(str::to_owned));
    }
    notes
}

/// What daylight saving does to an opening, by the clocks of its own zone.
fn daylight_saving(occurrence: &Occurrence, zone: &TimeZone) -> Vec<&'static str> {
    let shift = occurrence.shift.map(|shift| match shift {
        Shift::Gap => "its time is skipped that night: opens after the gap",
        Shift::First => "its time occurs twice that night: opens at the first",
        Shift::Last => "its time occurs twice that night: opens at the second",
    });
    let offset = |at: Timestamp| zone.to_offset(at);
    let (before, after) = (offset(occurrence.opens), offset(occurrence.closes));
    let change = match before.cmp(&after) {
        Ordering::Less => Some("clocks move forward meanwhile"),
        Ordering::Greater => Some("clocks move back meanwhile"),
        Ordering::Equal => None,
    };
    shift.into_iter().chain(change).collect()
}
