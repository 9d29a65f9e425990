//! The markup of a timeline.

use maud::{Markup, html};

use super::chart::{Bar, Look, Row, apart, text_width};
use super::scale::{Day, LEFT, Scale, Tick, WIDTH};
use crate::text;

/// Where the rows begin.
const TOP: f64 = 34.0;

/// What stands above the rows.
pub(super) enum Above<'a> {
    Hours(&'a [Tick]),
    Days(&'a [Day]),
}

/// What a chart is made of.
pub(super) struct Drawing<'a> {
    /// The start of its elements' ids.
    pub id: &'static str,
    pub title: String,
    /// The same in words, or where these are.
    pub description: String,
    pub scale: Scale,
    pub above: Above<'a>,
    pub rows: &'a [Row],
    /// How high a row is.
    pub row: f64,
    /// Where now is, and how that is written.
    pub now: (f64, String),
}

impl Drawing<'_> {
    /// The chart as an image with a title and a description.
    pub fn markup(&self) -> Markup {
        let rows = f64::from(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let bottom = TOP + rows * self.row;
        let below = match self.above {
            Above::Hours(_) => 26.0,
            Above::Days(_) => 40.0,
        };
        let (title, description) = (format!("{}-t", self.id), format!("{}-d", self.id));
        html! {
            svg.chart.(self.id) viewBox={ "0 0 " (WIDTH) " " (n(bottom + below)) } role="img"
                aria-labelledby={ (title) " " (description) } {
                title id=(title) { (self.title) }
                desc id=(description) { (self.description) }
                rect.gone x=(n(LEFT)) y=(n(TOP)) width=(n(self.now.0 - LEFT)) height=(n(bottom - TOP)) {}
                @match self.above {
                    Above::Hours(ticks) => (self.hours(ticks, bottom)),
                    Above::Days(days) => (self.days(days, bottom)),
                }
                @for (index, row) in self.rows.iter().enumerate() {
                    (self.row(row, TOP + self.row * f64::from(u32::try_from(index).unwrap_or(u32::MAX))))
                }
                (self.now_line(bottom))
            }
        }
    }

    fn hours(&self, ticks: &[Tick], bottom: f64) -> Markup {
        let x = |tick: &Tick| self.scale.x(tick.at);
        let named = apart(ticks.iter().collect(), |tick| {
            (x(tick), text_width(&tick.label))
        });
        html! {
            @for tick in ticks {
                line.(if tick.is_day { "day" } else { "hour" }) x1=(n(x(tick))) y1="26" x2=(n(x(tick))) y2=(n(bottom)) {}
            }
            @for tick in named {
                text.date.today[tick.is_day] x=(n(x(tick))) y="18" text-anchor="middle" { (tick.label) }
            }
        }
    }

    fn days(&self, days: &[Day], bottom: f64) -> Markup {
        let edges = |day: &Day| (self.scale.x(day.from), self.scale.x(day.until));
        html! {
            @for day in days {
                @let (from, until) = edges(day);
                @if let Some(note) = &day.note {
                    rect.dst x=(n(from)) y="4" width=(n(until - from)) height=(n(bottom - 4.0)) {}
                    text.note x=(n(self.beside_now(from + 8.0, text_width(note)))) y=(n(bottom + 16.0)) { (note) }
                }
                line.day x1=(n(from)) y1="4" x2=(n(from)) y2=(n(bottom)) {}
                @let is_today = from <= self.now.0 && self.now.0 < until;
                text.date.today[is_today] x=(n(from + 8.0)) y="18" {
                    (text::weekday(day.date)) " " tspan.num { (day.date.day()) }
                }
            }
        }
    }

    /// Where words below the rows stand, so that they neither leave the chart nor meet the line of
    /// now.
    fn beside_now(&self, x: f64, width: f64) -> f64 {
        let now = self.now.0;
        let free = if x - 4.0 < now && now < x + width {
            now + 8.0
        } else {
            x
        };
        free.min(WIDTH - width)
    }

    fn row(&self, row: &Row, y: f64) -> Markup {
        let middle = y + self.row / 2.0;
        let (top, height) = (y + 11.0, self.row - 22.0);
        html! {
            line.base x1="0" y1=(n(y + self.row)) x2=(n(WIDTH)) y2=(n(y + self.row)) {}
            text.row x="0" y=(n(middle - 3.0)) {
                @if row.name != row.whole_name { title { (row.whole_name) } }
                (row.name)
            }
            text.sub x="0" y=(n(middle + 13.0)) { (row.below) }
            @for bar in &row.bars { (self::bar(bar, top, height)) }
            @for label in &row.labels {
                text.(label.class) x=(n(label.x)) y=(n(middle + 4.0)) { (label.text) }
            }
        }
    }

    fn now_line(&self, bottom: f64) -> Markup {
        let (x, label) = &self.now;
        let half = text_width(label) / 2.0;
        let at = x.clamp(LEFT + half, WIDTH - half);
        let y = match self.above {
            Above::Hours(_) => bottom + 18.0,
            Above::Days(_) => bottom + 34.0,
        };
        html! {
            line.now x1=(n(*x)) y1="26" x2=(n(*x)) y2=(n(y - 14.0)) {}
            text.nowt x=(n(at)) y=(n(y)) text-anchor="middle" { (label) }
        }
    }
}

fn bar(bar: &Bar, y: f64, height: f64) -> Markup {
    let (x, width) = (bar.x, bar.width);
    let whole = |class: &str| {
        html! { rect.(class) x=(n(x)) y=(n(y)) width=(n(width)) height=(n(height)) rx="3" {} }
    };
    let parts = |now: f64| {
        html! {
            rect.done x=(n(x)) y=(n(y)) width=(n(now - x)) height=(n(height)) {}
            rect.left x=(n(now)) y=(n(y)) width=(n(x + width - now)) height=(n(height)) {}
            (whole("edge"))
        }
    };
    let strike = |class: &str| {
        let middle = y + height / 2.0;
        html! {
            (whole("whole"))
            line.strike.(class) x1=(n(x)) y1=(n(middle)) x2=(n(x + width)) y2=(n(middle)) {}
        }
    };
    let (class, shape) = match bar.look {
        Look::Past => ("past", whole("whole")),
        Look::Missed => ("missed", strike("missed")),
        Look::Planned => ("planned", whole("whole")),
        Look::Extra => ("extra", whole("whole")),
        Look::Held(now) => ("held", parts(now)),
        Look::Hold(now) => ("hold", parts(now)),
        Look::Skipped => ("skipped", strike("skipped")),
        Look::Cut => ("cut", strike("cut")),
    };
    html! { g.bar.(class) { title { (bar.title) } (shape) } }
}

/// A length with as many digits as can be seen.
fn n(length: f64) -> String {
    let rounded = format!("{length:.1}");
    rounded.strip_suffix(".0").unwrap_or(&rounded).to_owned()
}
