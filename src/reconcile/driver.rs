//! What the loop does when it is awake: each step, and what it leaves behind. When which is due is in [`agenda`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::heart::HOPELESS;
use super::observe::{Observed, Patience, Scope};
use super::orphans::Streams;
use super::pass::Reconciler;
use crate::clock::was_stepped;
use crate::config::Config;
use crate::consumer::ConsumerId;
use crate::jetstream::{Advisory, JetStream, Link};
use crate::ledger::Now;
use crate::plan::Verdict;
use crate::report::{Burst, Pass, Report, Wake};

mod agenda;
mod newcomers;

use agenda::{PREPARE, Step};
use newcomers::Newcomers;

/// How long a preparation may take at least, however late it begins.
const SHORTEST_LOOK: Duration = Duration::from_millis(500);

/// How long after a change by the calendar its effect is looked at: the server resumes 0.5 to 2 ms late, and a cluster
/// needs a moment to apply what it accepted.
const AFTERMATH: Duration = Duration::from_millis(100);

/// So many writes leave at a change before anybody is told that it has come: telling takes time, and a long burst more.
const BEFORE_TELLING: usize = 64;

/// How long an answer about consumers is waited for of which nothing could be learned before. A node that is dead is asked
/// often, so that its return is noticed, and everybody else waits meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(750);

/// A change that is handled later than this is looked at anew: what was prepared for it rests on a look from before the
/// writes that held it up, and some of those may not have been answered.
const STALE: SignedDuration = SignedDuration::from_secs(1);

/// How soon everything is looked at again when not every question was answered.
const FAILED: Duration = Duration::from_secs(5);

/// Tells how far a pass has come that sends for long.
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

/// How much time there is before a change has to be prepared.
fn spare_before(edge: Timestamp, now: Now) -> Duration {
    Duration::try_from(edge.duration_since(now.wall) - PREPARE).unwrap_or_default()
}

pub(super) struct Driver<J, P> {
    reconciler: Reconciler<J>,
    publish: P,
    /// When everything is looked at regularly, in uptime.
    resync_at: Duration,
    /// The next change by the calendar that has not been handled.
    next_change: Option<Timestamp>,
    asked: Asked,
    newcomers: Newcomers,
    prepared: Option<Prepared>,
    /// When the effect of the last change is looked at, in uptime.
    aftermath: Option<Duration>,
    /// When the moment of some consumer comes that is its own, in uptime; `None` where something has happened since that was
    /// worked out. It saves going through thousands of rows at every heartbeat.
    own_moment: Option<Duration>,
    /// The clocks as last read, to notice a step between them.
    clock_read: Now,
}

/// What the wake-ups asked for.
#[derive(Default)]
struct Asked {
    full: Option<Wake>,
    consumers: BTreeSet<ConsumerId>,
    sweep: Option<SweepAsked>,
}

/// Streams are to be listed for orphans, from that uptime on.
struct SweepAsked {
    streams: Streams,
    from: Duration,
}

impl SweepAsked {
    const NOW: Self = Self {
        streams: Streams::All,
        from: Duration::ZERO,
    };
}

/// What is to be sent at the next change.
struct Prepared {
    edge: Timestamp,
    writes: Vec<(ConsumerId, Verdict)>,
}

impl<J: JetStream, P: FnMut(Report)> Driver<J, P> {
    /// Tells what there is, and is about to look if there is a connection.
    pub fn begin(reconciler: Reconciler<J>, publish: P, up: bool) -> Self {
        let mut driver = Self {
            resync_at: Duration::ZERO,
            next_change: None,
            asked: Asked::default(),
            newcomers: Newcomers::default(),
            prepared: None,
            aftermath: None,
            own_moment: None,
            clock_read: reconciler.clock.now(),
            reconciler,
            publish,
        };
        driver.look_ahead();
        driver.publish(None);
        driver.asked.full = up.then_some(Wake::Connected);
        driver.asked.sweep = Some(SweepAsked::NOW);
        driver
    }

    /// Does the most urgent of what is due. False where nothing is.
    pub async fn step(&mut self) -> bool {
        let heart = self.reconciler.heart.clone();
        let now = self.reconciler.clock.now();
        self.notice_step(now);
        let Some(step) = self.next_step(now) else {
            return false;
        };
        let controller = &self.reconciler.config.settings.controller;
        let longest = controller.request_timeout * HOPELESS;
        heart.beat_during(self.take(step, now), longest).await;
        true
    }

