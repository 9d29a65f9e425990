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
        (BulkOp::Resume, paused(600, 0), Verdict::Resume, false),
        (BulkOp::Resume, paused(8, 435_253), Verdict::Resume, false),
        // As near as a Resume's own deadline may be: nothing to do but wait.
        (BulkOp::Resume, paused(7, 0), Verdict::Settled, false),
    ] {
        assert_eq!(order.verdict(&found), verdict, "{order:?} {found:?}");
        assert_eq!(order.is_done(&found), is_done, "{order:?} {found:?}");
    }
}
