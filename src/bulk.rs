//! Bulk operations: many consumers paused or resumed at once, by the same requests, the same limit
//! of requests in flight and the same confirmation as the loop's.
//!
//! The books are the loop's too: the ledger knows what was sent, what shows, and what another
//! client has overridden meanwhile. The calendar shows only which consumers an open window would
//! pause again. The work ends when each consumer is as ordered, or cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::consumer::{Candidate, ConsumerId, Found};
use crate::jetstream::{Advisory, JetStream};
use crate::ledger::{Admission, Ledger};
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope, observe};
use crate::plan::{BulkOp, Hold, Skew, Verdict};
use crate::policy::{Interest, Policy};
use crate::report::{Burst, LeftOut, Pass, Row, Wake};
use crate::send::send;

mod books;
mod hold;
mod run;

use books::BulkBooks;

pub use run::{BulkResult, BulkRun};

/// Without any progress for so long, what is left will not come: longer than a Resume takes in a
/// cluster, a write is given to show, and a request that timed out may still lie in a queue.
const STALL_LIMIT: Duration = Duration::from_secs(20);

/// The longest time between two observations of the consumers that are still waiting. The shortest
/// is twice the time that an observation takes: a cluster that answers requests all the time takes
/// longer to apply writes.
const LOOK: Duration = Duration::from_millis(500);
const SHORTEST_REST: Duration = Duration::from_millis(20);

/// Consumers, what was observed of them, and the books about what was sent to them.
pub struct Bulk<J> {
    jetstream: J,
    clock: Clock,
    interest: Interest,
    policy: Arc<Policy>,
    max_in_flight: usize,
    ledger: Ledger,
    skew: Skew,
    rows: BTreeMap<ConsumerId, Row>,
    left_out: LeftOut,
    /// How many writes were sent and not answered.
    unanswered: usize,
}

impl<J: JetStream> Bulk<J> {
    /// Nothing is observed yet.
    pub fn new(
        jetstream: J,
        clock: Clock,
        interest: Interest,
        policy: Arc<Policy>,
        max_in_flight: usize,
    ) -> Self {
        Self {
            jetstream,
            clock,
            interest,
            policy,
            max_in_flight,
            ledger: Ledger::default(),
            skew: Skew::default(),
            rows: BTreeMap::new(),
            left_out: LeftOut::default(),
            unanswered: 0,
        }
    }

    /// Observes all that is of interest. Nothing is decided.
    pub async fn survey(&mut self) -> Observed {
        let observed = self.observe(&Scope::All).await;
        self.apply_observation(observed.clone());
        observed
    }

    /// Every consumer, as it was observed last.
    pub fn rows(&self) -> &BTreeMap<ConsumerId, Row> {
        &self.rows
    }

    /// What was left out.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// How many writes were sent and not answered, when the work is stopped in the middle.
    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// The server's clock.
    pub fn server_now(&self) -> Timestamp {
        self.skew.server_time(self.clock.now().wall)
    }

    /// What an operation comes to for every consumer that was observed.
    pub fn plan(&self, op: BulkOp) -> BulkRun {
        let mut hold = self.holds();
        let mut result = |row: &Row| match row.found {
            Found::Missing => BulkResult::Missing,
            Found::Present(_) | Found::Unknown if op.is_done(&row.found, hold(row)) => {
                BulkResult::Untouched
            }
            Found::Present(_) | Found::Unknown => BulkResult::Waiting,
        };
        let results = (self.rows.iter()).map(|(id, row)| (id.clone(), result(row)));
        BulkRun {
            op,
            results: results.collect(),
            pass: Pass::of(Wake::Edge),
            sent: BTreeSet::new(),
        }
    }

    /// Whether something is to be sent for an operation, by what was observed last.
    pub fn calls_for_writes(&self, op: BulkOp) -> bool {
        let mut hold = self.holds();
        let mut rows = self.rows.values();
        rows.any(|row| op.verdict(&row.found, hold(row)).action().is_some())
    }

    /// Runs until each consumer is as ordered or can no longer be. `advisories` are those that the
    /// server sends meanwhile.
    pub async fn carry_out(
        &mut self,
        run: &mut BulkRun,
        advisories: &mut mpsc::Receiver<Advisory>,
        progress: &mut impl FnMut(Burst),
    ) {
        let mut advanced = self.clock.now().uptime;
        let mut left = usize::MAX;
        let mut look_took = Duration::ZERO;
        loop {
            let now = self.clock.now();
            self.settle(run);
            let waiting = run.waiting();
            if waiting.is_empty() {
                return;
            }
            if waiting.len() < left {
                left = waiting.len();
                advanced = now.uptime;
            }
            if now.uptime.saturating_sub(advanced) > STALL_LIMIT {
                return self.abandon(run);
            }
            let writes = self.ordered(run, &waiting, now);
            if !writes.is_empty() {
                let (sent, answered) = (run.sent.len(), run.pass.acts.len());
                run.sent.extend(writes.iter().map(|(id, _)| id.clone()));
                let (jetstream, clock) = (self.jetstream.clone(), self.clock.clone());
                let limit = self.in_flight();
                let mut books = BulkBooks {
                    bulk: self,
                    progress,
                };
                let writes = (writes, now);
                // What was not sent is still waiting, and is decided again.
                drop(send(&jetstream, &clock, limit, writes, &mut run.pass, &mut books).await);
                run.fail_for_good(answered);
                // What is only sent again is no progress.
                if run.sent.len() > sent {
                    advanced = self.clock.now().uptime;
                }
            }
            self.rest(look_took * 2).await;
            while let Ok(advisory) = advisories.try_recv() {
                self.heed(&advisory);
            }
            let scope = Scope::Only(run.waiting());
            let began = self.clock.now();
            let observed = self.observe(&scope).await;
            self.apply_observation(observed);
            look_took = self.clock.now().uptime.saturating_sub(began.uptime);
        }
    }

