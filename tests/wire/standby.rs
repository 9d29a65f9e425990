//! A primary and a standby on a real server, with a stream that captures their events.

use std::collections::BTreeMap;
use std::path::Path;

use async_nats::ConnectOptions;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::ask;
use crate::support::account::{Account, Tap, next_of};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::proxy::Proxy;
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const CONSUMERS: usize = 20;

/// How long the standby waits.
const DELAY: SignedDuration = SignedDuration::from_secs(3);
const STANDBY: [&str; 2] = ["--standby", "3s"];

/// A world with consumers, and a stream that keeps every event.
async fn world() -> World {
    let world = World::new().await;
    for number in 0..CONSUMERS {
        world.account.durable(&format!("ORDERS/c{number}")).await;
    }
    let subjects = json!({ "subjects": ["recess.events.>"] });
    world.account.stream_with("AUDIT", subjects).await;
    world
}

fn config(url: String, span: Span) -> Config {
    Config::new([url])
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["ORDERS/*"], span)
}

/// When each consumer was written to.
fn writes(tap: &Tap) -> Vec<Timestamp> {
    tap.writes().iter().map(|request| request.at).collect()
}

/// Every consumer was paused once, by the standby: no sooner than it waits, and soon after.
#[track_caller]
fn assert_taken_over(tap: &Tap, span: Span) {
    let written = writes(tap);
    assert_eq!(written.len(), CONSUMERS, "{:#?}", tap.writes());
    for at in written {
        let late = at.duration_since(span.opens);
        assert!(late >= DELAY, "sent {late:#} after the opening");
        assert!(late < DELAY + SignedDuration::from_secs(3), "{late:#}");
    }
}

/// A primary and its standby, which have observed everything, a second before the opening.
async fn a_second_before(span: Span, primary: &Config, standby: &Config) -> (Recess, Recess) {
    // As systemd's drop-in has it.
    let by_variable = standby.clone().env("RECESS_STANDBY", Path::new("3s"));
    let copies = (
        Recess::start(primary).await,
        Recess::start(&by_variable).await,
    );
    for copy in [&copies.0, &copies.1] {
        copy.until_ready().await;
    }
    reach(span.opens - 1.second()).await;
    copies
}

async fn all_paused(recess: &Recess) {
    until("all are paused", secs(20), async || {
        (recess.total("consumer_paused").await == CONSUMERS as f64).then_some(())
    })
    .await;
}

/// How often the stream has captured which event.
async fn captured(account: &Account) -> BTreeMap<String, u64> {
    let subjects = json!({ "subjects_filter": ">" }).to_string();
    let info = account
        .request("$JS.API.STREAM.INFO.AUDIT", &subjects)
        .await;
    let counts = info["state"]["subjects"].as_object().cloned();
    let kind = |subject: &str| subject.rsplit('.').next().unwrap().to_owned();
    (counts.unwrap_or_default().iter())
        .map(|(subject, count)| (kind(subject), count.as_u64().unwrap()))
        .collect()
}

