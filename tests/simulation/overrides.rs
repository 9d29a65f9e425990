//! People decide at run time.

use jiff::Timestamp;
use recess::policy::{Selection, Selector, Target, Terms, Verb};

use crate::client::What;
use crate::daemon::Recess;
use crate::scene::{NOON, Noon, Scene, assert_on_time, at, config, milliseconds, ours, release};

const AT_TEN: Noon = ("noon", "ORDERS/*", "0 10 * * *", "3h");

fn with_bucket(windows: &[Noon]) -> String {
    config(windows) + "[overrides]\nbucket = \"recess\"\n"
}

pub fn window(verb: Verb, name: &str, from: &str, until: &str) -> Terms {
    terms(verb, Target::Window(name.into()), from, until)
}

pub fn consumers(verb: Verb, selector: &str, from: &str, until: &str) -> Terms {
    let selector = Selector::parse(selector).expect("a selector");
    terms(
        verb,
        Target::Consumers(Selection::new(vec![selector])),
        from,
        until,
    )
}

fn terms(verb: Verb, target: Target, from: &str, until: &str) -> Terms {
    Terms {
        effect: verb.effect(),
        target,
        from: at(from),
        until: at(until),
        verb,
        reason: Some("a test".into()),
        host: None,
    }
}

/// A server with a bucket, three consumers, and recess with a window at noon.
fn noon() -> (Scene, Recess) {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail"]);
    scene.server.overrides(|bucket, _| bucket.create());
    let recess = Recess::start(&scene.server, &scene.host, &with_bucket(&[NOON]));
    (scene, recess)
}

