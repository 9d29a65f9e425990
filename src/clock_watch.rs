//! The wall-clock watcher. The one file that knows tokio-cron-scheduler.
//!
//! tokio's timers run on the monotonic clock: they sleep through a suspend of the host and know
//! nothing of a stepped clock. A cron job that ticks every second of UTC lives on the wall clock,
//! so its ticks (or their absence) show both. Where the wall clock has moved against the monotonic
//! one it nudges the loop, which reads the clock and decides by the calendar; all other ticks cost
//! nothing but themselves.
//!
//! It is never one job per window: tokio-cron-scheduler 0.15 polls every 500 ms, freezes a zone's
//! offset when a job is made, and loses ticks when thousands fall together. After a backward step
//! the job is silent until the clock has caught up, so a scheduler that has not ticked for a while
//! is replaced.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::clock::{Clock, was_stepped};
use crate::now::Now;

#[cfg(test)]
mod tests;

/// A scheduler that was silent for so long is replaced.
const SILENCE: Duration = Duration::from_secs(3);

/// So much longer the watch sleeps than the silence lasts, as a sleep may end a little early or on
/// the very instant.
const SLEEP_MARGIN: Duration = Duration::from_millis(10);

/// Nudges the loop when the wall clock was stepped or the host slept: within a second, or within
/// [`SILENCE`] where the clock went back. Runs until dropped.
pub async fn watch_wall_clock(clock: Clock, nudge: Arc<Notify>) {
    let ticks = Arc::new(Ticks {
        newest: Mutex::new(clock.now()),
        clock,
        nudge,
    });
    loop {
        match start(&ticks).await {
            Ok(mut scheduler) => {
                while let Some(rest) = SILENCE.checked_sub(ticks.silent_for()) {
                    tokio::time::sleep(rest + SLEEP_MARGIN).await;
                }
                tracing::debug!("clock watch: ticks stopped; recess replaces their scheduler");
                if let Err(error) = scheduler.shutdown().await {
                    tracing::debug!("clock watch: cannot stop the old scheduler: {error}");
                }
            }
            Err(error) => {
                // The loop's own heartbeat still notices a step, a little later.
                tracing::warn!("clock watch: cannot start: {error}; retrying");
                tokio::time::sleep(SILENCE).await;
            }
        }
        ticks.take();
    }
}

async fn start(ticks: &Arc<Ticks>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let ticks = ticks.clone();
    let every_second = Job::new("* * * * * *", move |_, _| ticks.take())?;
    scheduler.add(every_second).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// The newest tick, and the loop to wake.
struct Ticks {
    clock: Clock,
    nudge: Arc<Notify>,
    newest: Mutex<Now>,
}

impl Ticks {
    fn take(&self) {
        let now = self.clock.now();
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *newest, now);
        if was_stepped(before, now) {
            self.nudge.notify_one();
        }
    }

    fn silent_for(&self) -> Duration {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.now().uptime.saturating_sub(newest.uptime)
    }
}
