//! A standby's patience: which writes it leaves to the primary, and until when.
//!
//! A standby is a copy of recess that observes, decides and shows what every copy does. What it
//! decides to send it sends only if that is still needed some seconds later, on a fresh
//! observation: until then a primary that works has sent it. There is no lease and no leader, so
//! nothing can be held by a copy that hangs, and two copies that both send do no harm.
//!
//! A wait ends sooner only where it would open a hole: before a pause ends that is to be extended.
//! While another copy is seen writing, the primary is alive and in the midst of a long burst, so
//! the wait begins again with each of its writes, up to a bound.
//!
//! Pure, and measured on the monotonic clock. A primary has no patience, and each call does
//! nothing.

use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Verdict;
use crate::consumer::{ConsumerId, Mark};
use crate::write::Action;

#[cfg(test)]
mod tests;

/// How many times as long it waits at most while another copy goes on writing: that may be about
/// other consumers than those which need a write.
const LONGEST_WAIT: u32 = 10;

/// What is heard of consumers is observed once nothing more was heard for so long: a burst of the
/// primary's is heard in thousands.
const QUIET: Duration = Duration::from_secs(1);

/// How long before a pause ends it is extended, whatever the primary does.
const BEFORE_A_GAP: Duration = Duration::from_secs(2);

/// An advisory of a deadline no further ahead than this says that the deadline has passed: the
/// server's clock is known to some milliseconds.
const PASSED: SignedDuration = SignedDuration::from_secs(1);

/// A write that a consumer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    /// What kind.
    pub action: Action,
    /// Its deadline, where that does not depend on the moment of sending.
    pub deadline: Option<Timestamp>,
}

impl Need {
    /// What a verdict asks for, if that is a write.
    pub fn of(verdict: Verdict) -> Option<Self> {
        let deadline = verdict.deadline();
        (verdict.action()).map(|action| Self { action, deadline })
    }
}

/// Since when a consumer may need a write, in uptime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Doubt {
    since: Duration,
    /// Which one, once it was decided.
    need: Option<Need>,
}

/// Consumers that something was heard of, and that were not observed since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Heard {
    consumers: BTreeSet<ConsumerId>,
    /// When the first was heard of, and the newest, in uptime.
    first: Duration,
    newest: Duration,
}

/// What a report shows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandbyState {
    /// How long it leaves a write to the primary.
    pub delay: Duration,
    /// How often it began to send what the primary had not sent.
    pub takeovers: u64,
}

/// What a copy leaves to the primary. The default is that of a primary: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standby {
    delay: Option<Duration>,
    doubts: HashMap<ConsumerId, Doubt>,
    heard: Heard,
    /// When another copy was last heard to write, in uptime.
    copy_wrote: Option<Duration>,
    is_acting: bool,
    takeovers: u64,
}

/// In the order of the names: a map of hashes has none.
impl Hash for Standby {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut doubts: Vec<_> = self.doubts.iter().collect();
        doubts.sort_unstable_by_key(|(id, _)| *id);
        doubts.hash(state);
        (self.delay, &self.heard, self.copy_wrote).hash(state);
        (self.is_acting, self.takeovers).hash(state);
    }
}

impl Standby {
    /// A standby that leaves each write to the primary for so long; without a delay a primary.
    pub fn new(delay: Option<Duration>) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// How long it leaves a write to the primary; `None` for a primary.
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// What a report shows; nothing of a primary.
    pub fn state(&self) -> Option<StandbyState> {
        let takeovers = self.takeovers;
        (self.delay).map(|delay| StandbyState { delay, takeovers })
    }

    /// When a write that is decided for `at` may be sent (both in uptime); `None` for a primary,
    /// which waits for nothing. `ahead` is how far this host's clock is ahead of the server's: the
    /// primary's clock may be right. `pause_ends` is when a pause ends that the write extends.
    pub fn due(
        &self,
        id: &ConsumerId,
        need: Need,
        at: Duration,
        ahead: Duration,
        pause_ends: Option<Duration>,
    ) -> Option<Duration> {
        let delay = self.delay?;
        let since = self.since(id, need, at);
        let due = self.copy_wrote_since(since, delay) + delay + ahead;
        Some(pause_ends.map_or(due, |end| due.min(end.saturating_sub(BEFORE_A_GAP))))
    }

