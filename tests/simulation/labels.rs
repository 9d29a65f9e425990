//! Metadata decides: which of a window's consumers are paused, and which are exempt.

use jiff::Timestamp;
use recess::plan::Rule;
use recess::policy::{Desired, Verb};

use crate::daemon::Recess;
use crate::overrides::{consumers, window};
use crate::scene::{NOON, Noon, Scene, assert_on_time, at, config, ours, release};

const BILLING: (&str, &str) = ("team", "billing");
const EXEMPT: (&str, &str) = ("recess.exempt", "true");

/// Half an hour of all consumers, in the first window's hour.
const SHORT: Noon = ("short", "ORDERS/*", "0 12 * * *", "30m");

/// The first window is for team billing only; consumers can be exempt.
fn labelled(windows: &[Noon]) -> String {
    let toml = config(windows);
    toml.replacen(
        "name = \"noon\"\n",
        "name = \"noon\"\nwhere = { team = \"billing\" }\n",
        1,
    ) + "[defaults]\nexempt = \"recess.exempt\"\n"
}

fn exempting(windows: &[Noon]) -> String {
    config(windows) + "[defaults]\nexempt = \"recess.exempt\"\n"
}

fn start(scene: &Scene, toml: &str) -> Recess {
    Recess::start(&scene.server, &scene.host, toml)
}

/// Billing and shipping, each of the team of its name, and a recess that knows labels.
fn teams(of: fn(&[&str]) -> Scene, toml: &str) -> (Scene, Recess) {
    let scene = of(&["ORDERS/billing", "ORDERS/shipping"]);
    scene.server.tag("ORDERS/billing", &[BILLING]);
    scene.server.tag("ORDERS/shipping", &[("team", "shipping")]);
    let recess = start(&scene, toml);
    (scene, recess)
}

/// The deadlines written to a consumer from now on until then.
async fn writes_until(scene: &Scene, path: &str, time: &str) -> Vec<Option<Timestamp>> {
    scene.forget();
    scene.until(time).await;
    scene.deadlines(path)
}

#[tokio::test(start_paused = true)]
async fn a_window_pauses_those_only_for_whom_its_conditions_hold() {
    let (scene, recess) = teams(Scene::standalone, &labelled(&[NOON]));
    scene.until("12:10:00").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    assert_eq!(scene.deadlines("ORDERS/shipping"), []);
    assert!(recess.find_row("ORDERS/shipping").is_none());
    // It starts to match: the resync sees it, as no advisory tells of it.
    scene.server.tag("ORDERS/shipping", &[BILLING]);
    scene.until("12:11:05").await;
    assert_eq!(scene.deadlines("ORDERS/shipping"), [ours("13:00:00")]);
}

#[tokio::test(start_paused = true)]
async fn lost_labels_do_not_open_the_gate() {
    for of in [Scene::standalone, Scene::cluster] {
        let (scene, recess) = teams(of, &labelled(&[NOON]));
        scene.until("12:10:00").await;
        scene.server.tag("ORDERS/billing", &[]);
        let writes = writes_until(&scene, "ORDERS/billing", "12:30:00").await;
        assert_eq!(writes, []);
        let row = recess.row("ORDERS/billing");
        assert_eq!(row.rule, Rule::LabelsLost);
        assert!(!row.is_orphan() && !row.contested);
        // So that no alert takes it for a pause that should have ended.
        assert_eq!(row.desired, Desired::Tail(at("13:00:00")));
        // Nothing of it is memory: a restart, a reload, a second copy and a new connection agree.
        drop(recess);
        let copies = [0, 1]
            .map(|number| Recess::start_as(number, &scene.server, &scene.host, &labelled(&[NOON])));
        scene.until("12:35:00").await;
        copies[0].reload(&labelled(&[NOON]));
        scene.server.disconnect();
        scene.until("12:40:00").await;
        scene.server.connect();
        let writes = writes_until(&scene, "ORDERS/billing", "12:59:59").await;
        assert_eq!(writes, []);
        assert!(scene.server.is_paused("ORDERS/billing"));
        for copy in &copies {
            assert_eq!(copy.row("ORDERS/billing").rule, Rule::LabelsLost);
        }
        // At its deadline the server resumes it, and the next opening does not mean it.
        scene.until("13:00:10").await;
        assert!(!scene.server.is_paused("ORDERS/billing"));
        // Those who were started in the window have seen its pause, though it is the window's no more.
        for copy in &copies {
            copy.story(|story| {
                assert_eq!((&*story.missed, &*story.unobserved), (&[][..], &[][..]))
            });
        }
        scene.until("+11:59:00").await;
        let writes = writes_until(&scene, "ORDERS/billing", "+12:30:00").await;
        assert_eq!(writes, []);
    }
}

