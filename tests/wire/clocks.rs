//! Hosts whose clocks are wrong. nats-server reads the clock itself (it is a Go program), so libfaketime moves recess's only.

use std::fs;
use std::path::Path;

use futures_util::StreamExt;
use jiff::ToSpan;

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A clock that is off by what stands in the file, such as `+5`.
fn with_clock(config: Config, file: &Path) -> Config {
    assert!(
        Path::new(FAKETIME).exists(),
        "install Debian's package faketime"
    );
    config
        .env("LD_PRELOAD", Path::new(FAKETIME))
        .env("FAKETIME_TIMESTAMP_FILE", file)
        .env("FAKETIME_NO_CACHE", Path::new("1"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: tests/chaos/run"]
async fn a_clock_days_ahead_pauses_nothing_until_it_is_right() {
    let World { server, account } = World::with(&["ORDERS/billing"]).await;
    let tap = account.tap().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    fs::write(&clock, "+100d").unwrap();
    // Every other minute, and the others: open by any clock.
    let windows = ["0/2", "1/2"].map(|minutes| {
        format!(
            "[[window]]\nname = \"{minutes}\"\nconsumers = [\"ORDERS/*\"]\nschedule = \"{}-59/2 * * * *\"\nduration = \"1m\"\n",
            &minutes[..1]
        )
    });
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .set(r#"controller.max_pause = "1h""#)
        .also(&windows.concat());
    let recess = Recess::start(&with_clock(config, &clock)).await;
    recess
        .until_log("clock skew: this host is 100d ahead of the server")
        .await;
    let (status, body) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("clock"), "{body}");
    let passes = recess.total("passes_total").await;
    until("some resyncs have passed", secs(20), async || {
        (recess.total("passes_total").await >= passes + 3.0).then_some(())
    })
    .await;
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    let said = recess.log().matches("ERROR clock skew:").count();
    assert_eq!(said, 1, "{}", recess.log());

    fs::write(&clock, "+0").unwrap();
    until(
        "it is paused by the clock that is right",
        secs(20),
        async || account.look("ORDERS/billing").await.paused.then_some(()),
    )
    .await;
    recess.until_ready().await;
    let writes = tap.writes();
    let furthest = jiff::Timestamp::now() + 1.hour();
    for write in &writes {
        let body: serde_json::Value = serde_json::from_str(&write.body).unwrap();
        let until: jiff::Timestamp = body["pause_until"].as_str().unwrap().parse().unwrap();
        assert!(until <= furthest, "{write:?}");
    }
}

/// A crowd, two copies whose clocks are so many seconds apart, and a window.
async fn two_copies(apart: i64) {
    const CONSUMERS: usize = 2_000;
    let World { server, account } = World::new().await;
    for stream in ["FIRST", "SECOND", "THIRD"] {
        account.stream(stream).await;
    }
    let made = futures_util::stream::iter(0..CONSUMERS).map(|n| {
        let stream = ["FIRST", "SECOND", "THIRD"][n % 3];
        let account = &account;
        async move { account.consumer(&format!("{stream}/c{n}")).await }
    });
    made.buffer_unordered(16).collect::<Vec<()>>().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    fs::write(&clock, format!("+{apart}")).unwrap();
    let span = Span::opening_in(20, 40);
    let config = || {
        Config::new([server.url()])
            .set(r#"controller.resync = "5s""#)
            .window("night", &["*/*"], span)
    };
    let right = Recess::start(&config()).await;
    let ahead = Recess::start(&with_clock(config(), &clock)).await;
    let tap = account.tap().await;
    let subject = "$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>";
    let mut advisories = account.listen(subject).await;
    // Until the server itself has ended all of them.
    reach(span.closes + 5.seconds()).await;
    let mut changes = 0;
    while let Ok(Some(_)) = tokio::time::timeout(secs(1), advisories.next()).await {
        changes += 1;
    }
    let writes = tap.writes().len();
    println!(
        "{apart} s apart: {writes} PAUSE requests, {changes} advisories, {CONSUMERS} consumers"
    );
    assert!((CONSUMERS..=2 * CONSUMERS).contains(&writes), "{writes}");
    // One when it is paused, and one when its deadline passes.
    assert_eq!(changes, 2 * CONSUMERS);
    for copy in [&right, &ahead] {
        assert_eq!(copy.total("repairs_total").await, 0.0);
        assert_eq!(copy.total("consumer_contested").await, 0.0);
        let blamed = (copy.complaints().into_iter()).find(|line| !line.contains("clock"));
        assert_eq!(blamed, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: tests/chaos/run"]
async fn two_copies_two_seconds_apart_do_not_fight() {
    two_copies(2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: tests/chaos/run"]
async fn two_copies_five_seconds_apart_do_not_fight() {
    two_copies(5).await;
}
