//! What tests of views begin with.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Act, Pass, Report, Wake};
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::policy::Policy;
use crate::write::Action;

/// A report of no consumers and no windows, before the first connection.
pub fn report(instance: &str) -> Report {
    Report {
        at: Timestamp::UNIX_EPOCH,
        link: Link::Down {
            reason: String::new(),
        },
        skew: None,
        smooth_skew: None,
        dry_run: false,
        policy: Arc::new(Policy::new(
            instance,
            SignedDuration::from_hours(168),
            Vec::new(),
        )),
        pass: None,
        burst: None,
        unlisted: Arc::default(),
        left_out: Arc::default(),
        rows: Arc::default(),
        windows: Vec::new(),
        next_change: None,
    }
}

/// A pass that has looked at everything, and found every answer.
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
