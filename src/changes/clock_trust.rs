//! How far this host's clock and the server's agree. The limits for trusting it again lie below
//! those for trusting it no more, so that a clock on the edge is not news with every answer.

use jiff::SignedDuration;

use crate::plan::{DOUBTFUL_SKEW, LOST_SKEW, TRUSTED_SKEW};

/// A clock that was doubtful and is closer than that is right again.
const RIGHT_AGAIN: SignedDuration = SignedDuration::from_millis(500);

/// A clock that could not be trusted and is closer than that is trusted again.
const TRUSTED_AGAIN: SignedDuration = SignedDuration::from_secs(29);

/// A clock that was lost and is closer than that is found again.
const FOUND_AGAIN: SignedDuration = SignedDuration::from_secs(590);

/// How far this host's clock can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockTrust {
    /// It agrees with the server's.
    #[default]
    Right,
    /// It is off by more than a second: windows open and close as much early or late.
    Doubtful,
    /// It is off by so much that pauses are not shortened or ended by it.
    Untrusted,
    /// It is off by so much that nothing is begun or ended by it.
    Lost,
}

impl ClockTrust {
    /// What follows on this: by the newest answer where trust is concerned, as the guard goes by it
    /// too, and by the mean otherwise.
    pub(super) fn next(self, newest: SignedDuration, smooth: SignedDuration) -> Self {
        let trusted = match self {
            Self::Untrusted | Self::Lost => TRUSTED_AGAIN,
            Self::Right | Self::Doubtful => TRUSTED_SKEW,
        };
        let lost = match self {
            Self::Lost => FOUND_AGAIN,
            Self::Right | Self::Doubtful | Self::Untrusted => LOST_SKEW,
        };
        let right = match self {
            Self::Right => DOUBTFUL_SKEW,
            Self::Doubtful | Self::Untrusted | Self::Lost => RIGHT_AGAIN,
        };
        if newest > lost {
            Self::Lost
        } else if newest > trusted {
            Self::Untrusted
        } else if smooth > right {
            Self::Doubtful
        } else {
            Self::Right
        }
    }
}
