//! All metrics as one text, written piece by piece: with 100,000 consumers it has 76 MB, and no
//! scrape holds more of it than a piece.
//!
//! A turn is as short as a request of the loop may wait for it, a fraction of a millisecond; whoever
//! takes turns decides what comes between them. All of one text is from one report.

use std::ops::Bound;
use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, TextEncoder};

use super::families;
use super::family::{Family, Seen, Values};
use super::text::{PREFIX, Series};
use crate::config::ConsumerMetrics;
use crate::consumer::ConsumerId;
use crate::report::{Report, WindowState};

#[cfg(test)]
mod tests;

/// How many consumers or windows a turn takes in: some of them have no series in a family.
const TURN: usize = 512;

/// A turn is over when it has written so much, whatever it has taken in.
pub const CHUNK: usize = 64 * 1024;

/// A text that is being written.
pub struct Exposition {
    report: Option<Arc<Report>>,
    shown: ConsumerMetrics,
    rest: vec::IntoIter<Part>,
    begun: Option<Part>,
}

/// What is still to be written of a family.
enum Part {
    /// The prometheus crate keeps it, and has written it.
    Kept(Bytes),
    /// It is in the report.
    Reported(Begun),
}

/// A family of which a part is written.
struct Begun {
    family: &'static Family,
    is_headed: bool,
    after: After,
    /// How many consumers were counted so far, where that is what it shows.
    counts: Vec<usize>,
}

/// What was written of it last.
enum After {
    Nothing,
    Window(usize),
    Consumer(ConsumerId),
}

/// What became of a family in a turn.
enum Went {
    Whole,
    UpTo(After),
}

impl Exposition {
    /// Of what the crate keeps under the prefix, and of the newest report; last what others keep.
    /// With thousands of windows, what is kept takes some milliseconds.
    ///
    /// # Errors
    /// If the prometheus crate cannot write what it keeps.
    pub fn new(
        kept: &[MetricFamily],
        report: Option<Arc<Report>>,
        shown: ConsumerMetrics,
        others: &[MetricFamily],
    ) -> Result<Self, prometheus::Error> {
        let mut parts = Vec::new();
        for family in kept {
            let name = family.name();
            parts.push((
                name.strip_prefix(PREFIX).unwrap_or(name),
                kept_part(family)?,
            ));
        }
        let reported = families::all().map(|family| (family.name, Begun::of(family)));
        parts.extend(reported.map(|(name, begun)| (name, Part::Reported(begun))));
        parts.sort_by_key(|(name, _)| *name);
        let mut parts: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
        for family in others {
            parts.push(kept_part(family)?);
        }
        Ok(Self {
            report,
            shown,
            rest: parts.into_iter(),
            begun: None,
        })
    }

    /// Writes on for one turn. Returns whether there is more.
    pub fn turn(&mut self, out: &mut Vec<u8>) -> bool {
        let mut left = TURN;
        while left > 0 && out.len() < CHUNK {
            let Some(part) = self.begun.take().or_else(|| self.rest.next()) else {
                return false;
            };
            self.begun = match part {
                Part::Kept(mut text) => {
                    let room = CHUNK.saturating_sub(out.len());
                    out.extend_from_slice(&text.split_to(room.min(text.len())));
                    (!text.is_empty()).then_some(Part::Kept(text))
                }
                Part::Reported(begun) => self.go_on(begun, out, &mut left).map(Part::Reported),
            };
        }
        true
    }

