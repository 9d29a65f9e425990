//! The decision table of `config/WINDOWS.md`, turned round: whether a write is one that it may call for.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::rules::second;
use crate::told::{MARK, Sight, State, is_ours, keeps_messages};
use crate::wants::Want;

/// A write, and when it may have been decided.
pub struct Case<'a> {
    pub deadline: Option<Timestamp>,
    /// When it was sent.
    pub at: Timestamp,
    /// When it was decided at the earliest.
    pub since: Timestamp,
    /// How far the clock may have been off.
    pub skew: SignedDuration,
    /// How far off the server's clock may have been guessed.
    pub blur: SignedDuration,
    /// Whether the process stood still meanwhile.
    pub stopped: bool,
    /// Whether its stream drops messages, and a pause is to end before that.
    pub guarded: bool,
    /// Deadlines of others that it was shown.
    pub foreign: &'a BTreeSet<Timestamp>,
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// The deadline to write for whole seconds.
fn stamp(at: i64) -> Timestamp {
    Timestamp::new(at, MARK).unwrap()
}

impl Case<'_> {
    pub fn permits(&self, want: Want, opens_soon: bool, sight: &Sight) -> bool {
        let Some(deadline) = self.deadline else {
            return want == Want::Running && !opens_soon && self.may_clear(sight);
        };
        let states = self.may_have_become(sight);
        states
            .iter()
            .any(|state| self.calls_for(want, *state, deadline))
    }

    /// A Resume's deadline is 2 s ahead, in a cluster 5 s, rounded up.
    fn resumes(&self, deadline: Timestamp) -> bool {
        let ahead = deadline.duration_since(self.at);
        let least =
            (SignedDuration::from_millis(500) - self.blur).max(SignedDuration::from_millis(1));
        let late = !self.stopped && ahead < least - self.skew;
        is_ours(deadline) && !late && ahead <= seconds(6) + self.blur + self.skew
    }

    /// What a consumer may have been when it was decided.
    fn may_have_become(&self, sight: &Sight) -> Vec<State> {
        let State::Paused { until, remaining } = sight.state else {
            return vec![sight.state];
        };
        let ends = sight.told + remaining;
        let mut states = Vec::new();
        if ends + SignedDuration::from_millis(100) > self.since {
            states.push(sight.state);
        }
        if ends <= self.at + SignedDuration::from_millis(100) {
            states.push(State::Lapsed(until));
        }
        states
    }

    fn calls_for(&self, want: Want, state: State, deadline: Timestamp) -> bool {
        let ahead = self.stopped || deadline > self.at - self.skew;
        let resumes = self.resumes(deadline);
        let gives_back = self.foreign.contains(&deadline) && deadline > self.at - self.skew;
        // So near an end a Resume takes the place of a Retime.
        let is_near = |end: i64| second(end) <= self.at + seconds(6) + self.skew;
        match (want, state) {
            (_, State::Unknown | State::Missing) => false,
            (Want::Running, State::Paused { until, .. }) if is_ours(until) => resumes || gives_back,
            (Want::Tail(end), State::Paused { until, .. }) if is_ours(until) => {
                until > stamp(end)
                    && (deadline == stamp(end)
                        || (gives_back && deadline > stamp(end))
                        || (is_near(end) && resumes))
            }
            (Want::Running | Want::Tail(_), _) => false,
            // When its first message is dropped is not known here.
            (Want::Paused(end), State::Running | State::Lapsed(_)) if keeps_messages(deadline) => {
                self.guarded && deadline < second(end) && ahead
            }
            (Want::Paused(end), State::Paused { until, .. }) if keeps_messages(deadline) => {
                let follows = until != deadline && deadline < second(end) && ahead;
                self.guarded && (follows && (is_ours(until) || until < deadline) || resumes)
            }
            (Want::Paused(_), State::Paused { until, .. })
                if self.guarded && is_ours(until) && gives_back =>
            {
                true
            }
            (Want::Paused(end), State::Running | State::Lapsed(_)) => {
                deadline == stamp(end) && ahead
            }
            (Want::Paused(end), State::Paused { until, .. }) if is_ours(until) => {
                let shortens = until > stamp(end);
                (until != deadline && deadline == stamp(end) && ahead)
                    || (shortens && gives_back && deadline > stamp(end))
                    || (shortens && is_near(end) && resumes)
            }
            (Want::Paused(end), State::Paused { until, .. }) => {
                until < second(end) && deadline == stamp(end)
            }
        }
    }

    /// Only in a cluster, a minute after the lapse of a deadline of its own.
    fn may_clear(&self, sight: &Sight) -> bool {
        let lapsed = match sight.state {
            State::Lapsed(until) | State::Paused { until, .. } => until,
            _ => return false,
        };
        sight.clustered
            && is_ours(lapsed)
            && self.at.duration_since(lapsed) >= seconds(60) - self.skew
    }

    /// Which promise a write breaks that is not permitted.
    pub fn broken_law(&self, states: &[State], wants: impl Iterator<Item = Want>) -> &'static str {
        let theirs = |state: &State| match state {
            State::Paused { until, .. } => {
                !is_ours(*until) && *until > self.at && self.deadline.is_none_or(|d| d < *until)
            }
            _ => false,
        };
        if states.iter().all(theirs) {
            return "I3";
        }
        let furthest = wants.filter_map(|want| match want {
            Want::Paused(end) | Want::Tail(end) => Some(stamp(end)),
            Want::Running => None,
        });
        let furthest = furthest.max();
        let beyond = self.deadline.is_some_and(|deadline| {
            Some(deadline) > furthest
                && !self.resumes(deadline)
                && !self.foreign.contains(&deadline)
        });
        if beyond { "I1" } else { "I4" }
    }
}
