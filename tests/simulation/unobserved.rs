//! An occurrence in which no consumer was seen paused: missed if recess observed it from opening to close, else unobserved.

use jiff::SignedDuration;

use crate::daemon::Recess;
use crate::scene::{NOON, Scene, assert_on_time, at, config};

/// What happens around a window from 12:00 to 13:00, and how often that is a missed and an unobserved one.
struct Case {
    what: &'static str,
    events: &'static [(&'static str, Event)],
    missed: usize,
    unobserved: usize,
}

#[derive(Clone, Copy)]
enum Event {
    Starts,
    Stops,
    Disconnects,
    Connects,
    /// The server refuses every write from then on.
    Refuses,
    Reloads,
    /// The host sleeps for two hours.
    Sleeps,
    /// These consumers are exempt from then on.
    Exempts(&'static [&'static str]),
    /// This one is not any more.
    Counts(&'static str),
}
use Event::*;

const BOTH: &[&str] = &["ORDERS/billing", "ORDERS/shipping"];

const CASES: &[Case] = &[
    Case {
        what: "paused",
        events: &[("11:56:00", Starts)],
        missed: 0,
        unobserved: 0,
    },
    Case {
        what: "every pause is refused",
        events: &[("11:56:00", Starts), ("11:56:30", Refuses)],
        missed: 1,
        unobserved: 0,
    },
    Case {
        what: "refused, and a reload in the midst",
        events: &[
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("12:20:00", Reloads),
        ],
        missed: 1,
        unobserved: 0,
    },
    Case {
        what: "refused, and the connection was away for a while",
        events: &[
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("12:20:00", Disconnects),
            ("12:25:00", Connects),
        ],
        missed: 1,
        unobserved: 0,
    },
    Case {
        what: "paused, and a reload in the midst",
        events: &[
            ("11:56:00", Starts),
            ("12:20:00", Reloads),
            ("12:20:01", Disconnects),
        ],
        missed: 0,
        unobserved: 0,
    },
    Case {
        what: "no connection from before the opening to after the close",
        events: &[
            ("11:56:00", Starts),
            ("11:58:00", Disconnects),
            ("13:10:00", Connects),
        ],
        missed: 0,
        unobserved: 1,
    },
    Case {
        what: "connected late",
        events: &[
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("11:58:00", Disconnects),
            ("12:10:00", Connects),
        ],
        missed: 0,
        unobserved: 1,
    },
    Case {
        what: "refused, and the connection is lost up to the close",
        events: &[
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("12:20:00", Disconnects),
        ],
        missed: 0,
        unobserved: 1,
    },
    Case {
        what: "started late",
        events: &[("11:56:00", Refuses), ("12:10:00", Starts)],
        missed: 0,
        unobserved: 1,
    },
    Case {
        what: "a restart without a connection through the close",
        events: &[
            ("11:56:00", Starts),
            ("12:10:00", Stops),
            ("12:10:01", Disconnects),
            ("12:10:02", Starts),
        ],
        missed: 0,
        unobserved: 1,
    },
    Case {
        what: "slept through",
        events: &[("11:56:00", Starts), ("11:56:30", Sleeps)],
        missed: 0,
        unobserved: 1,
    },
    // A window of which nobody was to be paused has missed nobody.
    Case {
        what: "all exempt",
        events: &[("11:55:30", Exempts(BOTH)), ("11:56:00", Starts)],
        missed: 0,
        unobserved: 0,
    },
    Case {
        what: "all exempt, and a start within it",
        events: &[("11:55:30", Exempts(BOTH)), ("12:10:00", Starts)],
        missed: 0,
        unobserved: 0,
    },
    Case {
        what: "all exempt, and slept through",
        events: &[
            ("11:55:30", Exempts(BOTH)),
            ("11:56:00", Starts),
            ("11:56:30", Sleeps),
        ],
        missed: 0,
        unobserved: 0,
    },
    Case {
        what: "one exempt, the other refused",
        events: &[
            ("11:55:30", Exempts(&["ORDERS/billing"])),
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
        ],
        missed: 1,
        unobserved: 0,
    },
    Case {
        what: "refused before all are exempt",
        events: &[
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("12:20:00", Exempts(BOTH)),
        ],
        missed: 1,
        unobserved: 0,
    },
    Case {
        what: "all exempt, then one of them refused",
        events: &[
            ("11:55:30", Exempts(BOTH)),
            ("11:56:00", Starts),
            ("11:56:30", Refuses),
            ("12:20:00", Counts("ORDERS/billing")),
        ],
        missed: 1,
        unobserved: 0,
    },
];

#[tokio::test(start_paused = true)]
async fn what_was_not_observed_from_opening_to_close_is_unobserved_and_not_missed() {
    for case in CASES {
        let scene = Scene::standalone(BOTH);
        let toml = config(&[NOON]) + "[defaults]\nexempt = \"recess.exempt\"\n";
        let exempt = |path: &str, value| scene.server.tag(path, &[("recess.exempt", value)]);
        let mut recess: Option<Recess> = None;
        for (time, event) in case.events {
            scene.until(time).await;
            match event {
                Starts => recess = Some(Recess::start(&scene.server, &scene.host, &toml)),
                Stops => recess = None,
                Disconnects => scene.server.disconnect(),
                Connects => scene.server.connect(),
                Refuses => scene.server.state().weather.refuses = 100,
                Reloads => (recess.as_ref().unwrap()).reload(&toml),
                Sleeps => scene.world.suspend(SignedDuration::from_hours(2)),
                Exempts(paths) => paths.iter().for_each(|path| exempt(path, "true")),
                Counts(path) => exempt(path, "false"),
            }
        }
        scene.until("14:20:00").await;
        let (missed, unobserved) =
            (recess.unwrap()).story(|story| (story.missed.clone(), story.unobserved.clone()));
        assert_eq!(
            (missed.len(), unobserved.len()),
            (case.missed, case.unobserved),
            "{}",
            case.what
        );
        if !matches!(case.events, [.., (_, Sleeps)]) {
            for (_, reported) in missed.iter().chain(&unobserved) {
                assert_on_time(*reported, at("13:00:00"));
            }
        }
    }
}
