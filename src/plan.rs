//! The decision table: what to do about one consumer, from what is wanted and what was found.
//!
//! [`decide`] is the table that the README prints, row by row. It is pure: it sends nothing and knows no clock but the
//! [`Case`] it is given. It also does not know how often something was tried; holding back repeated writes is the
//! [`crate::ledger`]'s business.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{Found, Mark, Observation, Owner, PauseState};
use crate::ledger::Action;
use crate::policy::Desired;

mod by_hand;
#[cfg(test)]
mod tests;

pub use by_hand::Order;

/// A pause that would end within this time is not begun or lengthened: by the time a cluster had applied it, it would
/// be over.
pub const TOO_NEAR: SignedDuration = SignedDuration::from_secs(5);

/// A pause of ours that ends within this time is left to end. It covers a Resume's own deadline (at most 6 s ahead),
/// so that a Resume is not resumed again.
pub const ENDING: SignedDuration = SignedDuration::from_secs(7);

/// How long a deadline of ours must have passed before it is cleared, and how far the next opening must be: there is no
/// compare-and-set, so a Clear keeps away from every moment at which somebody might write.
pub const CLEAR_DISTANCE: SignedDuration = SignedDuration::from_secs(60);

/// A clock that is further off than this is told of: windows are that early or late.
pub const DOUBTFUL_SKEW: SignedDuration = SignedDuration::from_secs(1);

/// A clock that is further off than this only begins and lengthens pauses.
pub const TRUSTED_SKEW: SignedDuration = SignedDuration::from_secs(30);

/// What to do about one consumer. Deadlines are exact, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is as it should be, or soon will be.
    Settled,
    /// Nothing: nothing is known of it.
    Unknown,
    /// Nothing: it does not exist.
    Missing,
    /// Begin a pause, or extend a foreign one.
    Pause(Timestamp),
    /// Move the deadline of our pause.
    Retime(Timestamp),
    /// End our pause early, by a deadline a moment ahead of the sending.
    Resume,
    /// Remove a deadline of ours that has passed.
    Clear,
    /// Nothing: the pause is somebody else's.
    Foreign,
}

impl Verdict {
    /// The write that it asks for.
    pub fn action(self) -> Option<Action> {
        match self {
            Self::Pause(_) => Some(Action::Pause),
            Self::Retime(_) => Some(Action::Retime),
            Self::Resume => Some(Action::Resume),
            Self::Clear => Some(Action::Clear),
            Self::Settled | Self::Unknown | Self::Missing | Self::Foreign => None,
        }
    }

    /// The deadline to write, where it does not depend on the moment of sending.
    pub fn deadline(self) -> Option<Timestamp> {
        match self {
            Self::Pause(until) | Self::Retime(until) => Some(until),
            _ => None,
        }
    }

    /// The word in JSON, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::Pause(_) | Self::Retime(_) | Self::Resume | Self::Clear => {
                self.action().map_or("settled", Action::as_str)
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a decision about one consumer rests on, besides what is wanted and found.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The mark on our deadlines.
    pub mark: Mark,
    /// The server's clock at the moment that is decided for.
    pub server_now: Timestamp,
    /// The server's clock less ours.
    pub skew: SignedDuration,
    /// Time from the observation to the moment that is decided for.
    pub since_observed: SignedDuration,
    /// A write of ours was accepted under 5 s ago, has not been seen yet, and nothing contradicts it.
    pub settling: bool,
    /// The foreign deadline that our pause extended.
    pub remembered_foreign: Option<Timestamp>,
    /// The next opening of a window of this consumer.
    pub next_opening: Option<Timestamp>,
}

