//! A bucket in another domain, or behind an import.

use recess::jetstream::bucket::BucketError;
use serde_json::json;

use super::*;
use crate::places::{hub_and_leaf, server};
use crate::support::account::Account;

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_a_domain_is_written_and_read_through_a_leaf_node_with_a_bucket_of_its_own() {
    let (hub, _, leaf) = hub_and_leaf().await;
    let at_hub = connect(&hub.url()).await;
    at_hub.create_bucket(&bucket(), 1).await.unwrap();
    let at_leaf = connect(&leaf.url()).await;
    at_leaf.create_bucket(&bucket(), 1).await.unwrap();

    let through = connect_to_domain(&leaf.url(), "hub").await;
    create(&through, "alice", "hub").await;
    assert_eq!(windows(&read(&through).await), ["hub"]);
    assert_eq!(windows(&read(&at_hub).await), ["hub"]);
    assert!(read(&at_leaf).await.is_empty());
    // Without the domain it is the leaf node's own that takes it, with a good answer.
    create(&at_leaf, "alice", "leaf").await;
    assert_eq!(windows(&read(&at_leaf).await), ["leaf"]);
    assert_eq!(windows(&read(&through).await), ["hub"]);
}

/// Two accounts of one server: what brings the rest of the API is not all that it takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_behind_an_import_needs_an_import_of_its_keys_and_a_stream_of_responses() {
    let of_keys =
        "{ service: { account: APP, subject: \"$KV.recess.>\" }, to: \"app.api.$KV.recess.>\" }";
    let stream = ", response: stream";
    for (of_keys, response) in [("", stream), (of_keys, ""), (of_keys, stream)] {
        let server = server(format!(
            "accounts {{
                APP {{
                    jetstream: enabled
                    users: [ {{ user: app, password: app }} ]
                    exports: [ {{ service: \"$JS.API.>\"{response} }}, {{ service: \"$KV.recess.>\" }} ]
                }}
                OPS {{
                    users: [ {{ user: ops, password: ops }} ]
                    imports: [
                        {{ service: {{ account: APP, subject: \"$JS.API.>\" }}, to: \"app.api.>\" }}
                        {of_keys}
                    ]
                }}
            }}"
        ));
        let app = connect_as_user(&server.url(), "app").await;
        app.create_bucket(&bucket(), 1).await.unwrap();
        create(&app, "bob", "b").await;
        let ops = connect_as(Connection {
            servers: vec![server.url()],
            auth: Auth::UserPassword {
                username: "ops".to_owned(),
                password: Secret::Text(Redacted("ops".to_owned())),
            },
            api: Api::Prefix("app.api".to_owned()),
            ..Connection::default()
        })
        .await;
        let created = ops
            .create_override(&bucket(), "alice", &terms("a"), KEEP)
            .await;
        assert_eq!(created.is_ok(), !of_keys.is_empty(), "{created:?}");
        let read = ops.overrides(&bucket()).await;
        if response.is_empty() {
            let error = read.unwrap_err();
            let words =
                "app.api.DIRECT.GET.KV_recess was answered with 1 of its messages and no end";
            assert!(error.to_string().starts_with(words), "{error}");
        } else {
            assert_eq!(
                windows(&read.unwrap()).len(),
                1 + usize::from(created.is_ok())
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_stream_stores_is_an_error() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({ "subjects": ["$KV.>"], "allow_msg_ttl": true });
    account.stream_with("ALL", settings).await;
    let created = nats
        .create_override(&bucket(), "alice", &terms("a"), KEEP)
        .await;
    let Err(error @ BucketError::Elsewhere { .. }) = created else {
        panic!("{created:?}");
    };
    let words = error.to_string();
    assert!(
        words.starts_with("stored in stream ALL (domain none) instead of KV_recess: "),
        "{words}"
    );
}
