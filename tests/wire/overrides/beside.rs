//! Beside a daemon: it acts within a second, and where it does not, the command does.

use jiff::ToSpan;
use serde_json::json;

use super::*;
use crate::hands::pick;
use crate::support::config::MARK;
use crate::support::recess::{Recess, reach, secs};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_follows_within_a_second_to_the_exact_deadline() {
    let (world, config) = world().await;
    let config = night(config, Span::opening_in(7200, 600));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let timed = async |arguments: &[&str], is_so: &dyn Fn(Held) -> bool| {
        timed(&world.account, &config, arguments, BILLING, is_so).await
    };
    let (opened, seen) = timed(&["open", "night", "--for", "10m"], &|held| held.is_some()).await;
    let until_opened = instant(&opened["until"]);
    assert_eq!(
        held(&world.account, BILLING).await,
        Some((until_opened, MARK))
    );
    let stored = stored(&world.account, &opened).await;
    let took = seen.duration_since(stored).as_secs_f64();
    assert!(took < 2.0, "{took}");
    // It was the daemon.
    assert_eq!(recess.total("requests_total").await, 2.0);

    let later = until_opened + 5.minutes();
    let is_later = |held| held == Some((later, MARK));
    let (extended, _) = timed(&["extend", "night", "--for", "5m"], &is_later).await;
    let is_restored = |held| held == Some((until_opened, MARK));
    timed(&["undo", id(&extended)], &is_restored).await;
    let (closed, _) = timed(&["close", "night"], &|held| held.is_none()).await;
    assert_eq!(instant(&closed["until"]), until_opened);
    timed(&["undo", id(&closed)], &is_restored).await;
    timed(&["undo", id(&opened)], &|held| held.is_none()).await;
    assert_eq!(held(&world.account, SHIPPING).await, None);
    assert_eq!(recess.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_pause_and_a_recorded_resume_last_beside_a_daemon_and_are_undone() {
    let (world, config) = world().await;
    let span = Span::open_for(120);
    let config = config
        .set(r#"controller.resync = "1s""#)
        .window("night", &[SHIPPING], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    // No window names it.
    let rows = done(&config, &["pause", BILLING, "--for", "10m"]);
    let until_paused = instant(&rows[0]["until"]);
    assert_eq!(
        held(&world.account, BILLING).await,
        Some((until_paused, MARK))
    );
    let paused = rows[0]["override"].as_str().unwrap().to_owned();

    let rows = done(&config, &["resume", SHIPPING]);
    assert_eq!(pick(&rows, &["result"]), json!([["resumed"]]));
    let resumed = rows[0]["override"].as_str().unwrap().to_owned();
    // Through some passes.
    tokio::time::sleep(secs(3)).await;
    assert_eq!(held(&world.account, SHIPPING).await, None);
    assert_eq!(
        held(&world.account, BILLING).await,
        Some((until_paused, MARK))
    );

    done(&config, &["undo", &resumed]);
    assert_eq!(
        held(&world.account, SHIPPING).await,
        Some((span.closes, MARK))
    );
    done(&config, &["undo", &paused]);
    assert_eq!(held(&world.account, BILLING).await, None);
    // An end needs nobody.
    let rows = done(&config, &["pause", BILLING, "--for", "8s"]);
    let ends = instant(&rows[0]["until"]);
    reach(ends + 1.second()).await;
    assert_eq!(held(&world.account, BILLING).await, None);
    assert_eq!(recess.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_daemon_does_not_do_the_command_does() {
    let (world, config) = world().await;
    let config = night(config, Span::opening_in(7200, 600));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    recess.signal("STOP");
    let opened = done(&config, &["open", "night", "--for", "10m"]);
    let ends = instant(&opened["until"]);
    assert_eq!(held(&world.account, BILLING).await, Some((ends, MARK)));
    let closed = done(&config, &["close", "night"]);
    assert_eq!(held(&world.account, BILLING).await, None);
    done(&config, &["undo", id(&closed)]);
    assert_eq!(held(&world.account, BILLING).await, Some((ends, MARK)));
    // It comes back, and finds all as it should be.
    recess.signal("CONT");
    tokio::time::sleep(secs(3)).await;
    assert_eq!(held(&world.account, BILLING).await, Some((ends, MARK)));
    assert_eq!(recess.total("requests_total").await, 0.0);
}
