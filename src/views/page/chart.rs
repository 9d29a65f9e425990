//! Where everything of a timeline stands: bars, and beside them what there is room to say.
//!
//! Plain numbers, without markup. The invariant: a bar lies within the plot, bars of a row come in
//! the order of time, and no label lies over another or over a bar that is not its own.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::scale::{LEFT, Scale, WIDTH};
use super::stretch::{Kind, Stretch};
use super::words;
use crate::policy::{Effect, Override};
use crate::text;
use crate::visible::visible;

/// No bar is narrower: an opening of seconds is seen too.
const NARROWEST: f64 = 3.0;

/// The space between a bar and what is said of it.
const SPACE: f64 = 6.0;

/// A row of a chart: a window, or consumers that an override names.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What it is called, as long as there is room for.
    pub name: String,
    /// The same, whole.
    pub whole_name: String,
    /// What more is said of it below its name.
    pub below: String,
    pub bars: Vec<Bar>,
    pub labels: Vec<Label>,
}

/// A stretch of time as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub x: f64,
    pub width: f64,
    pub look: Look,
    /// What a pointer shows, and a reader who does not see.
    pub title: String,
}

/// How a bar looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// Open by the config file, and over.
    Past,
    /// The same, and no consumer was paused during it.
    Missed,
    /// Open now; over up to there.
    Held(f64),
    /// To come.
    Planned,
    /// Open by an override alone.
    Extra,
    /// Consumers paused by an override; over up to there.
    Hold(f64),
    /// Closed by an override.
    Skipped,
    /// Closed by an exclusion.
    Cut,
}

/// Words beside a bar or in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub x: f64,
    pub text: String,
    /// The class of its element.
    pub class: &'static str,
}

/// What there is to draw by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'f> {
    pub scale: Scale,
    pub now: Timestamp,
    pub zone: &'f TimeZone,
    /// With so many bars to come or fewer, each has its times beside it.
    pub few: usize,
}

impl Frame<'_> {
    /// The row of a window.
    pub fn window(&self, name: &str, below: &str, stretches: &[Stretch]) -> Row {
        let shown: Vec<&Stretch> = (stretches.iter())
            .filter(|one| self.scale.shows_some(one.from, one.until))
            .collect();
        let is_ahead = |one: &&&Stretch| one.from > self.now && one.kind.is_open();
        let is_few = shown.iter().filter(is_ahead).count() <= self.few;
        let bars: Vec<Bar> = shown.iter().map(|one| self.bar(name, one)).collect();
        let mut labels = Labels::default();
        for (index, stretch) in shown.iter().enumerate() {
            let Some(bar) = bars.get(index) else { continue };
            let next = bars.get(index + 1).map_or(WIDTH, |next| next.x);
            let goes_on = (shown.get(index + 1))
                .is_some_and(|next| next.from == stretch.until && next.kind.is_open());
            let joins = index.checked_sub(1).and_then(|before| shown.get(before));
            let joins = joins.is_some_and(|one| one.until == stretch.from && one.kind.is_open());
            for (text, class) in self.said(stretch, joins, goes_on, is_few) {
                if labels.place(bar, next, text, class) {
                    break;
                }
            }
        }
        row(name, below, bars, labels.placed)
    }

    /// The row of an override of consumers.
    pub fn by_hand(&self, one: &Override) -> Row {
        let terms = &one.terms;
        let target = terms.target.to_string();
        let name = format!("{} {}", terms.verb.as_str(), visible(&target));
        let by = format!("by {}", one.id.author());
        let look = match terms.effect {
            Effect::Pause => Look::Hold(self.scale.x(self.now)),
            Effect::Run => Look::Skipped,
        };
        let title = words::title(&name, (terms.from, terms.until), &by, self.zone);
        let bar = self.placed((terms.from, terms.until), look, title);
        let mut labels = Labels::default();
        if terms.until > self.now {
            let until = text::beside(terms.until, self.now, self.zone);
            labels.place(&bar, WIDTH, format!("until {until}, {by}"), "flag");
        }
        row(&name, &by, vec![bar], labels.placed)
    }

    fn bar(&self, name: &str, stretch: &Stretch) -> Bar {
        let span = (stretch.from, stretch.until);
        let (look, what) = match &stretch.kind {
            Kind::Open | Kind::Often => self.open(stretch),
            Kind::Missed => (
                Look::Missed,
                "was open, and no consumer was paused".to_owned(),
            ),
            Kind::Extra(by) => (Look::Extra, by.credit()),
            Kind::Skipped(by) => (Look::Skipped, format!("{}, stays closed", by.credit())),
            Kind::Excluded(name) => (Look::Cut, format!("cut by {}, stays closed", visible(name))),
        };
        self.placed(span, look, words::title(name, span, &what, self.zone))
    }

    fn open(&self, stretch: &Stretch) -> (Look, String) {
        let is_often = matches!(stretch.kind, Kind::Often);
        let (look, verb) = if stretch.until <= self.now {
            (Look::Past, "was open")
        } else if stretch.from > self.now {
            (Look::Planned, "will be open")
        } else {
            (Look::Held(self.scale.x(self.now)), "is open")
        };
        let often = if is_often { ", again and again" } else { "" };
        (look, format!("{verb}{often}"))
    }

    fn placed(&self, (from, until): (Timestamp, Timestamp), look: Look, title: String) -> Bar {
        let (start, end) = (self.scale.x(from), self.scale.x(until));
        let x = start.min(WIDTH - NARROWEST);
        let width = (end - x).max(NARROWEST);
        let look = match look {
            Look::Held(now) => Look::Held(now.clamp(x, x + width)),
            Look::Hold(now) => Look::Hold(now.clamp(x, x + width)),
            Look::Past | Look::Missed | Look::Planned | Look::Extra | Look::Skipped | Look::Cut => {
                look
            }
        };
        Bar {
            x,
            width,
            look,
            title,
        }
    }

    /// What is said of a stretch, and the class of that; then the same shorter, for less room.
    fn said(
        &self,
        stretch: &Stretch,
        joins: bool,
        goes_on: bool,
        is_few: bool,
    ) -> Vec<(String, &'static str)> {
        let (from, until) = (stretch.from, stretch.until);
        let is_ahead = from > self.now;
        let is_over = until <= self.now && !matches!(stretch.kind, Kind::Missed);
        if is_over || goes_on {
            return Vec::new();
        }
        let end = text::beside(until, self.now, self.zone);
        let by_author = |by: &Override| (format!("by {}", by.id.author()), "flag");
        match &stretch.kind {
            Kind::Open if is_ahead && is_few => {
                let times = words::from_to((from, until), self.now, self.zone);
                vec![(times, "flag plain")]
            }
            Kind::Open if is_ahead => Vec::new(),
            Kind::Missed => vec![("missed".to_owned(), "flag missed")],
            Kind::Open => vec![(format!("until {end}"), "flag plain"), (end, "flag plain")],
            Kind::Often => vec![("again and again".to_owned(), "flag plain")],
            Kind::Extra(by) if joins => {
                let longer = text::spaced(until.duration_since(from));
                let whole = format!("until {end}, +{longer} by {}", by.id.author());
                vec![(whole, "flag"), by_author(by)]
            }
            Kind::Extra(by) => {
                let whole = format!("until {end}, {}", by.credit());
                vec![(whole, "flag"), by_author(by)]
            }
            Kind::Skipped(by) => vec![(by.credit(), "flag"), by_author(by)],
            Kind::Excluded(name) => {
                vec![(visible(name).into_owned(), "flag plain")]
            }
        }
    }
}

