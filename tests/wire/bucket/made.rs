//! The bucket as recess makes it, and as others do.

use futures_util::future::join_all;
use recess::jetstream::bucket::judge::{BucketSettings, judge};
use recess::jetstream::nats::Made;
use serde_json::json;

use super::*;
use crate::support::account::Account;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_made_as_printed_and_one_that_is_there_stays_as_it_is() {
    join_all(VERSIONS.map(made)).await;
}

async fn made(version: Option<&str>) {
    let server = server_of(version);
    let nats = connect(&server.url()).await;
    assert_eq!(nats.bucket_settings(&bucket()).await.unwrap(), None);
    assert_eq!(nats.create_bucket(&bucket(), 1).await, Ok(Made::Created));
    let ours = BucketSettings::ours(1);
    assert_eq!(
        nats.create_bucket(&bucket(), 1).await,
        Ok(Made::Exists(ours.clone()))
    );
    assert_eq!(judge(Some(&ours), &bucket(), 1), []);
    let account = Account::connect(&server.url()).await;
    let info = account.request("$JS.API.STREAM.INFO.KV_recess", "").await;
    let config = &info["config"];
    for (key, expected) in [
        ("subjects", json!(["$KV.recess.>"])),
        ("max_msgs_per_subject", json!(1)),
        ("max_bytes", json!(1 << 20)),
        ("max_msg_size", json!(4096)),
        ("discard", json!("new")),
        ("storage", json!("file")),
        ("allow_rollup_hdrs", json!(true)),
        ("deny_delete", json!(true)),
        ("allow_direct", json!(true)),
        ("allow_msg_ttl", json!(true)),
        ("max_age", json!(0)),
        ("subject_delete_marker_ttl", json!(null)),
    ] {
        assert_eq!(config[key], expected, "{key}");
    }
}

/// As `nats kv add` makes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_bucket_of_other_tools_lacks_the_time_to_live() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({
        "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 5, "discard": "new", "allow_rollup_hdrs": true,
        "deny_delete": true, "allow_direct": true, "max_age": 3_600_000_000_000_u64,
    });
    account.stream_with("KV_recess", settings).await;
    let settings = nats.bucket_settings(&bucket()).await.unwrap();
    let faults = judge(settings.as_ref(), &bucket(), 1);
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["bucket-history", "bucket-ttl", "bucket-age"]);
    let error = nats
        .create_override(&bucket(), "alice", &terms("w"), KEEP)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("set allow_msg_ttl"), "{error}");
}
