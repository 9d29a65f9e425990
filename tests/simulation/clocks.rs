//! Clocks that are stepped, hosts that sleep, servers whose time is another.

use jiff::SignedDuration;
use recess::plan::Rule;

use crate::daemon::Recess;
use crate::scene::{
    NOON, Scene, assert_on_time, at, config, config_with, milliseconds, ours, seconds,
};
use crate::world::Host;

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
async fn after_a_step_everything_is_observed_within_a_second() {
    for step in [90, 3, -3, -90] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = scene.recess(&[NOON]);
        recess.watch_wall_clock(&scene.host);
        // Between two resyncs, and with no change near.
        scene.until("11:55:30.1").await;
        scene.forget();
        scene.until("11:55:32").await;
        assert_eq!(scene.questions(), 0);
        scene.host.step(seconds(step));
        scene.until("11:55:33").await;
        assert_eq!(scene.questions(), 1, "{step} s");
    }
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
async fn a_clock_stepped_back_before_an_opening_that_has_been_leaves_the_pause_alone() {
    for step in [2, 5, 20, 29] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = scene.recess(&[NOON]);
        recess.watch_wall_clock(&scene.host);
        scene.until("12:00:00.6").await;
        scene.host.step(seconds(-step));
        scene.until("12:59:00").await;
        assert_eq!(
            scene.deadlines("ORDERS/billing"),
            [ours("13:00:00")],
            "{step} s"
        );
        assert!(scene.server.is_paused("ORDERS/billing"));
        assert_eq!(recess.row("ORDERS/billing").rule, Rule::Paused);
    }
}

/// Runs two copies whose clocks are `apart`, the second ahead, over an opening and a close. Returns how many writes there
/// were, and how often a deadline changed.
async fn two_copies(apart: SignedDuration, clustered: bool) -> (usize, usize) {
    let consumers: Vec<String> = (0..200).map(|n| format!("ORDERS/c{n:03}")).collect();
    let names: Vec<&str> = consumers.iter().map(String::as_str).collect();
    let scene = if clustered {
        Scene::cluster(&names)
    } else {
        Scene::standalone(&names)
    };
    let ahead = Host::of(&scene.world);
    ahead.step(apart);
    let toml = config(&[NOON, ("chained", "ORDERS/*", "30 12 * * *", "1h")]);
    let copies = [
        Recess::start_as(0, &scene.server, &scene.host, &toml),
        Recess::start_as(1, &scene.server, &ahead, &toml),
    ];
    // In a cluster the deadlines are cleared a minute after the close.
    scene.until("13:30:50").await;
    for copy in &copies {
        copy.story(|story| {
            let blamed = story.acts.iter().filter(|act| act.repair.is_some());
            assert_eq!(blamed.count(), 0, "{apart:#} apart");
            assert_eq!(story.missed, []);
            let last = story.last.as_ref().expect("a report");
            assert!(last.rows.values().all(|row| !row.contested));
            assert!(last.rows.values().all(|row| !row.found.is_paused()));
        });
    }
    (scene.writes().len(), scene.server.state().changes.len())
}

