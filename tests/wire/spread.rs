//! Consumers that come back one by one after a window, each at its own moment, whether recess lives or not.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::support::account::Account;
use crate::support::config::{Config, MARK, Span};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const CONSUMERS: usize = 1_000;
const SPREAD: u64 = 20;

/// FNV-1a, 64 bit, worked out here once more.
fn fnv(text: &str) -> u64 {
    (text.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// When that consumer should come back.
fn own(path: &str, span: Span) -> Timestamp {
    let offset = i64::try_from(fnv(path) % SPREAD).unwrap();
    span.closes + offset.seconds() + i64::from(MARK).nanoseconds()
}

/// Every consumer's deadline, and whether the server holds it.
async fn all(account: &Account) -> BTreeMap<String, (Option<Timestamp>, bool)> {
    let mut found = BTreeMap::new();
    for stream in ["S0", "S1"] {
        let mut offset = 0;
        loop {
            let body = json!({ "offset": offset }).to_string();
            let subject = format!("$JS.API.CONSUMER.LIST.{stream}");
            let page = account.request(&subject, &body).await;
            let consumers = page["consumers"].as_array().unwrap();
            if consumers.is_empty() {
                break;
            }
            offset += consumers.len();
            for info in consumers {
                let until = info["config"]["pause_until"].as_str();
                let until = until.map(|until| until.parse().unwrap());
                let path = format!("{stream}/{}", info["name"].as_str().unwrap());
                found.insert(path, (until, info["paused"] == true));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_consumers_come_back_over_the_stated_time_with_recess_dead() {
    assert_eq!(fnv("ORDERS/billing") % 600, 288, "as the design has it");
    let World { server, account } = World::busy().await;
    let mut paths = Vec::new();
    for stream in ["S0", "S1"] {
        account.memory_stream(stream, 1).await;
        paths.extend((0..CONSUMERS / 2).map(|number| format!("{stream}/c{number}")));
    }
    stream::iter(&paths)
        .for_each_concurrent(32, |path| account.consumer(path))
        .await;

    let span = Span::opening_in(2, 12);
    let spread = format!("resume_spread = \"{SPREAD}s\"");
    let config = Config::new([server.url()])
        .window("night", &["*/*"], span)
        .also(&spread);
    let mut recess = Recess::start(&config).await;
    until("all have their deadline", secs(20), async || {
        let found = all(&account).await;
        let right = |path: &String| found[path] == (Some(own(path, span)), true);
        paths.iter().all(right).then_some(())
    })
    .await;
    recess.kill();

    // Another one finds pauses that may last, and begins none.
    reach(span.closes + 2.seconds()).await;
    let tap = account.tap().await;
    let _second = Recess::start(&config).await;
    let mut held = Vec::new();
    while Timestamp::now() < span.closes + 22.seconds() {
        let before = Timestamp::now();
        let found = all(&account).await;
        let after = Timestamp::now();
        for path in &paths {
            let (until, paused) = found[path];
            assert_eq!(until, Some(own(path, span)), "{path}");
            let early = !paused && after < own(path, span);
            let late = paused && before > own(path, span) + 1.second();
            assert!(!early && !late, "{path}: paused {paused} at {after}");
        }
        held.push(found.values().filter(|(_, paused)| *paused).count());
        tokio::time::sleep(secs(1)).await;
    }
    assert!(
        held.is_sorted_by(|earlier, later| earlier >= later),
        "{held:?}"
    );
    assert!(
        held.iter().any(|held| (300..700).contains(held)),
        "{held:?}"
    );
    assert_eq!(held.last(), Some(&0), "{held:?}");
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusion_and_a_reload_release_consumers_at_once() {
    let World { server, account } = World::with(&["ORDERS/billing", "EVENTS/mail"]).await;
    let span = Span::open_for(120);
    let config = Config::new([server.url()])
        .window("orders", &["ORDERS/*"], span)
        .window("events", &["EVENTS/*"], span);
    let recess = Recess::start(&config).await;
    until("both are paused", secs(10), async || {
        (recess.total("consumer_paused").await == 2.0).then_some(())
    })
    .await;
    let (from, to) = (span.opens, span.closes);
    let exclusion = format!(
        "[[exclusion]]\nname = \"now\"\nfrom = {from}\nuntil = {to}\nwindows = [\"orders\"]"
    );
    recess.reload(&config.also(&exclusion));
    until("it runs", secs(8), async || {
        (!account.look("ORDERS/billing").await.paused).then_some(())
    })
    .await;
    assert!(
        account
            .is_paused_until("EVENTS/mail", span.deadline())
            .await
    );
}