    async fn take(&mut self, step: Step, now: Now) {
        self.own_moment = None;
        match step {
            Step::Edge => self.edge(now).await,
            Step::Pass(wake, scope) => self.pass(wake, scope).await,
            Step::LookAgain(unknown) => self.look_again(unknown).await,
            Step::Sweep(streams) => self.sweep(streams).await,
            Step::Clear => {
                let mut pass = Pass::of(Wake::Edge);
                self.reconciler
                    .clear_some(self.next_change, &mut pass)
                    .await;
                if !pass.acts.is_empty() {
                    self.publish(Some(pass));
                }
            }
            Step::Meet(newcomers) => self.meet(newcomers).await,
            Step::Prepare(edge, wake) => {
                self.prepare(edge, wake).await;
                self.prepared = Some(Prepared {
                    edge,
                    writes: self.reconciler.plan_for(edge),
                });
            }
        }
    }

    /// A change by the calendar has come: send what was prepared for it, or decide now where nothing was.
    async fn edge(&mut self, now: Now) {
        let edge = self.next_change;
        let prepared = self.prepared.take().filter(|prepared| {
            Some(prepared.edge) == edge && now.wall.duration_since(prepared.edge) <= STALE
        });
        let Some(Prepared {
            writes: mut first, ..
        }) = prepared.filter(|_| self.is_up())
        else {
            self.look_ahead();
            if self.is_up() {
                return self.pass(Wake::Edge, Scope::All).await;
            }
            self.reconciler.lose_sight();
            return self.publish(None);
        };
        let mut pass = Pass::of(Wake::Edge);
        if self.reconciler.dry_run() {
            first.clear();
        }
        let rest = first.split_off(first.len().min(BEFORE_TELLING));
        // Where even these take longer than a second, that is worth saying before the calendar is asked again.
        let done = (self.reconciler)
            .act(first, now, &mut pass, &mut teller(&mut self.publish, None))
            .await;
        self.look_ahead();
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
        self.aftermath = Some(after + wait);
        self.publish(Some(pass));
    }

    /// One pass. Where some answer does not come before the next change has to be prepared (or, once it is prepared, before
    /// it comes), it is given up: both look at everything anyway, and a change must not wait for a node that is dead.
    async fn pass(&mut self, wake: Wake, scope: Scope) {
        let began = self.reconciler.clock.now();
        let look = self.reconciler.look(&scope, began, Patience::WITHOUT_END);
        let observed = match self.next_change {
            None => look.await,
            Some(edge) => {
                let spare = match self.prepared {
                    Some(_) => {
                        Duration::try_from(edge.duration_since(began.wall)).unwrap_or_default()
                    }
                    None => spare_before(edge, began),
                };
                match tokio::time::timeout(spare, look).await {
                    Ok(observed) => observed,
                    Err(_) => return,
                }
            }
        };
        self.conclude(wake, scope, began, observed).await;
    }

    /// A pass right before a change. It has until then; what is not answered by then is unknown, and nothing is sent for it.
    async fn prepare(&mut self, edge: Timestamp, wake: Wake) {
        let began = self.reconciler.clock.now();
        let ahead = Duration::try_from(edge.duration_since(began.wall)).unwrap_or_default();
        let patience = Patience::of(ahead.max(SHORTEST_LOOK));
        let observed = self.reconciler.look(&Scope::All, began, patience).await;
        self.conclude(wake, Scope::All, began, observed).await;
    }

    /// A pass over consumers of which nothing could be learned before. That they are silent still is no news.
    async fn look_again(&mut self, unknown: BTreeSet<ConsumerId>) {
        let began = self.reconciler.clock.now();
        let scope = Scope::Only(unknown);
        let patience = Patience::of(LOOK_AGAIN);
        let mut observed = self.reconciler.look(&scope, began, patience).await;
        observed.failures.clear();
        self.conclude(Wake::Edge, scope, began, observed).await;
    }

