//! What people override at run time: the commands on a real server, without a daemon, beside one that runs, and beside one
//! that has stopped.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::ask;
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::world::World;

mod accounts;
mod alone;
mod beside;
mod clustered;
mod refused;
mod views;

const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";

/// A world with two consumers, and a config with a bucket that exists.
async fn world() -> (World, Config) {
    let world = World::with(&[BILLING, SHIPPING]).await;
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

fn id(made: &Value) -> &str {
    made["id"].as_str().unwrap()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Until when a consumer is paused, without the nanoseconds; with recess's mark or another client's.
async fn held(account: &Account, path: &str) -> Option<(Timestamp, i32)> {
    let look = account.look(path).await;
    let until = look.until.filter(|_| look.paused)?;
    Some((
        Timestamp::from_second(until.as_second()).unwrap(),
        until.subsec_nanosecond(),
    ))
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
