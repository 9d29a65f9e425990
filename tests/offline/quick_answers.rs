//! Answers that could take for ever: long chains, and exclusions by the thousand or without end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use recess::calendar::{Boundary, Fixed, Length, Pattern, Rule, Schedule};
use recess::config;
use recess::consumer::{Candidate, ConsumerId};
use recess::policy::{Desired, Exclusion, Policy, Selection, Selector, Window};
use tokio::time::Instant;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn every(pattern: &str, length: SignedDuration) -> Schedule {
    let pattern = Pattern::parse(pattern).unwrap();
    Schedule::Recurring(Rule::new(pattern, TimeZone::UTC, Length::Elapsed(length)))
}

fn once(from: &str, until: &str) -> Schedule {
    let [from, until] = [from, until].map(|text| Boundary::Instant(time(text)));
    Schedule::Fixed(Fixed::once(TimeZone::UTC, from, until).unwrap())
}

fn cut_by(schedule: Schedule, exclusions: impl IntoIterator<Item = Schedule>) -> Window {
    let mut window = Window::new("w", schedule, Selection::new(Vec::new()));
    let exclusions = exclusions.into_iter().map(|schedule| Exclusion {
        name: "x".into(),
        schedule,
        events: None,
    });
    window.exclusions = exclusions.map(Arc::new).collect();
    window
}

/// What it takes of a processor. How long others kept it waiting does not count, if the kernel knows.
fn took<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (start, began) = (Instant::now(), processor_time());
    let answer = work();
    let took = began.zip(processor_time());
    let took = took.map_or_else(|| start.elapsed(), |(began, ended)| ended - began);
    (answer, took)
}

