//! What the checker tells apart: the server, the network, and what each copy of recess remembers.

use jiff::Timestamp;
use recess::consumer::{Found, Kind, Labels, Observation, PauseState};
use recess::ledger::Ledger;
use recess::plan::{Standby, Verdict};
use recess::write::Action;

use crate::judge::{Trail, Wrong};
use crate::scenario::{Budget, Start, World, at, uptime};

/// All there is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The server's clock.
    pub now: i64,
    pub consumers: Vec<Consumer>,
    pub network: Vec<Request>,
    pub copies: Vec<Copy>,
    /// The file on disk.
    pub file: usize,
    pub bucket: Bucket,
    pub left: Budget,
    /// The first thing that must never happen, once it has.
    pub wrong: Option<Wrong>,
}

/// A consumer, as the server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Consumer {
    /// How often it was created again.
    pub created: u8,
    pub stored: Option<Timestamp>,
}

/// A write of recess's that the server has not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    pub consumer: usize,
    pub action: Action,
    pub deadline: Option<Timestamp>,
    pub sent: i64,
    /// Who waits for the answer.
    pub copy: Option<usize>,
    pub place: Place,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On its way to the server, or in its queue.
    Queue,
    /// Accepted by a cluster that has not applied it.
    Proposed,
    /// Nowhere any more: the answer is waited for in vain.
    Gone,
}

/// What people have written to the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    Empty,
    Made(i64),
    Undone,
}

impl Bucket {
    /// When the override that counts was made.
    pub fn live(self) -> Option<i64> {
        match self {
            Self::Made(made) => Some(made),
            Self::Empty | Self::Undone => None,
        }
    }
}

/// A copy of recess between its steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Copy {
    /// The file that it has loaded.
    pub file: usize,
    pub ledger: Ledger,
    pub standby: Standby,
    pub overrides: Overrides,
    /// An advisory asks for an observation.
    pub asked: bool,
    /// It will not hear the next advisory.
    pub deaf: bool,
    pub phase: Phase,
    /// What is to be sent at the next change.
    pub prepared: Option<Prepared>,
    /// What a judge keeps of it.
    pub trails: Vec<Trail>,
}

/// What a copy knows of the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// `None`: never read.
    pub read: Option<Option<i64>>,
    /// When it was first asked, while it was never read.
    pub asked_at: Option<i64>,
    /// Read, or asked in vain, a moment ago.
    pub is_fresh: bool,
}

/// Where a copy is in its pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Idle,
    /// The server has answered what it asked; the answer is on its way.
    Looking(Look),
    /// It waits for the overrides that its writes rest on.
    Reading(Look),
}

/// An observation of all consumers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    pub seen: Vec<Seen>,
    /// An advisory asked for it.
    pub is_advised: bool,
}

/// What was prepared for a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prepared {
    /// By the copy's clock.
    pub edge: i64,
    /// Planned once all that was sent before is answered.
    pub writes: Option<Vec<(usize, Verdict)>>,
    pub seen: Vec<Seen>,
}

/// What an observation showed of one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    Unknown,
    Present { consumer: Consumer, at: i64 },
}

impl Seen {
    pub fn found(self, clustered: bool) -> Found {
        let Self::Present { consumer, at: when } = self else {
            return Found::Unknown;
        };
        let state = match consumer.stored {
            None => PauseState::Running,
            Some(until) if until <= at(when) => PauseState::Lapsed { until },
            Some(until) => PauseState::Paused {
                until,
                remaining: until.duration_since(at(when)),
            },
        };
        Found::Present(Observation {
            state,
            created: at(i64::from(consumer.created) - 1_000_000),
            kind: Kind::Durable,
            clustered,
            pending: 0,
            ack_pending: 0,
            counted: true,
            labels: Labels::UNKNOWN,
            floor: 0,
        })
    }
}

impl Copy {
    /// One that has just started.
    pub fn started(world: &World, number: usize, file: usize) -> Self {
        let delay = world.scenario.copies[number].1;
        Self {
            file,
            ledger: Ledger::default(),
            standby: Standby::new(delay.map(|delay| uptime(delay) - uptime(0))),
            overrides: Overrides::default(),
            asked: false,
            deaf: false,
            phase: Phase::Idle,
            prepared: None,
            trails: vec![Trail::default(); world.ids.len()],
        }
    }
}

impl State {
    pub fn first(world: &World, start: Start) -> Self {
        let scenario = &world.scenario;
        let stored = match start {
            Start::Running => None,
            Start::Ours(until) => Some(world.mark.stamp(at(until))),
            Start::Foreign(until) => Some(at(until)),
        };
        Self {
            now: scenario.from,
            consumers: vec![Consumer { created: 0, stored }; world.ids.len()],
            network: Vec::new(),
            copies: (0..scenario.copies.len())
                .map(|number| Copy::started(world, number, 0))
                .collect(),
            file: 0,
            bucket: Bucket::Empty,
            left: scenario.budget,
            wrong: None,
        }
    }

    /// Whether a copy waits for the answer to a write.
    pub fn is_sending(&self, copy: usize) -> bool {
        (self.network.iter()).any(|request| request.copy == Some(copy))
    }

    pub fn put(&mut self, request: Request) {
        self.network.push(request);
        self.network.sort();
    }
}
