//! The two clocks, read together. `main` hands in the system's wall clock; the simulation hands in its own.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::ledger::Now;

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
