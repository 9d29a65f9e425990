//! A soak: one recess before a cluster, through faults that go on and on. What it holds must not grow, and every window must
//! open in time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::crowd::{Crowd, People};
use crate::daemon_under_test::DaemonUnderTest;
use crate::healed::{Usage, all_becomes_right, usage};
use crate::judge::Judge;
use crate::network::weather;
use crate::record::{Event, Record, What};
use crate::rules::{Rules, second};
use crate::servers::Servers;
use crate::support::random::Random;
use crate::told::{Question, deadline};

/// A window opens so often, and is open for so long.
const APART: i64 = 20;
const LENGTH: i64 = 10;

/// Whom nobody but recess touches.
const LEFT_ALONE: &str = "S0";

/// So late the first request of an opening may be that nothing disturbs, on a busy machine.
const IN_TIME: SignedDuration = SignedDuration::from_secs(1);

/// So long after a disturbance a cluster may still be at odds with itself, and so long recess may take then.
const RECOVERY: SignedDuration = SignedDuration::from_secs(6);
const CATCHES_UP: SignedDuration = SignedDuration::from_secs(10);

type Spans = Vec<(Timestamp, Timestamp)>;

/// When each window opened, and when the first request for it was sent.
struct Openings {
    base: i64,
    first: Vec<Option<Timestamp>>,
}

impl Openings {
    fn hear(&mut self, events: &[Event]) {
        for event in events {
            let What::Sent { frame, .. } = &event.what else {
                continue;
            };
            let Question::Pause(path) = Question::of(frame) else {
                continue;
            };
            let closes = deadline(frame).map_or(0, Timestamp::as_second);
            let since = closes - LENGTH - self.base;
            if path.starts_with(LEFT_ALONE) && since >= 0 && since % APART == 0 {
                let turn = (since / APART) as usize;
                self.first[turn].get_or_insert(event.at);
            }
        }
    }

    /// How late each was that has closed, and what it was allowed.
    fn judge(&self, disturbed: &Spans, wrong: &mut Vec<String>) -> (Vec<f64>, Vec<f64>) {
        let (mut calm, mut others) = (Vec::new(), Vec::new());
        for (turn, first) in self.first.iter().enumerate() {
            let opens = second(self.base + turn as i64 * APART);
            let closes = opens + SignedDuration::from_secs(LENGTH);
            if closes > Timestamp::now() {
                break;
            }
            let near = |(from, until): &&(Timestamp, Timestamp)| {
                *from < opens + IN_TIME && opens - SignedDuration::from_secs(3) < *until + RECOVERY
            };
            let end = disturbed.iter().filter(near).map(|span| span.1).max();
            // What goes on while it waits is in its way too.
            let end = end.map(|end| {
                let later = (disturbed.iter()).filter(|span| span.0 <= end + RECOVERY);
                later.map(|span| span.1).fold(end, Timestamp::max)
            });
            let bound = end.map_or(opens + IN_TIME, |end| end + RECOVERY + CATCHES_UP);
            let late = first.map(|first| first.duration_since(opens));
            match (late, end) {
                (Some(late), None) => calm.push(late.as_secs_f64()),
                (Some(late), Some(_)) => others.push(late.as_secs_f64()),
                (None, _) => {}
            }
            // The last 5 s of a window begin no pause.
            let must = bound.min(Timestamp::now()) < closes - SignedDuration::from_secs(5);
            let is_late = first.is_none_or(|first| first > bound);
            if must && is_late || first.is_some_and(|first| first < opens) {
                wrong.push(format!(
                    "the window that opened at {opens}: {first:?}, by {bound}"
                ));
            }
        }
        calm.sort_by(f64::total_cmp);
        others.sort_by(f64::total_cmp);
        (calm, others)
    }
}

