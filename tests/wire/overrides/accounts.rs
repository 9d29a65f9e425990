//! Who may do what: the users of `examples/nats/overrides`, by password and by token. A daemon reads, two operators write
//! under their own names, a reader lists.

use std::fs;
use std::time::Instant;

use async_nats::{ConnectOptions, HeaderMap};
use futures_util::StreamExt;

use super::*;
use crate::nats_examples::{allowed, config, example, password, push, server};
use crate::support::nats_server::Server;
use crate::support::operator::Operator;
use crate::support::recess::{Recess, secs};

const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
const WINDOW: &str = "nightly-vacuum";

/// A server with the users, and the folders with their credentials.
struct Users {
    server: Server,
    admin: Account,
    secrets: tempfile::TempDir,
    /// In place of the example's lines with user and password, where it is not by those.
    login: Option<&'static str>,
}

const LOGIN: &str =
    "username = \"recess\"\npassword_file = \"$CREDENTIALS_DIRECTORY/nats.password\"";

impl Users {
    /// `credentials`: of each user, the administrator's too.
    async fn of(
        server: Server,
        login: Option<&'static str>,
        credentials: &[(&str, String)],
    ) -> Self {
        let secrets = tempfile::tempdir().unwrap();
        for (user, secret) in credentials {
            let folder = secrets.path().join(user);
            fs::create_dir(&folder).unwrap();
            let name = login.map_or("nats.password", |_| "nats.creds");
            fs::write(folder.join(name), secret).unwrap();
        }
        let (_, secret) = &credentials[0];
        let options = options(login, credentials[0].0, secret);
        let admin = Account::connect_with(&server.url(), options).await;
        admin.durable(BILLING).await;
        let users = Self {
            server,
            admin,
            secrets,
            login,
        };
        let (exit, _, err) = ask(&users.config("admin"), &["overrides", "create"]);
        assert_eq!((exit, &*err), (Some(0), ""));
        users
    }

    /// The config file of a user.
    fn config(&self, user: &str) -> Config {
        let name = format!("username = {user:?}");
        let inbox = format!("_INBOX_{user}");
        let mut changes = vec![
            ("nats://nats.example.com:4222", self.server.url()),
            ("_INBOX_recess", inbox),
        ];
        match self.login {
            Some(login) => changes.push((LOGIN, login.to_owned())),
            None => changes.push(("username = \"recess\"", name)),
        }
        let changes: Vec<_> = (changes.iter()).map(|(from, to)| (*from, &**to)).collect();
        config("overrides", &changes, &self.secrets.path().join(user))
    }

    /// A connection of a user without recess.
    async fn client(&self, user: &str) -> Account {
        let folder = self.secrets.path().join(user);
        let name = self.login.map_or("nats.password", |_| "nats.creds");
        let secret = fs::read_to_string(folder.join(name)).unwrap();
        let inbox = format!("_INBOX_{user}");
        let options = options(self.login, user, &secret).custom_inbox_prefix(inbox);
        Account::connect_with(&self.server.url(), options).await
    }

    /// Sends that, and returns when the server has let it in or has not. (A flush would not wait for it; what the same
    /// connection sends after it is seen after it.)
    async fn send(&self, user: &Account, subject: &str) {
        let mut tap = self.admin.listen("$JS.API.STREAM.NAMES").await;
        for (subject, payload) in [(subject, "{}"), ("$JS.API.STREAM.NAMES", "next")] {
            let sent = user.client.publish(subject.to_owned(), payload.into());
            sent.await.unwrap();
        }
        let seen = async {
            while let Some(message) = tap.next().await {
                if message.payload == "next" {
                    return;
                }
            }
        };
        tokio::time::timeout(secs(10), seen).await.unwrap();
    }

    /// How often the bucket was written, this once included: what was let in before is stored before.
    async fn written(&self) -> u64 {
        let put = (self.admin).put("$KV.recess.prod-eu.admin.aaaaa", HeaderMap::new(), "{}");
        put.await["seq"].as_u64().unwrap()
    }
}

fn options(login: Option<&str>, user: &str, secret: &str) -> ConnectOptions {
    match login {
        Some(_) => ConnectOptions::with_credentials(secret).unwrap(),
        None => password(user, secret),
    }
}

/// What a user's command prints as JSON, which does all that it should.
fn does(config: &Config, arguments: &[&str]) -> Value {
    let (exit, out, err) = ask(config, &[arguments, &["--format", "json"]].concat());
    assert_eq!((exit, &*err), (Some(0), ""), "{arguments:?}: {out}");
    serde_json::from_str(&out).unwrap()
}

/// What a command says that is not permitted to write, which is known at once.
fn is_denied(config: &Config, arguments: &[&str], subject: &str, user: &str) -> String {
    let began = Instant::now();
    let (exit, out, err) = ask(config, arguments);
    // Without the server's word it would end after a timeout of three seconds.
    assert!(began.elapsed() < secs(3), "{:?}", began.elapsed());
    assert_eq!((exit, &*out), (Some(1), ""), "{arguments:?}: {err}");
    let words = format!("permission denied to publish to {subject}");
    assert!(err.contains(&words), "{err}");
    assert!(
        err.contains(&format!(": allow it for NATS user {user}\n")),
        "{err}"
    );
    err
}

