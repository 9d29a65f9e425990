//! Which histories are lived through, and how what they found is told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use tokio::time::Instant;

use crate::history::{Kind, Outcome, has_overrides, live};

pub fn variable(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}

/// Every third has a cluster.
fn kind(seed: u64) -> Kind {
    if seed % 3 == 2 {
        Kind::Cluster
    } else {
        Kind::Standalone
    }
}

/// One history in a thread and a runtime of its own: while servers start, its own proxies go on.
fn one(seed: u64, kind: Kind, told: bool) -> Result<Outcome, String> {
    let began = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(live(seed, kind, told))
    });
    began.join().map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "a panic without a word".to_owned())
    })
}

/// Lives through `seeds` until they or the time are used up, some at once.
fn many(seeds: impl Iterator<Item = u64> + Send, until: Option<Instant>, kind: fn(u64) -> Kind) {
    let at_once = variable("RECESS_CHAOS_AT_ONCE").unwrap_or(6);
    let told = variable("RECESS_CHAOS_SEED").is_some() && until.is_none();
    let seeds = Mutex::new(seeds);
    let (done, writes, questions) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let stood_by = AtomicU64::new(0);
    let bad = Mutex::new(BTreeMap::new());
    let took = Mutex::new(Vec::new());
    let count = Mutex::new((u64::MAX, 0, [0; 3], 0));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while until.is_none_or(|until| Instant::now() < until) {
                    let Some(seed) = seeds.lock().unwrap().next() else {
                        return;
                    };
                    {
                        let (first, last, kinds, overridden) = &mut *count.lock().unwrap();
                        (*first, *last) = ((*first).min(seed), (*last).max(seed));
                        kinds[kind(seed) as usize] += 1;
                        *overridden += u64::from(has_overrides(seed));
                    }
                    let wrong = match one(seed, kind(seed), told) {
                        Ok(outcome) => {
                            done.fetch_add(1, SeqCst);
                            writes.fetch_add(outcome.writes as u64, SeqCst);
                            questions.fetch_add(outcome.questions as u64, SeqCst);
                            stood_by.fetch_add(u64::from(outcome.has_standby), SeqCst);
                            took.lock().unwrap().extend(outcome.right_after);
                            report(&outcome)
                        }
                        Err(panic) => Some(panic),
                    };
                    if let Some(wrong) = wrong {
                        println!("seed {seed}: {wrong}");
                        bad.lock().unwrap().insert(seed, wrong);
                    }
                }
            });
        }
    });
    let (first, last, kinds, overridden) = count.into_inner().unwrap();
    let mut took = took.into_inner().unwrap();
    took.sort();
    let longest = took.last().copied().unwrap_or_default();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    println!(
        "{done:?} histories, seeds {first} to {last} ({} standalone, {} in a cluster, {} with a stepped clock; \
         {overridden} with overrides, {stood_by:?} with a standby): {writes:?} writes and {questions:?} questions judged; \
         right after {median:.1?} (half), {longest:.1?} (all)",
        kinds[0], kinds[1], kinds[2]
    );
    let bad = bad.into_inner().unwrap();
    assert!(
        bad.is_empty(),
        "{} of them went wrong; again with RECESS_CHAOS_SEED=N cargo test --test chaos: {bad:#?}",
        bad.len()
    );
    let (writes, done) = (writes.into_inner(), done.into_inner());
    assert!(done < 5 || writes > 10 * done, "next to nothing was judged");
}

/// What is wrong with one, after its story is written down.
fn report(outcome: &Outcome) -> Option<String> {
    let Outcome { seed, kind, .. } = outcome;
    let story = stories().join(format!("{seed}.txt"));
    let wrong = outcome.violations.join("\n");
    if !outcome.story.is_empty() {
        fs::create_dir_all(stories()).unwrap();
        fs::write(&story, format!("{wrong}\n{}", outcome.story)).unwrap();
    }
    if wrong.is_empty() {
        println!(
            "seed {seed}, {kind:?}: {} writes, {} questions, right after {:.1?}",
            outcome.writes,
            outcome.questions,
            outcome.right_after.unwrap_or_default()
        );
        return None;
    }
    Some(format!("{kind:?}, told in {}:\n{wrong}", story.display()))
}

fn stories() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(target)
        .join("chaos")
}

fn run(bounded: std::ops::Range<u64>, kind: fn(u64) -> Kind) {
    let seed = variable("RECESS_CHAOS_SEED");
    match (seed, variable("RECESS_CHAOS_SECONDS")) {
        (None, None) => many(bounded, None, kind),
        (Some(seed), None) => many([seed].into_iter(), None, kind),
        (seed, Some(seconds)) => {
            let fresh = || {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap()
                    .as_secs()
                    * 1_000
            };
            let until = Instant::now() + Duration::from_secs(seconds);
            many(seed.unwrap_or_else(fresh).., Some(until), kind);
        }
    }
}

#[test]
fn no_history_breaks_a_promise() {
    run(1..13, kind);
}

/// `tests/chaos/run` sees to the library.
#[test]
#[ignore = "needs libfaketime: tests/chaos/run"]
fn no_stepped_clock_breaks_a_promise() {
    run(1..9, |_| Kind::Clock);
}
