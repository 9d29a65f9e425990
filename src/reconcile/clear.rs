//! Clearing: a deadline of recess's that has passed is removed, as in a cluster it makes an
//! application's strict create fail (error 10148).
//!
//! It is the least of all writes and a step of its own: one at a time, each right after an
//! observation of its own (there is no compare-and-set), and only while nothing else is due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::reconciler::Reconciler;
use crate::clock::was_stepped;
use crate::consumer::ConsumerId;
use crate::jetstream::{JetStream, Link, RequestError};
use crate::now::Now;
use crate::plan::Verdict;
use crate::report::Pass;

/// Before a change by the calendar, clears make way.
const MAKE_WAY: SignedDuration = SignedDuration::from_secs(5);

/// How long one step goes on: whatever else comes due waits for no longer than that and one
/// request.
const STEP: Duration = Duration::from_secs(1);

impl<J: JetStream> Reconciler<J> {
    /// Whether there is something to clear, and time for it before `next_change`.
    pub(super) fn may_clear(&self, next_change: Option<Timestamp>, now: Now) -> bool {
        let is_near = |edge: Timestamp| edge.duration_since(now.wall) <= MAKE_WAY;
        !self.to_clear.is_empty() && !next_change.is_some_and(is_near)
    }

    /// Clears for a while. What a broken connection or a stepped clock leaves is decided again by
    /// the pass that follows.
    pub(super) async fn clear_some(&mut self, next_change: Option<Timestamp>, pass: &mut Pass) {
        let began = self.clock.now();
        let mut unanswered = 0;
        while unanswered < self.in_flight() {
            let now = self.clock.now();
            let is_up = matches!(*self.jetstream.link().borrow(), Link::Up(_));
            if !is_up || was_stepped(began, now) {
                self.to_clear.clear();
            }
            let is_over = now.uptime.saturating_sub(began.uptime) >= STEP;
            if is_over || !self.may_clear(next_change, now) {
                break;
            }
            let Some(id) = self.to_clear.pop_first() else {
                break;
            };
            match self.is_still_to_clear(&id).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(_) => {
                    unanswered += 1;
                    continue;
                }
            }
            let Some(mut act) = self.begin(id, Verdict::Clear) else {
                continue;
            };
            act.result = self.jetstream.clear(&act.id).await.map_err(Box::new);
            if let Some(RequestError::TimedOut { .. }) = act.error() {
                unanswered += 1;
            }
            pass.acts.push(self.end(act));
        }
        pass.took = self.clock.now().uptime.saturating_sub(began.uptime);
    }

    async fn is_still_to_clear(&mut self, id: &ConsumerId) -> Result<bool, RequestError> {
        let sample = self.jetstream.info(id, self.policy.label_keys()).await?;
        let now = self.clock.now();
        let mark = self.policy().mark();
        let Some(mut row) = self.rows.get(id).cloned() else {
            return Ok(false);
        };
        row.found = sample.found;
        self.former.translate_found(id, &mut row.found, mark);
        row.seen = now.uptime;
        let decision = self.judge(id, &row, now);
        Ok(decision.verdict == Verdict::Clear)
    }
}
