//! Consumers that come and go, in numbers: around the others while a list is read, and under the hands of recess.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::account::{Account, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Cluster, Server};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

async fn world() -> World {
    let world = World::busy().await;
    world.account.memory_stream("ORDERS", 1).await;
    world
}

async fn create(account: &Account, paths: &[String]) {
    stream::iter(paths)
        .for_each_concurrent(16, |path| account.consumer(path))
        .await;
}

async fn delete(account: &Account, paths: &[String]) {
    stream::iter(paths)
        .for_each_concurrent(16, |path| account.delete(path))
        .await;
}

fn lasting(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("ORDERS/{number:04}-lasting"))
        .collect()
}

/// All the time a guest comes anywhere between so many others and the oldest guest goes: the list keeps its length, and
/// shifts. Counts those who went.
fn guests(
    account: &Account,
    between: usize,
    pause: Duration,
) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    const AT_A_TIME: usize = 60;
    let guest = move |number: usize| format!("ORDERS/{:04}-guest-{number}", number * 389 % between);
    let gone = Arc::new(AtomicUsize::new(0));
    let (counted, account) = (gone.clone(), account.clone());
    let churn = tokio::spawn(async move {
        for number in 0.. {
            match number % 2 {
                0 => account.consumer(&guest(number)).await,
                _ => account.ephemeral(&guest(number)).await,
            }
            if let Some(oldest) = number.checked_sub(AT_A_TIME) {
                account.delete(&guest(oldest)).await;
                counted.fetch_add(1, Relaxed);
            }
            tokio::time::sleep(pause).await;
        }
    });
    (churn, gone)
}

