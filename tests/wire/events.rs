//! Events: programs hear on NATS what happens to a window, in order, and nothing where nobody asked for it.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use async_nats::ConnectOptions;
use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

/// Events as they are heard, with their subjects.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, Value)>>>);

impl Heard {
    async fn listen(account: &Account) -> Self {
        let mut messages = account.listen("recess.>").await;
        let heard = Self::default();
        let noted = heard.clone();
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let event = serde_json::from_slice(&message.payload).unwrap();
                let mut all = noted.0.lock().unwrap();
                all.push((message.subject.to_string(), event));
            }
        });
        heard
    }

    fn all(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().clone()
    }

    /// The subjects, each once, in the order in which they came first.
    fn subjects(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let mut subjects: Vec<String> = self.all().into_iter().map(|(one, _)| one).collect();
        subjects.retain(|subject| known.insert(subject.clone()));
        subjects
    }

    async fn until(&self, kind: &str) {
        until(&format!("{kind} is told"), secs(30), async || {
            let ends = |subject: &String| subject.ends_with(kind);
            self.subjects().iter().any(ends).then_some(())
        })
        .await;
    }
}

const SUBJECTS: [&str; 4] = [
    "recess.events.prod-eu.night.opened",
    "recess.events.prod-eu.night.paused",
    "recess.events.prod-eu.night.drained",
    "recess.events.prod-eu.night.closed",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_is_told_in_order_and_two_copies_tell_it_with_the_same_ids() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/shipping"]).await;
    account.publish("ORDERS", 1).await;
    let message = account.take("ORDERS/billing", 1).await.remove(0);
    let heard = Heard::listen(&account).await;
    let span = Span::opening_in(5, 40);
    let config = Config::new([server.url()])
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["ORDERS/*"], span);
    let copies = [Recess::start(&config).await, Recess::start(&config).await];
    let both = async || (heard.all().len() == 4).then_some(());
    until("both have told that it is paused", secs(30), both).await;
    assert_eq!(heard.subjects(), SUBJECTS[..2]);
    // Not in the looks that follow an opening anyway.
    tokio::time::sleep(secs(3)).await;
    message.ack().await.unwrap();
    heard.until("drained").await;
    // Nor is the one waited for that comes before the close.
    assert!(Timestamp::now() < span.closes - 3.seconds());
    reach(span.closes).await;
    heard.until("closed").await;
    let all = async || (heard.all().len() == 8).then_some(());
    until("both have told all", secs(10), all).await;
    assert_eq!(heard.subjects(), SUBJECTS);
    let ids = |heard: &Heard| -> BTreeSet<String> {
        let all = heard.all();
        all.iter()
            .map(|(_, event)| event["id"].to_string())
            .collect()
    };
    assert_eq!(ids(&heard).len(), 4, "{:#?}", heard.all());
    for (subject, event) in heard.all() {
        assert_eq!(event["specversion"], "1.0");
        let kind = subject.rsplit('.').next().unwrap();
        assert_eq!(event["type"], format!("recess.window.{kind}"));
        assert_eq!(event["source"], "/recess/prod-eu");
        let data = &event["data"];
        assert_eq!(data["opens"], span.opens.to_string());
        assert_eq!(data["closes"], span.closes.to_string());
        assert_eq!(data["counts"]["consumers"], 2);
        let late = data["late_ms"].as_i64().unwrap();
        assert!((0..40_000).contains(&late), "{event}");
        let in_flight = data["counts"]["in_flight"].as_i64().unwrap();
        assert_eq!(
            in_flight,
            i64::from(kind == "opened" || kind == "paused"),
            "{event}"
        );
    }
    drop(copies);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occurrence_with_a_restart_of_the_server_in_the_middle_is_told_in_order_and_once() {
    let World {
        mut server,
        account,
    } = World::with(&["ORDERS/billing"]).await;
    let heard = Heard::listen(&account).await;
    let span = Span::opening_in(4, 25);
    let config = Config::new([server.url()])
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    heard.until("drained").await;
    let sent = r#"events_total{result="sent"}"#;
    recess.until_metric(sent, 3.0, secs(5)).await;
    server.restart().unwrap();
    recess.until_log("was lost").await;
    recess.until_metric("nats_connected", 1.0, secs(20)).await;
    assert!(Timestamp::now() < span.closes, "a slow machine");
    heard.until("closed").await;
    tokio::time::sleep(secs(1)).await;
    let subjects: Vec<String> = heard
        .all()
        .into_iter()
        .map(|(subject, _)| subject)
        .collect();
    assert_eq!(subjects, SUBJECTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_a_window_tells_the_same_ids_again_and_only_what_is_true() {
    let World { server, account } = World::with(&["ORDERS/billing"]).await;
    let heard = Heard::listen(&account).await;
    let config = Config::new([server.url()])
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["ORDERS/*"], Span::open_for(60));
    for count in [3, 6, 9] {
        let mut recess = Recess::start(&config).await;
        let all = async || (heard.all().len() == count).then_some(());
        until(&format!("{count} events are told"), secs(10), all).await;
        recess.terminate(secs(5)).await.expect("it ends");
    }
    let ids: BTreeSet<String> = (heard.all().iter())
        .map(|(_, event)| event["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 3, "{:#?}", heard.all());
    for (_, event) in heard.all() {
        assert_eq!(event["data"]["consumers"], json!(["ORDERS/billing"]));
        assert_eq!(event["data"]["counts"]["consumers"], 1, "{event}");
    }
    // Taken out of the file, it closes with the same names.
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    recess.reload(&Config::new([server.url()]).set(r#"events.subject = "recess.events""#));
    heard.until("closed").await;
    let (_, closed) = heard.all().pop().unwrap();
    assert_eq!(closed["data"]["consumers"], json!(["ORDERS/billing"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_where_events_are_off() {
    let World { server, account } = World::with(&["ORDERS/billing"]).await;
    let heard = Heard::listen(&account).await;
    let span = Span::opening_in(3, 8);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_log("window night closed").await;
    reach(span.closes + 1.second()).await;
    assert_eq!(heard.all(), []);
    // And they are told from a reload on that asks for them.
    let on = config.set(r#"events.subject = "recess.events""#);
    recess.reload(&on.window("day", &["ORDERS/*"], Span::open_for(60)));
    heard.until("day.paused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_not_permitted_are_told_of_and_hinder_nothing() {
    let server = Server::start(Options {
        config: r#"authorization { users: [
            { user: app, password: app }
            { user: recess, password: s3cret, permissions: { publish: ["$JS.API.>"] } }
        ] }"#
            .to_owned(),
        ..Default::default()
    })
    .unwrap();
    let options = ConnectOptions::with_user_and_password("app".into(), "app".into());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("password"), "s3cret").unwrap();
    let config = Config::new([server.url()])
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &files.path().join("password"))
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["ORDERS/*"], Span::open_for(60));
    let recess = Recess::start(&config).await;
    recess
        .until_log(
            "event lost: permission denied to publish to recess.events.prod-eu.night.opened: ",
        )
        .await;
    let paused = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(10)).await;
    assert_eq!(recess.metric("nats_connected").await, Some(1.0));
    // Opened, paused, drained: each is counted, and one line says so.
    let lost = r#"events_total{result="lost"}"#;
    recess.until_metric(lost, 3.0, secs(10)).await;
    let sent = r#"events_total{result="sent"}"#;
    assert_eq!(recess.metric(sent).await, Some(0.0));
    let about_events = |line: &&String| line.contains("event");
    let complaints = recess.complaints();
    assert_eq!(
        complaints.iter().filter(about_events).count(),
        1,
        "{complaints:#?}"
    );
}
