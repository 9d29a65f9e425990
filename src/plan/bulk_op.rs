//! What a bulk operation asks of one consumer: the same verdicts as the table's, without a
//! calendar.

use jiff::Timestamp;

use super::{ENDING, Verdict};
use crate::consumer::{Found, PauseState};

#[cfg(test)]
mod tests;

/// What a person wants of many consumers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkOp {
    /// Hold them until the instant. It has whole seconds and carries no mark, so to every recess it
    /// is foreign: never shortened, never removed.
    Pause(Timestamp),
    /// End their pauses, whosever they are, and release them from the windows that are open.
    Resume,
}

/// Whether a stored deadline is as good as the one that was ordered. One of a recess until the same
/// second is not: it is written again, without a mark, so that no recess ends it any more.
fn covers(stored: Timestamp, end: Timestamp) -> bool {
    let is_marked = stored.subsec_nanosecond() != 0;
    stored >= end && !(is_marked && stored.as_second() == end.as_second())
}

/// What the windows have to do with a consumer that is to be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// None of them would pause it now.
    None,
    /// One that is open would pause it again.
    Window,
    /// It was released from that.
    Released,
}

impl BulkOp {
    /// What is to be sent. As between windows, a pause that lasts longer stays: another client
    /// wants it. A consumer that delivers in an open window is released too, at the price of a
    /// pause of a moment: a deadline that has passed already would leave it asleep if a recess
    /// paused it just now.
    pub fn verdict(self, found: &Found, hold: Hold) -> Verdict {
        let seen = match found {
            Found::Unknown => return Verdict::Unknown,
            Found::Missing => return Verdict::Missing,
            Found::Present(seen) => seen,
        };
        match (self, seen.state, hold) {
            (Self::Pause(end), PauseState::Paused { until, .. }, _) if covers(until, end) => {
                Verdict::Settled
            }
            (Self::Pause(end), ..) => Verdict::Pause(end),
            // A Release would not end it sooner, and nothing would begin it again.
            (Self::Resume, PauseState::Paused { remaining, .. }, Hold::None | Hold::Released)
                if remaining <= ENDING =>
            {
                Verdict::Settled
            }
            (Self::Resume, PauseState::Paused { .. }, _) => Verdict::Release,
            (Self::Resume, _, Hold::Window) => Verdict::Release,
            (Self::Resume, _, Hold::None | Hold::Released) => Verdict::Settled,
        }
    }

    /// Whether a consumer is as it should be.
    pub fn is_done(self, found: &Found, hold: Hold) -> bool {
        let Some(seen) = found.observation() else {
            return false;
        };
        match (self, seen.state) {
            (Self::Pause(end), PauseState::Paused { until, .. }) => covers(until, end),
            (Self::Pause(_), PauseState::Running | PauseState::Lapsed { .. }) => false,
            (Self::Resume, state) => !state.is_paused() && hold != Hold::Window,
        }
    }
}
