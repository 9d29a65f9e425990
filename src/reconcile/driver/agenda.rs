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

/// A resync that changes by the calendar leave no time for waits no longer than that: then it is
/// made while one is prepared, and what does not answer in time is unknown.
const RESYNC_WAITS: Duration = Duration::from_secs(60);

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
    /// With everything, where there is a reason for that.
    Prepare(Timestamp, Option<Wake>),
    Aftermath(Scope),
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
        if let Some(edge) = self.next_change
            && edge.duration_since(now.wall) <= PREPARE
            && self.prepared.is_none()
        {
            return Some(Step::Prepare(edge, self.full.urgent(now.uptime)));
        }
        if let Some(wake) = self.full.due(now.uptime)
            && self.has_time_for_all(now)
        {
            return Some(Step::Pass(wake, Scope::All));
        }
        if let Some(aftermath) = self.aftermath.take_if(|one| one.at <= now.uptime) {
            return Some(Step::Aftermath(aftermath.scope));
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

    /// How much time there is for an observation before a change comes, or has to be prepared.
    pub(super) fn spare(&self, now: Now) -> Option<Duration> {
        let edge = self.next_change?;
        Some(match self.prepared {
            Some(_) => Duration::try_from(edge.duration_since(now.wall)).unwrap_or_default(),
            None => spare_before(edge, now),
        })
    }

    /// Whether everything is likely to be observed before a change comes; or it must not wait.
    fn has_time_for_all(&self, now: Now) -> bool {
        self.full.urgent(now.uptime).is_some()
            || self.spare(now).is_none_or(|spare| spare >= self.full.takes)
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
        let full = self.has_time_for_all(now).then_some(self.full.at);
        let others = [
            full,
            self.aftermath.as_ref().map(|one| one.at),
            self.reconciler.agenda.next_look(),
            self.newcomers.next(),
            self.reconciler.standby.next_look(),
            self.sweep_at(now),
            self.limits_at(now),
            self.overrides.next().filter(|_| self.is_up()),
        ];
        let first = others.into_iter().flatten().min();
        first.unwrap_or(Duration::MAX)
    }
}

/// When everything is observed next, and for what.
pub(super) struct FullLook {
    /// In uptime.
    at: Duration,
    wake: Wake,
    /// How long it took the last time, if not longer: it may have been cut short.
    takes: Duration,
}

impl FullLook {
    /// The first one, at once.
    pub fn first() -> Self {
        Self {
            at: Duration::ZERO,
            wake: Wake::Connected,
            takes: Duration::ZERO,
        }
    }

    /// One at once.
    pub fn now(&mut self, wake: Wake) {
        (self.at, self.wake) = (Duration::ZERO, wake);
    }

    /// The next one at that time, as one was made.
    pub fn done(&mut self, next: Duration) {
        (self.at, self.wake) = (next, Wake::Resync);
    }

    /// One took so long, until each answer had come.
    pub fn took(&mut self, took: Duration) {
        self.takes = took;
    }

    /// One took longer than that.
    pub fn was_cut(&mut self, after: Duration) {
        self.takes = self.takes.max(after);
    }

    /// One at that time, unless there is one sooner.
    pub fn no_later_than(&mut self, at: Duration, wake: Wake) {
        if at < self.at {
            (self.at, self.wake) = (at, wake);
        }
    }

    /// What it is for, once it is due.
    fn due(&self, now: Duration) -> Option<Wake> {
        (now >= self.at).then_some(self.wake)
    }

    /// The same where a change by the calendar is no reason to wait: something happened, or it was
    /// put off for long.
    fn urgent(&self, now: Duration) -> Option<Wake> {
        let is_urgent = self.wake != Wake::Resync || now >= self.at + RESYNC_WAITS;
        self.due(now).filter(|_| is_urgent)
    }
}
