//! `check --live`: what a server's streams and consumers have in store for a pause, each on a real server in the exact
//! words, and nothing where there is nothing to fear.

use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::ask;
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server, binary_of_version};
use crate::support::recess::{reach, secs};
use crate::support::world::World;

mod pauses;
mod streams;

/// With a window of two hours, a while ahead.
fn ahead(config: Config, consumers: &[&str]) -> Config {
    config.window("night", consumers, Span::opening_in(36_000, 7_200))
}

fn config(world: &World, consumers: &[&str]) -> Config {
    ahead(world.config(), consumers)
}

/// Code, subject and message of each finding, as JSON has them. Asserts that there are some, and that each has its keys and
/// a way out.
fn findings(config: &Config) -> Vec<[String; 3]> {
    let (exit, out, err) = ask(config, &["check", "--live", "--format", "json"]);
    assert_eq!((exit, &*err), (Some(3), ""), "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["ok"], true, "{out}");
    let findings = report["findings"].as_array().unwrap();
    let text = |finding: &Value, key| finding[key].as_str().unwrap().to_owned();
    (findings.iter())
        .map(|finding| {
            let keys: Vec<&str> = finding
                .as_object()
                .unwrap()
                .keys()
                .map(|key| &**key)
                .collect();
            let mut promised = ["severity", "code", "subject", "message", "hint", "line"];
            promised.sort_unstable();
            assert_eq!(keys, promised, "{finding}");
            assert_eq!(finding["severity"], "warning", "{finding}");
            assert_eq!(finding["line"], Value::Null, "{finding}");
            assert!(!text(finding, "hint").is_empty(), "{finding}");
            ["code", "subject", "message"].map(|key| text(finding, key))
        })
        .collect()
}

/// Nothing but this.
#[track_caller]
fn tells(config: &Config, code: &str, subject: &str, message: &str) {
    let expected = [[code, subject, message].map(str::to_owned)];
    assert_eq!(findings(config), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_consumers_with_messages_have_nothing_to_fear_and_nothing_is_changed() {
    let world = World::new().await;
    world
        .account
        .stream_with(
            "ORDERS",
            json!({ "max_age": 86_400_000_000_000_u64, "max_msgs": 1_000_000 }),
        )
        .await;
    world
        .account
        .consumer_with("ORDERS/billing", json!({ "max_deliver": 5 }))
        .await;
    world
        .account
        .consumer_with("ORDERS/audit", json!({ "ack_policy": "none" }))
        .await;
    world.account.publish("ORDERS", 3).await;
    let before = world.account.look("ORDERS/billing").await;
    let (exit, out, err) = ask(&config(&world, &["ORDERS/*"]), &["check", "--live"]);
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    assert!(out.contains(": ok, 1 window"), "{out}");
    assert!(!out.contains("note:"), "{out}");
    assert_eq!(world.account.look("ORDERS/billing").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_goes_when_nobody_uses_it_is_told() {
    let world = World::new().await;
    world.account.durable("ORDERS/shipping").await;
    let threshold = json!({ "inactive_threshold": 300_000_000_000_u64 });
    world
        .account
        .consumer_with("ORDERS/billing", threshold)
        .await;
    tells(
        &config(&world, &["ORDERS/*"]),
        "inactive-threshold",
        "ORDERS > billing",
        "its inactive_threshold is 5m, and window night pauses it for 2h: if its clients stop \
         pulling for that long, the server deletes it and its position in the stream",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_work_are_told_where_they_come_again_or_never() {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    world.account.consumer("ORDERS/again").await;
    world
        .account
        .consumer_with("ORDERS/once", json!({ "max_deliver": 1 }))
        .await;
    world.account.publish("ORDERS", 2).await;
    world.account.take("ORDERS/again", 2).await;
    let told = findings(&config(&world, &["ORDERS/*"]));
    let expected = [
        [
            "ack-wait",
            "ORDERS > again",
            "2 messages are in flight now, and window night pauses it for 2h, longer than its \
             ack_wait of 30s: a message in flight at the opening and not acknowledged in time is \
             delivered again after the window",
        ],
        [
            "max-deliver",
            "ORDERS > once",
            "each message is delivered only once (max_deliver is 1), and window night pauses it \
             for 2h, longer than its ack_wait of 30s: a message in flight at the opening, in its \
             last delivery and not acknowledged in time, is never delivered again",
        ],
    ];
    assert_eq!(told, expected.map(|finding| finding.map(str::to_owned)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_messages_in_work_is_what_the_server_does() {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    let second = 1_000_000_000_u64;
    for (path, most) in [("ORDERS/again", -1), ("ORDERS/once", 1)] {
        let config = json!({ "ack_wait": second, "max_deliver": most });
        world.account.consumer_with(path, config).await;
    }
    world.account.publish("ORDERS", 1).await;
    let ends = Timestamp::now() + 4.seconds();
    for path in ["ORDERS/again", "ORDERS/once"] {
        world.account.take(path, 1).await;
        world.account.pause(path, ends).await;
    }
    reach(ends + 500.milliseconds()).await;
    let mut again = world.account.pull("ORDERS/again").await;
    let mut once = world.account.pull("ORDERS/once").await;
    let message = tokio::time::timeout(secs(10), again.next()).await;
    let message = message.expect("it comes again").unwrap();
    let reply = message.reply.unwrap();
    assert_eq!(
        reply.split('.').nth(4),
        Some("2"),
        "its second delivery: {reply}"
    );
    assert!(tokio::time::timeout(secs(3), once.next()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_globs_leave_alone_are_told_unless_a_selector_says_that_it_is_meant() {
    let world = World::new().await;
    world.account.durable("ORDERS/billing").await;
    world.account.ephemeral("ORDERS/watcher").await;
    world.account.sourcing("ORDERS/copy").await;
    let told = findings(&config(&world, &["ORDERS/*"]));
    let what = |consumer, what| {
        let message = format!(
            "window night has a wildcard that matches its name, but it {what}: wildcards leave it \
             out, so it keeps running"
        );
        [
            "passed-over".to_owned(),
            format!("ORDERS > {consumer}"),
            message,
        ]
    };
    let expected = [
        what("copy", "serves a stream that sources this one"),
        what("watcher", "is not durable"),
    ];
    assert_eq!(told, expected);
    let meant = config(&world, &["ORDERS/*", "!ORDERS/watcher", "!ORDERS/co*"]);
    let (exit, _, err) = ask(&meant, &["check", "--live"]);
    assert_eq!((exit, &*err), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_are_named_though_globs_would_leave_them_alone_are_told() {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    world.account.ephemeral("ORDERS/watcher").await;
    world.account.sourcing("ORDERS/copy").await;
    let told = findings(&config(&world, &["ORDERS/watcher", "ORDERS/copy"]));
    let codes: Vec<_> = told
        .iter()
        .map(|[code, subject, _]| (&**code, &**subject))
        .collect();
    let expected = [
        ("sourcing", "ORDERS > copy"),
        ("inactive-threshold", "ORDERS > watcher"),
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        told[0][2],
        "it serves a stream that sources this one: while it is paused, that stream receives nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_a_pause_can_crash_is_told_where_the_config_allows_it() {
    let options = Options {
        binary: Some(binary_of_version("2.11.11").unwrap()),
        ..Default::default()
    };
    let server = Server::start(options).unwrap();
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let tap = account.tap().await;
    let config =
        ahead(Config::new([server.url()]), &["ORDERS/*"]).set("nats.allow_crash_prone = true");
    let (exit, out, _) = ask(&config, &["check", "--live", "--format", "json"]);
    assert_eq!(exit, Some(3));
    let report: Value = serde_json::from_str(&out).unwrap();
    let told = report["findings"].as_array().unwrap();
    let told: Vec<_> = told
        .iter()
        .filter(|finding| finding["code"] == "crash-prone-server")
        .collect();
    assert_eq!(told.len(), 1, "{out}");
    assert_eq!(
        told[0]["message"],
        "nats-server 2.11.11 can crash when a consumer is paused while any client asks about it"
    );
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
}
