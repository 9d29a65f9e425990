//! A standby beside a primary, and without one: what it leaves alone, and how soon it is there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::client::{Request, Weather, What};
use crate::daemon::Recess;
use crate::scene::{
    NOON, Scene, assert_on_time, at, config, config_with, milliseconds, ours, seconds,
};
use crate::world::Host;

const DELAY: Duration = Duration::from_secs(5);

/// Copies of one deployment are known by their numbers in the record.
const PRIMARY: usize = 0;
const STANDBY: usize = 1;

const CONSUMERS: [&str; 3] = ["ORDERS/a", "ORDERS/b", "ORDERS/c"];

struct Pair {
    scene: Scene,
    primary: Option<Recess>,
    standby: Recess,
}

impl Pair {
    fn of(scene: Scene) -> Self {
        Self::by(scene, &config(&[NOON]), &config(&[NOON]))
    }

    fn by(scene: Scene, primary: &str, standby: &str) -> Self {
        Self {
            primary: Some(Recess::start_as(
                PRIMARY,
                &scene.server,
                &scene.host,
                primary,
            )),
            standby: stand_by(&scene, STANDBY, standby),
            scene,
        }
    }

    /// Two copies whose clocks are wrong by so many seconds.
    fn with_clocks(scene: Scene, primary: i64, standby: i64) -> Self {
        let toml = config(&[NOON]);
        let host = |wrong_by| {
            let host = Host::of(&scene.world);
            host.step(seconds(wrong_by));
            host
        };
        Self {
            primary: Some(Recess::start_as(
                PRIMARY,
                &scene.server,
                &host(primary),
                &toml,
            )),
            standby: Recess::stand_by(STANDBY, &scene.server, &host(standby), &toml, DELAY),
            scene,
        }
    }

    /// The true times at which a copy wrote.
    fn writes_of(&self, number: usize) -> Vec<Timestamp> {
        writes(&self.scene, number)
    }

    fn takeovers(&self) -> u64 {
        takeovers(&self.standby)
    }

    fn assert_nothing_missed(&self) {
        for copy in self.primary.iter().chain([&self.standby]) {
            copy.story(|story| assert_eq!(story.missed, []));
        }
    }
}

fn stand_by(scene: &Scene, number: usize, toml: &str) -> Recess {
    Recess::stand_by(number, &scene.server, &scene.host, toml, DELAY)
}

fn writes(scene: &Scene, number: usize) -> Vec<Timestamp> {
    let requests = scene.requests();
    let its = (requests.iter())
        .filter(|request| request.client == number && request.what.written().is_some());
    its.map(|request| request.at).collect()
}

fn takeovers(recess: &Recess) -> u64 {
    recess.story(|story| {
        let standby = story.last.as_ref().and_then(|report| report.standby);
        standby.expect("a standby").takeovers
    })
}

