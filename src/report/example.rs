//! What tests of views begin with.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Act, BucketState, OverridesReport, Pass, Report, Wake};
use crate::consumer::ConsumerId;
use crate::jetstream::bucket::BucketRead;
use crate::policy::{Effect, Override, OverrideId, Policy, Target, Terms, Verb};
use crate::write::Action;

/// A report of no consumers and no windows, before the first connection.
pub fn report(instance: &str) -> Report {
    let longest = SignedDuration::from_hours(168);
    let policy = Policy::new(instance, longest, Vec::new());
    Report::blind(Timestamp::UNIX_EPOCH, Arc::new(policy))
}

/// A pass that has observed everything, with every reply.
pub fn full_pass() -> Pass {
    Pass {
        full: true,
        ..Pass::of(Wake::Resync)
    }
}

/// A pause that the server accepted.
pub fn pause(id: &ConsumerId) -> Act {
    Act {
        id: id.clone(),
        action: Action::Pause,
        deadline: None,
        result: Ok(()),
        repair: None,
        by_same_instance: false,
        undone_by: None,
        lateness: None,
    }
}

/// An override of window `night` that alice made for tests.
pub fn close_of_night(sequence: u64, from: i64, until: i64) -> Override {
    let second = |second| Timestamp::from_second(second).unwrap_or_default();
    Override {
        id: OverrideId::new("alice", sequence.to_string()),
        sequence,
        made: second(from),
        terms: Terms {
            effect: Effect::Run,
            target: Target::Window("night".into()),
            from: second(from),
            until: second(until),
            verb: Verb::Close,
            reason: Some("tests".into()),
            host: None,
        },
    }
}

/// What a bucket with these overrides shows at its newest read.
pub fn bucket(live: Vec<Override>) -> OverridesReport {
    OverridesReport {
        bucket: "recess".into(),
        state: BucketState::Read,
        read: Arc::new(BucketRead {
            live: live.into_iter().map(Arc::new).collect(),
            ..BucketRead::default()
        }),
        read_at: Some(Timestamp::UNIX_EPOCH),
    }
}
