//! The steps of the loop: what each does, and what it leaves behind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::agenda::{Step, spare_before};
use super::{Aftermath, Driver, Prepared, SweepAsked};
use crate::consumer::ConsumerId;
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::observe::{Observed, ReplyDeadline, Scope};
use crate::reconcile::heartbeat::STEP_LIMIT;
use crate::reconcile::orphans::Streams;
use crate::reconcile::pass::LONGEST_READ;
use crate::reconcile::reconciler::Reconciler;
use crate::report::{Burst, Pass, Report, Wake};

/// How long a preparation may take at least, however late it begins.
const SHORTEST_LOOK: Duration = Duration::from_millis(500);

/// How long after a change by the calendar its effect is observed: the server resumes 0.5 to 2 ms
/// late, and a cluster needs a moment to apply what it accepted.
const AFTERMATH: Duration = Duration::from_millis(100);

/// How many writes are sent at a change before the views report it: a report takes time, and a long
/// burst more.
const BEFORE_TELLING: usize = 64;

/// How long an answer about consumers is waited for of which nothing could be learned before. A
/// node that is dead is asked often, so that its return is noticed, and all other consumers wait
/// meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(750);

/// A change that is handled later than this is observed again: what was prepared for it rests on an
/// observation from before the writes that delayed it, and some of those may not have been
/// answered.
const STALE: SignedDuration = SignedDuration::from_secs(1);

/// How soon everything is observed again when not every request was answered.
const FAILED: Duration = Duration::from_secs(5);

/// Reports how far a pass has come that sends for long.
fn teller<J: JetStream, P: FnMut(Report)>(
    publish: &mut P,
    next_change: Option<Timestamp>,
) -> impl FnMut(&mut Reconciler<J>, Burst) {
    move |reconciler, burst| {
        publish(Report {
            burst: Some(burst),
            ..reconciler.report(None, next_change)
        });
    }
}

impl<J: JetStream, P: FnMut(Report)> Driver<J, P> {
    /// Does the most urgent of what is due. False where nothing is.
    pub async fn step(&mut self) -> bool {
        let heartbeat = self.reconciler.heartbeat.clone();
        let now = self.reconciler.clock.now();
        self.notice_step(now);
        let Some(step) = self.next_step(now) else {
            return false;
        };
        let controller = &self.reconciler.config.settings.controller;
        let longest = controller.request_timeout * STEP_LIMIT;
        heartbeat.beat_during(self.take(step, now), longest).await;
        true
    }

    async fn take(&mut self, step: Step, now: Now) {
        match step {
            Step::Edge => self.edge(now).await,
            Step::Pass(wake, scope) => {
                let _ = self.pass(wake, scope).await;
            }
            Step::Aftermath(scope) => {
                if !self.pass(Wake::Edge, scope.clone()).await {
                    self.observe_after(Duration::ZERO, scope);
                }
            }
            Step::LookAgain(unknown) => self.look_again(unknown).await,
            Step::Sweep(streams) => self.sweep(streams).await,
            Step::Limits(names) => self.ask_limits(names).await,
            Step::Clear => {
                self.refresh_overrides(SHORTEST_LOOK).await;
                let mut pass = Pass::of(Wake::Edge);
                self.reconciler
                    .clear_some(self.next_change, &mut pass)
                    .await;
                if !pass.acts.is_empty() {
                    self.publish(Some(pass));
                }
            }
            Step::Meet(newcomers) => self.meet(newcomers).await,
            Step::Prepare(edge, full) => {
                if self.prepare(edge, full).await {
                    self.prepared = Some(Prepared {
                        edge,
                        writes: self.reconciler.plan_for(edge),
                    });
                }
            }
        }
    }

