//! What is known of the messages that wait for a consumer, and of what its pause does to them.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::Observation;
use crate::retention::Loss;

/// How long after its release a consumer may acknowledge nothing.
const TIME_TO_GO_ON: SignedDuration = SignedDuration::from_mins(5);

/// The messages that wait for one consumer, for their delivery or for an acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The server's clock when it was last observed with nothing to wait for.
    pub idle_at: Option<Timestamp>,
    /// The most messages that waited since its stream's limits were read last.
    most: u64,
    /// What may be lost of them, or was: nothing with most, of which there may be a hundred
    /// thousand.
    losses: Option<Box<Losses>>,
}

/// What may be lost of the messages that wait for a consumer, or was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// The loss that it comes to before the pause that is wanted ends.
    pub to_come: Option<Loss>,
    /// How many messages its stream dropped while it was paused and they waited, since recess was
    /// started: at most so many, if it has a filter.
    pub lost: u64,
    /// Its stream dropped some of them when its limits were read last.
    pub goes_on: bool,
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
        let mut backlog = Self {
            idle_at,
            most: before.most.max(seen.waiting()),
            ..before
        };
        backlog.change_losses(|losses| losses.still_waits = false);
        backlog
    }

    /// What may be lost of them, or was.
    pub fn losses(&self) -> Losses {
        self.losses.as_deref().copied().unwrap_or_default()
    }

    /// Changes what may be lost of them, or was.
    pub fn change_losses(&mut self, change: impl FnOnce(&mut Losses)) {
        let mut losses = self.losses();
        change(&mut losses);
        self.losses = (losses != Losses::default()).then(|| Box::new(losses));
    }

    /// Its stream's limits were read, and it has dropped so many messages since they were before.
    pub fn note_dropped(&mut self, dropped: u64, seen: Option<&Observation>) {
        let lost = dropped.min(self.most);
        self.most = seen.map_or(0, Observation::waiting);
        self.change_losses(|losses| {
            losses.goes_on = lost > 0 && seen.is_some_and(|seen| seen.state.is_paused());
            losses.lost += if losses.goes_on { lost } else { 0 };
        });
    }

    /// Notes whether one that was released at `released`, before messages were lost, goes on; `None`
    /// if it was not.
    pub(super) fn note_release(
        &mut self,
        released: Option<Timestamp>,
        seen: Option<&Observation>,
        server_now: Timestamp,
    ) {
        self.change_losses(|losses| {
            let (Some(released), Some(seen)) = (released, seen) else {
                (losses.released_at_floor, losses.still_waits) = (None, false);
                return;
            };
            let floor = *losses.released_at_floor.get_or_insert(seen.floor);
            losses.still_waits = seen.has_waiting()
                && seen.floor == floor
                && server_now.duration_since(released) >= TIME_TO_GO_ON;
        });
    }
}
