//! A scrape of many consumers: a text of some megabytes that is written while it is sent.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::Ipv4Addr;
use std::time::Duration;

use flate2::read::GzDecoder;
use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::config::Span;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

const CONSUMERS: usize = 10_000;

/// nats-server 2.15 lets a stream have a thousand consumers.
const STREAMS: usize = 20;

/// Asks for the metrics, and reads nothing yet.
async fn ask(recess: &Recess, coding: &str) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, recess.port()))
        .await
        .unwrap();
    let request = format!("GET /metrics HTTP/1.0\r\nAccept-Encoding: {coding}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The answer's head and body.
async fn scrape(recess: &Recess, coding: &str) -> (String, Vec<u8>) {
    let mut answer = Vec::new();
    let mut stream = ask(recess, coding).await;
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
    let body = answer.split_off(end.expect("a head") + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

/// The series of consumers, which nothing changes here.
fn of_consumers(text: &str) -> BTreeSet<&str> {
    let lines = text.lines();
    lines
        .filter(|line| line.starts_with("recess_consumer_"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_of_ten_thousand_consumers_is_whole_and_clients_that_stall_or_leave_cost_little() {
    let world = World::busy().await;
    for number in 0..STREAMS {
        let in_memory = json!({ "storage": "memory" });
        let name = format!("S{number}");
        world.account.stream_with(&name, in_memory).await;
    }
    let paths: Vec<String> = (0..CONSUMERS)
        .map(|number| format!("S{}/c{number}", number % STREAMS))
        .collect();
    futures_util::stream::iter(&paths)
        .for_each_concurrent(64, |path| world.account.consumer(path))
        .await;
    let config = world.config();
    let config = config.window("night", &["S*/*"], Span::opening_in(3_600, 60));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    until("all are observed", secs(60), async || {
        let found = recess.metric(r#"window_consumers{window="night"}"#).await;
        (found == Some(CONSUMERS as f64)).then_some(())
    })
    .await;
    let before = (recess.memory("VmHWM"), recess.descriptors());

    let (head, plain) = scrape(&recess, "").await;
    assert!(head.contains("vary: accept-encoding"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    let plain = String::from_utf8(plain).unwrap();
    let series = of_consumers(&plain);
    for metric in ["paused", "desired_paused", "pending_messages", "missing"] {
        let start = format!("recess_consumer_{metric}{{");
        let count = series
            .iter()
            .filter(|line| line.starts_with(&start))
            .count();
        assert_eq!(count, CONSUMERS, "{metric}");
    }
    let (head, zipped) = scrape(&recess, "gzip").await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(
        zipped.len() * 5 < plain.len(),
        "{} of {}",
        zipped.len(),
        plain.len()
    );
    let mut text = String::new();
    GzDecoder::new(&*zipped).read_to_string(&mut text).unwrap();
    assert!(of_consumers(&text) == series, "they differ");

    // Some read a little and leave, some never read.
    for _ in 0..50 {
        let mut leaver = ask(&recess, "gzip").await;
        leaver.read_exact(&mut [0; 1_000]).await.unwrap();
    }
    let mut stalled = Vec::new();
    for number in 0..100 {
        stalled.push(ask(&recess, if number % 2 == 0 { "gzip" } else { "" }).await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (_, plain) = scrape(&recess, "").await;
    assert!(
        of_consumers(std::str::from_utf8(&plain).unwrap()) == series,
        "they differ"
    );
    let memory = recess.memory("VmHWM");
    assert!(
        memory < before.0 + 30,
        "{memory} MB, and {} before",
        before.0
    );
    // They are held still, so it is recess that ends them.
    until("the stalled are ended", secs(40), async || {
        (recess.descriptors() <= before.1 + 1).then_some(())
    })
    .await;
    assert!(!recess.log().contains("panicked"), "{}", recess.log());
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread")]
async fn which_consumers_have_series_is_a_setting_that_a_reload_changes() {
    let world = World::with(&["ORDERS/billing", "ORDERS/shipping", "ORDERS/audit"]).await;
    let config = |shown: &str| {
        let config = world
            .config()
            .set(&format!("http.consumer_metrics = {shown:?}"));
        config
            .window(
                "night",
                &["ORDERS/billing", "ORDERS/nobody"],
                Span::open_for(600),
            )
            .window(
                "later",
                &["ORDERS/shipping", "ORDERS/audit"],
                Span::opening_in(3_000, 60),
            )
    };
    let recess = Recess::start(&config("all")).await;
    let paused = |consumer: &str| {
        format!("consumer_paused{{consumer_name={consumer:?},stream_name=\"ORDERS\"}}")
    };
    recess.until_metric(&paused("billing"), 1.0, secs(10)).await;
    let far = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    world.account.pause("ORDERS/audit", far).await;
    recess.until_metric(&paused("audit"), 1.0, secs(10)).await;
    let names = async || -> Vec<String> {
        let metrics = recess.metrics().await;
        let of = |line: &str| {
            let rest = line.strip_prefix("recess_consumer_paused{consumer_name=\"")?;
            Some(rest.split('"').next()?.to_owned())
        };
        metrics.lines().filter_map(of).collect()
    };
    let shows = async |expected: &[&str]| {
        let what = format!("there are series of {expected:?}");
        until(&what, secs(10), async || {
            (names().await == expected).then_some(())
        })
        .await;
    };
    shows(&["audit", "billing", "nobody", "shipping"]).await;
    // One is paused as it should be, one runs as it should.
    recess.reload(&config("notable"));
    shows(&["audit", "nobody"]).await;
    recess.reload(&config("none"));
    shows(&[]).await;
    let count = r#"window_consumers{window="later"}"#;
    assert_eq!(recess.metric(count).await, Some(2.0));
    recess.reload(&config("all"));
    shows(&["audit", "billing", "nobody", "shipping"]).await;
    assert!(!recess.log().contains("need a restart"), "{}", recess.log());
}
