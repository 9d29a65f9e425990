//! In a cluster a deadline that has passed and is still stored breaks an application's strict create: recess takes its own
//! away, and nobody else's pause with it.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use crate::support::account::{Account, Request};
use crate::support::config::{Config, Span};
use crate::support::nats_server::Cluster;
use crate::support::recess::{Recess, secs, until};

/// nats-server's `err_code` for a strict create of a consumer that is there and differs.
const EXISTS: u64 = 10148;

/// A window far away, so that nothing is wanted now.
fn far_away() -> Span {
    Span::opening_in(3600, 60)
}

/// A deadline of recess's that has passed so long ago that it is to be cleared.
fn long_lapsed() -> Timestamp {
    let span = far_away();
    let mark = span.deadline().duration_since(span.closes);
    let second = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    second - 120.seconds() + mark
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_create_works_again_after_the_clear() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ONE", 1).await;
    account.memory_stream("THREE", 3).await;
    let paths = ["ONE/app", "THREE/app"];
    for path in paths {
        account.consumer(path).await;
        assert_eq!(account.strict_create(path).await, None, "{path}");
        account.pause(path, long_lapsed()).await;
        until("the deadline is stored", secs(5), async || {
            account.look(path).await.until
        })
        .await;
        let refused = account.strict_create(path).await;
        assert_eq!(refused, Some(EXISTS), "{path}");
    }
    let config = Config::new(cluster.urls()).window("night", &["*/*"], far_away());
    let recess = Recess::start(&config).await;
    for path in paths {
        until("the deadline is gone", secs(10), async || {
            account.look(path).await.until.is_none().then_some(())
        })
        .await;
        assert_eq!(account.strict_create(path).await, None, "{path}");
    }
    assert_eq!(recess.complaints(), [""; 0]);
}

/// Consumers that are planted before recess starts, and those that are planted while it runs.
const BEFORE: usize = 40;
const CONSUMERS: usize = 200;

/// How long before recess's look a pause may have been accepted that the look does not show: a cluster accepts first and
/// applies later. A fraction of a millisecond was measured; this is for a busy machine.
const NOT_APPLIED_YET: Duration = Duration::from_millis(250);

/// By how much the order of two connections' requests may be mistaken: the server reads them side by side, and the one that
/// the tap hears first may be taken second.
const SIDE_BY_SIDE: Duration = Duration::from_millis(20);

fn path(number: usize) -> String {
    let stream = if number.is_multiple_of(2) {
        "ONE"
    } else {
        "THREE"
    };
    format!("{stream}/c{number}")
}

/// Somebody who pauses consumers for an hour. What it asks is heard like what recess asks.
#[derive(Clone)]
struct Somebody {
    client: async_nats::Client,
    deadline: Timestamp,
}

impl Somebody {
    async fn pause(&self, path: &str) {
        let subject = format!("$JS.API.CONSUMER.PAUSE.{}", path.replace('/', "."));
        let body = format!(r#"{{"pause_until":"{}"}}"#, self.deadline);
        let answer = self.client.request(subject, body.into()).await.unwrap();
        assert!(!answer.payload.starts_with(b"{\"error"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clear_erases_no_pause_but_one_made_between_its_look_and_itself() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let leader = until("the cluster has a leader", secs(10), async || {
        cluster.meta_leader()
    })
    .await;
    // All on one node, so that the tap hears everything in its order.
    let url = cluster.nodes[leader].url();
    let account = Account::connect(&url).await;
    account.memory_stream("ONE", 1).await;
    account.memory_stream("THREE", 3).await;
    for number in 0..CONSUMERS {
        account.consumer(&path(number)).await;
    }
    let somebody = Somebody {
        client: async_nats::connect(&url).await.unwrap(),
        deadline: Timestamp::from_second(Timestamp::now().as_second() + 3600).unwrap(),
    };
    let tap = account.tap().await;

    // First many at once: some are paused before recess starts, the rest while it starts, looks and clears.
    for number in 0..BEFORE {
        account.pause(&path(number), long_lapsed()).await;
    }
    for number in 0..BEFORE / 4 {
        somebody.pause(&path(number)).await;
    }
    let pauses = somebody.clone();
    let meanwhile = tokio::spawn(async move {
        for number in (BEFORE / 4..BEFORE).rev() {
            pauses.pause(&path(number)).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let config = Config::new([url]).window("night", &["*/*"], far_away());
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    meanwhile.await.unwrap();
    // Then one by one: recess hears of the deadline, looks, looks again, and clears, all within a few milliseconds.
    for number in BEFORE..CONSUMERS {
        account.pause(&path(number), long_lapsed()).await;
        match [0, 1, 2, 3, 4, 40][number % 6] {
            0 => {}
            wait => tokio::time::sleep(Duration::from_millis(wait)).await,
        }
        somebody.pause(&path(number)).await;
    }
    until("recess has nothing left to do", secs(10), async || {
        let newest = tap.all().last()?.at;
        (Timestamp::now() > newest + 1.second()).then_some(())
    })
    .await;

    let heard = tap.all();
    let (mut cleared, mut spared) = (0, 0);
    for number in 0..CONSUMERS {
        let path = path(number);
        let survived = account.is_paused_until(&path, somebody.deadline).await;
        let end = format!(".{}", path.replace('/', "."));
        let clears: Vec<usize> = (0..heard.len())
            .filter(|&at| is_clear(&heard[at]) && heard[at].subject.ends_with(&end))
            .collect();
        let pause = (heard.iter())
            .find(|request| is_pause(request) && request.subject.ends_with(&end))
            .expect("it was heard");
        let [clear] = clears[..] else {
            assert!(clears.is_empty() && survived, "{path}: {heard:#?}");
            spared += 1;
            continue;
        };
        cleared += 1;
        let look = heard[..clear].iter().rfind(|request| !is_pause(request));
        let look = look.expect("it looks before it clears");
        let info = format!("$JS.API.CONSUMER.INFO{end}");
        assert_eq!(look.subject, info, "not right before the clear of {path}");
        let in_the_race =
            (look.at - NOT_APPLIED_YET..heard[clear].at + SIDE_BY_SIDE).contains(&pause.at);
        let its = || {
            heard
                .iter()
                .filter(|request| request.subject.ends_with(&end))
        };
        let lost = || format!("{path} lost its pause: {:#?}", its().collect::<Vec<_>>());
        assert!(survived || in_the_race, "{}", lost());
    }
    assert!(
        cleared > 20 && spared > 10,
        "{cleared} cleared, {spared} spared"
    );
    assert!(!recess.log().contains("ERROR"), "{}", recess.log());
}

fn is_clear(request: &Request) -> bool {
    request.subject.contains(".PAUSE.") && request.body.is_empty()
}

fn is_pause(request: &Request) -> bool {
    request.body.contains("pause_until")
}
