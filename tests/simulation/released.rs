//! Pauses that a person ended on purpose, by a deadline a moment ahead with the release mark.

use jiff::Timestamp;
use recess::plan::Rule;

use crate::client::What;
use crate::daemon::Recess;
use crate::scene::{NOON, Noon, Scene, at, config, ours, release};

/// Two windows that touch, and two with a second between them.
const TOUCHING: [Noon; 2] = [NOON, ("one", "ORDERS/*", "0 13 * * *", "1h")];
const APART: [Noon; 2] = [NOON, ("one", "ORDERS/*", "1 0 13 * * *", "1h")];

/// Billing is paused since noon, and somebody releases it at ten past.
async fn released(scene: &Scene, windows: &[Noon]) -> Recess {
    let recess = scene.recess(windows);
    scene.until("12:10:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    scene
        .server
        .somebody_writes("ORDERS/billing", release("12:10:03"));
    scene.until("12:10:30").await;
    scene.forget();
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Released);
    recess
}

/// The deadlines written to billing from now on until then.
async fn writes_until(scene: &Scene, time: &str) -> Vec<Option<Timestamp>> {
    scene.forget();
    scene.until(time).await;
    scene.deadlines("ORDERS/billing")
}

#[tokio::test(start_paused = true)]
async fn a_release_lasts_until_its_window_has_closed() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing", "ORDERS/shipping"]);
        let recess = released(&scene, &[NOON]).await;
        assert_eq!(writes_until(&scene, "12:59:59").await, []);
        scene.until("13:05:00").await;
        assert!(!recess.row("ORDERS/billing").contested);
        recess.story(|story| {
            assert!(story.acts.iter().all(|act| act.repair.is_none()));
            assert!(story.missed.is_empty() && story.unobserved.is_empty());
        });
        scene.until("+11:59:00").await;
        let again = writes_until(&scene, "+12:30:00").await;
        assert_eq!(again, [ours("+13:00:00")], "the next opening");
        assert!(scene.server.is_paused("ORDERS/shipping"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_needs_no_memory() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    drop(released(&scene, &[NOON]).await);
    scene.until("12:15:00").await;
    let copies =
        [0, 1].map(|number| Recess::start_as(number, &scene.server, &scene.host, &config(&[NOON])));
    assert_eq!(writes_until(&scene, "12:20:00").await, []);
    // A connection that breaks, and a server that starts again, change nothing about it.
    scene.server.disconnect();
    scene.until("12:21:00").await;
    scene.server.connect();
    assert_eq!(writes_until(&scene, "13:30:00").await, []);
    for copy in copies {
        copy.story(|story| assert!(story.missed.is_empty() && story.unobserved.is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_by_a_command_before_any_daemon_is_there_holds_too() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.until("12:10:00").await;
    scene
        .server
        .somebody_writes("ORDERS/billing", release("12:10:03"));
    // While its moment lasts as well.
    scene.until("12:10:01").await;
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:02").await;
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Releasing);
    assert_eq!(writes_until(&scene, "12:50:00").await, []);
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Released);
}

#[tokio::test(start_paused = true)]
async fn a_release_lasts_over_a_seam_and_not_over_a_gap() {
    for (windows, again) in [(&TOUCHING, None), (&APART, Some(ours("14:00:01")))] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = scene.recess(windows);
        scene.until("12:10:00").await;
        scene
            .server
            .somebody_writes("ORDERS/billing", release("12:10:03"));
        scene.until("12:59:00").await;
        let writes = writes_until(&scene, "13:50:00").await;
        assert_eq!(writes, again.into_iter().collect::<Vec<_>>(), "{windows:?}");
        let rule = recess.row("ORDERS/billing").rule;
        let expected = again.map_or(Rule::Released, |_| Rule::Paused);
        assert_eq!(rule, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_pauses_or_resumes_or_recreates_the_consumer_ends_its_release() {
    type Ends = fn(&Scene);
    let ends: [(Ends, &str); 3] = [
        (
            |scene| {
                let theirs = Some(at("12:20:00"));
                scene.server.somebody_writes("ORDERS/billing", theirs);
            },
            "a pause that is shorter than the window is extended",
        ),
        (
            |scene| scene.server.somebody_writes("ORDERS/billing", None),
            "a resume without the mark is overridden",
        ),
        (
            |scene| {
                scene.server.delete("ORDERS/billing");
                scene.server.create(&["ORDERS/billing"]);
            },
            "another consumer of that name was never released",
        ),
    ];
    for (end, what) in ends {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = released(&scene, &[NOON]).await;
        end(&scene);
        let writes = writes_until(&scene, "12:30:00").await;
        assert_eq!(writes, [ours("13:00:00")], "{what}");
        let repairs = recess.story(|story| {
            let repairs = story.acts.iter().filter(|act| act.repair.is_some());
            repairs.count()
        });
        assert_eq!(repairs, 0, "{what}: nothing was in place");
    }
}

#[tokio::test(start_paused = true)]
async fn a_longer_pause_by_a_person_after_a_release_is_left_alone() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = released(&scene, &[NOON]).await;
    let theirs = Some(at("15:00:00"));
    scene.server.somebody_writes("ORDERS/billing", theirs);
    assert_eq!(writes_until(&scene, "14:00:00").await, []);
    assert_eq!(scene.server.deadline("ORDERS/billing"), theirs);
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_opens_the_window_anew_pauses_again_and_any_other_does_not() {
    let longer = ("noon", "ORDERS/*", "0 12 * * *", "2h");
    let later = ("noon", "ORDERS/*", "30 12 * * *", "1h");
    for (window, again) in [(NOON, None), (longer, None), (later, ours("13:30:00"))] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = released(&scene, &[NOON]).await;
        recess.reload(&config(&[window]));
        let writes = writes_until(&scene, "12:50:00").await;
        let expected: Vec<_> = again.into_iter().map(Some).collect();
        assert_eq!(writes, expected, "{window:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_lasts_when_the_instance_gets_another_name() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = released(&scene, &[NOON]).await;
    recess.reload(&config(&[NOON]).replace("prod-eu", "prod-us"));
    assert_eq!(writes_until(&scene, "12:59:00").await, []);
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Released);
}

#[tokio::test(start_paused = true)]
async fn another_instances_release_is_none() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let blue = config(&[NOON]).replace("prod-eu", "blue/green");
    let _recess = Recess::start(&scene.server, &scene.host, &blue);
    scene.until("12:10:00").await;
    scene
        .server
        .somebody_writes("ORDERS/billing", release("12:10:03"));
    let writes = writes_until(&scene, "12:30:00").await;
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(scene.server.is_paused("ORDERS/billing"));
}

#[tokio::test(start_paused = true)]
async fn in_a_cluster_a_release_is_cleared_after_its_window_and_not_within() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    let _recess = released(&scene, &[NOON]).await;
    assert_eq!(writes_until(&scene, "13:00:00").await, []);
    scene.until("13:05:00").await;
    let requests = scene.requests();
    let clears = requests
        .iter()
        .filter(|request| matches!(request.what, What::Clear(_)));
    assert_eq!(clears.count(), 1);
    assert_eq!(scene.server.deadline("ORDERS/billing"), None);
}

#[tokio::test(start_paused = true)]
async fn a_release_in_the_last_seconds_of_a_window_is_over_with_it() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:59:50").await;
    // A pause that ends so soon is left to end, so the deadline of this one lies beyond the close.
    scene
        .server
        .somebody_writes("ORDERS/billing", release("13:00:01"));
    assert_eq!(writes_until(&scene, "13:10:00").await, [ours("13:00:00")]);
    assert!(!scene.server.is_paused("ORDERS/billing"));
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Lapsed);
}

#[tokio::test(start_paused = true)]
async fn a_release_right_before_an_opening_counts_for_it_and_the_window_is_not_missed() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    scene
        .server
        .somebody_writes("ORDERS/billing", release("12:00:02"));
    assert_eq!(writes_until(&scene, "13:05:00").await, []);
    recess.story(|story| assert!(story.missed.is_empty() && story.unobserved.is_empty()));
}
