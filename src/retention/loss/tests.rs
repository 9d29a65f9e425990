use std::time::Duration;

use super::*;

mod forecasts;

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
    // Observed once: one in ten seconds on average.
    loses(
        &once(counted.clone()),
        idle(0),
        Some((MaxMessages, 1_600, false)),
    );
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
fn a_stream_that_begins_again_forgets_what_was_known_of_times() {
    let mut ladder = history(aged(), 10);
    let restarted = StreamDetails {
        first: (1, Some(at(60))),
        last: (20, Some(at(80))),
        at: Some(at(90)),
        messages: 20,
        ..aged()
    };
    ladder.add(restarted, now());
    let loss = loss(&ladder, &behind(10, None), at(90)).unwrap();
    assert!(!loss.exact, "{loss:?}");
    assert!(loss.at > at(3_600 + 60), "{loss:?}");
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
        let bound = ladder.came_after(minute as u64 * 10 - 5).unwrap();
        let early = at(60 * minute).duration_since(bound).as_secs() - 60;
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