/// The consumers that were written to, each once.
#[track_caller]
fn written_once(writes: &[Request]) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for write in writes {
        let path = write.subject.replace("$JS.API.CONSUMER.PAUSE.", "");
        let path = path.replacen('.', "/", 1);
        assert!(paths.insert(path), "once more: {write:?}");
    }
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_lost_from_a_list_in_which_others_come_and_go_all_the_time() {
    // nats-server 2.15 lets a stream have a thousand.
    const LASTING: usize = 900;
    let World { server, account } = world().await;
    let lasting = lasting(LASTING);
    create(&account, &lasting).await;

    let (churn, gone) = guests(&account, LASTING, Duration::from_micros(2_500));
    let tap = account.tap().await;
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .window("night", &["ORDERS/*-lasting"], Span::open_for(300));
    let recess = Recess::start(&config).await;
    let all = LASTING as f64;
    until("all are paused", secs(30), async || {
        (recess.total("consumer_paused").await == all).then_some(())
    })
    .await;

    let passes = r#"passes_total{result="ok"}"#;
    let (first, before) = (recess.metric(passes).await.unwrap(), gone.load(Relaxed));
    until("twenty passes more", secs(120), async || {
        assert_eq!(recess.total("consumer_paused").await, all);
        assert_eq!(recess.total("consumer_desired_paused").await, all);
        assert_eq!(recess.total("consumer_missing").await, 0.0);
        (recess.metric(passes).await.unwrap() >= first + 20.0).then_some(())
    })
    .await;
    let went = gone.load(Relaxed) - before;
    assert!(went > 500, "only {went} guests went meanwhile");
    churn.abort();

    assert_eq!(
        recess.metric(r#"passes_total{result="error"}"#).await,
        Some(0.0)
    );
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert_eq!(written_once(&tap.writes()), lasting.into_iter().collect());
    assert_eq!(recess.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_for_which_a_cluster_waits_in_vain_is_waited_for() {
    // It asks each consumer, and waits 4 s for one that was deleted meanwhile; request_timeout is 3 s.
    const LASTING: usize = 300;
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ORDERS", 1).await;
    let lasting = lasting(LASTING);
    create(&account, &lasting).await;
    let (churn, _) = guests(&account, LASTING, Duration::ZERO);
    let config = Config::new(cluster.urls())
        .set(r#"controller.resync = "1s""#)
        .window("night", &["ORDERS/*-lasting"], Span::open_for(600));
    let recess = Recess::start(&config).await;
    let all = LASTING as f64;
    until("all are paused", secs(60), async || {
        (recess.total("consumer_paused").await == all).then_some(())
    })
    .await;
    let passes = async |within: &str| {
        let series = format!("pass_duration_seconds_bucket{{le={within:?}}}");
        recess.metric(&series).await.unwrap()
    };
    until("two lists were waited for", secs(120), async || {
        assert_eq!(recess.total("consumer_paused").await, all);
        assert_eq!(recess.total("consumer_missing").await, 0.0);
        (passes("+Inf").await >= passes("2").await + 2.0).then_some(())
    })
    .await;
    churn.abort();
    assert_eq!(
        recess.metric(r#"passes_total{result="error"}"#).await,
        Some(0.0)
    );
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert_eq!(recess.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_come_and_go_around_an_opening_are_paused_or_forgotten_without_a_complaint()
{
    /// So many that those who stay fit into the stream.
    const LATE: u64 = 5_000;
    let World { server, account } = world().await;
    let named = |group: &str, count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("ORDERS/{group}-{number:03}"))
            .collect()
    };
    let (steady, before, at) = (named("steady", 100), named("before", 100), named("at", 200));
    for group in [&steady, &before, &at] {
        create(&account, group).await;
    }
    let span = Span::opening_in(5, 300);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;

    // Some go after recess has prepared for the opening, and some while it pauses the others.
    reach(span.opens - 300.milliseconds()).await;
    delete(&account, &before).await;
    reach(span.opens).await;
    delete(&account, &at).await;

    // Then they come and go, some after a moment that is too short for a look and a pause; every tenth comes to stay.
    let end = Timestamp::now() + 10.seconds();
    let late: Vec<(bool, String)> = stream::iter(0..LATE)
        .take_while(|_| std::future::ready(Timestamp::now() < end))
        .map(|number| {
            let account = &account;
            async move {
                let (stays, path) = (number % 10 == 0, format!("ORDERS/late-{number:04}"));
                account.consumer(&path).await;
                if !stays {
                    tokio::time::sleep(Duration::from_micros(number * 37 % 12_000)).await;
                    account.delete(&path).await;
                }
                (stays, path)
            }
        })
        .buffered(2)
        .collect()
        .await;
    assert!(late.len() > 300, "only {} came", late.len());
    let stay = || (late.iter()).filter_map(|(stays, path)| stays.then_some(path));
    let there: BTreeSet<&String> = steady.iter().chain(stay()).collect();
    let refused = recess.log().matches("deleted before it was").count();
    assert!(refused > 0, "nobody was gone before its pause");
    until("all that are there are paused", secs(5), async || {
        (recess.total("consumer_paused").await == there.len() as f64).then_some(())
    })
    .await;
    for path in &there {
        assert!(
            account.is_paused_until(path, span.deadline()).await,
            "{path}"
        );
    }
    until("nobody else is shown", secs(10), async || {
        (recess.total("consumer_desired_paused").await == there.len() as f64).then_some(())
    })
    .await;
    assert_eq!(recess.total("consumer_contested").await, 0.0);
    assert_eq!(recess.total("consumer_unconfirmed").await, 0.0);
    assert_eq!(recess.total("repairs_total").await, 0.0);
    assert_eq!(recess.complaints(), [""; 0]);
}

/// A hundred ordered consumers a second come and go, each with a name of its own, as with readers that look something up.
fn readers(account: &Account) -> JoinHandle<()> {
    let account = account.clone();
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        for number in 0.. {
            beat.tick().await;
            let account = account.clone();
            tokio::spawn(async move {
                let name = format!("reader{number}");
                let body = json!({
                    "stream_name": "ORDERS",
                    "config": {
                        "name": name, "ack_policy": "none", "mem_storage": true, "num_replicas": 1,
                        "inactive_threshold": 300_000_000_000_i64,
                    },
                });
                let subject = format!("$JS.API.CONSUMER.CREATE.ORDERS.{name}");
                account.request(&subject, &body.to_string()).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                account.delete(&format!("ORDERS/{name}")).await;
            });
        }
    })
}

fn paused(name: &str) -> String {
    format!(r#"consumer_paused{{consumer_name="{name}",stream_name="ORDERS"}}"#)
}

/// A glob that has one consumer paused, and looks at everything again by an advisory or after ten minutes only.
async fn paused_world() -> (Server, Account, Recess) {
    let World { server, account } = world().await;
    account.consumer("ORDERS/billing").await;
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "10m""#)
        .window("night", &["ORDERS/*"], Span::open_for(300));
    let recess = Recess::start(&config).await;
    recess.until_metric(&paused("billing"), 1.0, secs(10)).await;
    (server, account, recess)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_ordered_consumers_a_second_cost_next_to_no_request() {
    let (_server, account, recess) = paused_world().await;
    let tap = account.tap().await;
    let idle = recess.busy();
    tokio::time::sleep(secs(5)).await;
    let idle = recess.busy() - idle;
    let readers = readers(&account);
    let busy = recess.busy();
    tokio::time::sleep(secs(20)).await;
    let busy = recess.busy() - busy;
    let asked = tap.all();
    println!(
        "{} requests and {busy:?} of processor time in 20 s; without readers {idle:?} in 5 s",
        asked.len()
    );
    // Ten looks, the first of which may ask for each of sixteen at most.
    assert!(asked.len() < 60, "{} requests", asked.len());
    assert!(!asked.is_empty(), "the readers are not there");

    // A durable consumer among them is found within five seconds, and a busy machine is given two more.
    account.consumer("ORDERS/late").await;
    recess.until_metric(&paused("late"), 1.0, secs(7)).await;
    readers.abort();
    assert_eq!(recess.complaints(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_consumer_that_comes_alone_is_paused_at_once() {
    let (_server, account, _recess) = paused_world().await;
    // One after the other, as in a deployment.
    for number in 0..20 {
        let path = format!("ORDERS/late{number}");
        account.consumer(&path).await;
        until("it is paused", secs(1), async || {
            account.look(&path).await.paused.then_some(())
        })
        .await;
    }
}
