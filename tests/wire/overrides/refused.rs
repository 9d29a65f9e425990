//! What cannot be done, and what the commands say of it.

use std::time::{Duration, Instant};

use async_nats::ConnectOptions;

use super::*;
use crate::support::config::Config;
use crate::support::nats_server::Options;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bucket_or_a_reason_the_command_says_what_to_add() {
    // No server is asked.
    let nowhere = Config::new(["nats://127.0.0.1:1".to_owned()]);
    let bare = night(nowhere.clone(), Span::opening_in(60, 60));
    for arguments in [
        &["close", "night"][..],
        &["skip", "night"],
        &["undo", "alice.k7f2q"],
        &["overrides"],
        &["overrides", "create"],
    ] {
        let (exit, out, err) = ask(&bare, arguments);
        assert_eq!((exit, &*out), (Some(78), ""), "{err}");
        assert!(err.starts_with("error: overrides have no bucket: add the lines\n\n    [overrides]\n    bucket = \"recess\"\n"), "{err}");
    }
    let config = night(
        nowhere.set(r#"overrides.bucket = "recess""#),
        Span::opening_in(60, 60),
    )
    .window("day", &["EVENTS/*"], Span::opening_in(600, 60));
    for (arguments, words) in [
        (
            &["close", "night"][..],
            "error: a reason is missing: add --reason 'TEXT' (or set reason = \"optional\" in [overrides] of ",
        ),
        (
            &["pause", "ORDERS/*", "--for", "1h", "--reason", " "],
            "error: a reason is missing",
        ),
        (
            &["close", "nigth", "--reason", "x"],
            "did you mean `night`?",
        ),
        (
            &[
                "open",
                "night",
                "--until",
                "2020-01-01T00:00:00Z",
                "--reason",
                "x",
            ],
            "error: 2020-01-01T00:00:00Z is past",
        ),
    ] {
        let (exit, out, err) = ask(&config, arguments);
        assert_eq!((exit, &*out), (Some(2), ""), "{err}");
        assert!(err.contains(words), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_refused_with_what_was_meant() {
    let (_world, config) = world().await;
    let config = night(config, Span::opening_in(3600, 60));
    let (exit, _, err) = alice(&config, &["undo", "alice.k7f2q"]);
    assert_eq!(exit, Some(1));
    assert_eq!(
        err,
        "error: there is no override alice.k7f2q; no override is active or ahead\nnothing was undone\n"
    );
    let skipped = done(&config, &["skip", "night"]);
    let full = id(&skipped);
    let token = full.split_once('.').unwrap().1;
    for wrong in [token, &format!("alcie.{token}")] {
        let (exit, _, err) = alice(&config, &["undo", wrong]);
        assert_eq!(exit, Some(1));
        assert_eq!(
            err,
            format!(
                "error: there is no override {wrong}; did you mean {full}?\nnothing was undone\n"
            )
        );
    }
    done(&config, &["undo", full]);
    let (exit, _, err) = alice(&config, &["undo", full]);
    assert_eq!(exit, Some(1));
    assert!(
        err.starts_with(&format!("error: override {full} was undone by alice at ")),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_made_otherwise_is_compared() {
    let (_world, config) = world().await;
    let (exit, out, err) = ask(&config, &["overrides", "create"]);
    assert_eq!(
        (exit, &*out, &*err),
        (
            Some(0),
            "Bucket recess exists and is as it should be.\n",
            ""
        )
    );
    let (exit, _, err) = ask(&config, &["overrides", "create", "--replicas", "3"]);
    assert_eq!(exit, Some(0));
    assert!(
        err.starts_with("warning: bucket recess: it has 1 replica"),
        "{err}"
    );
    let (exit, out, _) = ask(&config, &["overrides"]);
    assert_eq!(
        (exit, &*out),
        (Some(0), "No override is active or ahead.\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_fails_at_once_and_views_go_on_without() {
    let world = World::with(&[BILLING]).await;
    let config = world.config().set(r#"overrides.bucket = "recess""#);
    let config = night(config, Span::opening_in(3600, 60));
    let (exit, _, err) = alice(&config, &["skip", "night"]);
    assert_eq!(exit, Some(1));
    assert!(
        err.contains("bucket recess does not exist: make it with `recess overrides create`"),
        "{err}"
    );
    let (exit, out, err) = ask(&config, &["plan"]);
    assert_eq!(exit, Some(0));
    assert!(out.contains("night"), "{out}");
    assert!(
        err.starts_with("without overrides: bucket recess does not exist"),
        "{err}"
    );
}

/// Alice may write overrides, and nothing more: neither the consumers nor their pauses are hers to see. Carol may observe,
/// and pause none.
const USERS: &str = r#"
authorization {
  users: [
    { user: admin, password: admin }
    { user: alice, password: alice, permissions: {
        publish: { allow: ["$JS.API.INFO", "$KV.recess.prod-eu.alice.>", "$JS.API.DIRECT.GET.KV_recess", "$SYS.REQ.USER.INFO"] }
        subscribe: { allow: ["_INBOX_alice.>"] } } }
    { user: carol, password: carol, permissions: {
        publish: { allow: ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.CONSUMER.LIST.*", "$JS.API.CONSUMER.INFO.*.*",
          "$KV.recess.prod-eu.carol.>", "$JS.API.DIRECT.GET.KV_recess", "$SYS.REQ.USER.INFO"] }
        subscribe: { allow: ["_INBOX_carol.>"] } } }
  ]
}"#;

/// A server with those users, a bucket, and a consumer that a window names.
struct Operators {
    world: World,
    secrets: tempfile::TempDir,
}

impl Operators {
    async fn start() -> Self {
        let options = Options {
            config: USERS.to_owned(),
            ..Options::default()
        };
        let application = ConnectOptions::with_user_and_password("admin".into(), "admin".into());
        let world = World::start(options, application).await;
        world.account.durables(&[BILLING]).await;
        let secrets = tempfile::tempdir().unwrap();
        let operators = Self { world, secrets };
        let created = ask(&operators.config("admin"), &["overrides", "create"]);
        assert_eq!(created.0, Some(0), "{}", created.2);
        operators
    }

    /// The config file of one of them.
    fn config(&self, name: &str) -> Config {
        let file = self.secrets.path().join(name);
        std::fs::write(&file, name).unwrap();
        let config = (self.world.config())
            .set(r#"overrides.bucket = "recess""#)
            .set(&format!("nats.username = {name:?}"))
            .file("nats.password_file", &file)
            .set(&format!("nats.inbox_prefix = \"_INBOX_{name}\""));
        night(config, Span::opening_in(3600, 60))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_writes_only_under_her_own_name_and_a_denial_is_told_at_once() {
    let operators = Operators::start().await;
    let (admin, operator) = (operators.config("admin"), operators.config("alice"));

    // Without --author it is the NATS user.
    let arguments = ["skip", "night", "--reason", "tests", "--format", "json"];
    let (exit, out, err) = ask(&operator, &arguments);
    assert_eq!(exit, Some(0), "{err}");
    assert!(err.starts_with("note: cannot observe "), "{err}");
    let skipped: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(skipped["by"], "alice");

    let begun = Instant::now();
    let (exit, out, err) = ask(&operator, &[&arguments[..], &["--author", "bob"]].concat());
    // A timeout would take three seconds, for the answer alone.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!((exit, &*out), (Some(1), ""));
    let words = "error: permission denied to publish to $KV.recess.prod-eu.bob.";
    let line = err.lines().find(|line| line.starts_with(words));
    assert!(
        line.is_some_and(|line| line.ends_with(": allow it for NATS user alice")),
        "{err}"
    );

    let (exit, out, err) = ask(
        &admin,
        &[
            "open", "night", "--for", "1h", "--author", "bob", "--reason", "x", "--format", "json",
        ],
    );
    assert_eq!(exit, Some(0), "{err}");
    let opened: Value = serde_json::from_str(&out).unwrap();
    let (exit, _, err) = ask(&operator, &["undo", id(&opened)]);
    assert_eq!(exit, Some(1));
    let hint = "only bob may undo it. The last override counts, so write a newer one: `recess close night --reason 'TEXT'`";
    assert!(err.contains(hint), "{err}");
    assert_eq!(
        listed(&operator, &[]),
        json!([[skipped["id"], "ahead"], [opened["id"], "active"]])
    );

    // What is wrong with the bucket is a finding.
    let (_, out, _) = ask(&admin, &["check", "--live", "--format", "json"]);
    assert!(!out.contains("bucket"), "{out}");
    let (_, out, _) = ask(&admin.set(r#"overrides.keep = "8d""#), &["check", "--live"]);
    assert!(!out.contains("bucket-"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_live_judges_the_bucket() {
    let world = World::with(&[BILLING]).await;
    let config = world.config().set(r#"overrides.bucket = "recess""#);
    let config = night(config, Span::opening_in(3600, 60));
    let codes = || {
        let (exit, out, _) = ask(&config, &["check", "--live", "--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let codes: Vec<Value> = findings.iter().map(|one| one["code"].clone()).collect();
        (exit, json!(codes))
    };
    assert_eq!(codes(), (Some(3), json!(["bucket-missing"])));
    let stream = async_nats::jetstream::stream::Config {
        name: "KV_recess".to_owned(),
        subjects: vec!["$KV.recess.>".to_owned()],
        max_messages_per_subject: 5,
        allow_direct: true,
        ..Default::default()
    };
    world.account.jetstream.create_stream(stream).await.unwrap();
    let (exit, found) = codes();
    assert_eq!(exit, Some(3));
    for code in [
        "bucket-history",
        "bucket-ttl",
        "bucket-rollup",
        "bucket-discard",
    ] {
        assert!(found.as_array().unwrap().contains(&json!(code)), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_may_pause_none_learns_at_once_that_no_daemon_does() {
    let operators = Operators::start().await;
    let begun = Instant::now();
    let arguments = ["open", "night", "--for", "10m", "--reason", "tests"];
    let (exit, out, err) = ask(&operators.config("carol"), &arguments);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(exit, Some(1), "{err}");
    // It is written all the same: a daemon that comes reads it.
    assert!(out.starts_with("Opened night (carol."), "{out}");
    let words = "error: ORDERS > billing is not as wanted: no daemon acted on it within 1 s, and this command cannot: \
                 permission denied to publish to $JS.API.CONSUMER.PAUSE.ORDERS.billing";
    assert!(err.starts_with(words), "{err}");
}
