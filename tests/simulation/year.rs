//! A year without faults: exactly the requests that the windows need, each on time, and no other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Weekday;
use chrono_tz::Tz;
use jiff::{SignedDuration, Timestamp};

use crate::client::Fate;
use crate::daemon::Recess;
use crate::oracle::{Pause, Window, pauses};
use crate::server::Server;
use crate::world::{Host, World};

/// The mark of the instance `prod-eu`, from the README.
const MARK: i32 = 245_944;

/// How late a pause may be sent.
const LATE: SignedDuration = SignedDuration::from_millis(50);

const fn window(
    name: &'static str,
    consumers: &'static [&'static str],
    zone: Tz,
    weekday: Option<Weekday>,
    hour: Option<u32>,
    minute: u32,
    minutes: i64,
) -> Window {
    Window {
        name,
        consumers,
        zone,
        weekday,
        hour,
        minute,
        minutes,
    }
}

fn windows() -> Vec<Window> {
    use Weekday::{Fri, Sun};
    use chrono_tz::{America::New_York, Australia::Lord_Howe, Europe::Berlin};
    vec![
        window("nightly", &["ORDERS/*"], Berlin, None, Some(1), 30, 120),
        window(
            "in-the-gap",
            &["ORDERS/billing"],
            Berlin,
            None,
            Some(2),
            30,
            120,
        ),
        window(
            "weekly",
            &["ORDERS/billing", "EVENTS/search"],
            Berlin,
            Some(Fri),
            Some(22),
            0,
            540,
        ),
        window(
            "nightly-us",
            &["EVENTS/mail"],
            New_York,
            None,
            Some(1),
            30,
            120,
        ),
        window(
            "touching",
            &["EVENTS/mail"],
            New_York,
            None,
            Some(3),
            30,
            45,
        ),
        window(
            "in-the-gap-us",
            &["EVENTS/search"],
            New_York,
            None,
            Some(2),
            30,
            120,
        ),
        window("interval", &["EVENTS/often"], Berlin, Some(Sun), None, 0, 5),
        window(
            "half-an-hour",
            &["EVENTS/far"],
            Lord_Howe,
            None,
            Some(2),
            15,
            60,
        ),
    ]
}

const CONSUMERS: [(&str, &[&str]); 6] = [
    ("ORDERS/billing", &["nightly", "in-the-gap", "weekly"]),
    ("ORDERS/shipping", &["nightly"]),
    ("EVENTS/mail", &["nightly-us", "touching"]),
    ("EVENTS/search", &["in-the-gap-us", "weekly"]),
    ("EVENTS/often", &["interval"]),
    ("EVENTS/far", &["half-an-hour"]),
];

#[tokio::test(start_paused = true)]
async fn the_first_half_of_a_year_needs_exactly_the_pauses_of_its_windows() {
    let (start, end) = ("2026-01-01T12:10:00Z", "2026-07-01T12:10:00Z");
    let total = exactly_the_pauses(start, end, true).await;
    assert!(total > 1_500, "{total}");
}

#[tokio::test(start_paused = true)]
async fn the_second_half_of_a_year_needs_exactly_the_pauses_of_its_windows() {
    let (start, end) = ("2026-07-01T12:10:00Z", "2027-01-01T12:10:00Z");
    let total = exactly_the_pauses(start, end, true).await;
    assert!(total > 1_500, "{total}");
}

#[tokio::test(start_paused = true)]
async fn a_week_around_a_dst_night_awake_needs_exactly_the_pauses_of_its_windows() {
    let (start, end) = ("2026-10-23T12:10:00Z", "2026-10-30T12:10:00Z");
    let total = exactly_the_pauses(start, end, false).await;
    assert!(total > 50, "{total}");
}

/// The same without the host's naps: a few minutes, so only on request.
#[tokio::test(start_paused = true)]
#[ignore = "takes minutes"]
async fn a_year_awake_needs_exactly_the_pauses_of_its_windows() {
    let (start, end) = ("2026-01-01T12:10:00Z", "2027-01-01T12:10:00Z");
    exactly_the_pauses(start, end, false).await;
}

/// Runs recess from `start` to `end`, and compares every write of it. Returns how many there were. With `naps`, the
/// host is suspended while nothing is due: the loop turns every five seconds, six million times a year.
async fn exactly_the_pauses(start: &str, end: &str, naps: bool) -> usize {
    let world = World::starting_at(start);
    let end: Timestamp = end.parse().expect("an instant");
    let windows = windows();
    let expected = CONSUMERS.map(|(path, names)| {
        let its: Vec<&Window> = windows.iter().filter(|w| names.contains(&w.name)).collect();
        (path, pauses(&its, world.now(), end))
    });
    let mut toml = "instance = \"prod-eu\"\n[controller]\nresync = \"1h\"\n".to_owned();
    toml.extend(windows.iter().map(Window::toml));
    let server = Server::standalone(&world);
    server.create(&CONSUMERS.map(|(path, _)| path));
    server.create(&["EVENTS/untouched"]);
    let recess = Recess::start(&server, &Host::of(&world), &toml);

    if naps {
        let all = expected.iter().flat_map(|(_, pauses)| pauses);
        let edges: BTreeSet<Timestamp> = all.flat_map(|pause| [pause.from, pause.until]).collect();
        for edge in edges {
            let wakes_at = edge - SignedDuration::from_secs(20);
            world.suspend(
                wakes_at
                    .duration_since(world.now())
                    .max(SignedDuration::ZERO),
            );
            world.until(edge + SignedDuration::from_secs(10)).await;
        }
    }
    world.until(end).await;
    assert!(!recess.is_over());

    let state = server.state();
    let mut written: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for request in &state.requests {
        assert_eq!(request.fate, Fate::Answered);
        if let Some((id, deadline)) = request.what.written() {
            written
                .entry(id.path())
                .or_default()
                .push((request.at, deadline));
        }
    }
    for (path, expected) in &expected {
        let written = written.remove(*path).unwrap_or_default();
        for (Pause { from, until }, (at, deadline)) in expected.iter().zip(&written) {
            let marked = Timestamp::new(until.as_second(), MARK).ok();
            assert_eq!(
                *deadline, marked,
                "{path}: the pause of {from}, sent at {at}"
            );
            assert!(
                (*from..=*from + LATE).contains(at),
                "{path}: {from}, sent at {at}"
            );
        }
        assert_eq!(written.len(), expected.len(), "{path}");
    }
    assert!(
        written.is_empty(),
        "nobody else was written: {:?}",
        written.keys()
    );
    expected.iter().map(|(_, pauses)| pauses.len()).sum()
}
