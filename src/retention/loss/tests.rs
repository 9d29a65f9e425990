use std::time::Duration;

use super::*;

/// 2026-12-01, so many seconds after two in the morning.
fn at(seconds: i64) -> Timestamp {
    let two: Timestamp = "2026-12-01T02:00:00Z".parse().unwrap();
    two + SignedDuration::from_secs(seconds)
}

fn now() -> Timestamp {
    at(0)
}

/// A hundred messages of 100 bytes, one every ten seconds, the last of them now.
fn details() -> StreamDetails {
    StreamDetails {
        max_age: None,
        max_messages: None,
        max_bytes: None,
        discard: Discard::Old,
        empties: false,
        replicas: 1,
        messages: 100,
        bytes: 10_000,
        first: (1, Some(at(-990))),
        last: (100, Some(now())),
        at: Some(now()),
    }
}

fn aged() -> StreamDetails {
    StreamDetails {
        max_age: Some(Duration::from_secs(3_600)),
        ..details()
    }
}

/// Observed each minute since that many before now, as messages came.
fn history(last: StreamDetails, minutes: i64) -> StreamHistory {
    let before = |minute: i64| StreamDetails {
        last: (last.last.0 - minute as u64 * 6, Some(at(-60 * minute))),
        at: Some(at(-60 * minute)),
        ..last.clone()
    };
    let mut history = StreamHistory::of(before(minutes), now());
    for minute in (0..minutes).rev() {
        history.add(before(minute), now());
    }
    history
}

fn once(details: StreamDetails) -> StreamHistory {
    StreamHistory::of(details, now())
}

fn idle(seconds: i64) -> Progress {
    Progress {
        floor: 100,
        waits: false,
        idle_at: Some(at(seconds)),
    }
}

fn behind(floor: u64, idle_at: Option<i64>) -> Progress {
    Progress {
        floor,
        waits: true,
        idle_at: idle_at.map(at),
    }
}

#[track_caller]
fn loses(stream: &StreamHistory, consumer: Progress, expected: Option<(Cause, i64, bool)>) {
    let loss = loss(stream, &consumer, now());
    let is = loss.map(|loss| {
        (
            loss.cause,
            loss.at.duration_since(now()).as_secs(),
            loss.exact,
        )
    });
    assert_eq!(is, expected, "{consumer:?}");
}

#[test]
fn what_waits_is_lost_at_its_age() {
    use Cause::MaxAge;
    let ladder = history(aged(), 10);
    // Nothing waits, and what comes next came after that was known.
    loses(&ladder, idle(0), Some((MaxAge, 3_600, true)));
    loses(&ladder, idle(-30), Some((MaxAge, 3_570, true)));
    // The stream's first and last messages have their times.
    loses(&ladder, behind(0, None), Some((MaxAge, 2_610, true)));
    loses(&ladder, behind(99, None), Some((MaxAge, 3_600, true)));
    // Another is as old as the rung below it, or less: message 70 came 300 s ago.
    loses(&ladder, behind(69, None), Some((MaxAge, 3_240, true)));
    // And no older than the time when nothing waited.
    loses(&ladder, behind(69, Some(-310)), Some((MaxAge, 3_290, true)));
    // Message 21 is older than the ladder, and came 790 s ago.
    loses(&ladder, behind(20, None), Some((MaxAge, 2_810, false)));
    loses(&ladder, behind(20, Some(-700)), Some((MaxAge, 2_900, true)));
    // What it lacks is gone already: the first that is left is next.
    let dropped = StreamDetails {
        first: (51, Some(at(-490))),
        ..aged()
    };
    loses(
        &once(dropped),
        behind(10, None),
        Some((MaxAge, 3_110, true)),
    );
    // Observed before what the consumer has had.
    loses(
        &once(aged()),
        behind(130, None),
        Some((MaxAge, 3_600, true)),
    );
    loses(&once(details()), behind(0, None), None);
}

#[test]
fn a_full_stream_is_forecast_by_the_inflow_of_five_minutes() {
    use Cause::{MaxBytes, MaxMessages};
    let counted = StreamDetails {
        max_messages: Some(160),
        ..details()
    };
    let ladder = history(counted.clone(), 10);
    // One in ten seconds: 160 until the first that comes now is dropped, 90 with 70 that wait.
    loses(&ladder, idle(0), Some((MaxMessages, 1_600, false)));
    loses(&ladder, behind(30, None), Some((MaxMessages, 900, false)));
    loses(&once(counted.clone()), idle(0), None);
    // A burst that is over for longer than that is none.
    let mut calm = history(counted.clone(), 10);
    calm.add(
        StreamDetails {
            at: Some(at(301)),
            ..counted
        },
        now(),
    );
    loses(&calm, behind(0, None), None);
    let sized = StreamDetails {
        max_bytes: Some(16_000),
        ..details()
    };
    loses(
        &history(sized, 10),
        behind(30, None),
        Some((MaxBytes, 900, false)),
    );
    // The sooner of two counts.
    let both = StreamDetails {
        max_messages: Some(160),
        ..aged()
    };
    loses(
        &history(both, 10),
        behind(0, None),
        Some((MaxMessages, 600, false)),
    );
}

