//! `recess resume` in an open window: the consumer stays released until the window has closed, whatever happens meanwhile.

use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cli::{ask, status};
use crate::hands::{pick, told};
use crate::support::account::Account;
use crate::support::config::{Config, MARK, Span};
use crate::support::nats_server::Cluster;
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";

/// What a release adds to the mark.
const RELEASE: i32 = 1_000_000;

/// A window that is open, and another that opens some seconds after it.
fn windows(servers: Vec<String>, consumers: &[&str], rest: i64) -> (Config, Span, Span) {
    let now = Span::open_for(rest);
    let opens = now.closes + 4.seconds();
    let next = Span {
        opens,
        closes: opens + 20.seconds(),
    };
    let config = Config::new(servers)
        .set(r#"controller.resync = "1s""#)
        .window("now", consumers, now)
        .window("next", consumers, next);
    (config, now, next)
}

fn of(metric: &str, path: &str) -> String {
    let (stream, consumer) = path.split_once('/').unwrap();
    format!(r#"{metric}{{consumer_name="{consumer}",stream_name="{stream}"}}"#)
}

async fn is_released(account: &Account, path: &str) -> bool {
    let look = account.look(path).await;
    let mark = look.until.map(|until| until.subsec_nanosecond());
    !look.paused && mark == Some(MARK + RELEASE)
}

async fn until_paused(account: &Account, path: &str, span: Span) {
    until(
        "it is paused until its window's end",
        secs(10),
        async || {
            let paused = account.is_paused_until(path, span.deadline());
            paused.await.then_some(())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_outlasts_passes_restarts_and_an_applications_update_and_ends_with_its_window() {
    let mut world = World::with(&[BILLING, SHIPPING]).await;
    let (config, now, next) = windows(vec![world.server.url()], &["ORDERS/*"], 40);
    let mut recess = Recess::start(&config).await;
    for path in [BILLING, SHIPPING] {
        recess
            .until_metric(&of("consumer_paused", path), 1.0, secs(10))
            .await;
    }
    let mut pull = world.account.pull(BILLING).await;
    world.account.publish("ORDERS", 1).await;

    let (exit, rows, err) = told(&config, &["resume", BILLING]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    let row = pick(&rows, &["consumer", "result", "was_until"]);
    let was_until = now.closes.to_string();
    assert_eq!(row, json!([["billing", "resumed", was_until]]));
    assert_eq!(rows[0]["next_pause"]["window"], "next", "{rows}");
    assert_eq!(rows[0]["next_pause"]["from"], next.opens.to_string());
    let message = tokio::time::timeout(secs(2), pull.next()).await;
    assert!(message.unwrap().unwrap().status.is_none(), "it delivers");
    assert!(is_released(&world.account, BILLING).await);

    let tap = world.account.tap().await;
    let released = of("consumer_released", BILLING);
    recess.until_metric(&released, 1.0, secs(5)).await;
    recess
        .until_log("ORDERS > billing: released by `recess resume` as of ")
        .await;
    recess.passes(3).await;
    // A second resume has nothing to do.
    let (exit, out, err) = ask(&config, &["resume", BILLING]);
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    assert!(out.contains("ORDERS > billing  running"), "{out}");
    assert!(
        out.contains("Released from open windows, until these close: 1."),
        "{out}"
    );

    recess.kill();
    let recess = Recess::start(&config).await;
    recess.until_metric(&released, 1.0, secs(10)).await;
    recess.passes(2).await;
    let newer = json!({ "description": "version 2" });
    world.account.consumer_with(BILLING, newer).await;
    recess.passes(2).await;
    assert!(is_released(&world.account, BILLING).await);
    world.server.restart().unwrap();
    recess.until_log("disconnected: ").await;
    recess.until_metric("nats_connected", 1.0, secs(15)).await;
    recess.passes(3).await;
    assert!(
        Timestamp::now() < now.closes,
        "a slow machine: nothing was shown"
    );

    let rows = status(&config);
    let of_billing = pick(&rows, &["consumer", "verdict", "rule", "owner"]);
    let expected = json!(["billing", "settled", "released", "recess"]);
    assert_eq!(of_billing[0], expected, "{rows}");
    let (_, out, _) = ask(&config, &["status"]);
    let counts = "1 of 2 consumers paused; 1 released until its window has closed";
    assert!(out.contains(counts), "{out}");
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert!(is_released(&world.account, BILLING).await);
    assert!(
        world
            .account
            .is_paused_until(SHIPPING, now.deadline())
            .await
    );

    reach(next.opens).await;
    until_paused(&world.account, BILLING, next).await;
    until_paused(&world.account, SHIPPING, next).await;
    recess.until_metric(&released, 0.0, secs(5)).await;
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert_eq!(recess.total("windows_missed_total").await, 0.0);
    assert_eq!(recess.total("consumer_contested").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_three_nodes_a_release_outlasts_its_leader() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ONE", 1).await;
    account.memory_stream("THREE", 3).await;
    let paths = ["ONE/billing", "THREE/billing"];
    for path in paths {
        account.consumer(path).await;
    }
    let (config, now, next) = windows(cluster.urls(), &["*/*"], 40);
    let recess = Recess::start(&config).await;
    for path in paths {
        until_paused(&account, path, now).await;
    }
    let (exit, rows, err) = told(&config, &["resume", "*/*"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    assert_eq!(pick(&rows, &["result"]), json!([["resumed"], ["resumed"]]));
    let tap = account.tap().await;
    recess.passes(3).await;
    let stepdown = "$JS.API.CONSUMER.LEADER.STEPDOWN.THREE.billing";
    let before = account.leader("THREE/billing").await;
    account.request(stepdown, "").await;
    until("another node leads it", secs(10), async || {
        let leader = account.leader("THREE/billing").await;
        (leader.is_some() && leader != before).then_some(())
    })
    .await;
    recess.passes(3).await;
    assert!(
        Timestamp::now() < now.closes,
        "a slow machine: nothing was shown"
    );
    for path in paths {
        assert!(is_released(&account, path).await, "{path}");
        let released = of("consumer_released", path);
        recess.until_metric(&released, 1.0, secs(5)).await;
    }
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    reach(next.opens).await;
    for path in paths {
        until_paused(&account, path, next).await;
    }
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_without_a_daemon_binds_the_one_that_is_started_after_it() {
    let world = World::with(&[BILLING, SHIPPING]).await;
    let (config, now, _) = windows(vec![world.server.url()], &["ORDERS/*"], 60);
    // One is paused by another client, the other runs: both would be paused until the close.
    let theirs = now.closes + 600.seconds();
    world.account.pause(SHIPPING, theirs).await;
    let (exit, rows, err) = told(&config, &["resume", "ORDERS/*", "--dry-run"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    let would = json!([["would-resume"], ["would-resume"]]);
    assert_eq!(pick(&rows, &["result"]), would);
    let (exit, rows, err) = told(&config, &["resume", "ORDERS/*"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    assert_eq!(pick(&rows, &["result"]), json!([["resumed"], ["resumed"]]));
    let tap = world.account.tap().await;
    let recess = Recess::start(&config).await;
    for path in [BILLING, SHIPPING] {
        let released = of("consumer_released", path);
        recess.until_metric(&released, 1.0, secs(10)).await;
    }
    recess.passes(2).await;
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());

    // Whoever pauses it again ends the release: what lasts for less than the window is extended.
    let (exit, out, err) = ask(&config, &["pause", BILLING, "--for", "8s"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    until_paused(&world.account, BILLING, now).await;
    // And so does a resume without the mark.
    world.account.resume(SHIPPING).await;
    until_paused(&world.account, SHIPPING, now).await;
    // Neither was a repair: nothing of recess's was in place.
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert!(
        Timestamp::now() < now.closes,
        "a slow machine: nothing was shown"
    );
}

/// `recess wait --for paused`, in time for a person to read it.
pub fn waited(config: &Config, timeout: &str) -> (Option<i32>, Value, String) {
    let began = Instant::now();
    let answer = told(
        config,
        &["wait", BILLING, "--for", "paused", "--timeout", timeout],
    );
    let took = began.elapsed();
    assert!(took < secs(20), "{took:?}: {answer:?}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_pause_ends_at_once_where_the_consumer_stays_released() {
    let world = World::with(&[BILLING]).await;
    let (config, now, next) = windows(vec![world.server.url()], &["ORDERS/*"], 18);
    let until = now.closes;
    let (exit, rows, err) = told(&config, &["resume", BILLING]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    let (exit, answer, err) = waited(&config, "8s");
    assert_eq!((exit, &answer["outcome"]), (Some(1), &json!("released")));
    assert_eq!(
        err,
        format!(
            "error: ORDERS > billing was released by `recess resume` and runs until {until}; \
             to pause it again: recess pause ORDERS/billing --until {until}\n"
        )
    );
    // The next window opens in time. Of that one nobody has released it.
    let recess = Recess::start(&config).await;
    let (exit, out, err) = ask(
        &config,
        &["wait", BILLING, "--for", "paused", "--timeout", "2m"],
    );
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    assert!(Timestamp::now() >= next.opens);
    drop(recess);

    // Where there is a bucket, an override says so, and can be undone.
    let span = Span::open_for(600);
    let config = world
        .config()
        .set(r#"overrides.bucket = "recess""#)
        .set(r#"overrides.reason = "optional""#)
        .window("night", &["ORDERS/*"], span);
    let (exit, out, _) = ask(&config, &["overrides", "create"]);
    assert_eq!(exit, Some(0), "{out}");
    let (exit, rows, err) = told(&config, &["resume", BILLING, "--author", "alice"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{rows}");
    let (exit, answer, err) = waited(&config, "2m");
    assert_eq!((exit, &answer["outcome"]), (Some(1), &json!("released")));
    let id = rows[0]["override"].as_str().unwrap();
    let fix = format!(
        "runs until {}; to pause it again: recess undo {id}\n",
        span.closes
    );
    assert!(err.ends_with(&fix), "{err}");
    let (exit, out, err) = ask(
        &config,
        &["undo", id, "--author", "alice", "--reason", "tests"],
    );
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    let (exit, answer, err) = waited(&config, "2m");
    assert_eq!((exit, &*err), (Some(0), ""), "{answer}");
}
