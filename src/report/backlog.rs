//! What is known of the messages that wait for a consumer, and of what its pause does to them.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::Observation;
use crate::retention::Loss;

/// How long after its release a consumer may acknowledge nothing.
const TIME_TO_GO_ON: SignedDuration = SignedDuration::from_mins(5);

/// The messages that wait for one consumer, for their delivery or for an acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The server's clock when it was last observed with nothing to wait for.
    pub idle_at: Option<Timestamp>,
    /// The loss that it comes to before the pause that is wanted ends.
    pub loss: Option<Loss>,
    /// The most messages that waited since its stream's limits were read last.
    most: u64,
    /// How many messages its stream dropped while it was paused and they waited, since recess was
    /// started: at most so many, if it has a filter.
    pub lost: u64,
    /// Its stream dropped some of them when its limits were read last.
    pub loses: bool,
    /// It was released before messages were lost, and five minutes later has acknowledged none.
    pub still_waits: bool,
    /// How far it had come when it was first observed as released so.
    released_at_floor: Option<u64>,
}

impl Backlog {
    /// What is known of it now that it is observed again, at that time of the server's clock. Of one
    /// that was created again nothing is known from before but what was lost.
    pub(super) fn observed(
        before: Option<Self>,
        seen: Option<&Observation>,
        is_same: bool,
        server_now: Timestamp,
    ) -> Self {
        let before = before.unwrap_or_default();
        let Some(seen) = seen else {
            return before;
        };
        let idle_at = match seen.has_waiting() {
            true => before.idle_at.filter(|_| is_same),
            false => Some(server_now),
        };
        Self {
            idle_at,
            most: before.most.max(seen.waiting()),
            still_waits: false,
            ..before
        }
    }

    /// Its stream's limits were read, and it has dropped so many messages since they were before.
    pub fn note_dropped(&mut self, dropped: u64, seen: Option<&Observation>) {
        let lost = dropped.min(self.most);
        self.most = seen.map_or(0, Observation::waiting);
        self.loses = lost > 0 && seen.is_some_and(|seen| seen.state.is_paused());
        self.lost += if self.loses { lost } else { 0 };
    }

    /// Notes whether one that was released at `released`, before messages were lost, goes on; `None`
    /// if it was not.
    pub(super) fn note_release(
        &mut self,
        released: Option<Timestamp>,
        seen: Option<&Observation>,
        server_now: Timestamp,
    ) {
        let (Some(released), Some(seen)) = (released, seen) else {
            (self.released_at_floor, self.still_waits) = (None, false);
            return;
        };
        let floor = *self.released_at_floor.get_or_insert(seen.floor);
        self.still_waits = seen.has_waiting()
            && seen.floor == floor
            && server_now.duration_since(released) >= TIME_TO_GO_ON;
    }
}