/// The example's users: each can do what is for him to do, and nothing more.
async fn each_does_what_is_for_him(users: &Users) {
    let recess = Recess::start(&users.config("recess")).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    let [alice, bob, reader] = ["alice", "bob", "reader"].map(|user| users.config(user));

    let because = ["--reason", "vacuum is done"];
    let closed = does(&alice, &[&["close", WINDOW][..], &because].concat());
    assert_eq!(closed["by"], "alice");
    assert_eq!(held(&users.admin, BILLING).await, None);
    // It heard of the override: only that, for the consumer is the window's still.
    recess.until_metric(PAUSED, 0.0, secs(5)).await;
    recess.until_log(id(&closed)).await;

    let of_alice = format!("$KV.recess.prod-eu.{}", id(&closed));
    let said = is_denied(&bob, &["undo", id(&closed)], &of_alice, "bob");
    let instead = format!(
        "only alice may undo it. The last override counts, so write a newer one: `recess open {WINDOW} --until "
    );
    assert!(said.contains(&instead), "{said}");
    let open = ["open", WINDOW, "--for", "10m", "--reason", "it is not"];
    let as_alice = [&open[..], &["--author", "alice"]].concat();
    is_denied(&bob, &as_alice, "$KV.recess.prod-eu.alice.", "bob");

    let opened = does(&bob, &open);
    assert_eq!(opened["by"], "bob");
    let until = instant(&opened["until"]);
    assert_eq!(
        held(&users.admin, BILLING).await.map(|(until, _)| until),
        Some(until)
    );
    recess.until_metric(PAUSED, 1.0, secs(5)).await;

    let all = json!([[closed["id"], "active"], [opened["id"], "active"]]);
    assert_eq!(listed(&reader, &[]), all);
    let rows = does(&reader, &["status"]);
    assert_eq!(rows[0]["overrides"], json!([opened["id"]]), "{rows}");
    assert_eq!(rows[0]["observed"]["state"], "paused", "{rows}");
    does(&reader, &["plan"]);
    let close = [&["close", WINDOW][..], &because].concat();
    is_denied(&reader, &close, "$KV.recess.prod-eu.reader.", "reader");
    let resume = [&["resume", BILLING][..], &because].concat();
    is_denied(&reader, &resume, "$KV.recess.prod-eu.reader.", "reader");
    assert_eq!(listed(&reader, &[]), all);

    // The same without recess: with the credentials alone.
    let key = |author: &str| format!("$KV.recess.prod-eu.{author}.aaaaa");
    for user in ["recess", "reader", "bob", "alice"] {
        let client = users.client(user).await;
        for author in ["recess", "reader", "bob", "alice", "carol"] {
            let before = users.written().await;
            users.send(&client, &key(author)).await;
            let may = user == author && ["alice", "bob"].contains(&user);
            let written = users.written().await - before - 1;
            assert_eq!(written, u64::from(may), "{user} as {author}");
        }
    }
    let pause = "$JS.API.CONSUMER.PAUSE.ORDERS.billing";
    let thief = users.client("reader").await;
    users.send(&thief, pause).await;
    assert!(users.admin.look(BILLING).await.paused);

    let log = recess.log();
    assert!(!log.contains("denied"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_password_an_operator_writes_and_undoes_only_what_is_his() {
    let server = server("overrides/server.conf", &[]);
    let secret = |user| (user, "change-me".to_owned());
    let credentials = [
        ("admin", "change-me-too".to_owned()),
        secret("recess"),
        secret("alice"),
        secret("bob"),
        secret("reader"),
    ];
    let users = Users::of(server, None, &credentials).await;
    each_does_what_is_for_him(&users).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_token_a_signing_key_binds_an_operator_to_his_name() {
    // What nsc makes of the two scripts.
    let (daemon, more) = (example("jwt/mint", &[]), example("overrides/mint", &[]));
    let parts: Vec<&str> = more.split("nsc edit ").collect();
    let part = |start: &str| {
        let mut found = parts.iter().filter(|part| part.starts_with(start));
        allowed(found.next().unwrap_or_else(|| panic!("{start}: {more}")))
    };
    let mut operator = Operator::new();
    let [operators, readers] = ["recess-operator", "recess-reader"].map(|role| {
        let (publish, subscribe) = part(&format!("signing-key --account APP --role {role} "));
        assert!(publish.len() > 6 && subscribe == ["_INBOX_{{name()}}.>"]);
        operator.scope(role, &publish, &subscribe)
    });
    let (mut publish, mut subscribe) = allowed(&daemon);
    let (more_publish, more_subscribe) = part("user --account APP --name recess ");
    publish.extend(more_publish);
    subscribe.extend(more_subscribe);
    let [publish, subscribe] =
        [&publish, &subscribe].map(|all| -> Vec<&str> { all.iter().map(String::as_str).collect() });
    let credentials = [
        ("admin", operator.user(None)),
        ("recess", operator.user_limited_to(&publish, &subscribe)),
        ("alice", operator.user_of_scope(operators, "alice")),
        ("bob", operator.user_of_scope(operators, "bob")),
        ("reader", operator.user_of_scope(readers, "reader")),
    ];
    let changes = [("include resolver.conf", &*operator.resolver_config())];
    let server = server("jwt/server.conf", &changes);
    push(&server, &operator).await;
    let login = "credentials = \"$CREDENTIALS_DIRECTORY/nats.creds\"";
    let users = Users::of(server, Some(login), &credentials).await;
    each_does_what_is_for_him(&users).await;
}
