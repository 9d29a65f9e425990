//! A consumer as selectors and labels are asked about it.

use super::{ConsumerId, Found, Kind, Labels, Observation};

/// A consumer, as far as it is known whether windows may select it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'c> {
    /// Its name.
    pub id: &'c ConsumerId,
    /// Its kind; `None` for one that does not exist: only its exact name counts.
    pub kind: Option<Kind>,
    /// What is known of its metadata. What is not known may be as a window asks for it.
    pub labels: &'c Labels,
}

const UNKNOWN: &Labels = &Labels::UNKNOWN;

impl<'c> Candidate<'c> {
    /// One that was observed.
    pub fn seen(id: &'c ConsumerId, seen: &'c Observation) -> Self {
        Self {
            id,
            kind: Some(seen.kind),
            labels: &seen.labels,
        }
    }

    /// One that does not exist.
    pub fn missing(id: &'c ConsumerId) -> Self {
        Self {
            id,
            kind: None,
            labels: UNKNOWN,
        }
    }

    /// One of which no more than the name is known. It counts as durable: nearly all that people
    /// pause are, and a glob that may mean it must not lose sight of it. It is safe to be wrong:
    /// nothing is sent before an observation has shown the rest.
    pub fn named(id: &'c ConsumerId) -> Self {
        Self::with_labels(id, UNKNOWN)
    }

    /// The same, with that metadata.
    pub fn with_labels(id: &'c ConsumerId, labels: &'c Labels) -> Self {
        Self {
            id,
            kind: Some(Kind::Durable),
            labels,
        }
    }

    /// One of which that was found.
    pub fn found(id: &'c ConsumerId, found: &'c Found) -> Self {
        match found {
            Found::Present(seen) => Self::seen(id, seen),
            Found::Missing => Self::missing(id),
            Found::Unknown => Self::named(id),
        }
    }

    /// Whether globs mean it: they are for durable consumers only.
    pub fn is_durable(&self) -> bool {
        self.kind == Some(Kind::Durable)
    }
}