#[tokio::test(start_paused = true)]
async fn two_copies_whose_clocks_differ_do_not_fight() {
    for clustered in [false, true] {
        for apart in [2, 5, 10, 29] {
            let (writes, changes) = two_copies(seconds(apart), clustered).await;
            // One pause each, and at most one that was not needed. A change of a deadline is an advisory.
            assert!((200..=400).contains(&writes), "{apart} s apart: {writes}");
            assert_eq!(changes, 200, "{apart} s apart");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_copies_whose_clocks_differ_do_not_fight_over_the_steps_of_a_long_pause() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let ahead = Host::of(&scene.world);
    ahead.step(seconds(5));
    let toml = config_with(
        "max_pause = \"10m\"",
        &[
            ("even", "ORDERS/*", "0,20,40 12 * * *", "10m"),
            ("odd", "ORDERS/*", "10,30,50 12 * * *", "10m"),
        ],
    );
    let copies = [
        Recess::start_as(0, &scene.server, &scene.host, &toml),
        Recess::start_as(1, &scene.server, &ahead, &toml),
    ];
    scene.until("13:30:00").await;
    let deadlines: Vec<_> = (scene.server.state().changes.iter())
        .map(|change| change.to)
        .collect();
    assert!(
        deadlines.is_sorted(),
        "it is only ever lengthened: {deadlines:?}"
    );
    assert_eq!(deadlines.last(), Some(&ours("13:00:00")));
    for copy in &copies {
        copy.story(|story| assert!(story.acts.iter().all(|act| act.repair.is_none())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_days_ahead_begins_and_ends_nothing_until_it_is_right() {
    for off in [seconds(100 * 86_400), seconds(-100 * 86_400), seconds(700)] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        scene.host.step(off);
        // By the clock that is wrong a window is open all the time.
        let recess = scene.recess(&[("always", "ORDERS/*", "0 * * * *", "59m")]);
        recess.watch_wall_clock(&scene.host);
        scene.until("12:10:00").await;
        assert_eq!(scene.writes(), [], "{off:#}");
        assert_eq!(recess.row("ORDERS/billing").rule, Rule::ClockLost);
        let lost = recess.story(|story| story.last.as_ref().expect("a report").lost_clock());
        assert_eq!(lost, Some(-off));
        scene.host.step(-off);
        scene.until("12:10:02").await;
        assert_eq!(
            scene.deadlines("ORDERS/billing"),
            [ours("12:59:00")],
            "{off:#}"
        );
        let lost = recess.story(|story| story.last.as_ref().expect("a report").lost_clock());
        assert_eq!(lost, None);
        // And lost again within the window: what is paused stays so.
        scene.forget();
        scene.host.step(off);
        scene.until("12:40:00").await;
        assert_eq!(scene.writes(), [], "{off:#}");
        assert!(scene.server.is_paused("ORDERS/billing"));
    }
}

#[tokio::test(start_paused = true)]
async fn no_deadline_lies_further_ahead_of_the_servers_clock_than_max_pause() {
    for ahead in [0, 1, 25, 300, 599] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        scene.host.step(seconds(ahead));
        let toml = config_with(
            "max_pause = \"20m\"",
            &[
                ("even", "ORDERS/*", "0 * * * *", "20m"),
                ("mid", "ORDERS/*", "20 * * * *", "20m"),
                ("odd", "ORDERS/*", "40 * * * *", "20m"),
            ],
        );
        let recess = Recess::start(&scene.server, &scene.host, &toml);
        recess.watch_wall_clock(&scene.host);
        scene.until("15:00:00").await;
        let changes = scene.server.state().changes.clone();
        assert!(changes.len() >= 17, "{ahead} s ahead: {changes:?}");
        for change in &changes {
            let until = change.to.expect("no pause is ended");
            let far = until.duration_since(change.at);
            assert!(
                far <= SignedDuration::from_mins(20) + milliseconds(1),
                "{far:#}: {change:?}"
            );
        }
        // And it never ran in between.
        let gaps = changes
            .windows(2)
            .filter(|pair| pair[0].to <= Some(pair[1].at));
        assert_eq!(gaps.count(), 0, "{ahead} s ahead: {changes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_an_answer_has_told_the_servers_clock_and_a_slow_one_tells_it() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    // Answers of 2.4 s tell the clock vaguely, and there are no others.
    scene.server.state().weather.latency = 1_200..1_201;
    let _recess = scene.recess(&[("always", "ORDERS/billing", "0 * * * *", "59m")]);
    scene.until("11:55:10").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("11:59:00")]);
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
async fn a_host_that_sleeps_through_a_whole_window_has_not_observed_it_and_reports_that_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("11:56:00").await;
    scene.world.suspend(SignedDuration::from_hours(2));
    scene.until("14:20:00").await;
    assert_eq!(scene.writes(), []);
    assert_eq!(recess.story(|story| story.unobserved.len()), 1);
    assert_eq!(recess.story(|story| story.missed.len()), 0);
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
