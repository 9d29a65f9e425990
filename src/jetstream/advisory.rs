//! What the server tells of consumers on its own.

use jiff::Timestamp;

use crate::consumer::ConsumerId;

/// The server's advisories, delivered at most once: a hint to observe, never a fact to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advisory {
    /// A deadline changed, passed (`until` as it was), or was removed (`None`).
    Pause {
        /// Whose.
        id: ConsumerId,
        /// The stored deadline.
        until: Option<Timestamp>,
    },
    /// A consumer was created (or, in a cluster and falsely, changed).
    Created(ConsumerId),
    /// A consumer was deleted.
    Deleted(ConsumerId),
}

impl Advisory {
    /// The consumer it speaks of.
    pub fn id(&self) -> &ConsumerId {
        match self {
            Self::Pause { id, .. } | Self::Created(id) | Self::Deleted(id) => id,
        }
    }
}
