//! What is remembered of one consumer.

use jiff::Timestamp;

use super::write::Write;
use crate::now::Now;
use crate::write::Outcome;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// The newest write of ours.
    pub(super) write: Option<Write>,
    /// The newest deadline of ours that an observation showed in its place, and the consumer it was
    /// seen on.
    pub(super) held: Option<Held>,
    /// A foreign deadline that we extended: few have one.
    pub(super) foreign: Option<Box<Timestamp>>,
    /// When the consumer was created, as last observed.
    pub(super) created: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub(super) until: Timestamp,
    pub(super) created: Timestamp,
}

impl Entry {
    pub(super) fn foreign(&self) -> Option<Timestamp> {
        self.foreign.as_deref().copied()
    }

    pub(super) fn hold(&mut self, until: Timestamp, created: Timestamp) {
        self.held = Some(Held { until, created });
    }

    /// Whether nothing about it matters any more: its pause is over, and no wait rests on a write
    /// of ours.
    pub(super) fn rests(&self, now: Now) -> bool {
        let open = self.write.is_some_and(|write| write.is_open(now));
        // A refused write's deadline counts too: until then its backoff must not be forgotten.
        let written = self.write.and_then(|write| write.deadline);
        let held = self.held.map(|held| held.until);
        !open
            && held
                .into_iter()
                .chain(written)
                .all(|until| until <= now.wall)
    }

    /// Whether it may carry a pause of ours that still lasts: seen, or written and not refused.
    pub(super) fn lasts(&self, now: Now) -> bool {
        let written = self
            .write
            .filter(|write| write.outcome != Some(Outcome::Refused))
            .and_then(|write| write.deadline);
        let held = self.held.map(|held| held.until);
        held.into_iter()
            .chain(written)
            .any(|until| until > now.wall)
    }
}
