//! Leaders that die under a window: the cluster's own in the middle of the burst, a consumer's in the middle of the pause.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::support::account::{Account, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::Cluster;
use crate::support::recess::{Recess, reach, secs, until};

/// Consumers of each of six streams: one with a single replica on each node, and three with three.
const EACH: usize = 50;

const ALL: usize = 6 * EACH;

/// Writes that are under way at once, by default.
const IN_FLIGHT: usize = 8;

struct WithLeader {
    cluster: Cluster,
    /// The place of the node that leads the cluster.
    leader: usize,
    paths: Vec<String>,
}

async fn with_leader() -> WithLeader {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.nodes[0].url()).await;
    let mut streams = Vec::new();
    for place in 0..3 {
        let name = Cluster::name(place);
        streams.push(format!("ONE-{name}"));
        account
            .memory_stream_on(&name, &format!("ONE-{name}"))
            .await;
        streams.push(format!("THREE-{place}"));
        account.memory_stream(&format!("THREE-{place}"), 3).await;
    }
    let paths: Vec<String> = (streams.iter())
        .flat_map(|stream| (0..EACH).map(move |number| format!("{stream}/c{number}")))
        .collect();
    stream::iter(&paths)
        .for_each_concurrent(16, |path| account.consumer(path))
        .await;
    let leader = until("the cluster has a leader", secs(10), async || {
        cluster.meta_leader()
    })
    .await;
    WithLeader {
        cluster,
        leader,
        paths,
    }
}

/// Which of them are not as they should be.
async fn wrong(account: &Account, paths: &[String], deadline: Option<Timestamp>) -> Vec<String> {
    stream::iter(paths)
        .map(async |path| {
            let look = account.look(path).await;
            let right = match deadline {
                Some(deadline) => look.paused && look.until == Some(deadline),
                None => !look.paused,
            };
            (!right).then(|| path.clone())
        })
        .buffer_unordered(16)
        .filter_map(std::future::ready)
        .collect()
        .await
}

