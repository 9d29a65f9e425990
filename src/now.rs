//! The present, as everything that is pure takes it: an argument, read by others.

use std::time::Duration;

use jiff::Timestamp;

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock: for windows and deadlines.
    pub wall: Timestamp,
    /// Monotonic time since some fixed start: for waits.
    pub uptime: Duration,
}
