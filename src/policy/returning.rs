//! How consumers come back after a close that spreads them.

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{ConsumerId, fnv1a64};

/// A close, and the time after it over which consumers come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returning {
    pub(super) closes: Timestamp,
    pub(super) spread: SignedDuration,
    /// The first instant after the close at which something cuts it, or its end.
    pub(super) cut: Timestamp,
}

impl Returning {
    /// The close.
    pub fn closes(&self) -> Timestamp {
        self.closes
    }

    /// The first instant at which all have come back.
    pub fn ends(&self) -> Timestamp {
        self.cut
    }

    /// When that consumer comes back: so many whole seconds after the close as its name alone
    /// decides.
    pub fn of(&self, id: &ConsumerId) -> Timestamp {
        let spread = self.spread.as_secs().unsigned_abs();
        let own = fnv1a64(id.path().as_bytes()).checked_rem(spread);
        let own = own.and_then(|own| i64::try_from(own).ok()).unwrap_or(0);
        later(self.closes, SignedDuration::from_secs(own)).min(self.cut)
    }
}

/// The instant before the first after which something is no more.
pub(super) const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

pub(super) fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
