//! Acting: the writes that the decisions call for are sent, and each is noted in the books and in
//! its row.
//!
//! It has no choices left; what could not be sent waits for the next observation.

use std::time::Duration;

use jiff::Timestamp;

use super::reconciler::Reconciler;
use crate::consumer::ConsumerId;
use crate::jetstream::JetStream;
use crate::ledger::Repair;
use crate::now::Now;
use crate::plan::Verdict;
use crate::report::{Act, Burst, Pass};
use crate::send::{Books, Leaving, send};
use crate::write::{Action, Outcome};

/// How soon a consumer is observed again whose write failed. When it is written again is the
/// ledger's decision.
const RETRY: Duration = Duration::from_millis(100);

impl<J: JetStream> Reconciler<J> {
    /// Sends `writes`, in their order, which were decided at `since`. What became of each is in
    /// `pass.acts`, in the order of the answers; where that takes longer than a second, `progress`
    /// is called every second. False where it stopped before the end.
    pub(super) async fn act(
        &mut self,
        writes: Vec<(ConsumerId, Verdict)>,
        since: Now,
        pass: &mut Pass,
        progress: &mut impl FnMut(&mut Self, Burst),
    ) -> bool {
        // Requests borrow handles of their own, so that the books can be kept while they are in
        // flight.
        let (jetstream, clock, limit) =
            (self.jetstream.clone(), self.clock.clone(), self.in_flight());
        let mut books = LoopBooks {
            reconciler: self,
            progress,
        };
        let left = send(&jetstream, &clock, limit, (writes, since), pass, &mut books).await;
        let done = left.is_empty();
        self.hold_back(left);
        done
    }

    /// What was not sent waits for the next observation of it, which is due now.
    pub(super) fn hold_back(&mut self, writes: impl IntoIterator<Item = (ConsumerId, Verdict)>) {
        let now = self.clock.now().uptime;
        for (id, _) in writes {
            self.agenda.no_later_than(&id, now);
        }
    }

    /// Notes a write that leaves now.
    pub(super) fn begin(&mut self, id: ConsumerId, verdict: Verdict) -> Option<Act> {
        let now = self.clock.now();
        let row = self.rows.get(&id)?;
        let seen = row.found.observation()?;
        let mark = self.policy().mark();
        let Leaving {
            action,
            deadline,
            extends,
        } = Leaving::of(verdict, seen, mark, self.server_now())?;
        let repair = verdict
            .deadline()
            .and_then(|until| self.ledger.repair(&id, until, seen));
        // Asked before ours leaves, as after that ours is the last.
        let undone = repair.filter(|repair| *repair != Repair::Recreated);
        let undone_by = undone
            .and_then(|_| self.jetstream.last_writer(&id))
            .map(Box::new);
        let by_same_instance =
            undone.is_some() && seen.state.deadline().is_some_and(|at| mark.owns(at));
        self.ledger.sending(&id, action, deadline, extends, now);
        self.standby.sending();
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
        if let Some(row) = self.rows.get_mut(&act.id) {
            row.note_result(&act.result);
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

/// The loop's books, and where progress is reported.
struct LoopBooks<'b, J, F> {
    reconciler: &'b mut Reconciler<J>,
    progress: &'b mut F,
}

impl<J: JetStream, F: FnMut(&mut Reconciler<J>, Burst)> Books for LoopBooks<'_, J, F> {
    fn begin(&mut self, id: ConsumerId, verdict: Verdict) -> Option<Act> {
        self.reconciler.begin(id, verdict)
    }

    fn end(&mut self, act: Act) -> Act {
        self.reconciler.end(act)
    }

    fn report(&mut self, burst: Burst) {
        (self.progress)(self.reconciler, burst);
    }
}
