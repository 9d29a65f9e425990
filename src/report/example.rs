//! What tests of views begin with.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Act, Pass, Report, Wake};
use crate::consumer::ConsumerId;
use crate::policy::Policy;
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
