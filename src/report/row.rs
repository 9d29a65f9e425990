//! What is known, wanted and decided of one consumer.

use std::time::Duration;

use crate::consumer::{ConsumerId, Found, Mark, Owner};
use crate::jetstream::RequestError;
use crate::plan::{Known, Rule, Verdict};
use crate::policy::{Desired, WindowSet};

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

    /// Whose deadline is stored, where one is.
    pub fn owner(&self, mark: Mark) -> Option<Owner> {
        Some(mark.owner(self.found.observation()?.state.deadline()?))
    }
}
