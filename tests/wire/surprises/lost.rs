//! What is lost without a word: consumers that nobody uses, requests of a full queue, and old servers as a whole.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{VERSIONS, gone, version};
use crate::support::account::{Account, Tap};
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

/// Of ours, in the way of a neighbour.
const CONSUMERS: usize = 40;

/// So many requests at once are more than the server's queue of 10,000 takes while it works off those before.
const FLOOD: usize = 15_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_nobody_uses_is_deleted_in_a_pause_and_its_successor_runs() {
    for binary in VERSIONS {
        let server = Server::start(version(binary)).unwrap();
        let account = Account::connect(&server.url()).await;
        fleeting(&account).await;
        let far = "2100-01-01T00:00:00Z".parse().unwrap();
        account.pause("ORDERS/fleeting", far).await;
        let rests = "`inactive-threshold` of `check --live`";
        let surprise = "deletes a paused consumer that nobody uses";
        until(&gone(&account, surprise, rests), secs(20), async || {
            is_gone(&account).await.then_some(())
        })
        .await;
        fleeting(&account).await;
        let look = account.look("ORDERS/fleeting").await;
        let surprise = "lets the successor of a paused consumer run";
        let rests = "pausing what was recreated";
        let runs = !look.paused && look.until.is_none();
        assert!(runs, "{}", gone(&account, surprise, rests));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_deleted_for_inactivity_is_paused_again_when_it_is_back() {
    let World { server, account } = World::new().await;
    fleeting(&account).await;
    let span = Span::open_for(120);
    let config = Config::new([server.url()]).window("night", &["ORDERS/fleeting"], span);
    let recess = Recess::start(&config).await;
    let series = |metric| format!("{metric}{{consumer_name=\"fleeting\",stream_name=\"ORDERS\"}}");
    recess
        .until_metric(&series("consumer_paused"), 1.0, secs(10))
        .await;
    recess
        .until_metric(&series("consumer_missing"), 1.0, secs(20))
        .await;
    recess.until_log("ORDERS > fleeting: does not exist").await;
    // Its client is back, makes it anew and is kept waiting.
    fleeting(&account).await;
    until("it is paused again", secs(5), async || {
        let paused = account.is_paused_until("ORDERS/fleeting", span.deadline());
        paused.await.then_some(())
    })
    .await;
    let recreated = r#"repairs_total{cause="recreated"}"#;
    recess.until_metric(recreated, 1.0, secs(5)).await;
}

/// A durable consumer that the server keeps for two seconds without use.
async fn fleeting(account: &Account) {
    if account.jetstream.get_stream("ORDERS").await.is_err() {
        account.stream("ORDERS").await;
    }
    let config = json!({
        "durable_name": "fleeting", "ack_policy": "explicit", "inactive_threshold": 2_000_000_000_u64,
    });
    let body = json!({ "stream_name": "ORDERS", "config": config });
    let subject = "$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.fleeting";
    account.request(subject, &body.to_string()).await;
}

async fn is_gone(account: &Account) -> bool {
    let info = account.ask("$JS.API.CONSUMER.INFO.ORDERS.fleeting", "");
    info.await["error"]["err_code"] == 10014
}

/// A neighbour in the same account that overflows the queue of the API, until it is dropped.
struct Neighbour(Arc<AtomicBool>);

impl Neighbour {
    fn of(account: &Account) -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        let (flag, client) = (goes_on.clone(), account.client.clone());
        tokio::spawn(async move {
            let body = r#"{"pause_until":"2100-01-01T00:00:00Z"}"#;
            while flag.load(Relaxed) {
                for _ in 0..FLOOD {
                    let subject = "$JS.API.CONSUMER.PAUSE.THEIRS.c";
                    // Nobody listens for the answers; the tap passes over them.
                    let sent = client.publish_with_reply(subject, "_TEST.nobody", body.into());
                    sent.await.unwrap();
                }
                client.flush().await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(goes_on)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_vanish_in_a_full_queue_are_sent_again_soon_and_not_often() {
    let World { server, account } = World::busy().await;
    account.durable("THEIRS/c").await;
    account.stream("ORDERS").await;
    for number in 0..CONSUMERS {
        account.consumer(&format!("ORDERS/c{number}")).await;
    }
    let span = Span::opening_in(4, 600);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    reach(span.opens - 200.milliseconds()).await;
    let neighbour = Neighbour::of(&Account::connect(&server.url()).await);
    let vanished = r#"requests_total{action="pause",result="timeout"}"#;
    until("requests of ours have vanished", secs(60), async || {
        let count = recess.metric(vanished).await;
        count.is_some_and(|count| count > 0.0).then_some(())
    })
    .await;
    let surprise = "drops its whole queue of requests without a word";
    let rests = "the wait before a request without an answer is sent again (ledger::QUEUED)";
    let told = server.log().contains("API queue limit reached, dropping");
    assert!(told, "{}", gone(&account, surprise, rests));
    drop(neighbour);

    until("all are paused and seen", secs(60), async || {
        let paused = recess.total("consumer_paused").await == CONSUMERS as f64;
        let unconfirmed = recess.total("consumer_unconfirmed").await > 0.0;
        (paused && !unconfirmed).then_some(())
    })
    .await;
    for number in 0..CONSUMERS {
        let path = format!("ORDERS/c{number}");
        assert!(account.is_paused_until(&path, span.deadline()).await);
    }
    assert_patience(&tap);
    assert_eq!(
        recess.total("repairs_total").await,
        0.0,
        "nobody undid them"
    );
    assert_eq!(recess.total("consumer_contested").await, 0.0);
    recess.until_log("retrying in 5 s if still needed").await;
}

/// No consumer was written to again before what vanished could be known to have vanished, and on the whole not many were:
/// where as many as may be under way get no answer, the rest wait.
fn assert_patience(tap: &Tap) {
    let writes = tap.writes();
    let ours = |number: usize| format!("$JS.API.CONSUMER.PAUSE.ORDERS.c{number}");
    for number in 0..CONSUMERS {
        let times: Vec<Timestamp> = (writes.iter())
            .filter(|write| write.subject == ours(number))
            .map(|write| write.at)
            .collect();
        assert!(!times.is_empty(), "{}", ours(number));
        for pair in times.windows(2) {
            let apart = pair[1].duration_since(pair[0]).as_secs_f64();
            // When it was heard is not quite when it was sent, beside such a neighbour.
            assert!(apart > 3.5, "{}: {times:?}", ours(number));
        }
    }
    let all = writes.iter();
    let all = all
        .filter(|write| write.subject.contains(".ORDERS."))
        .count();
    assert!(all > CONSUMERS, "none had to be sent again");
    assert!(
        all <= 3 * CONSUMERS,
        "{all} writes for {CONSUMERS} consumers"
    );
}

/// That recess refuses them: `versions::a_server_that_a_pause_can_crash_is_refused`.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_dies_of_pauses_beside_questions_and_a_newer_one_does_not() {
    let server = Server::start(version(Some("2.11.11"))).unwrap();
    let died = dies_of_pauses(&server, 500).await;
    assert!(
        died,
        "2.11.11 outlived them: it may be no worse than others"
    );
    let words = "concurrent map";
    assert!(server.log().contains(words), "{}", server.log());
    // The first that is used without being asked twice.
    let server = Server::start(version(Some("2.12.8"))).unwrap();
    let died = dies_of_pauses(&server, 50).await;
    assert!(
        !died,
        "2.12.8 dies: recess must refuse it\n{}",
        server.log()
    );
}

/// Pauses of one consumer and questions about it, many at once, until the server dies or has withstood enough.
async fn dies_of_pauses(server: &Server, rounds: i64) -> bool {
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let far = Timestamp::now() + 3600.seconds();
    for round in 0..rounds {
        for number in 0..100_i64 {
            let deadline = far + (round * 100 + number).seconds();
            let body = json!({ "pause_until": deadline.to_string() }).to_string();
            for (verb, body) in [("PAUSE", body), ("INFO", String::new())] {
                let subject = format!("$JS.API.CONSUMER.{verb}.ORDERS.billing");
                let sent = (account.client).publish_with_reply(subject, "_TEST.x", body.into());
                if sent.await.is_err() {
                    return true;
                }
            }
        }
        let answered = account
            .client
            .request("$JS.API.CONSUMER.INFO.ORDERS.billing", "".into());
        if answered.await.is_err()
            && TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).is_err()
        {
            return true;
        }
    }
    false
}
