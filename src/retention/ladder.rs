//! When a message came, without reading it: how far a stream had come at which time.
//!
//! The server reports a stream's last sequence with its own clock. One such pair is a rung; a
//! message came after every rung that does not reach it. So the time of the highest of those is a
//! bound from below, and what is worked out from it is early, never late.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// So many rungs are kept. At one a minute the last two hours are kept whole; before, they become
/// sparse, and the bound earlier.
const MOST: usize = 256;

/// How long a time counts for the inflow.
const INFLOW: SignedDuration = SignedDuration::from_mins(5);

/// One observation of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The server's clock.
    pub at: Timestamp,
    /// The sequence of the stream's last message.
    pub last: u64,
}

/// How far a stream had come at which time, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    rungs: VecDeque<Rung>,
}

impl Ladder {
    /// One more observation. Where a clock or a stream went back, what was known of it before is
    /// worth nothing.
    pub fn add(&mut self, rung: Rung) {
        while (self.rungs.back()).is_some_and(|top| top.last > rung.last || top.at >= rung.at) {
            self.rungs.pop_back();
        }
        self.rungs.push_back(rung);
        if self.rungs.len() > MOST {
            self.thin();
        }
    }

    /// Takes out every second one of the older half.
    fn thin(&mut self) {
        let mut place = 0;
        self.rungs.retain(|_| {
            place += 1;
            place > MOST / 2 || place % 2 == 1
        });
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.rungs.len()
    }

    /// The oldest of them.
    pub fn lowest(&self) -> Option<Rung> {
        self.rungs.front().copied()
    }

    /// The newest of them.
    pub fn top(&self) -> Option<Rung> {
        self.rungs.back().copied()
    }

    /// A time at or after which the message of that sequence came; `None` where it is older than
    /// the ladder.
    pub fn came_after(&self, sequence: u64) -> Option<Timestamp> {
        let above = self.rungs.partition_point(|rung| rung.last < sequence);
        let below = above.checked_sub(1)?;
        self.rungs.get(below).map(|rung| rung.at)
    }

    /// Messages a second, over the last five minutes; `None` where it was observed once.
    pub fn inflow(&self) -> Option<f64> {
        let top = self.top()?;
        let since = top.at.checked_sub(INFLOW).unwrap_or(Timestamp::MIN);
        let first = self.rungs.iter().find(|rung| rung.at >= since)?;
        let took = top.at.duration_since(first.at);
        let came = super::number(top.last.saturating_sub(first.last));
        took.is_positive().then(|| came / took.as_secs_f64())
    }
}
