//! Nodes of a cluster that leave, die or hang around the opening of a window: their consumers are unknown until they are
//! back, and everybody else is served.

use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;

use crate::cli::ask;
use crate::support::account::{Account, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Cluster, Server};
use crate::support::recess::{Recess, reach, secs, until};

/// Streams with one replica on the node that will be lost (`GONE`, `NAMED`) and on another (`HERE`), and with three.
struct WithVictim {
    cluster: Cluster,
    account: Account,
    /// Not the leader of the cluster, so that there is one all the time.
    victim: usize,
    /// Leads the cluster; recess and the account are connected to it.
    stays: usize,
}

const STREAMS: [&str; 3] = ["GONE", "HERE", "THREE"];
const CONSUMERS: usize = 20;
const EXACT_CONSUMER: &str = "NAMED/exact";

fn paths(stream: &str) -> Vec<String> {
    (0..CONSUMERS)
        .map(|number| format!("{stream}/c{number}"))
        .collect()
}

async fn with_victim() -> WithVictim {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let stays = until("the cluster has a leader", secs(10), async || {
        cluster.meta_leader()
    })
    .await;
    let victim = (stays + 1) % 3;
    let account = Account::connect(&cluster.nodes[stays].url()).await;
    account
        .memory_stream_on(&Cluster::name(victim), "GONE")
        .await;
    account
        .memory_stream_on(&Cluster::name(victim), "NAMED")
        .await;
    account
        .memory_stream_on(&Cluster::name(stays), "HERE")
        .await;
    account.memory_stream("THREE", 3).await;
    for path in STREAMS.iter().flat_map(|stream| paths(stream)) {
        account.consumer(&path).await;
    }
    account.consumer(EXACT_CONSUMER).await;
    WithVictim {
        cluster,
        account,
        victim,
        stays,
    }
}

fn of<'a>(writes: &'a [Request], stream: &str) -> Vec<&'a Request> {
    let subject = format!("$JS.API.CONSUMER.PAUSE.{stream}.");
    writes
        .iter()
        .filter(|write| write.subject.starts_with(&subject))
        .collect()
}

async fn all_paused(account: &Account, paths: &[String], span: Span) -> bool {
    for path in paths {
        if !account.is_paused_until(path, span.deadline()).await {
            return false;
        }
    }
    true
}

/// How a node is lost and brought back, and how soon recess has put its consumers right.
struct Loss {
    lose: fn(&mut Server),
    bring_back: fn(&mut Server),
    right_within: SignedDuration,
}

async fn a_lost_node_holds_up_nobody(loss: Loss) {
    let WithVictim {
        mut cluster,
        account,
        victim,
        stays,
    } = with_victim().await;
    let span = Span::opening_in(6, 120);
    let config = Config::new([cluster.nodes[stays].url()]).window(
        "night",
        &["GONE/*", "HERE/*", "THREE/*", EXACT_CONSUMER],
        span,
    );
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let tap = account.tap().await;
    // The node is gone when the opening is prepared.
    reach(span.opens - 4.seconds()).await;
    (loss.lose)(&mut cluster.nodes[victim]);

    // Their streams have a leader, or need an election at most.
    for stream in ["HERE", "THREE"] {
        until(&format!("{stream} is paused"), secs(40), async || {
            let paused = all_paused(&account, &paths(stream), span).await;
            paused.then_some(())
        })
        .await;
    }
    let writes = tap.writes();
    for write in of(&writes, "HERE") {
        let late = write.at.duration_since(span.opens);
        assert!(late.as_millis() < 700, "{late:#} late: {write:?}");
    }
    assert_eq!(of(&writes, "GONE").len(), 0, "{writes:#?}");
    assert_eq!(of(&writes, "NAMED").len(), 0, "{writes:#?}");
    let gone = r#"{consumer_name="c0",stream_name="GONE"}"#;
    let wanted = format!("consumer_desired_paused{gone}");
    recess.until_metric(&wanted, 1.0, secs(5)).await;
    let paused = recess.metric(&format!("consumer_paused{gone}")).await;
    assert_eq!(paused, None, "nobody can know");

    // The server's list waits 4 s for a node that does not answer. Who asks by name is never answered, and is told so.
    let patient = config.set(r#"controller.request_timeout = "6s""#);
    let (_, out, told) = ask(&patient, &["status", "--format", "json"]);
    assert!(told.is_empty() || told.contains("NAMED > exact"), "{told}");
    let rows: Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap().iter();
    let unknown = rows.filter(|row| row["observed"]["state"] == "unknown");
    let unknown: Vec<_> = unknown.map(|row| row["stream"].as_str().unwrap()).collect();
    assert_eq!(unknown.len(), CONSUMERS + 1, "{out}");
    assert!(!unknown.contains(&"HERE") && !unknown.contains(&"THREE"));

    (loss.bring_back)(&mut cluster.nodes[victim]);
    until("the node is back", secs(20), async || {
        account.leader("GONE/c0").await
    })
    .await;
    let back = Timestamp::now();
    let mut lost = paths("GONE");
    lost.push(EXACT_CONSUMER.to_owned());
    until("its consumers are paused", secs(20), async || {
        all_paused(&account, &lost, span).await.then_some(())
    })
    .await;
    let took = Timestamp::now().duration_since(back);
    // Who is refused three times is asked again 10 s later; a node that has just come back on a busy machine does that.
    let refused = recess.log().contains("(error 10008)");
    let again = SignedDuration::from_secs(if refused { 11 } else { 0 });
    assert!(took < loss.right_within + again, "{took:#}");

    until("all is confirmed", secs(10), async || {
        let total = async |metric| recess.total(metric).await;
        let all = STREAMS.len() * CONSUMERS + 1;
        let confirmed = total("consumer_paused").await == all as f64;
        (confirmed && total("consumer_unconfirmed").await == 0.0).then_some(())
    })
    .await;
    // Who has just come back may refuse; what is refused is sent again, and nothing else is.
    let writes = tap.writes();
    let count = async |result: &str| {
        let series = format!(r#"requests_total{{action="pause",result="{result}"}}"#);
        recess.metric(&series).await.unwrap_or(0.0)
    };
    let refused = count("error").await + count("timeout").await;
    let all = (STREAMS.len() * CONSUMERS + 1) as f64;
    assert_eq!(count("ok").await, all, "{writes:#?}");
    assert_eq!(writes.len() as f64, all + refused, "{writes:#?}");
    for stream in ["HERE", "THREE"] {
        assert_eq!(of(&writes, stream).len(), CONSUMERS, "{writes:#?}");
    }
    assert!(!recess.log().contains("ERROR"), "{}", recess.log());
}

/// The others are told: a list answers at once, with what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_holds_up_nobody() {
    a_lost_node_holds_up_nobody(Loss {
        lose: Server::stop,
        bring_back: |node| node.restart().unwrap(),
        right_within: SignedDuration::from_secs(3),
    })
    .await;
}

/// Nobody is told: whatever is asked about its consumers has no answer. A look at everything is under way every few
/// seconds, and has just begun at worst when the node is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_holds_up_nobody() {
    a_lost_node_holds_up_nobody(Loss {
        lose: Server::kill,
        bring_back: |node| node.restart().unwrap(),
        right_within: SignedDuration::from_secs(7),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hangs_holds_up_nobody() {
    a_lost_node_holds_up_nobody(Loss {
        lose: |node| node.signal("STOP"),
        bring_back: |node| node.signal("CONT"),
        right_within: SignedDuration::from_secs(7),
    })
    .await;
}
