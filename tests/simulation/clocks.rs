//! Clocks that are stepped, hosts that sleep, servers whose time is another.

use jiff::SignedDuration;

use crate::scene::{NOON, Scene, assert_on_time, at, config, milliseconds, ours, seconds};

#[tokio::test(start_paused = true)]
async fn a_clock_stepped_forward_over_an_opening_pauses_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    recess.watch_wall_clock(&scene.host);
    scene.until("11:59:50.1").await;
    scene.host.step(seconds(15));
    scene.until("11:59:59").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].0 <= at("11:59:50.7"), "{writes:?}");
    assert_eq!(writes[0].2, ours("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_stepped_back_just_before_an_opening_waits_for_its_noon() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    scene.host.step(seconds(-10));
    scene.until("12:30:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:00:10"));
    assert_eq!(writes[0].2, ours("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_stepped_back_before_an_opening_that_has_been_resumes_and_pauses_again() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    recess.watch_wall_clock(&scene.host);
    scene.until("12:00:05.1").await;
    scene.host.step(seconds(-20));
    scene.until("12:30:00").await;
    let writes = scene.writes();
    let deadlines = scene.deadlines("ORDERS/billing");
    assert_eq!(
        deadlines,
        [ours("13:00:00"), ours("12:00:08"), ours("13:00:00")]
    );
    assert_on_time(writes[2].0, at("12:00:20"));
    assert_eq!(scene.server.consumer("ORDERS/billing").left_asleep_by, None);
}

#[tokio::test(start_paused = true)]
async fn a_step_forward_past_the_next_change_is_noticed_in_the_last_stretch() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:58.6").await;
    scene.host.step(milliseconds(1_400));
    scene.until("11:59:58.9").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_sleeps_over_an_opening_pauses_when_it_wakes() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    recess.watch_wall_clock(&scene.host);
    scene.until("11:56:00").await;
    scene.world.suspend(SignedDuration::from_mins(30));
    scene.until("12:26:01").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    assert!(scene.server.is_paused("ORDERS/billing"));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_sleeps_through_a_pause_finds_it_ended_and_writes_nothing() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    scene.world.suspend(SignedDuration::from_hours(2));
    scene.until("14:20:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    assert!(!recess.row("ORDERS/billing").found.is_paused());
    assert!(recess.story(|story| story.missed.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_sleeps_through_a_whole_window_has_missed_it_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:56:00").await;
    scene.world.suspend(SignedDuration::from_hours(2));
    scene.until("14:20:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(recess.story(|story| story.missed.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_prepared_before_the_host_slept_is_not_sent_after_it() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:59.1").await;
    scene.server.state().weather.advisories_lost = 100;
    let theirs = Some(at("15:00:00"));
    scene.server.somebody_writes("ORDERS/billing", theirs);
    for slept in [SignedDuration::from_mins(30), SignedDuration::from_hours(1)] {
        scene.world.suspend(slept);
        scene.world.pass(seconds(10)).await;
        assert_eq!(scene.writes(), []);
        assert_eq!(scene.server.deadline("ORDERS/billing"), theirs);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_observed_before_the_host_slept_is_not_acted_on_after_it() {
    let scene = Scene::standalone(&["EVENTS/mail", "ORDERS/billing"]);
    let recess = scene.recess(&[NOON, ("mail", "EVENTS/*", "0 12 * * *", "1h")]);
    scene.until("12:10:00").await;
    scene.forget();
    // Both lists have been answered with a pause that is wanted no more, and one answer is on its way.
    scene.server.state().weather.latency = 200..300;
    recess.reload(&config(&[]));
    scene.world.pass(milliseconds(150)).await;
    scene.world.suspend(SignedDuration::from_hours(1));
    scene.until("13:20:00").await;
    assert_eq!(scene.writes(), [], "they have long been running again");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_a_pause_covered_while_the_host_slept_is_not_missed() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON, ("after", "ORDERS/*", "0 13 * * *", "10m")]);
    scene.until("12:30:00").await;
    scene.world.suspend(SignedDuration::from_hours(1));
    scene.until("14:20:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:10:00")]);
    assert_eq!(recess.story(|story| story.missed.clone()), []);
}

#[tokio::test(start_paused = true)]
async fn a_clock_forty_seconds_off_still_pauses_but_resumes_nothing() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.host.step(seconds(40));
    let recess = scene.recess(&[NOON]);
    scene.until("12:00:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1);
    assert_on_time(writes[0].0, at("11:59:20"));
    assert_eq!(writes[0].2, ours("13:00:00"));
    // Lengthened, yes; shortened or ended, no.
    recess.reload(&config(&[("noon", "ORDERS/*", "0 12 * * *", "2h")]));
    scene.until("12:05:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("14:00:00"));
    recess.reload(&config(&[NOON]));
    scene.until("12:10:00").await;
    recess.reload(&config(&[]));
    scene.until("12:20:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("14:00:00"));
    // Once the clock is right, the next look sees to it.
    scene.host.step(seconds(-40));
    scene.until("12:20:07").await;
    scene.until("12:20:10").await;
    assert!(!scene.server.is_paused("ORDERS/billing"));
    assert_eq!(scene.server.consumer("ORDERS/billing").left_asleep_by, None);
    assert_eq!(scene.writes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clock_a_little_slow_does_not_ask_for_a_deadline_that_has_passed() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    scene.host.step(seconds(-20));
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    recess.reload(&config(&[]));
    scene.until("12:10:07").await;
    assert!(!scene.server.is_paused("ORDERS/billing"));
    assert_eq!(
        scene.server.consumer("ORDERS/billing").left_asleep_by,
        None,
        "it was woken"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_over_by_the_servers_clock_is_not_begun() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.host.step(seconds(-20));
    let _recess = scene.recess(&[NOON]);
    scene.until("13:00:05").await;
    scene.forget();
    // By the clock of recess it is a quarter of a minute to one, and the window is open.
    scene.server.create(&["ORDERS/late"]);
    scene.until("13:02:00").await;
    assert_eq!(scene.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn the_skew_that_is_shown_is_steadier_than_the_answers_and_follows_a_step_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.server.state().weather.latency = 0..600;
    let recess = scene.recess(&[NOON]);
    let shown = || {
        recess.story(|story| {
            let last = story.last.as_ref().expect("a report");
            (
                last.skew.expect("a sample"),
                last.smooth_skew.expect("a mean"),
            )
        })
    };
    let mut seen = Vec::new();
    scene.world.pass(seconds(60)).await;
    for _ in 0..200 {
        recess.reload(&config(&[NOON]));
        scene.world.pass(seconds(2)).await;
        seen.push(shown());
    }
    let spread = |values: Vec<SignedDuration>| {
        *values.iter().max().expect("some") - *values.iter().min().expect("some")
    };
    let newest = spread(seen.iter().map(|(newest, _)| *newest).collect());
    let smooth = spread(seen.iter().map(|(_, smooth)| *smooth).collect());
    assert!(newest > milliseconds(300), "{newest:?}");
    assert!(smooth < newest * 2 / 3, "{smooth:?} {newest:?}");
    scene.host.step(seconds(-40));
    recess.reload(&config(&[NOON]));
    scene.world.pass(seconds(2)).await;
    let (newest, smooth) = shown();
    assert_eq!(newest, smooth);
    assert!((newest - seconds(40)).abs() < seconds(1), "{newest:?}");
}
