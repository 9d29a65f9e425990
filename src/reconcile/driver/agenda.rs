//! When what is due: the next step, and how long the loop may sleep where there is none.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Driver, spare_before};
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::JetStream;
use crate::ledger::Now;
use crate::reconcile::Scope;
use crate::reconcile::orphans::Streams;
use crate::report::{Report, Wake};

/// How long before a change the loop observes for it.
pub(super) const PREPARE: SignedDuration = SignedDuration::from_secs(2);

/// The longest sleep in the last stretch before a change, so that a stepped clock is noticed.
const SLICE: Duration = Duration::from_millis(250);

/// A sweep is not begun where less than that is left before a change has to be prepared.
const SWEEP_TIME: Duration = Duration::from_secs(1);

/// The longest sleep at all: the loop shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What is to be done next.
pub(super) enum Step {
    Edge,
    Pass(Wake, Scope),
    Prepare(Timestamp, Wake),
    LookAgain(BTreeSet<ConsumerId>),
    Sweep(Streams),
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
        // It looks at everything, so it serves whoever asked for that.
        if let Some(edge) = self.next_change
            && edge.duration_since(now.wall) <= PREPARE
            && self.prepared.is_none()
        {
            let wake = self.asked.full.take().unwrap_or(Wake::Edge);
            return Some(Step::Prepare(edge, wake));
        }
        if let Some(wake) = self.asked.full.take() {
            return Some(Step::Pass(wake, Scope::All));
        }
        if !self.asked.consumers.is_empty() {
            let asked = std::mem::take(&mut self.asked.consumers);
            return Some(Step::Pass(Wake::Advisory, Scope::Only(asked)));
        }
        if self.aftermath.is_some_and(|at| now.uptime >= at) {
            return Some(Step::Pass(Wake::Edge, Scope::All));
        }
        if now.uptime >= self.resync_at {
            return Some(Step::Pass(Wake::Resync, Scope::All));
        }
        let newcomers = self.newcomers.take(now.uptime);
        if !newcomers.is_empty() {
            return Some(Step::Meet(newcomers));
        }
        if self.own_moment.is_some_and(|at| now.uptime < at) {
            return self.next_at_leisure(now);
        }
        let is_unknown = |id: &ConsumerId| {
            let row = self.reconciler.rows.get(id);
            row.is_some_and(|row| row.found == Found::Unknown)
        };
        let (unknown, known): (BTreeSet<_>, BTreeSet<_>) =
            self.due(now).into_iter().partition(is_unknown);
        if !known.is_empty() {
            return Some(Step::Pass(Wake::Edge, Scope::Only(known)));
        }
        if !unknown.is_empty() {
            return Some(Step::LookAgain(unknown));
        }
        self.next_at_leisure(now)
    }

    /// The least urgent of all. A sweep lists streams that may be long, so it keeps out of the way of a change.
    fn next_at_leisure(&mut self, now: Now) -> Option<Step> {
        if !self.reconciler.dry_run() && self.reconciler.may_clear(self.next_change, now) {
            return Some(Step::Clear);
        }
        let has_time = self.has_time_to_sweep(now);
        let is_due = |asked: &mut super::SweepAsked| has_time && asked.from <= now.uptime;
        let asked = self.asked.sweep.take_if(is_due)?;
        Some(Step::Sweep(asked.streams))
    }

    /// When the next sweep is due, in uptime.
    fn sweep_at(&self, now: Now) -> Option<Duration> {
        let asked = self.asked.sweep.as_ref()?;
        // Where a change is too near for it, that change wakes the loop.
        self.has_time_to_sweep(now).then_some(asked.from)
    }

    fn has_time_to_sweep(&self, now: Now) -> bool {
        (self.next_change).is_none_or(|edge| spare_before(edge, now) > SWEEP_TIME)
    }

    /// The consumers whose own moment has come: a write to be confirmed or repeated, a pause that has ended.
    fn due(&self, now: Now) -> BTreeSet<ConsumerId> {
        let reconciler = &self.reconciler;
        let held_back = (reconciler.held_back.iter())
            .filter(|(_, at)| **at <= now.uptime)
            .map(|(id, _)| id);
        (reconciler.ledger.looks_due(now))
            .chain(held_back)
            .chain(reconciler.lapsed(now))
            .cloned()
            .collect()
    }

    /// How long the loop may sleep.
    pub fn rest(&mut self) -> Duration {
        let next_pass = self.is_up().then(|| {
            let own = self.own_moment();
            let newcomers = self.newcomers.next();
            let sweep = self.sweep_at(self.reconciler.clock.now());
            (self.aftermath.into_iter())
                .chain(newcomers)
                .chain(sweep)
                .chain([own])
                .fold(self.resync_at, Duration::min)
        });
        // After all that: going through thousands of rows takes longer than an opening may be late.
        let now = self.reconciler.clock.now();
        let mut pause = HEARTBEAT;
        if let Some(edge) = self.next_change {
            let to_edge = edge.duration_since(now.wall);
            let wait = if self.prepared.is_some() || !self.is_up() {
                Duration::try_from(to_edge).unwrap_or_default().min(SLICE)
            } else {
                Duration::try_from(to_edge - PREPARE).unwrap_or_default()
            };
            pause = pause.min(wait);
        }
        match next_pass {
            Some(next) => pause.min(next.saturating_sub(now.uptime)),
            None => pause,
        }
    }

    /// When the next consumer is due: see [`Self::due`].
    fn own_moment(&mut self) -> Duration {
        let reconciler = &self.reconciler;
        *self.own_moment.get_or_insert_with(|| {
            (reconciler.held_back.values().copied())
                .chain(reconciler.ledger.next_look())
                .chain(reconciler.next_lapse())
                .min()
                .unwrap_or(Duration::MAX)
        })
    }
}
