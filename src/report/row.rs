//! What is known, wanted and decided of one consumer.

use std::time::Duration;

use jiff::Timestamp;

use super::Backlog;
use crate::consumer::{ConsumerId, Found, Mark, Owner, PauseState};
use crate::jetstream::RequestError;
use crate::plan::{Known, Rule, Verdict};
use crate::policy::{Desired, WindowSet};
use crate::retention::Loss;

#[cfg(test)]
mod tests;

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
    /// What went wrong with it last: nothing with most.
    pub problem: Option<Box<RequestError>>,
    /// The messages that wait for it.
    pub backlog: Backlog,
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
            backlog: Backlog::default(),
        }
    }

    /// One that was observed again, at that time of the server's clock. Nothing has been decided
    /// about it yet; what went wrong with it before is kept.
    pub fn observed(
        before: Option<&Self>,
        windows: WindowSet,
        found: Found,
        (seen, server_now): (Duration, Timestamp),
    ) -> Self {
        let created = |found: &Found| Some(found.observation()?.created);
        let is_same = before.is_some_and(|row| created(&row.found) == created(&found));
        let backlog = Backlog::observed(
            before.map(|row| row.backlog.clone()),
            found.observation(),
            is_same,
            server_now,
        );
        Self {
            problem: before.and_then(|row| row.problem.clone()),
            backlog,
            ..Self::undecided(windows, found, seen)
        }
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
            idle_at: self.backlog.idle_at,
        }
    }

    /// Whether it is not as it should be, or a person may have to know of it: for metrics that leave
    /// out the rest. One of which nothing is known is not: the connection's metrics report that.
    pub fn is_notable(&self, mark: Mark) -> bool {
        let seen = self.found.observation();
        let is_unwanted = seen.is_some_and(|seen| match self.desired {
            Desired::Paused(_) => !seen.state.is_paused(),
            Desired::Running => seen.state.is_paused(),
            Desired::Tail(_) => false,
        });
        is_unwanted
            || self.verdict.action().is_some()
            || self.unconfirmed.is_some()
            || self.contested
            || self.found == Found::Missing
            || self.found.paused_by(mark) == Some(Owner::Foreign)
            || matches!(self.rule, Rule::LabelsLost)
            || self.loss_while_paused().is_some()
            || self.backlog.losses().lost > 0
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
        self.rule.is_release()
    }

    /// The names of its windows, and of those whose pause it keeps although they select it no more.
    pub fn held_by(&self) -> impl Iterator<Item = &str> {
        let keeps = (self.rule == Rule::LabelsLost).then(|| self.windows.unmatched());
        let kept = keeps.into_iter().flatten().map(|window| &*window.name);
        self.windows.names().chain(kept)
    }

    /// Takes in what became of a write to it.
    pub fn note_result(&mut self, result: &Result<(), Box<RequestError>>) {
        self.problem = result.as_ref().err().cloned();
    }

    /// Takes in the loss that follows from what was decided.
    pub fn note_loss(&mut self, loss: Option<Loss>, mark: Mark, server_now: Timestamp) {
        let loss = loss.filter(|_| !self.rule.leaves_running());
        self.backlog.change_losses(|losses| losses.to_come = loss);
        let seen = self.found.observation();
        let released = (seen.and_then(|seen| seen.state.deadline()))
            .filter(|_| self.is_released_before_loss(mark));
        self.backlog.note_release(released, seen, server_now);
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
        self.backlog.losses().to_come.filter(|loss| loss.at < until)
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
