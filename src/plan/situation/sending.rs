//! When a write is sent that a decision calls for: not amid a fight, and by a standby only once the
//! primary has had its time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Known, Situation};
use crate::ledger::Admission;
use crate::plan::{Need, Sending, Verdict};
use crate::write::Action;

impl Situation<'_> {
    pub(super) fn sending(&self, known: &Known<'_>, verdict: Verdict, at: Timestamp) -> Sending {
        let Some(action) = verdict.action() else {
            return Sending::Nothing;
        };
        let (id, deadline) = (known.id, verdict.deadline());
        let left_to_primary = self.left_to_primary(known, Need { action, deadline }, at);
        match (
            self.ledger.admit(id, action, deadline, self.now),
            left_to_primary,
        ) {
            (Admission::Contested, _) => Sending::Contested,
            (Admission::Granted, None) => Sending::Now,
            (Admission::Wait(until), None) => Sending::Waits(until),
            (Admission::Wait(until), Some(left)) if left <= until => Sending::Waits(until),
            (Admission::Granted | Admission::Wait(_), Some(until)) => Sending::LeftToPrimary(until),
        }
    }

    /// Until when a standby leaves a write to the primary, in uptime, if that is not over by `at`.
    fn left_to_primary(&self, known: &Known<'_>, need: Need, at: Timestamp) -> Option<Duration> {
        let ahead = |span: SignedDuration| Duration::try_from(span).unwrap_or_default();
        let at = self.now.uptime + ahead(at.duration_since(self.now.wall));
        let clock_ahead = ahead(-self.skew.newest.unwrap_or_default());
        let extends = need.action == Action::Retime;
        let pause_ends = extends.then(|| known.lapse()).flatten();
        (self
            .standby
            .due(known.id, need, at, clock_ahead, pause_ends))
        .filter(|due| *due > at)
    }
}
