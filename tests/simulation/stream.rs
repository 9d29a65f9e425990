//! A stream of the model server: messages with a time each, and limits that drop them.
//!
//! It knows when each message came, which nats-server does not report, and which consumer lost which.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use recess::retention::{Discard, StreamDetails};

/// Every message has that size.
const SIZE: u64 = 100;

#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub max_age: Option<SignedDuration>,
    pub max_messages: Option<u64>,
    /// A work queue that refuses what is new when it is full.
    pub refuses: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Stream {
    pub limits: Limits,
    messages: VecDeque<(u64, Timestamp)>,
    last: u64,
    /// When a publisher was refused first.
    pub refused: Option<Timestamp>,
}

impl Stream {
    pub fn of(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// The sequence of the newest message.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How many messages after `floor` it has.
    pub fn after(&self, floor: u64) -> u64 {
        let after = self.messages.iter().filter(|(seq, _)| *seq > floor);
        after.count() as u64
    }

    /// One more message. Returns the sequences of those that are dropped for it.
    pub fn publish(&mut self, now: Timestamp) -> Vec<u64> {
        let most = self.limits.max_messages.unwrap_or(u64::MAX);
        if self.limits.refuses && self.messages.len() as u64 >= most {
            self.refused.get_or_insert(now);
            return Vec::new();
        }
        self.last += 1;
        self.messages.push_back((self.last, now));
        let mut dropped = Vec::new();
        while self.messages.len() as u64 > most {
            dropped.extend(self.messages.pop_front().map(|(seq, _)| seq));
        }
        dropped
    }

    /// Drops what is too old, and returns the sequences.
    pub fn expire(&mut self, now: Timestamp) -> Vec<u64> {
        let Some(max_age) = self.limits.max_age else {
            return Vec::new();
        };
        let mut dropped = Vec::new();
        while let Some((seq, at)) = self.messages.front().copied()
            && at + max_age <= now
        {
            self.messages.pop_front();
            dropped.push(seq);
        }
        dropped
    }

    /// What was acknowledged leaves a work queue.
    pub fn acknowledge(&mut self, floor: u64) {
        if self.limits.refuses {
            self.messages.retain(|(seq, _)| *seq > floor);
        }
    }

    pub fn details(&self, now: Timestamp) -> StreamDetails {
        let end = |message: Option<&(u64, Timestamp)>, empty| {
            message.map_or((empty, None), |(seq, at)| (*seq, Some(*at)))
        };
        let count = self.messages.len() as u64;
        StreamDetails {
            max_age: (self.limits.max_age).map(|age| Duration::try_from(age).expect("an age")),
            max_messages: self.limits.max_messages,
            max_bytes: None,
            discard: match self.limits.refuses {
                true => Discard::New,
                false => Discard::Old,
            },
            empties: self.limits.refuses,
            replicas: 1,
            messages: count,
            bytes: count * SIZE,
            first: end(self.messages.front(), self.last + 1),
            last: end(self.messages.back(), self.last),
            at: Some(now),
        }
    }
}
