//! What planning costs: loading and checking a file, openings of a year, what is desired, and when something changes
//! next, for 10,000 windows.
//!
//! `cargo bench --bench planning`. Each figure is the median of several runs of the same work.

#![allow(clippy::disallowed_methods)]

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use recess::config;
use recess::consumer::ConsumerId;
use recess::policy::{Policy, WindowSet};

const WINDOWS: usize = 10_000;

const CONSUMERS: usize = 10_000;

/// So many windows does a consumer follow at most.
const MOST: usize = 10;

/// What an operator may wait for, or a pass may take, on a small machine.
const ALLOWED: Duration = Duration::from_millis(50);

/// What a reload may wait for `check`.
const LOADING: Duration = Duration::from_millis(500);

const RUNS: usize = 7;

fn main() {
    let text = file();
    let began = Instant::now();
    let policy = match config::parse(Path::new("bench.toml"), &text) {
        Ok(config) => config.policy,
        Err(error) => panic!("{error}"),
    };
    let now: Timestamp = "2026-11-24T01:31:00Z".parse().expect("an instant");
    judge(
        &format!("load    {WINDOWS} windows"),
        began.elapsed(),
        LOADING,
    );
    check(&text, now);
    check(&globs(), now);
    a_year(&policy, now);
    desired(&policy, now);
    next_change(&policy, now);
}

/// What people write: most nights, some weekdays, some months, a few around the clock; by length and by time of day, in
/// several zones, with holidays.
fn file() -> String {
    let schedules = [
        "30 1 * * *",
        "0 22 * * FRI",
        "15 2 * * 1-5",
        "0 3 1 * *",
        "0 0 * * SUN#1",
        "45 23 L * *",
        "5 4 * * *",
        "0 */6 * * *",
    ];
    let lengths = [
        "duration = \"2h\"",
        "until = \"05:30\"",
        "duration = \"20m\"",
    ];
    let zones = [
        "Europe/Zurich",
        "America/New_York",
        "UTC",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
    ];
    let mut text = String::from("instance = \"bench\"\n");
    for number in 0..WINDOWS {
        let spread = if number % 3 == 0 {
            "resume_spread = \"10m\"\n"
        } else {
            ""
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[window]]\nname = \"w{number}\"\nconsumers = [\"S{}/c{number}\"]\nschedule = \"{}\"\n{}\ntimezone = \"{}\"\n{spread}",
            number / 100,
            schedules[number % schedules.len()],
            lengths[number / 7 % lengths.len()],
            zones[number / 3 % zones.len()],
        );
    }
    text += "[[exclusion]]\nname = \"holidays\"\ndates = [2026-12-25, 2026-12-26, 2027-01-01, 2027-08-01]\n";
    text
}

/// Windows whose selectors are globs, none of which is the start of a name.
fn globs() -> String {
    let windows = (0..4_000).map(|number| {
        format!(
            "[[window]]\nname = \"w{number}\"\nconsumers = [\"*-s{number}/*-c{number}\"]\nschedule = \"30 1 * * *\"\nduration = \"2h\"\n"
        )
    });
    String::from("instance = \"bench\"\n") + &windows.collect::<String>()
}

/// What `recess check` does, which stands in front of every reload.
fn check(text: &str, now: Timestamp) {
    let mut windows = 0;
    let took = median(3, || match config::parse(Path::new("bench.toml"), text) {
        Ok(config) => {
            windows = config.policy.windows().len();
            let doubts = config::outlook(&config, now);
            std::hint::black_box(config::render(&config.source, &doubts, false));
        }
        Err(error) => panic!("{error}"),
    });
    judge(&format!("check   {windows} windows"), took, LOADING);
}

fn a_year(policy: &Policy, now: Timestamp) {
    let end = now + SignedDuration::from_hours(24 * 365);
    let mut occurrences = 0;
    let took = median(3, || {
        let windows = policy.windows().iter();
        occurrences = windows
            .map(|window| window.intersecting(now, end).len())
            .sum();
    });
    let each = took.as_nanos() / u128::try_from(occurrences.max(1)).unwrap_or(1);
    println!(
        "plan    a year of {WINDOWS} windows: {occurrences} occurrences in {took:.1?}, {each} ns each"
    );
}

fn desired(policy: &Policy, now: Timestamp) {
    // Every consumer follows a set of its own, as in a pass at its worst.
    let follows: Vec<(ConsumerId, WindowSet)> = (0..CONSUMERS)
        .map(|number| {
            let its = (0..=number % MOST).map(|more| (number * 7 + more * 13) % WINDOWS);
            let windows = its.map(|place| policy.windows()[place].clone());
            (
                ConsumerId::new("S", format!("c{number}")),
                windows.collect(),
            )
        })
        .collect();
    let took = median(RUNS, || {
        let mut moment = policy.desired_at(now);
        for (id, windows) in &follows {
            std::hint::black_box(moment.desired(id, windows));
        }
    });
    judge(
        &format!("desired {CONSUMERS} consumers with up to {MOST} windows each"),
        took,
        ALLOWED,
    );
}

fn next_change(policy: &Policy, now: Timestamp) {
    let took = median(RUNS, || {
        std::hint::black_box(policy.next_change(now));
    });
    judge(
        &format!("change  the next one of {WINDOWS} windows"),
        took,
        ALLOWED,
    );
    let change = policy.next_change(now).expect("a change");
    let took = median(RUNS, || {
        std::hint::black_box(policy.changing(change, change));
    });
    judge(
        &format!("change  the consumers that it concerns, of {WINDOWS} windows"),
        took,
        ALLOWED,
    );
}

fn judge(what: &str, took: Duration, allowed: Duration) {
    let verdict = if took < allowed { "within" } else { "OVER" };
    println!("{what}: {took:.1?}, {verdict} {allowed:?}");
}

fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..runs)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    took.sort();
    took[runs / 2]
}
