//! What a standby hears and expects: the loop's side of [`Standby`](crate::plan::Standby).

use jiff::{SignedDuration, Timestamp};

use super::reconciler::Reconciler;
use crate::consumer::ConsumerId;
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::plan::{Need, Sending};

/// An advisory of a deadline no further ahead than this says that the deadline has passed: the
/// server's clock is known to some milliseconds.
const PASSED: SignedDuration = SignedDuration::from_secs(1);

impl<J: JetStream> Reconciler<J> {
    /// A change by the calendar has come: from now on what it calls for is waited for, where it is
    /// left to the primary. Returns whether something is.
    pub(super) fn leave_to_primary(&mut self) -> bool {
        if self.standby.delay().is_none() {
            return false;
        }
        let now = self.clock.now();
        let known = self.rows.iter().map(|(id, row)| row.known(id));
        let decisions = self.situation(now).plan(known, now.wall).decisions;
        let mut is_left = false;
        for planned in decisions {
            let need = Need::of(planned.decision.verdict);
            if let (Some(need), Sending::LeftToPrimary(_)) = (need, planned.sending) {
                self.standby.expect(&planned.id, need, now.uptime);
                is_left = true;
            }
        }
        is_left
    }

    /// What a standby learns from an advisory of a deadline. Returns whether it is one that passed
    /// as it was observed: when it does is known, and observed anyway.
    pub(super) fn hear_deadline(&mut self, id: &ConsumerId, until: Timestamp, now: Now) -> bool {
        if self.standby.delay().is_none() {
            return false;
        }
        if until.duration_since(self.server_now()) > PASSED {
            if self.policy().mark().owns(until) {
                self.standby.hear_copy(now.uptime);
            }
            return false;
        }
        let row = self.rows.get(id);
        let seen = row.and_then(|row| row.found.observation());
        seen.and_then(|seen| seen.state.deadline()) == Some(until)
    }
}
