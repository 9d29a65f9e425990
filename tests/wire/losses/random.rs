//! Random histories of a stream that drops what waits for too long: whatever happens, no message is lost.
//!
//! What is published is compared with what the application has had. `cargo test --test wire losses::random` lives through
//! two. More: `RECESS_LOSS_RUNS=50 cargo test --test wire losses::random -- --nocapture`, ten at a time (or
//! `RECESS_LOSS_AT_ONCE`) and longer ones; `RECESS_LOSS_SEED=7`: that one only.

use std::collections::BTreeSet;
use std::env;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{BILLING, seconds};
use crate::support::account::Account;
use crate::support::config::Span;
use crate::support::random::Random;
use crate::support::recess::{Recess, reach};
use crate::support::world::World;

/// What the application is to process.
const OURS: &str = "ORDERS.new";

/// What others publish to the same stream.
const OTHERS: &str = "ORDERS.other";

/// With these seeds recess is killed for good; the one has a filter, deletes and purges, the other two copies and a server
/// that is restarted.
const FEW: [u64; 2] = [2, 16];

/// How one history goes.
#[derive(Debug)]
struct History {
    seed: u64,
    /// Seconds until the stream drops a message.
    max_age: i64,
    margin: i64,
    /// Of the window, longer than that.
    length: i64,
    resync: &'static str,
    /// Milliseconds between two messages, and whether they come in bursts of a second or two.
    every: u64,
    bursty: bool,
    /// The consumer has a filter, and half of the messages are others'.
    filtered: bool,
    /// For so many seconds before the opening nothing is processed.
    behind: i64,
    deletes: bool,
    purges: bool,
    copies: usize,
    /// Every copy is killed right after the opening; one is started again after so many seconds.
    killed: Option<Option<u64>>,
    restarts: bool,
}

impl History {
    fn make_up(seed: u64, brief: bool) -> Self {
        let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x51);
        let max_age = *random.pick(&[20, 25, 30, 40]);
        let max_age = if brief { 18 } else { max_age };
        let more = 15 + random.below(15);
        let killed = random.once_in(2);
        let again = random.once_in(2).then(|| 2 + random.below(6) as u64);
        Self {
            seed,
            max_age,
            margin: *random.pick(&[6, 8]),
            length: max_age + if brief { 6 } else { more },
            resync: *random.pick::<&str>(&["1s", "5s", "1m"]),
            every: *random.pick(&[20, 50, 200, 1_500]),
            bursty: random.once_in(3),
            filtered: random.once_in(3),
            behind: *random.pick(&[0, 0, 2, max_age / 4, max_age / 2]),
            deletes: random.once_in(3),
            purges: random.once_in(4),
            copies: 1 + random.below(2) as usize,
            killed: killed.then_some(again),
            restarts: random.once_in(4),
        }
    }
}

/// What happened to the messages for the application, by their sequences.
#[derive(Default)]
struct Messages {
    published: BTreeSet<u64>,
    processed: BTreeSet<u64>,
    /// By an application, on purpose.
    removed: BTreeSet<u64>,
    /// Dropped by the stream, before a purge hid that.
    gone: BTreeSet<u64>,
}

impl Messages {
    fn lost(&self) -> Vec<u64> {
        let left = self.published.difference(&self.removed);
        let lost: BTreeSet<u64> = left.chain(&self.gone).copied().collect();
        lost.difference(&self.processed).copied().collect()
    }

    /// Those that a purge up to `until` takes out of a stream that begins at `first`.
    fn purging(&mut self, first: u64, until: u64) -> Vec<u64> {
        let waiting = self.waiting().into_iter();
        let dropped = waiting.filter(|sequence| *sequence < first);
        let gone: Vec<u64> = dropped.filter(|one| !self.removed.contains(one)).collect();
        self.gone.extend(gone);
        let range = self.published.range(first.min(until)..until);
        range.copied().collect()
    }

