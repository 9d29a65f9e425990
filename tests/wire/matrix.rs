//! One life of a window, and one crowded stream, on each line of servers that recess works with: a test a version.

use std::ops::Range;

use async_nats::Subscriber;
use futures_util::{StreamExt, stream};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::account::{Account, Look, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server, binary_of_version};
use crate::support::recess::{Recess, command, reach, secs, until};

const MAIL: &str = "EVENTS/mail";
const HELD: [&str; 2] = ["ORDERS/billing", "ORDERS/shipping"];
const FREE: [&str; 2] = ["ORDERS/audit", "EVENTS/search"];
const RUNNING: Look = Look {
    paused: false,
    until: None,
};

/// More than 2.15 lets a stream have, unless it is told otherwise.
const CROWD: usize = 1_001;

/// nats-server's `err_code` for one consumer too many.
const TOO_MANY: u64 = 10026;

#[tokio::test(flavor = "multi_thread")]
async fn a_window_lives_its_life_on_2_11_11_where_the_config_allows_it() {
    life_of_a_window("2.11.11").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_lives_its_life_on_2_12_8() {
    life_of_a_window("2.12.8").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_lives_its_life_on_2_14_6() {
    life_of_a_window("2.14.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_lives_its_life_on_2_15_1() {
    life_of_a_window("2.15.1").await;
}

/// Two windows: `move` is open and is taken out, `night` opens and closes.
///
/// A PAUSE beside an INFO or a LIST kills 2.11, whoever sends them. So what recess does is learned from its metrics and
/// from the tap, and the server itself is asked only when recess has nothing to write.
async fn life_of_a_window(version: &str) {
    let crash_prone = version == "2.11.11";
    let server = start(version);
    let account = Account::connect(&server.url()).await;
    assert_eq!(account.client.server_info().version, version);
    account.durables(&HELD).await;
    account.durables(&FREE).await;
    account.durable(MAIL).await;
    let night = Span::opening_in(4, 7);
    let moved = Span::open_for(300);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*", "!ORDERS/audit"], night);
    let config = config.set(&format!("nats.allow_crash_prone = {crash_prone}"));
    let tap = account.tap().await;
    let mut recess = Recess::start(&config.clone().window("move", &[MAIL], moved)).await;
    let settled = async |paused: usize, writes: usize| {
        let what = format!("{paused} are paused after {writes} writes");
        until(&what, secs(5), async || {
            let done = recess.total("consumer_paused").await == paused as f64
                && recess.total("consumer_unconfirmed").await == 0.0
                && tap.writes().len() == writes;
            done.then_some(())
        })
        .await;
    };

    settled(1, 1).await;
    assert!(account.is_paused_until(MAIL, moved.deadline()).await);

    // A hand resumes it, and it is paused again, until the same instant.
    if crash_prone {
        // Or its question would meet the end of our PAUSE.
        recess.signal("STOP");
    }
    account.resume(MAIL).await;
    recess.signal("CONT");
    recess
        .until_metric(r#"repairs_total{cause="resumed"}"#, 1.0, secs(3))
        .await;
    settled(1, 2).await;
    for write in tap.writes() {
        assert_writes(&write, MAIL, moved.deadline());
    }
    assert!(account.is_paused_until(MAIL, moved.deadline()).await);
    let mut waiting_for_mail = account.pull(MAIL).await;
    account.publish("EVENTS", 1).await;

    // It opens, and holds those that it names.
    tap.clear();
    assert!(Timestamp::now() < night.opens, "too slow a machine");
    reach(night.opens).await;
    settled(3, 2).await;
    let mut pauses = tap.writes();
    pauses.sort_by(|one, other| one.subject.cmp(&other.subject));
    for (pause, path) in pauses.iter().zip(HELD) {
        assert_writes(pause, path, night.deadline());
        assert!(pause.at >= night.opens, "before the opening: {pause:?}");
        assert!(pause.at < night.opens + 1.second(), "late: {pause:?}");
    }
    for path in HELD {
        assert!(account.is_paused_until(path, night.deadline()).await);
    }
    for path in FREE {
        assert_eq!(account.look(path).await, RUNNING, "{path}");
    }
    let mut waiting_for_billing = account.pull(HELD[0]).await;
    account.publish("ORDERS", 1).await;

    // The other one is taken out: its consumer goes on at once, with the pull that waits.
    let early = tokio::time::timeout(secs(0), waiting_for_mail.next()).await;
    assert!(early.is_err(), "delivered while paused: {early:?}");
    recess.reload(&config);
    let served_at = served(&mut waiting_for_mail).await;
    assert!(served_at < night.closes, "{served_at} is late");
    assert_eq!(tap.writes().len(), 3, "{:#?}", tap.writes());

    // It closes, by the server alone.
    let served_at = served(&mut waiting_for_billing).await;
    assert!(served_at >= night.closes, "delivered while paused");
    assert!(
        served_at < night.closes + 2.seconds(),
        "{served_at} is late"
    );
    settled(0, 3).await;
    let mut complaints = recess.complaints();
    let warned = complaints.iter().any(|line| line.contains(version));
    assert_eq!(warned, crash_prone, "{complaints:#?}");
    let expected = ["resumed by a client", "allow_crash_prone"];
    complaints.retain(|line| !expected.iter().any(|text| line.contains(text)));
    assert_eq!(complaints, [""; 0]);
    assert!(recess.terminate(secs(2)).await.unwrap().success());
    for path in HELD.into_iter().chain(FREE).chain([MAIL]) {
        assert!(!account.look(path).await.paused, "{path}");
    }
}

/// When a pull that waits gets its message.
async fn served(pull: &mut Subscriber) -> Timestamp {
    let message = tokio::time::timeout(secs(15), pull.next()).await;
    let message = message.expect("the pull sleeps on").unwrap();
    assert_eq!(message.status, None, "a message, not the pull's end");
    Timestamp::now()
}

/// Whether this is the PAUSE of that consumer until then, to the letter.
fn assert_writes(write: &Request, path: &str, deadline: Timestamp) {
    let subject = format!("$JS.API.CONSUMER.PAUSE.{}", path.replace('/', "."));
    assert_eq!(write.subject, subject);
    assert_eq!(write.body, format!(r#"{{"pause_until":"{deadline}"}}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowded_stream_is_paused_and_shown_whole_on_2_12_8() {
    let server = start("2.12.8");
    let account = Account::connect(&server.url()).await;
    account.memory_stream("ORDERS", 1).await;
    crowd(&account, 0..CROWD).await;
    paused_and_shown_whole(&server, &account).await;
}

/// What limits it is the stream's own `max_consumers`, else the account's, else the server's `default_max_consumers`.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowded_stream_is_paused_and_shown_whole_on_2_15_1_once_it_may_be_crowded() {
    let server = start("2.15.1");
    let account = Account::connect(&server.url()).await;
    account.memory_stream("ORDERS", 1).await;
    crowd(&account, 0..CROWD - 1).await;
    let subject = "$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.late";
    let config = json!({ "durable_name": "late", "ack_policy": "explicit" });
    let body = json!({ "stream_name": "ORDERS", "config": config }).to_string();
    let answer = account.client.request(subject, body.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["error"]["err_code"], TOO_MANY, "{answer}");

    let info = account.request("$JS.API.STREAM.INFO.ORDERS", "").await;
    let mut config = info["config"].clone();
    config["max_consumers"] = json!(CROWD);
    let update = "$JS.API.STREAM.UPDATE.ORDERS";
    account.request(update, &config.to_string()).await;
    crowd(&account, CROWD - 1..CROWD).await;
    paused_and_shown_whole(&server, &account).await;
}

async fn crowd(account: &Account, numbers: Range<usize>) {
    let paths = numbers.map(|number| format!("ORDERS/c{number}"));
    stream::iter(paths)
        .for_each_concurrent(16, async |path| account.consumer(&path).await)
        .await;
}

async fn paused_and_shown_whole(server: &Server, account: &Account) {
    let span = Span::open_for(60);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let tap = account.tap().await;
    let recess = Recess::start(&config).await;
    until(
        "all are paused, and its metrics show it",
        secs(20),
        async || (recess.total("consumer_paused").await == CROWD as f64).then_some(()),
    )
    .await;
    let mut subjects: Vec<_> = (tap.writes().into_iter())
        .map(|write| write.subject)
        .collect();
    assert_eq!(subjects.len(), CROWD);
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), CROWD, "one each");
    assert_eq!(recess.complaints(), [""; 0]);

    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let output = command(&[
        "status",
        "--format",
        "json",
        "--config",
        path.to_str().unwrap(),
    ]);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.len(), CROWD);
    for row in rows {
        assert_eq!(row["observed"]["state"], "paused", "{row}");
        assert_eq!(row["verdict"], "settled", "{row}");
    }
}

fn start(version: &str) -> Server {
    let options = Options {
        binary: Some(binary_of_version(version).unwrap()),
        ..Default::default()
    };
    Server::start(options).unwrap()
}
