//! What tests of consumers begin with.

use jiff::Timestamp;

use super::{Candidate, ConsumerId, Kind, Labels, Observation, PauseState};

/// A durable consumer in that state, long there, on a standalone server, without messages.
pub fn observation(state: PauseState) -> Observation {
    Observation {
        state,
        created: Timestamp::UNIX_EPOCH,
        kind: Kind::Durable,
        clustered: false,
        pending: 0,
        ack_pending: 0,
        counted: true,
        floor: 0,
        labels: Labels::UNKNOWN,
    }
}

/// One of that kind, of whose metadata nothing is known.
pub fn candidate(id: &ConsumerId, kind: Option<Kind>) -> Candidate<'_> {
    Candidate {
        kind,
        ..Candidate::named(id)
    }
}
