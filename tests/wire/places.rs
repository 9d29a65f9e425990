//! Where the JetStream API and the settings can be: a domain behind a leaf node, an import of another account, an inbox of
//! one's own, a natscli context, systemd's credentials.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use async_nats::ConnectOptions;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, complaint_of_status, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";
const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;

pub fn server(config: String) -> Server {
    Server::start(Options {
        config,
        ..Default::default()
    })
    .unwrap()
}

fn window(config: Config) -> Config {
    config.window("night", &["ORDERS/*"], Span::open_for(60))
}

/// A hub with JetStream and its consumer, and a leaf node with a JetStream of its own.
pub async fn hub_and_leaf() -> (Server, Account, Server) {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = any.local_addr().unwrap().port();
    drop(any);
    let hub = server(format!(
        "server_name: hub\njetstream {{ domain: hub }}\nleafnodes {{ listen: \"127.0.0.1:{port}\" }}"
    ));
    let account = Account::connect(&hub.url()).await;
    account.durable(BILLING).await;
    let leaf = server(format!(
        "server_name: leaf\njetstream {{ domain: leaf }}\nleafnodes {{ remotes: [ {{ url: \"nats-leaf://127.0.0.1:{port}\" }} ] }}"
    ));
    (hub, account, leaf)
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_of_a_domain_behind_a_leaf_node_are_paused_and_repaired() {
    let (_hub, account, leaf) = hub_and_leaf().await;
    let config = window(Config::new([leaf.url()]).set(r#"nats.domain = "hub""#));
    let recess = Recess::start(&config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    assert!(account.look(BILLING).await.paused);
    // Advisories cross the leaf node too.
    account.resume(BILLING).await;
    let repaired = r#"repairs_total{cause="resumed"}"#;
    recess.until_metric(repaired, 1.0, secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_is_told_and_a_window_is_in_force_soon_after_it_appears() {
    let (mut hub, account, leaf) = hub_and_leaf().await;
    let config =
        |domain: &str| window(Config::new([leaf.url()]).set(&format!("nats.domain = {domain:?}")));
    let silence = |domain: &str| {
        format!(
            "connected to {}, but no responder for $JS.{domain}.API.INFO: JetStream domain \
             {domain} is not reachable",
            leaf.url()
        )
    };
    let complaint = complaint_of_status(&config("hbu"));
    assert_eq!(complaint, format!("error: {}", silence("hbu")));

    hub.stop();
    let recess = Recess::start(&config("hub")).await;
    recess.until_log(&silence("hub")).await;
    assert_eq!(recess.get("/readyz").await.unwrap().0, 503);
    hub.restart().unwrap();
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    assert!(account.look(BILLING).await.paused);
    assert_eq!(recess.log().matches(&silence("hub")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_imported_from_another_account_is_used_at_its_prefix() {
    let server = server(
        "accounts {
            APP {
                jetstream: enabled
                users: [ { user: app, password: app } ]
                exports: [ { service: \"$JS.API.>\" }, { stream: \"$JS.EVENT.ADVISORY.CONSUMER.>\" } ]
            }
            OPS {
                users: [ { user: ops, password: ops } ]
                imports: [
                    { service: { account: APP, subject: \"$JS.API.>\" }, to: \"app.api.>\" }
                    { stream: { account: APP, subject: \"$JS.EVENT.ADVISORY.CONSUMER.>\" } }
                ]
            }
        }"
        .to_owned(),
    );
    let options = ConnectOptions::with_user_and_password("app".into(), "app".into());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable(BILLING).await;
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("password"), "ops").unwrap();
    let config = |prefix: &str| {
        let config = Config::new([server.url()])
            .set(r#"nats.username = "ops""#)
            .env("CREDENTIALS_DIRECTORY", files.path())
            .set(r#"nats.password_file = "$CREDENTIALS_DIRECTORY/password""#)
            .set(&format!("nats.api_prefix = {prefix:?}"));
        window(config)
    };
    let recess = Recess::start(&config("app.api")).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    account.resume(BILLING).await;
    let repaired = r#"repairs_total{cause="resumed"}"#;
    recess.until_metric(repaired, 1.0, secs(5)).await;

    let words = format!(
        "error: connected to {}, but no responder for ap.api.INFO: there is no JetStream API at \
         the prefix ap.api",
        server.url()
    );
    assert_eq!(complaint_of_status(&config("ap.api")), words);
    // Without a prefix it asks the account that has no JetStream.
    let without = config("$JS.API");
    let words = format!(
        "error: connected to {}, but nats-server refused the request: JetStream not enabled for \
         account (error 10039)",
        server.url()
    );
    assert_eq!(complaint_of_status(&without), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_natscli_context_says_all_that_is_needed() {
    let server = server("authorization { user: ops, password: \"s3cret\" }".to_owned());
    let options = ConnectOptions::with_user_and_password("ops".into(), "s3cret".into());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable(BILLING).await;
    let home = tempfile::tempdir().unwrap();
    let contexts = home.path().join("nats/context");
    fs::create_dir_all(&contexts).unwrap();
    let file = contexts.join("prod.json");
    let context = |password: &str| {
        let context = serde_json::json!({
            "description": "production", "url": server.url(), "user": "ops", "password": password,
            "inbox_prefix": "_INBOX_ops", "creds": "", "windows_ca_certs_match": null,
        });
        fs::write(&file, context.to_string()).unwrap();
    };
    let no_servers = || window(Config::new([])).env("XDG_CONFIG_HOME", home.path());
    let config = no_servers().set(r#"nats.context = "prod""#);
    let recess = Recess::start(&config).await;
    let missing = format!(
        "no connection to NATS: cannot read natscli context {}: there is no such file; `nats context ls` lists the contexts",
        file.display()
    );
    recess.until_log(&missing).await;
    context("guess");
    let refused = "the server rejects user ops with the password in the natscli context";
    recess.until_log(refused).await;
    context("s3cret");
    recess.until_metric(PAUSED, 1.0, secs(5)).await;
    assert!(!recess.log().contains("s3cret") && !recess.log().contains("guess"));

    // By the path of its file, for a service that has no home.
    let by_path = window(Config::new([]))
        .env("CREDENTIALS_DIRECTORY", &contexts)
        .set(r#"nats.context = "$CREDENTIALS_DIRECTORY/prod.json""#);
    let recess = Recess::start(&by_path).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_manager_does_not_give_is_told() {
    let credential = |name: &str| {
        let config = Config::new(["nats://127.0.0.1:1".to_owned()]);
        window(config.set(&format!(
            "nats.credentials = \"$CREDENTIALS_DIRECTORY/{name}\""
        )))
    };
    let words = "error: no connection to NATS: cannot read $CREDENTIALS_DIRECTORY/nats.creds: $CREDENTIALS_DIRECTORY is \
                 not set; systemd sets it for a service with LoadCredential=; in a shell, set it to the folder that holds \
                 the secret, such as /etc/recess";
    assert_eq!(complaint_of_status(&credential("nats.creds")), words);
    let folder = tempfile::tempdir().unwrap();
    let config = credential("nats.creds").env("CREDENTIALS_DIRECTORY", folder.path());
    let words = format!(
        "error: no connection to NATS: cannot read {}: there is no such file",
        folder.path().join("nats.creds").display()
    );
    assert_eq!(complaint_of_status(&config), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_that_does_not_answer_is_named_with_its_reason() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = format!("nats://{}", silent.local_addr().unwrap());
    let servers = ["nats://127.0.0.1:1", &silent, "nats://127.0.0.1:2"];
    let config = window(Config::new(servers.map(str::to_owned)));
    let complaint = complaint_of_status(&config);
    let words = format!(
        "error: no connection to NATS: nats://127.0.0.1:1, nats://127.0.0.1:2: connection refused; \
         {silent}: no reply within 2 s"
    );
    assert_eq!(complaint, words);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_server_is_used_where_one_is_down_and_one_says_nothing() {
    let World { server, account } = World::with(&[BILLING]).await;
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = format!("nats://{}", silent.local_addr().unwrap());
    let servers = ["nats://127.0.0.1:1".to_owned(), silent, server.url()];
    let recess = Recess::start(&window(Config::new(servers))).await;
    until("it is paused", secs(5), async || {
        account.look(BILLING).await.paused.then_some(())
    })
    .await;
    assert_eq!(recess.complaints(), [""; 0]);
}
