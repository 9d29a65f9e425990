//! Streams that drop what waits too long, while their consumers are held.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use recess::plan::Rule;
use recess::retention::{Cause, Loss};

use crate::client::What;
use crate::daemon::Recess;
use crate::model::id;
use crate::scene::{MARK, NOON, Noon, Scene, at, config, ours, seconds};
use crate::stream::Limits;
use crate::world::{Chance, Host};

/// What the mark of a deadline that keeps messages is more.
const RETENTION: i32 = 2_000_000;

const BILLING: &str = "ORDERS/billing";

fn with(on_loss: &str, margin: &str, windows: &[Noon]) -> String {
    let defaults = format!("[defaults]\non_loss = \"{on_loss}\"\nloss_margin = \"{margin}\"\n");
    config(windows) + &defaults
}

fn aged(minutes: i64) -> Limits {
    Limits {
        max_age: Some(SignedDuration::from_mins(minutes)),
        ..Limits::default()
    }
}

/// A deadline that ends a pause before messages are lost.
fn is_for_retention(deadline: Option<Timestamp>) -> bool {
    deadline.is_some_and(|at| at.subsec_nanosecond() == MARK + RETENTION)
}

/// The loss that billing comes to.
fn forecast(recess: &Recess) -> Loss {
    (recess.row(BILLING).backlog.losses().to_come).expect("a forecast")
}

/// A message a second since five to noon, and `ORDERS/billing` has had each.
fn scene(of: fn(&[&str]) -> Scene, limits: Limits) -> Scene {
    let scene = of(&[BILLING, "EVENTS/mail"]);
    scene.server.limit("ORDERS", limits);
    scene.server.produces("ORDERS", seconds(1));
    scene
}

fn start(scene: &Scene, toml: &str) -> Recess {
    Recess::start(&scene.server, &scene.host, toml)
}

