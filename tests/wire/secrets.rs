//! Whatever happens to a secret, nobody reads it anywhere but where it was put: not in logs, however loud, not on pages,
//! not in the answers of any command, not in the list of processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, stream};
use nkeys::KeyPair;
use serde_json::json;

use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::operator::Operator;
use crate::support::recess::{Recess, command_with, secs, until};

/// Long enough to be found in no other word.
const PASSWORD: &str = "Zq7-pass:w0rd/Zq7";
const TOKEN: &str = "Zq7-t0ken-of-mine";

/// One way to have a secret.
struct Kind {
    what: &'static str,
    /// Of the server that lets it in.
    server: String,
    /// The files, by name.
    files: BTreeMap<&'static str, String>,
    /// The line of `[nats]`; `FILES` stands for the folder.
    line: &'static str,
    secrets: Vec<String>,
}

impl Kind {
    fn new(
        what: &'static str,
        server: String,
        files: &[(&'static str, &str)],
        line: &'static str,
        secrets: &[&str],
    ) -> Self {
        Self {
            what,
            server,
            files: files
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned()))
                .collect(),
            line,
            secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
        }
    }

    fn config(&self, server: &Server, folder: &Path) -> Config {
        for (name, text) in &self.files {
            fs::write(
                folder.join(name),
                text.replace("SERVER", &server.url())
                    .replace("HOST", &server.url()[7..])
                    .replace("FILES", folder.to_str().unwrap()),
            )
            .unwrap();
        }
        let by_context = self.line.contains("context");
        let servers = (!by_context).then(|| server.url());
        let mut config = Config::new(servers)
            .set(&self.line.replace("FILES", folder.to_str().unwrap()))
            .set(r#"controller.request_timeout = "1s""#)
            .set(r#"controller.resync = "1s""#)
            .window("night", &["ORDERS/*"], Span::open_for(60));
        config
            .environment
            .push(("RECESS_LOG".to_owned(), "trace".to_owned()));
        config
    }
}

/// The tokens in a credentials file: what stands between the rulers.
fn inside(credentials: &str) -> Vec<String> {
    let lines = credentials
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("---"));
    let inside: Vec<String> = lines.map(str::to_owned).collect();
    assert_eq!(inside.len(), 2, "a token and a seed");
    inside
}

fn kinds() -> Vec<Kind> {
    let by_password = format!("authorization {{ user: ops, password: {PASSWORD:?} }}");
    let by_token = format!("authorization {{ token: {TOKEN:?} }}");
    let key = KeyPair::new_user();
    let seed = key.seed().unwrap();
    let by_key = format!(
        "authorization {{ users: [ {{ nkey: {} }} ] }}",
        key.public_key()
    );
    let operator = Operator::new();
    let credentials = operator.user(None);
    let tokens = inside(&credentials);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let context = |more: serde_json::Value| {
        let mut context = json!({ "url": "SERVER", "description": "production" });
        for (name, value) in more.as_object().unwrap() {
            context[name] = value.clone();
        }
        context.to_string()
    };
    let by_context = r#"nats.context = "FILES/context.json""#;
    let encoded = "Zq7-pass%3Aw0rd%2FZq7";
    let good = [
        Kind::new(
            "a password",
            by_password.clone(),
            &[("secret", PASSWORD)],
            "nats.username = \"ops\"\nnats.password_file = \"FILES/secret\"",
            &[PASSWORD],
        ),
        Kind::new(
            "a token",
            by_token.clone(),
            &[("secret", TOKEN)],
            r#"nats.token_file = "FILES/secret""#,
            &[TOKEN],
        ),
        Kind::new(
            "a seed",
            by_key.clone(),
            &[("secret", &seed)],
            r#"nats.nkey_seed_file = "FILES/secret""#,
            &[&seed],
        ),
        Kind::new(
            "credentials",
            operator.server_config(),
            &[("secret", &credentials)],
            r#"nats.credentials = "FILES/secret""#,
            &tokens,
        ),
        Kind::new(
            "a context's password",
            by_password.clone(),
            &[(
                "context.json",
                &context(json!({ "user": "ops", "password": PASSWORD })),
            )],
            by_context,
            &[PASSWORD],
        ),
        Kind::new(
            "a context's password in a file",
            by_password.clone(),
            &[
                (
                    "context.json",
                    &context(json!({ "user": "ops", "password": "FILE://FILES/secret" })),
                ),
                ("secret", &format!("\u{feff}{PASSWORD}\r\n")),
            ],
            by_context,
            &[PASSWORD],
        ),
        Kind::new(
            "a seed beside its public key",
            by_key.clone(),
            &[("secret", &format!("{}\n{seed}\n", key.public_key()))],
            r#"nats.nkey_seed_file = "FILES/secret""#,
            &[&seed],
        ),
        Kind::new(
            "a context's token",
            by_token.clone(),
            &[("context.json", &context(json!({ "token": TOKEN })))],
            by_context,
            &[TOKEN],
        ),
        Kind::new(
            "a password in a context's address",
            by_password,
            &[(
                "context.json",
                &context(json!({ "url": format!("nats://ops:{encoded}@HOST") })),
            )],
            by_context,
            &[PASSWORD, encoded],
        ),
        Kind::new(
            "a token in a context's address",
            by_token,
            &[(
                "context.json",
                &context(json!({ "url": format!("nats://{TOKEN}@HOST") })),
            )],
            by_context,
            &[TOKEN],
        ),
        Kind::new(
            "a context's token and seed",
            operator.server_config(),
            &[(
                "context.json",
                &context(json!({ "user_jwt": tokens[0], "user_seed": tokens[1] })),
            )],
            by_context,
            &tokens,
        ),
        Kind::new(
            "credentials of a context",
            operator.server_config(),
            &[
                ("context.json", &context(json!({ "creds": "FILES/secret" }))),
                ("secret", &credentials),
            ],
            by_context,
            &tokens,
        ),
    ];
    // What is broken in a file is told without what stands there.
    let broken = [
        Kind::new(
            "a seed with a letter too many",
            by_key,
            &[("secret", &format!("{seed}A"))],
            r#"nats.nkey_seed_file = "FILES/secret""#,
            &[&seed],
        ),
        Kind::new(
            "credentials without their seed",
            operator.server_config(),
            &[(
                "secret",
                credentials.split("-----BEGIN USER").next().unwrap(),
            )],
            r#"nats.credentials = "FILES/secret""#,
            &tokens[..1],
        ),
        Kind::new(
            "a context that is no JSON",
            String::new(),
            &[(
                "context.json",
                &format!("{{\"password\": \"{PASSWORD}\" \"token\": {TOKEN}"),
            )],
            by_context,
            &[PASSWORD, TOKEN],
        ),
        Kind::new(
            "a context whose password is a number's",
            String::new(),
            &[("context.json", &format!("{{\"user\": [\"{PASSWORD}\"]}}"))],
            by_context,
            &[PASSWORD],
        ),
        Kind::new(
            "a context's address that is none",
            String::new(),
            &[(
                "context.json",
                &context(json!({ "url": format!("nats://ops:{encoded}@no such host") })),
            )],
            by_context,
            &[PASSWORD, encoded],
        ),
    ];
    good.into_iter().chain(broken).collect()
}

/// In how many ways a text can be told.
fn spellings(secret: &str) -> [String; 4] {
    let bytes: Vec<String> = secret
        .bytes()
        .take(8)
        .map(|byte| byte.to_string())
        .collect();
    [
        secret.to_owned(),
        STANDARD.encode(secret).trim_end_matches('=').to_owned(),
        bytes.join(", "),
        // A part is too much already.
        secret[..secret.len().min(14)].to_owned(),
    ]
}

/// Everything that can be seen of a recess with this config.
async fn seen(what: &str, config: &Config, folder: &Path, ready: bool) -> Vec<(String, String)> {
    let recess = Recess::start(config).await;
    until(
        "it has come to an end with its connection",
        secs(20),
        async || {
            let log = recess.log();
            let done = if ready {
                log.contains("connected to nats-server")
            } else {
                log.contains("no connection to NATS: ")
            };
            done.then_some(())
        },
    )
    .await;
    // Loud enough: what the client library says to itself is in the log.
    if ready {
        assert!(
            recess.log().contains("write operation: CONNECT"),
            "{what}: {}",
            recess.log()
        );
    }
    let mut seen = vec![("the log".to_owned(), recess.log())];
    for path in ["/metrics", "/readyz", "/healthz", "/"] {
        seen.push((path.to_owned(), recess.get(path).await.unwrap().1));
    }
    let line = fs::read(recess.proc("cmdline")).unwrap();
    seen.push((
        "the command line".to_owned(),
        String::from_utf8(line).unwrap(),
    ));
    let environment = fs::read(recess.proc("environ")).unwrap();
    seen.push((
        "the environment".to_owned(),
        String::from_utf8_lossy(&environment).into_owned(),
    ));
    let path = config.write(folder);
    let commands = ["check", "check --live", "status", "status --format json"];
    let asking = commands.map(|arguments| {
        let (environment, path) = (config.environment.clone(), path.clone());
        tokio::task::spawn_blocking(move || {
            let config = ["--config", path.to_str().unwrap()];
            let words: Vec<&str> = arguments.split(' ').chain(config).collect();
            let output = command_with(&environment, &words);
            let said = [output.stdout, output.stderr].concat();
            (
                format!("recess {arguments}"),
                String::from_utf8(said).unwrap(),
            )
        })
    });
    for answer in futures_util::future::join_all(asking).await {
        seen.push(answer.unwrap());
    }
    seen
}

/// Where the secrets of that kind are seen.
async fn leaks(kind: &Kind, refused: bool) -> Vec<String> {
    let broken = kind.server.is_empty()
        || kind.what.starts_with("a seed with")
        || kind.what.contains("without");
    let authorization = match refused {
        true => "authorization { user: nobody, password: nothing }",
        false => &kind.server,
    };
    let server = Server::start(Options {
        config: authorization.to_owned(),
        ..Default::default()
    })
    .unwrap();
    let files = tempfile::tempdir().unwrap();
    let config = kind.config(&server, files.path());
    let mut leaks = Vec::new();
    for (place, text) in seen(kind.what, &config, files.path(), !refused && !broken).await {
        for spelling in kind.secrets.iter().flat_map(|secret| spellings(secret)) {
            if let Some(line) = text.lines().find(|line| line.contains(&spelling)) {
                let what = kind.what;
                leaks.push(format!("{what} (refused: {refused}) is in {place}: {line}"));
            }
        }
    }
    leaks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_seen_nowhere_whether_the_server_takes_it_or_not() {
    let kinds = kinds();
    assert!(kinds.len() >= 15, "only {} kinds", kinds.len());
    let each = kinds.iter().flat_map(|kind| [(kind, false), (kind, true)]);
    let looks = stream::iter(each).map(|(kind, refused)| leaks(kind, refused));
    let found: Vec<Vec<String>> = looks.buffer_unordered(6).collect().await;
    let found = found.concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_secret_in_an_address_of_the_config_is_refused_and_hidden() {
    let files = tempfile::tempdir().unwrap();
    for secret in ["ops:Zq7secret", "Zq7secret"] {
        let config = Config::new([format!("nats://{secret}@127.0.0.1:4222")]);
        let path = config.write(files.path());
        for arguments in [
            "check",
            "check --format json",
            "check --live",
            "status",
            "run",
            "plan",
        ] {
            let words: Vec<&str> = arguments
                .split(' ')
                .chain(["--config", path.to_str().unwrap()])
                .collect();
            let output = command_with(&[("RECESS_LOG".to_owned(), "trace".to_owned())], &words);
            assert_eq!(output.status.code(), Some(78), "{arguments}");
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(
                said.contains("a secret does not belong in an address"),
                "{arguments}: {said}"
            );
            assert!(!said.contains("Zq7"), "{arguments}: {said}");
        }
    }
}
