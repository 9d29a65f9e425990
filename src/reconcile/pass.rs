//! One pass: observe, decide, act. What it keeps between passes is in [`Reconciler`]; when a pass
//! is due is the loop's business.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::reconciler::Reconciler;
use crate::consumer::{ConsumerId, Found, PauseState};
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope, observe};
use crate::plan::{Decision, Planned, Sending, Situation, Verdict};
use crate::policy::Window;
use crate::report::{Burst, Pass, Row, Wake};

/// So long a read of the overrides may delay what rests on it.
pub(super) const LONGEST_READ: Duration = Duration::from_secs(1);

impl<J: JetStream> Reconciler<J> {
    /// Observes `scope`, decides for the present, and acts on it (unless this is a dry run).
    pub async fn pass(&mut self, wake: Wake, scope: Scope) -> Pass {
        let began = self.clock.now();
        let observed = self.look(&scope, began, ReplyDeadline::NONE).await;
        let quiet = &mut |_: &mut Self, _| {};
        self.conclude(wake, scope, began, observed, quiet).await
    }

    /// The first half of a pass. It changes nothing, so it is cancel-safe.
    pub(super) async fn look(
        &self,
        scope: &Scope,
        began: Now,
        reply_deadline: ReplyDeadline,
    ) -> Observed {
        observe(
            &self.jetstream,
            &self.interest(began),
            scope,
            self.in_flight(),
            &self.clock,
            reply_deadline,
        )
        .await
    }

    /// The second half of a pass that began at `began`: takes in what was observed, decides, and
    /// acts.
    pub(super) async fn conclude(
        &mut self,
        wake: Wake,
        scope: Scope,
        began: Now,
        observed: Observed,
        progress: &mut impl FnMut(&mut Self, Burst),
    ) -> Pass {
        let now = self.clock.now();
        let mut pass = Pass {
            full: scope.is_all(),
            failures: observed.failures.clone(),
            ..Pass::of(wake)
        };
        let asked = observed.asked.clone();
        match &scope {
            Scope::All => self.agenda.clear(),
            Scope::Part(_) => self.agenda.forget_those(|id| asked.includes(id)),
            Scope::Only(ids) => self.agenda.forget(ids),
        }
        self.to_clear.retain(|id| !asked.includes(id));
        let connection = observed.connection;
        let updated = self.apply_observation(observed, (began, now), &mut pass);
        self.ledger.looked(|id| asked.includes(id), now);
        self.standby.observed(|id| asked.includes(id));
        let mut writes = self.decide_rows(&updated, now);
        if self.rest_on_overrides(wake, &writes)
            && !self.overrides.is_fresh(self.clock.now())
            && self.refresh_overrides(LONGEST_READ).await
        {
            writes = self.decide_rows(&updated, self.clock.now());
        }
        let unread = self.unread_before(&writes, now);
        if !unread.is_empty() {
            let answers = self.ask_limits(&unread).await;
            self.take_answers(answers);
            writes = self.decide_rows(&updated, self.clock.now());
        }
        // A stream that could not be asked may hold what a glob seems to miss.
        if pass.full && pass.is_ok() {
            self.unmatched = Some(self.unmatched_globs());
        }
        if pass.full {
            self.follow_limits(now);
        }
        let may_be_undone = self.ledger.in_scope(now).next().is_some();
        self.jetstream.watch_writers(may_be_undone);
        self.tidy(now);
        if self.jetstream.link().borrow().connection() != connection {
            // A connection that came meanwhile has shown nothing yet that they could rest on.
            self.hold_back(writes);
        } else if !self.dry_run() {
            // They rest on nothing older than `began`.
            self.act(writes, began, &mut pass, progress).await;
        }
        pass.took = self.clock.now().uptime.saturating_sub(began.uptime);
        pass
    }

