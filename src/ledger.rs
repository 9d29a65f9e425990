//! What we wrote, and what came of it: the little that a pass must remember of the passes before.
//!
//! Desired state needs no memory; good manners do. The ledger keeps, per consumer, the newest write
//! of ours (so that it is not repeated before it can have taken effect), how often another client
//! overrode the same write (so that recess stops), and a foreign deadline that we extended (so that
//! it can be given back). All of it may be lost at any time: a restart costs a repeated request at
//! worst, and the memory of a foreign deadline.
//!
//! Pure: every call takes [`Now`]. Waits are measured on the monotonic clock, so that a stepped
//! wall clock neither releases nor holds a write.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{ConsumerId, Found, Mark, Observation, PauseState};
use crate::now::Now;
use crate::write::{Action, Outcome};

mod entry;
mod former;
#[cfg(test)]
mod tests;
mod write;

use entry::Entry;
pub use former::Former;
use write::Write;
pub use write::{Admission, FIGHT_LIMIT, QUEUED, SETTLING};

/// A deadline that lies no further ahead than this is how recess ends a pause, its own or by
/// `recess resume`: the server wakes a consumer only by a deadline that passes. (A Resume's own
/// deadline is at most 6 s ahead.)
pub const RESUME_AHEAD: SignedDuration = SignedDuration::from_secs(7);

/// Why a write restores something that was already right once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Another client resumed it.
    Resumed,
    /// It was deleted and created again.
    Recreated,
    /// Another client moved its deadline.
    Retimed,
}

impl Repair {
    /// All of them, in the order of the metrics.
    pub const ALL: [Self; 3] = [Self::Resumed, Self::Recreated, Self::Retimed];

    /// The word in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Recreated => "recreated",
            Self::Retimed => "retimed",
        }
    }
}

/// The memory, per consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// In boxes, as a table has room for more than it holds, and twice that while it grows.
    entries: HashMap<ConsumerId, Box<Entry>>,
}

/// In the order of the names: a map of hashes has none.
impl Hash for Ledger {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|(id, _)| *id);
        entries.hash(state);
    }
}

impl Ledger {
    /// Takes in what an observation says of a consumer. Returns the kind of our write that it shows
    /// for the first time, unless that was a repair.
    pub fn observe(
        &mut self,
        id: &ConsumerId,
        found: &Found,
        mark: Mark,
        now: Now,
    ) -> Option<Action> {
        let was_unseen = self.write(id).is_some_and(|write| !write.seen);
        match found {
            Found::Present(seen) => self.observe_present(id, seen, mark, now),
            Found::Missing => {
                if let Some(entry) = self.entries.get_mut(id) {
                    entry.write = None;
                    entry.foreign = None;
                }
            }
            Found::Unknown => {}
        }
        let write = self.write(id)?;
        (was_unseen && write.seen && write.undone == 0).then_some(write.action)
    }

    fn observe_present(&mut self, id: &ConsumerId, seen: &Observation, mark: Mark, now: Now) {
        let stored = seen.state.deadline();
        let ours = stored.filter(|&until| mark.owns(until) && seen.state.is_paused());
        if ours.is_none() && !self.entries.contains_key(id) {
            return;
        }
        let entry = self.entries.entry(id.clone()).or_default();
        if let Some(write) = &mut entry.write {
            write.compare(stored, now);
        }
        let recreated = (entry.created.replace(seen.created)).is_some_and(|at| at != seen.created);
        let ours_or_known =
            stored.is_some_and(|until| mark.owns(until) || Some(until) == entry.foreign());
        let passed = entry.foreign().is_some_and(|until| until <= now.wall);
        if recreated || passed || !ours_or_known {
            entry.foreign = None;
        }
        if let Some(until) = ours {
            let written = entry
                .write
                .is_some_and(|write| write.deadline == Some(until));
            let over = (entry.held).is_none_or(|held| held.until <= now.wall);
            // What neither we wrote nor was wanted before may be another's that has our mark: it is
            // to be repaired.
            if written || over || recreated {
                entry.hold(until, seen.created);
            }
        }
    }

    /// Notes that a pause of ours is as it should be, whichever client wrote it.
    pub fn keep(&mut self, id: &ConsumerId, seen: &Observation) {
        if let (Some(entry), PauseState::Paused { until, .. }) =
            (self.entries.get_mut(id), seen.state)
        {
            entry.hold(until, seen.created);
        }
    }

