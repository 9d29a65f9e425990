//! What decides, beside the windows, which consumers are paused, until when, and whether any is:
//! for `diff`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Config;
use super::file::raw::{self, Entry};
use super::nats::{Api, Connection, ConnectionSource, Nats};
use crate::text::length;

/// Such settings by their keys, as they are in force. A setting that is not written and has no
/// default is left out, and a path is as it is written: two versions of a file need not lie in one
/// folder.
pub fn effects(config: &Config) -> BTreeMap<&'static str, Value> {
    let controller = &config.settings.controller;
    let max_pause = length(controller.max_pause.unsigned_abs());
    let losses = config.policy.loss_defaults();
    let mut effects = BTreeMap::from([
        ("instance", json!(config.policy.instance())),
        ("controller.dry_run", json!(controller.dry_run)),
        ("controller.max_pause", json!(max_pause)),
        ("defaults.on_loss", json!(losses.on_loss.as_str())),
        (
            "defaults.loss_margin",
            json!(length(losses.margin.unsigned_abs())),
        ),
    ]);
    let bucket = config.settings.overrides.bucket.as_ref();
    effects.extend(bucket.map(|bucket| ("overrides.bucket", json!(bucket))));
    let exempt = config.policy.exempt();
    effects.extend(exempt.map(|key| ("defaults.exempt", json!(key.as_str()))));
    effects.extend(connection(&config.settings.nats, &config.file.nats));
    effects
}

/// Which account of which servers is acted on, and whether it can be reached at all.
fn connection(nats: &Nats, raw: &raw::Nats) -> Vec<(&'static str, Value)> {
    let mut effects = vec![("nats.allow_crash_prone", json!(nats.allow_crash_prone))];
    if let ConnectionSource::Here(connection) = &nats.source {
        effects.extend(here(connection));
    }
    let written = [
        ("nats.context", &raw.context),
        ("nats.credentials", &raw.credentials),
        ("nats.nkey_seed_file", &raw.nkey_seed_file),
        ("nats.username", &raw.username),
        ("nats.password_file", &raw.password_file),
        ("nats.token_file", &raw.token_file),
    ];
    effects.extend(texts(written));
    if let Some(tls) = raw.tls.given() {
        let tls = &tls.value;
        let first = tls.handshake_first.given().is_some_and(|first| first.value);
        let written = [
            ("nats.tls.ca", &tls.ca),
            ("nats.tls.cert", &tls.cert),
            ("nats.tls.key", &tls.key),
        ];
        effects.push(("nats.tls.handshake_first", json!(first)));
        effects.extend(texts(written));
    }
    effects
}

fn here(connection: &Connection) -> Vec<(&'static str, Value)> {
    // They are one cluster: which is tried first decides nothing.
    let mut servers = connection.servers.clone();
    servers.sort();
    servers.dedup();
    let mut effects = vec![
        ("nats.servers", json!(servers)),
        ("nats.inbox_prefix", json!(connection.inbox_prefix)),
    ];
    match &connection.api {
        Api::Default => {}
        Api::Domain(domain) => effects.push(("nats.domain", json!(domain))),
        Api::Prefix(prefix) => effects.push(("nats.api_prefix", json!(prefix))),
    }
    effects
}

fn texts<const N: usize>(
    written: [(&'static str, &Entry<String>); N],
) -> impl Iterator<Item = (&'static str, Value)> {
    (written.into_iter()).filter_map(|(key, entry)| Some((key, json!(entry.given()?.value))))
}
