//! The files of `examples/nats`, each with its real server: recess with the example's `recess.toml` pauses a consumer, sees
//! at once what others do to it, and is denied nothing that it needs.
//!
//! The very files are used. What differs is written out where they are read: addresses, paths, and the window's schedule, for
//! it must be open. On which port a server listens for clients is said by its flags, which win over the file. Credentials are found as under systemd, in `$CREDENTIALS_DIRECTORY`.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;

use crate::cli::ask;
use crate::permissions::printed;
use crate::support::account::Account;
use crate::support::certificates::Authority;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::operator::Operator;
use crate::support::recess::{Recess, command, command_with, secs};

const BILLING: &str = "ORDERS/billing";
const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nats")
}

/// A file, with these texts in place of those. Each is found, or the test fails.
pub fn example(file: &str, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(folder().join(file)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{file} has no {from}");
        text = text.replace(from, to);
    }
    text
}

/// A server by the example. Its flags say where it keeps its data, and it does not take that from two sides.
pub fn server(file: &str, changes: &[(&str, &str)]) -> Server {
    let mut all = vec![("store_dir: \"/var/lib/nats\"\n", "")];
    all.extend(changes);
    Server::start(Options {
        config: example(file, &all),
        ..Default::default()
    })
    .unwrap()
}

/// The application's connection, and its consumer.
async fn application(server: &Server, options: ConnectOptions) -> Account {
    let account = Account::connect_with(&server.url(), options).await;
    account.durable(BILLING).await;
    account
}

pub fn password(user: &str, password: &str) -> ConnectOptions {
    ConnectOptions::with_user_and_password(user.into(), password.into())
}

/// recess by the example in `folder`, with these changes, whose window is open.
pub fn config(folder: &str, changes: &[(&str, &str)], credentials: &Path) -> Config {
    let opens = Span::open_for(0).opens;
    let schedule = opens.strftime("%-S %-M %-H * * *").to_string();
    let mut all = vec![("30 2 * * *", &*schedule)];
    all.extend(changes);
    let text = example(&format!("{folder}/recess.toml"), &all);
    Config::new([])
        .set(&text)
        .env("CREDENTIALS_DIRECTORY", credentials)
}