/// Asserts that nobody was written to more often than the decision table calls for, and returns how many writes came
/// again. One comes again where its answer did not come (5 s after it was sent, or as soon as recess is connected again
/// where the lost connection cut it) and where the server accepted it and lost it (5 s later).
fn writes_that_came_again(writes: &[Request], span: Span, cut_at: Option<Timestamp>) -> usize {
    let mut of: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    let body = format!(r#"{{"pause_until":"{}"}}"#, span.deadline());
    for write in writes {
        assert_eq!(write.body, body, "{write:?}");
        of.entry(&write.subject).or_default().push(write);
    }
    // A node that dies with the connection takes with it what it did not yet pass on to the node of the tap. It may have
    // passed the same to the streams, which were then paused unheard: that they are is seen at the consumers themselves.
    let unheard = if cut_at.is_some() { IN_FLIGHT } else { 0 };
    assert!(of.len() + unheard >= ALL, "{} were written to", of.len());
    for its in of.values() {
        for pair in its.windows(2) {
            let gap = pair[1].at.duration_since(pair[0].at);
            let was_cut = cut_at.is_some_and(|at| pair[0].at <= at && at <= pair[1].at);
            assert!(
                was_cut || gap > SignedDuration::from_millis(4_900),
                "{its:#?}"
            );
        }
    }
    writes.len() - of.len()
}

async fn the_cluster_loses_its_leader(recess_is_on_it: bool) {
    let WithLeader {
        mut cluster,
        leader,
        paths,
    } = with_leader().await;
    let listener = (leader + 1) % 3;
    let first = if recess_is_on_it {
        leader
    } else {
        (leader + 2) % 3
    };
    let account = Account::connect(&cluster.nodes[listener].url()).await;
    let span = Span::opening_in(3, 28);
    let config = Config::new([cluster.nodes[first].url()]).window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    assert!(cluster.nodes[first].serves("recess"));
    let tap = account.tap().await;
    until("the burst is under way", secs(10), async || {
        (tap.writes().len() >= 60).then_some(())
    })
    .await;
    cluster.nodes[leader].kill();
    let killed = Timestamp::now();
    reach(killed + 2.seconds()).await;
    cluster.nodes[leader].restart().unwrap();

    let rest = span.closes.duration_since(Timestamp::now()).as_secs();
    let rest = secs(u64::try_from(rest).unwrap());
    let mut last = Vec::new();
    until("all are paused", rest, async || {
        last = wrong(&account, &paths, Some(span.deadline())).await;
        last.is_empty().then_some(())
    })
    .await;
    until("all are confirmed", rest, async || {
        let paused = recess.total("consumer_paused").await == ALL as f64;
        (paused && recess.total("consumer_unconfirmed").await == 0.0).then_some(())
    })
    .await;
    let took = Timestamp::now().duration_since(killed);
    println!("all confirmed {took:#}");
    reach(span.closes + 1.second()).await;
    let asleep = wrong(&account, &paths, None).await;
    assert!(asleep.is_empty(), "{asleep:?}");
    until("recess sees that they run", secs(10), async || {
        (recess.total("consumer_paused").await == 0.0).then_some(())
    })
    .await;
    let cut_at = recess_is_on_it.then_some(killed);
    let again = writes_that_came_again(&tap.writes(), span, cut_at);
    let results = async |result| {
        let series = format!(r#"requests_total{{action="pause",result="{result}"}}"#);
        recess.metric(&series).await.unwrap_or_default() as usize
    };
    // What recess says that it sent is what was heard: nothing was delivered late by the way. On a busy machine a cluster
    // that has just found its leader refuses some for a moment.
    let sent = results("ok").await + results("timeout").await + results("error").await;
    assert!(sent >= ALL + again, "{sent} sent, {again} came again");
    assert_eq!(results("denied").await, 0);
    let log = recess.log();
    let refusals = log
        .lines()
        .filter(|line| line.contains("nats-server refused"));
    for refusal in refusals {
        assert!(
            refusal.contains("(error 10008)"),
            "no leader is the only reason: {refusal}"
        );
    }
    // A cluster on a busy machine may take longer than the 10 s after which that is an error, and rightly told.
    let slow = took > SignedDuration::from_secs(8);
    assert!(slow || !recess.log().contains("ERROR"), "{}", recess.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clusters_leader_dies_in_the_burst() {
    the_cluster_loses_its_leader(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clusters_leader_dies_in_the_burst_and_the_connection_with_it() {
    the_cluster_loses_its_leader(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumers_leader_dies_in_the_pause_and_nothing_is_sent() {
    let WithLeader {
        mut cluster,
        leader,
        paths,
    } = with_leader().await;
    let account = Account::connect(&cluster.nodes[leader].url()).await;
    let span = Span::opening_in(3, 25);
    let config = Config::new([cluster.nodes[leader].url()])
        .set(r#"controller.resync = "5s""#)
        .window("night", &["*/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    let confirmed = async || {
        let paused = recess.total("consumer_paused").await == ALL as f64;
        (paused && recess.total("consumer_unconfirmed").await == 0.0).then_some(())
    };
    until("all are confirmed", secs(15), confirmed).await;
    assert_eq!(
        wrong(&account, &paths, Some(span.deadline())).await,
        [""; 0]
    );

    // A node that serves consumers with three replicas, and does not lead the cluster.
    let mut led = paths.iter().filter(|path| path.starts_with("THREE"));
    let (victim, its) = loop {
        let path = led.next().expect("one is led by another node");
        let name = account.leader(path).await.expect("it has a leader");
        if Cluster::place(&name) != leader {
            break (name, path);
        }
    };
    let place = Cluster::place(&victim);
    cluster.nodes[place].kill();
    until("it has another leader", secs(15), async || {
        account.leader(its).await.filter(|name| *name != victim)
    })
    .await;
    cluster.nodes[place].restart().unwrap();
    until("recess sees all again", secs(20), confirmed).await;
    assert_eq!(
        wrong(&account, &paths, Some(span.deadline())).await,
        [""; 0]
    );
    assert!(Timestamp::now() < span.closes, "the node was back too late");

    reach(span.closes + 1.second()).await;
    assert_eq!(wrong(&account, &paths, None).await, [""; 0]);
    assert_eq!(writes_that_came_again(&tap.writes(), span, None), 0);
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert!(!recess.log().contains("ERROR"), "{}", recess.log());
}
