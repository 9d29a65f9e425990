//! What a decision takes from the messages that wait for a consumer.

use std::time::Duration;

use jiff::Timestamp;

use super::{Known, Situation};
use crate::consumer::PauseState;
use crate::plan::Guard;
use crate::policy::Desired;
use crate::retention::Loss;

impl Situation<'_> {
    /// How long its messages allow a consumer to be held.
    pub(super) fn guard(&self, known: &Known<'_>, want: Desired, at: Timestamp) -> Guard {
        let (Desired::Paused(_), Some(seen)) = (want, known.found.observation()) else {
            return Guard::Off;
        };
        let stream = self.streams.get(known.id.stream());
        known
            .held(seen)
            .guard(self.policy, stream, at, self.skew.server_time(at))
    }

    /// The loss that a consumer comes to before the pause that is wanted ends, if it is held.
    pub fn loss(&self, known: &Known<'_>, want: Desired, at: Timestamp) -> Option<Loss> {
        let (Desired::Paused(end), Some(seen)) = (want, known.found.observation()) else {
            return None;
        };
        let stream = self.streams.limited(known.id.stream())?;
        let loss = known.held(seen).loss(stream, self.skew.server_time(at))?;
        (loss.at < end).then_some(loss)
    }

    /// The loss that a consumer comes to in the pause that is wanted at `opens`.
    pub fn loss_at(&self, known: &Known<'_>, opens: Timestamp) -> Option<Loss> {
        let desired = |at| self.policy.desired(known.id, known.windows, at);
        let now = self.now.wall;
        let is_one_pause =
            matches!(desired(now), Desired::Paused(until) if until > opens) || opens <= now;
        if is_one_pause {
            return self.loss(known, desired(opens.max(now)), now);
        }
        let (Desired::Paused(end), Some(seen)) = (desired(opens), known.found.observation()) else {
            return None;
        };
        let stream = self.streams.limited(known.id.stream())?;
        let loss = (known.held(seen)).loss_from(stream, self.skew.server_time(now), opens)?;
        (loss.at < end).then_some(loss)
    }

    /// When the guard may call for another deadline: when a forecast comes true, and when half of
    /// the time is over for which one was written.
    pub(super) fn guard_look(
        &self,
        known: &Known<'_>,
        desired: Desired,
        at: Timestamp,
    ) -> Option<Duration> {
        let stored = known.found.observation()?.state;
        let server_now = self.skew.server_time(at);
        let wait = match (self.guard(known, desired, at), stored) {
            (Guard::Forecast(until), PauseState::Paused { .. }) => until.duration_since(server_now),
            (Guard::Until { at: until, .. }, PauseState::Paused { until: stored, .. })
                if stored < until =>
            {
                stored.duration_since(server_now) - until.duration_since(server_now) / 2
            }
            _ => return None,
        };
        let wait = Duration::try_from(wait)
            .ok()
            .filter(|wait| !wait.is_zero())?;
        Some(self.now.uptime + wait)
    }
}
