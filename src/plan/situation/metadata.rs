//! What a decision takes from a consumer's metadata.

use std::time::Duration;

use jiff::Timestamp;

use super::{Known, Situation};
use crate::consumer::{Observation, PauseState};
use crate::plan::Rule;
use crate::policy::{Desired, WindowSet};

impl Situation<'_> {
    /// Whether what is stored, and lasts longer than wanted, is what windows want that name the
    /// consumer and whose `where` does not hold for it. Most likely it did when they paused it, and a
    /// deploy dropped the tags: that must not let messages through before the window has closed.
    pub(super) fn lost_its_labels(
        &self,
        known: &Known<'_>,
        seen: &Observation,
        want: Desired,
        at: Timestamp,
    ) -> bool {
        let Known { id, windows, .. } = *known;
        if windows.unmatched().is_empty() || windows.was_withdrawn() {
            return false;
        }
        let stored = match seen.state {
            PauseState::Paused { until, .. } => self.policy.mark().unstamp(until),
            PauseState::Running | PauseState::Lapsed { .. } => None,
        };
        stored.is_some_and(|stored| {
            let by_name = || self.policy.desired(id, &windows.by_name(), at).until();
            want.until().is_none_or(|until| until < stored)
                && by_name().is_some_and(|until| stored <= until)
        })
    }

    /// What is wanted, where a pause may last that no window wants any more: as in a tail.
    pub(super) fn with_what_may_last(
        &self,
        known: &Known<'_>,
        want: Desired,
        rule: Rule,
    ) -> Desired {
        let stored = || known.found.observation()?.state.deadline();
        match (want, rule) {
            (Desired::Running, Rule::LabelsLost) => {
                let until = stored().and_then(|until| self.policy.mark().unstamp(until));
                until.map_or(want, Desired::Tail)
            }
            _ => want,
        }
    }

    /// When a consumer is exempt no more.
    pub(super) fn exemption_end(&self, windows: &WindowSet) -> Option<Duration> {
        let end = windows.exempt()?.end()?;
        let wait = Duration::try_from(end.duration_since(self.now.wall)).ok()?;
        (!wait.is_zero()).then(|| self.now.uptime.saturating_add(wait))
    }
}
