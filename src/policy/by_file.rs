//! When a window is open as the config file has it: its schedule, less its exclusions.
//!
//! An exclusion cuts an occurrence into pieces, and each piece is an [`Occurrence`] of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::exclusion::Exclusion;
use super::returning::{INSTANT, Returning, earlier, later};
use crate::calendar::{Occurrence, Schedule};

/// How far ahead anything is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

/// So many openings, each swallowed by an exclusion of its own, are passed over in search of one
/// that is left. When there are more, the search goes on from a later instant at the next question.
const MOST_SWALLOWED: u32 = 400;

/// A window without its overrides.
#[derive(Clone, Copy, Debug)]
pub struct ByFile<'w> {
    pub(super) schedule: &'w Schedule,
    pub(super) exclusions: &'w [Arc<Exclusion>],
    pub(super) resume_spread: SignedDuration,
}

impl<'w> ByFile<'w> {
    /// The piece of an occurrence that is open at `at`; of several, the one that closes last.
    pub fn open_at(self, at: Timestamp) -> Option<Occurrence> {
        if self.is_excluded(at) {
            return None;
        }
        let whole = self.schedule.open_at(at)?;
        let cut = (self.exclusions.iter())
            .map(|exclusion| &exclusion.schedule)
            .filter_map(|cut| cut.latest_closing(at, earlier(whole.opens, cut.longest())))
            .map(|cut| cut.closes)
            .max();
        let opens = cut.map_or(whole.opens, |cut| cut.max(whole.opens));
        Some(self.piece(whole, opens))
    }

    /// The first piece that opens after `after` (and within ten years of it, and of the openings
    /// that exclusions swallow one by one it looks behind [`MOST_SWALLOWED`] only); of several, the
    /// one that closes last.
    pub fn next_opening(self, after: Timestamp) -> Option<Occurrence> {
        self.next_opening_before(after, Timestamp::MAX)
    }

    /// The same, where it opens before `before`: nothing is looked for from there on, which saves
    /// much where exclusions swallow one opening after the other.
    pub fn next_opening_before(self, after: Timestamp, before: Timestamp) -> Option<Occurrence> {
        let horizon = later(after, HORIZON).min(before);
        let mut at = after;
        for _ in 0..MOST_SWALLOWED {
            let opening = self.schedule.next_opening(at);
            let rest = self.next_rest(at);
            let begin = (opening.map(|whole| whole.opens).into_iter())
                .chain(rest)
                .min()?;
            if begin >= horizon {
                break;
            }
            // An opening in an exclusion waits for its end, with all the others that it swallows.
            let end = self.excluded_within(begin, horizon);
            at = end.unwrap_or(begin);
            if at >= horizon {
                break;
            }
            let whole = if end.is_some() || rest == Some(begin) {
                self.schedule.open_at(at)
            } else {
                opening
            };
            if let Some(whole) = whole {
                return Some(self.piece(whole, at));
            }
        }
        None
    }

    /// Where an exclusion that holds at `at` or comes next ends, and so may leave a rest of what is
    /// open at `at`.
    fn next_rest(self, at: Timestamp) -> Option<Timestamp> {
        if self.exclusions.is_empty() {
            return None;
        }
        let closes = self.schedule.open_at(at)?.closes;
        // An exclusion that outlasts what is open at `at` leaves nothing of it.
        (self.excluded_within(at, closes))
            .or_else(|| self.excluded_within(self.next_exclusion(at)?, closes))
            .filter(|end| *end < closes)
    }

    /// The first instant from `at` on at which it is not open; nothing is looked for from `enough`
    /// on.
    pub fn covered_until(self, at: Timestamp, enough: Timestamp) -> Timestamp {
        if self.is_excluded(at) {
            return at;
        }
        let end = self.schedule.covered_until(at, enough);
        if end == at {
            return at;
        }
        self.next_exclusion(at).map_or(end, |cut| cut.min(end))
    }

