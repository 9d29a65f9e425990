//! Surprises that only a cluster has in store.

use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{VERSIONS, ask, gone, version};
use crate::support::account::{Account, Look};
use crate::support::config::{Config, Span};
use crate::support::nats_server::Cluster;
use crate::support::recess::{Recess, reach, secs, until};

/// How often a pause is tried until one is seen late: 1 in 8 to 1 in 23 is.
const TRIES: i64 = 500;

const CONSUMERS: usize = 10;

/// That recess clears its own: `cluster::a_deadline_that_passed_long_ago_is_cleared_where_it_is_ours`.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_has_passed_breaks_a_strict_create_until_it_is_cleared() {
    for binary in VERSIONS {
        let cluster = Cluster::start(3, version(binary)).unwrap();
        let account = Account::connect(&cluster.urls()[0]).await;
        account.memory_stream("ONE", 1).await;
        account.memory_stream("THREE", 3).await;
        tokio::join!(strictly(&account, "ONE/c"), strictly(&account, "THREE/c"));
    }
}

async fn strictly(account: &Account, path: &str) {
    let config = json!({ "durable_name": "c", "ack_policy": "explicit" });
    let stream = path.split('/').next().unwrap();
    let strict = json!({ "stream_name": stream, "config": config, "action": "create" });
    let strict = strict.to_string();
    let create = async || ask(account, "DURABLE.CREATE", path, &strict).await["error"].clone();
    let until_look = async |what, look: Look| {
        until(what, secs(5), async || {
            (account.look(path).await == look).then_some(())
        })
        .await;
    };
    let rests = "Clear (plan::decide)";
    let created = async || (create().await == Value::Null).then_some(());
    until("it is there", secs(10), created).await;
    until("an unchanged create goes well", secs(5), created).await;

    let passes = Timestamp::now() + 2.seconds();
    account.pause(path, passes).await;
    let paused = Look {
        paused: true,
        until: Some(passes),
    };
    let lapsed = Look {
        paused: false,
        ..paused
    };
    until_look("it is paused", paused).await;
    let refused = "refuses a strict create of a paused consumer";
    let error = create().await;
    assert_eq!(
        error["err_code"],
        10148,
        "{}",
        gone(account, refused, rests)
    );
    until_look("the deadline has passed and stays", lapsed).await;
    let refused = "refuses a strict create by a deadline the time has passed";
    let error = create().await;
    assert_eq!(
        error["err_code"],
        10148,
        "{}",
        gone(account, refused, rests)
    );
    assert_eq!(error["code"], 400);

    // To write a time that has passed clears nothing: it takes the old one's place.
    let past = "2020-01-01T00:00:00Z".parse().unwrap();
    account.pause(path, past).await;
    let lapsed = Look {
        until: Some(past),
        ..lapsed
    };
    until_look("the time is written", lapsed).await;
    let refused = "refuses a strict create by a time long passed";
    let error = create().await;
    assert_eq!(
        error["err_code"],
        10148,
        "{}",
        gone(account, refused, rests)
    );

    account.resume(path).await;
    until("an empty request clears it", secs(5), created).await;
    assert_eq!(account.look(path).await.until, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_answered_is_not_yet_in_force() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("THREE", 3).await;
    account.consumer("THREE/c").await;
    let far = Timestamp::now() + 3600.seconds();
    for number in 0..TRIES {
        let deadline = far + number.seconds();
        account.pause("THREE/c", deadline).await;
        if account.look("THREE/c").await.until != Some(deadline) {
            return;
        }
    }
    let surprise = format!("answers a pause before it is in force (in {TRIES} of them)");
    let rests = "the confirmation of what was accepted (ledger::is_settling)";
    panic!("{}", gone(&account, &surprise, rests));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_a_hanging_node_holds_up_is_unconfirmed_until_it_is_seen() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    // By the leader of the meta group, which answers whatever becomes of another node.
    let own = "Self is new JetStream cluster metadata leader";
    let mut nodes = cluster.nodes.iter();
    let leader = nodes.position(|node| node.log().contains(own));
    let leader = leader.expect("a node's log says that it leads");
    let url = cluster.nodes[leader].url();
    let account = Account::connect(&url).await;
    // A stream that another node has alone. The server chooses, so it is asked until it chooses well.
    let mut streams = (0..20).map(|number| format!("S{number}"));
    let (stream, node) = loop {
        let stream = streams.next().expect("streams are spread over the nodes");
        account.memory_stream(&stream, 1).await;
        let info = account
            .request(&format!("$JS.API.STREAM.INFO.{stream}"), "")
            .await;
        let names = ["n1", "n2", "n3"];
        let node = (names.iter()).position(|name| info["cluster"]["leader"] == *name);
        if node.is_some_and(|node| node != leader) {
            break (stream, &cluster.nodes[node.unwrap()]);
        }
    };
    for number in 0..CONSUMERS {
        account.consumer(&format!("{stream}/c{number}")).await;
    }

    let span = Span::opening_in(3, 60);
    let glob = format!("{stream}/*");
    let config = Config::new([url]).window("night", &[&glob], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    // By now what to send at the opening is decided.
    reach(span.opens - 500.milliseconds()).await;
    node.signal("STOP");
    let accepted = r#"requests_total{action="pause",result="ok"}"#;
    recess
        .until_metric(accepted, CONSUMERS as f64, secs(5))
        .await;
    tokio::time::sleep(secs(1)).await;
    assert_eq!(recess.total("consumer_unconfirmed").await, CONSUMERS as f64);
    let confirmed = recess.metric("pause_confirm_seconds_count").await;
    assert_eq!(confirmed, Some(0.0));

    node.signal("CONT");
    until("all are confirmed", secs(20), async || {
        let unconfirmed = recess.total("consumer_unconfirmed").await;
        let confirmed = recess.metric("pause_confirm_seconds_count").await;
        (unconfirmed == 0.0 && confirmed == Some(CONSUMERS as f64)).then_some(())
    })
    .await;
    for number in 0..CONSUMERS {
        let path = format!("{stream}/c{number}");
        assert!(account.is_paused_until(&path, span.deadline()).await);
    }
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_with_one_replica_is_told_twice_and_as_a_creation_and_recess_does_not_loop() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ONE", 1).await;
    account.consumer("ONE/c0").await;
    let advisories = "$JS.EVENT.ADVISORY.CONSUMER.*.ONE.>";
    let mut told = account.listen(advisories).await;
    // Its real creation may still be on its way.
    while tokio::time::timeout(secs(1), told.next()).await.is_ok() {}
    let far = Timestamp::now() + 3600.seconds();
    account.pause("ONE/c0", far).await;
    let mut heard = Vec::new();
    while let Ok(Some(advisory)) = tokio::time::timeout(secs(1), told.next()).await {
        heard.push(advisory.subject.split('.').nth(4).unwrap().to_owned());
    }
    heard.sort();
    let surprise = format!("tells a pause twice, and as a creation (heard: {heard:?})");
    let rests = "asking before writing at an advisory";
    assert_eq!(
        heard,
        ["CREATED", "PAUSE", "PAUSE"],
        "{}",
        gone(&account, &surprise, rests)
    );
    account.resume("ONE/c0").await;

    for number in 1..CONSUMERS {
        account.consumer(&format!("ONE/c{number}")).await;
    }
    let span = Span::opening_in(3, 60);
    let config = Config::new([cluster.urls()[1].clone()]).window("night", &["ONE/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    reach(span.opens + 4.seconds()).await;
    assert_eq!(tap.writes().len(), CONSUMERS, "{:#?}", tap.writes());
    let asked = tap.all().len() - CONSUMERS;
    assert!(asked <= 3 * CONSUMERS, "{asked} questions");
    // All that was told has been answered for: what still comes now would come for ever.
    let mut later = tap.all();
    later.retain(|request| request.at > span.opens + 2.seconds());
    assert_eq!(later.len(), 0, "{later:#?}");
    assert_eq!(recess.total("repairs_total").await, 0.0);

    // A resume is told as a creation too, but it is repaired as what it was.
    account.resume("ONE/c0").await;
    let resumed = r#"repairs_total{cause="resumed"}"#;
    recess.until_metric(resumed, 1.0, secs(5)).await;
    until("it is paused again", secs(5), async || {
        let paused = account.is_paused_until("ONE/c0", span.deadline());
        paused.await.then_some(())
    })
    .await;
    assert_eq!(recess.total("repairs_total").await, 1.0);
}
