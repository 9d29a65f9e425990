//! What is written down of each write of a bulk operation.

use super::Bulk;
use crate::consumer::ConsumerId;
use crate::jetstream::JetStream;
use crate::plan::Verdict;
use crate::report::{Act, Burst};
use crate::send::{Books, Leaving};
use crate::write::Outcome;

/// The books of a bulk operation, and where progress is reported.
pub(super) struct BulkBooks<'b, J, F> {
    pub bulk: &'b mut Bulk<J>,
    pub progress: &'b mut F,
}

impl<J: JetStream, F: FnMut(Burst)> Books for BulkBooks<'_, J, F> {
    fn begin(&mut self, id: ConsumerId, verdict: Verdict) -> Option<Act> {
        let bulk = &mut *self.bulk;
        let seen = bulk.rows.get(&id)?.found.observation()?;
        let Leaving {
            action,
            deadline,
            extends,
        } = Leaving::of(verdict, seen, bulk.policy.mark(), bulk.server_now())?;
        let now = bulk.clock.now();
        bulk.ledger.sending(&id, action, deadline, extends, now);
        Some(Act {
            id,
            action,
            deadline,
            result: Ok(()),
            repair: None,
            undone_by: None,
            by_same_instance: false,
            lateness: None,
        })
    }

    fn end(&mut self, act: Act) -> Act {
        let bulk = &mut *self.bulk;
        let row = bulk.rows.get_mut(&act.id);
        let seen = row.as_ref().and_then(|row| row.found.observation());
        let clustered = seen.is_some_and(|seen| seen.clustered);
        let outcome = match &act.result {
            Ok(()) => Outcome::Accepted,
            Err(error) => error.outcome(),
        };
        let now = bulk.clock.now();
        bulk.ledger.answered(&act.id, outcome, clustered, now);
        if let Some(row) = row {
            row.note_result(&act.result);
        }
        act
    }

    fn in_flight(&mut self, count: usize) {
        self.bulk.unanswered = count;
    }

    fn report(&mut self, burst: Burst) {
        (self.progress)(burst);
    }
}