    /// Lists streams for orphans. Where a change comes nearer meanwhile it is given up and begun again later.
    async fn sweep(&mut self, streams: Streams) {
        let began = self.reconciler.clock.now();
        let sweep = self.reconciler.sweep(&streams);
        let spare = (self.next_change).map_or(Duration::MAX, |edge| spare_before(edge, began));
        let Ok(sweep) = tokio::time::timeout(spare, sweep).await else {
            let from = self.reconciler.clock.now().uptime + FAILED;
            self.asked.sweep = Some(SweepAsked { streams, from });
            return;
        };
        let now = self.reconciler.clock.now();
        if let Some(streams) = sweep.unanswered() {
            let from = now.uptime + self.reconciler.config.settings.controller.resync;
            self.asked.sweep = Some(SweepAsked { streams, from });
        }
        let orphans = self.reconciler.take_sweep(sweep, now);
        self.asked.consumers.extend(orphans);
        self.publish(None);
    }

    /// A pass over consumers that have come.
    async fn meet(&mut self, newcomers: BTreeSet<ConsumerId>) {
        self.pass(Wake::Advisory, Scope::Only(newcomers.clone()))
            .await;
        let rows = self.reconciler.rows.clone();
        let now = self.reconciler.clock.now().uptime;
        self.newcomers
            .looked(&newcomers, |id| rows.contains_key(id), now);
    }

    async fn conclude(&mut self, wake: Wake, scope: Scope, began: Now, observed: Observed) {
        let full = scope == Scope::All;
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
            self.aftermath = None;
            self.resync_at = now.uptime + self.reconciler.config.settings.controller.resync;
        }
        if !pass.is_ok() {
            self.resync_at = self.resync_at.min(now.uptime + FAILED);
        }
        if let Some(prepared) = &mut self.prepared {
            prepared.writes = self.reconciler.plan_for(prepared.edge);
        }
        self.publish(Some(pass));
    }

    /// Looks whether the wall clock was stepped or the host slept (the monotonic clock stands still meanwhile).
    fn notice_step(&mut self, now: Now) {
        let before = std::mem::replace(&mut self.clock_read, now);
        if was_stepped(before, now) {
            // Nothing is sent by it before an answer has told the server's clock again.
            self.reconciler.skew.forget();
            // After a step back the next change is further away than it was, or another one.
            if now.wall < before.wall {
                self.look_ahead();
            }
            // It rests on a look from before, and the host may have slept for hours.
            self.prepared = None;
            self.asked.full = Some(Wake::Clock);
        }
    }

    /// Asks the calendar anew. What was prepared for another change is thrown away.
    fn look_ahead(&mut self) {
        let now = self.reconciler.clock.now();
        self.next_change = self.reconciler.policy().next_change(now.wall);
        self.prepared = None;
    }

    fn publish(&mut self, pass: Option<Pass>) {
        let report = self.reconciler.report(pass, self.next_change);
        (self.publish)(report);
    }

    fn is_up(&self) -> bool {
        matches!(*self.reconciler.jetstream.link().borrow(), Link::Up(_))
    }

    pub fn link_changed(&mut self) {
        // It rests on a look through the connection that was lost.
        self.prepared = None;
        self.own_moment = None;
        if self.is_up() {
            self.asked.full = Some(Wake::Connected);
        } else {
            self.reconciler.lose_sight();
        }
        self.publish(None);
    }

    pub fn reload(&mut self, config: Arc<Config>) {
        self.reconciler.reload(config);
        self.own_moment = None;
        self.look_ahead();
        self.asked.full = Some(Wake::Reload);
        self.asked.sweep = Some(SweepAsked::NOW);
    }

    pub fn advised(&mut self, advisory: Advisory) {
        let reconciler = &mut self.reconciler;
        let id = advisory.id();
        let mark = reconciler.policy().mark();
        let is_ours = reconciler.rows.contains_key(id) || reconciler.ledger.knows(id);
        let news = match &advisory {
            Advisory::Pause { id, until } => {
                let until = until.map(|until| reconciler.former.translate(id, until, mark));
                reconciler.ledger.advised(id, until)
            }
            Advisory::Deleted(id) => {
                reconciler.ledger.deleted(id);
                self.newcomers.remove(id);
                reconciler.forget_left_out(id);
                is_ours
            }
            Advisory::Created(_) => true,
        };
        if is_ours {
            self.own_moment = None;
        }
        if news && is_ours {
            self.asked.consumers.insert(id.clone());
        } else if news && reconciler.may_want(id) {
            let now = reconciler.clock.now().uptime;
            self.newcomers.add(id, now);
        }
    }
}
