//! The pauses of one consumer: its windows joined where they overlap or touch, each with its own moment of return.
//!
//! What [`Policy::desired`] says of an instant, told of a stretch of time. `plan --consumer` and `explain` are made of it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Policy, Window, WindowSet};
use crate::consumer::ConsumerId;

/// One pause, however often its deadline is renewed within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after its last window.
    pub closes: Timestamp,
    /// When that consumer comes back: later than that where a window spreads the return.
    pub until: Timestamp,
    /// The windows that make it, in order.
    pub windows: WindowSet,
}

impl Pause {
    /// So far before and after the time that is asked about a pause is followed: windows that take turns make one without
    /// end.
    pub const FOLLOWED: SignedDuration = SignedDuration::from_hours(24 * 366);

    /// So often a long one is looked for.
    pub const PROBES: usize = 2_000;
}

impl Policy {
    /// The pauses of a consumer that have an instant in `[from, until)`, in order, and whole: but for what lies further than
    /// [`Pause::FOLLOWED`] before or after that.
    pub fn pauses<'p>(
        &'p self,
        id: &'p ConsumerId,
        windows: &'p [Arc<Window>],
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Pause> + 'p {
        let horizon = until.checked_add(Pause::FOLLOWED).unwrap_or(Timestamp::MAX);
        let mut next = self.begin(windows, from, until);
        let pauses = std::iter::from_fn(move || {
            let begin = next.filter(|begin| *begin < until)?;
            let pause = self.pause_from(id, windows, begin, horizon);
            next = self.next_begin(windows, pause.closes, until);
            Some(pause)
        });
        // One that is in its tail at `from` has closed before.
        let last = self.last_before(id, windows, from);
        last.into_iter().chain(pauses)
    }

    /// A pause whose windows hold for longer than `limit` and that has an instant in `[from, until)`, if it is found. It is
    /// looked for every half of `limit`, [`Pause::PROBES`] times at most.
    pub fn longer_pause(
        &self,
        id: &ConsumerId,
        windows: &[Arc<Window>],
        limit: SignedDuration,
        from: Timestamp,
        until: Timestamp,
    ) -> Option<Pause> {
        let half = (limit / 2).max(SignedDuration::from_secs(1));
        let probes = std::iter::successors(Some(from), |at| at.checked_add(half).ok());
        let probes = probes
            .take(Pause::PROBES)
            .take_while(|probe| *probe < until);
        // One that is longer has a probe with as much as that still before it.
        let long = probes.filter_map(|probe| {
            let enough = probe.checked_add(half).ok()?;
            if Self::covered_until(windows, probe, enough) < enough {
                return None;
            }
            let begin = self.begin(windows, probe, enough)?;
            let horizon = enough.checked_add(Pause::FOLLOWED).ok()?;
            Some(self.pause_from(id, windows, begin, horizon))
        });
        (long.into_iter()).find(|pause| pause.closes.duration_since(pause.from) > limit)
    }

    /// The pause that begins at `from`, followed until `horizon`.
    fn pause_from(
        &self,
        id: &ConsumerId,
        windows: &[Arc<Window>],
        from: Timestamp,
        horizon: Timestamp,
    ) -> Pause {
        let closes = Self::covered_until(windows, from, horizon);
        let returns = (windows.iter())
            .filter_map(|window| window.returning(closes))
            .map(|returning| returning.of(id));
        Pause {
            from,
            closes,
            until: returns.chain([closes]).max().unwrap_or(closes),
            windows: (windows.iter())
                .filter(|window| {
                    window.open_at(from).is_some()
                        || window.next_opening_before(from, closes).is_some()
                })
                .cloned()
                .collect(),
        }
    }

    /// Where the pause begins that holds at `at`, or the next one that begins before `before`.
    fn begin(
        &self,
        windows: &[Arc<Window>],
        at: Timestamp,
        before: Timestamp,
    ) -> Option<Timestamp> {
        let opens = |at: Timestamp| {
            let open = (windows.iter()).filter_map(|window| window.open_at(at));
            open.map(|piece| piece.opens).min()
        };
        let Some(mut begin) = opens(at) else {
            return self.next_begin(windows, at, before);
        };
        let horizon = at.checked_sub(Pause::FOLLOWED).unwrap_or(Timestamp::MIN);
        while begin > horizon {
            let just_before = begin.checked_sub(SignedDuration::from_nanos(1));
            match just_before.ok().and_then(opens) {
                Some(earlier) if earlier < begin => begin = earlier,
                _ => break,
            }
        }
        Some(begin)
    }

    fn next_begin(
        &self,
        windows: &[Arc<Window>],
        after: Timestamp,
        before: Timestamp,
    ) -> Option<Timestamp> {
        windows.iter().fold(None, |first, window| {
            let next = window.next_opening_before(after, first.unwrap_or(before));
            next.map(|piece| piece.opens).or(first)
        })
    }

    /// The pause whose windows have closed by `at` and whose tail still lasts then.
    fn last_before(
        &self,
        id: &ConsumerId,
        windows: &[Arc<Window>],
        at: Timestamp,
    ) -> Option<Pause> {
        if (windows.iter()).any(|window| window.open_at(at).is_some()) {
            return None;
        }
        let closed = (windows.iter())
            .filter_map(|window| window.returning(at))
            .filter(|returning| returning.of(id) > at)
            .map(|returning| returning.closes())
            .max()?;
        let just_before = closed.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        let begin = self.begin(windows, just_before, at)?;
        Some(self.pause_from(id, windows, begin, at))
    }
}
