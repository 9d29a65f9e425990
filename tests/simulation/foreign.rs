//! Other people's pauses, and other people who undo ours.

use recess::consumer::Found;
use recess::ledger::Repair;

use crate::client::{Request, What};
use crate::daemon::Recess;
use crate::model::Author;
use crate::scene::{NOON, Scene, assert_on_time, at, config, ours, seconds};

const THEIRS: &str = "12:30:00.123456789";

/// Somebody has paused billing until half past twelve, recess has extended that to one, and it is ten past.
async fn extended(scene: &Scene) -> Recess {
    let recess = scene.recess(&[NOON]);
    scene.until("11:57:00").await;
    scene
        .server
        .somebody_writes("ORDERS/billing", Some(at(THEIRS)));
    scene.until("12:10:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    scene.forget();
    recess
}

#[tokio::test(start_paused = true)]
async fn a_longer_foreign_pause_is_left_alone() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:57:00").await;
    scene
        .server
        .somebody_writes("ORDERS/billing", Some(at("13:00:00")));
    scene.until("12:20:00").await;
    // Even one that replaces ours.
    scene
        .server
        .somebody_writes("ORDERS/billing", Some(at("15:00:00")));
    scene.until("14:00:00").await;
    recess.reload(&config(&[]));
    scene.until("14:30:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(
        scene.server.deadline("ORDERS/billing"),
        Some(at("15:00:00"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_pause_set_right_before_an_opening_is_not_shortened_by_it() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    let theirs = Some(at("15:00:00"));
    scene.server.somebody_writes("ORDERS/billing", theirs);
    scene.until("12:30:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), theirs);
    assert_eq!(scene.deadlines("ORDERS/shipping"), [ours("13:00:00")]);
    assert_eq!(scene.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_foreign_pause_is_given_back_to_the_nanosecond_when_its_window_is_removed() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing"]);
        let recess = extended(&scene).await;
        recess.reload(&config(&[]));
        scene.until("12:20:00").await;
        assert_eq!(scene.deadlines("ORDERS/billing"), [Some(at(THEIRS))]);
        assert_eq!(scene.server.deadline("ORDERS/billing"), Some(at(THEIRS)));
        scene.until("12:40:00").await;
        assert_eq!(scene.writes().len(), 1, "it has ended by itself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_foreign_pause_is_not_given_back_when_it_has_passed() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = extended(&scene).await;
    scene.until("12:40:00").await;
    recess.reload(&config(&[]));
    scene.until("12:50:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("12:40:03")]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_pause_is_forgotten_when_its_owner_writes_again() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = extended(&scene).await;
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.until("12:11:00").await;
    assert_eq!(
        scene.deadlines("ORDERS/billing"),
        [ours("13:00:00")],
        "paused again"
    );
    recess.reload(&config(&[]));
    scene.until("12:20:00").await;
    assert!(
        !scene.server.is_paused("ORDERS/billing"),
        "{:?}",
        scene.writes()
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_pause_is_forgotten_when_its_consumer_is_created_anew() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = extended(&scene).await;
    scene.server.delete("ORDERS/billing");
    scene.world.pass(seconds(5)).await;
    scene.server.create(&["ORDERS/billing"]);
    scene.until("12:11:00").await;
    assert_eq!(
        scene.deadlines("ORDERS/billing"),
        [ours("13:00:00")],
        "paused again"
    );
    recess.reload(&config(&[]));
    scene.until("12:20:00").await;
    assert!(
        !scene.server.is_paused("ORDERS/billing"),
        "{:?}",
        scene.writes()
    );
}

#[tokio::test(start_paused = true)]
async fn a_foreign_pause_until_the_middle_is_followed_by_ours_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    scene.forget();
    scene
        .server
        .somebody_writes("ORDERS/billing", Some(at("12:20:00")));
    scene.until("12:12:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].0 <= at("12:10:00.2"), "{writes:?}");
    assert_eq!(writes[0].2, ours("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn a_resume_by_hand_is_repaired_after_looking_at_that_consumer_alone() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("12:10:30").await;
    scene.forget();
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.until("12:10:32").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:10:30"));
    assert_eq!(
        (scene.infos(), scene.questions()),
        (2, 2),
        "before and after"
    );
}

#[tokio::test(start_paused = true)]
async fn a_consumer_created_anew_during_its_window_is_paused_again() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing"]);
        let _recess = scene.recess(&[NOON]);
        scene.until("12:10:00").await;
        scene.server.delete("ORDERS/billing");
        scene.world.pass(seconds(2)).await;
        scene.server.create(&["ORDERS/billing", "ORDERS/new"]);
        scene.world.pass(seconds(2)).await;
        assert!(scene.server.is_paused("ORDERS/billing"));
        assert!(scene.server.is_paused("ORDERS/new"));
        assert_eq!(scene.writes().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_created_anew_before_its_pause_was_applied_is_paused_soon() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("12:00:00.005").await;
    scene.server.delete("ORDERS/billing");
    scene.server.create(&["ORDERS/billing"]);
    scene.until("12:00:03").await;
    assert!(scene.server.is_paused("ORDERS/billing"));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_deleted_is_missing_at_once_where_it_is_named() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[("noon", "ORDERS/billing", "0 12 * * *", "1h")]);
    scene.until("12:10:10").await;
    scene.server.delete("ORDERS/billing");
    scene.until("12:10:11").await;
    assert_eq!(recess.row("ORDERS/billing").found, Found::Missing);
}

/// Undoes every pause of recess, at once.
fn fight(scene: &Scene) -> tokio::task::JoinHandle<()> {
    let server = scene.server.clone();
    let mut told = server.state().listen();
    tokio::spawn(async move {
        while told.recv().await.is_some() {
            if server.is_paused("ORDERS/billing") {
                server.somebody_writes("ORDERS/billing", None);
            }
        }
    })
}

#[tokio::test(start_paused = true)]
async fn recess_stops_a_fight_after_five_sendings() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing"]);
        let recess = scene.recess(&[NOON]);
        let fighter = fight(&scene);
        scene.until("12:30:00").await;
        assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00"); 5]);
        let waits: Vec<_> = (scene.writes().windows(2))
            .map(|pair| pair[1].0.duration_since(pair[0].0).as_secs_f64().round() as i64)
            .collect();
        // A cluster takes up to 0.8 s to apply what is then undone.
        assert!(waits[0] <= 1 && waits[1..] == [1, 10, 60], "{waits:?}");
        assert!(recess.row("ORDERS/billing").contested);
        scene.until("12:59:00").await;
        assert_eq!(scene.writes().len(), 5);
        assert!(recess.row("ORDERS/billing").contested);
        // With the pause the fight is over.
        scene.until("13:00:10").await;
        assert!(!recess.row("ORDERS/billing").contested);
        fighter.abort();
        scene.forget();
        scene.until("+12:00:10").await;
        let pauses: Vec<_> = scene
            .deadlines("ORDERS/billing")
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(pauses, [ours("+13:00:00").unwrap()]);
        assert!(scene.server.is_paused("ORDERS/billing"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_a_fight() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    let fighter = fight(&scene);
    scene.until("12:10:00").await;
    assert!(recess.row("ORDERS/billing").contested);
    fighter.abort();
    scene.until("12:20:00").await;
    assert!(!scene.server.is_paused("ORDERS/billing"));
    scene.forget();
    recess.reload(&config(&[NOON]));
    scene.until("12:21:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    assert!(!recess.row("ORDERS/billing").contested);
}

#[tokio::test(start_paused = true)]
async fn two_copies_of_one_instance_do_not_fight() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing"]);
        let copies = [0, 1]
            .map(|number| Recess::start_as(number, &scene.server, &scene.host, &config(&[NOON])));
        scene.until("14:00:00").await;
        let of_pause = |request: &Request| matches!(request.what, What::Pause(..));
        let requests = scene.requests();
        let mut by: Vec<usize> = (requests.iter().filter(|request| of_pause(request)))
            .map(|request| request.client)
            .collect();
        by.sort();
        assert_eq!(by, [0, 1], "one each");
        for copy in &copies {
            let acts = copy.story(|story| story.acts.clone());
            assert!(
                acts.iter()
                    .all(|act| act.result.is_ok() && act.repair.is_none())
            );
            assert!(!copy.row("ORDERS/billing").contested);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_copies_with_different_windows_stop_fighting() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing"]);
        let long = [("noon", "ORDERS/*", "0 12 * * *", "2h")];
        let copies = [
            Recess::start_as(0, &scene.server, &scene.host, &config(&[NOON])),
            Recess::start_as(1, &scene.server, &scene.host, &config(&long)),
        ];
        scene.until("12:50:00").await;
        let writes = scene.writes();
        assert!(writes.len() <= 14, "{}: {writes:?}", writes.len());
        assert!(writes.last().unwrap().0 < at("12:10:00"), "{writes:?}");
        assert!(
            copies
                .iter()
                .any(|copy| copy.row("ORDERS/billing").contested)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_instances_with_overlapping_windows_get_along() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let long = [("noon", "ORDERS/*", "0 12 * * *", "2h")];
    let other = config(&long).replace("prod-eu", "blue/green");
    let _copies = [
        Recess::start_as(0, &scene.server, &scene.host, &config(&[NOON])),
        Recess::start_as(1, &scene.server, &scene.host, &other),
    ];
    scene.until("15:00:00").await;
    let changes = scene.server.state().changes.clone();
    assert!(changes.len() <= 2, "{changes:?}");
    let last = changes.last().unwrap();
    assert_eq!(last.by, Author::Recess(1));
    assert_eq!(last.to.unwrap().as_second(), at("14:00:00").as_second());
}

/// What recess repaired, and whether what undid it had the instance's own mark.
fn repairs(recess: &Recess) -> Vec<(Option<Repair>, bool)> {
    recess.story(|story| {
        let repairs = story.acts.iter().filter(|act| act.repair.is_some());
        repairs
            .map(|act| (act.repair, act.by_same_instance))
            .collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_resume_by_the_command_of_this_instance_is_a_repair_that_says_so() {
    for clustered in [false, true] {
        let scene = if clustered {
            Scene::cluster(&["ORDERS/billing"])
        } else {
            Scene::standalone(&["ORDERS/billing"])
        };
        let recess = scene.recess(&[NOON]);
        scene.until("12:10:00").await;
        // A deadline a moment ahead, with the instance's mark.
        scene
            .server
            .somebody_writes("ORDERS/billing", ours("12:10:04"));
        scene.until("12:20:00").await;
        assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
        assert_eq!(repairs(&recess), [(Some(Repair::Resumed), true)]);
    }
}

#[tokio::test(start_paused = true)]
async fn another_recess_of_this_name_that_wants_otherwise_is_known_by_its_mark() {
    for theirs in ["12:40:00", "13:40:00"] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = scene.recess(&[NOON]);
        scene.until("12:10:00").await;
        scene.server.somebody_writes("ORDERS/billing", ours(theirs));
        scene.until("12:20:00").await;
        assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
        let expected = [(Some(Repair::Retimed), true)];
        assert_eq!(repairs(&recess), expected, "{theirs}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_copy_wrote_first_and_this_one_wants_too_is_no_repair() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let longer = config(&[("noon", "ORDERS/*", "0 12 * * *", "2h")]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    // The other copy was reloaded first.
    scene
        .server
        .somebody_writes("ORDERS/billing", ours("14:00:00"));
    recess.reload(&longer);
    scene.until("12:20:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("14:00:00"));
    // From here on that is what is defended.
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.until("12:30:00").await;
    assert_eq!(repairs(&recess), [(Some(Repair::Resumed), false)]);
}
