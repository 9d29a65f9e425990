//! Secrets as a server with an auth callout sees them: a service is asked about each connection, and is shown all that the
//! client sent.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_nats::ConnectOptions;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::account::Account;
use crate::support::config::Config;
use crate::support::nats_server::{Options, Server};
use crate::support::operator::Operator;
use crate::support::recess::{Recess, secs};

/// A server, its operator, and what its service is shown of each connection that says `recess`. The service lets all in.
struct Callout {
    server: Server,
    operator: Arc<Operator>,
    seen: mpsc::UnboundedReceiver<Value>,
}

async fn callout() -> Callout {
    let operator = Arc::new(Operator::with_callout());
    let server = Server::start(Options {
        config: operator.server_config(),
        ..Default::default()
    });
    let server = server.unwrap();
    let options = ConnectOptions::with_credentials(&operator.service()).unwrap();
    let service = Account::connect_with(&server.url(), options).await;
    let mut asked = service.listen("$SYS.REQ.USER.AUTH").await;
    let (shown, seen) = mpsc::unbounded_channel();
    let answering = operator.clone();
    tokio::spawn(async move {
        while let Some(question) = asked.next().await {
            let nats = &claims(&question.payload)["nats"];
            let options = &nats["connect_opts"];
            if options["name"] == "recess" && shown.send(options.clone()).is_err() {
                return;
            }
            let (user, server) = (&nats["user_nkey"], &nats["server_id"]["id"]);
            let answer = answering.allow(user.as_str().unwrap(), server.as_str().unwrap());
            service
                .client
                .publish(question.reply.unwrap(), answer.into())
                .await
                .unwrap();
        }
    });
    Callout {
        server,
        operator,
        seen,
    }
}

fn claims(token: &[u8]) -> Value {
    let text = std::str::from_utf8(token).unwrap();
    let claims = text.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// What the service was shown of a recess with these lines in its file, which it let in.
async fn sent(callout: &mut Callout, config: &Config) -> Value {
    let recess = Recess::start(config).await;
    recess.until_metric("nats_connected", 1.0, secs(10)).await;
    let mut shown = callout.seen.recv().await.expect("the service is asked");
    // A copy that connects again says the same.
    while let Ok(again) = callout.seen.try_recv() {
        shown = again;
    }
    shown
}

/// The JWT and the seed of a credentials file.
fn inside(file: &str) -> (String, String) {
    let lines: Vec<&str> = file.lines().collect();
    let after = |start: &str| {
        let begin = lines.iter().position(|line| line.contains(start)).unwrap();
        lines[begin + 1].to_owned()
    };
    (after("BEGIN NATS USER JWT"), after("BEGIN USER NKEY SEED"))
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_credentials_is_sent_with_them() {
    let mut callout = callout().await;
    let folder = tempfile::tempdir().unwrap();
    let file = callout.operator.user(None);
    let (jwt, seed) = inside(&file);
    let path = |name: &str| folder.path().join(name).display().to_string();
    write(folder.path(), "creds", &file);
    write(folder.path(), "password", "pass\n");
    write(folder.path(), "token", "tok\n");
    // As editors on Windows leave them: a byte order mark, and lines that end with two characters.
    write(
        folder.path(),
        "bom-creds",
        &format!("\u{feff}{}", file.replace('\n', "\r\n")),
    );
    write(folder.path(), "bom-jwt", &format!("\u{feff}{jwt}\r\n"));
    write(
        folder.path(),
        "bom-seed",
        &format!("\u{feff}# made with nk\r\n{seed}\r\n"),
    );
    write(folder.path(), "bom-password", "\u{feff}pass\r\n");
    write(folder.path(), "bom-token", "\u{feff}tok\r\n");

    let address = callout.server.url();
    let (host, url) = (&address["nats://".len()..], json!(address));
    let context = |name: &str, more: Value| {
        let mut text = json!({ "url": url, "user": null, "token": null });
        for (key, value) in more.as_object().unwrap() {
            text[key] = value.clone();
        }
        write(folder.path(), name, &format!("\u{feff}{text}"));
        format!("nats.context = {:?}", path(name))
    };
    let user = format!(
        "nats.username = \"ops\"\nnats.password_file = {:?}",
        path("password")
    );
    let here = |lines: &str| Config::new([address.clone()]).set(lines);
    let there = |line: &str| Config::new([]).set(line);
    let (creds, token) = (path("creds"), path("token"));
    let both = json!({ "user": "ops", "pass": "pass", "jwt": jwt });
    for (what, config, expected) in [
        (
            "[nats]: a user",
            here(&format!("nats.credentials = {creds:?}\n{user}")),
            both.clone(),
        ),
        (
            "[nats]: a token",
            here(&format!(
                "nats.credentials = {creds:?}\nnats.token_file = {token:?}"
            )),
            json!({ "auth_token": "tok", "jwt": jwt }),
        ),
        (
            "[nats]: byte order marks",
            here(&format!(
                "nats.credentials = {:?}\nnats.token_file = {:?}",
                path("bom-creds"),
                path("bom-token")
            )),
            json!({ "auth_token": "tok", "jwt": jwt }),
        ),
        (
            "a context's token",
            there(&context(
                "a.json",
                json!({ "creds": creds, "token": "tok" }),
            )),
            json!({ "auth_token": "tok", "jwt": jwt }),
        ),
        (
            "a context's user",
            there(&context(
                "b.json",
                json!({ "creds": creds, "user": "ops", "password": "pass" }),
            )),
            both.clone(),
        ),
        (
            "a user in a context's address",
            there(&context(
                "c.json",
                json!({ "creds": creds, "url": format!("nats://ops:pass@{host}") }),
            )),
            both.clone(),
        ),
        (
            "a context's files",
            there(&context(
                "d.json",
                json!({
                    "user_jwt": format!("FILE://{}", path("bom-jwt")), "user_seed": format!("file://{}", path("bom-seed")),
                    "user": "ops", "password": format!("File://{}", path("bom-password")),
                }),
            )),
            both,
        ),
    ] {
        let shown = sent(&mut callout, &config).await;
        for key in ["user", "pass", "auth_token", "jwt"] {
            assert_eq!(shown.get(key), expected.get(key), "{what}: {key}");
        }
        assert!(shown["sig"].is_string(), "{what}: {shown}");
    }
}