    /// What is left of a whole occurrence, in the order of opening.
    pub fn pieces(self, whole: Occurrence) -> Vec<Occurrence> {
        let mut pieces = Vec::new();
        let mut at = whole.opens;
        while at < whole.closes {
            match self.excluded_within(at, whole.closes) {
                Some(end) => at = end,
                None => {
                    let piece = self.piece(whole, at);
                    at = piece.closes;
                    pieces.push(piece);
                }
            }
        }
        pieces
    }

    /// Every piece that has an instant in `[from, until)`, in the order of opening, one after the
    /// other: a year of seconds fits into no memory.
    pub fn walk(
        self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Occurrence> + use<'w> {
        let mut wholes = self.schedule.intersecting(from, until).peekable();
        // Pieces that open no earlier than the next whole occurrence does, which has pieces of its
        // own.
        let mut waiting: BinaryHeap<Reverse<Occurrence>> = BinaryHeap::new();
        std::iter::from_fn(move || {
            while let Some(whole) = wholes.peek().copied() {
                if (waiting.peek()).is_some_and(|Reverse(first)| first.opens < whole.opens) {
                    break;
                }
                wholes.next();
                let pieces = self.pieces(whole).into_iter();
                let within = pieces.filter(|piece| piece.opens < until && from < piece.closes);
                waiting.extend(within.map(Reverse));
            }
            waiting.pop().map(|Reverse(piece)| piece)
        })
    }

    /// From an instant of an occurrence that is not excluded until the next exclusion or the close.
    fn piece(self, whole: Occurrence, opens: Timestamp) -> Occurrence {
        let cut = self.next_exclusion(opens);
        Occurrence {
            opens,
            closes: cut.map_or(whole.closes, |cut| cut.min(whole.closes)),
            shift: whole.shift.filter(|_| opens == whole.opens),
        }
    }

    /// Whether an exclusion holds at `at`.
    pub fn is_excluded(self, at: Timestamp) -> bool {
        (self.exclusions.iter()).any(|one| one.schedule.open_at(at).is_some())
    }

    /// The first instant from `at` on that no exclusion covers, where one covers `at`; nothing is
    /// looked for beyond ten years.
    pub fn excluded_until(self, at: Timestamp) -> Option<Timestamp> {
        self.excluded_within(at, later(at, HORIZON))
    }

    /// The same; nothing is looked for from `enough` on.
    fn excluded_within(self, at: Timestamp, enough: Timestamp) -> Option<Timestamp> {
        let mut end = at;
        while end < enough {
            // Each takes up where the one before it ends. There and back, as they often stand in
            // the order of time.
            let there_and_back = self.exclusions.iter().chain(self.exclusions.iter().rev());
            let reached =
                there_and_back.fold(end, |end, one| one.schedule.covered_until(end, enough));
            if reached == end {
                break;
            }
            end = reached;
        }
        (end > at).then_some(end)
    }

    /// The first instant after `after` at which an exclusion begins.
    pub fn next_exclusion(self, after: Timestamp) -> Option<Timestamp> {
        (self.exclusions.iter())
            .filter_map(|one| one.schedule.next_opening(after))
            .map(|one| one.opens)
            .min()
    }

    /// How consumers come back from the last occurrence that closed at or before `at`, if it
    /// spreads them and some are still to come after `at`. An exclusion cuts that too.
    pub fn returning(self, at: Timestamp) -> Option<Returning> {
        if self.resume_spread.is_zero() {
            return None;
        }
        let longest = self.schedule.longest().checked_add(self.resume_spread)?;
        let closes = (self.schedule.latest_closing(at, earlier(at, longest)))?.closes;
        let just_before = earlier(closes, INSTANT);
        if closes > at || self.is_excluded(just_before) {
            return None;
        }
        // It may begin at the close itself.
        let cut = self.next_exclusion(just_before);
        let end = later(closes, self.resume_spread);
        let returning = Returning {
            closes,
            spread: self.resume_spread,
            cut: cut.map_or(end, |cut| cut.min(end)),
        };
        (at < returning.cut).then_some(returning)
    }
}
