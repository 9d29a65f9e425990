//! Deadlines that have passed and are still stored: in a cluster they stand in the way of a strict create.

use crate::client::What;
use crate::daemon::Recess;
use crate::scene::{NOON, Scene, assert_on_time, at, milliseconds, ours};

#[tokio::test(start_paused = true)]
async fn a_lapsed_deadline_is_cleared_in_a_cluster_a_minute_later() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("13:00:30").await;
    assert_eq!(
        scene.server.deadline("ORDERS/billing"),
        ours("13:00:00"),
        "still stored"
    );
    scene.until("13:03:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), None);
    let requests = scene.requests();
    let clears: Vec<usize> = (0..requests.len())
        .filter(|&index| matches!(requests[index].what, What::Clear(_)))
        .collect();
    assert_eq!(clears.len(), 1);
    let (look, clear) = (&requests[clears[0] - 1], &requests[clears[0]]);
    assert!(clear.at >= at("13:01:00"), "{clear:?}");
    assert!(
        matches!(look.what, What::Info(_)),
        "after a fresh look: {look:?}"
    );
    assert!(clear.at.duration_since(look.at) < milliseconds(10));
    scene.until("15:00:00").await;
    assert_eq!(scene.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lapsed_deadline_stays_where_clearing_is_not_called_for() {
    // On a standalone server; with the next opening close by; when it is somebody else's.
    let every_minute = ("noon", "ORDERS/*", "* 12 * * *", "40s");
    for (of, window, theirs) in [
        (Scene::standalone as fn(&[&str]) -> Scene, NOON, None),
        (Scene::cluster, every_minute, None),
        (Scene::cluster, NOON, Some(at("13:00:00.5"))),
    ] {
        let scene = of(&["ORDERS/billing"]);
        let _recess = scene.recess(&[window]);
        if theirs.is_some() {
            scene.server.somebody_writes("ORDERS/billing", theirs);
        }
        scene.until("12:59:55").await;
        let is_clear = |(.., deadline): &(_, String, Option<_>)| deadline.is_none();
        assert!(!scene.writes().iter().any(is_clear));
        if window == NOON {
            scene.until("15:00:00").await;
            assert!(!scene.writes().iter().any(is_clear));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_paused_between_the_look_and_the_clear_is_not_cleared() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("13:00:50").await;
    // The list is old by the time that it arrives.
    scene.server.state().weather.latency = 900..901;
    let theirs = Some(at("15:00:00"));
    loop {
        scene.world.pass(milliseconds(10)).await;
        let state = scene.server.state();
        let last = state.requests.last().unwrap();
        let listed = matches!(last.what, What::List(_)) && last.at > at("13:01:01");
        let answered = last.at + milliseconds(1_000) < scene.world.now();
        if listed && answered {
            break;
        }
    }
    scene.server.state().weather.advisories_lost = 100;
    scene.server.somebody_writes("ORDERS/billing", theirs);
    scene.until("13:10:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), theirs);
}

/// Two thousand consumers of a cluster, whose deadlines have lapsed and are about to be cleared.
async fn about_to_clear() -> (Scene, Recess) {
    let scene = Scene::cluster(&["EVENTS/mail"]);
    for number in 0..2_000 {
        scene.server.create(&[&format!("ORDERS/c{number}")]);
    }
    let recess = scene.recess(&[NOON, ("mail", "EVENTS/mail", "7 1 13 * * *", "1h")]);
    scene.until("13:00:55").await;
    scene.forget();
    // It would take a quarter of a minute.
    scene.server.state().weather.latency = 2..5;
    (scene, recess)
}

#[tokio::test(start_paused = true)]
async fn clearing_many_does_not_delay_an_opening() {
    let (scene, _recess) = about_to_clear().await;
    scene.until("13:10:00").await;
    let writes = scene.writes();
    let mail = writes
        .iter()
        .find(|(_, to, _)| to == "EVENTS/mail")
        .expect("it is paused");
    assert_on_time(mail.0, at("13:01:07"));
    let cleared = writes
        .iter()
        .filter(|(.., deadline)| deadline.is_none())
        .count();
    assert_eq!(cleared, 2_000);
    assert!(
        writes[0].0 < at("13:01:07"),
        "it had begun to clear: {:?}",
        writes[0]
    );
}

#[tokio::test(start_paused = true)]
async fn looks_before_clearing_that_get_no_answer_do_not_hold_up_the_loop() {
    let (scene, recess) = about_to_clear().await;
    scene.until("13:01:10").await;
    scene.server.state().weather.times_out = 100;
    scene.until("13:02:20").await;
    let passes = recess.story(|story| story.passes);
    scene.until("13:03:20").await;
    assert!(
        recess.story(|story| story.passes) > passes + 5,
        "it goes on looking"
    );
}
