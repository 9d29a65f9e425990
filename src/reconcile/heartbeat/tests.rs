use std::future::pending;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_heart_beats_while_work_goes_on_and_stops_when_it_can_go_on_no_more() {
    let heartbeat = Heartbeat::default();
    let longest = Duration::from_secs(600);
    let working = heartbeat.clone();
    tokio::spawn(async move { working.beat_during(pending(), longest).await });
    tokio::time::sleep(Duration::from_secs(599)).await;
    assert!(
        heartbeat.silent_for() <= BEAT,
        "{:?}",
        heartbeat.silent_for()
    );
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(
        heartbeat.silent_for() >= Duration::from_secs(29),
        "{:?}",
        heartbeat.silent_for()
    );
}