    /// When another copy was last heard to write after `since`, as far as that counts; else `since`.
    fn copy_wrote_since(&self, since: Duration, delay: Duration) -> Duration {
        let wrote = self.copy_wrote.unwrap_or_default();
        wrote.clamp(since, since + delay * LONGEST_WAIT)
    }

    fn since(&self, id: &ConsumerId, need: Need, at: Duration) -> Duration {
        match self.doubts.get(id) {
            // A deadline that follows a forecast moves on with each observation.
            Some(doubt) if doubt.need.is_none_or(|known| known.action == need.action) => {
                doubt.since
            }
            Some(_) | None => at,
        }
    }

    /// Notes what was decided for `at`: which write a consumer needs, if it needs one.
    pub fn decided(&mut self, id: &ConsumerId, need: Option<Need>, at: Duration) {
        if self.delay.is_none() {
            return;
        }
        match need {
            Some(need) => {
                let since = self.since(id, need, at);
                let need = Some(need);
                self.doubts.insert(id.clone(), Doubt { since, need });
            }
            None => drop(self.doubts.remove(id)),
        }
    }

    /// Notes that something was heard of a consumer: from now on it may need a write.
    pub fn hear(&mut self, id: &ConsumerId, now: Duration) {
        let doubt = Doubt {
            since: now,
            need: None,
        };
        self.doubts.insert(id.clone(), doubt);
        self.observe_soon(id, now);
    }

    /// Takes in an advisory of a deadline at that time of the server's clock; `seen` is the deadline
    /// that was observed last. Returns whether it says that the deadline passed as it was observed:
    /// when it does is known, and observed anyway.
    pub fn hear_deadline(
        &mut self,
        until: Timestamp,
        seen: Option<Timestamp>,
        mark: Mark,
        (server_now, now): (Timestamp, Duration),
    ) -> bool {
        if self.delay.is_none() {
            return false;
        }
        if until.duration_since(server_now) > PASSED {
            if mark.owns(until) {
                self.hear_copy(now);
            }
            return false;
        }
        seen == Some(until)
    }

    /// Notes that the calendar calls for a write from now on.
    pub fn expect(&mut self, id: &ConsumerId, need: Need, now: Duration) {
        let known = self.doubts.get(id).and_then(|doubt| doubt.need);
        if known != Some(need) {
            self.doubts.remove(id);
        }
        self.decided(id, Some(need), now);
        self.observe_soon(id, now);
    }

    fn observe_soon(&mut self, id: &ConsumerId, now: Duration) {
        if self.heard.consumers.is_empty() {
            self.heard.first = now;
        }
        self.heard.newest = now;
        self.heard.consumers.insert(id.clone());
    }

    /// When those that something was heard of are observed, in uptime: soon, so that what is shown
    /// is true, but not amid the burst of another copy.
    pub fn next_look(&self) -> Option<Duration> {
        let delay = self.delay.filter(|_| !self.heard.consumers.is_empty())?;
        let Heard { first, newest, .. } = self.heard;
        let calm = (newest + QUIET).min(first + delay);
        Some(calm.max(self.copy_wrote_since(first, delay) + QUIET))
    }

    /// Those that are to be observed now.
    pub fn take_heard(&mut self, now: Duration) -> BTreeSet<ConsumerId> {
        match self.next_look() {
            Some(due) if due <= now => std::mem::take(&mut self.heard.consumers),
            Some(_) | None => BTreeSet::new(),
        }
    }

    /// Notes that these were observed.
    pub fn observed(&mut self, is_observed: impl Fn(&ConsumerId) -> bool) {
        self.heard.consumers.retain(|id| !is_observed(id));
    }

    /// Notes that another copy of this instance, or a command, has written.
    pub fn hear_copy(&mut self, now: Duration) {
        self.copy_wrote = Some(now);
    }

    /// Notes that a write leaves.
    pub fn sending(&mut self) {
        if self.delay.is_some() && !std::mem::replace(&mut self.is_acting, true) {
            self.takeovers += 1;
        }
    }

    /// Forgets the consumers that are known no more. Once nothing is needed, the next write is
    /// another takeover.
    pub fn keep(&mut self, is_known: impl Fn(&ConsumerId) -> bool) {
        self.doubts.retain(|id, _| is_known(id));
        self.is_acting &= self.doubts.values().any(|doubt| doubt.need.is_some());
    }

    /// Forgets every doubt: the connection is lost, and with the next one the primary has its time
    /// again.
    pub fn forget(&mut self) {
        self.doubts.clear();
        self.heard.consumers.clear();
        self.copy_wrote = None;
    }
}