    /// A change by the calendar has come: send what was prepared for it, or decide now where
    /// nothing was.
    async fn edge(&mut self, now: Now) {
        let Some(edge) = self.next_change else {
            return;
        };
        let prepared = self.prepared.take().filter(|prepared| {
            prepared.edge == edge && now.wall.duration_since(prepared.edge) <= STALE
        });
        let Some(Prepared {
            writes: mut first, ..
        }) = prepared.filter(|_| self.is_up())
        else {
            let changed = self.change_since(edge);
            if self.is_up() {
                return self.observe_after(Duration::ZERO, changed);
            }
            self.reconciler.lose_sight();
            return self.publish(None);
        };
        let mut pass = Pass::of(Wake::Edge);
        if self.reconciler.dry_run() {
            first.clear();
        }
        let rest = first.split_off(first.len().min(BEFORE_TELLING));
        // Where even these take longer than a second, that is worth saying before the calendar is
        // asked again.
        let done = (self.reconciler)
            .act(first, now, &mut pass, &mut teller(&mut self.publish, None))
            .await;
        let changed = self.change_since(edge);
        let is_left = self.reconciler.leave_to_primary();
        self.publish(None);
        if done {
            self.reconciler
                .act(
                    rest,
                    now,
                    &mut pass,
                    &mut teller(&mut self.publish, self.next_change),
                )
                .await;
        } else {
            self.reconciler.hold_back(rest);
        }
        let after = self.reconciler.clock.now().uptime;
        pass.took = after.saturating_sub(now.uptime);
        // On a standalone server the burst is in force already; a pause that ends takes a moment.
        let wait = if pass.acts.is_empty() {
            AFTERMATH
        } else {
            Duration::ZERO
        };
        // What is left to the primary is observed once that has had the time.
        if !is_left {
            self.observe_after(after + wait, changed);
        }
        self.publish(Some(pass));
    }

    /// Goes by the calendar from now on, as the change at `edge` has come. Returns the consumers
    /// that it and later changes until now may concern.
    fn change_since(&mut self, edge: Timestamp) -> Scope {
        self.look_ahead();
        self.changing(edge, self.reconciler.clock.now().wall)
    }

    /// The consumers that the changes in `[from, until]` may concern.
    fn changing(&self, from: Timestamp, until: Timestamp) -> Scope {
        let changing = self.policy.changing(from, until);
        changing.map_or(Scope::All, Scope::Part)
    }

    /// Has observed what a change by the calendar may concern.
    fn observe_after(&mut self, at: Duration, scope: Scope) {
        self.aftermath = Some(match self.aftermath.take() {
            Some(other) => Aftermath {
                at: at.min(other.at),
                scope: scope.or(other.scope),
            },
            None => Aftermath { at, scope },
        });
    }

    /// One pass. Where some answer does not come before the next change has to be prepared (or,
    /// once it is prepared, before it comes), it is abandoned, as a change must not wait for a node
    /// that is dead. Returns whether it was made.
    async fn pass(&mut self, wake: Wake, scope: Scope) -> bool {
        if !matches!(scope, Scope::Only(_)) {
            let now = self.reconciler.clock.now();
            let spare = (self.next_change).map_or(LONGEST_READ, |edge| spare_before(edge, now));
            self.refresh_overrides(spare.min(LONGEST_READ)).await;
        }
        let began = self.reconciler.clock.now();
        let look = self.reconciler.look(&scope, began, ReplyDeadline::NONE);
        let observed = match self.spare(began) {
            None => look.await,
            Some(spare) => match tokio::time::timeout(spare, look).await {
                Ok(observed) => observed,
                Err(_) => {
                    if scope.is_all() {
                        self.full.was_cut(spare);
                    }
                    return false;
                }
            },
        };
        self.conclude(wake, scope, began, observed).await;
        true
    }

    /// A pass right before a change, over the consumers that it concerns or, where there is reason
    /// to, over everything. It has until then; what is not answered by then is unknown, and nothing is sent
    /// for it.
    async fn prepare(&mut self, edge: Timestamp, full: Option<Wake>) -> bool {
        self.refresh_overrides(SHORTEST_LOOK).await;
        if self.next_change != Some(edge) {
            return false;
        }
        let scope = match full {
            Some(_) => Scope::All,
            None => {
                let changing = self.changing(edge, edge);
                match self.aftermath.take() {
                    Some(other) => changing.or(other.scope),
                    None => changing,
                }
            }
        };
        let began = self.reconciler.clock.now();
        let ahead = Duration::try_from(edge.duration_since(began.wall)).unwrap_or_default();
        let reply_deadline = ReplyDeadline::within(ahead.max(SHORTEST_LOOK));
        let observed = self.reconciler.look(&scope, began, reply_deadline).await;
        let wake = full.unwrap_or(Wake::Edge);
        self.conclude(wake, scope, began, observed).await;
        true
    }

