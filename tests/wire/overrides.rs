//! What people override at run time: the commands on a real server, without a daemon, beside one that runs, and beside one
//! that has stopped.

use async_nats::ConnectOptions;
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::ask;
use crate::support::account::Account;
use crate::support::config::{Config, MARK, Span};
use crate::support::nats_server::{Options, binary_of_version};
use crate::support::recess::{secs, until};
use crate::support::world::World;

mod accounts;
mod alone;
mod beside;
mod clustered;
mod refused;
mod versions;
mod views;

const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";

/// A world with two consumers, and a config with a bucket that exists.
async fn world() -> (World, Config) {
    world_on(None).await
}

/// The same on a server of that version.
async fn world_on(version: Option<&str>) -> (World, Config) {
    let server = Options {
        binary: version.map(|version| binary_of_version(version).unwrap()),
        ..Options::default()
    };
    let world = World::start(server, ConnectOptions::new()).await;
    world.account.durables(&[BILLING, SHIPPING]).await;
    let config = world.config().set(r#"overrides.bucket = "recess""#);
    let (exit, out, err) = ask(&config, &["overrides", "create"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    assert_eq!(out, "Bucket recess was created (1 replica).\n");
    (world, config)
}

/// A window of both consumers.
fn night(config: Config, span: Span) -> Config {
    config.window("night", &["ORDERS/*"], span)
}

/// The answer of a command that alice gives for a reason.
fn alice(config: &Config, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let who = ["--author", "alice", "--reason", "tests", "--format", "json"];
    let (exit, out, err) = ask(config, &[arguments, &who].concat());
    let value = serde_json::from_str(&out).unwrap_or(Value::Null);
    (exit, value, err)
}

/// The same of a command that succeeds.
fn done(config: &Config, arguments: &[&str]) -> Value {
    let (exit, value, err) = alice(config, arguments);
    assert_eq!((exit, &*err), (Some(0), ""), "{value}");
    value
}

/// The override of a command: of `pause` and `resume` it is in each row.
fn id(made: &Value) -> &str {
    let id = made.get("id").unwrap_or(&made[0]["override"]);
    id.as_str().unwrap()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Until when a consumer is paused, without the nanoseconds; with recess's mark or another client's.
type Held = Option<(Timestamp, i32)>;

async fn held(account: &Account, path: &str) -> Held {
    let look = account.look(path).await;
    let until = look.until.filter(|_| look.paused)?;
    Some((
        Timestamp::from_second(until.as_second()).unwrap(),
        until.subsec_nanosecond(),
    ))
}

/// The answer of a command, and when that consumer was first seen so.
async fn timed(
    account: &Account,
    config: &Config,
    arguments: &[&str],
    path: &str,
    is_so: impl Fn(Held) -> bool,
) -> (Value, Timestamp) {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string()).collect();
    let config = config.clone();
    let command = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        done(&config, &words)
    });
    let seen = until("the consumer follows", secs(20), async || {
        is_so(held(account, path).await).then(Timestamp::now)
    });
    let (answer, seen) = join(command, seen).await;
    (answer.unwrap(), seen)
}

/// When the server stored what a command wrote.
async fn stored(account: &Account, answer: &Value) -> Timestamp {
    let body = json!({ "last_by_subj": format!("$KV.recess.prod-eu.{}", id(answer)) });
    let get = "$JS.API.DIRECT.GET.KV_recess";
    let message = account
        .client
        .request(get, body.to_string().into())
        .await
        .unwrap();
    let headers = message.headers.unwrap();
    headers
        .get("Nats-Time-Stamp")
        .unwrap()
        .as_str()
        .parse()
        .unwrap()
}

/// What a command makes of a consumer.
#[derive(Clone, Copy, Debug)]
enum Follows {
    Paused,
    Until(Timestamp),
    /// Only a deadline that lies ahead wakes it, so it has one for 2 to 3 s.
    Resumed,
}

impl Follows {
    fn is(self, held: Held) -> bool {
        match (self, held) {
            (Self::Paused, held) => held.is_some(),
            (Self::Until(until), held) => held == Some((until, MARK)),
            (Self::Resumed, Some((until, _))) => until < Timestamp::now() + 5.seconds(),
            (Self::Resumed, None) => true,
        }
    }
}

/// The answer of a command that makes this of a consumer, and how long after it was stored the server had that.
async fn followed(
    account: &Account,
    config: &Config,
    arguments: &[&str],
    path: &str,
    follows: Follows,
) -> (Value, SignedDuration) {
    let (answer, seen) = timed(account, config, arguments, path, |held| follows.is(held)).await;
    let after = seen.duration_since(stored(account, &answer).await);
    // The command has confirmed it.
    let is_over = matches!(follows, Follows::Resumed);
    assert_eq!(
        held(account, path).await.is_none(),
        is_over,
        "{arguments:?}"
    );
    (answer, after)
}

/// What `recess overrides` lists, by id and state.
fn listed(config: &Config, arguments: &[&str]) -> Value {
    let (exit, out, err) = ask(
        config,
        &[&["overrides", "--format", "json"], arguments].concat(),
    );
    assert_eq!((exit, &*err), (Some(0), ""));
    let rows: Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap().iter();
    json!(
        rows.map(|row| json!([row["id"], row["state"]]))
            .collect::<Vec<_>>()
    )
}
