//! Whom recess touches and in what order: nobody it was not told of, nobody without end, and pauses first.

use recess::consumer::Mark;
use recess::jetstream::Advisory;
use recess::plan::Rule;

use crate::client::What;
use crate::daemon::Recess;
use crate::model::id;
use crate::scene::{NOON, Noon, Scene, assert_on_time, at, config, config_with, ours, seconds};

/// The window holds shipping and the mail too, and is then restarted with a file that names billing only.
async fn restarted(scene: &Scene, toml: &str) -> Recess {
    let before = scene.recess(&[
        NOON,
        ("mail", "EVENTS/*", "0 12 * * *", "1h"),
        ("gone", "GONE/*", "0 12 * * *", "1h"),
    ]);
    scene.until("12:10:00.5").await;
    drop(before);
    scene.forget();
    Recess::start(&scene.server, &scene.host, toml)
}

const ORPHANS: [&str; 3] = ["EVENTS/mail", "GONE/x", "ORDERS/shipping"];

fn four() -> Scene {
    Scene::standalone(&["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail", "GONE/x"])
}

const BILLING: Noon = ("noon", "ORDERS/billing", "0 12 * * *", "1h");

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_consumer_that_is_no_longer_named_is_resumed_after_a_resync() {
    let scene = four();
    let after = restarted(&scene, &config(&[BILLING])).await;
    scene.until("12:10:59").await;
    assert_eq!(scene.writes(), []);
    for path in ORPHANS {
        assert_eq!(after.row(path).rule, Rule::OrphanWaiting, "{path}");
    }
    // Whoever wants to keep one has said so by then.
    let theirs = Some(at("14:00:00"));
    scene.server.somebody_writes("GONE/x", theirs);
    scene.until("12:11:01").await;
    let resumed: Vec<_> = scene.writes().into_iter().map(|(_, to, _)| to).collect();
    assert_eq!(resumed, ["EVENTS/mail", "ORDERS/shipping"]);
    scene.until("12:12:00").await;
    for path in ["EVENTS/mail", "ORDERS/shipping"] {
        assert!(!scene.server.is_paused(path));
        assert_eq!(scene.server.consumer(path).left_asleep_by, None);
        // Soon it is nobody's business any more.
        assert!(after.find_row(path).is_none_or(|row| !row.is_orphan()));
    }
    assert_eq!(scene.server.deadline("GONE/x"), theirs);
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
    scene.until("12:59:00").await;
    assert_eq!(scene.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn where_no_instance_is_set_orphans_are_only_shown() {
    let scene = four();
    let toml = config(&[BILLING]).replace("instance = \"prod-eu\"\n", "");
    let first = Recess::start(
        &scene.server,
        &scene.host,
        &config(&[NOON]).replace("instance = \"prod-eu\"\n", ""),
    );
    scene.until("12:10:00.5").await;
    drop(first);
    scene.forget();
    let after = Recess::start(&scene.server, &scene.host, &toml);
    scene.until("12:30:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(after.row("ORDERS/shipping").rule, Rule::OrphanUnnamed);
    // A reload by which it has a name is another instance: the old pauses stay its own.
    after.reload(
        &toml
            .replace("[controller]", "[controller]\n")
            .replacen('[', "\n[", 1),
    );
    scene.until("12:40:00").await;
    assert_eq!(scene.writes(), []);
    // A window that names it takes it over.
    after.reload(&config(&[NOON]).replace("instance = \"prod-eu\"\n", ""));
    scene.until("12:41:00").await;
    assert_eq!(after.row("ORDERS/shipping").rule, Rule::Paused);
    scene.until("13:00:10").await;
    assert_eq!(scene.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_asked_nothing_once_its_pause_is_over() {
    let scene = four();
    let unnamed = |toml: String| toml.replace("instance = \"prod-eu\"\n", "");
    // It ends while no window opens or closes.
    let shorter = ("noon", "ORDERS/*", "0 12 * * *", "50m");
    let resync = "resync = \"7m\"";
    let before = Recess::start(&scene.server, &scene.host, &unnamed(config(&[shorter])));
    scene.until("12:10:00.5").await;
    drop(before);
    let toml = unnamed(config_with(resync, &[BILLING]));
    let after = Recess::start(&scene.server, &scene.host, &toml);
    scene.until("12:49:59").await;
    assert_eq!(after.row("ORDERS/shipping").rule, Rule::OrphanUnnamed);
    scene.forget();
    let asked = || {
        let info = What::Info(id("ORDERS/shipping"));
        let requests = scene.requests();
        requests.iter().filter(|one| one.what == info).count()
    };
    scene.until("12:50:10").await;
    assert_eq!(asked(), 1, "that it is over");
    scene
        .server
        .somebody_writes("ORDERS/shipping", Some(at("13:30:00")));
    scene.until("12:50:20").await;
    assert_eq!(asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_waits_for_a_change_that_is_near_and_for_a_server_that_answers() {
    let scene = four();
    let before = scene.recess(&[NOON]);
    scene.until("12:10:00.5").await;
    drop(before);
    // Every minute something opens, and the lists take a second each way.
    scene.server.state().weather.latency = 900..901;
    scene.forget();
    let windows = [BILLING, ("often", "EVENTS/mail", "* * * * *", "10s")];
    let after = Recess::start(&scene.server, &scene.host, &config(&windows));
    scene.until("12:10:30").await;
    scene.forget();
    scene.until("12:13:30").await;
    assert!(!scene.server.is_paused("ORDERS/shipping"));
    for (sent, to, _) in scene.writes() {
        if to == "EVENTS/mail" {
            assert_on_time(sent, at(&sent.strftime("%H:%M:00").to_string()));
        }
    }
    drop(after);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_instance_keeps_its_pauses_until_they_end() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    scene.forget();
    let renamed = |windows: &[Noon]| config(windows).replace("prod-eu", "prod-us");
    recess.reload(&renamed(&[NOON]));
    scene.until("12:20:00").await;
    assert_eq!(scene.writes(), [], "they are as wanted");
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::Paused);
    // They are still its own: taken out, they resume.
    recess.reload(&renamed(&[BILLING]));
    scene.until("12:20:10").await;
    assert!(!scene.server.is_paused("ORDERS/shipping"));
    assert!(scene.server.is_paused("ORDERS/billing"));
    // What another deployment writes that takes the old name is that one's.
    scene.forget();
    scene
        .server
        .somebody_writes("ORDERS/shipping", ours("12:50:00"));
    scene.until("12:49:00").await;
    assert_eq!(scene.writes(), []);
    scene.until("+12:10:00").await;
    let mark = Mark::of_instance("prod-us");
    let deadlines = scene.deadlines("ORDERS/billing");
    assert_eq!(deadlines, [Some(mark.stamp(at("+13:00:00")))]);
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