fn lost(scene: &Scene) -> usize {
    scene.server.state().lost.len()
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_written_early_where_the_age_is_known() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = scene(of, aged(20));
        let recess = start(&scene, &with("release", "5m", &[NOON]));
        scene.until("12:00:01").await;
        let first = scene.deadlines(BILLING);
        assert_eq!(first.len(), 1);
        assert!(is_for_retention(first[0]), "{first:?}");
        let early = first[0].unwrap();
        assert!(
            (at("12:14:55")..=at("12:15:00")).contains(&early),
            "{early}"
        );
        // Dead right after the opening.
        drop(recess);
        scene.until("13:30:00").await;
        assert_eq!(lost(&scene), 0);
        assert!(!scene.server.is_paused(BILLING));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_released_stays_released_until_the_chain_is_over() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = scene(of, aged(20));
        let one: Noon = ("one", "ORDERS/*", "0 13 * * *", "1h");
        let recess = start(&scene, &with("release", "5m", &[NOON, one]));
        scene.until("12:20:00").await;
        assert_eq!(recess.row(BILLING).rule, Rule::Released);
        // Neither the memory of a process nor the window's number counts.
        drop(recess);
        let recess = start(&scene, &with("release", "5m", &[NOON, one]));
        scene.forget();
        scene.until("13:59:00").await;
        assert_eq!(scene.deadlines(BILLING), [], "within the chain");
        assert_eq!(recess.row(BILLING).rule, Rule::Released);
        assert_eq!(lost(&scene), 0);
        scene.until("+12:00:01").await;
        let again = scene.deadlines(BILLING);
        let held = again.iter().filter(|deadline| is_for_retention(**deadline));
        assert_eq!(held.count(), 1, "the next opening: {again:?}");
        recess.story(|story| assert!(story.missed.is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_released_no_earlier_than_the_margin_and_a_minute_before() {
    // Behind by ten minutes at the opening: it was held by somebody else.
    let scene = scene(Scene::standalone, aged(30));
    scene.server.somebody_writes(BILLING, Some(at("12:05:00")));
    let recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:59:00").await;
    assert_eq!(recess.row(BILLING).rule, Rule::Released);
    let deadline = scene.server.deadline(BILLING).unwrap();
    // The first message of 11:55:00 is lost at 12:25:00.
    assert!(
        (at("12:19:00")..=at("12:20:02")).contains(&deadline),
        "{deadline}"
    );
    assert_eq!(lost(&scene), 0);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_moves_on_while_nothing_waits() {
    let scene = Scene::standalone(&[BILLING]);
    scene.server.limit("ORDERS", aged(20));
    let recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:40:00").await;
    assert!(scene.server.is_paused(BILLING), "nothing waits for it");
    let written = scene.deadlines(BILLING);
    assert!((3..=8).contains(&written.len()), "{written:?}");
    // From now on there are messages.
    scene.server.produces("ORDERS", seconds(1));
    scene.until("12:59:59").await;
    assert!(!scene.server.is_paused(BILLING));
    assert_eq!(recess.row(BILLING).rule, Rule::Released);
    assert_eq!(lost(&scene), 0);
    let written = scene.deadlines(BILLING);
    assert!(written.iter().all(|deadline| is_for_retention(*deadline)));
    // The last one is the window's own end, in the occurrence after.
    let deadline = scene.server.deadline(BILLING).unwrap();
    assert!(
        (at("12:50:00")..=at("12:55:01")).contains(&deadline),
        "{deadline}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_warning_releases_nothing() {
    let scene = scene(Scene::standalone, aged(20));
    let recess = start(&scene, &with("warn", "5m", &[NOON]));
    scene.until("12:00:01").await;
    assert_eq!(scene.deadlines(BILLING), [ours("13:00:00")]);
    let loss = forecast(&recess);
    assert_eq!(loss.cause, Cause::MaxAge);
    scene.until("12:59:59").await;
    assert_eq!(scene.deadlines(BILLING), [ours("13:00:00")]);
    let first = scene.server.state().lost.first().cloned().unwrap();
    let early = first.0.duration_since(loss.at);
    assert!((seconds(0)..=seconds(60)).contains(&early), "{early:?}");
    let lost = lost(&scene) as u64;
    let noticed = recess.row(BILLING).backlog.losses().lost;
    assert!(
        noticed <= lost && noticed + 90 >= lost,
        "{noticed} of {lost}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_stream_is_forecast_by_its_inflow() {
    let limits = Limits {
        max_messages: Some(1_800),
        ..Limits::default()
    };
    let scene = scene(Scene::standalone, limits);
    let recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:10:00").await;
    assert!(scene.server.is_paused(BILLING));
    assert_eq!(forecast(&recess).cause, Cause::MaxMessages);
    scene.until("12:40:00").await;
    assert_eq!(recess.row(BILLING).rule, Rule::Released);
    assert_eq!(lost(&scene), 0);
    let deadline = scene.server.deadline(BILLING).unwrap();
    assert!(
        (at("12:24:00")..=at("12:26:00")).contains(&deadline),
        "{deadline}"
    );
}

#[tokio::test(start_paused = true)]
async fn publishers_that_are_refused_are_told_before_and_release_nothing() {
    let limits = Limits {
        max_messages: Some(1_200),
        refuses: true,
        ..Limits::default()
    };
    let scene = scene(Scene::standalone, limits);
    let recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:10:00").await;
    let loss = forecast(&recess);
    assert_eq!(loss.cause, Cause::Refused);
    scene.until("12:59:59").await;
    assert!(scene.server.is_paused(BILLING));
    assert_eq!(scene.deadlines(BILLING), [ours("13:00:00")]);
    let refused = scene.server.state().modelled["ORDERS"].refused.unwrap();
    assert!(refused.duration_since(loss.at).abs() < seconds(60));
    assert_eq!(lost(&scene), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_limits_is_asked_once_an_hour() {
    let scene = Scene::standalone(&[BILLING, "EVENTS/mail"]);
    let _recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:50:00").await;
    let of_limits = |request: &crate::client::Request| matches!(request.what, What::Limits(_));
    let asked: Vec<_> = (scene.requests().into_iter())
        .filter(of_limits)
        .map(|request| request.what)
        .collect();
    assert_eq!(asked, [What::Limits("ORDERS".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn two_copies_agree() {
    let scene = scene(Scene::standalone, aged(20));
    let toml = with("release", "5m", &[NOON]);
    let ahead = Host::of(&scene.world);
    ahead.step(seconds(4));
    let copies = [
        Recess::start_as(0, &scene.server, &scene.host, &toml),
        Recess::start_as(1, &scene.server, &ahead, &toml),
    ];
    scene.until("12:59:00").await;
    assert_eq!(lost(&scene), 0);
    let written = scene.deadlines(BILLING);
    assert!(written.len() <= 3, "{written:?}");
    for copy in copies {
        assert_eq!(copy.row(BILLING).rule, Rule::Released);
        copy.story(|story| assert!(story.acts.iter().all(|act| act.repair.is_none())));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_pause_is_early_where_recess_starts_within_a_window() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = scene(of, aged(30));
        scene.until("12:02:00").await;
        let recess = start(&scene, &with("release", "5m", &[NOON]));
        scene.until("12:02:05").await;
        let written = scene.deadlines(BILLING);
        assert_eq!(written.len(), 1, "{written:?}");
        assert!(is_for_retention(written[0]));
        // Dead right after it.
        drop(recess);
        scene.until("13:30:00").await;
        assert_eq!(lost(&scene), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_written_whole_is_shortened_where_it_becomes_known() {
    // Started within the window, and the stream does not answer at first.
    let scene = scene(Scene::standalone, aged(30));
    scene.server.state().streams_are_silent = true;
    scene.until("12:02:00").await;
    let recess = start(&scene, &with("release", "5m", &[NOON]));
    scene.until("12:02:05").await;
    assert_eq!(scene.deadlines(BILLING), [ours("13:00:00")]);
    scene.server.state().streams_are_silent = false;
    scene.until("12:04:00").await;
    let written = scene.deadlines(BILLING);
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(is_for_retention(written[1]));
    assert_eq!(recess.row(BILLING).rule, Rule::LossPaused);
    scene.until("12:59:00").await;
    assert_eq!(lost(&scene), 0);
}

/// How many random histories are tried; `RECESS_RUNS` tries more.
const RUNS: u64 = 20;

#[tokio::test(start_paused = true)]
async fn no_message_is_lost_in_random_histories() {
    let runs = std::env::var("RECESS_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number"));
    for run in 0..runs {
        let mut chance = Chance::seeded(run + 1);
        let mut pick = |range: Range<u64>| i64::try_from(chance.within(range)).expect("small");
        let of = [Scene::standalone, Scene::cluster][usize::from(run % 2 == 1)];
        let scene = of(&[BILLING, "EVENTS/mail"]);
        let max_age = pick(20..50);
        scene.server.limit("ORDERS", aged(max_age));
        scene.server.produces("ORDERS", seconds(pick(1..90)));
        if pick(0..3) == 0 {
            // It lags, as somebody paused it before.
            let until = at("11:59:00") + seconds(pick(0..240));
            scene.server.somebody_writes(BILLING, Some(until));
        }
        let toml = with("release", "5m", &[NOON]);
        let other = Host::of(&scene.world);
        other.step(seconds(pick(0..9) - 4));
        let start = |number: usize| {
            let host = if number == 0 { &scene.host } else { &other };
            Recess::start_as(number, &scene.server, host, &toml)
        };
        let mut copies: Vec<_> = (0..usize::from(pick(0..2) == 1) + 1).map(start).collect();
        let mut now = at("12:00:00");
        while now < at("12:58:00") {
            now += seconds(pick(1..900));
            scene.world.until(now).await;
            match pick(0..4) {
                0 => copies.clear(),
                1 if copies.is_empty() => copies.push(start(0)),
                2 => {
                    scene.server.disconnect();
                    scene.world.until(now + seconds(pick(1..60))).await;
                    scene.server.connect();
                }
                _ => {}
            }
        }
        scene.until("13:30:00").await;
        let state = scene.server.state();
        assert_eq!(state.lost, [], "run {run}: max_age {max_age}m");
        // Released no earlier than the margin and a minute before the first message that waited was lost.
        let paused = state
            .changes
            .iter()
            .any(|change| change.id == id(BILLING) && is_for_retention(change.to));
        assert!(paused || max_age > 59, "run {run}: max_age {max_age}m");
    }
}
