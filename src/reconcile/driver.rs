//! What the loop knows between its steps, and what wakes it. When which step is due is in
//! [`agenda`], what each does in [`steps`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::orphans::Streams;
use super::reconciler::Reconciler;
use crate::clock::was_stepped;
use crate::config::Config;
use crate::consumer::ConsumerId;
use crate::jetstream::{Advisory, JetStream, Link};
use crate::now::Now;
use crate::observe::Scope;
use crate::plan::{Newcomers, Verdict};
use crate::policy::Policy;
use crate::report::{Pass, Report, Wake};

mod agenda;
mod override_reads;
mod steps;

use agenda::FullLook;
use override_reads::OverrideReads;

pub(super) struct Driver<J, P> {
    reconciler: Reconciler<J>,
    publish: P,
    /// The next change by the calendar that has not been handled.
    next_change: Option<Timestamp>,
    prepared: Option<Prepared>,
    /// When everything is observed next.
    full: FullLook,
    /// What changed by the calendar and is to be observed for that.
    aftermath: Option<Aftermath>,
    /// Consumers with an advisory: to be observed now.
    asked: BTreeSet<ConsumerId>,
    newcomers: Newcomers,
    sweep: Option<SweepAsked>,
    overrides: OverrideReads,
    /// The policy that `next_change` and `prepared` rest on.
    policy: Arc<Policy>,
    /// The clocks as last read, to notice a step between them.
    clock_read: Now,
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

/// What is observed after a change by the calendar.
struct Aftermath {
    /// When, in uptime.
    at: Duration,
    scope: Scope,
}

impl<J: JetStream, P: FnMut(Report)> Driver<J, P> {
    /// Reports what there is, and observes as soon as there is a connection.
    pub fn begin(reconciler: Reconciler<J>, publish: P) -> Self {
        let mut driver = Self {
            next_change: None,
            prepared: None,
            full: FullLook::first(),
            aftermath: None,
            asked: BTreeSet::new(),
            newcomers: Newcomers::default(),
            sweep: Some(SweepAsked::NOW),
            overrides: OverrideReads::default(),
            policy: reconciler.policy.clone(),
            clock_read: reconciler.clock.now(),
            reconciler,
            publish,
        };
        driver.look_ahead();
        driver.publish(None);
        driver
    }

    /// Checks whether the wall clock was stepped or the host slept (the monotonic clock stands
    /// still meanwhile).
    fn notice_step(&mut self, now: Now) {
        let before = std::mem::replace(&mut self.clock_read, now);
        if was_stepped(before, now) {
            // Nothing is sent by it before a reply has shown the server's clock again.
            self.reconciler.skew.forget();
            // After a step back the next change is further away than it was, or another one.
            if now.wall < before.wall {
                self.look_ahead();
            }
            // It rests on an observation from before, and the host may have slept for hours.
            self.prepared = None;
            self.full.now(Wake::Clock);
        }
    }

    /// Asks the calendar again. What was prepared for another change is thrown away.
    fn look_ahead(&mut self) {
        let now = self.reconciler.clock.now();
        self.policy = self.reconciler.policy.clone();
        self.next_change = self.policy.next_change(now.wall);
        self.prepared = None;
    }

    /// Asks the calendar anew where overrides were taken in. What was prepared was observed for the
    /// same change, so it need not be observed again.
    fn follow_policy(&mut self) {
        if Arc::ptr_eq(&self.policy, &self.reconciler.policy) {
            return;
        }
        let prepared = self.prepared.take();
        self.look_ahead();
        self.prepared = prepared
            .filter(|prepared| Some(prepared.edge) == self.next_change)
            .map(|Prepared { edge, .. }| Prepared {
                edge,
                writes: self.reconciler.plan_for(edge),
            });
    }

    fn publish(&mut self, pass: Option<Pass>) {
        let report = self.reconciler.report(pass, self.next_change);
        (self.publish)(report);
    }

    fn is_up(&self) -> bool {
        matches!(*self.reconciler.jetstream.link().borrow(), Link::Up(_))
    }

    pub fn link_changed(&mut self) {
        // It rests on an observation through the connection that was lost.
        self.prepared = None;
        if self.is_up() {
            self.full.now(Wake::Connected);
            self.reconciler.limits.ask_all();
        } else {
            self.reconciler.lose_sight();
        }
        self.publish(None);
    }

    pub fn reload(&mut self, config: Arc<Config>) {
        self.reconciler.reload(config);
        self.overrides.forget();
        self.read_overrides_soon();
        self.look_ahead();
        self.full.now(Wake::Reload);
        self.sweep = Some(SweepAsked::NOW);
    }

    pub fn advised(&mut self, advisory: Advisory) {
        let reconciler = &mut self.reconciler;
        let id = advisory.id();
        let now = reconciler.clock.now();
        let mark = reconciler.policy().mark();
        let is_ours = reconciler.is_in_scope(id, now);
        let news = match &advisory {
            Advisory::Pause { id, until } => {
                let until = until.map(|until| reconciler.former.translate(id, until, mark));
                let news = reconciler.ledger.advised(id, until);
                let ends_as_seen =
                    until.is_some_and(|until| reconciler.hear_deadline(id, until, now));
                news && !ends_as_seen
            }
            Advisory::Deleted(id) => {
                reconciler.ledger.deleted(id);
                self.newcomers.remove(id);
                reconciler.forget_left_out(id);
                is_ours
            }
            Advisory::Created(_) => true,
        };
        if news && is_ours {
            self.ask(id, now);
        } else if news && reconciler.may_want(id) {
            self.newcomers.add(id, now.uptime);
        }
    }

    /// Something may be news of a consumer of ours: it is observed at once, by a standby soon.
    fn ask(&mut self, id: &ConsumerId, now: Now) {
        if self.reconciler.standby.delay().is_some() {
            self.reconciler.standby.hear(id, now.uptime);
        } else {
            self.asked.insert(id.clone());
        }
    }
}