/// All of them were paused at that time, one request each.
#[track_caller]
fn assert_taken_over(scene: &Scene, standby: usize, consumers: usize, due: &str) {
    let written = writes(scene, standby);
    assert_eq!(written.len(), consumers, "{written:?}");
    for sent in written {
        assert_on_time(sent, at(due));
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_writes_nothing_while_the_primary_lives() {
    for of in [Scene::standalone, Scene::cluster] {
        let pair = Pair::of(of(&CONSUMERS));
        // Two openings, two closes, and in a cluster the clearing of what has lapsed.
        pair.scene.until("+18:00:00").await;
        assert_eq!(pair.writes_of(STANDBY), []);
        let pauses = (pair.scene.writes().iter())
            .filter(|(_, _, deadline)| deadline.is_some())
            .count();
        assert_eq!(pauses, 2 * CONSUMERS.len());
        assert_eq!(pair.takeovers(), 0);
        pair.assert_nothing_missed();
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_asks_no_more_than_a_primary() {
    for of in [Scene::standalone, Scene::cluster] {
        let consumers: Vec<String> = (0..40).map(|number| format!("ORDERS/c{number}")).collect();
        let consumers: Vec<&str> = consumers.iter().map(String::as_str).collect();
        let pair = Pair::of(of(&consumers));
        // Between two resyncs.
        for (from, until) in [("11:59:50", "12:00:50"), ("12:59:50", "13:00:50")] {
            pair.scene.until(from).await;
            pair.scene.forget();
            pair.scene.until(until).await;
            let requests = pair.scene.requests();
            let lists = |number| {
                let is_list = |request: &&Request| {
                    request.client == number && matches!(request.what, What::List(_))
                };
                requests.iter().filter(is_list).count()
            };
            let infos = |number| {
                let is_info = |request: &&Request| {
                    request.client == number && matches!(request.what, What::Info(_))
                };
                requests.iter().filter(is_info).count()
            };
            assert!(lists(PRIMARY) > 0, "{requests:?}");
            assert!(
                lists(STANDBY) <= lists(PRIMARY),
                "{from}: {} by the standby, {} by the primary",
                lists(STANDBY),
                lists(PRIMARY)
            );
            assert!(infos(STANDBY) <= infos(PRIMARY), "{from}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_primary_did_is_shown_a_second_later() {
    let pair = Pair::of(Scene::standalone(&CONSUMERS));
    pair.scene.until("12:00:01.5").await;
    for path in CONSUMERS {
        assert!(pair.standby.row(path).found.is_paused(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_killed_before_an_opening_is_replaced() {
    for of in [Scene::standalone, Scene::cluster] {
        let mut pair = Pair::of(of(&CONSUMERS));
        pair.scene.until("11:59:59").await;
        pair.primary = None;
        pair.scene.until("12:00:04.9").await;
        assert_eq!(pair.writes_of(STANDBY), []);
        pair.scene.until("12:30:00").await;
        assert_taken_over(&pair.scene, STANDBY, CONSUMERS.len(), "12:00:05");
        assert_eq!(pair.takeovers(), 1);
        // In a cluster there are deadlines to clear, which the primary does not do either.
        pair.scene.until("+11:50:00").await;
        let until_then = pair.takeovers();
        pair.scene.until("+12:30:00").await;
        assert_eq!(pair.takeovers(), until_then + 1);
        pair.assert_nothing_missed();
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_killed_amid_its_burst_is_replaced() {
    let consumers: Vec<String> = (0..80).map(|number| format!("ORDERS/c{number}")).collect();
    let consumers: Vec<&str> = consumers.iter().map(String::as_str).collect();
    let mut pair = Pair::of(Scene::standalone(&consumers));
    pair.scene.until("11:59:50").await;
    // 8 at a time, 80 in 2 s.
    slow(&pair.scene, 100);
    pair.scene.until("12:00:01").await;
    pair.primary = None;
    let by_primary = pair.writes_of(PRIMARY).len();
    assert!((30..60).contains(&by_primary), "{by_primary}");
    pair.scene.until("12:00:10").await;
    for path in consumers {
        assert!(pair.scene.server.is_paused(path), "{path}");
    }
    let by_standby = pair.writes_of(STANDBY);
    // What was in flight may have arrived, or not.
    let total = by_primary + by_standby.len();
    assert!((80..=88).contains(&total), "{total}");
    let since_the_last = by_standby[0].duration_since(at("12:00:01"));
    assert!(since_the_last >= milliseconds(4_500), "{since_the_last}");
}

/// Each way takes so many milliseconds.
fn slow(scene: &Scene, latency: u64) {
    scene.server.state().weather = Weather {
        latency: latency..latency + 1,
        ..Weather::calm()
    };
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_is_longer_than_the_delay_is_left_to_the_primary() {
    let consumers: Vec<String> = (0..600).map(|number| format!("ORDERS/c{number}")).collect();
    let consumers: Vec<&str> = consumers.iter().map(String::as_str).collect();
    let pair = Pair::of(Scene::standalone(&consumers));
    pair.scene.until("11:59:50").await;
    slow(&pair.scene, 100);
    pair.scene.until("12:05:00").await;
    let last = *pair.writes_of(PRIMARY).last().unwrap();
    assert!(last > at("12:00:12"), "{last}");
    assert_eq!(pair.writes_of(PRIMARY).len(), consumers.len());
    assert_eq!(pair.writes_of(STANDBY), []);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_hangs_is_replaced_and_finds_all_done() {
    for of in [Scene::standalone, Scene::cluster] {
        for stopped in ["11:58:00", "11:59:59", "12:00:00"] {
            let pair = Pair::of(of(&CONSUMERS));
            pair.scene.until(stopped).await;
            pair.primary.as_ref().unwrap().stop();
            pair.scene.until("12:00:30").await;
            assert_taken_over(&pair.scene, STANDBY, CONSUMERS.len(), "12:00:05");
            pair.primary.as_ref().unwrap().go_on();
            pair.scene.until("+11:00:00").await;
            let by_primary = pair.writes_of(PRIMARY);
            assert!(
                by_primary.iter().all(|sent| *sent > at("13:00:00")),
                "{by_primary:?}"
            );
            pair.assert_nothing_missed();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_is_cut_off_is_replaced() {
    let scene = Scene::standalone(&CONSUMERS);
    let (toml, line) = (config(&[NOON]), scene.server.over_its_own_line());
    let _primary = Recess::start_as(PRIMARY, &line, &scene.host, &toml);
    let standby = stand_by(&scene, STANDBY, &toml);
    scene.until("11:59:59").await;
    line.cut_line();
    scene.until("12:30:00").await;
    assert_eq!(writes(&scene, PRIMARY), []);
    assert_taken_over(&scene, STANDBY, CONSUMERS.len(), "12:00:05");
    assert_eq!(takeovers(&standby), 1);
}

#[tokio::test(start_paused = true)]
async fn a_primary_whose_clock_is_behind_is_replaced_and_agrees() {
    for behind in [-8, -20, -3_600] {
        let pair = Pair::with_clocks(Scene::standalone(&CONSUMERS), behind, 0);
        pair.scene.until("12:30:00").await;
        assert_taken_over(&pair.scene, STANDBY, CONSUMERS.len(), "12:00:05");
        assert_eq!(pair.writes_of(PRIMARY), [], "{behind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_leaves_alone_what_a_primary_whose_clock_is_ahead_does() {
    let pair = Pair::with_clocks(Scene::standalone(&CONSUMERS), 20, 0);
    pair.scene.until("12:30:00").await;
    assert_eq!(pair.writes_of(PRIMARY).len(), CONSUMERS.len());
    assert_eq!(pair.writes_of(STANDBY), []);
}

#[tokio::test(start_paused = true)]
async fn a_standby_whose_clock_is_wrong_does_not_get_ahead() {
    for wrong_by in [-25, -3, 3, 25] {
        let pair = Pair::with_clocks(Scene::standalone(&CONSUMERS), 0, wrong_by);
        pair.scene.until("14:00:00").await;
        assert_eq!(pair.writes_of(STANDBY), [], "{wrong_by}");
        for sent in pair.writes_of(PRIMARY) {
            assert_on_time(sent, at("12:00:00"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_the_primary_does_not_know_yet_is_held_by_the_standby() {
    let other = [("other", "EVENTS/*", "0 12 * * *", "1h")];
    let scene = Scene::standalone(&CONSUMERS);
    let pair = Pair::by(scene, &config(&other), &config(&[NOON]));
    pair.scene.until("12:30:00").await;
    assert_taken_over(&pair.scene, STANDBY, CONSUMERS.len(), "12:00:05");
    // The primary catches up, and there is nothing to do.
    pair.primary.as_ref().unwrap().reload(&config(&[NOON]));
    pair.scene.until("14:00:00").await;
    assert_eq!(pair.writes_of(PRIMARY), []);
    assert_eq!(pair.writes_of(STANDBY).len(), CONSUMERS.len());
}

#[tokio::test(start_paused = true)]
async fn copies_with_different_files_stop_fighting_and_agree_after_a_reload() {
    let long = [("noon", "ORDERS/*", "0 12 * * *", "2h")];
    for (primary, standby) in [(&NOON, &long[0]), (&long[0], &NOON)] {
        let pair = Pair::by(
            Scene::standalone(&["ORDERS/a"]),
            &config(&[*primary]),
            &config(&[*standby]),
        );
        pair.scene.until("12:40:00").await;
        let written = pair.scene.writes();
        assert!(written.len() <= 14, "{written:?}");
        assert!(written.last().unwrap().0 < at("12:20:00"), "{written:?}");
        for copy in pair.primary.iter().chain([&pair.standby]) {
            copy.reload(&config(&long));
        }
        pair.scene.until("12:45:00").await;
        assert_eq!(pair.scene.server.deadline("ORDERS/a"), ours("14:00:00"));
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_are_reloaded_one_after_the_other_make_no_fight() {
    let long = config(&[("noon", "ORDERS/*", "0 12 * * *", "2h")]);
    for standby_first in [false, true] {
        let pair = Pair::of(Scene::standalone(&["ORDERS/a"]));
        pair.scene.until("12:10:00").await;
        pair.scene.forget();
        let primary = pair.primary.as_ref().unwrap();
        let (first, second) = if standby_first {
            (&pair.standby, primary)
        } else {
            (primary, &pair.standby)
        };
        first.reload(&long);
        pair.scene.until("12:10:03").await;
        second.reload(&long);
        pair.scene.until("12:20:00").await;
        assert_eq!(pair.scene.deadlines("ORDERS/a"), [ours("14:00:00")]);
        assert_eq!(pair.writes_of(STANDBY), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_alone_does_everything_that_much_later() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&CONSUMERS);
        let standby = stand_by(&scene, STANDBY, &config(&[NOON]));
        scene.until("12:10:00").await;
        assert_taken_over(&scene, STANDBY, CONSUMERS.len(), "12:00:05");
        scene.forget();
        // It repairs.
        scene.server.somebody_writes("ORDERS/a", None);
        scene.until("12:20:00").await;
        let [repaired] = writes(&scene, STANDBY)[..] else {
            panic!("{:?}", scene.writes());
        };
        // A cluster takes a moment to apply what is undone.
        let later = repaired.duration_since(at("12:10:05"));
        assert!(
            (SignedDuration::ZERO..seconds(1)).contains(&later),
            "{repaired}"
        );
        // It ends what a reload ends.
        scene.forget();
        standby.reload(&config(&[("noon", "EVENTS/*", "0 12 * * *", "1h")]));
        scene.until("12:21:00").await;
        assert_taken_over(&scene, STANDBY, CONSUMERS.len(), "12:20:05");
        assert!(!scene.server.is_paused("ORDERS/a"));
        assert_eq!(takeovers(&standby), 3);
        standby.story(|story| assert_eq!(story.missed, []));
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_client_undoes_is_repaired_once() {
    let pair = Pair::of(Scene::standalone(&CONSUMERS));
    pair.scene.until("12:10:00").await;
    pair.scene.forget();
    for minute in 10..13 {
        pair.scene.until(&format!("12:{minute}:00")).await;
        pair.scene.server.somebody_writes("ORDERS/a", None);
    }
    pair.scene.until("12:30:00").await;
    assert_eq!(pair.writes_of(PRIMARY).len(), 3);
    assert_eq!(pair.writes_of(STANDBY), []);
}

#[tokio::test(start_paused = true)]
async fn an_orphan_is_resumed_by_the_primary_alone() {
    let scene = Scene::standalone(&CONSUMERS);
    scene.server.somebody_writes("ORDERS/a", ours("18:00:00"));
    let toml = config(&[("noon", "EVENTS/*", "0 12 * * *", "1h")]);
    let pair = Pair::by(scene, &toml, &toml);
    pair.scene.until("11:58:00").await;
    assert_eq!(pair.writes_of(PRIMARY).len(), 1);
    assert_eq!(pair.writes_of(STANDBY), []);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_extended_shortly_before_its_end_has_no_hole() {
    let scene = Scene::standalone(&["ORDERS/a"]);
    let standby = stand_by(&scene, STANDBY, &config(&[NOON]));
    scene.until("12:59:56").await;
    standby.reload(&config(&[("noon", "ORDERS/*", "0 12 * * *", "2h")]));
    scene.until("13:10:00").await;
    assert_eq!(scene.server.deadline("ORDERS/a"), ours("14:00:00"));
    let changes = scene.server.state().changes.clone();
    assert_eq!(changes.len(), 2, "{changes:?}");
    let extended = writes(&scene, STANDBY)[1];
    assert!(extended < at("12:59:59"), "{extended}");
}

#[tokio::test(start_paused = true)]
async fn two_standbys_without_a_primary_take_over_one_after_the_other() {
    let scene = Scene::standalone(&CONSUMERS);
    let toml = config(&[NOON]);
    let first = stand_by(&scene, 1, &toml);
    let (server, host) = (&scene.server, &scene.host);
    let second = Recess::stand_by(2, server, host, &toml, 2 * DELAY);
    scene.until("12:30:00").await;
    assert_taken_over(&scene, 1, CONSUMERS.len(), "12:00:05");
    assert_eq!(writes(&scene, 2), []);
    // The first is lost too.
    drop(first);
    scene.until("+12:30:00").await;
    let by_second = writes(&scene, 2);
    assert_eq!(by_second.len(), CONSUMERS.len());
    assert_on_time(by_second[0], at("+12:00:10"));
    assert_eq!(takeovers(&second), 1);
}

#[tokio::test(start_paused = true)]
async fn two_standbys_with_one_delay_do_not_fight() {
    let scene = Scene::cluster(&CONSUMERS);
    let toml = config(&[NOON]);
    let copies = [1, 2].map(|number| stand_by(&scene, number, &toml));
    scene.until("12:59:00").await;
    let written = scene.writes();
    assert!(written.len() <= 2 * CONSUMERS.len(), "{written:?}");
    for copy in &copies {
        assert!(CONSUMERS.iter().all(|path| !copy.row(path).contested));
        copy.story(|story| assert_eq!(story.missed, []));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_back_gives_the_primary_its_time() {
    let pair = Pair::of(Scene::standalone(&CONSUMERS));
    pair.scene.until("11:59:00").await;
    pair.scene.server.disconnect();
    pair.scene.until("12:10:00").await;
    pair.scene.server.connect();
    pair.scene.until("12:20:00").await;
    assert_eq!(pair.writes_of(PRIMARY).len(), CONSUMERS.len());
    assert_eq!(pair.writes_of(STANDBY), []);
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_starts_within_a_window_waits_too() {
    let scene = Scene::standalone(&CONSUMERS);
    scene.until("12:10:00").await;
    let standby = stand_by(&scene, STANDBY, &config_with("resync = \"10s\"", &[NOON]));
    scene.until("12:20:00").await;
    assert_taken_over(&scene, STANDBY, CONSUMERS.len(), "12:10:05");
    assert_eq!(takeovers(&standby), 1);
    let late: SignedDuration = at("12:10:05").duration_since(at("12:00:00"));
    assert_eq!(late, seconds(605));
}
