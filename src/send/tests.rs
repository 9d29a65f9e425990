use jiff::SignedDuration;

use super::*;
use crate::consumer::example::observation;

fn now() -> Timestamp {
    "2026-12-01T02:00:00.25Z".parse().unwrap()
}

/// So many whole seconds after 02:00.
fn at(seconds: i64) -> Timestamp {
    Timestamp::new(now().as_second() + seconds, 0).unwrap()
}

fn mark() -> Mark {
    Mark::of_instance("default")
}

fn paused(until: Timestamp) -> PauseState {
    let remaining = until.duration_since(now());
    PauseState::Paused { until, remaining }
}

fn leaving(verdict: Verdict, state: PauseState, clustered: bool) -> Option<Leaving> {
    let seen = Observation {
        clustered,
        ..observation(state)
    };
    Leaving::of(verdict, &seen, mark(), now())
}

#[test]
fn a_write_leaves_with_the_deadline_of_its_verdict() {
    let ours = |seconds| mark().stamp(at(seconds));
    for (verdict, action, deadline) in [
        (Verdict::Pause(ours(600)), Action::Pause, Some(ours(600))),
        (Verdict::Retime(ours(600)), Action::Retime, Some(ours(600))),
        // A deadline is given back without recess's mark.
        (Verdict::Retime(at(600)), Action::Retime, Some(at(600))),
        (Verdict::Clear, Action::Clear, None),
    ] {
        let expected = Leaving {
            action,
            deadline,
            extends: None,
        };
        let left = leaving(verdict, PauseState::Running, false);
        assert_eq!(left, Some(expected), "{verdict:?}");
    }
}

#[test]
fn a_resume_leaves_with_a_deadline_a_moment_ahead_of_the_servers_clock() {
    for (clustered, seconds) in [(false, 3), (true, 6)] {
        let state = paused(mark().stamp(at(600)));
        let left = leaving(Verdict::Resume, state, clustered).unwrap();
        let deadline = Some(mark().stamp(at(seconds)));
        assert_eq!((left.action, left.deadline), (Action::Resume, deadline));
        // One on purpose ends at the same moment, whosever the pause is, and shows what it is.
        for until in [mark().stamp(at(600)), at(600)] {
            let left = leaving(Verdict::Release, paused(until), clustered).unwrap();
            let deadline = Some(mark().stamp_release(at(seconds)));
            assert_eq!((left.action, left.deadline), (Action::Resume, deadline));
        }
    }
}

#[test]
fn a_deadline_that_has_passed_does_not_leave() {
    let passed = now();
    let ahead = passed + SignedDuration::from_nanos(1);
    for verdict in [Verdict::Pause, Verdict::Retime] {
        let left = |until| leaving(verdict(until), PauseState::Running, false).is_some();
        assert!(!left(at(-1)) && !left(passed) && left(ahead));
    }
}

#[test]
fn a_verdict_that_asks_for_no_write_does_not_leave() {
    let verdicts = [
        Verdict::Settled,
        Verdict::Unknown,
        Verdict::Missing,
        Verdict::Foreign,
    ];
    for verdict in verdicts {
        assert_eq!(leaving(verdict, PauseState::Running, false), None);
    }
}

#[test]
fn a_foreign_pause_that_a_write_extends_is_noted() {
    let (ours, foreign) = (mark().stamp(at(60)), at(60));
    for (state, extends) in [
        (PauseState::Running, None),
        (paused(ours), None),
        (paused(foreign), Some(foreign)),
        (PauseState::Lapsed { until: foreign }, None),
    ] {
        let verdict = Verdict::Pause(mark().stamp(at(600)));
        assert_eq!(leaving(verdict, state, false).unwrap().extends, extends);
    }
}

#[test]
fn progress_is_reported_every_second_unless_that_takes_long() {
    let milliseconds = Duration::from_millis;
    for (report_takes, expected) in [(0, 1_000), (30, 1_000), (100, 3_100), (500, 15_500)] {
        let mut pace = Pace::begin(milliseconds(5_000));
        assert!(!pace.is_due(milliseconds(5_999)) && pace.is_due(milliseconds(6_000)));
        pace.reported(milliseconds(6_200), milliseconds(6_200 + report_takes));
        let (before, at) = (6_200 + expected - 1, 6_200 + expected);
        assert!(!pace.is_due(milliseconds(before)), "{report_takes}");
        assert!(pace.is_due(milliseconds(at)), "{report_takes}");
    }
}