    /// Writes on in a family; what is left of it.
    fn go_on(&self, mut begun: Begun, out: &mut Vec<u8>, left: &mut usize) -> Option<Begun> {
        let family = begun.family;
        let report = self.report.as_deref();
        if report.is_some_and(|report| !(family.applies)(report)) {
            return None;
        }
        let mut series = Series::of(out, family, begun.is_headed);
        let after = &begun.after;
        let went = match (family.values, report) {
            (Values::Recess(value), _) => {
                if let Some(value) = value(report) {
                    series.add::<&str>(&[], value);
                }
                Went::Whole
            }
            (Values::Few(values), _) => {
                for (labels, value) in values(report) {
                    series.add(&labels, value);
                }
                Went::Whole
            }
            (Values::Window(value), Some(report)) => {
                windows(report, after, left, &mut series, value)
            }
            (Values::Consumer(value), Some(report)) => {
                self.consumers(report, after, left, &mut series, |seen, series| {
                    if let Some(value) = value(seen) {
                        series.add(&[seen.id.consumer(), seen.id.stream()], value);
                    }
                })
            }
            (Values::Cause(value), Some(report)) => {
                self.consumers(report, after, left, &mut series, |seen, series| {
                    if let Some((cause, value)) = value(seen) {
                        series.add(&[cause, seen.id.consumer(), seen.id.stream()], value);
                    }
                })
            }
            (Values::Count(states), Some(report)) => {
                begun.counts.resize(states.len(), 0);
                let counts = &mut begun.counts;
                let went = walk(report, after, left, |seen| {
                    for ((_, is_in), count) in states.iter().zip(&mut *counts) {
                        *count += usize::from(is_in(seen));
                    }
                    false
                });
                if matches!(went, Went::Whole) {
                    for ((state, _), count) in states.iter().zip(counts) {
                        series.add(&[state], families::size(*count));
                    }
                }
                went
            }
            (
                Values::Window(_) | Values::Consumer(_) | Values::Cause(_) | Values::Count(_),
                None,
            ) => Went::Whole,
        };
        match went {
            Went::Whole => None,
            Went::UpTo(after) => Some(Begun {
                is_headed: series.is_headed(),
                after,
                ..begun
            }),
        }
    }

    /// Writes series of consumers after that one, of those that are shown.
    fn consumers(
        &self,
        report: &Report,
        after: &After,
        left: &mut usize,
        series: &mut Series<'_>,
        write: impl Fn(&Seen<'_>, &mut Series<'_>),
    ) -> Went {
        let is_shown: fn(&Seen<'_>) -> bool = match self.shown {
            ConsumerMetrics::All => |_| true,
            ConsumerMetrics::Notable => |seen| seen.is_notable(),
            ConsumerMetrics::None => return Went::Whole,
        };
        walk(report, after, left, |seen| {
            if is_shown(seen) {
                write(seen, series);
            }
            series.len() >= CHUNK
        })
    }
}

/// Walks over consumers after that one, as many as the turn has room for, or until one is enough.
fn walk(
    report: &Report,
    after: &After,
    left: &mut usize,
    mut is_enough: impl FnMut(&Seen<'_>) -> bool,
) -> Went {
    let from = match after {
        After::Consumer(id) => Bound::Excluded(id),
        After::Nothing | After::Window(_) => Bound::Unbounded,
    };
    for (id, row) in report.rows.range((from, Bound::Unbounded)) {
        *left = left.saturating_sub(1);
        if is_enough(&Seen { report, id, row }) || *left == 0 {
            return Went::UpTo(After::Consumer(id.clone()));
        }
    }
    Went::Whole
}

/// Windows after that one, the same.
fn windows(
    report: &Report,
    after: &After,
    left: &mut usize,
    series: &mut Series<'_>,
    value: fn(&Report, &WindowState) -> Option<f64>,
) -> Went {
    let from = match after {
        After::Window(place) => place.saturating_add(1),
        After::Nothing | After::Consumer(_) => 0,
    };
    for (place, window) in report.windows.iter().enumerate().skip(from) {
        if let Some(value) = value(report, window) {
            series.add(&[&window.name], value);
        }
        *left = left.saturating_sub(1);
        if *left == 0 || series.len() >= CHUNK {
            return Went::UpTo(After::Window(place));
        }
    }
    Went::Whole
}

fn kept_part(family: &MetricFamily) -> Result<Part, prometheus::Error> {
    let mut text = Vec::new();
    TextEncoder::new().encode(std::slice::from_ref(family), &mut text)?;
    Ok(Part::Kept(text.into()))
}

impl Begun {
    fn of(family: &'static Family) -> Self {
        Self {
            family,
            is_headed: false,
            after: After::Nothing,
            counts: Vec::new(),
        }
    }
}
