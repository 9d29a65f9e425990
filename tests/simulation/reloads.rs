//! The config changes while consumers are paused.

use crate::client::{Mishap, What};
use crate::daemon::Recess;
use crate::model::id;
use crate::scene::{NOON, Noon, Scene, assert_on_time, at, config, ours};

const AN_HOUR_MORE: Noon = ("noon", "ORDERS/*", "0 12 * * *", "2h");
const HALF: Noon = ("noon", "ORDERS/*", "0 12 * * *", "30m");

/// Billing is paused since noon, and it is ten past.
async fn ten_past_noon(scene: &Scene) -> Recess {
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    scene.forget();
    recess
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_shortens_a_window_retimes_its_pause() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[HALF]));
    scene.until("14:00:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:10:00"));
    assert_eq!(writes[0].2, ours("12:30:00"));
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_lengthens_a_window_retimes_its_pause() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[AN_HOUR_MORE]));
    scene.until("15:00:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("14:00:00")]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_removes_a_window_wakes_its_consumers() {
    for (of, resumes_at) in [
        (Scene::standalone as fn(&[&str]) -> Scene, "12:10:03"),
        (Scene::cluster, "12:10:06"),
    ] {
        let scene = of(&["ORDERS/billing"]);
        let recess = ten_past_noon(&scene).await;
        recess.reload(&config(&[]));
        scene.until("12:10:59").await;
        assert_eq!(scene.deadlines("ORDERS/billing"), [ours(resumes_at)]);
        let billing = scene.server.consumer("ORDERS/billing");
        assert_eq!(billing.left_asleep_by, None, "it was woken");
        assert!(!scene.server.is_paused("ORDERS/billing"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_takes_one_consumer_out_wakes_that_one() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[("noon", "ORDERS/shipping", "0 12 * * *", "1h")]));
    scene.until("12:20:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(writes[0].1, "ORDERS/billing");
    assert!(scene.server.is_paused("ORDERS/shipping"));
    assert!(
        recess.find_row("ORDERS/billing").is_none(),
        "no longer anybody's business"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_adds_an_open_window_pauses_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[
        NOON,
        ("mail", "EVENTS/mail", "0 11 * * *", "90m"),
    ]));
    scene.until("12:20:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:10:00"));
    assert_eq!(
        (writes[0].1.as_str(), writes[0].2),
        ("EVENTS/mail", ours("12:30:00"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_adds_a_window_before_the_next_change_opens_it_on_time() {
    let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[
        NOON,
        ("mail", "EVENTS/mail", "30 20 12 * * *", "5m"),
    ]));
    scene.until("12:30:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:20:30"));
}

#[tokio::test(start_paused = true)]
async fn a_window_shortened_to_almost_now_resumes_instead() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:29:57").await;
    scene.forget();
    recess.reload(&config(&[HALF]));
    scene.until("12:40:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("12:30:00")]);
    assert_eq!(scene.server.consumer("ORDERS/billing").left_asleep_by, None);
}

#[tokio::test(start_paused = true)]
async fn a_window_removed_right_before_it_opens_does_not_pause() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    recess.reload(&config(&[]));
    scene.until("12:30:00").await;
    assert_eq!(scene.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn a_window_moved_right_before_it_opens_pauses_by_the_new_plan() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/audit"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    recess.reload(&config(&[("noon", "ORDERS/billing", "0 12 * * *", "2h")]));
    scene.until("12:30:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:00:00"));
    assert_eq!(
        (writes[0].1.as_str(), writes[0].2),
        ("ORDERS/billing", ours("14:00:00"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_opening_put_off_for_seconds_right_before_it_is_prepared_anew() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.server.state().weather.latency = 200..201;
    let recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    recess.reload(&config(&[("noon", "ORDERS/*", "2 0 12 * * *", "1h")]));
    scene.until("12:30:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:00:02"));
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_changes_nothing_sends_nothing() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = ten_past_noon(&scene).await;
    for minute in 11..20 {
        recess.reload(&config(&[NOON]));
        scene.until(&format!("12:{minute}:00")).await;
    }
    assert_eq!(scene.writes(), []);
    assert!(!recess.row("ORDERS/billing").contested);
    let billing = id("ORDERS/billing");
    let state = scene.server.state();
    assert_eq!(state.consumer(&billing).unwrap().deadline, ours("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn whom_a_reload_leaves_out_is_asked_nothing_though_its_stream_is_silent() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:57:00").await;
    scene.forget();
    scene.server.state().weather.times_out = 100;
    recess.reload(&config(&[("noon", "ORDERS/s*", "0 18 * * *", "1h")]));
    scene.until("11:57:08").await;
    let asks = |path| {
        let asked = What::Info(id(path));
        scene.requests().iter().any(|request| request.what == asked)
    };
    assert!(asks("ORDERS/shipping"), "it is looked at again");
    assert!(!asks("ORDERS/billing"));
    assert!(recess.find_row("ORDERS/billing").is_none());
}

#[tokio::test(start_paused = true)]
async fn whom_a_reload_leaves_out_is_asked_nothing_once_its_pause_is_over() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = ten_past_noon(&scene).await;
    recess.reload(&config(&[("noon", "ORDERS/shipping", "0 12 * * *", "1h")]));
    scene.until("12:10:20").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("12:10:03")]);
    // The write is remembered still.
    scene.forget();
    scene
        .server
        .somebody_writes("ORDERS/billing", Some(at("12:30:00")));
    scene.until("12:10:30").await;
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.until("12:10:40").await;
    let asked = What::Info(id("ORDERS/billing"));
    let requests = scene.requests();
    assert!(
        !requests.iter().any(|one| one.what == asked),
        "{requests:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_heard_while_there_is_always_something_due() {
    let streams = ["A", "B", "C", "D"];
    let paths = streams.map(|stream| (0..16).map(move |number| format!("{stream}/c{number}")));
    let paths: Vec<String> = paths.into_iter().flatten().collect();
    let scene = Scene::cluster(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let recess = scene.recess(&[("all", "*/*", "0 12 * * *", "1h")]);
    scene.until("11:59:50").await;
    // Whatever is written is lost, and by the time that all are looked at some are to be written again.
    {
        let mut state = scene.server.state();
        state.mishaps = std::iter::repeat_n(Some(Mishap::Lost), 5_000).collect();
        state.weather.latency = 400..401;
    }
    scene.until("12:00:30").await;
    recess.reload(&config(&[]));
    scene.until("12:00:50").await;
    scene.forget();
    scene.until("12:03:00").await;
    assert_eq!(scene.writes(), []);
}
