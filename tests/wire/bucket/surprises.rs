//! What a key-value bucket does that nobody would expect, and that recess is built around: see
//! `surprises.rs` for how these tests are made.

use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::{HeaderMap, Message};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::support::account::{Account, next_of};
use crate::support::recess::until;
use crate::surprises::gone;

const KEY: &str = "$KV.recess.default.alice.k7f2q";

async fn world(version: Option<&str>, settings: Value) -> (Server, Account) {
    let server = server_of(version);
    let account = Account::connect(&server.url()).await;
    let mut all = json!({
        "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 1, "discard": "new", "allow_rollup_hdrs": true,
        "deny_delete": true, "allow_direct": true, "allow_msg_ttl": true,
    });
    let Value::Object(settings) = settings else {
        panic!("no settings: {settings}");
    };
    all.as_object_mut().unwrap().extend(settings);
    account.stream_with("KV_recess", all).await;
    (server, account)
}

fn ttl(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_TTL, text);
    headers
}

/// The server's `err_code`, or nothing where it is stored.
async fn put(account: &Account, headers: HeaderMap, value: &str) -> Option<u64> {
    let answer = account.put(KEY, headers, value).await;
    answer["error"]["err_code"].as_u64()
}

/// The newest revision of the key, or that there is none.
async fn newest(account: &Account) -> Message {
    let request = json!({ "last_by_subj": KEY }).to_string();
    let subject = "$JS.API.DIRECT.GET.KV_recess";
    let answer = account.client.request(subject, request.into());
    answer.await.unwrap()
}

/// What the key holds.
async fn value(account: &Account) -> Option<String> {
    let newest = newest(account).await;
    let found = newest.status.is_none();
    found.then(|| String::from_utf8(newest.payload.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_to_live_needs_a_setting_and_a_second() {
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({ "allow_msg_ttl": false })).await;
        let surprise = "refuses a time to live where the stream does not allow it";
        let refused = put(&account, ttl("60s"), "{}").await;
        assert_eq!(
            refused,
            Some(10166),
            "{}",
            gone(&account, surprise, "the setting")
        );
        assert_eq!(put(&account, HeaderMap::new(), "{}").await, None);

        let (_server, account) = world(version, json!({})).await;
        for (text, expected) in [
            ("1s", None),
            ("60s", None),
            ("1h30m", None),
            ("3600", None),
            ("0.5s", Some(10165)),
            ("-1s", Some(10165)),
            ("soon", Some(10165)),
        ] {
            let surprise = format!("meets {text:?} with {expected:?}");
            let found = put(&account, ttl(text), "{}").await;
            let rests = "the shortest time to live (put::SHORTEST_TTL)";
            assert_eq!(found, expected, "{}", gone(&account, &surprise, rests));
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_to_live_can_be_allowed_later_and_not_taken_back() {
    let settings = |allow: bool| {
        json!({
            "name": "KV_recess", "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 1, "discard": "new",
            "allow_rollup_hdrs": true, "deny_delete": true, "allow_direct": true, "allow_msg_ttl": allow,
        })
    };
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({ "allow_msg_ttl": false })).await;
        let update = async |allow| {
            let body = settings(allow).to_string();
            let answer = account.ask("$JS.API.STREAM.UPDATE.KV_recess", &body).await;
            answer["error"]["err_code"].as_u64()
        };
        assert_eq!(update(true).await, None, "the hint of bucket::judge holds");
        assert_eq!(put(&account, ttl("60s"), "{}").await, None);
        assert_eq!(update(false).await, Some(10052));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_is_gone_and_no_subscriber_hears_of_it() {
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({})).await;
        let mut heard = account.listen("$KV.>").await;
        assert_eq!(put(&account, ttl("1s"), "{}").await, None);
        next_of(&mut heard).await;
        until("it has expired", secs(10), async || {
            value(&account).await.is_none().then_some(())
        })
        .await;
        let surprise = "keeps the end of a time to live from subscribers";
        let later = tokio::time::timeout(secs(1) / 2, heard.next()).await;
        let rests = "that each override has its own end";
        assert!(later.is_err(), "{}", gone(&account, surprise, rests));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_max_age_ends_a_longer_time_to_live() {
    let second = 1_000_000_000_u64;
    join_all(VERSIONS.map(async |version| {
        let settings = json!({ "max_age": second, "duplicate_window": second });
        let (_server, account) = world(version, settings).await;
        assert_eq!(put(&account, ttl("1h"), "{}").await, None);
        let surprise = "ends a key at max_age, whatever its time to live is";
        let rests = "`bucket-age` of bucket::judge";
        until(&gone(&account, surprise, rests), secs(10), async || {
            value(&account).await.is_none().then_some(())
        })
        .await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_history_an_older_revision_is_current_again_when_the_newest_expires() {
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({ "max_msgs_per_subject": 5 })).await;
        assert_eq!(put(&account, ttl("1h"), "old").await, None);
        assert_eq!(put(&account, ttl("1s"), "new").await, None);
        assert_eq!(value(&account).await.as_deref(), Some("new"));
        let surprise = "brings an older revision back";
        let rests = "`bucket-history` of bucket::judge";
        until(&gone(&account, surprise, rests), secs(10), async || {
            (value(&account).await.as_deref() == Some("old")).then_some(())
        })
        .await;
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_creates_at_once_one_wins_and_none_does_after_a_delete() {
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({})).await;
        let create = || {
            let mut headers = ttl("1h");
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
            put(&account, headers, "{}")
        };
        let mut answers = join_all((0..5).map(|_| create())).await;
        answers.sort();
        let lost = Some(10071);
        assert_eq!(answers, [None, lost, lost, lost, lost]);
        account.erase(KEY, "DEL").await;
        let surprise = "refuses a create where a delete has left a marker";
        let rests = "drawing another id (put::create_override)";
        assert_eq!(create().await, lost, "{}", gone(&account, surprise, rests));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_hear_of_puts_that_are_refused() {
    join_all(VERSIONS.map(async |version| {
        let (_server, account) = world(version, json!({ "max_msg_size": 100 })).await;
        let mut heard = account.listen("$KV.>").await;
        let long = "x".repeat(200);
        assert_eq!(put(&account, HeaderMap::new(), &long).await, Some(10054));
        let message = tokio::time::timeout(secs(2), heard.next()).await;
        let surprise = "shows refused puts to subscribers";
        let rests = "reading the bucket at a hint instead of taking the message";
        let was_heard = message.is_ok_and(|message| message.is_some());
        assert!(was_heard, "{}", gone(&account, surprise, rests));
        assert_eq!(value(&account).await, None);
    }))
    .await;
}

/// So the author is the key's token, which permissions bind.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stored_names_the_client() {
    let (_server, account) = world(None, json!({})).await;
    assert_eq!(put(&account, ttl("1h"), "{}").await, None);
    let headers = newest(&account).await.headers.unwrap();
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    let rests = "the author in the key";
    let expected = [
        "Nats-Num-Pending",
        "Nats-Sequence",
        "Nats-Stream",
        "Nats-Subject",
        "Nats-TTL",
        "Nats-Time-Stamp",
    ];
    names.retain(|name| name != "Nats-Num-Pending");
    assert_eq!(
        names,
        expected[1..],
        "{}",
        gone(&account, "keeps silent on it", rests)
    );
}