    /// What decisions rest on now.
    pub(super) fn situation(&self, now: Now) -> Situation<'_> {
        Situation {
            policy: self.policy(),
            ledger: &self.ledger,
            standby: &self.standby,
            orphans: &self.orphans,
            skew: self.skew,
            resync: self.config.settings.controller.resync,
            watches_draining: self.config.settings.events.subject.is_some(),
            overrides: self.overrides.known(now),
            streams: &self.limits.known,
            now,
        }
    }

    /// Plans for the present, writes the decisions into the rows, and returns what should be sent
    /// now.
    pub(super) fn decide_rows(
        &mut self,
        touched: &[ConsumerId],
        now: Now,
    ) -> Vec<(ConsumerId, Verdict)> {
        let known = (touched.iter()).filter_map(|id| self.rows.get_key_value(id));
        let plan = (self.situation(now)).plan(known.map(|(id, row)| row.known(id)), now.wall);
        self.agenda.follow(&plan);
        let mut rows = std::mem::take(&mut self.rows);
        for planned in plan.decisions {
            if let Some(row) = rows.get_mut(&planned.id) {
                self.note_down(row, planned, now);
            }
        }
        self.rows = rows;
        self.to_clear.extend(plan.clears);
        plan.writes
    }

    /// Writes what was planned for one consumer into its row and into the books.
    fn note_down(&mut self, row: &mut Row, planned: Planned, now: Now) {
        row.desired = planned.desired;
        (row.verdict, row.rule) = (planned.decision.verdict, planned.decision.rule);
        let server_now = self.skew.server_time(now.wall);
        row.note_loss(planned.loss, self.policy.mark(), server_now);
        row.unconfirmed = self.ledger.unseen_for(&planned.id, now);
        let waits_until = planned.waits_until;
        row.sends_in = waits_until.map(|until| until.saturating_sub(now.uptime));
        row.contested = planned.sending == Sending::Contested;
        if planned.sending == Sending::Nothing {
            row.problem = None;
        }
        planned.note_down(&row.found, &mut self.ledger, &mut self.standby, now);
    }

    /// Whether some of these writes rest on overrides as they are now.
    fn rest_on_overrides(&self, wake: Wake, writes: &[(ConsumerId, Verdict)]) -> bool {
        let answers_advisory = wake == Wake::Advisory && self.overrides.is_readable();
        writes
            .iter()
            .any(|(id, verdict)| verdict.rests_on_overrides(self.state(id), answers_advisory))
    }

    fn ends(&self, id: &ConsumerId, verdict: Verdict) -> bool {
        self.state(id).is_some_and(|state| verdict.ends(state))
    }

    fn state(&self, id: &ConsumerId) -> Option<PauseState> {
        let seen = self.rows.get(id)?.found.observation()?;
        Some(seen.state)
    }

    /// Reads the overrides, where there is a bucket, for no longer than `limit`. Returns whether
    /// others count now than before.
    pub(super) async fn refresh_overrides(&mut self, limit: Duration) -> bool {
        let Some(read) = self.read_overrides() else {
            return false;
        };
        match timeout(limit, read).await {
            Ok(answer) => self.take_overrides(answer),
            // What was read before counts on.
            Err(_) => false,
        }
    }

    /// What should be sent at `edge`, by what is known now. Nothing is written down: at the edge it
    /// is sent, or thrown away. (A Clear has time, and would stand in the way of the pauses.)
    pub(super) fn plan_for(&self, edge: Timestamp) -> Vec<(ConsumerId, Verdict)> {
        let known = self.rows.iter().map(|(id, row)| row.known(id));
        let situation = self.situation(self.clock.now());
        let mut writes = situation.plan(known, edge).writes;
        // What ends a pause rests on fresh overrides, and so on the pass right after the edge.
        if self.overrides.bucket().is_some() {
            writes.retain(|(id, verdict)| !self.ends(id, *verdict));
        }
        writes
    }

    /// The decision about one consumer now, as its row shows it.
    pub(super) fn judge(&self, id: &ConsumerId, row: &Row, now: Now) -> Decision {
        let situation = self.situation(now);
        situation.decide(&row.known(id), row.desired, now.wall)
    }

    /// When the newest open window of a set opened, if both this policy and the consumer were there
    /// then: only so can a pause be late.
    pub(super) fn opening(
        &self,
        windows: &[Arc<Window>],
        found: &Found,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let created = found.observation()?.created;
        (windows.iter())
            .filter_map(|window| window.open_at(at))
            .map(|occurrence| occurrence.opens)
            .max()
            .filter(|opens| *opens >= self.since && *opens >= created)
    }
}