fn row(name: &str, below: &str, bars: Vec<Bar>, labels: Vec<Label>) -> Row {
    Row {
        name: words::shortened(name, 22),
        whole_name: name.to_owned(),
        below: words::shortened(below, 29),
        bars,
        labels,
    }
}

/// The labels of a row, from left to right.
#[derive(Default)]
struct Labels {
    placed: Vec<Label>,
    /// Where the last one ends.
    end: f64,
}

impl Labels {
    /// Places a label in its bar or else behind it, if there is room.
    fn place(&mut self, bar: &Bar, next: f64, text: String, class: &'static str) -> bool {
        let width = text_width(&text);
        let behind = bar.x + bar.width + SPACE;
        // Within a bar that is still to come, dark words can be read.
        let within = match bar.look {
            Look::Planned => Some(bar.x),
            Look::Held(now) => Some(now),
            Look::Past | Look::Missed | Look::Extra | Look::Hold(_) | Look::Skipped | Look::Cut => {
                None
            }
        };
        let within = within.map(|x| x + SPACE);
        if let Some(x) = within.filter(|x| x + width + SPACE <= bar.x + bar.width) {
            self.put(x, width, text, "in")
        } else {
            behind + width + SPACE / 2.0 <= next && self.put(behind, width, text, class)
        }
    }

    fn put(&mut self, x: f64, width: f64, text: String, class: &'static str) -> bool {
        let is_free = x >= self.end;
        if is_free {
            self.end = x + width;
            self.placed.push(Label { x, text, class });
        }
        is_free
    }
}

/// How wide a label is at most: in DejaVu Sans at 12 units, the widest of the usual fonts.
pub(super) fn text_width(text: &str) -> f64 {
    let width = |letter: char| match letter {
        'i' | 'j' | 'l' | '|' | '\'' => 3.5,
        ' ' | ',' | '.' | ':' | ';' | '-' | 'f' | 'r' | 't' | '(' | ')' | '/' => 5.0,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 12.0,
        '+' | '–' => 10.1,
        'a'..='z' | '0'..='9' | '_' | '*' => 7.7,
        'A'..='Z' => 9.2,
        // Others may be as wide as they are high.
        _ => 12.5,
    };
    text.chars().map(width).sum()
}

/// Names of a scale along its edge, each at least its own width from the one before.
pub(super) fn apart<T>(all: Vec<T>, place: impl Fn(&T) -> (f64, f64)) -> Vec<T> {
    let mut end = LEFT - SPACE * 4.0;
    let mut kept = Vec::new();
    for one in all {
        let (x, width) = place(&one);
        if x - width / 2.0 >= end + SPACE / 2.0 {
            end = x + width / 2.0;
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
