//! What there is to be looked at.

use std::fmt::Write;

use jiff::civil::time;
use jiff::{Timestamp, ToSpan};

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, command_with, secs};
use crate::support::world::World;

/// Runs a command that writes an override.
fn done(config: &Config, author: &str, reason: &str, command: &[&str]) {
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let note = [
        "--author",
        author,
        "--reason",
        reason,
        "--yes",
        "--config",
        path.to_str().unwrap(),
    ];
    let output = command_with(&config.environment, &[command, &note].concat());
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn made(config: &Config) {
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let create = ["overrides", "create", "--config", path.to_str().unwrap()];
    let output = command_with(&config.environment, &create);
    assert!(output.status.success(), "{output:?}");
}

/// A night with everything that happens in nights: a window that is open and extended, a pause of an operator's, one that was
/// skipped, a holiday, and more ahead.
pub async fn busy_night() -> (World, Recess) {
    let world = World::with(&[
        "ORDERS/billing",
        "ORDERS/export",
        "ORDERS/invoice",
        "ORDERS/shipping",
        "ORDERS/audit",
        "EVENTS/mail",
        "PARTNER/sync",
        "BILLING/ledger",
    ])
    .await;
    world.account.publish("ORDERS", 1204).await;
    world.account.publish("EVENTS", 57).await;
    world.account.publish("BILLING", 12).await;
    let _unacknowledged = world.account.take("ORDERS/invoice", 3).await;
    let now = Timestamp::now().in_tz("Europe/Zurich").unwrap();
    let opened = &now - 71.minutes();
    let upgrade = (&now + 4.days())
        .with()
        .time(time(22, 0, 0, 0))
        .build()
        .unwrap();
    let (from, until) = (upgrade.datetime(), (&upgrade + 6.hours()).datetime());
    let (holiday, skipped) = ((&now + 3.days()).date(), (&now + 5.days()).date());
    let mut windows = String::new();
    let _ = write!(
        windows,
        r#"
[[window]]
name      = "nightly-vacuum"
consumers = ["ORDERS/*", "!ORDERS/audit"]
schedule  = "{} {} * * *"
duration  = "2h"

[[window]]
name      = "partner-weekend"
consumers = ["PARTNER/*"]
schedule  = "0 22 * * 5"
duration  = "57h"
timezone  = "America/New_York"

[[window]]
name      = "db-upgrade"
consumers = ["BILLING/*"]
from      = {from}
until     = {until}

[[exclusion]]
name    = "public-holiday"
dates   = [{holiday}]
windows = ["nightly-vacuum"]
"#,
        opened.minute(),
        opened.hour(),
    );
    let config = world
        .config()
        .set(r#"overrides.bucket = "recess""#)
        .set(r#"defaults.timezone = "Europe/Zurich""#)
        .also(&windows);
    made(&config);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let paused = r#"consumer_paused{consumer_name="shipping",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(10)).await;
    done(
        &config,
        "alice",
        "index rebuild runs late",
        &["extend", "nightly-vacuum", "--for", "30m"],
    );
    done(
        &config,
        "carol",
        "replay bug, INC-4211",
        &["pause", "EVENTS/mail", "--for", "4h"],
    );
    let day = skipped.to_string();
    done(
        &config,
        "bob",
        "db-upgrade runs that night",
        &["skip", "nightly-vacuum", "--on", &day],
    );
    let mail = r#"consumer_paused{consumer_name="mail",stream_name="EVENTS"}"#;
    recess.until_metric(mail, 1.0, secs(10)).await;
    (world, recess)
}

/// Everything that others may write holds what a browser could take for more than letters. Also the letters themselves, as the
/// page should show them.
pub async fn hostile() -> (World, Recess, Vec<String>) {
    let consumers = [
        r#"ORDERS/<svg"onload=pwned=1"#,
        "ORDERS/'><script>pwned=1",
        "ORDERS/&lt;b&gt;",
        "ORDERS/]]--!javascript:pwned=1",
    ];
    let consumers: Vec<String> = consumers.map(|path| path.replace('>', "\u{203a}")).into();
    let paths: Vec<&str> = consumers.iter().map(|path| &**path).collect();
    let world = World::with(&paths).await;
    let config = world.config().set(r#"overrides.bucket = "recess""#).window(
        "night",
        &["ORDERS/*"],
        Span::open_for(600),
    );
    made(&config);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let reason = r#"</li></style></script><script>pwned=1</script><img src=x onerror=pwned=1>"#;
    done(
        &config,
        "mallory",
        reason,
        &["extend", "night", "--for", "30m"],
    );
    let listed = secs(10);
    recess
        .until_metric(r#"overrides{state="active"}"#, 0.0, listed)
        .await;
    let mut letters: Vec<String> = consumers
        .iter()
        .map(|path| path.trim_start_matches("ORDERS/").to_owned())
        .collect();
    letters.push(reason.to_owned());
    (world, recess, letters)
}
