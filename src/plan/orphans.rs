//! Which consumers carry a pause of recess's that no window names, and since when that is known.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::consumer::ConsumerId;
use crate::now::Now;

/// How far the case of an orphan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// The instance has no name, so another deployment may have written it: it is only shown.
    Unnamed,
    /// Found less than one resync ago: a person has the time to keep it.
    Waiting,
    /// To be resumed.
    Due,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Orphans {
    /// When each was found, in uptime.
    found: BTreeMap<ConsumerId, Duration>,
}

impl Orphans {
    /// Who they are.
    pub fn ids(&self) -> impl Iterator<Item = &ConsumerId> {
        self.found.keys()
    }

    /// Whether it is one of them.
    pub fn contains(&self, id: &ConsumerId) -> bool {
        self.found.contains_key(id)
    }

    /// One more was found.
    pub fn add(&mut self, id: ConsumerId, now: Now) {
        self.found.insert(id, now.uptime);
    }

    /// It is none any more.
    pub fn forget(&mut self, id: &ConsumerId) {
        self.found.remove(id);
    }

    /// The wait begins again: after a reload the file may want otherwise.
    pub fn restart(&mut self, now: Now) {
        for found in self.found.values_mut() {
            *found = now.uptime;
        }
    }

    /// When its wait ends, in uptime.
    pub fn due(&self, id: &ConsumerId, resync: Duration) -> Option<Duration> {
        Some(*self.found.get(id)? + resync)
    }
}