/// The decision table.
pub fn decide(want: Desired, found: &Found, case: &Case) -> Verdict {
    let seen = match found {
        Found::Unknown => return Verdict::Unknown,
        Found::Missing => return Verdict::Missing,
        Found::Present(seen) => seen,
    };
    if case.settling {
        return Verdict::Settled;
    }
    let state = seen.state.after(case.since_observed);
    let owner = state.deadline().map(|until| case.mark.owner(until));
    let verdict = match (want, state, owner) {
        (Desired::Running, PauseState::Lapsed { until }, Some(Owner::Recess))
            if case.may_clear(seen, until) =>
        {
            Verdict::Clear
        }
        (Desired::Running, PauseState::Running | PauseState::Lapsed { .. }, _) => Verdict::Settled,
        (Desired::Running, PauseState::Paused { remaining, .. }, Some(Owner::Recess)) => {
            if remaining <= ENDING {
                Verdict::Settled
            } else {
                case.release(None, remaining)
            }
        }

        (Desired::Tail(_), PauseState::Running | PauseState::Lapsed { .. }, _) => Verdict::Settled,
        (Desired::Tail(end), PauseState::Paused { until, remaining }, Some(Owner::Recess)) => {
            if until <= case.mark.stamp(end) {
                Verdict::Settled
            } else {
                case.release(Some(end), remaining)
            }
        }
        (Desired::Running | Desired::Tail(_), PauseState::Paused { .. }, _) => Verdict::Foreign,

        (Desired::Paused(end), PauseState::Running | PauseState::Lapsed { .. }, _) => {
            case.unless_too_near(end, Verdict::Pause)
        }
        (Desired::Paused(end), PauseState::Paused { until, remaining }, Some(Owner::Recess)) => {
            match case.mark.stamp(end) {
                wanted if until == wanted => Verdict::Settled,
                wanted if until < wanted => case.unless_too_near(end, Verdict::Retime),
                _ => case.release(Some(end), remaining),
            }
        }
        (Desired::Paused(end), PauseState::Paused { until, .. }, _) => {
            if until >= end {
                Verdict::Foreign
            } else {
                case.unless_too_near(end, Verdict::Pause)
            }
        }
    };
    case.guard_clock(verdict, state)
}

impl Case {
    fn unless_too_near(&self, end: Timestamp, write: fn(Timestamp) -> Verdict) -> Verdict {
        if self.is_too_near(end) {
            Verdict::Settled
        } else {
            write(self.mark.stamp(end))
        }
    }

    /// Ends our pause sooner: at `end`, or now. A foreign deadline that we extended and that lies beyond is given back as
    /// it was, to the nanosecond. One that ends so soon that a Resume would not end it sooner is left to end.
    fn release(&self, end: Option<Timestamp>, remaining: SignedDuration) -> Verdict {
        let theirs = self
            .remembered_foreign
            .filter(|&until| end.is_none_or(|end| until > end));
        match theirs.or(end) {
            Some(until) if !self.is_too_near(until) => Verdict::Retime(match theirs {
                Some(exact) => exact,
                None => self.mark.stamp(until),
            }),
            _ if remaining <= ENDING => Verdict::Settled,
            _ => Verdict::Resume,
        }
    }

    fn is_too_near(&self, deadline: Timestamp) -> bool {
        deadline.duration_since(self.server_now) <= TOO_NEAR
    }

    fn may_clear(&self, seen: &Observation, lapsed: Timestamp) -> bool {
        seen.clustered
            && self.server_now.duration_since(lapsed) >= CLEAR_DISTANCE
            && self
                .next_opening
                .is_none_or(|opens| opens.duration_since(self.server_now) > CLEAR_DISTANCE)
    }

    /// With a clock that cannot be trusted, only what holds messages back is done: a pause too many ends by itself, a
    /// pause too few lets messages through.
    fn guard_clock(&self, verdict: Verdict, state: PauseState) -> Verdict {
        let lengthens = match verdict {
            Verdict::Pause(_) => true,
            Verdict::Retime(until) => state.deadline().is_some_and(|now| until > now),
            _ => false,
        };
        if self.skew.abs() > TRUSTED_SKEW && verdict.action().is_some() && !lengthens {
            Verdict::Settled
        } else {
            verdict
        }
    }
}

/// The deadline of a Resume sent at `server_now`: the server wakes a consumer only when a deadline passes that still lay
/// ahead when it was applied (measured on 2.11.0 to 2.15.1: an immediate resume wakes nobody; on three nodes, half a
/// second ahead left 300 to 700 of 1,000 waiting pulls asleep, two seconds none).
pub fn resume_deadline(mark: Mark, server_now: Timestamp, clustered: bool) -> Timestamp {
    let ahead = SignedDuration::from_secs(if clustered { 5 } else { 2 });
    let target = server_now.checked_add(ahead).unwrap_or(Timestamp::MAX);
    let round_up = i64::from(target.subsec_nanosecond() > 0);
    let whole = Timestamp::new(target.as_second() + round_up, 0).unwrap_or(target);
    mark.stamp(whole)
}
