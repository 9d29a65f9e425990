//! When a window is open that people have overridden.
//!
//! An override that pauses joins with what it touches: a window that is extended closes once, at
//! the new end. One that lets run cuts, as an exclusion does. The few occurrences near overrides
//! are worked out once, all others are the file's.

use std::sync::Arc;

use jiff::Timestamp;

use super::by_file::ByFile;
use super::merged::merged;
use super::overlay::Overlay;
use super::returning::{INSTANT, Returning, earlier, later};
use super::{Effect, Override};
use crate::calendar::Occurrence;

/// The overrides of a window, and the occurrences that come of them.
#[derive(Clone, Debug)]
pub(super) struct Overridden {
    /// What was put together, in the order given.
    pub overrides: Vec<Arc<Override>>,
    pub overlay: Overlay,
    /// Whatever touches an override, in the order of opening. The file's own occurrences do not
    /// count where they touch one.
    pieces: Vec<Occurrence>,
}

impl Overridden {
    pub fn of<'o>(
        file: ByFile<'_>,
        overrides: impl IntoIterator<Item = &'o Arc<Override>>,
    ) -> Option<Self> {
        let overrides: Vec<Arc<Override>> = overrides.into_iter().cloned().collect();
        let overlay = Overlay::of(&overrides);
        if overlay.is_empty() {
            return None;
        }
        // What sticks out of an override covers the instant before it or the one at its end.
        let mut rests: Vec<Occurrence> = (overlay.spans().iter())
            .flat_map(|span| [earlier(span.from, INSTANT), span.until])
            .flat_map(|at| file.walk(at, later(at, INSTANT)))
            .flat_map(|whole| rests(&overlay, whole))
            .collect();
        rests.sort();
        rests.dedup();
        let mut pieces: Vec<Occurrence> = Vec::new();
        for span in overlay.spans() {
            if span.effect() == Effect::Run {
                continue;
            }
            // A rest ends where the override begins, or another override does.
            let before = (rests.iter().chain(&pieces)).filter(|rest| rest.closes == span.from);
            let first = before.min_by_key(|rest| rest.opens).copied();
            let after = rests.iter().filter(|rest| rest.opens == span.until);
            let closes = after.map(|rest| rest.closes).max().unwrap_or(span.until);
            let joins = |rest: &Occurrence| rest.closes == span.from || rest.opens == span.until;
            rests.retain(|rest| !joins(rest));
            pieces.retain(|piece| !joins(piece));
            pieces.push(Occurrence {
                opens: first.map_or(span.from, |first| first.opens),
                closes,
                shift: first.and_then(|first| first.shift),
            });
        }
        pieces.append(&mut rests);
        pieces.sort();
        Some(Self {
            overrides,
            overlay,
            pieces,
        })
    }

    fn touches(&self, occurrence: &Occurrence) -> bool {
        let mut touching = (self.overlay).touching(occurrence.opens, occurrence.closes);
        touching.next().is_some()
    }

    pub fn open_at(&self, file: ByFile<'_>, at: Timestamp) -> Option<Occurrence> {
        let pieces = self.pieces.iter().copied().filter(|piece| piece.covers(at));
        let by_file = match file.open_at(at) {
            Some(open) if self.touches(&open) => (file.walk(at, later(at, INSTANT)))
                .filter(|other| !self.touches(other))
                .max_by_key(|other| other.closes),
            open => open,
        };
        pieces.chain(by_file).max_by_key(|one| one.closes)
    }

    pub fn next_opening_before(
        &self,
        file: ByFile<'_>,
        after: Timestamp,
        before: Timestamp,
    ) -> Option<Occurrence> {
        let pieces = self.pieces.iter().copied();
        let ahead = pieces.filter(|piece| piece.opens > after && piece.opens < before);
        let piece = ahead.min_by_key(|piece| (piece.opens, std::cmp::Reverse(piece.closes)));
        let before = piece.map_or(before, |piece| piece.opens);
        let mut at = after;
        while let Some(next) = file.next_opening_before(at, before) {
            if !self.touches(&next) {
                return Some(next);
            }
            // What opens within an override counts as nothing of its own.
            let within = self.overlay.at(next.opens);
            at = within.map_or(next.opens, |span| earlier(span.until, INSTANT));
        }
        piece
    }

    pub fn covered_until(&self, file: ByFile<'_>, at: Timestamp, enough: Timestamp) -> Timestamp {
        let mut end = at;
        while end < enough {
            let reached = match self.overlay.at(end).map(|span| (span.effect(), span.until)) {
                Some((Effect::Pause, until)) => until,
                Some((Effect::Run, _)) => end,
                None => {
                    let next = self.overlay.after(end).next().map(|span| span.from);
                    let next = next.unwrap_or(Timestamp::MAX);
                    file.covered_until(end, enough.min(next)).min(next)
                }
            };
            if reached == end {
                break;
            }
            end = reached;
        }
        end
    }

    pub fn walk<'w>(
        &'w self,
        by_file: impl Iterator<Item = Occurrence> + 'w,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Occurrence> + 'w {
        let untouched = by_file.filter(|occurrence| !self.touches(occurrence));
        let pieces = self.pieces.iter().copied();
        let pieces = pieces.filter(move |piece| piece.opens < until && from < piece.closes);
        let lists: Vec<Box<dyn Iterator<Item = Occurrence> + 'w>> =
            vec![Box::new(untouched), Box::new(pieces)];
        merged(lists, |occurrence| occurrence.opens)
    }

    pub fn returning(&self, file: ByFile<'_>, at: Timestamp) -> Option<Returning> {
        let last = self.overlay.latest(at);
        if last.is_some_and(|span| at < span.until) {
            return None;
        }
        let by_file = file.returning(at).filter(|returning| {
            // An override has had the last word since.
            last.is_none_or(|span| span.until < returning.closes)
        });
        let closes = match (by_file, last) {
            (Some(returning), _) => returning.closes,
            (None, Some(span)) if span.effect() == Effect::Pause => span.until,
            (None, _) => return None,
        };
        let spread = file.resume_spread;
        if file.covered_until(closes, later(closes, INSTANT)) > closes || spread.is_zero() {
            return None;
        }
        let end = later(closes, spread);
        let returning = Returning {
            closes,
            spread,
            cut: self.cut(file, closes, end),
        };
        let is_open = file.open_at(at).is_some();
        (!is_open && at < returning.cut).then_some(returning)
    }

    /// The first instant from `from` on at which something cuts; `end` where nothing does before.
    fn cut(&self, file: ByFile<'_>, from: Timestamp, end: Timestamp) -> Timestamp {
        let mut at = from;
        while at < end {
            let next = self.overlay.after(at).next().map(|span| span.from);
            match self.overlay.at(at) {
                Some(span) if span.effect() == Effect::Run => return at,
                Some(span) => at = span.until,
                None if file.is_excluded(at) => return at,
                None => {
                    let exclusion = file.next_exclusion(at);
                    at = (exclusion.into_iter().chain(next).min()).unwrap_or(end);
                }
            }
        }
        end
    }
}

/// What overrides leave of an occurrence.
fn rests(overlay: &Overlay, whole: Occurrence) -> Vec<Occurrence> {
    let mut rests = Vec::new();
    let mut opens = whole.opens;
    for span in overlay.touching(whole.opens, whole.closes) {
        rests.push((opens, span.from.min(whole.closes)));
        opens = opens.max(span.until);
    }
    rests.push((opens, whole.closes));
    (rests.into_iter())
        .filter(|(opens, closes)| opens < closes)
        .map(|(opens, closes)| Occurrence {
            opens,
            closes,
            shift: whole.shift.filter(|_| opens == whole.opens),
        })
        .collect()
}
