//! What operators do to a cluster in an open window: nodes are drained, streams are moved and scaled. Nobody is resumed,
//! and nothing is sent.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::account::{Account, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Cluster, Options, Server};
use crate::support::recess::{Recess, reach, secs, until};

fn paths(stream: &str) -> Vec<String> {
    (0..20)
        .map(|number| format!("{stream}/c{number}"))
        .collect()
}

async fn are_paused(account: &Account, paths: &[String], span: Span) {
    for path in paths {
        let look = account.look(path).await;
        let right = look.paused && look.until == Some(span.deadline());
        assert!(right, "{path}: {look:?}");
    }
}

async fn until_seen_paused(recess: &Recess, count: usize) {
    until("recess sees all paused", secs(15), async || {
        let paused = recess.total("consumer_paused").await == count as f64;
        let confirmed = recess.total("consumer_unconfirmed").await == 0.0;
        (paused && confirmed).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recess_moves_off_a_node_that_is_drained_and_sends_nothing_again() {
    let options = Options {
        // The least that the server takes.
        config: "lame_duck_duration: 30s\nlame_duck_grace_period: 1s".to_owned(),
        ..Default::default()
    };
    let cluster = Cluster::start(3, options).unwrap();
    let leader = until("the cluster has a leader", secs(10), async || {
        cluster.meta_leader()
    })
    .await;
    let others = [(leader + 1) % 3, (leader + 2) % 3];
    let account = Account::connect(&cluster.nodes[others[0]].url()).await;
    account.memory_stream("THREE", 3).await;
    let paths = paths("THREE");
    for path in &paths {
        account.consumer(path).await;
    }
    // The first server is down, the second is the one to be drained; the others are told by that one.
    let mut down = Server::start(Default::default()).unwrap();
    down.kill();
    let span = Span::open_for(60);
    let servers = [down.url(), cluster.nodes[leader].url()];
    let config = Config::new(servers).window("night", &["*/*"], span);
    let tap = account.tap().await;
    let recess = Recess::start(&config).await;
    until_seen_paused(&recess, paths.len()).await;
    assert!(cluster.nodes[leader].serves("recess"));
    assert_eq!(tap.writes().len(), paths.len(), "{:#?}", tap.writes());
    assert_eq!(recess.complaints(), [""; 0]);
    tap.clear();

    cluster.nodes[leader].signal("USR2");
    until("another node serves recess", secs(20), async || {
        let mut others = others.iter().map(|&other| &cluster.nodes[other]);
        others.any(|node| node.serves("recess")).then_some(())
    })
    .await;
    recess.until_ready().await;
    until("it has looked at everything", secs(15), async || {
        let looked = |request: &Request| request.subject.contains(".LIST.");
        tap.all().iter().any(looked).then_some(())
    })
    .await;
    until_seen_paused(&recess, paths.len()).await;
    are_paused(&account, &paths, span).await;
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    let complaints = recess.complaints();
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
    assert!(complaints[0].contains("was lost"), "{complaints:#?}");

    // The new connection is as good as the old one: what happens is heard, and answered.
    account.consumer("THREE/late").await;
    until("the newcomer is paused", secs(5), async || {
        let paused = account.is_paused_until("THREE/late", span.deadline());
        paused.await.then_some(())
    })
    .await;
    assert_eq!(tap.writes().len(), 1, "{:#?}", tap.writes());
}

/// Updates a stream and waits until every consumer of it is served by one of so many nodes, all of them up to date.
async fn update(account: &Account, stream: &str, replicas: usize, node: Option<&str>) {
    let mut config = json!({
        "name": stream, "subjects": [format!("{stream}.>")], "storage": "memory",
        "num_replicas": replicas,
    });
    if let Some(node) = node {
        config["placement"] = json!({ "tags": [node] });
    }
    let subject = format!("$JS.API.STREAM.UPDATE.{stream}");
    account.request(&subject, &config.to_string()).await;
    for path in paths(stream) {
        let subject = format!("$JS.API.CONSUMER.INFO.{}", path.replace('/', "."));
        until("the consumer has moved", secs(30), async || {
            let request = async_nats::Request::new().timeout(Some(secs(1)));
            let answer = account.client.send_request(subject.clone(), request).await;
            let info: Value = serde_json::from_slice(&answer.ok()?.payload).unwrap();
            let cluster = &info["cluster"];
            let leader = cluster["leader"].as_str().filter(|name| !name.is_empty())?;
            let followers = cluster["replicas"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            let settled = followers.len() + 1 == replicas
                && followers.iter().all(|follower| follower["current"] == true)
                && node.is_none_or(|node| node == leader);
            settled.then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_moved_or_scaled_in_a_window_stay_paused() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream_on("n1", "MOVED").await;
    account.memory_stream("SCALED", 1).await;
    let both = [paths("MOVED"), paths("SCALED")].concat();
    for path in &both {
        account.consumer(path).await;
    }
    let span = Span::open_for(24);
    let config = Config::new(cluster.urls())
        .set(r#"controller.resync = "1s""#)
        .window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    until_seen_paused(&recess, both.len()).await;
    let tap = account.tap().await;

    update(&account, "SCALED", 3, None).await;
    are_paused(&account, &paths("SCALED"), span).await;
    update(&account, "MOVED", 1, Some("n2")).await;
    are_paused(&account, &paths("MOVED"), span).await;
    update(&account, "SCALED", 1, None).await;
    are_paused(&account, &both, span).await;
    until_seen_paused(&recess, both.len()).await;
    assert!(Timestamp::now() < span.closes, "it took too long");

    reach(span.closes + 1.second()).await;
    for path in &both {
        assert!(!account.look(path).await.paused, "{path}");
    }
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert!(!recess.log().contains("ERROR"), "{}", recess.log());
}
