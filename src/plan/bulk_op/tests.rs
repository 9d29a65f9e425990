use jiff::SignedDuration;

use super::*;
use crate::consumer::example::observation;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn found(state: PauseState) -> Found {
    Found::Present(observation(state))
}

/// Paused until that second, which is as far ahead.
fn paused(second: i64, nanoseconds: i32) -> Found {
    found(PauseState::Paused {
        until: Timestamp::new(at(second).as_second(), nanoseconds).unwrap(),
        remaining: SignedDuration::from_secs(second),
    })
}

#[test]
fn each_order_in_each_state() {
    let pause = BulkOp::Pause(at(600));
    let running = found(PauseState::Running);
    let lapsed = found(PauseState::Lapsed { until: at(-60) });
    for (order, found, verdict, is_done) in [
        (pause, Found::Unknown, Verdict::Unknown, false),
        (pause, Found::Missing, Verdict::Missing, false),
        (pause, running.clone(), Verdict::Pause(at(600)), false),
        (pause, lapsed.clone(), Verdict::Pause(at(600)), false),
        // By whomever: with a mark, without.
        (pause, paused(599, 435_253), Verdict::Pause(at(600)), false),
        (pause, paused(599, 0), Verdict::Pause(at(600)), false),
        (pause, paused(600, 0), Verdict::Settled, true),
        (pause, paused(600, 435_253), Verdict::Pause(at(600)), false),
        (pause, paused(601, 435_253), Verdict::Settled, true),
        (pause, paused(900, 0), Verdict::Settled, true),
        (BulkOp::Resume, Found::Unknown, Verdict::Unknown, false),
        (BulkOp::Resume, Found::Missing, Verdict::Missing, false),
        (BulkOp::Resume, running, Verdict::Settled, true),
        (BulkOp::Resume, lapsed, Verdict::Settled, true),
        (BulkOp::Resume, paused(600, 0), Verdict::Release, false),
        (BulkOp::Resume, paused(8, 435_253), Verdict::Release, false),
        // As near as a Resume's own deadline may be: nothing to do but wait.
        (BulkOp::Resume, paused(7, 0), Verdict::Settled, false),
    ] {
        let hold = Hold::None;
        assert_eq!(order.verdict(&found, hold), verdict, "{order:?} {found:?}");
        assert_eq!(order.is_done(&found, hold), is_done, "{order:?} {found:?}");
    }
}

#[test]
fn in_an_open_window_a_consumer_is_resumed_when_it_is_released() {
    let running = found(PauseState::Running);
    let lapsed = found(PauseState::Lapsed { until: at(-60) });
    for (hold, found, verdict, is_done) in [
        (Hold::Window, Found::Unknown, Verdict::Unknown, false),
        (Hold::Window, Found::Missing, Verdict::Missing, false),
        (Hold::Window, running.clone(), Verdict::Release, false),
        (Hold::Window, lapsed.clone(), Verdict::Release, false),
        (Hold::Window, paused(600, 0), Verdict::Release, false),
        // It ends soon, and a daemon would begin it again.
        (Hold::Window, paused(7, 0), Verdict::Release, false),
        (Hold::Released, lapsed.clone(), Verdict::Settled, true),
        (Hold::Released, paused(7, 1), Verdict::Settled, false),
        (Hold::Released, paused(8, 1), Verdict::Release, false),
    ] {
        let resume = BulkOp::Resume;
        assert_eq!(resume.verdict(&found, hold), verdict, "{hold:?} {found:?}");
        assert_eq!(resume.is_done(&found, hold), is_done, "{hold:?} {found:?}");
    }
    // A pause knows no windows.
    let pause = BulkOp::Pause(at(600));
    for hold in [Hold::Window, Hold::Released] {
        assert_eq!(pause.verdict(&running, hold), Verdict::Pause(at(600)));
        assert!(pause.is_done(&paused(600, 0), hold));
    }
}
