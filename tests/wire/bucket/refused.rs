//! What a write is refused for, and how soon.

use std::time::Instant;

use futures_util::future::join_all;
use recess::jetstream::RequestError;
use recess::jetstream::bucket::BucketError;
use recess::jetstream::nats::Undid;
use recess::overrides::entry::Undoing;
use serde_json::json;

use super::*;
use crate::support::account::Account;
use crate::support::operator::Operator;

/// An operator, and a reader; each may hear answers.
const USERS: &str = r#"
authorization {
  users: [
    { user: admin, password: admin }
    { user: alice, password: alice, permissions: {
        publish: { allow: ["$JS.API.INFO", "$KV.recess.default.alice.>", "$JS.API.DIRECT.GET.KV_recess", "$SYS.REQ.USER.INFO"] }
        subscribe: { allow: ["_INBOX_alice.>"] } } }
    { user: mute, password: mute, permissions: {
        publish: { allow: ["$JS.API.INFO"] }
        subscribe: { allow: ["_INBOX_mute.>"] } } }
  ]
}"#;

async fn restricted(binary: Option<&str>) -> (Server, Nats) {
    let server = Server::start(Options {
        config: USERS.to_owned(),
        ..version(binary)
    })
    .unwrap();
    let admin = connect_as_user(&server.url(), "admin").await;
    admin.create_bucket(&bucket(), 1).await.unwrap();
    (server, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_write_ends_within_200_ms_and_names_subject_and_user() {
    join_all(VERSIONS.map(denied)).await;
}

async fn denied(version: Option<&str>) {
    let (server, admin) = restricted(version).await;
    let alice = connect_as_user(&server.url(), "alice").await;
    create(&alice, "alice", "a").await;
    assert_eq!(windows(&read(&alice).await), ["a"]);

    let mute = connect_as_user(&server.url(), "mute").await;
    for (nats, author, user) in [(&alice, "bob", Some("alice")), (&mute, "mute", None)] {
        let began = Instant::now();
        let created = nats
            .create_override(&bucket(), author, &terms("b"), KEEP)
            .await;
        let took = began.elapsed();
        let Err(BucketError::Denied {
            subject,
            user: found,
        }) = created
        else {
            panic!("{created:?}");
        };
        assert!(took < Duration::from_millis(200), "{took:?}");
        assert!(
            subject.starts_with(&format!("$KV.recess.default.{author}.")),
            "{subject}"
        );
        assert_eq!(found.as_deref(), user);
    }

    // Nor can one operator undo another's.
    let (_, _) = create(&admin, "bob", "c").await;
    let bobs = read(&alice).await.live.remove(1);
    let undoing = Undoing {
        by: Some("alice".to_owned()),
        reason: None,
        at: bobs.terms.from,
    };
    let began = Instant::now();
    let undoing = alice.undo_override(&bucket(), &bobs, &undoing, KEEP).await;
    let took = began.elapsed();
    assert!(took < Duration::from_millis(200), "{took:?}");
    let words = undoing.unwrap_err().to_string();
    let subject = bucket().subject(&bobs.id);
    let expected =
        format!("permission denied to publish to {subject}: allow it for NATS user alice");
    assert_eq!(words, expected);

    // A read that is denied names them too.
    let began = Instant::now();
    let reading = mute.overrides(&bucket()).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(200));
    let subject = "$JS.API.DIRECT.GET.KV_recess".to_owned();
    assert_eq!(
        reading,
        BucketError::Denied {
            subject,
            user: None
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_may_not_ask_for_the_stream_is_told_what_it_may_be() {
    let (server, admin) = restricted(None).await;
    let alice = connect_as_user(&server.url(), "alice").await;
    // Nothing is there, and how far the bucket has come may not be asked.
    let nothing = read(&alice).await;
    assert_eq!((nothing.is_empty(), nothing.up_to), (true, None));
    let account = Account::connect_with(
        &server.url(),
        async_nats::ConnectOptions::with_user_and_password("admin".into(), "admin".into()),
    )
    .await;
    account.request("$JS.API.STREAM.DELETE.KV_recess", "").await;
    let silent = alice.overrides(&bucket()).await.unwrap_err();
    let bucket_name = "recess".to_owned();
    assert_eq!(
        silent,
        BucketError::Silent {
            bucket: bucket_name
        }
    );
    let put = alice
        .create_override(&bucket(), "alice", &terms("a"), KEEP)
        .await;
    assert_eq!(put.unwrap_err(), silent);
    drop(admin);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_of_a_connection_is_told_where_it_may_be_asked() {
    let (server, admin) = restricted(None).await;
    assert_eq!(admin.user().await.as_deref(), Some("admin"));
    let began = Instant::now();
    let mute = connect_as_user(&server.url(), "mute").await;
    assert_eq!(mute.user().await, None);
    assert!(began.elapsed() < secs(1), "{:?}", began.elapsed());
    let open = server_of(None);
    let nobody = connect(&open.url()).await;
    assert_eq!(nobody.user().await, None);
}

/// A scoped signing key can bind the author's token to that name (`{{name()}}`).
#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_is_known_by_a_key_goes_by_the_name_in_its_token() {
    join_all(VERSIONS.map(async |binary| {
        let operator = Operator::new();
        let server = Server::start(Options {
            config: operator.server_config(),
            ..version(binary)
        })
        .unwrap();
        let nats = connect_as(Connection {
            servers: vec![server.url()],
            auth: Auth::Credentials(Secret::Text(Redacted(operator.user(None)))),
            ..Connection::default()
        })
        .await;
        assert_eq!(nats.user().await.as_deref(), Some("test"), "{binary:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_bucket_and_a_long_value_are_refused_and_undo_still_works() {
    join_all(VERSIONS.map(full)).await;
}

async fn full(version: Option<&str>) {
    let server = server_of(version);
    let nats = connect(&server.url()).await;
    let account = Account::connect(&server.url()).await;
    let settings = json!({
        "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 1, "discard": "new", "allow_rollup_hdrs": true,
        "allow_direct": true, "allow_msg_ttl": true, "max_bytes": 2048, "max_msg_size": 1024,
    });
    account.stream_with("KV_recess", settings).await;
    let long = Terms {
        reason: Some("x".repeat(2000).into()),
        ..terms("w")
    };
    let name = || "recess".to_owned();
    let refused = nats.create_override(&bucket(), "alice", &long, KEEP).await;
    assert_eq!(refused, Err(BucketError::TooLong { bucket: name() }));
    let mut stored = 0;
    let refused = loop {
        match nats
            .create_override(&bucket(), "alice", &terms("w"), KEEP)
            .await
        {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, BucketError::Full { bucket: name() });
    assert!(stored > 2, "{stored}");
    let one = read(&nats).await.live.remove(0);
    let undoing = Undoing {
        by: None,
        reason: None,
        at: one.terms.from,
    };
    let surprise =
        "a full bucket takes a longer value in the place of a shorter: Undid::WithoutWords can go";
    let undone = nats.undo_override(&bucket(), &one, &undoing, KEEP).await;
    assert_eq!(undone, Ok(Undid::WithoutWords), "{surprise}");
    let read = read(&nats).await;
    assert_eq!((read.live.len(), read.undone.len()), (stored - 1, 1));
    assert_eq!((&read.undone[0].id, &read.undone[0].was), (&one.id, &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_no_limit_of_a_bucket_would_stop_is_refused_before_it_is_sent() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    // There is no bucket: nothing was asked.
    let long = Terms {
        reason: Some("x".repeat(5000).into()),
        ..terms("w")
    };
    let refused = nats.create_override(&bucket(), "alice", &long, KEEP).await;
    let bucket_name = "recess".to_owned();
    assert_eq!(
        refused,
        Err(BucketError::TooLong {
            bucket: bucket_name
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_a_server_that_hangs_ends_after_the_request_timeout() {
    let server = server_of(None);
    let nats = connect(&server.url()).await;
    nats.create_bucket(&bucket(), 1).await.unwrap();
    server.signal("STOP");
    let began = Instant::now();
    let put = nats
        .create_override(&bucket(), "alice", &terms("w"), KEEP)
        .await;
    let Err(BucketError::Request(RequestError::TimedOut { .. })) = put else {
        panic!("{put:?}");
    };
    assert!(began.elapsed() < secs(3));
    server.signal("CONT");
}
