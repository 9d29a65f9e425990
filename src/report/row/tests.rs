use jiff::SignedDuration;

use super::*;
use crate::consumer::Observation;
use crate::consumer::example::observation;
use crate::retention::Cause;

fn mark() -> Mark {
    Mark::of_instance("default")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn present(state: PauseState) -> Found {
    Found::Present(observation(state))
}

fn paused(until: Timestamp) -> Found {
    present(PauseState::Paused {
        until,
        remaining: SignedDuration::from_secs(60),
    })
}

fn ours() -> Found {
    paused(mark().stamp(at(100)))
}

fn row(desired: Desired, found: Found) -> Row {
    Row {
        desired,
        ..Row::undecided(WindowSet::default(), found, Duration::ZERO)
    }
}

/// One that is paused as wanted.
fn held() -> Row {
    row(Desired::Paused(at(100)), ours())
}

/// Each of the alerts on consumers but RecessConsumerPaused rests on series of such a one.
#[test]
fn a_consumer_is_notable_if_an_alert_is_about_it() {
    let with = |change: fn(&mut Row)| {
        let mut row = held();
        change(&mut row);
        row
    };
    let loss = Loss {
        at: at(90),
        cause: Cause::MaxAge,
        exact: true,
    };
    let mut at_risk = held();
    at_risk
        .backlog
        .change_losses(|losses| losses.to_come = Some(loss));
    let running = || present(PauseState::Running);
    let lapsed = PauseState::Lapsed { until: at(50) };
    let notable = [
        (
            "RecessNotPausedInWindow",
            row(Desired::Paused(at(100)), running()),
        ),
        (
            "the same, lapsed",
            row(Desired::Paused(at(100)), present(lapsed)),
        ),
        (
            "RecessStillPausedAfterWindow",
            row(Desired::Running, ours()),
        ),
        ("RecessOrphanedPause", row(Desired::Running, ours())),
        ("RecessLabelsLost", with(|row| row.rule = Rule::LabelsLost)),
        (
            "RecessPauseUnconfirmed",
            with(|row| row.unconfirmed = Some(Duration::ZERO)),
        ),
        ("RecessForeignPause", row(Desired::Running, paused(at(100)))),
        (
            "the same, in a window",
            row(Desired::Paused(at(100)), paused(at(200))),
        ),
        ("RecessPauseContested", with(|row| row.contested = true)),
        ("RecessMessagesAtRisk", at_risk),
        (
            "RecessMessagesLost",
            with(|row| row.backlog.change_losses(|losses| losses.lost = 1)),
        ),
        (
            "RecessConsumerMissing",
            row(Desired::Running, Found::Missing),
        ),
        (
            "another deadline is wanted",
            with(|row| row.verdict = Verdict::Retime(at(200))),
        ),
    ];
    for (what, row) in notable {
        assert!(row.is_notable(mark()), "{what}");
    }
}

#[test]
fn a_consumer_that_is_as_it_should_be_or_of_which_nothing_is_known_is_not_notable() {
    let running = || present(PauseState::Running);
    let waiting = Found::Present(Observation {
        pending: 1_000,
        ..observation(PauseState::Running)
    });
    let mut later = held();
    let loss = Loss {
        at: at(200),
        cause: Cause::MaxAge,
        exact: true,
    };
    later
        .backlog
        .change_losses(|losses| losses.to_come = Some(loss));
    let ordinary = [
        ("paused", held()),
        ("running", row(Desired::Running, running())),
        ("with messages", row(Desired::Running, waiting)),
        (
            "lapsed",
            row(
                Desired::Running,
                present(PauseState::Lapsed { until: at(50) }),
            ),
        ),
        ("paused in the tail", row(Desired::Tail(at(100)), ours())),
        (
            "running in the tail",
            row(Desired::Tail(at(100)), running()),
        ),
        ("unknown", row(Desired::Paused(at(100)), Found::Unknown)),
        ("loses after its pause", later),
    ];
    for (what, row) in ordinary {
        assert!(!row.is_notable(mark()), "{what}");
    }
}
