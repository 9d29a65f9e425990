//! `recess wait`: a script learns when consumers are quiet, from the server alone.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use async_nats::jetstream::AckKind;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::account::Tap;
use crate::support::config::{Config, Span};
use crate::support::nats_server::signal;
use crate::support::recess::{PROGRAM, Recess, secs, until};
use crate::support::world::World;

/// `recess wait` as a child that a test goes on beside.
struct Waiting {
    child: std::process::Child,
    _files: tempfile::TempDir,
}

impl Waiting {
    fn begin(config: &Config, arguments: &[&str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = config.write(files.path());
        let child = Command::new(PROGRAM)
            .arg("wait")
            .args(arguments)
            .arg("--config")
            .arg(path)
            .env_remove("RECESS_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            _files: files,
        }
    }

    fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Status, standard output and standard error.
    async fn end(self) -> (Option<i32>, String, String) {
        let Self { child, _files } = self;
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
        let Output {
            status,
            stdout,
            stderr,
        } = ended.await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(stdout), text(stderr));
        assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{out}{err}");
        (status.code(), out, err)
    }

    async fn json(self) -> (Option<i32>, Value, String) {
        let (exit, out, err) = self.end().await;
        (exit, serde_json::from_str(&out).expect(&err), err)
    }
}

async fn wait(config: &Config, arguments: &[&str]) -> (Option<i32>, String, String) {
    Waiting::begin(config, arguments).end().await
}

async fn world() -> World {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    world
}

/// Until it has asked so many times more: so often that it has seen everything since the last change.
async fn asks(tap: &Tap, more: usize) {
    let all = tap.all().len() + more;
    until("it asks", secs(20), async || {
        (tap.all().len() >= all).then_some(())
    })
    .await;
}

