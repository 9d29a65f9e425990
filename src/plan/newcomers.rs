//! Newcomers: consumers that the server says are there now, and that only a glob may mean.
//!
//! The advisory does not show whether one is durable, and of ordered consumers and KV watchers
//! there are hundreds a second in some streams. So the first is asked about at once, and those that
//! come after one in which no window takes an interest are asked about together, less and less
//! often. Many of one stream are asked about by one list.
//!
//! Invariant: a durable consumer that comes alone is observed at once, and any other within
//! [`MAX_OBSERVATION_INTERVAL`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::consumer::ConsumerId;

#[cfg(test)]
mod tests;

/// After one observation that found no consumer a window wants; each further one doubles it.
const MIN_OBSERVATION_INTERVAL: Duration = Duration::from_millis(250);

/// However many come, they are observed this often.
pub const MAX_OBSERVATION_INTERVAL: Duration = Duration::from_secs(5);

/// So many of one stream wait at most. Who comes on top of them is found by the next resync.
const MAX_WAITING_PER_STREAM: usize = 4096;

/// So many streams are remembered before those where nothing happens are forgotten.
const MOST_STREAMS: usize = 1024;

/// Those that wait to be observed.
#[derive(Debug, Default)]
pub struct Newcomers {
    streams: BTreeMap<String, Group>,
}

/// Those of one stream.
#[derive(Debug, Default)]
struct Group {
    waiting: BTreeSet<ConsumerId>,
    /// Observations in a row that found none a window wants.
    fruitless: u32,
    /// When they may be observed, in uptime.
    next: Duration,
}

impl Newcomers {
    /// One more.
    pub fn add(&mut self, id: &ConsumerId, now: Duration) {
        if self.streams.len() >= MOST_STREAMS {
            self.streams.retain(|_, group| !group.is_idle(now));
        }
        if self.streams.len() >= MOST_STREAMS && !self.streams.contains_key(id.stream()) {
            return;
        }
        let group = self.streams.entry(id.stream().to_owned()).or_default();
        if group.is_idle(now) {
            group.fruitless = 0;
        }
        if group.waiting.len() < MAX_WAITING_PER_STREAM {
            group.waiting.insert(id.clone());
        }
    }

    /// One is gone again.
    pub fn remove(&mut self, id: &ConsumerId) {
        if let Some(group) = self.streams.get_mut(id.stream()) {
            group.waiting.remove(id);
        }
    }

    /// Everything was observed.
    pub fn clear(&mut self) {
        for group in self.streams.values_mut() {
            group.waiting.clear();
        }
    }

    /// When the next may be observed, in uptime.
    pub fn next(&self) -> Option<Duration> {
        let waiting = self
            .streams
            .values()
            .filter(|group| !group.waiting.is_empty());
        waiting.map(|group| group.next).min()
    }

    /// Those that may be observed now.
    pub fn take(&mut self, now: Duration) -> BTreeSet<ConsumerId> {
        let due = self.streams.values_mut().filter(|group| group.next <= now);
        due.flat_map(|group| std::mem::take(&mut group.waiting))
            .collect()
    }

    /// They were observed; `is_wanted` shows whether a window wants one.
    pub fn looked(
        &mut self,
        asked: &BTreeSet<ConsumerId>,
        is_wanted: impl Fn(&ConsumerId) -> bool,
        now: Duration,
    ) {
        let mut fruits: BTreeMap<&str, bool> = BTreeMap::new();
        for id in asked {
            *fruits.entry(id.stream()).or_default() |= is_wanted(id);
        }
        for (stream, fruit) in fruits {
            let Some(group) = self.streams.get_mut(stream) else {
                continue;
            };
            if fruit {
                group.fruitless = 0;
                group.next = now;
            } else {
                group.next = now + pause(group.fruitless);
                group.fruitless = group.fruitless.saturating_add(1);
            }
        }
    }
}

impl Group {
    fn is_idle(&self, now: Duration) -> bool {
        self.waiting.is_empty() && now >= self.next + MAX_OBSERVATION_INTERVAL
    }
}

fn pause(fruitless: u32) -> Duration {
    let doubled = 1_u32.checked_shl(fruitless).unwrap_or(u32::MAX);
    MIN_OBSERVATION_INTERVAL
        .saturating_mul(doubled)
        .min(MAX_OBSERVATION_INTERVAL)
}
