//! What a report shows of overrides.

use std::sync::Arc;

use jiff::Timestamp;

use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::policy::{Override, Policy, Target};

/// The bucket of overrides, and what was read of it.
#[derive(Clone, Debug)]
pub struct OverridesReport {
    /// The bucket's name.
    pub bucket: Arc<str>,
    /// What became of the newest attempt to read it.
    pub state: BucketState,
    /// What it had at the newest read that counts.
    pub read: Arc<BucketRead>,
    /// When that was; `None` before the first.
    pub read_at: Option<Timestamp>,
}

/// What became of an attempt to read the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketState {
    /// There was none yet.
    #[default]
    Unasked,
    /// It was read.
    Read,
    /// There is no such bucket: no overrides.
    Missing,
    /// It was not read: what was read before counts.
    Failed(BucketError),
}

/// How far an override has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OverrideState {
    /// It has not begun.
    Ahead,
    /// It counts now.
    Active,
    /// It is over.
    Ended,
    /// The config has no window of that name.
    Idle,
}

impl OverrideState {
    /// Those that the metric counts: what has ended is history.
    pub const COUNTED: [Self; 3] = [Self::Active, Self::Ahead, Self::Idle];

    /// How far an override has come at `at`.
    pub fn of(one: &Override, policy: &Policy, at: Timestamp) -> Self {
        let is_idle = match &one.terms.target {
            Target::Window(name) => !(policy.windows().iter()).any(|window| window.name == *name),
            Target::Consumers(_) => false,
        };
        if one.terms.until <= at {
            Self::Ended
        } else if is_idle {
            Self::Idle
        } else if one.terms.covers(at) {
            Self::Active
        } else {
            Self::Ahead
        }
    }

    /// As JSON and the metric have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Idle => "idle",
        }
    }
}
