//! The pauses of one consumer: its windows joined where they overlap or touch, each with its own
//! moment of return.
//!
//! What [`Policy::desired`] says of an instant, over a stretch of time. `plan --consumer` and
//! `explain` are made of it.

use jiff::{SignedDuration, Timestamp};

use super::{Policy, WindowSet};
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
    /// The windows that make it, in order, and the overrides that name the consumer and hold
    /// meanwhile.
    pub windows: WindowSet,
}

impl Pause {
    /// So far before and after the time that is asked about a pause is followed: windows that take
    /// turns make one without end.
    pub const FOLLOWED: SignedDuration = SignedDuration::from_hours(24 * 366);

    /// So often a long one is looked for.
    pub const PROBES: usize = 2_000;
}

impl Policy {
    /// The pauses of a consumer that have an instant in `[from, until)`, in order, and whole: but
    /// for what lies further than [`Pause::FOLLOWED`] before or after that.
    pub fn pauses<'p>(
        &'p self,
        id: &'p ConsumerId,
        windows: &'p WindowSet,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Pause> + 'p {
        let horizon = until.checked_add(Pause::FOLLOWED).unwrap_or(Timestamp::MAX);
        let mut next = self.begin(windows, from, until);
        let pauses = std::iter::from_fn(move || {
            let begin = next.filter(|begin| *begin < until)?;
            let pause = self.pause_from(id, windows, begin, horizon);
            next = windows.next_begin(pause.closes, until);
            Some(pause)
        });
        // One that is in its tail at `from` has closed before.
        let last = self.last_before(id, windows, from);
        last.into_iter().chain(pauses)
    }

    /// A pause whose windows hold for longer than `limit` and that has an instant in `[from,
    /// until)`, if it is found. It is looked for every half of `limit`, [`Pause::PROBES`] times at
    /// most.
    pub fn longer_pause(
        &self,
        id: &ConsumerId,
        windows: &WindowSet,
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
            if windows.covered_until(probe, enough) < enough {
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
        windows: &WindowSet,
        from: Timestamp,
        horizon: Timestamp,
    ) -> Pause {
        let closes = windows.covered_until(from, horizon);
        let returns = (windows.returning(closes).into_iter()).map(|returning| returning.of(id));
        Pause {
            from,
            closes,
            until: returns.chain([closes]).max().unwrap_or(closes),
            windows: windows.filtered(
                |window| {
                    window.open_at(from).is_some()
                        || window.next_opening_before(from, closes).is_some()
                },
                |one| one.terms.from < closes && from < one.terms.until,
            ),
        }
    }

    /// Where the pause begins that holds at `at`, or the next one that begins before `before`.
    fn begin(&self, windows: &WindowSet, at: Timestamp, before: Timestamp) -> Option<Timestamp> {
        let opens = |at: Timestamp| windows.covered_since(at);
        let Some(mut begin) = opens(at) else {
            return windows.next_begin(at, before);
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

    /// The pause whose windows have closed by `at` and whose tail still lasts then.
    fn last_before(&self, id: &ConsumerId, windows: &WindowSet, at: Timestamp) -> Option<Pause> {
        if windows.covered_since(at).is_some() {
            return None;
        }
        let closed = (windows.returning(at).into_iter())
            .filter(|returning| returning.of(id) > at)
            .map(|returning| returning.closes())
            .max()?;
        let just_before = closed.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        let mut last = self.begin(windows, just_before, at)?;
        // A short one may have come and gone in its tail.
        let mut closes = windows.covered_until(closed, at);
        while let Some(begin) = windows.next_begin(closes, at) {
            last = begin;
            closes = windows.covered_until(begin, at);
        }
        Some(self.pause_from(id, windows, last, at))
    }
}
