//! The pauses of one consumer: its windows joined where they overlap or touch, each with its own moment of return.
//!
//! What [`Policy::outlook`] says of an instant, told of a stretch of time. `plan --consumer` and `explain` are made of it.

use jiff::{SignedDuration, Timestamp};

use super::{Policy, WindowSet};
use crate::consumer::ConsumerId;

/// Longer than that no pause is followed.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

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

impl Policy {
    /// The pauses of a consumer that have an instant in `[from, until)`, whole, in order.
    pub fn pauses(
        &self,
        id: &ConsumerId,
        windows: &[usize],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Pause> {
        let mut pauses = Vec::new();
        let mut next = self.begin(windows, from);
        while let Some(begin) = next.filter(|begin| *begin < until) {
            let pause = self.pause_from(id, windows, begin);
            next = self.next_begin(windows, pause.closes);
            pauses.push(pause);
        }
        // One that is in its tail at `from` has closed before.
        if let Some(last) = self.last_before(id, windows, from) {
            pauses.insert(0, last);
        }
        pauses
    }

    /// The pause that begins at `from`.
    fn pause_from(&self, id: &ConsumerId, windows: &[usize], from: Timestamp) -> Pause {
        let horizon = from.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let closes = self.covered_until(windows, from, horizon);
        let returns = (self.windows_at(windows))
            .filter_map(|window| window.returning(closes))
            .map(|returning| returning.of(id));
        Pause {
            from,
            closes,
            until: returns.chain([closes]).max().unwrap_or(closes),
            windows: (windows.iter().copied())
                .filter(|&index| {
                    let window = self.windows.get(index);
                    let piece = window.and_then(|window| window.current_or_next(from));
                    piece.is_some_and(|piece| piece.opens < closes)
                })
                .collect(),
        }
    }

    /// Where the pause begins that holds at `at`, or the next one.
    fn begin(&self, windows: &[usize], at: Timestamp) -> Option<Timestamp> {
        let opens = |at: Timestamp| {
            let open = (self.windows_at(windows)).filter_map(|window| window.open_at(at));
            open.map(|piece| piece.opens).min()
        };
        let Some(mut begin) = opens(at) else {
            return self.next_begin(windows, at);
        };
        let horizon = at.checked_sub(HORIZON).unwrap_or(Timestamp::MIN);
        while begin > horizon {
            let just_before = begin.checked_sub(SignedDuration::from_nanos(1));
            match just_before.ok().and_then(opens) {
                Some(earlier) if earlier < begin => begin = earlier,
                _ => break,
            }
        }
        Some(begin)
    }

    fn next_begin(&self, windows: &[usize], after: Timestamp) -> Option<Timestamp> {
        let next = (self.windows_at(windows)).filter_map(|window| window.next_opening(after));
        next.map(|piece| piece.opens).min()
    }

    /// The pause whose windows have closed by `at` and whose tail still lasts then.
    fn last_before(&self, id: &ConsumerId, windows: &[usize], at: Timestamp) -> Option<Pause> {
        if self.begin(windows, at).is_some_and(|begin| begin <= at) {
            return None;
        }
        let closed = (self.windows_at(windows))
            .filter_map(|window| window.returning(at))
            .filter(|returning| returning.of(id) > at)
            .map(|returning| returning.closes())
            .max()?;
        let just_before = closed.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        let begin = self.begin(windows, just_before)?;
        Some(self.pause_from(id, windows, begin))
    }
}
