//! When windows open: every opening of a policy in a span of time, in order, with what daylight
//! saving does to it.
//!
//! Pure, and lazy: a rule of seconds has millions of openings. `plan` prints them; whatever else
//! shows openings takes them from here.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Serialize;

use super::merged::merged;
use super::{Policy, Selector, Where, Window};
use crate::calendar::{Occurrence, Shift};
use crate::text::{self, rounded_span, utc};

#[cfg(test)]
mod tests;

/// An opening of a window.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'p> {
    /// The window.
    pub window: &'p Window,
    /// From when until when it is open.
    pub occurrence: Occurrence,
}

/// An opening as JSON shows it.
#[derive(Debug, Serialize)]
pub struct OpeningRow<'p> {
    window: &'p str,
    opens: String,
    closes: String,
    timezone: String,
    opens_local: String,
    closes_local: String,
    consumers: Vec<&'p str>,
    #[serde(rename = "where")]
    condition: Option<&'p Where>,
    shift: Option<&'static str>,
    overrides: Vec<String>,
}

/// So far ahead are openings shown unless another end is asked for.
const SHOWN_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Policy {
    /// Until when openings from `from` on are shown unless another end is asked for.
    pub fn shown_until(from: Timestamp) -> Timestamp {
        from.checked_add(SHOWN_AHEAD).unwrap_or(Timestamp::MAX)
    }

    /// The windows of these names; where no name is given, all of them.
    pub fn windows_named(&self, only: &[String]) -> impl Iterator<Item = &Window> {
        let is_named = |window: &Window| only.iter().any(|name| **name == *window.name);
        (self.windows().iter().map(|window| &**window))
            .filter(move |window| only.is_empty() || is_named(window))
    }

    /// Every opening of the windows of these names (of all, where no name is given) that has an
    /// instant in `[from, until)`, by its beginning and the window's name.
    pub fn openings<'p>(
        &'p self,
        from: Timestamp,
        until: Timestamp,
        only: &[String],
    ) -> impl Iterator<Item = Opening<'p>> + use<'p> {
        let openings = self.windows_named(only).map(|window| {
            let walk = window.walk(from, until);
            walk.map(move |occurrence| Opening { window, occurrence })
        });
        merged(openings.collect(), |opening| {
            (opening.occurrence.opens, opening.window.name.clone())
        })
    }

    /// The first opening of those windows that begins after `after`.
    pub fn next_opening(&self, after: Timestamp, only: &[String]) -> Option<Opening<'_>> {
        let next = self.windows_named(only).filter_map(|window| {
            let occurrence = window.next_opening(after)?;
            Some(Opening { window, occurrence })
        });
        next.min_by_key(|opening| opening.occurrence.opens)
    }
}

impl<'p> Opening<'p> {
    /// The zone of its window.
    pub fn zone(&self) -> &TimeZone {
        self.window.schedule.zone()
    }

    /// The same by its name.
    pub fn zone_name(&self) -> String {
        self.zone().iana_name().unwrap_or("UTC").to_owned()
    }

    /// When it opens, by the clocks of its zone.
    pub fn opens(&self) -> Zoned {
        self.occurrence.opens.to_zoned(self.zone().clone())
    }

    /// When it closes, by the clocks of its zone.
    pub fn closes(&self) -> Zoned {
        self.occurrence.closes.to_zoned(self.zone().clone())
    }

    /// The overrides that made it, or that cut or joined it.
    fn overrides(&self) -> Vec<String> {
        let Occurrence { opens, closes, .. } = self.occurrence;
        let touching = self.window.overlay().touching(opens, closes);
        let ids: BTreeSet<_> = touching.map(|span| span.by.id.to_string()).collect();
        ids.into_iter().collect()
    }

    /// For programs.
    pub fn row(&self) -> OpeningRow<'p> {
        let selectors = self.window.selection.selectors().iter();
        OpeningRow {
            window: &self.window.name,
            opens: utc(self.occurrence.opens),
            closes: utc(self.occurrence.closes),
            timezone: self.zone_name(),
            opens_local: text::with_offset(&self.opens()),
            closes_local: text::with_offset(&self.closes()),
            consumers: selectors.map(Selector::as_str).collect(),
            condition: self.window.selection.some_condition(),
            shift: self.occurrence.shift.map(Shift::as_str),
            overrides: self.overrides(),
        }
    }

    /// What daylight saving does to this opening, in words.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.occurrence.shift {
            Some(Shift::Gap) => notes.push(
                "its time does not exist that night (spring-forward gap): it opens right after the \
                 gap".to_owned(),
            ),
            Some(Shift::First) => notes.push(
                "its time occurs twice that night (fall-back repeat): this is the first".to_owned(),
            ),
            Some(Shift::Last) => notes.push(
                "its time occurs twice that night (fall-back repeat): this is the second".to_owned(),
            ),
            None => {}
        }
        let (opens, closes) = (self.opens(), self.closes());
        let moved = closes.offset().seconds() - opens.offset().seconds();
        if moved != 0 {
            let by = rounded_span(SignedDuration::from_secs(i64::from(moved.abs())));
            let way = if moved > 0 { "forward" } else { "back" };
            notes.push(format!(
                "clocks move {way} by {by} while it is open: it still lasts {}",
                rounded_span(self.occurrence.length())
            ));
        }
        notes
    }
}