/// Of this thread, since it began.
fn processor_time() -> Option<Duration> {
    // Brings the kernel's count up to date.
    std::thread::yield_now();
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = counts.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Quick enough even in a debug build.
fn quickly<T>(what: &str, ask: impl FnOnce() -> T) -> T {
    let (answer, took) = took(ask);
    println!("{what}: {took:?}");
    assert!(took < Duration::from_secs(2), "{what} took {took:?}");
    answer
}

#[test]
fn what_excludes_everything_for_years_does_not_take_long() {
    let at = time("2026-12-01T00:00:00Z");
    for (what, schedule, exclusion) in [
        (
            "touching minutes",
            every("0 1 * * *", hours(1)),
            every("* * * * *", seconds(60)),
        ),
        (
            "touching seconds",
            every("0 1 * * *", hours(1)),
            every("* * * * * *", seconds(1)),
        ),
        (
            "touching days",
            every("0 1 * * *", hours(1)),
            every("0 0 * * *", hours(24)),
        ),
        (
            "ten years",
            every("* * * * *", seconds(60)),
            once("2026-01-01T00:00:00Z", "2037-01-01T00:00:00Z"),
        ),
        (
            "minute for minute",
            every("* * * * *", seconds(30)),
            every("* * * * *", seconds(30)),
        ),
    ] {
        let window = cut_by(schedule, [exclusion]);
        assert_eq!(quickly(what, || window.next_opening(at)), None, "{what}");
        assert_eq!(quickly(what, || window.open_at(at)), None, "{what}");
        let whole = window.schedule.next_opening(at).unwrap();
        assert!(
            quickly(what, || window.by_file().pieces(whole)).is_empty(),
            "{what}"
        );
    }
}

#[test]
fn a_thousand_exclusions_do_not_take_long() {
    // Each takes an hour of every second day; half of them in the order of time, half against it.
    let day = |number: i64| time("2027-01-01T00:00:00Z") + hours(48 * number);
    let exclusion = |number: i64| {
        let (from, until) = (day(number), day(number) + hours(1));
        once(&from.to_string(), &until.to_string())
    };
    let numbers = (0..1_000).chain((1_000..2_000).rev());
    let window = cut_by(every("0 0 * * *", hours(1)), numbers.map(exclusion));
    let next = quickly("the next", || window.next_opening(day(0) - seconds(1)));
    assert_eq!(next.map(|next| next.opens), Some(day(0) + hours(24)));

    // A chain of a thousand hours, and an opening in each of them.
    let hour = |number: i64| (day(0) + hours(number)).to_string();
    let chain = (0..1_000).map(|number| once(&hour(number), &hour(number + 1)));
    let window = cut_by(every("30 * * * *", seconds(60)), chain.rev());
    let next = quickly("a chain", || window.next_opening(day(0)));
    assert_eq!(
        next.map(|next| next.opens),
        Some(day(0) + hours(1_000) + seconds(1_800))
    );
    assert!(quickly("is it open", || window.open_at(day(1))).is_none());
}

#[test]
fn a_long_chain_of_short_windows_does_not_take_long() {
    // The first of December, second for second, and the first hour of the second, minute for minute.
    let windows = [("* * * 1 12 *", seconds(1)), ("* 0 2 12 *", seconds(60))];
    let windows = windows.map(|(pattern, length)| cut_by(every(pattern, length), []));
    let policy = Policy::new("default", hours(7 * 24), windows.to_vec());
    let at = time("2026-12-01T00:00:00Z");
    let id = ConsumerId::new("ORDERS", "billing");
    let desired = quickly("what is desired", || {
        policy.desired(&id, &policy.windows().iter().cloned().collect(), at)
    });
    let end = Desired::Paused(time("2026-12-02T01:00:00Z"));
    assert_eq!(desired, end);
}

/// How much longer work on four times as many things takes; of several runs, the quickest of each. Work that grows with
/// the number takes 4 times as long, work that grows with its square 16 times.
fn growth(what: &str, few: usize, mut work: impl FnMut(usize)) {
    let mut quickest = |count| {
        let runs = (0..3).map(|_| {
            let ((), took) = took(|| work(count));
            took
        });
        runs.min().unwrap_or_default()
    };
    let (one, four) = (quickest(few), quickest(4 * few));
    println!("{what}: {few} in {one:?}, {} in {four:?}", 4 * few);
    assert!(
        four < one * 9,
        "{what}: {few} in {one:?}, {} in {four:?}",
        4 * few
    );
}

/// `check` stands in front of every reload, and a file may have ten thousand windows, or a mistake in each of its lines.
#[test]
fn the_time_to_check_a_file_grows_with_its_length_and_no_faster() {
    let once = "from = 2026-12-05T22:00:00\nuntil = 2026-12-06T04:00:00";
    type Write = fn(usize, &str) -> String;
    let kinds: [(&str, usize, Write); 6] = [
        ("a consumer each", 1_000, |i, once| {
            format!("name = 'w{i}'\nconsumers = ['S{i}/c{i}']\n{once}")
        }),
        ("a stream each", 1_000, |i, once| {
            format!("name = 'w{i}'\nconsumers = ['S{i}/*']\n{once}")
        }),
        ("a warning each", 300, |i, _| {
            format!(
                "name = 'w{i}'\nconsumers = ['S/c']\nfrom = 2020-12-05T22:00:00\nuntil = 2020-12-05T23:00:00"
            )
        }),
        ("a name twice", 300, |i, once| {
            format!("name = 'w{}'\nconsumers = ['S/c']\n{once}", i / 2)
        }),
        ("a mistake each", 300, |i, once| {
            format!("name = 'w{i}'\nconsumers = ['S.c']\n{once}")
        }),
        ("no TOML", 300, |i, once| {
            format!("name = w{i}\nconsumers = ['S/c']\n{once}")
        }),
    ];
    for (what, few, write) in kinds {
        growth(what, few, |count| {
            let windows = (0..count).map(|i| format!("[[window]]\n{}\n", write(i, once)));
            let text = format!("instance = 'x'\n{}", windows.collect::<String>());
            let shown = match config::parse(Path::new("recess.toml"), &text) {
                Ok(config) => {
                    let doubts = config::outlook(&config, time("2026-12-01T00:00:00Z"));
                    config::render(&config.source, &doubts, false)
                }
                Err(error) => error.to_string(),
            };
            let told = shown.lines().filter(|line| line.contains("-->")).count();
            let expected = match what {
                "a warning each" | "a mistake each" | "no TOML" => count,
                "a name twice" => count / 2,
                _ => 0,
            };
            assert_eq!(told, expected, "{what}");
        });
    }
}

/// The daemon asks this for each consumer that a list shows it.
#[test]
fn the_time_to_find_the_windows_of_consumers_grows_with_their_number_and_no_faster() {
    type Shape = fn(usize) -> (String, ConsumerId);
    let shapes: [(&str, Shape); 5] = [
        ("names", |i| {
            (format!("S/c{i}"), ConsumerId::new("S", format!("c{i}")))
        }),
        ("names in all streams", |i| {
            (format!("*/c{i}"), ConsumerId::new("S", format!("c{i}")))
        }),
        ("beginnings", |i| {
            (format!("S/c{i}-*"), ConsumerId::new("S", format!("c{i}")))
        }),
        ("ends", |i| {
            (
                format!("*-s{i}/*-c{i}"),
                ConsumerId::new(format!("s{i}"), format!("c{i}")),
            )
        }),
        ("taken away", |i| {
            (format!("!S/*c{i}"), ConsumerId::new("S", format!("c{i}-x")))
        }),
    ];
    for (what, shape) in shapes {
        growth(what, 500, |count| {
            let (selectors, ids): (Vec<String>, Vec<ConsumerId>) = (0..count).map(shape).unzip();
            let windows = selectors.iter().map(|text| {
                let selection = Selection::new(vec![Selector::parse(text).unwrap()]);
                Window::new("w", every("0 1 * * *", hours(1)), selection)
            });
            let policy = Policy::new("x", hours(24), windows.collect());
            for id in &ids {
                std::hint::black_box(policy.windows_of(&Candidate::named(id)));
            }
        });
    }
}