/// It pauses, it hears of what somebody does and repairs that, and `check --live` finds nothing missing.
async fn it_works(config: &Config, account: &Account) {
    let recess = Recess::start(config).await;
    // Not only is it paused: recess has seen it.
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    assert!(account.look(BILLING).await.paused);
    account.resume(BILLING).await;
    let repaired = r#"repairs_total{cause="resumed"}"#;
    recess.until_metric(repaired, 1.0, secs(5)).await;
    assert!(account.look(BILLING).await.paused);
    let log = recess.log();
    for word in ["denied", "refuse", "ERROR"] {
        assert!(!log.contains(word), "{log}");
    }
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let arguments = ["check", "--live", "--config", path.to_str().unwrap()];
    let output = command_with(&config.environment, &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// What a thief of its credentials cannot do: the application's streams and consumers stay.
async fn it_may_do_no_more(server: &Server, recess: ConnectOptions, account: &Account) {
    let thief = Account::connect_with(&server.url(), recess).await.client;
    for api in ["$JS.API", "app.api"] {
        for request in [
            "CONSUMER.DELETE.ORDERS.billing",
            "STREAM.PURGE.ORDERS",
            "STREAM.DELETE.ORDERS",
        ] {
            let subject = format!("{api}.{request}");
            thief.publish(subject, "".into()).await.unwrap();
        }
    }
    thief.flush().await.unwrap();
    // It panics where there is no such consumer.
    assert!(account.look(BILLING).await.paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_few_permissions() {
    let server = server("least-privilege/server.conf", &[]);
    let account = application(&server, password("app", "change-me-too")).await;
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("nats.password"), "change-me\n").unwrap();
    let changes = [("nats://nats.example.com:4222", &*server.url())];
    let config = config("least-privilege", &changes, credentials.path());
    it_works(&config, &account).await;
    it_may_do_no_more(&server, password("recess", "change-me"), &account).await;
}

/// `nsc push`.
pub async fn push(server: &Server, operator: &Operator) {
    let options = ConnectOptions::with_credentials(&operator.system_user()).unwrap();
    let system = Account::connect_with(&server.url(), options).await;
    let subject = "$SYS.REQ.CLAIMS.UPDATE";
    let answer = system.ask(subject, &operator.account_token()).await;
    assert_eq!(answer["data"]["code"], 200, "{answer}");
}

/// What a command of nsc allows: to publish and to subscribe.
pub fn allowed(command: &str) -> (Vec<String>, Vec<String>) {
    let subjects = |flag: &str| -> Vec<String> {
        let start = format!("{flag} '");
        (command.split(&start).skip(1))
            .map(|rest| rest.split('\'').next().unwrap().to_owned())
            .collect()
    };
    (subjects("--allow-pub"), subjects("--allow-sub"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_by_jwt() {
    // What nsc makes of `mint`: a resolver to which the account is brought, and a user with the subjects that stand there.
    let operator = Operator::new();
    let changes = [("include resolver.conf", &*operator.resolver_config())];
    let server = server("jwt/server.conf", &changes);
    push(&server, &operator).await;
    let everything = ConnectOptions::with_credentials(&operator.user(None)).unwrap();
    let account = application(&server, everything).await;
    let mint = example("jwt/mint", &[]);
    let (publish, subscribe) = allowed(&mint);
    assert_eq!((publish.len(), subscribe.len()), (6, 4), "{mint}");
    let (publish, subscribe): (Vec<&str>, Vec<&str>) = (
        publish.iter().map(String::as_str).collect(),
        subscribe.iter().map(String::as_str).collect(),
    );
    let credentials = tempfile::tempdir().unwrap();
    let user = operator.user_limited_to(&publish, &subscribe);
    fs::write(credentials.path().join("nats.creds"), &user).unwrap();
    let changes = [("nats://nats.example.com:4222", &*server.url())];
    let config = config("jwt", &changes, credentials.path());
    it_works(&config, &account).await;
    let recess = ConnectOptions::with_credentials(&user).unwrap();
    it_may_do_no_more(&server, recess, &account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_names_the_user() {
    let authority = Authority::new();
    let certificate = authority.sign("server", "127.0.0.1");
    let ca = authority.ca();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let changes = [
        ("/etc/nats/server.crt", &*path(&certificate.cert)),
        ("/etc/nats/server.key", &*path(&certificate.key)),
        ("/etc/nats/ca.crt", &*path(&ca)),
    ];
    let server = server("tls/server.conf", &changes);
    let app = authority.sign("app", "app.example.com");
    let options = ConnectOptions::new()
        .add_root_certificates(ca.clone())
        .add_client_certificate(app.cert, app.key);
    let account = application(&server, options).await;
    // The names that the credentials have in the unit: nats.crt, nats.key.
    let pair = authority.sign("nats", "recess.example.com");
    let address = format!("tls://127.0.0.1:{}", server.port());
    let changes = [
        ("tls://nats.example.com:4222", &*address),
        ("/etc/recess/nats-ca.crt", &*path(&ca)),
    ];
    let config = config("tls", &changes, authority.folder());
    it_works(&config, &account).await;
    let recess = ConnectOptions::new()
        .add_root_certificates(ca)
        .add_client_certificate(pair.cert, pair.key);
    it_may_do_no_more(&server, recess, &account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_api_at_a_prefix() {
    let server = server("imported-api/server.conf", &[]);
    let account = application(&server, password("app", "change-me-too")).await;
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("nats.password"), "change-me\n").unwrap();
    let changes = [("nats://nats.example.com:4222", &*server.url())];
    let config = config("imported-api", &changes, credentials.path());
    it_works(&config, &account).await;
    it_may_do_no_more(&server, password("recess", "change-me"), &account).await;

    // Overrides are written in the application's account, and followed at once on the other side of the import.
    let overrides = "[overrides]\nbucket = \"recess\"";
    fs::write(credentials.path().join("nats.password"), "change-me-too").unwrap();
    let mut inside = changes.to_vec();
    inside.extend([
        ("\"recess\"\n", "\"app\"\n"),
        ("api_prefix = \"app.api\"\n", ""),
    ]);
    let inside = self::config("imported-api", &inside, credentials.path()).also(overrides);
    let (exit, _, err) = ask(&inside, &["overrides", "create"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    fs::write(credentials.path().join("nats.password"), "change-me\n").unwrap();
    let outside = config.also(overrides);
    let recess = Recess::start(&outside).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    fs::write(credentials.path().join("nats.password"), "change-me-too").unwrap();
    let close = [
        "close",
        "nightly-vacuum",
        "--reason",
        "tests",
        "--author",
        "alice",
    ];
    let (exit, out, err) = ask(&inside, &close);
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    recess.until_metric(PAUSED, 0.0, secs(5)).await;
    recess.until_log("alice.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_behind_a_leaf_node() {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = any.local_addr().unwrap().to_string();
    drop(any);
    let hub = server("leaf-node/hub.conf", &[("0.0.0.0:7422", &*address)]);
    let account = application(&hub, ConnectOptions::new()).await;
    let changes = [("hub.example.com:7422", &*address)];
    let leaf = server("leaf-node/leaf.conf", &changes);
    let credentials = tempfile::tempdir().unwrap();
    let changes = [("nats://127.0.0.1:4222", &*leaf.url())];
    let config = config("leaf-node", &changes, credentials.path());
    it_works(&config, &account).await;
}

#[test]
fn every_example_is_in_the_index_and_its_config_has_no_mistakes() {
    let index = example("README.md", &[]);
    let folders: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    // One test above for each, but for the accounts with overrides, which have a file of their own.
    let tested = [
        "imported-api",
        "jwt",
        "leaf-node",
        "least-privilege",
        "overrides",
        "tls",
    ];
    assert_eq!(folders, tested.map(str::to_owned).into());
    for name in &folders {
        assert!(index.contains(&format!("[{name}]({name})")), "{name}");
        let path = folder().join(name).join("recess.toml");
        let output = command(&["check", "--config", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert!(output.stderr.is_empty(), "{name}: {output:?}");
    }
}

/// The subjects in a text, with any stream in place of one.
fn subjects(text: &str) -> BTreeSet<String> {
    let in_a_subject = |c: char| c.is_ascii_alphanumeric() || "$._*>{}()-".contains(c);
    (text.split(|c| !in_a_subject(c)))
        .filter(|word| {
            ["$JS.", "$KV.", "$SYS.", "_INBOX_"]
                .iter()
                .any(|start| word.starts_with(start))
        })
        .map(|word| word.replace("ORDERS.*", "*.*"))
        .collect()
}

/// The folders and their document say one thing about what recess needs.
#[test]
fn the_subjects_are_the_same_everywhere() {
    let wanted = subjects(&printed());
    assert_eq!(wanted.len(), 10);
    for file in ["least-privilege/server.conf", "jwt/mint", "tls/server.conf"] {
        assert_eq!(subjects(&example(file, &[])), wanted, "{file}");
    }
}

/// The document's table of users and the example's two files.
#[test]
fn users_of_overrides_may_what_the_document_prints() {
    let between = |text: &str, from: &str, to: &str| {
        let rest = text.split_once(from).unwrap_or_else(|| panic!("{from}")).1;
        subjects(rest.split(to).next().unwrap())
    };
    let document = example("README.md", &[]);
    let row = |user: &str| between(&document, &format!("\n| {user}"), "\n");
    let (daemon, reader) = (
        &row("the daemon: ") | &subjects(&printed()),
        row("a reader "),
    );
    let named = |all: &BTreeSet<String>, from: &str, to: &str| -> BTreeSet<String> {
        all.iter().map(|one| one.replace(from, to)).collect()
    };
    let alice = &row("an operator ") | &named(&reader, "_INBOX_reader", "_INBOX_alice");
    let server = example("overrides/server.conf", &[]);
    let of_user = |user: &str| between(&server, &format!("user: {user}\n"), "user: ");
    assert_eq!(of_user("recess"), daemon);
    assert_eq!(of_user("alice"), alice);
    assert_eq!(of_user("bob"), named(&alice, "alice", "bob"));
    assert_eq!(of_user("reader"), reader);
    let mint = example("overrides/mint", &[]);
    let signed = |role: &str| between(&mint, &format!("--role {role} "), "\n\n");
    assert_eq!(
        signed("recess-operator"),
        named(&alice, "alice", "{{name()}}")
    );
    assert_eq!(
        signed("recess-reader"),
        named(&reader, "reader", "{{name()}}")
    );
}
