//! What is known, wanted and decided of one consumer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{ConsumerId, Found, Mark, Owner, PauseState};
use crate::jetstream::RequestError;
use crate::plan::{Known, Rule, Verdict};
use crate::policy::{Desired, WindowSet};
use crate::retention::Loss;

/// How long after its release a consumer may acknowledge nothing.
const TIME_TO_GO_ON: SignedDuration = SignedDuration::from_mins(5);

/// One consumer.
#[derive(Clone, Debug)]
pub struct Row {
    /// The windows it follows.
    pub windows: WindowSet,
    /// What is wanted.
    pub desired: Desired,
    /// What was found.
    pub found: Found,
    /// When it was found, in uptime.
    pub seen: Duration,
    /// What follows from both.
    pub verdict: Verdict,
    /// The row of the decision table that it follows from.
    pub rule: Rule,
    /// How long a write of ours has been accepted without showing.
    pub unconfirmed: Option<Duration>,
    /// In how long recess sends the write of its verdict, if that was overridden or failed before.
    pub sends_in: Option<Duration>,
    /// Another client overrides what recess writes, and recess has stopped.
    pub contested: bool,
    /// What went wrong with it last.
    pub problem: Option<RequestError>,
    /// The server's clock when it was last observed with nothing to wait for.
    pub idle_at: Option<Timestamp>,
    /// The loss that it comes to before the pause that is wanted ends.
    pub loss: Option<Loss>,
    /// The most messages that waited for it since its stream's limits were read last.
    pub waited: u64,
    /// How many messages its stream dropped while it was held and they waited for it, since recess
    /// was started: at most so many, if it has a filter.
    pub lost: u64,
    /// Its stream dropped some of them when its limits were read last.
    pub loses: bool,
    /// It was released before messages were lost, and so long after has acknowledged none.
    pub still_waits: bool,
    /// How far it had come when it was first observed as released so.
    pub released_at_floor: Option<u64>,
}

impl Row {
    /// One about which nothing has been decided yet.
    pub fn undecided(windows: WindowSet, found: Found, seen: Duration) -> Self {
        Self {
            windows,
            desired: Desired::Running,
            found,
            seen,
            verdict: Verdict::Settled,
            rule: Rule::Unknown,
            unconfirmed: None,
            sends_in: None,
            contested: false,
            problem: None,
            idle_at: None,
            loss: None,
            waited: 0,
            lost: 0,
            loses: false,
            still_waits: false,
            released_at_floor: None,
        }
    }

    /// One that was observed again. Nothing has been decided about it yet; what went wrong with it
    /// before is kept.
    pub fn observed(
        before: Option<&Self>,
        windows: WindowSet,
        found: Found,
        seen: Duration,
    ) -> Self {
        Self {
            problem: before.and_then(|row| row.problem.clone()),
            loss: before.and_then(|row| row.loss),
            lost: before.map_or(0, |row| row.lost),
            loses: before.is_some_and(|row| row.loses),
            released_at_floor: before.and_then(|row| row.released_at_floor),
            ..Self::undecided(windows, found, seen)
        }
    }

    /// The same, observed at that time of the server's clock: if nothing waits for it, that is the
    /// newest time of which that is known.
    pub fn idle_since(self, before: Option<&Self>, server_now: Timestamp) -> Self {
        let Some(seen) = self.found.observation() else {
            return self;
        };
        let created = |row: &Self| Some(row.found.observation()?.created);
        let idle_at = if seen.has_waiting() {
            // Of one that was made anew nothing is known from before.
            let before = before.filter(|row| created(row) == Some(seen.created));
            before.and_then(|row| row.idle_at)
        } else {
            Some(server_now)
        };
        let waited = before.map_or(0, |row| row.waited).max(self.waiting());
        Self {
            idle_at,
            waited,
            ..self
        }
    }

    /// The sequence in the stream up to which it has had every message.
    pub fn floor(&self) -> u64 {
        self.found.observation().map_or(0, |seen| seen.floor)
    }

    /// How many messages wait for it.
    pub fn waiting(&self) -> u64 {
        let seen = self.found.observation();
        seen.map_or(0, |seen| seen.pending.saturating_add(seen.ack_pending))
    }

    /// The same consumer, of which nothing could be learned at `seen`.
    pub fn unknown_since(&self, seen: Duration) -> Self {
        Self {
            found: Found::Unknown,
            seen,
            ..self.clone()
        }
    }

    /// What a decision about it rests on.
    pub fn known<'r>(&'r self, id: &'r ConsumerId) -> Known<'r> {
        Known {
            id,
            windows: &self.windows,
            found: &self.found,
            seen: self.seen,
            idle_at: self.idle_at,
        }
    }

    /// Whether it carries a pause of recess's that no window names.
    pub fn is_orphan(&self) -> bool {
        matches!(
            self.rule,
            Rule::Orphan | Rule::OrphanWaiting | Rule::OrphanUnnamed
        )
    }

    /// Whether it was released from the pause that its windows want.
    pub fn is_released(&self) -> bool {
        matches!(self.rule, Rule::Releasing | Rule::Released)
    }

    /// The names of its windows, and of those whose pause it keeps although they select it no more.
    pub fn held_by(&self) -> impl Iterator<Item = &str> {
        let keeps = (self.rule == Rule::LabelsLost).then(|| self.windows.unmatched());
        let kept = keeps.into_iter().flatten().map(|window| &*window.name);
        self.windows.names().chain(kept)
    }

    /// Notes whether one that was released before messages were lost goes on.
    pub fn note_release(&mut self, mark: Mark, server_now: Timestamp) {
        let seen = self.found.observation();
        let released = (seen.and_then(|seen| seen.state.deadline()))
            .filter(|_| self.is_released_before_loss(mark));
        let floor = *match released {
            Some(_) => self.released_at_floor.insert(
                self.released_at_floor
                    .unwrap_or_else(|| seen.map_or(0, |seen| seen.floor)),
            ),
            None => {
                (self.released_at_floor, self.still_waits) = (None, false);
                return;
            }
        };
        self.still_waits = self.waiting() > 0
            && self.floor() == floor
            && released.is_some_and(|at| server_now.duration_since(at) >= TIME_TO_GO_ON);
    }

    /// When its pause ends before messages are lost, if that lies ahead.
    pub fn release_ahead(&self, mark: Mark) -> Option<Timestamp> {
        match self.found.observation()?.state {
            PauseState::Paused { until, .. } => Some(until).filter(|at| mark.is_for_retention(*at)),
            PauseState::Running | PauseState::Lapsed { .. } => None,
        }
    }

    /// The loss that it comes to while it is paused, as it is paused now.
    pub fn loss_while_paused(&self) -> Option<Loss> {
        let seen = self.found.observation()?;
        let until = seen.state.deadline().filter(|_| seen.state.is_paused())?;
        self.loss.filter(|loss| loss.at < until)
    }

    /// Whether its pause ended, or will, before messages are lost.
    pub fn is_released_before_loss(&self, mark: Mark) -> bool {
        let deadline = || self.found.observation()?.state.deadline();
        self.is_released() && deadline().is_some_and(|until| mark.is_for_retention(until))
    }

    /// Whose deadline is stored, where one is.
    pub fn owner(&self, mark: Mark) -> Option<Owner> {
        Some(mark.owner(self.found.observation()?.state.deadline()?))
    }
}
