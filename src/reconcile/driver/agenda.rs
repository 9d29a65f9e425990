//! When what is due: the next step, and how long the loop may sleep where there is none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Driver;
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::JetStream;
use crate::now::Now;
use crate::observe::Scope;
use crate::reconcile::orphans::Streams;
use crate::report::{Report, Wake};

/// How long before a change the loop observes for it.
const PREPARE: SignedDuration = SignedDuration::from_secs(2);

/// The longest sleep in the last stretch before a change, so that a stepped clock is noticed.
const SLICE: Duration = Duration::from_millis(250);

/// What has time is not begun where less than that is left before a change has to be prepared.
const TIME_TO_ASK: Duration = Duration::from_secs(1);

/// The longest sleep at all: the loop shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How much time there is before a change has to be prepared.
pub(super) fn spare_before(edge: Timestamp, now: Now) -> Duration {
    Duration::try_from(edge.duration_since(now.wall) - PREPARE).unwrap_or_default()
}

/// What is to be done next.
pub(super) enum Step {
    Edge,
    Pass(Wake, Scope),
    Prepare(Timestamp, Wake),
    LookAgain(BTreeSet<ConsumerId>),
    Sweep(Streams),
    Limits(Vec<Arc<str>>),
    Clear,
    Meet(BTreeSet<ConsumerId>),
}

impl<J: JetStream, P: FnMut(Report)> Driver<J, P> {
    /// What is due now, in the order of urgency.
    pub(super) fn next_step(&mut self, now: Now) -> Option<Step> {
        if self.next_change.is_some_and(|edge| now.wall >= edge) {
            return Some(Step::Edge);
        }
        if !self.is_up() {
            return None;
        }
        // It observes everything, so it serves each request for that.
        if let Some(edge) = self.next_change
            && edge.duration_since(now.wall) <= PREPARE
            && self.prepared.is_none()
        {
            let asked = self.full.due(now.uptime);
            return Some(Step::Prepare(edge, asked.unwrap_or(Wake::Edge)));
        }
        if let Some(wake) = self.full.due(now.uptime) {
            return Some(Step::Pass(wake, Scope::All));
        }
        if !self.asked.is_empty() {
            let asked = std::mem::take(&mut self.asked);
            return Some(Step::Pass(Wake::Advisory, Scope::Only(asked)));
        }
        let heard = self.reconciler.standby.take_heard(now.uptime);
        if !heard.is_empty() {
            return Some(Step::Pass(Wake::Advisory, Scope::Only(heard)));
        }
        let newcomers = self.newcomers.take(now.uptime);
        if !newcomers.is_empty() {
            return Some(Step::Meet(newcomers));
        }
        let is_unknown = |id: &ConsumerId| {
            let row = self.reconciler.rows.get(id);
            row.is_some_and(|row| row.found == Found::Unknown)
        };
        let due = self.reconciler.agenda.due(now.uptime).cloned();
        let (unknown, known): (BTreeSet<_>, BTreeSet<_>) = due.partition(is_unknown);
        if !known.is_empty() {
            return Some(Step::Pass(Wake::Edge, Scope::Only(known)));
        }
        if !unknown.is_empty() {
            return Some(Step::LookAgain(unknown));
        }
        self.next_at_leisure(now)
    }

    /// The least urgent of all. A sweep lists streams that may be long, so it keeps out of the way
    /// of a change.
    fn next_at_leisure(&mut self, now: Now) -> Option<Step> {
        let limits = self.reconciler.limits.due(now);
        if !limits.is_empty() && self.has_time_to_ask(now) {
            return Some(Step::Limits(limits));
        }
        if !self.reconciler.dry_run() && self.reconciler.may_clear(self.next_change, now) {
            return Some(Step::Clear);
        }
        let has_time = self.has_time_to_ask(now);
        let is_due = |asked: &mut super::SweepAsked| has_time && asked.from <= now.uptime;
        let asked = self.sweep.take_if(is_due)?;
        Some(Step::Sweep(asked.streams))
    }

    /// When the next sweep is due, in uptime.
    fn sweep_at(&self, now: Now) -> Option<Duration> {
        let asked = self.sweep.as_ref()?;
        // Where a change is too near for it, that change wakes the loop.
        self.has_time_to_ask(now).then_some(asked.from)
    }

    /// When the limits of a stream are asked for next, in uptime.
    fn limits_at(&self, now: Now) -> Option<Duration> {
        let next = self.reconciler.limits.next()?;
        self.has_time_to_ask(now).then_some(next)
    }

    fn has_time_to_ask(&self, now: Now) -> bool {
        (self.next_change).is_none_or(|edge| spare_before(edge, now) > TIME_TO_ASK)
    }

    /// How long the loop may sleep.
    pub fn rest(&self) -> Duration {
        let now = self.reconciler.clock.now();
        let mut pause = HEARTBEAT;
        if let Some(edge) = self.next_change {
            let to_edge = edge.duration_since(now.wall);
            let wait = if self.prepared.is_some() || !self.is_up() {
                Duration::try_from(to_edge).unwrap_or_default().min(SLICE)
            } else {
                spare_before(edge, now)
            };
            pause = pause.min(wait);
        }
        if self.is_up() {
            pause = pause.min(self.next_look(now).saturating_sub(now.uptime));
        }
        pause
    }

    /// When something is to be observed, in uptime, if nothing happens before.
    fn next_look(&self, now: Now) -> Duration {
        let others = [
            self.reconciler.agenda.next_look(),
            self.newcomers.next(),
            self.reconciler.standby.next_look(),
            self.sweep_at(now),
            self.limits_at(now),
            self.overrides.next().filter(|_| self.is_up()),
        ];
        others
            .into_iter()
            .flatten()
            .fold(self.full.at, Duration::min)
    }
}

/// When everything is observed next, and for what.
pub(super) struct FullLook {
    /// In uptime.
    at: Duration,
    wake: Wake,
}

impl FullLook {
    /// At once.
    pub fn now(wake: Wake) -> Self {
        Self::at(Duration::ZERO, wake)
    }

    pub fn at(at: Duration, wake: Wake) -> Self {
        Self { at, wake }
    }

    /// One at that time, unless there is one sooner.
    pub fn no_later_than(&mut self, at: Duration, wake: Wake) {
        if at < self.at {
            *self = Self { at, wake };
        }
    }

    /// What it is for, once it is due.
    fn due(&self, now: Duration) -> Option<Wake> {
        (now >= self.at).then_some(self.wake)
    }
}
