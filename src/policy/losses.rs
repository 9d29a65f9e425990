//! Which of several windows has a say in what is done before a consumer loses messages.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Effect, LossDefaults, OnLoss, Policy, Window, WindowSet};

impl Policy {
    /// The same policy with other defaults for losses.
    pub fn with_loss_defaults(self, losses: LossDefaults) -> Self {
        Self { losses, ..self }
    }

    /// What the file says for all of them.
    pub fn loss_defaults(&self) -> LossDefaults {
        self.losses
    }

    /// What is done before a consumer that follows `windows` and is held at `at` loses messages. Of
    /// several windows that hold it, one is enough that must not be left early.
    pub fn on_loss(&self, windows: &WindowSet, at: Timestamp) -> OnLoss {
        let by_hand = windows.overlay().at(at);
        if by_hand.is_some_and(|span| span.effect() == Effect::Pause) {
            return self.losses.on_loss;
        }
        // Mostly they agree, and none need be asked whether it is open.
        let warns = |window: &&Arc<Window>| window.on_loss == OnLoss::Warn;
        let is_open = |window: &Arc<Window>| window.open_at(at).is_some();
        if windows.iter().all(|window| warns(&window)) || windows.iter().filter(warns).any(is_open)
        {
            OnLoss::Warn
        } else {
            OnLoss::Release
        }
    }
}

impl WindowSet {
    /// Whether a person has ordered a pause since `since` that lasts at `at`.
    pub fn is_paused_since(&self, since: Timestamp, at: Timestamp) -> bool {
        let mut made = self.overridden_by(at, at).into_iter();
        made.any(|one| one.terms.effect == Effect::Pause && one.terms.from > since)
    }
}
