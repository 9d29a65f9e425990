//! Surprises that one server has in store.

use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::consumer::{DeliverPolicy, pull, push};
use futures_util::StreamExt;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{VERSIONS, ask, gone, version};
use crate::support::account::Account;
use crate::support::config::{Config, MARK, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

const FAR: &str = "2100-01-01T00:00:00Z";

/// Resumes that take effect at once, each with the name of the consumer that gets it.
const AT_ONCE: [(&str, &str); 3] = [
    ("ORDERS/empty", ""),
    ("ORDERS/past", r#"{"pause_until":"2020-01-01T00:00:00Z"}"#),
    ("ORDERS/zero", r#"{"pause_until":"0001-01-01T00:00:00Z"}"#),
];

/// That recess's resume wakes them: `reload::a_window_taken_out_lets_waiting_messages_flow`, a thousand of them in
/// `cluster::a_thousand_waiting_pulls_of_a_cluster_all_wake_when_their_window_is_taken_out`, and for each version the
/// end of `matrix::life_of_a_window`.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_at_once_wakes_no_waiting_pull_and_a_deadline_a_moment_ahead_does() {
    join_all(VERSIONS.map(resumes_of)).await;
}

async fn resumes_of(binary: Option<&str>) {
    let server = Server::start(version(binary)).unwrap();
    let account = Account::connect(&server.url()).await;
    let ahead = "ORDERS/ahead";
    let mut pulls = Vec::new();
    for path in AT_ONCE.map(|(path, _)| path).into_iter().chain([ahead]) {
        account.durable(path).await;
        account.pause(path, FAR.parse().unwrap()).await;
        pulls.push(account.pull(path).await);
        // One that comes after the resume is served.
        until("the pull waits", secs(10), async || {
            let info = ask(&account, "INFO", path, "").await;
            (info["num_waiting"] == 1).then_some(())
        })
        .await;
    }
    account.publish("ORDERS", 1).await;
    // The server wakes each consumer for the message. One that is so late that it is resumed by then delivers it, and that is no
    // wake-up by the resume. Nothing shows when they have slept again.
    tokio::time::sleep(secs(1)).await;

    for (path, body) in AT_ONCE {
        let answer = ask(&account, "PAUSE", path, body).await;
        assert_eq!(answer["paused"], false, "{answer}");
    }
    let deadline = Timestamp::now() + 2.seconds();
    account.pause(ahead, deadline).await;
    let mut ahead = pulls.pop().unwrap();
    assert!(is_served(&mut ahead, secs(10)).await, "by its expiry");
    assert!(Timestamp::now() >= deadline, "and not before");

    let rests = "the resume by a deadline a moment ahead (plan::resume_deadline)";
    for ((path, body), pull) in AT_ONCE.into_iter().zip(&mut pulls) {
        let info = ask(&account, "INFO", path, "").await;
        assert_ne!(info["paused"], true, "{info}");
        let asleep = info["num_pending"] == 1 && !is_served(pull, secs(0)).await;
        let surprise = format!("leaves a waiting pull asleep at the resume {body:?}");
        assert!(asleep, "{}", gone(&account, &surprise, rests));
        account.pause(path, Timestamp::now() + 2.seconds()).await;
    }
    // They were asleep, not lost.
    for pull in &mut pulls {
        assert!(is_served(pull, secs(10)).await);
    }
}

async fn is_served(pull: &mut Subscriber, within: Duration) -> bool {
    let message = tokio::time::timeout(within, pull.next()).await;
    message.is_ok_and(|message| message.unwrap().status.is_none())
}

/// In a cluster it does harm: `clustered::a_deadline_that_has_passed_breaks_a_strict_create_until_it_is_cleared`.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_has_passed_stays_does_no_harm_on_one_server_and_is_left_there() {
    let World { server, account } = World::new().await;
    account.stream("ORDERS").await;
    let path = "ORDERS/billing";
    let config = json!({ "durable_name": "billing", "ack_policy": "explicit" });
    let strict = json!({ "stream_name": "ORDERS", "config": config, "action": "create" });
    let strict = strict.to_string();
    account
        .request("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.billing", &strict)
        .await;

    // Ours, and long enough ago that recess would clear it in a cluster.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let lapsed = now - 120.seconds() + i64::from(MARK).nanoseconds();
    account.pause(path, lapsed).await;
    let look = account.look(path).await;
    let (surprise, rests) = ("keeps a deadline the time has passed", "the state `lapsed`");
    let stays = !look.paused && look.until == Some(lapsed);
    assert!(stays, "{}", gone(&account, surprise, rests));
    let answer = ask(&account, "DURABLE.CREATE", path, &strict).await;
    assert_eq!(
        answer["error"],
        json!(null),
        "a single server refuses it now as well: recess must clear there too (plan::decide)"
    );

    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .window("night", &["ORDERS/*"], Span::opening_in(3600, 60));
    let tap = account.tap().await;
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    until("it has looked three times", secs(10), async || {
        (tap.all().len() >= 3).then_some(())
    })
    .await;
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert_eq!(account.look(path).await.until, Some(lapsed));
}

/// What the server makes of a payload.
#[derive(Debug, PartialEq)]
enum Effect {
    Resumes,
    Refused,
    Pauses,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_with_a_garbled_payload_is_a_resume() {
    use Effect::{Pauses, Refused, Resumes};
    let rests = "the exact form of recess's payload (Nats::pause)";
    for binary in [Some("2.11.11")].into_iter().chain(VERSIONS) {
        let server = Server::start(version(binary)).unwrap();
        let account = Account::connect(&server.url()).await;
        account.durable("ORDERS/billing").await;
        // 2.11 passes over names that it does not know, so what is left is an empty object: a resume.
        let unknown_name = match binary {
            Some("2.11.11") => Resumes,
            _ => Refused,
        };
        for (body, expected) in [
            ("garbage", Resumes),
            ("", Resumes),
            (r#""2100-01-01T00:00:00Z""#, Resumes),
            ("null", Resumes),
            ("{}", Resumes),
            (r#"{"pause_until":null}"#, Resumes),
            (r#"{"pause_untill":"2100-01-01T00:00:00Z"}"#, unknown_name),
            (r#"{"pause_until":"2100-01-01t00:00:00Z"}"#, Refused),
            (r#"{"pause_until":"2100-01-01T00:00:00z"}"#, Refused),
            (r#"{"pause_until":"2100-01-01 00:00:00Z"}"#, Refused),
            (r#"{"pause_until":4102444800}"#, Refused),
            (r#"{"pause_until":"2100-01-01T00:00:00Z"}"#, Pauses),
        ] {
            // The answers alone are looked at: 2.11 can die of an INFO beside a PAUSE.
            account.pause("ORDERS/billing", FAR.parse().unwrap()).await;
            let answer = ask(&account, "PAUSE", "ORDERS/billing", body).await;
            let effect = if answer["error"]["err_code"] == 10025 {
                Refused
            } else if answer["paused"] == true {
                Pauses
            } else {
                assert_eq!(answer["error"], json!(null), "{body}");
                Resumes
            };
            let surprise = format!("meets {body:?} with {expected:?} ({effect:?} instead)");
            assert_eq!(effect, expected, "{}", gone(&account, &surprise, rests));
        }
        // And the answer tells the truth.
        ask(&account, "PAUSE", "ORDERS/billing", "garbage").await;
        assert!(!account.look("ORDERS/billing").await.paused);
    }
}

/// The pause alone: `window::a_window_holds_its_consumers_from_its_opening_to_its_close`.
#[tokio::test(flavor = "multi_thread")]
async fn recess_writes_every_deadline_in_the_one_form_that_cannot_be_misread() {
    let World { server, account } = World::with(&["ORDERS/billing"]).await;
    account.durable("ORDERS/shipping").await;
    let span = Span::open_for(120);
    // A foreign deadline with a fraction of its own, which recess extends and gives back.
    let theirs = span.closes - 30.seconds() - 123_400_000.nanoseconds();
    account.pause("ORDERS/shipping", theirs).await;
    let tap = account.tap().await;
    let config = |span: Span| Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let sent = async |recess: &Recess, action| {
        let series = format!("requests_total{{action={action:?},result=\"ok\"}}");
        recess.until_metric(&series, 2.0, secs(10)).await;
    };

    let recess = Recess::start(&config(span)).await;
    sent(&recess, "pause").await;
    let shorter = span.closing(span.closes - 10.seconds());
    recess.reload(&config(shorter));
    sent(&recess, "retime").await;
    recess.reload(&Config::new([server.url()]));
    until("both are released", secs(10), async || {
        (tap.writes().len() >= 6).then_some(())
    })
    .await;

    for write in tap.writes() {
        let shape = write.body.replace(|char: char| char.is_ascii_digit(), "d");
        let fraction = shape
            .strip_prefix(r#"{"pause_until":"dddd-dd-ddTdd:dd:dd."#)
            .and_then(|rest| rest.strip_suffix(r#"Z"}"#));
        let nanoseconds = (1..=9).any(|digits| fraction == Some("d".repeat(digits).as_str()));
        assert!(nanoseconds, "{write:?}");
    }
    let bodies: Vec<_> = tap.writes().into_iter().map(|write| write.body).collect();
    for deadline in [span.deadline(), shorter.deadline(), theirs] {
        let body = format!(r#"{{"pause_until":"{deadline}"}}"#);
        assert!(bodies.contains(&body), "{body} is not in {bodies:#?}");
    }
}

/// That a glob leaves them alone: `window::a_glob_leaves_sourcing_and_ephemeral_consumers_alone_and_a_name_pauses_them`.
#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_consumers_that_are_nobodys_to_pause_and_the_server_pauses_them() {
    for binary in VERSIONS {
        let server = Server::start(version(binary)).unwrap();
        let account = Account::connect(&server.url()).await;
        account.stream("ORDERS").await;
        let sourcing = account.client.is_server_compatible(2, 14, 0);
        if sourcing {
            account.sourcing("ORDERS/copy").await;
        }
        let stream = account.jetstream.get_stream("ORDERS").await.unwrap();
        let ordered = pull::OrderedConfig::default();
        let ordered = stream.create_consumer(ordered).await.unwrap();
        let _reading = ordered.messages().await.unwrap();
        // What a client makes to watch a key-value bucket.
        let watcher = push::OrderedConfig {
            deliver_subject: account.client.new_inbox(),
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: "ORDERS.>".into(),
            ..Default::default()
        };
        let watcher = stream.create_consumer(watcher).await.unwrap();
        let _watching = watcher.messages().await.unwrap();

        let names = ask(&account, "NAMES", "ORDERS", "").await;
        let names = names["consumers"].as_array().unwrap().clone();
        let list = ask(&account, "LIST", "ORDERS", "").await;
        let list = list["consumers"].as_array().unwrap().clone();
        let rests = "passing over them (consumer::Kind)";
        let expected = 2 + usize::from(sourcing);
        for listed in [names.len(), list.len()] {
            let surprise = "lists watchers, ordered and sourcing consumers among the others";
            assert_eq!(listed, expected, "{}", gone(&account, surprise, rests));
        }
        for consumer in list {
            let path = format!("ORDERS/{}", consumer["name"].as_str().unwrap());
            let body = json!({ "pause_until": FAR }).to_string();
            let answer = ask(&account, "PAUSE", &path, &body).await;
            let config = &consumer["config"];
            let surprise = format!("pauses a consumer such as {config} ({answer})");
            let paused = account.is_paused_until(&path, FAR.parse().unwrap()).await;
            assert!(
                answer["paused"] == true && paused,
                "{}",
                gone(&account, &surprise, rests)
            );
            // By these two recess tells them.
            let durable = !config["durable_name"].is_null();
            assert_eq!(durable, config["ack_policy"] == "flow_control", "{config}");
        }
    }
}
