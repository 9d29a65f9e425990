//! The wall-clock watcher. The one file that knows tokio-cron-scheduler.
//!
//! tokio's timers run on the monotonic clock: they sleep through a suspend of the host and know nothing of a stepped
//! clock. A cron job that ticks every second of UTC lives on the wall clock, so its ticks (or their absence) tell. It only
//! nudges the loop, which reads the clock and decides by the calendar.
//!
//! It is never one job per window: tokio-cron-scheduler 0.15 polls every 500 ms, freezes a zone's offset when a job is
//! made, and loses ticks when thousands fall together. After a backward step the job is silent until the clock has caught
//! up, so a scheduler that has not ticked for a while is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// A scheduler that was silent for so long is replaced.
const SILENCE: Duration = Duration::from_secs(3);

/// Nudges the loop every second of the wall clock, and whenever these seconds stop. Runs until dropped.
pub async fn watch_wall_clock(clock: Clock, nudge: Arc<Notify>) {
    let ticked = Arc::new(AtomicU64::new(0));
    loop {
        ticked.store(milliseconds(&clock), Ordering::Relaxed);
        match start(&clock, &nudge, &ticked).await {
            Ok(mut scheduler) => {
                while silent_for(&clock, &ticked) < SILENCE {
                    tokio::time::sleep(SILENCE / 3).await;
                }
                tracing::debug!("the wall clock's ticks stopped, so their scheduler is replaced");
                if let Err(error) = scheduler.shutdown().await {
                    tracing::debug!("the old scheduler did not end: {error}");
                }
            }
            Err(error) => {
                // The loop's own heartbeat still notices a step, a little later.
                tracing::warn!("the wall-clock watcher does not start: {error}; it is tried again");
                tokio::time::sleep(SILENCE).await;
            }
        }
        nudge.notify_one();
    }
}

async fn start(
    clock: &Clock,
    nudge: &Arc<Notify>,
    ticked: &Arc<AtomicU64>,
) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let (clock, nudge, ticked) = (clock.clone(), nudge.clone(), ticked.clone());
    let every_second = Job::new("* * * * * *", move |_, _| {
        ticked.store(milliseconds(&clock), Ordering::Relaxed);
        nudge.notify_one();
    })?;
    scheduler.add(every_second).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

fn milliseconds(clock: &Clock) -> u64 {
    u64::try_from(clock.now().uptime.as_millis()).unwrap_or(u64::MAX)
}

fn silent_for(clock: &Clock, ticked: &AtomicU64) -> Duration {
    let since = milliseconds(clock).saturating_sub(ticked.load(Ordering::Relaxed));
    Duration::from_millis(since)
}