/// Each event of an occurrence was captured, and once.
async fn assert_each_event_once(account: &Account) {
    let expected = ["opened", "paused", "drained", "closed"].map(|kind| (kind.to_owned(), 1));
    let expected = BTreeMap::from(expected);
    until("each event is captured", secs(20), async || {
        (captured(account).await.len() >= expected.len()).then_some(())
    })
    .await;
    // A second one comes no later than the standby sends it.
    tokio::time::sleep(secs(5)).await;
    assert_eq!(captured(account).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_beside_a_primary_sends_nothing_and_shows_everything() {
    let World { server, account } = world().await;
    let mut heard = account.listen("recess.events.>").await;
    let span = Span::opening_in(5, 14);
    let config = config(server.url(), span);
    let primary = Recess::start(&config).await;
    let standby = Recess::start_with(&config, &STANDBY).await;
    assert_eq!(primary.metric("standby_seconds").await, Some(0.0));
    assert_eq!(standby.metric("standby_seconds").await, Some(3.0));
    let tap = account.tap().await;
    for copy in [&primary, &standby] {
        all_paused(copy).await;
    }
    assert_each_event_once(&account).await;
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
    let sent = r#"requests_total{action="pause",result="ok"}"#;
    assert_eq!(standby.metric(sent).await, Some(0.0));
    assert_eq!(standby.metric("takeovers_total").await, Some(0.0));
    for copy in [&primary, &standby] {
        assert_eq!(copy.complaints(), [""; 0]);
        assert_eq!(copy.total("windows_missed_total").await, 0.0);
    }
    // The standby has heard the primary's events, and sent none.
    let counted = r#"events_total{result="sent"}"#;
    assert_eq!(standby.metric(counted).await, Some(0.0));
    primary.until_metric(counted, 4.0, secs(5)).await;
    for _ in 0..4 {
        let event = next_of(&mut heard).await;
        let id = event
            .headers
            .unwrap()
            .get("Nats-Msg-Id")
            .unwrap()
            .to_string();
        let body: Value = serde_json::from_slice(&event.payload).unwrap();
        assert_eq!(body["id"], *id);
    }
    let page = standby.get("/").await.unwrap().1;
    assert!(
        page.contains("standby, acts 3s after the primary"),
        "{page}"
    );
    let log = standby.log();
    assert!(log.contains("standby: "), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed_a_second_before_an_opening_is_replaced() {
    let World { server, account } = world().await;
    let span = Span::opening_in(5, 20);
    let config = config(server.url(), span);
    let (mut primary, standby) = a_second_before(span, &config, &config).await;
    let tap = account.tap().await;
    primary.kill();
    all_paused(&standby).await;
    assert_taken_over(&tap, span);
    assert_eq!(standby.metric("takeovers_total").await, Some(1.0));
    assert_eq!(standby.complaints().len(), 1, "{:#?}", standby.complaints());
    standby.until_log("standby took over: ").await;
    assert_each_event_once(&account).await;
    assert_eq!(standby.total("windows_missed_total").await, 0.0);
    assert_eq!(tap.writes().len(), CONSUMERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_stands_still_is_replaced_and_sends_nothing_when_it_goes_on() {
    let World { server, account } = world().await;
    let span = Span::opening_in(5, 20);
    let config = config(server.url(), span);
    let (primary, standby) = a_second_before(span, &config, &config).await;
    let tap = account.tap().await;
    primary.signal("STOP");
    all_paused(&standby).await;
    assert_taken_over(&tap, span);
    tokio::time::sleep(secs(2)).await;
    primary.signal("CONT");
    all_paused(&primary).await;
    assert_each_event_once(&account).await;
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
    for copy in [&primary, &standby] {
        assert_eq!(copy.total("windows_missed_total").await, 0.0);
        assert_eq!(copy.total("consumer_contested").await, 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_cut_off_is_replaced_and_finds_all_done() {
    let World { server, account } = world().await;
    let proxy = Proxy::before(server.port()).await;
    let span = Span::opening_in(5, 20);
    let (near, far) = (config(server.url(), span), config(proxy.url(), span));
    let (primary, standby) = a_second_before(span, &far, &near).await;
    let tap = account.tap().await;
    proxy.cut();
    all_paused(&standby).await;
    assert_taken_over(&tap, span);
    proxy.restore();
    all_paused(&primary).await;
    reach(span.closes + 2.seconds()).await;
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
    for copy in [&primary, &standby] {
        assert_eq!(copy.total("windows_missed_total").await, 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_ends_stays_ended_beside_a_standby() {
    let world = world().await;
    let span = Span::open_for(60);
    let config = config(world.server.url(), span).set(r#"overrides.bucket = "recess""#);
    let (exit, _, err) = ask(&config, &["overrides", "create"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    let primary = Recess::start(&config).await;
    let standby = Recess::start_with(&config, &STANDBY).await;
    for copy in [&primary, &standby] {
        all_paused(copy).await;
    }
    let tap = world.account.tap().await;
    let why = ["close", "night", "--author", "alice", "--reason", "tests"];
    let (exit, _, err) = ask(&config, &why);
    assert_eq!((exit, &*err), (Some(0), ""));
    tokio::time::sleep(secs(6)).await;
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
    assert_eq!(standby.metric("takeovers_total").await, Some(0.0));
    for copy in [&primary, &standby] {
        assert_eq!(copy.total("consumer_paused").await, 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_may_not_hear_events_sends_them_all_and_says_why() {
    let permissions = r#"authorization { users: [
        { user: app, password: app }
        { user: recess, password: s3cret, permissions: {
            publish: ["$JS.API.>", "recess.events.>"], subscribe: ["_INBOX.>", "$JS.EVENT.>"]
        } }
    ] }"#;
    let server = Server::start(Options {
        config: permissions.to_owned(),
        ..Default::default()
    })
    .unwrap();
    let options = ConnectOptions::with_user_and_password("app".into(), "app".into());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("password"), "s3cret").unwrap();
    let config = config(server.url(), Span::open_for(60))
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &files.path().join("password"));
    let standby = Recess::start_with(&config, &["--standby", "1s"]).await;
    standby
        .until_log("permission denied to subscribe to recess.events.prod-eu.>: this standby sends")
        .await;
    let sent = r#"events_total{result="sent"}"#;
    standby.until_metric(sent, 3.0, secs(15)).await;
}
