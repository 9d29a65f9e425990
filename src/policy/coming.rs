//! The changes to come: when another thing is wanted of consumers, and what.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::interest::Selections;
use super::labels::Exempt;
use super::returning::{INSTANT, earlier, later};
use super::{Desired, Interest, Policy, Window, WindowSet};
use crate::consumer::ConsumerId;

/// So many changes are followed to see what will be wanted soon: windows of a second each could
/// make one every second.
const MOST_CHANGES: usize = 32;

impl Policy {
    /// The first instant after `after` at which some window opens or closes, an override begins or
    /// ends, or the furthest deadline moves on, which counts while one of them lasts or consumers
    /// return after it. Between `after` and that instant no answer of [`Policy::desired`] changes, but that
    /// tails end: then there is nothing to do, as the server ends them.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let by_hand = self.on_consumers.overrides.iter();
        let edges = by_hand.flat_map(|one| [one.terms.from, one.terms.until]);
        let edge = edges.filter(|edge| *edge > after).min();
        let change = self.next_change_among(&self.windows, edge.is_some(), after, Timestamp::MAX);
        change.into_iter().chain(edge).min()
    }

    /// The consumers of which another thing may be wanted at some instant in `[from, until]` than
    /// right before it: those that the windows and overrides which change then select. None where
    /// every window changes, so that it may be each consumer of interest. As with
    /// [`Policy::next_change`], the ends of tails do not count.
    pub fn changing(&self, from: Timestamp, until: Timestamp) -> Option<Interest> {
        let (before, after) = (earlier(from, INSTANT), later(until, INSTANT));
        let changes = |window: &Arc<Window>| {
            let window = std::slice::from_ref(window);
            (self.next_change_among(window, false, before, after))
                .is_some_and(|change| change <= until)
        };
        let windows: Vec<_> = self.windows.iter().filter(|one| changes(one)).collect();
        if windows.len() == self.windows.len() {
            return None;
        }
        let windows = windows.iter().map(|window| window.selection.clone());
        let steps = self.next_step(before).is_some_and(|step| step <= until);
        let by_hand = self.on_consumers.changing(from, until, steps);
        let selections = Selections::of(windows.chain(by_hand).collect());
        Some(Interest::in_selections(vec![Arc::new(selections)]).with_labels_of(self))
    }

    /// The same for one consumer and its windows, the end of its tail included.
    pub fn next_change_of(
        &self,
        id: &ConsumerId,
        windows: &WindowSet,
        after: Timestamp,
    ) -> Option<Timestamp> {
        let tail = match self.desired(id, windows, after) {
            Desired::Tail(until) => Some(until),
            Desired::Running | Desired::Paused(_) => None,
        };
        let by_hand = windows.overlay();
        let edge = by_hand.next_edge(after);
        let exempt = windows.exempt().and_then(Exempt::end);
        let exempt = exempt.filter(|end| *end > after);
        let is_overridden = by_hand.at(after).is_some();
        let change = self.next_change_among(windows, is_overridden, after, Timestamp::MAX);
        (change.into_iter())
            .chain(tail)
            .chain(edge)
            .chain(exempt)
            .min()
    }

    /// Whether a change within `ahead` after `at` will want a consumer paused (or in its tail)
    /// until exactly `deadline`; or, as the server's clock bounds what may be written, until as far
    /// as it may be at `at`.
    pub fn wants_soon(
        &self,
        id: &ConsumerId,
        windows: &WindowSet,
        deadline: Timestamp,
        at: Timestamp,
        ahead: SignedDuration,
    ) -> bool {
        let furthest = self.furthest_deadline(at);
        self.wanted_soon(id, windows, at, ahead)
            .any(|until| until == deadline || until.min(furthest) == deadline)
    }

    /// Whether a change within `ahead` after `at` will want a consumer paused (or in its tail)
    /// beyond `deadline`.
    pub fn wants_more_soon(
        &self,
        id: &ConsumerId,
        windows: &WindowSet,
        deadline: Timestamp,
        at: Timestamp,
        ahead: SignedDuration,
    ) -> bool {
        self.wanted_soon(id, windows, at, ahead)
            .any(|until| until > deadline)
    }

    /// The first instant from `at` on, within `ahead`, at which a consumer may be wanted paused: a
    /// window is open or opens, an override that pauses begins, or what kept an open window off it
    /// ends. What keeps one off may be undone at any time, so windows count as in the file too.
    pub fn may_pause_soon(
        &self,
        id: &ConsumerId,
        windows: &WindowSet,
        at: Timestamp,
        ahead: SignedDuration,
    ) -> Option<Timestamp> {
        let is_open = |window: &Window| {
            window.open_at(at).is_some() || window.by_file().open_at(at).is_some()
        };
        if windows.iter().any(|window| is_open(window)) {
            return Some(at);
        }
        let enough = later(later(at, ahead), INSTANT);
        let opens = (windows.iter())
            .filter_map(|window| window.by_file().next_opening_before(at, enough))
            .map(|occurrence| occurrence.opens);
        let pauses =
            |change: &Timestamp| matches!(self.desired(id, windows, *change), Desired::Paused(_));
        let changes = self.changes_soon(id, windows, at, ahead).find(pauses);
        opens.chain(changes).min()
    }

    /// Until when a consumer will be wanted paused (or in its tail) by the changes within `ahead`
    /// after `at`.
    fn wanted_soon<'p>(
        &'p self,
        id: &'p ConsumerId,
        windows: &'p WindowSet,
        at: Timestamp,
        ahead: SignedDuration,
    ) -> impl Iterator<Item = Timestamp> + 'p {
        self.changes_soon(id, windows, at, ahead)
            .filter_map(|change| self.desired(id, windows, change).until())
    }

    /// The changes of one consumer within `ahead` after `at`.
    fn changes_soon<'p>(
        &'p self,
        id: &'p ConsumerId,
        windows: &'p WindowSet,
        at: Timestamp,
        ahead: SignedDuration,
    ) -> impl Iterator<Item = Timestamp> + 'p {
        let latest = at.checked_add(ahead).unwrap_or(Timestamp::MAX);
        let changes = std::iter::successors(self.next_change_of(id, windows, at), |&change| {
            self.next_change_of(id, windows, change)
        });
        changes
            .take(MOST_CHANGES)
            .take_while(move |change| *change <= latest)
    }

    /// The first after `after`; openings are looked for before `enough` only.
    fn next_change_among(
        &self,
        windows: &[Arc<Window>],
        mut anything_lasts: bool,
        after: Timestamp,
        enough: Timestamp,
    ) -> Option<Timestamp> {
        let mut first = None;
        for window in windows {
            let closes = window.open_at(after).map(|piece| piece.closes);
            let edge = window.overlay().next_edge(after);
            first = first.into_iter().chain(closes).chain(edge).min();
            let before = first.map_or(enough, |first: Timestamp| first.min(enough));
            let opens = window.next_opening_before(after, before);
            first = opens.map(|piece| piece.opens).or(first);
            anything_lasts |= closes.is_some() || window.returning(after).is_some();
        }
        let step = anything_lasts.then(|| self.next_step(after)).flatten();
        first.into_iter().chain(step).min()
    }
}
