//! A window from its opening to its close, and what of it needs a recess that lives.

use std::path::PathBuf;

use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};

use crate::support::account::{Account, next_of};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server, binary, binary_of_version};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const PAUSED: [&str; 3] = ["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail"];
const CONSUMERS: [&str; 5] = [
    "ORDERS/billing",
    "ORDERS/shipping",
    "ORDERS/audit",
    "EVENTS/mail",
    "EVENTS/search",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_window_holds_its_consumers_from_its_opening_to_its_close() {
    whole_window(binary().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_safe_server_holds_them_just_so() {
    whole_window(binary_of_version("2.12.8").unwrap()).await;
}

async fn whole_window(binary: PathBuf) {
    let server = start(Some(binary));
    let account = Account::connect(&server.url()).await;
    account.durables(&CONSUMERS).await;
    account.ephemeral("ORDERS/viewer").await;
    let span = Span::opening_in(4, 9);
    let config = Config::new([server.url()]).window(
        "night",
        &["ORDERS/*", "!ORDERS/audit", "EVENTS/mail"],
        span,
    );
    let mut recess = Recess::start(&config).await;
    let tap = account.tap().await;

    let held = account.work("ORDERS/billing").await;
    let free = account.work("ORDERS/audit").await;
    let producer = tokio::spawn(produce(account.clone()));
    reach(span.opens - 200.milliseconds()).await;
    let mut waiting = account.pull("EVENTS/mail").await;

    until("all are paused", secs(5), async || {
        let looks = PAUSED.map(|path| account.is_paused_until(path, span.deadline()));
        futures_util::future::join_all(looks)
            .await
            .into_iter()
            .all(|is| is)
            .then_some(())
    })
    .await;
    let paused_at = Timestamp::now();
    let pauses = tap.writes();
    assert_eq!(pauses.len(), PAUSED.len(), "{pauses:#?}");
    for pause in &pauses {
        assert!(pause.subject.starts_with("$JS.API.CONSUMER.PAUSE."));
        assert!(pause.at >= span.opens, "before the opening: {pause:?}");
        assert!(pause.at < span.opens + 1.second(), "late: {pause:?}");
        assert_eq!(
            pause.body,
            format!(r#"{{"pause_until":"{}"}}"#, span.deadline())
        );
    }
    for path in ["ORDERS/audit", "EVENTS/search", "ORDERS/viewer"] {
        assert_eq!(account.look(path).await.until, None, "{path}");
    }
    account.publish("EVENTS", 1).await;

    let message = next_of(&mut waiting).await;
    let resumed_at = Timestamp::now();
    assert_eq!(message.status, None, "a message, not the pull's end");
    assert!(resumed_at >= span.closes, "delivered while paused");
    assert!(
        resumed_at < span.closes + 2.seconds(),
        "{resumed_at} is late"
    );
    // What was on its way when the pause was set may still have come.
    let quiet = paused_at + 100.milliseconds();
    assert_eq!(held.between(quiet, span.closes), 0);
    assert!(free.between(quiet, span.closes) > 50);
    producer.abort();
    until("the backlog is drained", secs(10), async || {
        (held.count() == free.count()).then_some(())
    })
    .await;
    recess.until_log("resumed by the server (").await;
    assert_eq!(tap.writes().len(), PAUSED.len(), "{:#?}", tap.writes());
    assert_eq!(recess.complaints(), [""; 0]);
    assert!(recess.terminate(secs(2)).await.unwrap().success());
}

/// Two streams, about fifty messages a second each.
async fn produce(account: Account) {
    loop {
        account.publish("ORDERS", 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_glob_leaves_sourcing_and_ephemeral_consumers_alone_and_a_name_pauses_them() {
    let server = start(None);
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    for stream in ["A", "B"] {
        account.stream(stream).await;
        account.ephemeral(&format!("{stream}/viewer")).await;
    }
    account.sourcing("ORDERS/copy").await;
    let span = Span::open_for(60);
    let globs = Config::new([server.url()]).window("globs", &["*/*", "A/viewer"], span);
    let recess = Recess::start(&globs).await;
    recess.until_ready().await;
    let paused = async |path| account.is_paused_until(path, span.deadline()).await;
    until("the durable one is paused", secs(5), async || {
        (paused("ORDERS/billing").await && paused("A/viewer").await).then_some(())
    })
    .await;
    assert_eq!(account.look("B/viewer").await.until, None);
    assert_eq!(account.look("ORDERS/copy").await.until, None);

    let named = ["ORDERS/billing", "A/viewer", "ORDERS/copy"];
    recess.reload(&Config::new([server.url()]).window("named", &named, span));
    until("the sourcing one is paused", secs(5), async || {
        paused("ORDERS/copy").await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_of_a_killed_recess_resume_on_time() {
    let server = start(None);
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let span = Span::open_for(8);
    let mut recess = Recess::start(&one_window(&server, span)).await;
    until_paused(&account, span).await;
    recess.kill();

    let mut waiting = account.pull("ORDERS/billing").await;
    account.publish("ORDERS", 1).await;
    let message = next_of(&mut waiting).await;
    let resumed_at = Timestamp::now();
    assert_eq!(message.status, None, "a message, not the pull's end");
    assert!(resumed_at >= span.closes, "delivered while paused");
    assert!(
        resumed_at < span.closes + 2.seconds(),
        "{resumed_at} is late"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_within_a_window_pauses_nobody_again() {
    let server = start(None);
    let account = Account::connect(&server.url()).await;
    account
        .durables(&["ORDERS/billing", "ORDERS/shipping"])
        .await;
    let span = Span::open_for(60);
    let mut recess = Recess::start(&one_window(&server, span)).await;
    until_paused(&account, span).await;
    recess.kill();

    let tap = account.tap().await;
    let mut recess = Recess::start(&one_window(&server, span)).await;
    recess.until_ready().await;
    let series = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(series, 1.0, secs(5)).await;
    // Two resyncs more would show one that thinks again.
    recess.signal("HUP");
    recess.until_log("config reloaded from").await;
    tokio::time::sleep(secs(1)).await;
    assert!(!tap.all().is_empty(), "the tap hears recess ask");
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert!(recess.terminate(secs(2)).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_recess_at_once_and_leaves_pauses_as_they_are() {
    let server = start(None);
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let span = Span::open_for(60);
    let mut recess = Recess::start(&one_window(&server, span)).await;
    until_paused(&account, span).await;
    let tap = account.tap().await;
    let status = recess.terminate(secs(2)).await;
    assert_eq!(status.expect("ended within 2 s").code(), Some(0));
    assert!(
        account
            .is_paused_until("ORDERS/billing", span.deadline())
            .await
    );
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_several_pages_is_paused_whole_and_each_consumer_once() {
    const CONSUMERS: usize = 600;
    let World { server, account } = World::busy().await;
    account.memory_stream("ORDERS", 1).await;
    let paths: Vec<String> = (0..CONSUMERS).map(|n| format!("ORDERS/c{n}")).collect();
    futures_util::stream::iter(&paths)
        .for_each_concurrent(16, |path| account.consumer(path))
        .await;
    let tap = account.tap().await;
    let recess = Recess::start(&one_window(&server, Span::open_for(60))).await;
    until("all are paused", secs(20), async || {
        (recess.total("consumer_paused").await == CONSUMERS as f64).then_some(())
    })
    .await;
    tokio::time::sleep(secs(2)).await;
    assert_eq!(tap.writes().len(), CONSUMERS);
    assert_eq!(recess.complaints(), [""; 0]);
}

fn start(binary: Option<PathBuf>) -> Server {
    let options = Options {
        binary,
        ..Default::default()
    };
    Server::start(options).unwrap()
}

fn one_window(server: &Server, span: Span) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], span)
}

async fn until_paused(account: &Account, span: Span) {
    until("the consumer is paused", secs(5), async || {
        let paused = account.is_paused_until("ORDERS/billing", span.deadline());
        paused.await.then_some(())
    })
    .await;
}