async fn soak(length: Duration, seed: u64) {
    let mut random = Random(seed);
    let record = Record::default();
    let mut servers = Servers::start(true, &record);
    let crowd = Crowd::of(&[LEFT_ALONE, "S1", "S2"], 3, 8);
    let meddled = Crowd::of(&["S1", "S2"], 3, 8);
    let people = People::connect(&servers.urls(), &record).await;
    people.settle(&crowd).await;
    let base = Timestamp::now().as_second() + 10;
    let turns = length.as_secs() as i64 / APART + 3;
    let rules = Rules::in_turns(base, turns, APART, LENGTH, &["S0/*", "S1/c1*", "S2/c2"]);
    let rules = Arc::new(rules);
    let settings = vec!["controller.request_timeout = \"1s\"".to_owned()];
    let mut copy = DaemonUnderTest::new(&servers, &record, rules.clone(), settings, false).await;
    copy.start().await;
    let pid = copy.recess().unwrap().pid();

    let began = Instant::now();
    let end = began + length;
    let samples: Arc<Mutex<Vec<(f64, Usage)>>> = Arc::default();
    let taken = samples.clone();
    let sampler = tokio::spawn(async move {
        loop {
            let at = began.elapsed().as_secs_f64();
            taken.lock().unwrap().push((at, usage(pid)));
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    let mut chance = Random(seed ^ 1);
    let meddling = tokio::spawn({
        let people = people.clone();
        async move {
            loop {
                people.meddle(&mut chance, &meddled).await;
                let wait = Duration::from_millis(200 + chance.below(4_000) as u64);
                tokio::time::sleep(wait).await;
            }
        }
    });

    let mut disturbed = Spans::new();
    let mut judge = Judge::new(SignedDuration::from_secs(1), SignedDuration::from_secs(2));
    let mut wrong = Vec::new();
    let mut openings = Openings {
        base,
        first: vec![None; turns as usize],
    };
    let mut told = Instant::now();
    while Instant::now() < end {
        let from = Timestamp::now();
        match random.below(8) {
            0..=3 => weather(&copy.proxies, &mut random, &record, "network").await,
            4..=6 => servers.suffer(&mut random).await,
            _ if random.once_in(2) => copy.reload(rules.clone()),
            _ => copy.reload_badly(&mut random),
        }
        disturbed.push((from, Timestamp::now()));
        let wait = Duration::from_millis(2_000 + random.below(28_000) as u64);
        tokio::time::sleep(wait).await;
        let events = record.take();
        openings.hear(&events);
        judge.hear(&events);
        for violation in judge.violations.drain(..) {
            let at = events[violation.event].at;
            println!("at {at}: {}", violation.what);
            wrong.push(format!("at {at}: {}", violation.what));
        }
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            let (_, usage) = *samples.lock().unwrap().last().unwrap();
            println!(
                "{:.0?}: {usage:?}, {} writes",
                began.elapsed(),
                judge.writes
            );
        }
    }
    meddling.abort();
    sampler.abort();
    servers.heal();
    people.settle(&crowd).await;
    copy.heal(rules.clone()).await;
    if let Err(problem) = all_becomes_right(&people, &crowd, &rules).await {
        wrong.push(problem);
    }
    openings.hear(&record.take());
    let (calm, others) = openings.judge(&disturbed, &mut wrong);
    tell("openings that nothing disturbed, late in s", &calm);
    tell(
        "openings in or right after a disturbance, late in s",
        &others,
    );
    let samples = samples.lock().unwrap().clone();
    let of = |what: fn(&Usage) -> f64| -> Vec<(f64, f64)> {
        // The first minutes fill caches and pools.
        let settled = samples.iter().skip(samples.len() / 5);
        settled.map(|(at, usage)| (*at, what(usage))).collect()
    };
    for (name, values, most) in [
        ("memory in MB", of(|usage| usage.memory as f64 / 1e6), 10.0),
        ("files", of(|usage| usage.files as f64), 10.0),
        ("threads", of(|usage| usage.threads as f64), 3.0),
    ] {
        let slope = slope(&values) * 3600.0;
        let (first, last) = (third(&values, 0), third(&values, 2));
        println!(
            "{name}: {first:.2} in the first third, {last:.2} in the last; {slope:+.2} an hour"
        );
        if last - first > most {
            wrong.push(format!("I5: {name} grow from {first} to {last}"));
        }
    }
    println!(
        "{} disturbances, {} writes, {} questions in {:?}",
        disturbed.len(),
        judge.writes,
        judge.questions,
        began.elapsed()
    );
    copy.terminate().await;
    wrong.append(&mut copy.faults);
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", copy.log());
    assert!(!calm.is_empty(), "no opening was left alone");
}

fn tell(what: &str, late: &[f64]) {
    let at = |part: f64| late.get((late.len() as f64 * part) as usize);
    println!(
        "{} {what}: {:.3?} (half), {:.3?} (nine of ten), {:.3?} (all)",
        late.len(),
        at(0.5),
        at(0.9),
        late.last()
    );
}

fn third(values: &[(f64, f64)], which: usize) -> f64 {
    let length = (values.len() / 3).max(1);
    let part = values.iter().skip(which * length).take(length);
    let (sum, count) = part.fold((0.0, 0.0), |(sum, count), (_, value)| {
        (sum + value, count + 1.0)
    });
    sum / f64::max(count, 1.0)
}

/// Of the straight line through the values, by least squares.
fn slope(values: &[(f64, f64)]) -> f64 {
    let count = values.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|value| value.0), mean(|value| value.1));
    let above: f64 = values
        .iter()
        .map(|(at, value)| (at - x) * (value - y))
        .sum();
    let below: f64 = values.iter().map(|(at, _)| (at - x).powi(2)).sum();
    above / below.max(1e-9)
}

/// So long as `RECESS_CHAOS_SECONDS` says, else two minutes.
#[test]
#[ignore = "takes long: RECESS_CHAOS_SECONDS=2700 cargo test --test chaos soak -- --ignored --nocapture"]
fn a_soak_leaves_no_trace() {
    let seconds = crate::runs::variable("RECESS_CHAOS_SECONDS").unwrap_or(120);
    let seed = crate::runs::variable("RECESS_CHAOS_SEED").unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(soak(Duration::from_secs(seconds), seed));
}