    /// Notes that a consumer's pause was ended on purpose, whosever it was: there is nothing to
    /// repair, no fight, and no foreign deadline to restore.
    pub fn release(&mut self, id: &ConsumerId) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.held = None;
            entry.foreign = None;
            entry.write.iter_mut().for_each(Write::forgive);
        }
    }

    /// Takes in that the server says a consumer's deadline is `until` (`None`: resumed). True when
    /// that is news, and not the echo of what we wrote.
    pub fn advised(&mut self, id: &ConsumerId, until: Option<Timestamp>) -> bool {
        let Some(write) = self.write_mut(id) else {
            return true;
        };
        if write.deadline == until && write.outcome != Some(Outcome::Refused) {
            return false;
        }
        write.contradicted = true;
        true
    }

    /// Whether a consumer may carry a pause of ours that still lasts.
    pub fn is_in_scope(&self, id: &ConsumerId, now: Now) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.lasts(now))
    }

    /// Takes in that the server says a consumer was deleted.
    pub fn deleted(&mut self, id: &ConsumerId) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.foreign = None;
            if let Some(write) = &mut entry.write {
                write.contradicted = true;
            }
        }
    }

    /// Whether a write of ours was accepted a short while ago, does not show yet, and nothing
    /// speaks against it.
    pub fn is_settling(&self, id: &ConsumerId, now: Now) -> bool {
        self.write(id).is_some_and(|write| write.is_settling(now))
    }

    /// Whether a write of ours was accepted and has not been seen.
    pub fn is_unconfirmed(&self, id: &ConsumerId) -> bool {
        self.write(id).is_some_and(Write::unseen)
    }

    /// The foreign deadline that a pause of ours extended.
    pub fn remembered_foreign(&self, id: &ConsumerId) -> Option<Timestamp> {
        self.entries.get(id)?.foreign()
    }

    /// Whether a write may be sent now.
    pub fn admit(
        &self,
        id: &ConsumerId,
        action: Action,
        deadline: Option<Timestamp>,
        now: Now,
    ) -> Admission {
        self.write(id).map_or(Admission::Granted, |write| {
            write.admit(action, deadline, now)
        })
    }

    /// Notes that the overrides go on for `deadline`: if a long pause is extended meanwhile, it is
    /// the same pause.
    pub fn contest(&mut self, id: &ConsumerId, deadline: Option<Timestamp>) {
        if let Some(write) = self.write_mut(id) {
            write.deadline = deadline.or(write.deadline);
        }
    }

    /// Why a write of that deadline would be a repair, if it would: an observation showed it in
    /// place before.
    pub fn repair(
        &self,
        id: &ConsumerId,
        deadline: Timestamp,
        found: &Observation,
    ) -> Option<Repair> {
        let held = self.entries.get(id)?.held?;
        if held.until != deadline {
            return None;
        }
        Some(match found.state {
            _ if held.created != found.created => Repair::Recreated,
            PauseState::Paused { remaining, .. } if remaining <= RESUME_AHEAD => Repair::Resumed,
            PauseState::Paused { .. } => Repair::Retimed,
            PauseState::Running | PauseState::Lapsed { .. } => Repair::Resumed,
        })
    }

    /// Notes that a write leaves. `extends` is the foreign deadline it goes beyond.
    pub fn sending(
        &mut self,
        id: &ConsumerId,
        action: Action,
        deadline: Option<Timestamp>,
        extends: Option<Timestamp>,
        now: Now,
    ) {
        let entry = self.entries.entry(id.clone()).or_default();
        if let Some(extends) = extends {
            entry.foreign = Some(Box::new(extends));
        }
        entry.write = Some(Write::sending(action, deadline, entry.write, now));
    }

    /// Notes what became of it. In a cluster the first observation waits a little, as an earlier
    /// one would show nothing yet.
    pub fn answered(&mut self, id: &ConsumerId, outcome: Outcome, clustered: bool, now: Now) {
        if let Some(write) = self.write_mut(id) {
            write.answered(outcome, clustered, now);
        }
    }

    /// When a write that was accepted and does not show is checked next, in uptime.
    pub fn look(&self, id: &ConsumerId) -> Option<Duration> {
        let write = self.write(id).filter(|write| write.unseen())?;
        Some(write.next_look)
    }

    /// Notes that these consumers were observed: those whose write still does not show are observed
    /// again later.
    pub fn looked(&mut self, these: impl Fn(&ConsumerId) -> bool, now: Now) {
        for (id, entry) in &mut self.entries {
            if let Some(write) = entry.write.as_mut().filter(|_| these(id)) {
                write.looked(now);
            }
        }
    }

    /// How long a write has been accepted without being seen.
    pub fn unseen_for(&self, id: &ConsumerId, now: Now) -> Option<Duration> {
        self.write(id)
            .filter(|write| write.unseen())
            .map(|write| now.uptime.saturating_sub(write.accepted))
    }

    /// The consumers that may carry a pause of ours that still lasts: seen, or written and not
    /// refused.
    pub fn in_scope(&self, now: Now) -> impl Iterator<Item = &ConsumerId> {
        (self.entries.iter())
            .filter(move |(_, entry)| entry.lasts(now))
            .map(|(id, _)| id)
    }

    /// Forgets contests, as after a reload: the operator has spoken.
    pub fn forgive(&mut self) {
        for entry in self.entries.values_mut() {
            entry.write.iter_mut().for_each(Write::forgive);
        }
    }

    /// The instance has another name: what was written with the mark of before counts as written
    /// with this one. Returns the deadlines as they are on the server.
    pub fn restamp(&mut self, before: Mark, mark: Mark) -> Vec<(ConsumerId, Timestamp)> {
        let mut written = Vec::new();
        for (id, entry) in &mut self.entries {
            let held = entry.held.as_mut().map(|held| &mut held.until);
            let write = (entry.write.as_mut()).and_then(|write| write.deadline.as_mut());
            for until in held.into_iter().chain(write) {
                if before.owns(*until) {
                    written.push((id.clone(), *until));
                    *until = mark.restamp(*until);
                }
            }
        }
        written
    }

    /// Forgets every consumer that rests, also those that are gone.
    pub fn prune(&mut self, now: Now) {
        self.entries.retain(|_, entry| !entry.rests(now));
    }

    /// Forgets a consumer that rests: its pause is over, and no write of ours is open or recent.
    pub fn settle(&mut self, id: &ConsumerId, now: Now) {
        if self.entries.get(id).is_some_and(|entry| entry.rests(now)) {
            self.entries.remove(id);
        }
    }

    /// How many consumers are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn write(&self, id: &ConsumerId) -> Option<&Write> {
        self.entries.get(id)?.write.as_ref()
    }

    fn write_mut(&mut self, id: &ConsumerId) -> Option<&mut Write> {
        self.entries.get_mut(id)?.write.as_mut()
    }
}