#[tokio::test(start_paused = true)]
async fn lost_labels_do_not_end_a_pause_that_another_window_would_end_sooner() {
    let (scene, recess) = teams(Scene::standalone, &labelled(&[NOON, SHORT]));
    scene.until("12:10:00").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
    assert_eq!(scene.server.deadline("ORDERS/shipping"), ours("12:30:00"));
    scene.server.tag("ORDERS/billing", &[]);
    let writes = writes_until(&scene, "ORDERS/billing", "12:50:00").await;
    assert_eq!(writes, []);
    assert_eq!(recess.row("ORDERS/billing").rule, Rule::LabelsLost);
    assert!(!scene.server.is_paused("ORDERS/shipping"));
}

/// What lasts longer than the window that lost it would want is not that window's.
#[tokio::test(start_paused = true)]
async fn who_lost_its_labels_is_resumed_if_its_window_ends_sooner_now_or_it_is_exempt_too() {
    let toml = labelled(&[NOON]);
    for exempt in [false, true] {
        let (scene, recess) = teams(Scene::standalone, &toml);
        scene.until("12:10:00").await;
        match exempt {
            true => scene.server.tag("ORDERS/billing", &[EXEMPT]),
            false => {
                scene.server.tag("ORDERS/billing", &[]);
                scene.until("12:20:00").await;
                assert_eq!(recess.row("ORDERS/billing").rule, Rule::LabelsLost);
                let shorter = toml.replace("\"1h\"", "\"30m\"");
                assert_ne!(shorter, toml);
                recess.reload(&shorter);
            }
        }
        scene.until("12:31:00").await;
        assert!(
            !scene.server.is_paused("ORDERS/billing"),
            "exempt: {exempt}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_lost_its_labels_is_resumed_if_its_window_is_closed_or_gone() {
    let toml = labelled(&[NOON]) + "[overrides]\nbucket = \"recess\"\n";
    let closed = window(Verb::Close, "noon", "12:20:00", "13:00:00");
    let resumed = consumers(Verb::Resume, "ORDERS/billing", "12:20:00", "13:00:00");
    for (decided, deadline) in [
        (Some(closed), ours("12:20:03")),
        (Some(resumed), release("12:20:03")),
        (None, ours("12:20:03")),
    ] {
        let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail"]);
        scene.server.overrides(|bucket, _| bucket.create());
        scene.server.tag("ORDERS/billing", &[BILLING]);
        let recess = start(&scene, &toml);
        scene.until("12:10:00").await;
        scene.server.tag("ORDERS/billing", &[]);
        scene.until("12:20:00").await;
        scene.forget();
        assert_eq!(recess.row("ORDERS/billing").rule, Rule::LabelsLost);
        let what = format!("{decided:?}");
        match decided {
            Some(terms) => drop((scene.server).overrides(|bucket, now| bucket.make(terms, now))),
            None => recess.reload(&toml.replace("ORDERS/*", "EVENTS/*")),
        }
        scene.until("12:22:00").await;
        assert_eq!(scene.deadlines("ORDERS/billing"), [deadline], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_becomes_exempt_while_held_is_resumed_and_held_again_when_it_is_not() {
    for of in [Scene::standalone, Scene::cluster] {
        let scene = of(&["ORDERS/billing", "ORDERS/shipping"]);
        let recess = start(&scene, &exempting(&[NOON]));
        scene.until("12:10:00").await;
        assert!(scene.server.is_paused("ORDERS/billing"));
        scene.server.tag("ORDERS/billing", &[EXEMPT]);
        scene.until("12:12:00").await;
        assert!(!scene.server.is_paused("ORDERS/billing"));
        let writes = writes_until(&scene, "ORDERS/billing", "12:30:00").await;
        assert_eq!(writes.iter().flatten().count(), 0, "{writes:?}");
        recess.story(|story| {
            let last = story.last.as_ref().expect("a report");
            assert_eq!(last.windows[0].consumers, 1, "an exempt one is none");
        });
        // Its owner takes that back.
        scene
            .server
            .tag("ORDERS/billing", &[("recess.exempt", "false")]);
        scene.until("12:32:00").await;
        assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
        assert_eq!(scene.server.deadline("ORDERS/shipping"), ours("13:00:00"));
    }
}

#[tokio::test(start_paused = true)]
async fn who_became_exempt_while_recess_was_down_is_resumed_at_once() {
    // Also where the instance has no name, and so resumes no orphans.
    for named in [true, false] {
        let toml = match named {
            true => exempting(&[NOON]),
            false => exempting(&[NOON]).replacen("instance = \"prod-eu\"\n", "", 1),
        };
        let scene = Scene::standalone(&["ORDERS/billing"]);
        let recess = start(&scene, &toml);
        scene.until("12:10:00").await;
        drop(recess);
        scene.server.tag("ORDERS/billing", &[EXEMPT]);
        let recess = start(&scene, &toml);
        scene.until("12:10:05").await;
        assert!(!scene.server.is_paused("ORDERS/billing"));
        assert_eq!(recess.row("ORDERS/billing").rule, Rule::Lapsed);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_exempt_until_an_instant_is_paused_from_then_on() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let until = [("recess.exempt", "2026-06-01T14:30:00+02:00")];
    scene.server.tag("ORDERS/billing", &until);
    let _recess = start(&scene, &exempting(&[NOON]));
    scene.until("12:29:59").await;
    assert_eq!(scene.writes(), []);
    scene.until("12:31:00").await;
    let writes = scene.writes();
    let [(sent, _, deadline)] = &writes[..] else {
        panic!("{writes:?}");
    };
    assert_on_time(*sent, at("12:30:00"));
    assert_eq!(*deadline, ours("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn of_overrides_only_a_pause_of_its_exact_name_holds_an_exempt_consumer() {
    for (decided, held) in [
        (window(Verb::Open, "noon", "11:57:00", "12:30:00"), false),
        (
            consumers(Verb::Pause, "ORDERS/*", "11:57:00", "12:30:00"),
            false,
        ),
        (
            consumers(Verb::Pause, "ORDERS/billing", "11:57:00", "12:30:00"),
            true,
        ),
    ] {
        let toml = exempting(&[NOON]) + "[overrides]\nbucket = \"recess\"\n";
        let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
        scene.server.overrides(|bucket, _| bucket.create());
        scene.server.tag("ORDERS/billing", &[EXEMPT]);
        let _recess = start(&scene, &toml);
        scene.until("11:57:00").await;
        let what = format!("{decided:?}");
        (scene.server).overrides(|bucket, now| bucket.make(decided, now));
        scene.until("12:20:00").await;
        assert_eq!(scene.server.is_paused("ORDERS/billing"), held, "{what}");
        assert!(scene.server.is_paused("ORDERS/shipping"), "{what}");
        scene.until("12:31:00").await;
        assert!(!scene.server.is_paused("ORDERS/billing"), "{what}");
        assert!(scene.server.is_paused("ORDERS/shipping"), "{what}");
    }
}
