//! TLS: with a CA of one's own, with a client certificate, and every way in which it is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;

use crate::support::account::Account;
use crate::support::certificates::{Authority, Pair};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, complaint_of_status, secs};

const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;

fn server(certificate: &Pair, more: &str) -> Server {
    let config = certificate.server_config(more);
    Server::start(Options {
        config,
        ..Default::default()
    })
    .unwrap()
}

fn config(server: &Server) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60))
}

/// A line of the config: `nats.tls`.
fn tls(ca: &Path, client: Option<&Pair>) -> String {
    match client {
        None => format!("nats.tls = {{ ca = {ca:?} }}"),
        Some(Pair { cert, key }) => {
            format!("nats.tls = {{ ca = {ca:?}, cert = {cert:?}, key = {key:?} }}")
        }
    }
}

/// A file made by OpenSSL: rcgen makes neither certificates of version 1 nor encrypted keys.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

fn version_1() -> Pair {
    Pair {
        cert: fixture("version-1.crt"),
        key: fixture("version-1.key"),
    }
}

fn verify(authority: &Authority) -> String {
    format!("ca_file: {:?}\n verify: true", authority.ca())
}

/// What follows the address in the one line that recess says.
fn why_not(config: &Config, server: &Server) -> String {
    let complaint = complaint_of_status(config);
    let start = format!("error: no connection to NATS: {}: ", server.url());
    let why = complaint.strip_prefix(&start);
    why.unwrap_or_else(|| panic!("{complaint}")).to_owned()
}