/// What was written since the record was cleared last: when, to which consumer, until when.
fn written(scene: &Scene) -> Vec<(Timestamp, String, Option<Timestamp>)> {
    let writes = scene.writes();
    scene.forget();
    writes
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_in_an_open_window_takes_effect_at_once_and_undoing_it_does_too() {
    for (decided, expected) in [
        (
            window(Verb::Close, "noon", "12:10:00", "13:00:00"),
            [ours("12:10:03"), ours("12:10:03")],
        ),
        (
            window(Verb::Extend, "noon", "13:00:00", "13:30:00"),
            [ours("13:30:00"), ours("13:30:00")],
        ),
        (
            consumers(Verb::Resume, "ORDERS/billing", "12:10:00", "13:00:00"),
            [release("12:10:03"), ours("13:00:00")],
        ),
        (
            consumers(Verb::Pause, "ORDERS/billing", "12:10:00", "14:00:00"),
            [ours("14:00:00"), ours("13:00:00")],
        ),
    ] {
        let (scene, _recess) = noon();
        scene.until("12:10:00").await;
        scene.forget();
        let what = format!("{decided:?}");
        let id = scene
            .server
            .overrides(|bucket, now| bucket.make(decided, now));
        scene.until("12:10:01").await;
        let writes = written(&scene);
        assert!(!writes.is_empty(), "{what}");
        for (sent, ..) in &writes {
            assert_on_time(*sent, at("12:10:00"));
        }
        let stored = ["ORDERS/billing", "ORDERS/shipping"].map(|path| scene.server.deadline(path));
        assert_eq!(stored, expected, "{what}");
        // Nothing takes it back by itself: not a resync, not a reconnect.
        scene.until("12:15:00").await;
        scene.server.disconnect();
        scene.until("12:16:00").await;
        scene.server.connect();
        scene.until("12:20:00").await;
        assert_eq!(written(&scene), [], "{what}");
        scene.server.overrides(|bucket, now| bucket.undo(&id, now));
        scene.until("12:20:10").await;
        let stored = ["ORDERS/billing", "ORDERS/shipping"].map(|path| scene.server.deadline(path));
        assert_eq!(stored, [ours("13:00:00"); 2], "{what}");
        scene.forget();
        scene.until("+11:00:00").await;
        assert_eq!(written(&scene), [], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_for_later_counts_when_its_time_comes_and_the_next_opening_is_as_ever() {
    let hour = [("12:00:00", "13:00:00")];
    for (decided, expected) in [
        (window(Verb::Skip, "noon", "12:00:00", "13:00:00"), vec![]),
        (
            window(Verb::Skip, "noon", "12:00:00", "12:20:00"),
            vec![("12:20:00", "13:00:00")],
        ),
        (
            window(Verb::Open, "noon", "11:57:00", "12:10:00"),
            vec![("11:57:00", "13:00:00")],
        ),
        (
            window(Verb::Open, "noon", "11:57:00", "11:58:00"),
            vec![("11:57:00", "11:58:00"), hour[0]],
        ),
        (
            window(Verb::Open, "gone", "11:57:00", "12:10:00"),
            hour.to_vec(),
        ),
        (
            consumers(Verb::Resume, "ORDERS/billing", "11:57:00", "12:30:00"),
            vec![("12:30:00", "13:00:00")],
        ),
        (
            consumers(Verb::Pause, "*/billing", "12:30:00", "14:00:00"),
            vec![("12:00:00", "14:00:00")],
        ),
    ] {
        let (scene, _recess) = noon();
        scene.until("11:56:00").await;
        let what = format!("{decided:?}");
        scene
            .server
            .overrides(|bucket, now| bucket.make(decided, now));
        scene.until("15:00:00").await;
        let to_billing =
            |(_, path, _): &(Timestamp, String, Option<Timestamp>)| path == "ORDERS/billing";
        let writes: Vec<_> = written(&scene).into_iter().filter(to_billing).collect();
        assert_eq!(writes.len(), expected.len(), "{what}: {writes:?}");
        for ((sent, _, until), (from, closes)) in writes.iter().zip(expected) {
            assert_on_time(*sent, at(from));
            assert_eq!(*until, ours(closes), "{what}");
        }
        scene.until("+12:00:01").await;
        assert_eq!(
            scene.server.deadline("ORDERS/billing"),
            ours("+13:00:00"),
            "{what}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_no_window_names_is_paused_by_an_override_and_kept_in_sight_until_its_end()
{
    for glob in ["EVENTS/mail", "EVENTS/*"] {
        for undone in [true, false] {
            let (scene, recess) = noon();
            scene.until("11:56:00").await;
            assert!(recess.find_row("EVENTS/mail").is_none());
            let pause = consumers(Verb::Pause, glob, "11:56:00", "12:30:00");
            let id = scene
                .server
                .overrides(|bucket, now| bucket.make(pause, now));
            scene.until("11:56:01").await;
            assert_eq!(scene.server.deadline("EVENTS/mail"), ours("12:30:00"));
            // Taken back, with a word or without one.
            scene.until("12:10:00").await;
            scene.server.overrides(|bucket, now| match undone {
                true => bucket.undo(&id, now),
                false => bucket.purge(&id),
            });
            scene.until("12:10:04").await;
            assert!(!scene.server.is_paused("EVENTS/mail"));
            assert_eq!(scene.server.consumer("EVENTS/mail").left_asleep_by, None);
            // Once it would have ended there is no reason to look any more.
            scene.until("12:32:00").await;
            assert!(recess.find_row("EVENTS/mail").is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_bucket_is_read_nothing_happens_for_ten_seconds_and_then_nothing_is_ended() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail"]);
    // A pause of ours that nothing wants.
    scene
        .server
        .somebody_writes("EVENTS/mail", ours("15:00:00"));
    scene.server.overrides(|bucket, _| {
        bucket.create();
        bucket.is_silent = true;
    });
    let mail: Noon = ("mail", "EVENTS/mail", "0 20 * * *", "1h");
    let windows = with_bucket(&[AT_TEN, mail]);
    let _recess = Recess::start(&scene.server, &scene.host, &windows);
    scene.until("11:55:09.5").await;
    assert_eq!(written(&scene), []);
    scene.until("11:59:00").await;
    let writes = written(&scene);
    assert_eq!(writes.len(), 2, "{writes:?}");
    for (sent, path, until) in writes {
        assert!(sent >= at("11:55:10") && sent < at("11:55:16"), "{sent}");
        assert!(path.starts_with("ORDERS/"));
        assert_eq!(until, ours("13:00:00"));
    }
    scene.server.overrides(|bucket, _| bucket.is_silent = false);
    scene.until("11:59:10").await;
    assert!(!scene.server.is_paused("EVENTS/mail"));
}

#[tokio::test(start_paused = true)]
async fn without_the_bucket_the_file_alone_counts_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = Recess::start(&scene.server, &scene.host, &with_bucket(&[AT_TEN]));
    scene.until("11:55:01").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_counts_while_the_bucket_is_silent_and_no_longer_when_it_is_gone() {
    let (scene, _recess) = noon();
    scene.until("12:10:00").await;
    let close = window(Verb::Close, "noon", "12:10:00", "13:00:00");
    scene
        .server
        .overrides(|bucket, now| bucket.make(close, now));
    scene.until("12:11:00").await;
    scene.server.overrides(|bucket, _| bucket.is_silent = true);
    scene.forget();
    scene.until("12:30:00").await;
    assert_eq!(written(&scene), []);
    scene.server.overrides(|bucket, _| bucket.delete());
    scene.until("12:30:10").await;
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
    // A new one begins to count at 1.
    scene.server.overrides(|bucket, now| {
        bucket.create();
        bucket.make(window(Verb::Close, "noon", "12:31:00", "13:00:00"), now)
    });
    scene.until("12:31:04").await;
    assert!(!scene.server.is_paused("ORDERS/billing"));
}

#[tokio::test(start_paused = true)]
async fn a_set_that_is_older_than_the_last_one_is_not_taken() {
    let (scene, _recess) = noon();
    scene.until("12:05:00").await;
    let before = scene.server.state().bucket.newest();
    scene.until("12:10:00").await;
    let close = window(Verb::Close, "noon", "12:10:00", "13:00:00");
    scene
        .server
        .overrides(|bucket, now| bucket.make(close, now));
    scene.until("12:10:05").await;
    scene.forget();
    scene
        .server
        .overrides(|bucket, _| bucket.stale = Some(before));
    scene.until("12:59:00").await;
    assert_eq!(written(&scene), []);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_not_ended_before_the_bucket_was_asked_again() {
    let (scene, recess) = noon();
    scene.until("12:10:00").await;
    // Nobody hears of it.
    let pause = consumers(Verb::Pause, "ORDERS/billing", "12:10:00", "13:00:00");
    scene.server.state().bucket.make(pause, at("12:10:00"));
    scene.forget();
    recess.reload(&with_bucket(&[("noon", "ORDERS/*", "0 12 * * *", "30m")]));
    scene.until("12:10:05").await;
    let writes = written(&scene);
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(
        (writes[0].1.as_str(), writes[0].2),
        ("ORDERS/shipping", ours("12:30:00"))
    );
}

#[tokio::test(start_paused = true)]
async fn hints_by_the_hundred_delay_no_opening_and_cost_few_reads() {
    let (scene, _recess) = noon();
    scene.until("11:59:55").await;
    scene.forget();
    for number in 0..5_000 {
        scene.server.overrides(|bucket, now| {
            if number % 50 == 0 {
                let mail = consumers(Verb::Pause, "EVENTS/other", "20:00:00", "21:00:00");
                bucket.make(mail, now);
            }
        });
        scene.world.pass(milliseconds(2)).await;
    }
    let reads = scene
        .requests()
        .iter()
        .filter(|request| request.what == What::Overrides)
        .count();
    assert!((50..=220).contains(&reads), "{reads} reads in 10 s");
    let writes = written(&scene);
    assert_eq!(writes.len(), 2, "{writes:?}");
    for (sent, _, until) in writes {
        assert!(
            sent.duration_since(at("12:00:00")) <= milliseconds(20),
            "{sent}"
        );
        assert_eq!(until, ours("13:00:00"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_command_does_itself_is_not_taken_back_where_no_hint_was_heard() {
    let (scene, _recess) = noon();
    scene.until("12:10:00").await;
    let close = window(Verb::Close, "noon", "12:10:00", "13:00:00");
    (scene.server.state().bucket).make(close, at("12:10:00"));
    scene.until("12:10:01").await;
    scene.forget();
    for path in ["ORDERS/billing", "ORDERS/shipping"] {
        scene.server.somebody_writes(path, ours("12:10:03"));
    }
    scene.until("12:59:00").await;
    assert_eq!(written(&scene), []);
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_before_a_reconnect_is_not_sent_after_it_though_the_bucket_was_read_in_between()
 {
    let (scene, _recess) = noon();
    scene.until("12:10:00").await;
    scene.server.state().weather.latency = 300..301;
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.forget();
    // It is observed until 0.6 s, and the bucket is asked until 1.2 s.
    scene.until("12:10:00.9").await;
    let asked = |what: &What| matches!(what, What::Overrides);
    assert!(scene.requests().iter().any(|one| asked(&one.what)));
    scene.server.disconnect();
    scene.server.connect();
    scene.forget();
    scene.until("12:10:10").await;
    let requests = scene.requests();
    let observed = |what: &What| matches!(what, What::List(_) | What::Info(_));
    let first = |is: &dyn Fn(&What) -> bool| requests.iter().position(|one| is(&one.what));
    let paused = first(&|what| matches!(what, What::Pause(..)));
    assert!(paused.is_some(), "{requests:?}");
    assert!(first(&observed) < paused, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_override_asks_about_nobody_that_no_window_selects() {
    let exactly: Noon = ("noon", "ORDERS/billing", "0 12 * * *", "1h");
    for (noon, resumed, asked) in [
        (NOON, "*/billing", "List(\"ORDERS\")"),
        (NOON, "ORDERS/b*", "List(\"ORDERS\")"),
        (
            NOON,
            "ORDERS/billing",
            "Info(ConsumerId(\"ORDERS/billing\"))",
        ),
        (NOON, "EVENTS/mail", ""),
        (NOON, "*/mail", "List(\"ORDERS\")"),
        (exactly, "*/billing", "Info(ConsumerId(\"ORDERS/billing\"))"),
        (exactly, "ORDERS/*", "Info(ConsumerId(\"ORDERS/billing\"))"),
        (exactly, "*/mail", ""),
    ] {
        let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail"]);
        scene.server.overrides(|bucket, _| bucket.create());
        let _recess = Recess::start(&scene.server, &scene.host, &with_bucket(&[noon]));
        scene.until("12:10:00").await;
        let decided = consumers(Verb::Resume, resumed, "12:10:00", "12:20:30");
        scene
            .server
            .overrides(|bucket, now| bucket.make(decided, now));
        let questions = || {
            let requests = scene.requests().into_iter();
            let questions = requests.filter(|request| request.what.written().is_none());
            let others = questions.filter(|request| request.what != What::Overrides);
            others
                .map(|request| format!("{:?}", request.what))
                .collect::<Vec<_>>()
        };
        scene.until("12:20:27").await;
        scene.forget();
        scene.until("12:20:29").await;
        assert_eq!(questions().concat(), asked, "{resumed} beside {}", noon.1);
        scene.until("12:20:33").await;
        for question in questions() {
            assert!(question.contains("ORDERS"), "{resumed}: {question}");
        }
        assert!(scene.server.is_paused("ORDERS/billing"), "{resumed}");
    }
}
