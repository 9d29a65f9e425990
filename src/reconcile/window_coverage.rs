//! Whether recess has watched a window's occurrence from its opening to its close, and whether a
//! consumer was paused in it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::policy::Window;
use crate::report::Blank;

/// How soon a search for an opening that found none is repeated.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// A first report of an occurrence that comes later after its opening has not seen the opening.
const AT_THE_OPENING: SignedDuration = SignedDuration::from_secs(30);

/// The globs that match no consumer, by window.
pub(super) type UnmatchedGlobs = HashMap<Arc<str>, Arc<[Arc<str>]>>;

/// Whether anybody was paused in a window's occurrence, and whether recess would have seen it.
#[derive(Clone, Copy, Default)]
pub(super) struct WindowCoverage {
    /// The occurrence that was open at the newest report.
    open: Option<Occurrence>,
    any_paused: bool,
    /// The consumers seen since it opened; while none is open those of the newest report.
    seen: Seen,
    /// recess ran and was connected when it opened.
    from_opening: bool,
    /// The newest report knew the state of all of its consumers.
    observed: bool,
    /// There was a report before.
    reported: bool,
    /// The next occurrence, by the newest report, and when the search for it was.
    pub(super) next: Option<(Timestamp, Option<Occurrence>)>,
}

/// Which kinds of consumers a window has.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// One that it pauses.
    pub pausable: bool,
    /// One that its metadata makes exempt.
    pub exempt: bool,
}

/// What a report sees of a window.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    /// One of its consumers is paused, or was released from its pause.
    pub paused: bool,
    pub seen: Seen,
    pub connected: bool,
    /// The state of all of them is known.
    pub observed: bool,
}

impl WindowCoverage {
    /// The next opening of its window, searched for only if what was found before does not show it:
    /// where exclusions swallow one opening after the other that takes long.
    pub(super) fn next_of(&mut self, window: &Window, at: Timestamp) -> Option<Occurrence> {
        let (asked, next) = match self.next {
            Some((asked, next)) if asked <= at && at < holds_until(asked, next) => (asked, next),
            _ => (at, window.next_opening(at)),
        };
        self.next = Some((asked, next));
        next
    }

    /// What became of an occurrence that has closed since the newest report without any consumer of
    /// it having been seen paused. A pause lasts until the close, so one that was made while recess
    /// did not observe for a while would have been seen after it: what counts is whether recess was
    /// there at the opening and up to the close.
    pub(super) fn blank(
        &self,
        open: Option<Occurrence>,
        at: Timestamp,
        deadline: Option<Timestamp>,
    ) -> Option<Blank> {
        // A reload may have put its close off.
        let is_over = |was: Occurrence| was.closes <= at && opens(open) != Some(was.opens);
        if self.spares_all() {
            return None;
        }
        if self.open.is_some_and(is_over) && !self.any_paused {
            let watched = self.from_opening && self.observed;
            return Some(if watched {
                Blank::Missed
            } else {
                Blank::Unobserved
            });
        }
        self.skipped(at, deadline).then_some(Blank::Unobserved)
    }

    /// Whether all of its consumers are exempt: that none was paused is meant.
    fn spares_all(&self) -> bool {
        self.seen.exempt && !self.seen.pausable && self.observed
    }

    /// Whether a whole occurrence has passed since the newest report, as when the host slept, and
    /// no pause that was already in force reached into it.
    fn skipped(&self, at: Timestamp, deadline: Option<Timestamp>) -> bool {
        let next = self.next.and_then(|(_, next)| next);
        next.is_some_and(|next| {
            next.closes <= at && deadline.is_none_or(|until| until <= next.opens)
        })
    }

    pub(super) fn note(&mut self, open: Option<Occurrence>, at: Timestamp, sight: Sight) {
        if opens(self.open) != opens(open) {
            self.any_paused = false;
            self.seen = Seen::default();
            let in_time = open.is_some_and(|open| at.duration_since(open.opens) <= AT_THE_OPENING);
            self.from_opening = self.reported && sight.connected && in_time;
        }
        self.open = open;
        self.any_paused |= open.is_some() && sight.paused;
        self.seen = match open {
            Some(_) => Seen {
                pausable: self.seen.pausable || sight.seen.pausable,
                exempt: self.seen.exempt || sight.seen.exempt,
            },
            None => sight.seen,
        };
        self.observed = sight.observed;
        self.reported = true;
    }
}

fn opens(occurrence: Option<Occurrence>) -> Option<Timestamp> {
    occurrence.map(|occurrence| occurrence.opens)
}

/// Until when what was found at `asked` is still the next opening.
fn holds_until(asked: Timestamp, next: Option<Occurrence>) -> Timestamp {
    match next {
        Some(next) => next.opens,
        None => asked.checked_add(AGAIN).unwrap_or(Timestamp::MAX),
    }
}
