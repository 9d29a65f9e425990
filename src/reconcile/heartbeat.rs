//! The loop's heartbeat: who watches it from outside sees whether the loop lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How often the loop shows that it lives while it is at work.
const BEAT: Duration = Duration::from_secs(1);

/// A step that has lasted for so many request timeouts will never end. Every request in it ends by
/// its timeout, and a step that asks a thousand silent streams, eight at a time, takes 125 of them.
pub(super) const STEP_LIMIT: u32 = 200;

/// Shows that the loop lives. Cloning shares it.
#[derive(Clone)]
pub struct Heartbeat {
    started: Instant,
    /// Milliseconds from the start to the newest beat.
    newest: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            newest: Arc::default(),
        }
    }
}

impl Heartbeat {
    /// Notes a beat.
    pub fn beat(&self) {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.newest.store(since, Ordering::Relaxed);
    }

    /// Beats while `work` goes on, but not for longer than it can take: one that waits for what
    /// never comes must not seem alive for good.
    pub(super) async fn beat_during(&self, work: impl Future<Output = ()>, longest: Duration) {
        let mut work = std::pin::pin!(work);
        let began = Instant::now();
        loop {
            if began.elapsed() <= longest {
                self.beat();
            }
            // Cancel-safe: the work is polled in place; a beat that is cut short is made up by the
            // next.
            tokio::select! {
                () = &mut work => return,
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }

    /// How long ago the newest beat was.
    pub fn silent_for(&self) -> Duration {
        let newest = Duration::from_millis(self.newest.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(newest)
    }
}

#[cfg(test)]
mod tests;