async fn pauses(config: &Config) {
    let recess = Recess::start(config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_of_ones_own_is_trusted() {
    let authority = Authority::new();
    let server = server(&authority.sign("server", "127.0.0.1"), "");
    let options = ConnectOptions::new().add_root_certificates(authority.ca());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;
    pauses(&config(&server).set(&tls(&authority.ca(), None))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_opens_the_door_and_a_rotated_one_is_found() {
    let authority = Authority::new();
    let client = authority.sign("client", "recess");
    let mut server = server(&authority.sign("server", "127.0.0.1"), &verify(&authority));
    let options = ConnectOptions::new()
        .add_root_certificates(authority.ca())
        .add_client_certificate(client.cert.clone(), client.key.clone());
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;
    let recess = Recess::start(&config(&server).set(&tls(&authority.ca(), Some(&client)))).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;

    fs::write(&client.cert, "").unwrap();
    server.restart().unwrap();
    let cert = client.cert.display();
    let broken = format!("no connection to NATS: {cert} contains no certificate in PEM");
    recess.until_log(&broken).await;
    authority.sign("client", "recess");
    recess.until_metric("nats_connected", 1.0, secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handshake_may_come_first() {
    let authority = Authority::new();
    let certificate = authority.sign("server", "127.0.0.1");
    let server = server(&certificate, "handshake_first: true");
    let options = ConnectOptions::new()
        .add_root_certificates(authority.ca())
        .tls_first();
    let account = Account::connect_with(&server.url(), options).await;
    account.durable("ORDERS/billing").await;
    let ca = authority.ca();
    let first = format!("nats.tls = {{ ca = {ca:?}, handshake_first = true }}");
    pauses(&config(&server).set(&first)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_comes_first_on_one_side_only_is_told_as_that() {
    let authority = Authority::new();
    let (ca, certificate) = (authority.ca(), authority.sign("server", "127.0.0.1"));
    let first = format!("nats.tls = {{ ca = {ca:?}, handshake_first = true }}");
    let words = "the server does not start with TLS: remove tls.handshake_first in [nats], or set \
                 handshake_first on the server";
    for other in [
        server(&certificate, ""),
        Server::start(Default::default()).unwrap(),
    ] {
        assert_eq!(why_not(&config(&other).set(&first), &other), words);
    }

    // It waits for longer than recess does before it closes the connection.
    let server = server(&certificate, "handshake_first: true\n timeout: 10");
    let words = "no reply within 2 s; if the server has handshake_first, set tls.handshake_first \
                 in [nats] too";
    let without = config(&server).set(&tls(&ca, None));
    assert_eq!(why_not(&without, &server), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_certificate_of_a_server_is_told_as_what_it_is() {
    let authority = Authority::new();
    let ca = authority.ca();

    let good = server(&authority.sign("server", "127.0.0.1"), "");
    let untrusted = "the server's certificate is not signed by a CA that this host trusts: set tls.ca in [nats]";
    assert_eq!(why_not(&config(&good), &good), untrusted);
    for other in [Authority::named("Other CA"), Authority::new()] {
        let ca = other.ca();
        let unknown = format!(
            "the server's certificate is not signed by a CA in {}",
            ca.display()
        );
        let with_other = config(&good).set(&tls(&ca, None));
        assert_eq!(why_not(&with_other, &good), unknown);
    }

    let expired = server(&authority.sign_until("expired", "127.0.0.1", 2026), "");
    let config_of = |server| config(server).set(&tls(&ca, None));
    let words = "the server's certificate expired on 2026-01-01T00:00:00Z";
    assert_eq!(why_not(&config_of(&expired), &expired), words);

    let elsewhere = server(&authority.sign("elsewhere", "nats.example.com"), "");
    let words = format!(
        "the server's certificate is for nats.example.com, not for the host of {}",
        elsewhere.url()
    );
    assert_eq!(why_not(&config_of(&elsewhere), &elsewhere), words);

    let nameless = server(&authority.sign_without_host("nameless"), "");
    let words = format!(
        "the server's certificate names no host: it needs a subjectAltName for the host of {}",
        nameless.url()
    );
    assert_eq!(why_not(&config_of(&nameless), &nameless), words);

    let old = server(&version_1(), "");
    let words = format!(
        "the server's certificate is of X.509 version 1; it needs one of version 3, with a subjectAltName for the host of {}",
        old.url()
    );
    assert_eq!(why_not(&config_of(&old), &old), words);

    let plain = Server::start(Default::default()).unwrap();
    let words = "the server does not use TLS: enable it on the server, or remove tls in [nats] and \
                 tls:// in the address";
    assert_eq!(why_not(&config_of(&plain), &plain), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_certificate_of_a_client_is_told_as_what_it_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = authority.ca();
    let server = server(&authority.sign("server", "127.0.0.1"), &verify(&authority));
    let with = |client: Option<&Pair>| why_not(&config(&server).set(&tls(&ca, client)), &server);

    let words = "the server requires a client certificate: set tls.cert and tls.key in [nats]";
    assert_eq!(with(None), words);
    let expired = authority.sign_until("expired", "recess", 2026);
    let words = format!(
        "the server rejects the client certificate in {}: it has expired",
        expired.cert.display()
    );
    assert_eq!(with(Some(&expired)), words);
    let stranger = other.sign("stranger", "recess");
    let words = format!(
        "the server rejects the client certificate in {}: it does not know the CA that signed it",
        stranger.cert.display()
    );
    assert_eq!(with(Some(&stranger)), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_that_cannot_be_used_is_named() {
    let authority = Authority::new();
    let (one, other) = (authority.sign("one", "a"), authority.sign("other", "b"));
    let ca = authority.ca();
    let complaint = |ca: &Path, client: Option<&Pair>| {
        let config = Config::new(["nats://127.0.0.1:1".to_owned()]);
        let line = complaint_of_status(&config.set(&tls(ca, client)));
        let line = line.strip_prefix("error: no connection to NATS: ");
        line.unwrap()
            .replace(authority.folder().to_str().unwrap(), "")
    };
    let missing = authority.folder().join("missing.crt");
    assert_eq!(
        complaint(&missing, None),
        "cannot read /missing.crt: there is no such file"
    );
    assert_eq!(
        complaint(&one.key, None),
        "/one.key contains no certificate in PEM"
    );
    let pair = |cert: &Path, key: &Path| Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
    };
    let mixed = pair(&one.cert, &other.key);
    let words = "the key in /other.key does not belong to the certificate in /one.crt";
    assert_eq!(complaint(&ca, Some(&mixed)), words);
    let no_key = pair(&one.cert, &one.cert);
    assert_eq!(
        complaint(&ca, Some(&no_key)),
        "/one.crt contains no private key in PEM"
    );
    for name in ["encrypted.key", "encrypted-traditional.key"] {
        let key = fixture(name);
        let words = format!(
            "the key in {0} is encrypted, and recess cannot ask for a passphrase: store it \
             decrypted, as `openssl pkey -in {0}` prints it",
            key.display()
        );
        assert_eq!(complaint(&ca, Some(&pair(&version_1().cert, &key))), words);
    }
    let words = format!(
        "the certificate in {} is of X.509 version 1; it needs one of version 3, as `openssl x509 -req -extfile FILE` \
         makes it",
        version_1().cert.display()
    );
    assert_eq!(complaint(&ca, Some(&version_1())), words);
    let der = authority.folder().join("ca.der");
    fs::write(&der, [0x30, 0x82, 1, 2]).unwrap();
    assert_eq!(
        complaint(&der, None),
        "/ca.der is in DER, and recess reads PEM: convert it with `openssl x509 -inform der` or `openssl pkey -inform der`"
    );
    let folder = pair(authority.folder(), &one.key);
    assert_eq!(
        complaint(&ca, Some(&folder)),
        "cannot read : it is a folder, not a file"
    );
    // The TLS library would pass over a first line behind a byte order mark, and over what it begins.
    let marked = |path: &Path| {
        let to = path.with_extension("marked");
        let text = [b"\xef\xbb\xbf".to_vec(), std::fs::read(path).unwrap()];
        std::fs::write(&to, text.concat()).unwrap();
        to
    };
    let words = "begins with a byte order mark, so its first line is not readable: save it as UTF-8 \
         without BOM";
    let marked_ca = format!("/{} {words}", marked(&ca).file_name().unwrap().display());
    assert_eq!(complaint(&marked(&ca), None), marked_ca);
    let marked_key = pair(&one.cert, &marked(&one.key));
    assert_eq!(
        complaint(&ca, Some(&marked_key)),
        format!("/one.marked {words}")
    );
}
