//! The two clocks, read together. `main` hands in the system's wall clock; the simulation hands in
//! its own.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::now::Now;

/// The wall clock counts as stepped when it has moved so far against the monotonic one. Slewing
/// stays far below: NTP slews by 0.5 ms a second at most.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Reads the wall clock that it was given, and the monotonic clock of the runtime.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    started: Instant,
}

impl Clock {
    /// A clock whose uptime starts now. Call it within a tokio runtime.
    pub fn new(wall: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            started: Instant::now(),
        }
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        Now {
            wall: (self.wall)(),
            uptime: self.started.elapsed(),
        }
    }
}

/// Whether the wall clock was stepped, or the host slept, between two readings.
pub fn was_stepped(before: Now, now: Now) -> bool {
    let elapsed = now.uptime.saturating_sub(before.uptime);
    let expected = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
    (now.wall.duration_since(before.wall) - expected).abs() > STEP
}