    async fn observe(&self, scope: &Scope) -> Observed {
        observe(
            &self.jetstream,
            &self.interest_now(),
            scope,
            self.in_flight(),
            &self.clock,
            ReplyDeadline::NONE,
        )
        .await
    }

    fn in_flight(&self) -> usize {
        self.jetstream.link().borrow().in_flight(self.max_in_flight)
    }

    /// What was written to stays of interest, also where it is another kind of consumer by now.
    fn interest_now(&self) -> Interest {
        let written = self.ledger.in_scope(self.clock.now());
        self.interest.clone().and(written.cloned())
    }

    fn apply_observation(&mut self, observed: Observed) {
        if let Some(sample) = observed.clock {
            self.skew.take(sample);
        }
        let (now, policy, interest) = (self.clock.now(), &self.policy, self.interest_now());
        let (ledger, asked) = (&mut self.ledger, observed.asked.clone());
        let server_now = self.skew.server_time(now.wall);
        observed.apply(
            &interest,
            &mut self.rows,
            &mut self.left_out,
            |id, sample, before| {
                let seen = (now.uptime, sample.server_time.unwrap_or(server_now));
                let found = sample.found;
                if let (Found::Unknown, Some(before)) = (&found, before) {
                    return Some(before.unknown_since(now.uptime));
                }
                let of_interest = interest.includes(&Candidate::found(id, &found));
                if of_interest || found == Found::Missing {
                    ledger.observe(id, &found, policy.mark(), now);
                }
                let windows = of_interest.then(|| policy.windows_of(&Candidate::found(id, &found)));
                windows.map(|windows| Row::observed(before, windows, found, seen))
            },
        );
        self.ledger.looked(|id| asked.includes(id), now);
    }

    fn heed(&mut self, advisory: &Advisory) {
        match advisory {
            Advisory::Pause { id, until } => drop(self.ledger.advised(id, *until)),
            Advisory::Deleted(id) => self.ledger.deleted(id),
            Advisory::Created(_) => {}
        }
    }

    /// Says of each who was waited for whether that is over.
    fn settle(&self, run: &mut BulkRun) {
        let too_late = match run.op {
            BulkOp::Pause(until) => until <= self.server_now(),
            BulkOp::Resume => false,
        };
        let mut hold = self.holds();
        for (id, result) in &mut run.results {
            if *result != BulkResult::Waiting {
                continue;
            }
            let Some(row) = self.rows.get(id) else {
                *result = BulkResult::Missing;
                continue;
            };
            let hold = hold(row);
            if row.found == Found::Missing {
                *result = BulkResult::Missing;
            } else if run.op.is_done(&row.found, hold) {
                *result = BulkResult::Done;
            } else if too_late {
                // What shows no pause now has reached its end; no client has overridden it.
                *result = BulkResult::TooLate;
            } else if run.sent.contains(id) && self.was_undone(id, row, run.op, hold) {
                *result = BulkResult::Undone;
            }
        }
    }

    /// Whether what was accepted is in force no more. On a single server accepted is applied, so
    /// whatever else shows came later; in a cluster an advisory or an observation must have shown
    /// that it was.
    fn was_undone(&self, id: &ConsumerId, row: &Row, op: BulkOp, hold: Hold) -> bool {
        let Some(seen) = row.found.observation() else {
            return false;
        };
        let accepted = row.problem.is_none();
        let on_its_way = seen.clustered && self.ledger.is_unconfirmed(id);
        accepted && !on_its_way && op.verdict(&row.found, hold).action().is_some()
    }

    /// What is to be sent now.
    fn ordered(
        &self,
        run: &BulkRun,
        waiting: &BTreeSet<ConsumerId>,
        now: Now,
    ) -> Vec<(ConsumerId, Verdict)> {
        let mut hold = self.holds();
        let verdict = |id: &ConsumerId| {
            let row = self.rows.get(id)?;
            let verdict = run.op.verdict(&row.found, hold(row));
            let action = verdict.action()?;
            let admitted = self.ledger.admit(id, action, verdict.deadline(), now);
            let goes = admitted == Admission::Granted && !self.ledger.is_settling(id, now);
            goes.then(|| (id.clone(), verdict))
        };
        waiting.iter().filter_map(verdict).collect()
    }

    /// Sleeps until a write may show or a pause may have ended.
    async fn rest(&self, at_least: Duration) {
        let now = self.clock.now().uptime;
        let looks = self.rows.iter().flat_map(|(id, row)| {
            let lapse = row.known(id).lapse().filter(|at| *at > now);
            self.ledger.look(id).into_iter().chain(lapse)
        });
        let next = looks.fold(now + LOOK, Duration::min);
        let rest = next.saturating_sub(now);
        tokio::time::sleep(rest.max(at_least).max(SHORTEST_REST)).await;
    }

    fn abandon(&self, run: &mut BulkRun) {
        for (id, result) in &mut run.results {
            if *result != BulkResult::Waiting {
                continue;
            }
            let row = self.rows.get(id);
            *result = match row.and_then(|row| row.problem.clone()) {
                Some(problem) => BulkResult::Failed(*problem),
                None if run.sent.contains(id) => BulkResult::Unconfirmed,
                None => BulkResult::Unknown,
            };
        }
    }
}
