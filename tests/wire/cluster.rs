//! Three nodes, where a write is accepted before it is applied, and where advisories come twice or falsely.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::status;
use crate::support::account::{Account, served};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Cluster, Server};
use crate::support::recess::{Recess, reach, secs, until};

/// Consumers with one replica and with three.
async fn world() -> (Cluster, Account, Vec<String>) {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ONE", 1).await;
    account.memory_stream("THREE", 3).await;
    let paths = |stream| (0..10).map(move |number| format!("{stream}/c{number}"));
    let paths: Vec<String> = paths("ONE").chain(paths("THREE")).collect();
    for path in &paths {
        account.consumer(path).await;
    }
    (cluster, account, paths)
}

async fn until_all_paused(account: &Account, paths: &[String], span: Span) {
    for path in paths {
        until("it is paused", secs(10), async || {
            let paused = account.is_paused_until(path, span.deadline());
            paused.await.then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_writes_once_to_each_consumer_and_loses_none_with_a_node() {
    let (mut cluster, account, paths) = world().await;
    let span = Span::opening_in(4, 24);
    // It knows the node that will be lost, and hears of the others from that one.
    let config = Config::new([cluster.nodes[2].url()]).window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    until_all_paused(&account, &paths, span).await;
    reach(span.opens + 3.seconds()).await;
    assert_eq!(tap.writes().len(), paths.len(), "{:#?}", tap.writes());
    let all = paths.len() as f64;
    assert_eq!(recess.total("consumer_paused").await, all);
    assert_eq!(recess.total("consumer_unconfirmed").await, 0.0);
    assert_eq!(recess.complaints(), [""; 0]);

    cluster.nodes[2].kill();
    recess.until_log("was lost").await;
    let three = &paths[10..];
    until_all_paused(&account, three, span).await;
    reach(span.closes + 1.second()).await;
    for path in three {
        assert!(!account.look(path).await.paused, "{path}");
    }
    assert_eq!(recess.metric("nats_connected").await, Some(1.0));
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passed_long_ago_is_cleared_where_it_is_ours() {
    let (cluster, account, _) = world().await;
    let (ours, foreign, fresh) = ("THREE/c0", "THREE/c1", "THREE/c2");
    let span = Span::opening_in(3600, 60);
    let mark = span.deadline().duration_since(span.closes);
    let second = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    account.pause(ours, second - 120.seconds() + mark).await;
    account.pause(foreign, second - 120.seconds()).await;
    account.pause(fresh, second - 20.seconds() + mark).await;
    let config = Config::new(cluster.urls()).window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    until("the old deadline is gone", secs(5), async || {
        account.look(ours).await.until.is_none().then_some(())
    })
    .await;
    assert!(account.look(foreign).await.until.is_some());
    assert!(account.look(fresh).await.until.is_some());
    let cleared = r#"requests_total{action="clear",result="ok"}"#;
    recess.until_metric(cleared, 1.0, secs(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_waiting_pulls_of_a_cluster_all_wake_when_their_window_is_taken_out() {
    const STREAMS: usize = 5;
    const CONSUMERS: usize = 200;
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    let paths = account.crowd(STREAMS, CONSUMERS, 32).await;

    let config = Config::new(cluster.urls());
    let recess = Recess::start(&config.clone().window("all", &["*/*"], Span::open_for(300))).await;
    until("all are paused", secs(20), async || {
        (recess.total("consumer_paused").await == paths.len() as f64).then_some(())
    })
    .await;
    let pulls = account.pulls(&paths).await;
    for number in 0..STREAMS {
        account.publish(&format!("S{number}"), 1).await;
    }
    recess.reload(&config);
    assert_eq!(served(pulls, secs(15)).await, paths.len());
}

/// What recess says of names that match nothing, and what `recess status` shows, the times left out.
async fn told_of_names_that_match_nothing(urls: Vec<String>) -> (Vec<String>, Value) {
    let account = Account::connect(&urls[0]).await;
    account.memory_stream("THERE", 1).await;
    account.consumer("THERE/one").await;
    let span = Span::open_for(60);
    let config = Config::new(urls)
        .window("glob", &["NOPE/*"], span)
        .window("exact", &["NOPE/exact", "GONE/alone"], span)
        .window(
            "both",
            &["NOPE/*", "NOPE/exact", "THERE/*", "THERE/nobody"],
            span,
        );
    let recess = Recess::start(&config).await;
    let paused = r#"consumer_paused{consumer_name="one",stream_name="THERE"}"#;
    recess.until_metric(paused, 1.0, secs(5)).await;
    recess.until_log("window glob matches no consumer").await;
    let missing = r#"consumer_missing{consumer_name="exact",stream_name="NOPE"}"#;
    recess.until_metric(missing, 1.0, secs(2)).await;
    let complaints = recess.complaints();
    let complaints = complaints.iter().map(|line| {
        let (_, said) = line.split_once("WARN ").expect("warnings only");
        said.to_owned()
    });
    let mut complaints: Vec<String> = complaints.collect();
    complaints.sort();

    let mut rows = status(&config);
    for row in rows.as_array_mut().unwrap() {
        row["desired"]["until"].take();
        row["observed"]["until"].take();
    }

    // When it appears it is paused like any other.
    account.memory_stream("NOPE", 1).await;
    account.consumer("NOPE/exact").await;
    until_all_paused(&account, &["NOPE/exact".to_owned()], span).await;
    (complaints, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_do_not_exist_are_told_as_by_a_single_server() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let server = Server::start(Default::default()).unwrap();
    let (complaints, rows) = told_of_names_that_match_nothing(cluster.urls()).await;
    assert_eq!(
        complaints,
        [
            "GONE > alone: does not exist, but a window names it; recess pauses it if it is created while the window is open",
            "NOPE > exact: does not exist, but a window names it; recess pauses it if it is created while the window is open",
            "THERE > nobody: does not exist, but a window names it; recess pauses it if it is created while the window is open",
            "window both has a selector that matches no consumer: \"NOPE/*\"; `recess check --live` suggests similar names",
            "window exact matches no consumer; check the names in its `consumers`; `recess check --live` suggests similar ones",
            "window glob matches no consumer; check the names in its `consumers`; `recess check --live` suggests similar ones",
        ]
    );
    let found = rows.as_array().unwrap().iter();
    let found: Vec<_> = found
        .map(|row| (&row["consumer"], &row["observed"]["state"], &row["verdict"]))
        .collect();
    assert_eq!(
        json!(found),
        json!([
            ["alone", "missing", "missing"],
            ["exact", "missing", "missing"],
            ["nobody", "missing", "missing"],
            ["one", "paused", "settled"],
        ])
    );
    let standalone = told_of_names_that_match_nothing(vec![server.url()]).await;
    assert_eq!(standalone, (complaints, rows));
}
