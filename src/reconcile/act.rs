//! Sending: the writes that a decision calls for, a bounded number at a time.
//!
//! It has no choices left but one: when the link breaks, the clock is stepped, or as many requests as may be under way
//! have timed out, it stops, and what was not sent waits for the next observation.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use super::reconciler::Reconciler;
use crate::clock::was_stepped;
use crate::consumer::{ConsumerId, PauseState};
use crate::jetstream::{JetStream, Link, RequestError};
use crate::ledger::Repair;
use crate::now::Now;
use crate::plan::{Verdict, resume_deadline};
use crate::report::{Act, Burst, Pass};
use crate::write::{Action, Outcome};

/// How soon a consumer is looked at again whose write failed. When it is written again is the ledger's decision.
const RETRY: Duration = Duration::from_millis(100);

/// How often somebody who waits for a long burst is told how it goes.
const TELL: Duration = Duration::from_secs(1);

impl<J: JetStream> Reconciler<J> {
    /// Sends `writes`, in their order, which were decided at `since`. What became of each is in `pass.acts`, in the order
    /// of the answers; where that takes longer than a second, `tell` is told every second how far it has come. False where it
    /// stopped before the end.
    pub(super) async fn act(
        &mut self,
        writes: Vec<(ConsumerId, Verdict)>,
        since: Now,
        pass: &mut Pass,
        tell: &mut impl FnMut(&mut Self, Burst),
    ) -> bool {
        let began = self.clock.now().uptime;
        let mut tell_at = began + TELL;
        let limit = self.in_flight();
        // Requests borrow a handle of their own, so that the books can be kept while they are under way.
        let jetstream = self.jetstream.clone();
        let jetstream = &jetstream;
        let mut queue = writes.into_iter();
        let mut under_way = FuturesUnordered::new();
        let mut unanswered = 0;
        let mut broken = false;
        loop {
            while under_way.len() < limit && unanswered < limit && !broken {
                if self.is_outdated(since) {
                    broken = true;
                    break;
                }
                let Some((id, verdict)) = queue.next() else {
                    break;
                };
                let Some(mut act) = self.begin(id, verdict) else {
                    continue;
                };
                under_way.push(async move {
                    act.result = match act.deadline {
                        Some(until) => jetstream.pause(&act.id, until).await,
                        None => jetstream.clear(&act.id).await,
                    };
                    act
                });
            }
            self.under_way = under_way.len();
            let Some(act) = under_way.next().await else {
                break;
            };
            self.under_way = under_way.len();
            match &act.result {
                Err(RequestError::NotConnected | RequestError::Cut) => broken = true,
                Err(RequestError::TimedOut { .. }) => unanswered += 1,
                _ => {}
            }
            pass.acts.push(self.end(act));
            let now = self.clock.now().uptime;
            let left = queue.len() + under_way.len();
            if now >= tell_at && left > 0 && !broken {
                let burst = Burst {
                    acts: pass.untold().to_vec(),
                    done: pass.acts.len(),
                    left,
                    took: now.saturating_sub(began),
                };
                pass.told = pass.acts.len();
                tell(self, burst);
                tell_at = now + TELL;
            }
        }
        let done = queue.len() == 0;
        self.hold_back(queue);
        done
    }

    /// What was not sent waits for the next look at it, which is due now.
    pub(super) fn hold_back(&mut self, writes: impl IntoIterator<Item = (ConsumerId, Verdict)>) {
        let now = self.clock.now().uptime;
        for (id, _) in writes {
            self.agenda.no_later_than(&id, now);
        }
    }

    /// Whether a decision of `since` may rest on what is true no more: the link is down, or the host slept.
    fn is_outdated(&self, since: Now) -> bool {
        let is_up = matches!(*self.jetstream.link().borrow(), Link::Up(_));
        !is_up || was_stepped(since, self.clock.now())
    }

    /// Notes a write that leaves now.
    pub(super) fn begin(&mut self, id: ConsumerId, verdict: Verdict) -> Option<Act> {
        let now = self.clock.now();
        let action = verdict.action()?;
        let row = self.rows.get(&id)?;
        let seen = row.found.observation()?;
        let mark = self.policy().mark();
        let server_now = self.server_now();
        let deadline = match verdict {
            Verdict::Resume => Some(resume_deadline(mark, server_now, seen.clustered)),
            _ => verdict.deadline(),
        };
        // A long burst may last beyond it, and a deadline that has passed ends whatever pause there is.
        if matches!(action, Action::Pause | Action::Retime) && deadline <= Some(server_now) {
            return None;
        }
        let extends = match seen.state {
            PauseState::Paused { until, .. } if !mark.owns(until) => Some(until),
            _ => None,
        };
        let repair = verdict
            .deadline()
            .and_then(|until| self.ledger.repair(&id, until, seen));
        // Asked before ours leaves, as after that ours is the last.
        let undone = repair.filter(|repair| *repair != Repair::Recreated);
        let undone_by = undone.and_then(|_| self.jetstream.last_writer(&id));
        let by_same_instance =
            undone.is_some() && seen.state.deadline().is_some_and(|at| mark.owns(at));
        self.ledger.sending(&id, action, deadline, extends, now);
        Some(Act {
            id,
            action,
            deadline,
            result: Ok(()),
            repair,
            undone_by,
            by_same_instance,
            lateness: None,
        })
    }

    /// Notes what became of it.
    pub(super) fn end(&mut self, mut act: Act) -> Act {
        let now = self.clock.now();
        let row = self.rows.get(&act.id);
        let clustered = row
            .and_then(|row| row.found.observation())
            .is_some_and(|seen| seen.clustered);
        let outcome = match &act.result {
            Ok(()) => Outcome::Accepted,
            Err(error) => error.outcome(),
        };
        self.ledger.answered(&act.id, outcome, clustered, now);
        if act.result.is_ok() && act.action == Action::Pause && act.repair.is_none() {
            let opening = row.and_then(|row| self.opening(&row.windows, &row.found, now.wall));
            act.lateness = opening.map(|opens: Timestamp| now.wall.duration_since(opens));
        }
        if let Some(row) = std::sync::Arc::make_mut(&mut self.rows).get_mut(&act.id) {
            row.problem = act.result.clone().err();
            row.unconfirmed = self.ledger.unseen_for(&act.id, now);
        }
        // Where it failed, the next pass sees to it as soon as the ledger lets it.
        let retry = act.result.is_err().then_some(now.uptime + RETRY);
        if let Some(look) = retry.into_iter().chain(self.ledger.look(&act.id)).min() {
            self.agenda.no_later_than(&act.id, look);
        }
        act
    }
}