#[test]
fn a_stream_that_refuses_loses_nothing_of_the_consumers() {
    let refuses = StreamDetails {
        max_messages: Some(160),
        discard: Discard::New,
        empties: true,
        ..details()
    };
    let ladder = history(refuses.clone(), 10);
    loses(&ladder, behind(0, None), Some((Cause::Refused, 600, false)));
    assert_eq!(own_loss(&ladder, &behind(0, None), now()), None);
    // The pause does not fill one that keeps what was acknowledged.
    let keeps = StreamDetails {
        empties: false,
        ..refuses.clone()
    };
    loses(&history(keeps, 10), behind(0, None), None);
    // Its age counts all the same.
    let aged = StreamDetails {
        max_age: Some(Duration::from_secs(3_600)),
        ..refuses
    };
    let own = own_loss(&history(aged, 10), &behind(0, None), now()).unwrap();
    assert_eq!((own.cause, own.at), (Cause::MaxAge, at(2_610)));
}

#[test]
fn a_stream_that_begins_anew_forgets_what_was_known_of_times() {
    let mut ladder = history(aged(), 10);
    let anew = StreamDetails {
        first: (1, Some(at(60))),
        last: (20, Some(at(80))),
        at: Some(at(90)),
        messages: 20,
        ..aged()
    };
    ladder.add(anew, now());
    let loss = loss(&ladder, &behind(10, None), at(90)).unwrap();
    assert!(!loss.exact, "{loss:?}");
    assert!(loss.at > at(3_600 + 60), "{loss:?}");
}

/// A stream second by second, which knows when each message came: worked out without ladders.
struct Naive {
    came: Vec<i64>,
    max_age: Option<i64>,
    max_messages: Option<usize>,
}

impl Naive {
    /// When the first message after `floor` is dropped.
    fn lost(&self, floor: usize) -> Option<i64> {
        let came = *self.came.get(floor)?;
        let by_age = self.max_age.map(|age| came + age);
        let by_count = self
            .max_messages
            .and_then(|most| self.came.get(floor + most).copied());
        by_age.into_iter().chain(by_count).min()
    }

    fn details(&self, second: i64) -> StreamDetails {
        let last = self.came.partition_point(|came| *came <= second);
        let aged = self
            .came
            .partition_point(|came| self.max_age.is_some_and(|age| came + age <= second));
        let counted = self
            .max_messages
            .map_or(0, |most| last.saturating_sub(most));
        let first = aged.max(counted).min(last);
        StreamDetails {
            max_age: (self.max_age).map(|age| Duration::from_secs(age.unsigned_abs())),
            max_messages: self.max_messages.map(|most| most as u64),
            messages: (last - first) as u64,
            bytes: 100 * (last - first) as u64,
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

/// Steady, bursty or idle, over an hour before and two hours after now.
fn inflow(seed: &mut u64) -> Vec<i64> {
    let kind = random(seed, 3);
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
            max_messages: None,
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
        let told = loss(&stream, &consumer, now()).unwrap();
        let error = naive.lost(floor).unwrap() - told.at.duration_since(now()).as_secs();
        assert!(told.exact, "run {run}");
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
            max_age: None,
            max_messages: Some(500 + random(seed, 1_000) as usize),
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
        let told = loss(&stream, &consumer, now()).unwrap();
        let error = (lost - told.at.duration_since(now()).as_secs()).abs();
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

#[test]
fn a_ladder_is_bounded_and_stays_a_bound_from_below() {
    let mut ladder = Ladder::default();
    let rungs = |minute: i64| Rung {
        at: at(60 * minute),
        last: minute as u64 * 10,
    };
    let mut most = 0;
    for minute in 0..10_000 {
        ladder.add(rungs(minute));
        most = most.max(ladder.len());
    }
    assert!(most <= 257, "{most}");
    assert_eq!(ladder.top(), Some(rungs(9_999)));
    for minute in 1..10_000_i64 {
        // Between the rung of that minute and the one before.
        let told = ladder.came_after(minute as u64 * 10 - 5).unwrap();
        let early = at(60 * minute).duration_since(told).as_secs() - 60;
        assert!(early >= 0, "minute {minute}: {early} s late");
        if minute > 9_999 - 120 {
            assert_eq!(early, 0, "the last two hours are whole");
        }
    }
    // A clock that goes back takes what was noted after it away.
    ladder.add(Rung {
        at: at(60),
        last: 99_999,
    });
    assert_eq!(ladder.len(), 2);
}
