//! The two timelines: the hours around now, and the week.

use maud::{Markup, html};

use super::View;
use super::chart::Frame;
use super::scale::{Day, Scale, around, ticks};
use super::svg::{Above, Drawing};
use super::timeline::Timeline;
use crate::summary::Summary;
use crate::text;

/// The hours around now, of the windows that are open in them.
pub(super) fn near(view: &View<'_>, timeline: &Timeline<'_>, summary: &Summary) -> Markup {
    let zone = view.zone();
    let scale = around(view.facts.now, zone);
    let frame = Frame {
        scale,
        now: view.facts.now,
        zone,
        few: 4,
    };
    let rows = timeline.busy_rows(view, &frame);
    let time = |at: jiff::Timestamp| text::time_of_day(at.to_zoned(zone.clone()).time());
    let (from, until) = (time(scale.from), time(scale.until));
    let hours = ticks(scale, zone);
    let drawing = Drawing {
        id: "near",
        title: format!("The windows around now, {from} to {until}"),
        description: summary.outlook.to_string(),
        scale,
        above: Above::Hours(&hours),
        rows: &rows,
        row: 54.0,
        now: now(view, scale),
    };
    html! {
        section aria-labelledby="s1" {
            h2 id="s1" { "Around now" }
            @if rows.is_empty() {
                p.dim { "No window is open between " (from) " and " (until) "." }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Timeline of a day, scrolls sideways" {
                    (drawing.markup())
                }
            }
        }
    }
}

/// Yesterday and the week from today.
pub(super) fn week(view: &View<'_>, timeline: &Timeline<'_>, days: &[Day]) -> Markup {
    let zone = view.zone();
    let scale = timeline.week;
    let frame = Frame {
        scale,
        now: view.facts.now,
        zone,
        few: 2,
    };
    let rows = timeline.rows(view, &frame);
    let drawing = Drawing {
        id: "week",
        title: "The windows from yesterday to the next seven days".to_owned(),
        description: "The same openings are in the table below.".to_owned(),
        scale,
        above: Above::Days(days),
        rows: &rows,
        row: 46.0,
        now: now(view, scale),
    };
    html! {
        section aria-labelledby="s2" {
            h2 id="s2" {
                "Yesterday and the next seven days "
                span.dim { (zone.iana_name().unwrap_or("UTC")) }
            }
            @if rows.is_empty() {
                p.dim { "The config has no window." }
            } @else {
                div.scroll tabindex="0" role="group" aria-label="Timeline of eight days, scrolls sideways" {
                    (drawing.markup())
                }
                (legend())
            }
            @if timeline.left_out > 0 {
                p {
                    "The " (timeline.windows.len()) " windows that open next are shown, "
                    (timeline.left_out) " are not: " code { (view.command("recess plan")) } " lists all."
                }
            }
        }
    }
}

fn now(view: &View<'_>, scale: Scale) -> (f64, String) {
    let time = view.facts.now.to_zoned(view.zone().clone());
    (
        scale.x(view.facts.now),
        format!("now {}", time.strftime("%H:%M")),
    )
}

fn legend() -> Markup {
    let keys = [
        ("held", "open now"),
        ("planned", "planned"),
        ("past", "over"),
        ("extra", "override"),
        ("skipped", "does not open"),
    ];
    html! {
        ul.legend aria-label="Legend" {
            @for (class, meaning) in keys { li { i.k.(class) {} (meaning) } }
        }
    }
}

/// What both charts fill overrides with.
pub(super) fn hatch() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hb width="6" height="6" {}
                    rect.hf width="2.4" height="6" {}
                }
            }
        }
    }
}