    /// A pass over consumers of which nothing could be learned before. That they are silent still
    /// is no news.
    async fn look_again(&mut self, unknown: BTreeSet<ConsumerId>) {
        let began = self.reconciler.clock.now();
        let scope = Scope::Only(unknown);
        // A change does not wait for who is silent.
        let spare = self.spare(began).unwrap_or(Duration::MAX);
        let reply_deadline = ReplyDeadline::within(LOOK_AGAIN.min(spare));
        let mut observed = self.reconciler.look(&scope, began, reply_deadline).await;
        observed.failures.clear();
        self.conclude(Wake::Edge, scope, began, observed).await;
    }

    /// Lists streams for orphans. If a change comes near meanwhile, it is abandoned and started
    /// again later.
    async fn sweep(&mut self, streams: Streams) {
        let began = self.reconciler.clock.now();
        let sweep = self.reconciler.sweep(&streams);
        let spare = (self.next_change).map_or(Duration::MAX, |edge| spare_before(edge, began));
        let Ok(sweep) = tokio::time::timeout(spare, sweep).await else {
            let from = self.reconciler.clock.now().uptime + FAILED;
            self.sweep = Some(SweepAsked { streams, from });
            return;
        };
        let now = self.reconciler.clock.now();
        if let Some(streams) = sweep.unanswered() {
            let from = now.uptime + self.reconciler.config.settings.controller.resync;
            self.sweep = Some(SweepAsked { streams, from });
        }
        let orphans = self.reconciler.take_sweep(sweep, now);
        self.asked.extend(orphans);
        self.publish(None);
    }

    /// Asks streams for their limits. If a change comes near meanwhile, that is abandoned and done
    /// again later.
    async fn ask_limits(&mut self, names: Vec<Arc<str>>) {
        let began = self.reconciler.clock.now();
        let spare = (self.next_change).map_or(Duration::MAX, |edge| spare_before(edge, began));
        let answers = self.reconciler.ask_limits(&names);
        let answers = tokio::time::timeout(spare, answers).await;
        match answers {
            Ok(answers) => self.reconciler.take_limits(answers),
            Err(_) => {
                let until = self.reconciler.clock.now().uptime + FAILED;
                self.reconciler.limits.put_off(&names, until);
            }
        }
        if let Some(prepared) = &mut self.prepared {
            prepared.writes = self.reconciler.plan_for(prepared.edge);
        }
        self.publish(None);
    }

    /// A pass over consumers that have come.
    async fn meet(&mut self, newcomers: BTreeSet<ConsumerId>) {
        let scope = Scope::Only(newcomers.clone());
        let _ = self.pass(Wake::Advisory, scope).await;
        let rows = self.reconciler.rows.clone();
        let now = self.reconciler.clock.now().uptime;
        self.newcomers
            .looked(&newcomers, |id| rows.contains_key(id), now);
    }

    async fn conclude(&mut self, wake: Wake, scope: Scope, began: Now, observed: Observed) {
        let full = scope.is_all();
        let looked = self.reconciler.clock.now().uptime;
        let pass = (self.reconciler)
            .conclude(
                wake,
                scope,
                began,
                observed,
                &mut teller(&mut self.publish, self.next_change),
            )
            .await;
        let now = self.reconciler.clock.now();
        if full {
            self.newcomers.clear();
            self.asked.clear();
            let resync = self.reconciler.config.settings.controller.resync;
            self.full.done(now.uptime + resync);
            let took = looked.saturating_sub(began.uptime);
            match pass.is_ok() {
                true => self.full.took(took),
                false => self.full.was_cut(took),
            }
            self.aftermath.take_if(|one| one.at <= began.uptime);
        }
        // Then it is decided without them.
        let waits_until = self.reconciler.overrides.waits_until();
        if let Some(until) = waits_until.filter(|until| *until > now.uptime) {
            self.full.no_later_than(until, Wake::Resync);
        }
        if !pass.is_ok() {
            self.full.no_later_than(now.uptime + FAILED, Wake::Resync);
        }
        if let Some(prepared) = &mut self.prepared {
            prepared.writes = self.reconciler.plan_for(prepared.edge);
        }
        self.publish(Some(pass));
    }
}
