//! Forecasts against what comes of a stream second by second.

use super::*;

/// A stream second by second, which knows when each message came: worked out without ladders.
#[derive(Default)]
struct Naive {
    came: Vec<i64>,
    /// Every message is of that size.
    size: u64,
    /// One in so many is the consumer's; 0 and 1: each.
    ours: usize,
    max_age: Option<i64>,
    max_messages: Option<usize>,
    max_bytes: Option<u64>,
}

impl Naive {
    /// How many messages it holds.
    fn room(&self) -> Option<usize> {
        let by_size = (self.max_bytes).map(|most| (most / self.size) as usize);
        self.max_messages.into_iter().chain(by_size).min()
    }

    /// The first of the consumer's messages after `floor`, by its place.
    fn first(&self, floor: usize) -> usize {
        floor.next_multiple_of(self.ours.max(1))
    }

    /// When the first message after `floor` is dropped.
    fn lost(&self, floor: usize) -> Option<i64> {
        let first = self.first(floor);
        let came = *self.came.get(first)?;
        let by_age = self.max_age.map(|age| came + age);
        let by_count = (self.room()).and_then(|most| self.came.get(first + most).copied());
        by_age.into_iter().chain(by_count).min()
    }

    fn details(&self, second: i64) -> StreamDetails {
        let last = self.came.partition_point(|came| *came <= second);
        let aged = self
            .came
            .partition_point(|came| self.max_age.is_some_and(|age| came + age <= second));
        let counted = (self.room()).map_or(0, |most| last.saturating_sub(most));
        let first = aged.max(counted).min(last);
        StreamDetails {
            max_age: (self.max_age).map(|age| Duration::from_secs(age.unsigned_abs())),
            max_messages: self.max_messages.map(|most| most as u64),
            max_bytes: self.max_bytes,
            messages: (last - first) as u64,
            bytes: self.size.max(100) * (last - first) as u64,
            first: (
                first as u64 + 1,
                self.came
                    .get(first)
                    .filter(|_| last > first)
                    .map(|came| at(*came)),
            ),
            last: (
                last as u64,
                last.checked_sub(1).map(|last| at(self.came[last])),
            ),
            at: Some(at(second)),
            ..details()
        }
    }
}

fn random(seed: &mut u64, below: i64) -> i64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as i64 % below
}

const INFLOWS: [&str; 3] = ["steady", "bursty", "idle"];

/// Steady, bursty or idle, over an hour before and two hours after now.
fn inflow(seed: &mut u64) -> Vec<i64> {
    let kind = random(seed, 3);
    inflow_of(kind, seed)
}

fn inflow_of(kind: i64, seed: &mut u64) -> Vec<i64> {
    let mut came = Vec::new();
    let mut second = -3_600;
    while second < 7_200 {
        match kind {
            0 => second += 3,
            1 => {
                second += if random(seed, 40) == 0 {
                    300
                } else {
                    random(seed, 3)
                }
            }
            _ => second += 60 + random(seed, 600),
        }
        came.push(second);
    }
    came
}

#[test]
fn by_age_no_loss_comes_before_its_forecast_and_none_a_rung_later() {
    let mut errors = Vec::new();
    for run in 0..200 {
        let seed = &mut (run as u64 + 1);
        let naive = Naive {
            came: inflow(seed),
            max_age: Some(4_000 + random(seed, 2_000)),
            ..Naive::default()
        };
        let started = -60 * random(seed, 60);
        let mut stream = StreamHistory::of(naive.details(started), at(started));
        for minute in (started / 60 + 1)..=0 {
            stream.add(naive.details(minute * 60), now());
        }
        // Behind by what came since that time, within the ladder.
        let since = started + random(seed, -started + 1);
        let floor = naive.came.partition_point(|came| *came <= since);
        let there = naive.came.partition_point(|came| *came <= 0);
        let consumer = Progress {
            floor: floor as u64,
            waits: there > floor,
            idle_at: (there <= floor).then(now),
        };
        let forecast = loss(&stream, &consumer, now()).unwrap();
        let error = naive.lost(floor).unwrap() - forecast.at.duration_since(now()).as_secs();
        assert!(forecast.exact, "run {run}");
        assert!(error >= 0, "run {run}: forecast {error} s late");
        // One that comes after now is lost later by as much.
        let wait = naive.came[floor].max(0);
        assert!(error - wait <= 60, "run {run}: forecast {error} s early");
        errors.push(error - wait);
    }
    errors.sort_unstable();
    println!(
        "forecast early by (s): median {}, most {}",
        errors[100], errors[199]
    );
}

