//! The ways to authenticate, and every way in which they are wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use async_nats::ConnectOptions;
use jiff::Timestamp;
use nkeys::KeyPair;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::operator::Operator;
use crate::support::recess::{Recess, complaint_of_status, secs, until};
use crate::support::world::World;

const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;

/// A server that wants a password or the like, with one consumer.
async fn world(authorization: &str, options: ConnectOptions) -> (Server, tempfile::TempDir) {
    let config = format!("authorization {{ {authorization} }}");
    let server = Options {
        config,
        ..Default::default()
    };
    let World { server, account } = World::start(server, options).await;
    account.durable("ORDERS/billing").await;
    (server, tempfile::tempdir().unwrap())
}

fn config(server: &Server) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60))
}

/// What `recess status` says is wrong with the connection.
fn complaint(config: &Config) -> String {
    let line = complaint_of_status(config);
    let rest = line.strip_prefix("error: no connection to NATS: ");
    rest.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_from_a_file_opens_the_door() {
    let options = ConnectOptions::with_user_and_password("recess".into(), "s3cret".into());
    let (server, files) = world("user: recess, password: s3cret", options).await;
    let password = files.path().join("password");
    fs::write(&password, "s3cret\n").unwrap();
    let config = config(&server)
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &password);
    let recess = Recess::start(&config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_a_file_opens_the_door() {
    let options = ConnectOptions::with_token("t0ken".into());
    let (server, files) = world("token: t0ken", options).await;
    let token = files.path().join("token");
    fs::write(&token, "t0ken\n").unwrap();
    let recess = Recess::start(&config(&server).file("nats.token_file", &token)).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_tried_again_until_it_is_right() {
    let options = ConnectOptions::with_user_and_password("recess".into(), "s3cret".into());
    let (mut server, files) = world("user: recess, password: s3cret", options).await;
    let password = files.path().join("password");
    let config = config(&server)
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &password);
    let recess = Recess::start(&config).await;
    recess.until_log("cannot read").await;
    fs::write(&password, "guess\n").unwrap();
    let refusal = "the server rejects user recess with the password in";
    recess.until_log(refusal).await;
    assert!(
        !recess.log().contains("guess"),
        "secrets stay out of the log"
    );
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(why.contains(refusal), "{why}");

    fs::write(&password, "s3cret\n").unwrap();
    recess.until_metric(PAUSED, 1.0, secs(10)).await;

    // Rotated while it runs: the file is read again at each connect.
    fs::write(&password, "rotated\n").unwrap();
    server.kill();
    server.restart().unwrap();
    until("the refusal is told", secs(10), async || {
        let (status, why) = recess.get("/readyz").await.ok()?;
        (status == 503 && why.contains(refusal)).then_some(())
    })
    .await;
    fs::write(&password, "s3cret\n").unwrap();
    recess.until_metric("nats_connected", 1.0, secs(10)).await;
    assert!(
        !recess.log().contains("s3cret"),
        "secrets stay out of the log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_nkey_opens_the_door() {
    let key = KeyPair::new_user();
    let (seed, public) = (key.seed().unwrap(), key.public_key());
    let options = ConnectOptions::with_nkey(seed.clone());
    let (server, files) = world(&format!("users: [{{ nkey: {public} }}]"), options).await;
    let file = files.path().join("recess.nk");
    fs::write(&file, format!("{seed}\n")).unwrap();
    let config = config(&server).file("nats.nkey_seed_file", &file);
    let recess = Recess::start(&config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;

    let stranger = KeyPair::new_user().seed().unwrap();
    fs::write(&file, stranger).unwrap();
    let refused = format!(
        "{}: the server rejects the nkey in {}",
        server.url(),
        file.display()
    );
    assert_eq!(complaint(&config), refused);
    fs::write(&file, "not a seed").unwrap();
    let words = format!(
        "{} contains no nkey seed (a line that begins with SU)",
        file.display()
    );
    assert_eq!(complaint(&config), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_open_the_door_until_they_expire_and_again_when_they_are_renewed() {
    let operator = Operator::new();
    let server = Server::start(Options {
        config: operator.server_config(),
        ..Default::default()
    })
    .unwrap();
    let files = tempfile::tempdir().unwrap();
    let credentials = files.path().join("recess.creds");
    let options = ConnectOptions::with_credentials(&operator.user(None)).unwrap();
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;

    let expiry = Timestamp::from_second(Timestamp::now().as_second() + 10).unwrap();
    fs::write(&credentials, operator.user(Some(expiry))).unwrap();
    let config = config(&server).file("nats.credentials", &credentials);
    let recess = Recess::start(&config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;

    let (url, file) = (server.url(), credentials.display());
    let ended = format!("{url} closed the connection: User Authentication Expired; reconnecting");
    until("they expire", secs(20), async || {
        recess.log().contains(&ended).then_some(())
    })
    .await;
    let refused = format!(
        "{url}: the server rejects the credentials in {file}, which are valid until {expiry}"
    );
    recess.until_log(&refused).await;
    assert_eq!(complaint(&config), refused);
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503, "{why}");

    // The line break at its end is lost in many a secret store.
    let renewed = operator.user(None);
    fs::write(&credentials, renewed.trim_end()).unwrap();
    recess.until_metric("nats_connected", 1.0, secs(5)).await;

    fs::write(&credentials, "nothing").unwrap();
    let words = format!("{file} is not a credentials file: it contains no user JWT");
    assert_eq!(complaint(&config), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_way_in_is_told_in_one_line() {
    let options = ConnectOptions::with_token("t0ken".into());
    let (server, files) = world("token: t0ken", options).await;
    let url = server.url();
    let words = format!(
        "{url}: the server requires authentication: set credentials, nkey_seed_file, username and \
         password_file, or token_file in [nats]"
    );
    assert_eq!(complaint(&config(&server)), words);
    let token = files.path().join("token");
    let with_token = config(&server).file("nats.token_file", &token);
    let missing = format!("cannot read {}: there is no such file", token.display());
    assert_eq!(complaint(&with_token), missing);
    fs::write(&token, "guess").unwrap();
    let refused = format!("{url}: the server rejects the token in {}", token.display());
    assert_eq!(complaint(&with_token), refused);
    fs::write(&token, [0xff, 0xfe]).unwrap();
    let binary = format!("{} is not a text file", token.display());
    assert_eq!(complaint(&with_token), binary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_recess_may_not_read_is_told_and_found_when_it_may() {
    let options = ConnectOptions::with_token("t0ken".into());
    let (server, files) = world("token: t0ken", options).await;
    let token = files.path().join("token");
    fs::write(&token, "t0ken").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o000)).unwrap();
    let recess = Recess::start_unprivileged(&config(&server).file("nats.token_file", &token)).await;
    let words = format!(
        "cannot read {}: recess's user has no permission to read it",
        token.display()
    );
    recess.until_log(&words).await;
    assert_eq!(recess.metric("nats_connected").await, Some(0.0));
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    recess.until_metric(PAUSED, 1.0, secs(5)).await;
}
