//! When a consumer is held: by its windows and by the overrides that name it, of which the later
//! has the last word. While its metadata makes it exempt, only those do.

use std::sync::Arc;

use jiff::Timestamp;

use super::overlay::{Overlay, Span};
use super::returning::{INSTANT, Returning, earlier, later};
use super::{Effect, Window, WindowSet};

impl WindowSet {
    /// The first instant from `at` on at which nothing holds; nothing is looked for from `enough`
    /// on.
    pub fn covered_until(&self, at: Timestamp, enough: Timestamp) -> Timestamp {
        let ends = |window: &Arc<Window>, from| window.covered_until(from, enough);
        covered_until(self, at, enough, ends)
    }

    /// Whether something holds without a break from the one instant to the other, both included:
    /// then both lie in the same pause.
    pub fn hold_throughout(&self, one: Timestamp, other: Timestamp) -> bool {
        let (from, until) = (one.min(other), one.max(other));
        self.covered_until(from, later(until, INSTANT)) > until
    }

    /// An instant since which something holds that holds at `at`; there may be an earlier one.
    pub(super) fn covered_since(&self, at: Timestamp) -> Option<Timestamp> {
        let by_hand = self.overlay();
        match by_hand.at(at) {
            Some(span) if span.effect() == Effect::Pause => Some(span.from),
            _ if at < self.count_from() => None,
            Some(span) => (self.iter())
                .filter_map(|window| opened_since(window, span, at))
                .map(|open| open.from.max(span.from).max(self.count_from()))
                .min(),
            None => {
                let since = by_hand.last_edge(at).unwrap_or(Timestamp::MIN);
                let since = since.max(self.count_from());
                let open = self.iter().filter_map(|window| window.open_at(at));
                open.map(|piece| piece.opens.max(since)).min()
            }
        }
    }

    /// The first instant after `after` at which something begins to hold, if it lies before
    /// `before`.
    pub(super) fn next_begin(&self, after: Timestamp, before: Timestamp) -> Option<Timestamp> {
        let by_hand = self.overlay();
        let from = self.count_from();
        let mut at = after;
        loop {
            let edges = self
                .iter()
                .filter_map(|window| window.overlay().next_edge(at));
            let exempt_until = Some(from).filter(|from| *from > at);
            let edge = (edges.chain(by_hand.next_edge(at)))
                .chain(exempt_until)
                .min();
            let nearest = edge.map_or(before, |edge| edge.min(before));
            // Within an override that names the consumer, and while it is exempt, only edges count.
            let opens = if by_hand.at(at).is_some() || exempt_until.is_some() {
                None
            } else {
                (self.iter()).fold(None, |first, window| {
                    let next = window.next_opening_before(at, first.unwrap_or(nearest));
                    next.map(|piece| piece.opens).or(first)
                })
            };
            if opens.is_some() {
                return opens;
            }
            at = edge.filter(|edge| *edge < before)?;
            if self.covered_since(at).is_some() {
                return Some(at);
            }
        }
    }

    /// What is left, at `at`, of the consumer's return from a window.
    pub(super) fn left_of(&self, returning: Returning, at: Timestamp) -> Option<Returning> {
        let was_held = returning.closes > self.count_from();
        cut_by(self.overlay(), returning, at).filter(|_| was_held)
    }

    /// How consumers come back at `at`, if nothing holds then.
    pub(super) fn returning(&self, at: Timestamp) -> Vec<Returning> {
        (self.iter())
            .filter_map(|window| window.returning(at))
            .filter_map(|returning| self.left_of(returning, at))
            .collect()
    }
}

/// The first instant from `at` on at which nothing holds. `ends` says until when a window is open
/// from an instant on.
pub(super) fn covered_until(
    set: &WindowSet,
    at: Timestamp,
    enough: Timestamp,
    mut ends: impl FnMut(&Arc<Window>, Timestamp) -> Timestamp,
) -> Timestamp {
    let by_hand = set.overlay();
    let mut end = at;
    while end < enough {
        let reached = match by_hand.at(end) {
            Some(span) if span.effect() == Effect::Pause => span.until,
            _ if end < set.count_from() => end,
            Some(span) => (set.iter())
                .filter_map(|window| opened_since(window, span, end))
                .map(|open| open.until.min(span.until))
                .fold(end, Timestamp::max),
            None => {
                let next = by_hand.after(end).next().map(|span| span.from);
                (set.iter())
                    .fold(end, |end, window| ends(window, end))
                    .min(next.unwrap_or(Timestamp::MAX))
            }
        };
        if reached == end {
            break;
        }
        end = reached;
    }
    end
}

/// The override by which a person opened a window after the one that lets the consumer run: the
/// last word counts.
fn opened_since<'w>(window: &'w Window, span: &Span, at: Timestamp) -> Option<&'w Span> {
    let open = window.overlay().at(at)?;
    let counts = open.effect() == Effect::Pause && open.by.sequence > span.by.sequence;
    counts.then_some(open)
}

/// What overrides that let the consumer run leave, at `at`, of its return from a window.
fn cut_by(by_hand: &Overlay, returning: Returning, at: Timestamp) -> Option<Returning> {
    let just_before = earlier(returning.closes, INSTANT);
    let mut since = by_hand.touching(just_before, returning.cut);
    let run = since.find(|span| span.effect() == Effect::Run && span.until > just_before);
    let cut = run.map_or(returning.cut, |span| span.from.min(returning.cut));
    (cut > at).then_some(Returning { cut, ..returning })
}
