use jiff::{SignedDuration, Timestamp};

use super::*;

/// The test's wall clock: the real one, and how far it was stepped.
fn stepped_clock() -> (Clock, Arc<Mutex<SignedDuration>>) {
    let steps = Arc::new(Mutex::new(SignedDuration::ZERO));
    let theirs = steps.clone();
    let began = tokio::time::Instant::now();
    let clock = Clock::new(move || {
        let elapsed = SignedDuration::try_from(began.elapsed()).unwrap();
        Timestamp::UNIX_EPOCH + elapsed + *theirs.lock().unwrap()
    });
    (clock, steps)
}

/// tokio-cron-scheduler does not follow tokio's paused clock, so this takes real seconds.
#[tokio::test(flavor = "multi_thread")]
async fn the_loop_is_nudged_where_the_clock_was_stepped_and_only_there() {
    let (clock, steps) = stepped_clock();
    let nudge = Arc::new(Notify::new());
    let watcher = tokio::spawn(watch_wall_clock(clock, nudge.clone()));
    let nudged = async |longest| {
        let nudged = tokio::time::timeout(Duration::from_secs(longest), nudge.notified()).await;
        nudged.is_ok()
    };
    assert!(!nudged(5).await, "nothing was stepped");
    for step in [3_600, -3_600, 1, -1] {
        *steps.lock().unwrap() += SignedDuration::from_secs(step);
        assert!(
            nudged(20).await,
            "no nudge within 20 s of a step of {step} s"
        );
    }
    watcher.abort();
}
