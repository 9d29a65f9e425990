//! Streams with limits, while their consumers are held: what is told, what is released, and that nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::status;
use crate::released::waited;
use crate::support::account::{Account, Look};
use crate::support::config::{Config, MARK, Span};
use crate::support::recess::{Recess, command, reach, secs, until};
use crate::support::world::World;

mod random;

const BILLING: &str = "ORDERS/billing";

/// What the mark of a deadline that keeps messages is more.
const RETENTION: i32 = 2_000_000;

/// Messages of that age go.
const MAX_AGE: i64 = 14;

/// The shortest margin that the file takes.
const MARGIN: i64 = 5;

fn seconds(count: i64) -> Value {
    json!(count * 1_000_000_000)
}

async fn world(stream: Value) -> World {
    let world = World::new().await;
    world.account.stream_with("ORDERS", stream).await;
    world.account.consumer(BILLING).await;
    world
}

fn config(world: &World, on_loss: &str) -> Config {
    world
        .config()
        .set(r#"controller.resync = "1s""#)
        .set(&format!("defaults.on_loss = {on_loss:?}"))
        .set(&format!("defaults.loss_margin = \"{MARGIN}s\""))
}

fn of(metric: &str, more: &str) -> String {
    format!(r#"{metric}{{{more}consumer_name="billing",stream_name="ORDERS"}}"#)
}

/// A message every 20 ms, and how many were stored.
fn produce(account: &Account) -> (tokio::task::JoinHandle<()>, Arc<AtomicUsize>) {
    let (account, stored) = (account.clone(), Arc::new(AtomicUsize::new(0)));
    let count = stored.clone();
    let producer = tokio::spawn(async move {
        loop {
            let answer = account.put("ORDERS.new", Default::default(), "x").await;
            if answer["error"].is_null() {
                count.fetch_add(1, Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    (producer, stored)
}

/// Paused, or released, by a deadline that keeps messages.
fn keeps_messages(look: Look) -> Option<Timestamp> {
    look.until
        .filter(|until| until.subsec_nanosecond() == MARK + RETENTION)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_recess_dies_right_after_the_opening() {
    let world = world(json!({ "max_age": seconds(MAX_AGE) })).await;
    let worker = world.account.work(BILLING).await;
    let (producer, stored) = produce(&world.account);
    let span = Span::opening_in(6, 60);
    let config = config(&world, "release").window("night", &["ORDERS/*"], span);
    let mut recess = Recess::start(&config).await;
    reach(span.opens).await;
    let until_at = until("it is paused", secs(3), async || {
        let look = world.account.look(BILLING).await;
        look.paused.then_some(look)
    });
    let held = until_at.await;
    recess.kill();
    let deadline = keeps_messages(held).expect("the first deadline is early");
    let limit = span.opens + MAX_AGE.seconds();
    assert!(
        deadline <= limit - MARGIN.seconds() + 1.second(),
        "{deadline}"
    );
    assert!(
        deadline >= limit - MARGIN.seconds() - 4.seconds(),
        "{deadline}"
    );

    reach(deadline + 4.seconds()).await;
    assert!(!world.account.look(BILLING).await.paused);
    producer.abort();
    until("the worker has had every message", secs(10), async || {
        (worker.count() == stored.load(Ordering::Relaxed)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_released_stays_released_until_the_next_opening() {
    let world = world(json!({ "max_age": seconds(MAX_AGE) })).await;
    let now = Span::open_for(32);
    let next = Span {
        opens: now.closes + 4.seconds(),
        closes: now.closes + 64.seconds(),
    };
    let config = config(&world, "release")
        .set("events.subject = \"recess.events\"")
        .window("now", &["ORDERS/*"], now)
        .window("next", &["ORDERS/*"], next);
    world.account.publish("ORDERS", 1).await;
    let came = Timestamp::now();
    let mut recess = Recess::start(&config).await;
    recess
        .until_log("ORDERS > billing: messages at risk: its stream drops the first that waits at ")
        .await;
    let released = of("consumer_released", "");
    let look = until("it is released", secs(20), async || {
        let look = world.account.look(BILLING).await;
        (!look.paused).then_some(look)
    })
    .await;
    recess.until_metric(&released, 1.0, secs(5)).await;
    let deadline = keeps_messages(look).expect("a deadline that keeps messages");
    let true_limit = came + MAX_AGE.seconds();
    assert!(deadline <= true_limit - MARGIN.seconds(), "{deadline}");
    assert!(
        deadline >= true_limit - MARGIN.seconds() - 3.seconds(),
        "{deadline}"
    );
    recess
        .until_log("ORDERS > billing: released before its stream drops messages, as of ")
        .await;
    world.account.drain(BILLING, 1).await;
    let (exit, answer, said) = waited(&config, "3s");
    assert_eq!((exit, &answer["outcome"]), (Some(1), &json!("released")));
    let runs = format!(
        "ORDERS > billing was released before its stream drops messages and runs until {:.0}; ",
        now.closes
    );
    assert!(said.contains(&runs), "{said}");

    recess.passes(3).await;
    assert_eq!(
        world.account.look(BILLING).await,
        Look {
            paused: false,
            ..look
        }
    );
    recess.kill();
    let recess = Recess::start(&config).await;
    recess.until_metric(&released, 1.0, secs(10)).await;
    recess.passes(2).await;
    assert!(Timestamp::now() < now.closes, "the machine is too slow");
    assert_eq!(
        world.account.look(BILLING).await,
        Look {
            paused: false,
            ..look
        }
    );

    reach(next.opens).await;
    recess
        .until_metric(&of("consumer_paused", ""), 1.0, secs(10))
        .await;
    recess.until_metric(&released, 0.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_tells_the_loss_and_releases_nothing() {
    let world = world(json!({ "max_age": seconds(MAX_AGE) })).await;
    let span = Span::open_for(40);
    let config = config(&world, "warn").window("night", &["ORDERS/*"], span);
    world.account.publish("ORDERS", 3).await;
    let came = Timestamp::now();
    let recess = Recess::start(&config).await;
    recess
        .until_log("ORDERS > billing: messages at risk: ")
        .await;
    let rows = status(&config);
    let row = &rows[0];
    let at: Timestamp = row["loss"]["at"].as_str().unwrap().parse().unwrap();
    let limit = came + MAX_AGE.seconds();
    assert!(
        at.duration_since(limit).abs() <= 2.seconds().try_into().unwrap(),
        "{row}"
    );
    assert_eq!(row["loss"]["cause"], "max_age");
    let loss = of("consumer_loss_timestamp_seconds", "cause=\"max_age\",");
    let told = recess.metric(&loss).await.expect("the metric");
    assert!((told - limit.as_second() as f64).abs() <= 2.0, "{told}");
    let lost = of("consumer_lost_messages_total", "");
    recess.until_metric(&lost, 3.0, secs(25)).await;
    recess.until_log("ORDERS > billing: messages lost: ").await;
    assert!(
        world
            .account
            .is_paused_until(BILLING, span.deadline())
            .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_that_a_full_stream_refuses_release_nothing() {
    let stream = json!({ "retention": "workqueue", "discard": "new", "max_msgs": 600 });
    let world = world(stream).await;
    let span = Span::open_for(60);
    let config = config(&world, "release").window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess
        .until_metric(&of("consumer_paused", ""), 1.0, secs(10))
        .await;
    let (producer, stored) = produce(&world.account);
    recess
        .until_log("ORDERS > billing: publishers at risk: its stream is full at about ")
        .await;
    let so_far = stored.load(Ordering::Relaxed);
    assert!(so_far < 600, "told before they are refused");
    until("publishers are refused", secs(30), async || {
        (stored.load(Ordering::Relaxed) >= 600).then_some(())
    })
    .await;
    recess.passes(3).await;
    assert!(
        world
            .account
            .is_paused_until(BILLING, span.deadline())
            .await
    );
    producer.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_marks_the_openings_that_lose_messages() {
    let world = world(json!({ "max_age": seconds(3_600) })).await;
    // Older than a moment by the time of the first opening, and not as old as the longest pause.
    world.account.publish("ORDERS", 3).await;
    let now = Timestamp::now();
    let span = |wait: i64, length: i64| Span::opening_in(wait, length);
    let (short, long) = (span(600, 1_200), span(7_200, 5_400));
    let config = config(&world, "release")
        .window("short", &["ORDERS/*"], short)
        .window("long", &["ORDERS/*"], long);
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let plan = |more: &[&str]| {
        let fixed = ["plan", "--config", path.to_str().unwrap(), "--live"];
        let until = (now + 12.hours()).to_string();
        let span = ["--until", &until];
        let output = command(&[&fixed[..], &span, more].concat());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let rows: Value = serde_json::from_str(&plan(&["--format", "json"])).unwrap();
    assert_eq!(rows[0]["window"], "short");
    assert_eq!(rows[0]["losses"], json!([]));
    assert_eq!(rows[1]["window"], "long");
    let loss = &rows[1]["losses"][0];
    assert_eq!(
        (&loss["consumer"], &loss["cause"]),
        (&json!("billing"), &json!("max_age"))
    );
    let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    // As far behind then as it is now: by a few seconds.
    let limit = long.opens + 1.hour();
    let early = limit.duration_since(time(&loss["at"])).as_secs();
    assert!((0..=20).contains(&early), "{rows:#}");
    let before = time(&loss["at"]).duration_since(time(&loss["released_at"]));
    assert_eq!(before.as_secs(), MARGIN);
    let text = plan(&[]);
    assert!(
        text.contains("long: ORDERS > billing loses messages from about "),
        "{text}"
    );
    assert!(!text.contains("short: ORDERS"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_streams_with_limits_cost_a_hundred_requests_a_minute_and_no_opening() {
    const STREAMS: usize = 100;
    let world = World::busy().await;
    let names = (0..STREAMS).map(|number| format!("S{number}"));
    let streams: Vec<String> = names.collect();
    for name in &streams {
        let limited = json!({ "max_age": seconds(86_400), "storage": "memory" });
        world.account.stream_with(name, limited).await;
        world.account.consumer(&format!("{name}/c")).await;
    }
    let tap = world.account.tap().await;
    let asked: Arc<std::sync::Mutex<Vec<Timestamp>>> = Arc::default();
    let mut questions = world.account.listen("$JS.API.STREAM.INFO.*").await;
    let noted = asked.clone();
    tokio::spawn(async move {
        while questions.next().await.is_some() {
            noted.lock().unwrap().push(Timestamp::now());
        }
    });
    let span = Span::opening_in(15, 120);
    let config =
        world
            .config()
            .set("defaults.on_loss = \"release\"")
            .window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    let began = Timestamp::now();
    reach(span.opens + 3.seconds()).await;
    let late = |request: &crate::support::account::Request| {
        request.at.duration_since(span.opens).as_millis()
    };
    let late: Vec<i128> = tap.writes().iter().map(late).collect();
    let worst = late.iter().max().expect("pauses");
    println!(
        "{} pauses, the last {worst} ms after the opening",
        late.len()
    );
    assert_eq!(late.len(), STREAMS);
    assert!(*worst < 1_000, "{late:?}");
    // Over a minute from the first answers on, and the reading after it.
    reach(began + 75.seconds()).await;
    let asked = asked.lock().unwrap().clone();
    let most = asked.iter().map(|from| {
        let minute = *from..*from + 1.minute();
        asked.iter().filter(|at| minute.contains(at)).count()
    });
    let most = most.max().expect("questions");
    println!(
        "{} STREAM.INFO in 75 s, at most {most} in a minute",
        asked.len()
    );
    assert!(most <= STREAMS, "{most}");
    assert!(asked.len() > STREAMS, "they are read again");
    drop(recess);
}