    fn waiting(&self) -> Vec<u64> {
        let waiting = self.published.difference(&self.processed);
        waiting.copied().collect()
    }
}

/// One that can be asked while the server is away.
#[derive(Clone)]
struct Application {
    account: Account,
    messages: Arc<Mutex<Messages>>,
}

impl Application {
    async fn ask(&self, subject: &str, body: Value) -> Option<Value> {
        let body = body.to_string().into();
        let answer = self.account.client.request(subject.to_owned(), body).await;
        let answer: Value = serde_json::from_slice(&answer.ok()?.payload).ok()?;
        answer["error"].is_null().then_some(answer)
    }

    async fn is_paused(&self) -> Option<bool> {
        let info = self.ask("$JS.API.CONSUMER.INFO.ORDERS.billing", json!({}));
        Some(info.await?["paused"] == true)
    }

    async fn publish(self, history: Arc<History>) {
        let mut random = Random(history.seed ^ 1 << 32);
        loop {
            let burst = if history.bursty && random.once_in(40) {
                200
            } else {
                1
            };
            for _ in 0..burst {
                let is_ours = !history.filtered || random.once_in(2);
                let subject = if is_ours { OURS } else { OTHERS };
                let stored = self.ask(subject, json!({})).await;
                if let Some(sequence) = stored.and_then(|stored| stored["seq"].as_u64())
                    && is_ours
                {
                    self.messages.lock().unwrap().published.insert(sequence);
                }
            }
            tokio::time::sleep(Duration::from_millis(history.every)).await;
        }
    }

    /// Pulls again and again, as one must whose server may go away.
    async fn process(self) {
        let wait = Duration::from_secs(2);
        loop {
            let jetstream = &self.account.jetstream;
            let consumer = jetstream
                .get_consumer_from_stream("billing", "ORDERS")
                .await;
            let Ok::<PullConsumer, _>(consumer) = consumer else {
                continue;
            };
            loop {
                let pull = consumer.fetch().max_messages(500).expires(wait).messages();
                let Ok(mut batch) = pull.await else { break };
                while let Some(message) = batch.next().await {
                    let Ok(message) = message else { break };
                    if let Ok(info) = message.info() {
                        let sequence = info.stream_sequence;
                        self.messages.lock().unwrap().processed.insert(sequence);
                    }
                    let _ = message.ack().await;
                }
            }
        }
    }

    /// Takes messages that wait out of the stream.
    async fn remove(&self, history: &History, random: &mut Random) {
        let waiting = self.messages.lock().unwrap().waiting();
        if waiting.is_empty() {
            return;
        }
        if history.deletes {
            for _ in 0..1 + random.below(5) {
                let sequence = *random.pick(&waiting);
                let body = json!({ "seq": sequence });
                if (self.ask("$JS.API.STREAM.MSG.DELETE.ORDERS", body).await).is_some() {
                    self.messages.lock().unwrap().removed.insert(sequence);
                }
            }
        }
        if history.purges {
            let Some(info) = self.ask("$JS.API.STREAM.INFO.ORDERS", json!({})).await else {
                return;
            };
            let first = info["state"]["first_seq"].as_u64().unwrap_or_default();
            let until = *random.pick(&waiting);
            let purged = self.messages.lock().unwrap().purging(first, until);
            let purge = self.ask("$JS.API.STREAM.PURGE.ORDERS", json!({ "seq": until }));
            if purge.await.is_some() {
                self.messages.lock().unwrap().removed.extend(purged);
            }
        }
    }
}

/// What came of one.
struct Outcome {
    line: String,
    is_right: bool,
    log: String,
}

