//! What nats-server does that nobody would expect, and that recess is built around.
//!
//! Each surprise has two halves: the server still does it, shown with requests of our own, and recess copes. When a
//! first half fails with a newer server, recess is not broken: something in it may have become needless, and the
//! failure says what. Where another test shows the second half, the first one's comment names it.

use serde_json::Value;

use crate::support::account::Account;
use crate::support::nats_server::{Options, binary_of_version};

mod alone;
mod clustered;
mod lost;

/// The server that all tests run with, and the oldest and the newest of the other lines that can pause safely.
pub const VERSIONS: [Option<&str>; 3] = [None, Some("2.12.8"), Some("2.14.6")];

pub fn version(version: Option<&str>) -> Options {
    Options {
        binary: version.map(|version| binary_of_version(version).unwrap()),
        ..Default::default()
    }
}

/// A request to the JetStream API; a refusal is an answer too.
async fn ask(account: &Account, verb: &str, path: &str, body: &str) -> Value {
    let subject = format!("$JS.API.CONSUMER.{verb}.{}", path.replace('/', "."));
    account.ask(&subject, body).await
}

/// What to say when a surprise is gone: what the server did so far, and what of recess rests on it.
pub fn gone(account: &Account, surprise: &str, rests: &str) -> String {
    let version = account.client.server_info().version;
    format!(
        "nats-server {version} no longer {surprise}: {rests} can go, or must be looked at again"
    )
}
