//! One request reads all of an instance, and says what is not there.

use futures_util::future::join_all;
use jiff::SignedDuration;
use recess::jetstream::RequestError;
use recess::jetstream::bucket::{self, BucketError, LastRead};
use recess::jetstream::nats::Undid;
use recess::overrides::entry::Undoing;
use serde_json::json;

use super::*;
use crate::support::account::Account;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_back_in_the_order_of_the_bucket() {
    join_all(VERSIONS.map(written_and_read)).await;
}

async fn written_and_read(version: Option<&str>) {
    let server = server_of(version);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    let nothing = read(&nats).await;
    assert!(nothing.is_empty());
    assert_eq!(nothing.up_to, None);

    let (alice, first) = create(&nats, "alice", "a").await;
    let (bob, second) = create(&nats, "bob", "b").await;
    let (_, third) = create(&nats, "alice", "c").await;
    let all = read(&nats).await;
    assert_eq!(windows(&all), ["a", "b", "c"]);
    assert_eq!(all.up_to, Some(third));
    let sequences: Vec<u64> = all.live.iter().map(|one| one.sequence).collect();
    assert_eq!(sequences, [first, second, third]);
    let one = &all.live[0];
    assert_eq!((&one.id, one.id.author()), (&alice, "alice"));
    let age = Timestamp::now().duration_since(one.made).abs();
    assert!(age < SignedDuration::from_secs(5), "{age}");

    // Undone, it is still all that it was; deleted by other means only its id is left.
    let undoing = Undoing {
        by: Some("carol".to_owned()),
        reason: Some("over".to_owned()),
        at: one.terms.from,
    };
    let undo = nats.undo_override(&bucket(), one, &undoing, KEEP).await;
    assert_eq!(undo, Ok(Undid::WithWords));
    let account = Account::connect(&server.url()).await;
    account.erase(&bucket().subject(&bob), "DEL").await;
    let rest = read(&nats).await;
    assert_eq!(windows(&rest), ["c"]);
    let [first, second] = &rest.undone[..] else {
        panic!("{rest:?}");
    };
    assert_eq!((&first.id, &first.undoing), (&alice, &undoing));
    let was = first.was.as_ref().expect("it is known");
    assert_eq!(&was.terms, &one.terms);
    assert_eq!((&second.id, &second.undoing.by), (&bob, &None));
    assert!(second.was.is_none());
    assert_eq!(rest.up_to, Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_reads_its_own_and_how_far_the_bucket_has_come() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    create(&nats, "alice", "a").await;
    create(&nats, "alice", "b").await;
    let other = Bucket::new("recess", "other");
    let nothing = nats.overrides(&other).await.unwrap();
    assert!(nothing.is_empty());
    let end = nats.bucket_end(&other).await.unwrap();
    assert_eq!((end.last, end.is_empty), (2, true));
    let end = nats.bucket_end(&bucket()).await.unwrap();
    assert_eq!((end.last, end.is_empty), (2, false));
    nats.create_override(&other, "bob", &terms("c"), KEEP)
        .await
        .unwrap();
    assert_eq!(windows(&read(&nats).await), ["a", "b"]);
    assert_eq!(windows(&nats.overrides(&other).await.unwrap()), ["c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_costs_no_other() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    create(&nats, "alice", "a").await;
    let account = Account::connect(&server.url()).await;
    for (key, value) in [
        ("alice.note", "hello"),
        ("alice", "{}"),
        ("alice.deep.er", "{}"),
        ("bob.newer", r#"{"v":2}"#),
    ] {
        let subject = format!("$KV.recess.default.{key}");
        account.store(&subject, value).await;
    }
    let read = read(&nats).await;
    assert_eq!(read.live.len(), 1);
    let keys: Vec<&str> = read.unreadable.iter().map(|one| &*one.id).collect();
    assert_eq!(keys, ["alice.note", "alice", "alice.deep.er", "bob.newer"]);
    assert!(read.unreadable[3].reason.contains("version 2"), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_nobody_answers_is_told_as_far_as_it_may_be_asked() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let name = || "recess".to_owned();
    let missing = nats.overrides(&bucket()).await;
    assert_eq!(
        missing.unwrap_err(),
        BucketError::Missing { bucket: name() }
    );
    let put = nats
        .create_override(&bucket(), "a", &terms("w"), KEEP)
        .await;
    assert_eq!(put, Err(BucketError::Missing { bucket: name() }));

    let settings = json!({ "subjects": ["$KV.recess.>"], "allow_msg_ttl": true });
    account.stream_with("KV_recess", settings).await;
    create(&nats, "alice", "w").await;
    let closed = nats.overrides(&bucket()).await;
    assert_eq!(
        closed.unwrap_err(),
        BucketError::NoDirectGet { bucket: name() }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_made_anew_or_emptied_between_two_reads_counts() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let mut last = LastRead::default();
    let mut newest = async || bucket::read(&nats, &bucket(), &mut last).await.unwrap();
    nats.create_bucket(&bucket(), 1).await.unwrap();
    for name in ["a", "b", "c"] {
        create(&nats, "alice", name).await;
    }
    assert_eq!(windows(&newest().await.unwrap()), ["a", "b", "c"]);
    account.request("$JS.API.STREAM.DELETE.KV_recess", "").await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    create(&nats, "alice", "d").await;
    let anew = newest().await.unwrap();
    assert_eq!((windows(&anew), anew.up_to), (vec!["d"], Some(1)));
    account.request("$JS.API.STREAM.PURGE.KV_recess", "").await;
    assert!(newest().await.unwrap().is_empty());
    create(&nats, "alice", "e").await;
    assert_eq!(windows(&newest().await.unwrap()), ["e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_without_a_connection_and_a_read_that_is_cut_ends_at_once() {
    let mut server = server_of(None);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    server.signal("STOP");
    // Each of its threads stops on its own.
    tokio::time::sleep(secs(1) / 5).await;
    let reading = tokio::spawn({
        let nats = nats.clone();
        async move { nats.overrides(&bucket()).await }
    });
    tokio::time::sleep(secs(1) / 10).await;
    let began = Timestamp::now();
    server.kill();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error, BucketError::Request(RequestError::Cut));
    let took = Timestamp::now().duration_since(began);
    assert!(took < SignedDuration::from_secs(1), "{took}");
    let mut link = nats.link();
    link.wait_for(|link| matches!(link, Link::Down { .. }))
        .await
        .unwrap();
    let error = nats.overrides(&bucket()).await.unwrap_err();
    assert_eq!(error, BucketError::Request(RequestError::NotConnected));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_keys_than_a_server_answers_with_are_an_error_and_many_are_read_whole() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({ "subjects": ["$KV.recess.>"], "allow_direct": true });
    account.stream_with("KV_recess", settings).await;
    for number in 0..1023 {
        let subject = format!("$KV.recess.default.alice.{number}");
        account.client.publish(subject, "{}".into()).await.unwrap();
    }
    // It is stored behind the others.
    account.store("$KV.recess.default.alice.1023", "{}").await;
    let all = nats.overrides(&bucket()).await.unwrap();
    assert_eq!((all.unreadable.len(), all.up_to), (1024, Some(1024)));
    account.store("$KV.recess.default.alice.more", "{}").await;
    let error = nats.overrides(&bucket()).await.unwrap_err();
    assert_eq!(
        error,
        BucketError::Request(RequestError::TooLong { most: 1024 })
    );
}
