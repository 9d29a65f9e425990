//! What a decision says: a verdict, and the rule it follows from.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::Rule;
use crate::consumer::{Mark, PauseState};
use crate::write::Action;

/// What to do about one consumer. Deadlines are exact, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The same on purpose, by a deadline with the release mark: until the windows that are open
    /// have closed, no copy of recess pauses it again.
    Release,
    /// The same before messages are lost, by a deadline with the retention mark.
    ReleaseBeforeLoss,
    /// Remove a deadline of ours that has passed.
    Clear,
    /// Nothing: the pause is foreign.
    Foreign,
}

impl Verdict {
    /// The write that it asks for.
    pub fn action(self) -> Option<Action> {
        match self {
            Self::Pause(_) => Some(Action::Pause),
            Self::Retime(_) => Some(Action::Retime),
            Self::Resume | Self::Release | Self::ReleaseBeforeLoss => Some(Action::Resume),
            Self::Clear => Some(Action::Clear),
            Self::Settled | Self::Unknown | Self::Missing | Self::Foreign => None,
        }
    }

    /// Whether it shortens or ends a pause that is in that state.
    pub fn ends(self, state: PauseState) -> bool {
        match self {
            Self::Resume | Self::Release | Self::ReleaseBeforeLoss | Self::Clear => true,
            Self::Retime(until) => state.deadline().is_some_and(|stored| until <= stored),
            Self::Pause(_) | Self::Settled | Self::Unknown | Self::Missing | Self::Foreign => false,
        }
    }

    /// Whether overrides must have been read just now before it is sent: if it ends or shortens a
    /// pause, and if an advisory calls for it. A command that finds no daemon to follow it acts
    /// itself, and a daemon that has heard no hint must not take that for another client's doing.
    pub fn rests_on_overrides(self, state: Option<PauseState>, answers_advisory: bool) -> bool {
        answers_advisory || state.is_some_and(|state| self.ends(state))
    }

    /// The deadline to write, where it does not depend on the moment of sending.
    pub fn deadline(self) -> Option<Timestamp> {
        match self {
            Self::Pause(until) | Self::Retime(until) => Some(until),
            Self::Settled
            | Self::Unknown
            | Self::Missing
            | Self::Resume
            | Self::Release
            | Self::ReleaseBeforeLoss
            | Self::Clear
            | Self::Foreign => None,
        }
    }

    /// The word in JSON, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::Pause(_)
            | Self::Retime(_)
            | Self::Resume
            | Self::Release
            | Self::ReleaseBeforeLoss
            | Self::Clear => self.action().map_or("settled", Action::as_str),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict and the rule that it follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub rule: Rule,
}

impl Rule {
    pub(super) fn says(self, verdict: Verdict) -> Decision {
        Decision {
            verdict,
            rule: self,
        }
    }

    pub(super) fn settled(self) -> Decision {
        self.says(Verdict::Settled)
    }
}

/// The deadline of a Resume sent at `server_now`: the server wakes a consumer only when a deadline
/// passes that still lay ahead when it was applied (measured on 2.11.0 to 2.15.1: an immediate
/// resume wakes no client; on three nodes, half a second ahead left 300 to 700 of 1,000 waiting
/// pulls asleep, two seconds none).
pub fn resume_deadline(mark: Mark, server_now: Timestamp, clustered: bool) -> Timestamp {
    let ahead = SignedDuration::from_secs(if clustered { 5 } else { 2 });
    let target = server_now.checked_add(ahead).unwrap_or(Timestamp::MAX);
    let round_up = i64::from(target.subsec_nanosecond() > 0);
    let whole = Timestamp::new(target.as_second() + round_up, 0).unwrap_or(target);
    mark.stamp(whole)
}