async fn live(history: History) -> Outcome {
    let history = Arc::new(history);
    let random = &mut Random(history.seed ^ 2 << 32);
    let mut world = World::new().await;
    let stream = json!({ "max_age": seconds(history.max_age) });
    world.account.stream_with("ORDERS", stream).await;
    let filter = match history.filtered {
        true => json!({ "filter_subject": OURS }),
        false => json!({}),
    };
    world.account.consumer_with(BILLING, filter).await;
    let application = Application {
        account: world.account.clone(),
        messages: Arc::default(),
    };
    let span = Span::opening_in(5 + history.behind, history.length);
    let config = world
        .config()
        .set(&format!("controller.resync = \"{}\"", history.resync))
        .set("defaults.on_loss = \"release\"")
        .set(&format!("defaults.loss_margin = \"{}s\"", history.margin))
        .window("night", &["ORDERS/*"], span);
    let mut copies = Vec::new();
    for _ in 0..history.copies {
        copies.push(Recess::start(&config).await);
    }
    let mut tasks = JoinSet::new();
    reach(span.opens - (history.behind + 2).seconds()).await;
    let publisher = tasks.spawn(application.clone().publish(history.clone()));
    if history.behind > 0 {
        reach(span.opens + 1.second()).await;
    }
    tasks.spawn(application.clone().process());

    reach(span.opens + 1.second()).await;
    let opened = application.is_paused().await == Some(true);
    let mut log = String::new();
    if let Some(again) = history.killed {
        for mut recess in copies.drain(..) {
            recess.kill();
            log += &recess.log();
        }
        if let Some(after) = again {
            tokio::time::sleep(Duration::from_secs(after)).await;
            copies.push(Recess::start(&config).await);
        }
    }
    if history.restarts {
        tokio::time::sleep(Duration::from_millis(random.below(3_000) as u64)).await;
        world.server.kill();
        world.server.restart().unwrap();
    }
    let (mut paused, mut looks) = (0, 0);
    while Timestamp::now() < span.closes {
        if random.once_in(4) {
            application.remove(&history, random).await;
        }
        if let Some(is_paused) = application.is_paused().await {
            looks += 1;
            paused += usize::from(is_paused);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    publisher.abort();
    reach(span.closes + 3.seconds()).await;
    let all_had = async || application.messages.lock().unwrap().lost().is_empty();
    for _ in 0..100 {
        if all_had().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tasks.shutdown().await;
    let messages = application.messages.lock().unwrap();
    let lost = messages.lost();
    let line = format!(
        "{} published, {} removed, {} processed, {} lost; paused {paused} of {looks} times, at the opening: {opened}; \
         {history:?}{}",
        messages.published.len(),
        messages.removed.len(),
        messages.processed.len(),
        lost.len(),
        match lost.first() {
            None => String::new(),
            Some(first) => format!("; the first lost is {first}"),
        }
    );
    for recess in &copies {
        log += &recess.log();
    }
    // What is behind by too much is not paused at all, and the time of a message is known from the last reading before it.
    let read_before = match history.resync {
        "1s" => 1,
        "5s" => 5,
        _ => history.behind + 7,
    };
    let had_room = history.behind.max(read_before) + history.margin + 6 < history.max_age;
    Outcome {
        line,
        is_right: lost.is_empty() && !messages.published.is_empty() && (opened || !had_room),
        log,
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable)
        .ok()
        .map(|value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_lost_in_random_histories() {
    let one = number("RECESS_LOSS_SEED").map(|seed| vec![seed]);
    let many = number("RECESS_LOSS_RUNS").map(|runs| (1..=runs).collect());
    let is_brief = one.is_none() && many.is_none();
    let seeds: Vec<u64> = one.or(many).unwrap_or_else(|| FEW.to_vec());
    let at_once = number("RECESS_LOSS_AT_ONCE").unwrap_or(10) as usize;
    let lives = (seeds.into_iter()).map(|seed| live(History::make_up(seed, is_brief)));
    let mut outcomes = futures_util::stream::iter(lives).buffer_unordered(at_once);
    let mut wrong = 0;
    while let Some(Outcome {
        line,
        is_right,
        log,
    }) = outcomes.next().await
    {
        println!("{line}");
        if !is_right {
            println!("{log}");
            wrong += 1;
        }
    }
    assert_eq!(wrong, 0);
}