/// For an hour.
async fn pause(world: &World, name: &str) {
    let until = Timestamp::now() + 1.hour();
    world.account.pause(&format!("ORDERS/{name}"), until).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drained_comes_with_the_last_ack_and_not_before() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    world.account.publish("ORDERS", 30).await;
    let messages = world.account.take("ORDERS/billing", 20).await;
    let arguments = ["ORDERS/billing", "--for", "drained"];
    let tap = world.account.tap().await;
    let mut waiting = Waiting::begin(&world.config(), &arguments);
    asks(&tap, 3).await;
    assert!(!waiting.is_over(), "it is not even paused");
    pause(&world, "billing").await;
    let (last, others) = messages.split_last().unwrap();
    for message in others {
        tokio::time::sleep(Duration::from_millis(200)).await;
        message.ack().await.unwrap();
    }
    asks(&tap, 3).await;
    assert!(!waiting.is_over(), "one is still at work");
    last.ack().await.unwrap();
    let acked = Instant::now();
    let (exit, out, err) = waiting.end().await;
    // Its aim is a second; a busy machine is given another.
    assert!(acked.elapsed() < secs(2), "{:?}", acked.elapsed());
    assert_eq!((exit, &*err), (Some(0), ""));
    assert!(
        out.starts_with("ORDERS > billing is drained, until "),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_is_told_by_the_name_of_its_consumer_after_its_ack_wait() {
    let world = world().await;
    let three = json!({ "ack_wait": 3_000_000_000_i64 });
    for name in ["billing", "shipping", "audit"] {
        world
            .account
            .consumer_with(&format!("ORDERS/{name}"), three.clone())
            .await;
    }
    world.account.publish("ORDERS", 30).await;
    let lost = world.account.take("ORDERS/billing", 20).await;
    drop(lost);
    // That one says that it is at work, for longer than its ack_wait.
    let busy = world.account.take("ORDERS/shipping", 1).await;
    let taken = Instant::now();
    for name in ["billing", "shipping", "audit"] {
        pause(&world, name).await;
    }
    let everybody = Waiting::begin(
        &world.config(),
        &["ORDERS/*", "--for", "drained", "--format", "json"],
    );
    let lost = Waiting::begin(&world.config(), &["ORDERS/billing", "--for", "drained"]);
    for _ in 0..6 {
        busy[0].ack_with(AckKind::Progress).await.unwrap();
        tokio::time::sleep(secs(1)).await;
    }
    busy[0].ack().await.unwrap();
    let (exit, told, err) = everybody.json().await;
    assert_eq!(exit, Some(1), "{told}");
    assert_eq!(told["outcome"], "stalled");
    let states: Vec<_> = (told["consumers"].as_array().unwrap().iter())
        .map(|row| (&row["consumer"], &row["state"], &row["ack_pending"]))
        .collect();
    assert_eq!(
        json!(states),
        json!([
            ["audit", "reached", 0],
            ["billing", "stalled", 20],
            ["shipping", "reached", 0]
        ])
    );
    assert!(
        err.starts_with("error: stalled: ORDERS > billing: "),
        "{err}"
    );
    assert!(taken.elapsed() >= secs(6), "it waits for those at work");

    let (exit, out, err) = lost.end().await;
    assert_eq!(exit, Some(1));
    assert!(out.contains("ORDERS > billing  stalled  20"), "{out}");
    assert!(
        err.starts_with("error: stalled: ORDERS > billing: "),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_consumer_is_not_called_so_before_its_ack_wait_or_the_longest_of_its_backoff() {
    let world = world().await;
    let backoff = json!({ "max_deliver": 9, "backoff": [1_000_000_000_i64, 4_000_000_000_i64] });
    world.account.consumer_with("ORDERS/billing", backoff).await;
    world.account.publish("ORDERS", 1).await;
    drop(world.account.take("ORDERS/billing", 1).await);
    pause(&world, "billing").await;
    let arguments = ["ORDERS/billing", "--for", "drained", "--timeout", "2s"];
    let (exit, out, err) = wait(&world.config(), &arguments).await;
    assert_eq!(exit, Some(1));
    assert!(out.contains("draining"), "{out}");
    let words = "error: timed out after 2s: 0 of 1 consumers are drained\n";
    assert_eq!(err, words);
    let arguments = ["ORDERS/billing", "--for", "drained", "--timeout", "20s"];
    let (_, _, err) = wait(&world.config(), &arguments).await;
    assert!(err.starts_with("error: stalled"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_paused_and_is_no_more_is_waited_for_again() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    world.account.consumer("ORDERS/shipping").await;
    pause(&world, "billing").await;
    let arguments = ["ORDERS/*", "--for", "paused"];
    let tap = world.account.tap().await;
    let mut waiting = Waiting::begin(&world.config(), &arguments);
    asks(&tap, 3).await;
    world.account.resume("ORDERS/billing").await;
    pause(&world, "shipping").await;
    asks(&tap, 3).await;
    assert!(!waiting.is_over(), "they were never paused both");
    pause(&world, "billing").await;
    let (exit, out, _) = waiting.end().await;
    assert_eq!(exit, Some(0));
    assert!(out.starts_with("2 consumers are paused, until "), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ack_policy_none_it_cannot_be_known() {
    let world = world().await;
    let none = json!({ "ack_policy": "none" });
    world.account.consumer_with("ORDERS/billing", none).await;
    world.account.consumer("ORDERS/shipping").await;
    pause(&world, "billing").await;
    pause(&world, "shipping").await;
    let arguments = ["ORDERS/*", "--for", "drained", "--format", "json"];
    let (exit, told, err) = Waiting::begin(&world.config(), &arguments).json().await;
    assert_eq!(exit, Some(3), "{told}");
    assert_eq!(told["outcome"], "unknown");
    assert_eq!(told["consumers"][0]["state"], "unknown");
    assert_eq!(told["consumers"][1]["state"], "reached");
    let words = "unknown: ORDERS > billing has ack policy none, so the server does not count \
                 messages in flight\n";
    assert_eq!(err, words);
    // That it is paused can be known.
    let arguments = ["ORDERS/*", "--for", "paused"];
    let (exit, out, _) = wait(&world.config(), &arguments).await;
    assert_eq!(exit, Some(0));
    assert!(out.starts_with("2 consumers are paused, until "), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_comes_when_the_pause_ends_and_the_timeout_before_it() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    let ends = Timestamp::now() + 4.seconds();
    world.account.pause("ORDERS/billing", ends).await;
    let arguments = ["ORDERS/billing", "--for", "running", "--timeout", "1s"];
    let (exit, out, err) = wait(&world.config(), &arguments).await;
    assert_eq!(exit, Some(1));
    assert!(out.contains("ORDERS > billing  paused  0"), "{out}");
    assert!(err.starts_with("error: timed out after 1s: "), "{err}");
    let arguments = ["ORDERS/billing", "--for", "running"];
    let (exit, out, err) = wait(&world.config(), &arguments).await;
    assert_eq!((exit, &*err), (Some(0), ""));
    assert_eq!(out, "ORDERS > billing is running\n");
    assert!(Timestamp::now() >= ends);
    // The expiry is told by the server, and at once: no poll of up to five seconds is waited for.
    assert!(Timestamp::now() < ends + 3.seconds());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_waited_for_unless_it_opens_too_late() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    let span = Span::opening_in(4, 300);
    let config = world.config().window("night", &["ORDERS/*"], span);
    let arguments = |timeout| {
        let window = [
            "--window",
            "night",
            "--for",
            "drained",
            "--timeout",
            timeout,
        ];
        [&window[..], &["--format", "json"]].concat()
    };
    let late = Waiting::begin(&config, &arguments("1s"));
    let in_time = Waiting::begin(&config, &arguments("1m"));
    let (exit, told, err) = late.json().await;
    assert_eq!(exit, Some(1));
    assert_eq!(told["outcome"], "not-open");
    assert_eq!(told["opens"], span.opens.to_string());
    let opens = format!("window night is closed and opens next {}", span.opens);
    assert!(err.contains(&opens), "{err}");

    // Somebody has paused it for the moment: that is not the window.
    let moment = Timestamp::now() + 2.seconds();
    world.account.pause("ORDERS/billing", moment).await;
    let recess = Recess::start(&config).await;
    let (exit, told, err) = in_time.json().await;
    assert_eq!((exit, &*err), (Some(0), ""), "{told}");
    assert!(Timestamp::now() >= span.opens, "{told}");
    assert_eq!(told["outcome"], "reached");
    assert_eq!(told["window"], "night");
    assert_eq!(told["until"], span.closes.to_string());
    assert_eq!(told["closes"], span.closes.to_string());
    drop(recess);

    let (exit, _, err) = wait(&config, &["--window", "day", "--for", "paused"]).await;
    assert_eq!(exit, Some(2));
    assert!(err.contains("there is no window `day`"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_closes_while_it_is_waited_in_is_over() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    // Nobody pauses anything.
    let span = Span::open_for(2);
    let config = world.config().window("night", &["ORDERS/*"], span);
    let arguments = ["--window", "night", "--for", "paused", "--timeout", "1m"];
    let (exit, _, err) = wait(&config, &arguments).await;
    assert_eq!(exit, Some(1));
    assert!(
        err.contains("window night is closed and opens next"),
        "{err}"
    );
    assert!(Timestamp::now() < span.closes + 20.seconds());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_match_nothing_are_told_with_what_may_have_been_meant() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    for (selectors, complaint) in [
        (
            &["ORDERS/biling"][..],
            "no consumer matches ORDERS/biling: did you mean ORDERS/billing?",
        ),
        (
            &["ORDRES/billing"],
            "no consumer matches ORDRES/billing: there is no stream ORDRES; did you mean ORDERS/billing?",
        ),
        (
            &["ORDERS/*", "!ORDERS/bilings"],
            "no consumer matches !ORDERS/bilings: did you mean !ORDERS/billing?",
        ),
        (
            &["ORDERS/x*"],
            "no consumer matches ORDERS/x*: stream ORDERS has billing",
        ),
        (
            &["X*/*"],
            "no consumer matches X*/*: none of the 1 streams matches",
        ),
    ] {
        let arguments = [selectors, &["--for", "paused", "--timeout", "5s"]].concat();
        let (exit, out, err) = wait(&world.config(), &arguments).await;
        assert_eq!((exit, &*out), (Some(1), ""), "{err}");
        assert_eq!(err, format!("error: {complaint}\n"));
        let (exit, told, err) = Waiting::begin(
            &world.config(),
            &[&arguments[..], &["--format", "json"]].concat(),
        )
        .json()
        .await;
        assert_eq!(
            (exit, &told["outcome"]),
            (Some(1), &json!("unmatched")),
            "{err}"
        );
    }
    let (exit, _, err) = wait(&world.config(), &["ORDERS.billing", "--for", "paused"]).await;
    assert_eq!(exit, Some(2));
    assert!(err.contains("not of the form STREAM/CONSUMER"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_and_a_consumer_that_goes_are_lived_through() {
    let mut world = world().await;
    world.account.consumer("ORDERS/billing").await;
    world.account.consumer("ORDERS/shipping").await;
    let arguments = ["ORDERS/*", "--for", "paused"];
    let tap = world.account.tap().await;
    let mut waiting = Waiting::begin(&world.config(), &arguments);
    asks(&tap, 3).await;
    world.server.restart().unwrap();
    until("the application is back", secs(20), async || {
        world.account.client.flush().await.ok()?;
        let info = world.account.jetstream.get_stream("ORDERS").await;
        info.is_ok().then_some(())
    })
    .await;
    pause(&world, "billing").await;
    asks(&tap, 3).await;
    assert!(!waiting.is_over());
    world.account.delete("ORDERS/shipping").await;
    let (exit, out, err) = waiting.end().await;
    assert_eq!((exit, &*err), (Some(0), ""));
    assert!(
        out.starts_with("ORDERS > billing is paused, until "),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_waited_for_until_the_timeout() {
    let mut world = world().await;
    world.account.consumer("ORDERS/billing").await;
    let config = world.config();
    let down = format!(
        "no connection to NATS: {}: connection refused",
        world.server.url()
    );
    world.server.stop();
    let arguments = [
        "ORDERS/*",
        "--for",
        "running",
        "--timeout",
        "2s",
        "--format",
        "json",
    ];
    let began = Instant::now();
    let (exit, told, err) = Waiting::begin(&config, &arguments).json().await;
    assert!(began.elapsed() >= secs(2));
    assert_eq!((exit, &told["outcome"]), (Some(1), &json!("timed-out")));
    assert_eq!(told["error"], json!(down));
    assert_eq!(
        err,
        format!("note: {down}; retrying until the timeout\nerror: timed out after 2s: {down}\n")
    );

    let mut waiting = Waiting::begin(
        &config,
        &["ORDERS/*", "--for", "running", "--timeout", "1m"],
    );
    tokio::time::sleep(secs(1)).await;
    assert!(!waiting.is_over());
    world.server.restart().unwrap();
    let (exit, out, err) = waiting.end().await;
    assert_eq!(
        (exit, &*out),
        (Some(0), "ORDERS > billing is running\n"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_it_at_once_and_tells_how_far_it_was() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    world.account.consumer("ORDERS/shipping").await;
    pause(&world, "billing").await;
    let tap = world.account.tap().await;
    let waiting = Waiting::begin(&world.config(), &["ORDERS/*", "--for", "paused"]);
    asks(&tap, 3).await;
    signal(waiting.child.id(), "INT");
    let (exit, out, err) = waiting.end().await;
    assert_eq!(exit, Some(130));
    assert!(out.contains("ORDERS > shipping  running"), "{out}");
    assert_eq!(err, "interrupted: 1 of 2 consumers are paused\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn drained_is_not_said_while_a_worker_that_globs_leave_out_may_be_at_work() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    world.account.ephemeral("ORDERS/worker").await;
    world.account.publish("ORDERS", 1).await;
    let _at_work = world.account.take("ORDERS/worker", 1).await;
    pause(&world, "billing").await;
    let arguments = ["ORDERS/*", "--for", "drained", "--format", "json"];
    let (exit, told, err) = Waiting::begin(&world.config(), &arguments).json().await;
    assert_eq!(exit, Some(3), "{told}");
    assert_eq!(told["outcome"], "unknown");
    assert_eq!(told["consumers"].as_array().unwrap().len(), 1);
    let passed_over = json!([{ "stream": "ORDERS", "consumer": "worker" }]);
    assert_eq!(told["passed_over"], passed_over);
    assert_eq!(
        err,
        "note: stream ORDERS: wildcards leave out 1 consumer that is not durable (worker); to \
         include one, name it exactly: \"ORDERS/worker\"\nunknown: a wildcard leaves out consumers \
         that may have messages in flight; name them exactly, or exclude them with !\n"
    );
    // By name it is waited for; taken away it was meant.
    let named = [
        "ORDERS/*",
        "ORDERS/worker",
        "--for",
        "paused",
        "--timeout",
        "1s",
    ];
    let (exit, out, _) = wait(&world.config(), &named).await;
    assert_eq!(exit, Some(1));
    assert!(out.contains("ORDERS > worker  running"), "{out}");
    let meant = ["ORDERS/*", "!ORDERS/worker", "--for", "drained"];
    let (exit, _, err) = wait(&world.config(), &meant).await;
    assert_eq!((exit, &*err), (Some(0), ""));
    // Running is what a consumer that nobody pauses does.
    world.account.resume("ORDERS/billing").await;
    let (exit, _, err) = wait(&world.config(), &["ORDERS/*", "--for", "running"]).await;
    assert_eq!(exit, Some(0));
    assert!(err.starts_with("note: "), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_consumer_has_nothing_in_flight_and_holds_no_wait_up() {
    let world = world().await;
    world.account.consumer("ORDERS/billing").await;
    let config = json!({ "name": "watcher", "ack_policy": "none", "inactive_threshold": 300_000_000_000_i64 });
    let body = json!({ "stream_name": "ORDERS", "config": config });
    let subject = "$JS.API.CONSUMER.CREATE.ORDERS.watcher";
    world.account.request(subject, &body.to_string()).await;
    pause(&world, "billing").await;
    let (exit, out, err) = wait(&world.config(), &["ORDERS/*", "--for", "drained"]).await;
    assert_eq!(exit, Some(0), "{err}");
    assert!(out.starts_with("ORDERS > billing is drained"), "{out}");
    assert!(
        err.starts_with("note: stream ORDERS: wildcards leave out 1 consumer"),
        "{err}"
    );
}
