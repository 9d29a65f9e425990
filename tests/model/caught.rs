//! The checker finds what is broken: each way of [`Break`], by the law that it breaks, in so many steps.

use recess::policy::Verb;

use crate::breaks::Break;
use crate::scenario::{Budget, CLOSES, LONGER, Scenario, Start, TICK};
use crate::trace::shortest;

/// The scenario in which a break shows.
fn scenario(broken: Break) -> Scenario {
    let budget = Budget {
        faults: 1,
        restarts: 0,
        acts: 1,
        edits: 0,
    };
    let new = || Scenario {
        broken: Some(broken),
        ..Scenario::new("broken")
    };
    let within = |verb, start| Scenario {
        from: 30,
        starts: vec![start],
        verb,
        ..new()
    };
    match broken {
        Break::MarkUnchecked | Break::ForeignOverwritten => Scenario {
            starts: vec![Start::Foreign(LONGER)],
            ..new()
        },
        Break::ForeignForgotten => Scenario {
            budget: Budget {
                edits: 1,
                ..Budget::default()
            },
            ..within(None, Start::Foreign(200))
        },
        Break::NothingSettles => Scenario {
            clustered: true,
            ..new()
        },
        Break::TimeoutsForgotten => Scenario {
            budget,
            ..within(None, Start::Running)
        },
        Break::EarlyTakenBack => Scenario {
            copies: vec![(0, None), (TICK, None)],
            ..new()
        },
        Break::ClockTrusted => Scenario {
            copies: vec![(40, None)],
            ..within(None, Start::Ours(LONGER))
        },
        Break::NoReadBeforeAnEnd => Scenario {
            consumers: 2,
            budget,
            ..within(Some(Verb::Close), Start::Ours(CLOSES))
        },
        Break::UnreadCountsAsRead => Scenario {
            budget,
            ..within(Some(Verb::Close), Start::Ours(LONGER))
        },
        Break::ClearedTooSoon => Scenario {
            from: CLOSES + 30,
            clustered: true,
            starts: vec![Start::Ours(CLOSES)],
            ..new()
        },
        Break::TooLong => new(),
        Break::NeverEnds => within(Some(Verb::Close), Start::Ours(CLOSES)),
        Break::NeverTakesOver => Scenario {
            copies: vec![(0, Some(5))],
            ..new()
        },
    }
}

#[test]
fn every_break_by_a_shortest_run() {
    for (broken, law, steps) in [
        (Break::MarkUnchecked, "I3", 2),
        (Break::ForeignOverwritten, "I3", 3),
        (Break::ForeignForgotten, "I3", 7),
        (Break::NothingSettles, "I4", 6),
        (Break::TimeoutsForgotten, "I4", 5),
        (Break::EarlyTakenBack, "I4", 5),
        (Break::ClockTrusted, "I4", 2),
        (Break::NoReadBeforeAnEnd, "I1", 6),
        (Break::UnreadCountsAsRead, "I4", 2),
        (Break::ClearedTooSoon, "I4", 2),
        (Break::TooLong, "I1", 3),
        (Break::NeverEnds, "I2", 1),
        (Break::NeverTakesOver, "I2", 0),
    ] {
        let run = shortest(&scenario(broken), law).expect("a run that breaks it");
        println!("{broken:?}\n{run}");
        assert_eq!(run.steps, steps, "{broken:?}\n{run}");
    }
}
