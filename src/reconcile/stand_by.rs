//! What a standby hears and expects: the loop's side of [`Standby`](crate::plan::Standby).

use jiff::Timestamp;

use super::reconciler::Reconciler;
use crate::consumer::ConsumerId;
use crate::jetstream::JetStream;
use crate::now::Now;

impl<J: JetStream> Reconciler<J> {
    /// A change by the calendar has come: from now on what it calls for is waited for, where it is
    /// left to the primary. Returns whether something is.
    pub(super) fn leave_to_primary(&mut self) -> bool {
        if self.standby.delay().is_none() {
            return false;
        }
        let now = self.clock.now();
        let known = self.rows.iter().map(|(id, row)| row.known(id));
        let plan = self.situation(now).plan(known, now.wall);
        plan.leave_to_primary(&mut self.standby, now)
    }

    /// What a standby learns from an advisory of a deadline. Returns whether it is one that passed
    /// as it was observed.
    pub(super) fn hear_deadline(&mut self, id: &ConsumerId, until: Timestamp, now: Now) -> bool {
        let row = self.rows.get(id);
        let seen = row.and_then(|row| row.found.observation());
        let seen = seen.and_then(|seen| seen.state.deadline());
        let (mark, server_now) = (self.policy().mark(), self.server_now());
        (self.standby).hear_deadline(until, seen, mark, (server_now, now.uptime))
    }
}
