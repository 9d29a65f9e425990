//! What is sent to a bucket.

use async_nats::HeaderMap;
use recess::jetstream::bucket::BucketError;
use recess::overrides::entry::Undoing;
use serde_json::json;

use super::*;
use crate::support::account::{Account, next_of};

fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    headers.get(name).map(|value| value.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_has_an_end_and_takes_no_other_place() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    let account = Account::connect(&server.url()).await;
    let mut heard = account.listen("$KV.>").await;
    let (id, _) = create(&nats, "alice", "a").await;
    let put = next_of(&mut heard).await;
    assert_eq!(put.subject.as_str(), bucket().subject(&id));
    let headers = put.headers.unwrap();
    assert_eq!(header(&headers, "Nats-TTL"), Some("3600s"));
    let expected = header(&headers, "Nats-Expected-Last-Subject-Sequence");
    assert_eq!(expected, Some("0"));
    assert_eq!(header(&headers, "KV-Operation"), None);

    let one = read(&nats).await.live.remove(0);
    let soon = Duration::from_millis(10);
    let undone = nats
        .undo_override(&bucket(), &one, &undoing(&one), soon)
        .await;
    undone.unwrap();
    let purge = next_of(&mut heard).await;
    assert_eq!(purge.subject, put.subject);
    let headers = purge.headers.unwrap();
    assert_eq!(header(&headers, "Nats-TTL"), Some("1s"), "the shortest");
    assert_eq!(header(&headers, "KV-Operation"), Some("PURGE"));
    assert_eq!(header(&headers, "Nats-Rollup"), Some("sub"));
    // That is what makes it go.
    crate::support::recess::until("it is gone", secs(10), async || {
        read(&nats).await.is_empty().then_some(())
    })
    .await;
}

fn undoing(one: &Override) -> Undoing {
    Undoing {
        by: Some("alice".to_owned()),
        reason: None,
        at: one.terms.from,
    }
}

/// A transform makes each key of an author the same, so that all that are drawn exist.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_exists_is_drawn_again_and_not_for_ever() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({
        "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 1, "allow_direct": true, "allow_msg_ttl": true,
        "subject_transform": { "src": "$KV.recess.default.*.*", "dest": "$KV.recess.default.{{wildcard(1)}}.same" },
    });
    account.stream_with("KV_recess", settings).await;
    create(&nats, "alice", "a").await;
    let again = nats
        .create_override(&bucket(), "alice", &terms("b"), KEEP)
        .await;
    let taken = BucketError::Taken {
        bucket: "recess".to_owned(),
        draws: 5,
    };
    assert_eq!(again, Err(taken));
    create(&nats, "bob", "c").await;
    assert_eq!(windows(&read(&nats).await), ["a", "c"]);
}

/// A bucket that others made, which keeps a history.
#[tokio::test(flavor = "multi_thread")]
async fn an_undo_leaves_no_older_revision_behind_it() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({
        "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 5, "allow_direct": true, "allow_msg_ttl": true,
        "allow_rollup_hdrs": true,
    });
    account.stream_with("KV_recess", settings).await;
    create(&nats, "alice", "a").await;
    let one = read(&nats).await.live.remove(0);
    let undone = nats
        .undo_override(&bucket(), &one, &undoing(&one), KEEP)
        .await;
    undone.unwrap();
    let info = account.request("$JS.API.STREAM.INFO.KV_recess", "").await;
    assert_eq!(info["state"]["messages"], 1);
    assert_eq!(read(&nats).await.undone.len(), 1);
}