#[test]
fn by_count_the_forecast_of_a_steady_inflow_is_near() {
    let mut errors = Vec::new();
    for run in 0..100 {
        let seed = &mut (run as u64 + 1);
        let step = 1 + random(seed, 9);
        let naive = Naive {
            came: (0..12_000 / step)
                .map(|number| number * step - 3_600)
                .collect(),
            max_messages: Some(500 + random(seed, 1_000) as usize),
            ..Naive::default()
        };
        let mut stream = StreamHistory::of(naive.details(-600), now());
        for minute in -9..=0 {
            stream.add(naive.details(minute * 60), now());
        }
        let there = naive.came.partition_point(|came| *came <= 0);
        let floor = there - random(seed, 100) as usize;
        let waits = floor < there;
        let consumer = Progress {
            floor: floor as u64,
            waits,
            idle_at: (!waits).then(now),
        };
        let Some(lost) = naive.lost(floor) else {
            continue;
        };
        let forecast = loss(&stream, &consumer, now()).unwrap();
        let error = (lost - forecast.at.duration_since(now()).as_secs()).abs();
        // Five minutes hold a few messages only where they are rare.
        assert!(error <= 60 + lost / 20, "run {run}: {error} s of {lost} s");
        errors.push(error);
    }
    errors.sort_unstable();
    println!(
        "{} forecasts, off by (s): median {}, most {}",
        errors.len(),
        errors[errors.len() / 2],
        errors[errors.len() - 1]
    );
    assert!(errors.len() > 50);
}

/// How many seconds before the loss the last forecast is made that counts: the shortest margin that
/// makes sense.
const MARGIN: i64 = 300;

/// One case: a consumer that is held from now on, and its stream observed each minute, for an hour
/// before.
fn errors_of(naive: &Naive, behind: i64) -> Option<(i64, i64)> {
    let floor = naive.came.partition_point(|came| *came <= -behind);
    let lost = naive.lost(floor).filter(|lost| *lost > MARGIN)?;
    let mut stream = StreamHistory::of(naive.details(-3_600), at(-3_600));
    let (mut first, mut last, mut idle_at) = (None, None, None);
    for minute in -59..=lost / 60 {
        let second = minute * 60;
        stream.add(naive.details(second), at(second));
        let has_come = naive.came.partition_point(|came| *came <= second);
        let waits = naive.first(floor) < has_come;
        if !waits {
            idle_at = Some(at(second));
        }
        if second < 0 {
            continue;
        }
        let consumer = Progress {
            floor: floor as u64,
            waits,
            idle_at,
        };
        let forecast = loss(&stream, &consumer, at(second));
        // Early is positive, late negative. What was not forecast is late by all that was left.
        let forecast = forecast.map_or(i64::MAX, |forecast| {
            forecast.at.duration_since(now()).as_secs()
        });
        let error = lost - forecast.min(lost + (lost - second));
        first.get_or_insert(error);
        if second <= lost - MARGIN {
            last = Some(error);
        }
    }
    first.zip(last)
}

#[test]
fn the_errors_of_random_forecasts_are_bounded_where_the_inflow_is_steady_or_the_age_counts() {
    let limits = ["max_age", "max_msgs", "max_bytes"];
    let mut cases = 0;
    println!(
        "s early (late: negative)   cases   at the opening: median, worst   5 m before: median, worst"
    );
    for (kind, inflow) in INFLOWS.iter().enumerate() {
        for (place, limit) in limits.into_iter().enumerate() {
            let (mut first, mut last) = (Vec::new(), Vec::new());
            let mut seed = (3 * kind + place) as u64 + 1;
            while first.len() < 23 {
                let seed = &mut seed;
                let came = inflow_of(kind as i64, seed);
                let per_minute = came.len() as i64 / 180;
                let room = (per_minute.max(1) * (20 + random(seed, 60))) as usize;
                let mut naive = Naive {
                    came,
                    size: 100 + random(seed, 900) as u64,
                    ours: [1, 1, 4][random(seed, 3) as usize],
                    ..Naive::default()
                };
                match limit {
                    "max_age" => naive.max_age = Some(1_800 + random(seed, 3_000)),
                    "max_msgs" => naive.max_messages = Some(room),
                    _ => naive.max_bytes = Some(room as u64 * naive.size),
                }
                let behind = random(seed, 2) * random(seed, 600);
                let Some((at_opening, before)) = errors_of(&naive, behind) else {
                    continue;
                };
                if limit == "max_age" {
                    // A rung, and the time until the first message came that is the consumer's.
                    assert!((0..=60).contains(&before), "{inflow}, {limit}: {before} s");
                } else if *inflow == "steady" {
                    // The inflow of five minutes, and where the consumer's next message is.
                    assert!(before.abs() <= 60, "{inflow}, {limit}: {before} s");
                }
                first.push(at_opening);
                last.push(before);
                cases += 1;
            }
            let of = |errors: &mut Vec<i64>| {
                errors.sort_unstable();
                let worst = errors.iter().max_by_key(|error| error.abs()).unwrap();
                format!("{:>6} {worst:>7}", errors[errors.len() / 2])
            };
            println!(
                "{:<26} {:>5} {:>27} {:>27}",
                format!("{inflow}, {limit}"),
                first.len(),
                of(&mut first),
                of(&mut last)
            );
        }
    }
    assert!(cases >= 200, "{cases}");
}
