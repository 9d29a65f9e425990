//! What is remembered of a consumer with the windows that it follows.

use crate::consumer::{Candidate, ConsumerId, Kind, Labels};

/// What decides which windows a consumer follows, besides its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nature {
    kind: Option<Kind>,
    labels: Labels,
}

impl Nature {
    /// What is known of it.
    pub fn of(candidate: &Candidate<'_>) -> Self {
        Self {
            kind: candidate.kind,
            labels: candidate.labels.clone(),
        }
    }

    /// The consumer of that name which is so.
    pub fn candidate<'c>(&'c self, id: &'c ConsumerId) -> Candidate<'c> {
        Candidate {
            id,
            kind: self.kind,
            labels: &self.labels,
        }
    }
}
