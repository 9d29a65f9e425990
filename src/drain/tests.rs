use super::*;
use crate::consumer::Observation;
use crate::consumer::example::observation;

/// A second of the server's clock.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn found(paused: bool, ack_pending: u64) -> Found {
    let until = at(3600);
    let state = if paused {
        let remaining = SignedDuration::from_secs(60);
        PauseState::Paused { until, remaining }
    } else {
        PauseState::Running
    };
    Found::Present(Observation {
        pending: 7,
        ack_pending,
        ..observation(state)
    })
}

/// With ack policy `none`.
fn uncounted(paused: bool) -> Found {
    match found(paused, 0) {
        Found::Present(seen) => Found::Present(Observation {
            counted: false,
            floor: 0,
            ..seen
        }),
        found => found,
    }
}

fn flight(sign: Option<i64>) -> Option<InFlight> {
    Some(InFlight {
        ack_wait: SignedDuration::from_secs(30),
        sign: sign.map(at),
    })
}

#[test]
fn each_goal_in_each_state() {
    let recent = flight(Some(-1));
    for (goal, found, flight, state) in [
        (Goal::Paused, found(true, 5), recent, DrainState::Reached),
        (Goal::Paused, found(false, 0), recent, DrainState::Running),
        (Goal::Drained, found(true, 0), recent, DrainState::Reached),
        (
            Goal::Drained,
            found(true, 5),
            recent,
            DrainState::Draining(5),
        ),
        // Without a pause the next message may come at any moment.
        (Goal::Drained, found(false, 0), recent, DrainState::Running),
        (Goal::Drained, found(false, 5), recent, DrainState::Running),
        (
            Goal::Drained,
            uncounted(true),
            recent,
            DrainState::Uncounted,
        ),
        (Goal::Drained, uncounted(false), recent, DrainState::Running),
        (Goal::Paused, uncounted(true), recent, DrainState::Reached),
        // A pause by a server that tells nothing of its flights: what it counts still counts.
        (Goal::Drained, found(true, 0), None, DrainState::Reached),
        (Goal::Drained, found(true, 5), None, DrainState::Draining(5)),
        (Goal::Running, found(false, 5), recent, DrainState::Reached),
        (Goal::Running, found(true, 0), recent, DrainState::Paused),
    ] {
        let told = Watch::default().judge(goal, &found, flight, Some(at(0)));
        assert_eq!(told, state, "{goal:?} {found:?} {flight:?}");
    }
    for goal in [Goal::Paused, Goal::Drained, Goal::Running] {
        let judge = |found| Watch::default().judge(goal, &found, None, Some(at(0)));
        assert_eq!(judge(Found::Missing), DrainState::Missing);
        assert_eq!(judge(Found::Unknown), DrainState::Unknown);
    }
}

#[test]
fn a_deadline_that_has_passed_is_no_pause() {
    let Found::Present(mut seen) = found(true, 0) else {
        unreachable!()
    };
    seen.state = PauseState::Lapsed { until: at(-1) };
    let found = Found::Present(seen);
    let judge = |goal| Watch::default().judge(goal, &found, flight(None), Some(at(0)));
    assert_eq!(judge(Goal::Drained), DrainState::Running);
    assert_eq!(judge(Goal::Running), DrainState::Reached);
}

#[test]
fn what_is_left_stalls_when_the_last_sign_of_life_is_older_than_the_ack_wait() {
    for (sign, state) in [
        (0, DrainState::Draining(3)),
        (-29, DrainState::Draining(3)),
        // To the second is not outlived: the server's timer may be a little late.
        (-30, DrainState::Draining(3)),
        (-31, DrainState::Stalled(3)),
        (-3000, DrainState::Stalled(3)),
        // The sign was written after the clock was read.
        (1, DrainState::Draining(3)),
    ] {
        let told = Watch::default().judge(
            Goal::Drained,
            &found(true, 3),
            flight(Some(sign)),
            Some(at(0)),
        );
        assert_eq!(told, state, "{sign}");
    }
    // By which clock, if the server's is not known?
    let told = Watch::default().judge(Goal::Drained, &found(true, 3), flight(Some(-99)), None);
    assert_eq!(told, DrainState::Draining(3));
}

#[test]
fn a_server_that_has_forgotten_the_last_sign_is_watched_for_as_long() {
    let mut watch = Watch::default();
    let mut judge = |second, ack_pending| {
        let found = found(true, ack_pending);
        watch.judge(Goal::Drained, &found, flight(None), Some(at(second)))
    };
    assert_eq!(judge(0, 3), DrainState::Draining(3));
    assert_eq!(judge(29, 3), DrainState::Draining(3));
    // An ack: somebody is at work.
    assert_eq!(judge(30, 2), DrainState::Draining(2));
    assert_eq!(judge(60, 2), DrainState::Draining(2));
    assert_eq!(judge(61, 2), DrainState::Stalled(2));
    // A late one.
    assert_eq!(judge(62, 1), DrainState::Draining(1));
    assert_eq!(judge(63, 0), DrainState::Reached);
}

#[test]
fn what_was_delivered_between_two_pauses_has_its_own_time() {
    let mut watch = Watch::default();
    let judge = |watch: &mut Watch, second, paused| {
        let found = found(paused, 3);
        watch.judge(Goal::Drained, &found, flight(None), Some(at(second)))
    };
    assert_eq!(judge(&mut watch, 0, true), DrainState::Draining(3));
    assert_eq!(judge(&mut watch, 20, false), DrainState::Running);
    assert_eq!(judge(&mut watch, 25, true), DrainState::Draining(3));
    assert_eq!(judge(&mut watch, 50, true), DrainState::Draining(3));
    assert_eq!(judge(&mut watch, 56, true), DrainState::Stalled(3));
}
