//! What a report shows of overrides.

use std::sync::Arc;

use jiff::Timestamp;

use crate::jetstream::bucket::{BucketError, BucketRead};

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
