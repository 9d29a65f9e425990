//! Whom recess touches and in what order: nobody it was not told of, nobody without end, and pauses first.

use recess::jetstream::Advisory;

use crate::daemon::Recess;
use crate::model::id;
use crate::scene::{NOON, Scene, assert_on_time, at, config_with, ours, seconds};

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_consumer_that_is_no_longer_named_is_left_to_its_deadline() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let before = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    drop(before);
    scene.forget();
    let _after = scene.recess(&[
        ("noon", "ORDERS/billing", "0 12 * * *", "1h"),
        ("glob", "ORDERS/x*", "0 3 * * *", "1h"),
    ]);
    scene.until("12:59:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(
        scene.server.consumer("ORDERS/shipping").deadline,
        ours("13:00:00")
    );
}

#[tokio::test(start_paused = true)]
async fn clears_do_not_stand_before_the_pauses_of_an_opening() {
    let scene = Scene::cluster(&["ZETA/late"]);
    for number in 0..500 {
        scene.server.create(&[&format!("ORDERS/c{number:04}")]);
    }
    let windows = [
        ("noon", "ORDERS/*", "0 12 * * *", "1h"),
        ("zeta", "ZETA/*", "2 13 * * *", "1h"),
    ];
    let toml = config_with("resync = \"1h\"", &windows);
    let _recess = Recess::start(&scene.server, &scene.host, &toml);
    scene.until("13:01:50").await;
    scene.forget();
    scene.until("13:03:30").await;
    let writes = scene.writes();
    let late = writes
        .iter()
        .position(|(_, to, _)| to == "ZETA/late")
        .expect("it was paused");
    assert_on_time(writes[late].0, at("13:02:00"));
}

#[tokio::test(start_paused = true)]
async fn a_fight_goes_on_over_the_steps_of_a_long_pause() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let windows = [
        ("even", "ORDERS/*", "0,10,20,30,40,50 12 * * *", "5m"),
        ("odd", "ORDERS/*", "5,15,25,35,45,55 12 * * *", "5m"),
    ];
    let toml = config_with("max_pause = \"10m\"", &windows);
    let recess = Recess::start(&scene.server, &scene.host, &toml);
    for second in 2..3_500 {
        let instant = at("12:00:00").checked_add(seconds(second)).unwrap();
        scene.world.until(instant).await;
        if scene.server.is_paused("ORDERS/billing") {
            scene.server.somebody_writes("ORDERS/billing", None);
            scene.tell(Advisory::Pause {
                id: id("ORDERS/billing"),
                until: None,
            });
        }
    }
    assert_eq!(scene.writes().len(), 5, "{:?}", scene.writes());
    assert!(recess.row("ORDERS/billing").contested);
}
