use jiff::Timestamp;

use super::*;

/// tokio-cron-scheduler does not follow tokio's paused clock, so this takes real seconds.
#[tokio::test(flavor = "multi_thread")]
async fn the_loop_is_nudged_every_second() {
    let clock = Clock::new(|| Timestamp::UNIX_EPOCH);
    let nudge = Arc::new(Notify::new());
    let watcher = tokio::spawn(watch_wall_clock(clock, nudge.clone()));
    for _ in 0..3 {
        let nudged = tokio::time::timeout(Duration::from_secs(10), nudge.notified()).await;
        assert!(nudged.is_ok(), "no nudge within 10 s");
    }
    watcher.abort();
}
