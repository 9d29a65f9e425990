//! The invariants hold in every state that can be reached.

use recess::policy::Verb;
use stateright::{Checker, Model};

use crate::scenario::{Budget, CLOSES, LONGER, OPENS, SEAM, SHORTER, Scenario, Start, TICK, World};
use crate::trace::shortest;

/// All that the first consumer may be at the start.
const ANY: [Start; 5] = [
    Start::Running,
    Start::Ours(SEAM),
    Start::Ours(CLOSES),
    Start::Foreign(SHORTER),
    Start::Foreign(LONGER),
];

/// The middle of the first window.
const WITHIN: i64 = 30;

const ONE_FAULT: Budget = Budget {
    faults: 1,
    restarts: 0,
    acts: 0,
    edits: 0,
};

/// Goes through every state.
fn holds(mut scenario: Scenario) {
    let deeper = std::env::var("RECESS_MODEL_DEEPER").ok();
    let deeper: u8 = deeper.map_or(0, |text| text.parse().expect("a number"));
    let Budget {
        faults,
        acts,
        restarts,
        ..
    } = &mut scenario.budget;
    for budget in [faults, acts, restarts] {
        *budget += if *budget > 0 { deeper } else { 0 };
    }
    scenario.ticks += i64::from(deeper);
    let name = scenario.name;
    let model = World::new(scenario.clone());
    let checker = model.checker().threads(2).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{name}: {states} states, {depth} steps deep");
    let found = checker.discoveries();
    if let Some(law) = ["I1", "I2", "I3", "I4"]
        .into_iter()
        .find(|law| found.contains_key(law))
    {
        let run = shortest(&scenario, law).expect("one as short as that at least");
        panic!("{name}\n{run}");
    }
    for shows in scenario.shows {
        assert!(found.contains_key(shows), "{name}: nothing {shows}");
    }
}

#[test]
fn at_an_opening() {
    holds(Scenario {
        starts: ANY.to_vec(),
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["pauses", "retimes", "resumes", "acts at an edge"],
        ..Scenario::new("an opening")
    });
}

#[test]
fn in_a_cluster() {
    holds(Scenario {
        ticks: 3,
        starts: ANY.to_vec(),
        clustered: true,
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["pauses", "retimes", "resumes", "acts at an edge"],
        ..Scenario::new("a cluster")
    });
}

#[test]
fn where_two_windows_touch() {
    holds(Scenario {
        from: SEAM - TICK,
        ticks: 3,
        starts: ANY.to_vec(),
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["pauses", "retimes"],
        ..Scenario::new("a seam")
    });
}

#[test]
fn at_a_close() {
    holds(Scenario {
        from: CLOSES - 3 * TICK,
        ticks: 5,
        starts: ANY.to_vec(),
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["pauses"],
        ..Scenario::new("a close")
    });
}

#[test]
fn after_a_restart() {
    holds(Scenario {
        starts: ANY.to_vec(),
        budget: Budget {
            faults: 0,
            restarts: 1,
            acts: 1,
            edits: 0,
        },
        shows: &["pauses", "retimes", "resumes"],
        ..Scenario::new("a restart")
    });
}

#[test]
fn of_two_copies_whose_clocks_differ() {
    holds(Scenario {
        ticks: 3,
        copies: vec![(0, None), (TICK, None)],
        budget: ONE_FAULT,
        shows: &["pauses", "B writes"],
        ..Scenario::new("two copies")
    });
}

#[test]
fn of_a_clock_that_is_not_trusted() {
    holds(Scenario {
        from: OPENS - 11 * TICK,
        ticks: 3,
        copies: vec![(0, None), (40, None)],
        starts: vec![Start::Running, Start::Ours(LONGER)],
        budget: Budget {
            faults: 0,
            ..ONE_FAULT
        },
        shows: &["pauses", "resumes", "B writes"],
        ..Scenario::new("a clock that is off")
    });
}

#[test]
fn of_a_standby() {
    holds(Scenario {
        ticks: 4,
        copies: vec![(0, None), (0, Some(5))],
        budget: ONE_FAULT,
        shows: &["pauses", "B writes"],
        ..Scenario::new("a standby")
    });
}

#[test]
fn of_a_standby_whose_primary_is_dead() {
    holds(Scenario {
        copies: vec![(0, Some(5))],
        starts: ANY.to_vec(),
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["pauses"],
        ..Scenario::new("a standby alone")
    });
}

#[test]
fn while_a_window_is_closed_by_hand() {
    holds(Scenario {
        from: WITHIN,
        ticks: 3,
        starts: vec![Start::Ours(CLOSES), Start::Foreign(SHORTER)],
        verb: Some(Verb::Close),
        budget: ONE_FAULT,
        shows: &["pauses", "resumes", "reads before"],
        ..Scenario::new("close")
    });
}

#[test]
fn while_consumers_are_paused_by_hand() {
    holds(Scenario {
        from: OPENS - 90,
        ticks: 3,
        starts: ANY.to_vec(),
        verb: Some(Verb::Pause),
        budget: ONE_FAULT,
        shows: &["pauses", "retimes", "resumes", "gives back"],
        ..Scenario::new("pause")
    });
}

#[test]
fn while_consumers_are_resumed_by_hand() {
    holds(Scenario {
        from: WITHIN,
        ticks: 3,
        starts: vec![Start::Ours(CLOSES), Start::Foreign(SHORTER)],
        verb: Some(Verb::Resume),
        budget: ONE_FAULT,
        shows: &["pauses", "releases"],
        ..Scenario::new("resume")
    });
}

#[test]
fn while_the_file_is_edited() {
    holds(Scenario {
        from: WITHIN,
        ticks: 3,
        starts: vec![Start::Ours(CLOSES), Start::Foreign(200)],
        budget: Budget {
            edits: 1,
            ..ONE_FAULT
        },
        shows: &["pauses", "retimes", "gives back"],
        ..Scenario::new("a reload")
    });
}

#[test]
fn while_two_copies_load_an_edited_file() {
    holds(Scenario {
        from: WITHIN,
        ticks: 2,
        copies: vec![(0, None), (TICK, None)],
        starts: vec![Start::Ours(CLOSES)],
        budget: Budget {
            faults: 0,
            edits: 1,
            ..ONE_FAULT
        },
        shows: &["retimes", "B writes"],
        ..Scenario::new("two reloads")
    });
}

#[test]
fn of_two_consumers() {
    holds(Scenario {
        ticks: 2,
        consumers: 2,
        budget: Budget {
            acts: 1,
            faults: 1,
            ..ONE_FAULT
        },
        shows: &["pauses"],
        ..Scenario::new("two consumers")
    });
}

#[test]
fn while_a_deadline_is_cleared() {
    holds(Scenario {
        from: CLOSES + 60 - TICK,
        ticks: 3,
        clustered: true,
        starts: vec![Start::Ours(CLOSES), Start::Foreign(CLOSES)],
        budget: Budget {
            acts: 1,
            ..ONE_FAULT
        },
        shows: &["clears"],
        ..Scenario::new("a clear")
    });
}
