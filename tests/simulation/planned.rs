//! What `recess plan` prints is what the loop wants, holds and lets go, for configs made up at random.
//!
//! The plan is the program's own JSON, read as a script would; the loop runs against the model server through the same
//! days. At random instants, and just before and just after each edge of the plan, its newest report must want what the
//! plan says, however long ago it was made, and the server must hold what is wanted.
//!
//! `RECESS_PLAN_ROUNDS=50` plays more of them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use recess::config;
use recess::policy::{Desired, Policy};
use serde_json::Value;

use crate::daemon::Recess;
use crate::scene::{MARK, milliseconds, seconds};
use crate::server::Server;
use crate::world::{Chance, Host, World};

const CONSUMERS: [&str; 5] = [
    "ORDERS/billing",
    "ORDERS/shipping",
    "EVENTS/mail",
    "EVENTS/search",
    "OTHER/one",
];

/// Zones, and an evening before their clocks change.
const EVENINGS: [(&str, &str); 8] = [
    ("Europe/Berlin", "2026-03-28T17:10:00Z"),
    ("Europe/Berlin", "2026-10-24T17:10:00Z"),
    ("America/New_York", "2026-10-31T17:10:00Z"),
    ("America/Santiago", "2026-09-05T17:10:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T05:10:00Z"),
    ("Africa/Casablanca", "2026-03-21T17:10:00Z"),
    ("Antarctica/Troll", "2026-03-28T17:10:00Z"),
    ("Asia/Kolkata", "2026-07-04T05:10:00Z"),
];

/// How long each is played.
const DAYS: SignedDuration = SignedDuration::from_hours(44);

/// How long after an edge what it asks for is in force.
const SETTLES: SignedDuration = SignedDuration::from_millis(200);

/// Whoever follows a selection, as a person sees it.
const SELECTIONS: [(&str, &[&str]); 6] = [
    (r#"["ORDERS/*"]"#, &["ORDERS/billing", "ORDERS/shipping"]),
    (
        r#"["EVENTS/mail", "OTHER/one"]"#,
        &["EVENTS/mail", "OTHER/one"],
    ),
    (
        r#"["*/*", "!OTHER/*", "!ORDERS/billing"]"#,
        &["ORDERS/shipping", "EVENTS/mail", "EVENTS/search"],
    ),
    (r#"["*/*"]"#, &CONSUMERS),
    (
        r#"["*/s*", "ORDERS/billing"]"#,
        &["ORDERS/billing", "ORDERS/shipping", "EVENTS/search"],
    ),
    (r#"["OTHER/one"]"#, &["OTHER/one"]),
];

/// A config, and which consumers follow each of its windows, in the order of the file.
struct Draft {
    toml: String,
    followers: Vec<&'static [&'static str]>,
}

impl Draft {
    fn make_up(zone: &str, start: Timestamp, chance: &mut Chance) -> Self {
        let max_pause = *chance.one_of(&["7d", "16h", "11h"]);
        let mut toml = format!(
            "instance = \"prod-eu\"\n[controller]\nresync = \"1h\"\nmax_pause = \"{max_pause}\"\n\
             [defaults]\ntimezone = \"{zone}\"\n"
        );
        let mut followers = Vec::new();
        for number in 0..chance.within(1..5) {
            let (selection, its) = *chance.one_of(&SELECTIONS);
            followers.push(its);
            toml += &format!(
                "[[window]]\nname = \"w{number}\"\nconsumers = {selection}\n{}",
                timing(start, chance)
            );
            if chance.percent(60) {
                let spread = chance.one_of(&["10m", "47s", "3h"]);
                toml += &format!("resume_spread = \"{spread}\"\n");
            }
        }
        for number in 0..chance.within(0..3) {
            toml += &format!(
                "[[exclusion]]\nname = \"x{number}\"\n{}",
                timing(start, chance)
            );
            if chance.percent(50) {
                toml += "windows = [\"w0\"]\n";
            }
        }
        Self { toml, followers }
    }

    fn windows_of(&self, path: &str) -> BTreeSet<String> {
        let its = self.followers.iter().enumerate();
        its.filter(|(_, followers)| followers.contains(&path))
            .map(|(number, _)| format!("w{number}"))
            .collect()
    }
}

/// When a window or an exclusion opens and closes. What is refused for being endless or too long is drawn again.
fn timing(start: Timestamp, chance: &mut Chance) -> String {
    if chance.percent(15) {
        let from = start + seconds(60 * i64::try_from(chance.within(0..2_000)).unwrap());
        let until = from + seconds(60 * i64::try_from(chance.within(1..900)).unwrap());
        return format!("from = {from}\nuntil = {until}\n");
    }
    if chance.percent(15) {
        // Its openings overlap: together they outlast the shorter of the limits.
        return "schedule = \"0 6,13,18 * * *\"\nduration = \"10h\"\n".to_owned();
    }
    let [hour, other] = [(); 2].map(|()| *chance.one_of(&[0, 1, 2, 2, 3, 4, 14, 22, 23]));
    let minute = *chance.one_of(&[0, 15, 30, 59]);
    let pattern = match chance.within(0..6) {
        0 => format!("{minute} * * * *"),
        1 => format!("{minute} {hour},{other} * * *"),
        2 => format!("{minute} {hour} * * 0,6"),
        3 => format!("*/20 {hour} * * *"),
        4 => format!("17 {minute} {hour} * * *"),
        _ => format!("{minute} {hour} * * *"),
    };
    let length = match chance.percent(40) {
        true => format!(
            "until = \"{:02}:{minute:02}\"",
            chance.one_of(&[0, 2, 3, 5, 9])
        ),
        false => format!(
            "duration = \"{}m\"",
            chance.one_of(&[1, 5, 19, 30, 61, 180, 600])
        ),
    };
    let mut text = format!("schedule = \"{pattern}\"\n{length}\n");
    if chance.percent(20) {
        text += &format!("gap = {:?}\n", chance.one_of(&["shift", "skip"]));
    }
    if chance.percent(20) {
        text += &format!("repeat = {:?}\n", chance.one_of(&["first", "last", "both"]));
    }
    text
}

/// What the program prints.
struct Plan {
    /// Windows and when they are open, occurrences that overlap put together.
    openings: Vec<(String, Range<Timestamp>)>,
    /// The pauses of each consumer.
    pauses: Vec<(&'static str, Range<Timestamp>)>,
}

impl Plan {
    fn printed(toml: &str, span: Range<Timestamp>) -> Self {
        let files = tempfile::tempdir().unwrap();
        let file = files.path().join("recess.toml");
        std::fs::write(&file, toml).unwrap();
        let rows = |more: &[&str], begin: &str, end: &str| -> Vec<(String, Range<Timestamp>)> {
            let output = Command::new(env!("CARGO_BIN_EXE_recess"))
                .args(["plan", "--format", "json", "--config"])
                .arg(&file)
                .args([
                    "--from",
                    &span.start.to_string(),
                    "--until",
                    &span.end.to_string(),
                ])
                .args(more)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
            let at =
                |row: &Value, key| -> Timestamp { row[key].as_str().unwrap().parse().unwrap() };
            (rows.iter())
                .map(|row| {
                    let window = row["window"].as_str().unwrap_or_default();
                    (window.to_owned(), at(row, begin)..at(row, end))
                })
                .collect()
        };
        let pauses = CONSUMERS.iter().flat_map(|path| {
            let its = rows(&["--consumer", path], "from", "until");
            its.into_iter().map(|(_, pause)| (*path, pause))
        });
        Self {
            openings: put_together(rows(&[], "opens", "closes")),
            pauses: pauses.collect(),
        }
    }

    fn edges(&self) -> BTreeSet<Timestamp> {
        let openings = self.openings.iter().map(|(_, open)| open);
        let pauses = self.pauses.iter().map(|(_, pause)| pause);
        (openings.chain(pauses))
            .flat_map(|one| [one.start, one.end])
            .collect()
    }

    /// What it says of a consumer, without regard to how far ahead a deadline may be; `None` where it contradicts itself,
    /// with a window that is open and no pause.
    fn of(&self, path: &str, windows: &BTreeSet<String>, at: Timestamp) -> Option<Desired> {
        let mut open = self.openings.iter();
        let open = open.any(|(name, open)| windows.contains(name) && open.contains(&at));
        let its = self
            .pauses
            .iter()
            .filter(|(whose, pause)| *whose == path && pause.contains(&at));
        match its.map(|(_, pause)| pause.end).max() {
            Some(until) if open => Some(Desired::Paused(until)),
            Some(until) => Some(Desired::Tail(until)),
            None => (!open).then_some(Desired::Running),
        }
    }
}

/// One window may be open twice over.
fn put_together(mut rows: Vec<(String, Range<Timestamp>)>) -> Vec<(String, Range<Timestamp>)> {
    rows.sort_by(|(name, open), (other, next)| (name, open.start).cmp(&(other, next.start)));
    rows.dedup_by(|(name, next), (same, open)| {
        let joins = name == same && next.start <= open.end;
        if joins {
            open.end = open.end.max(next.end);
        }
        joins
    });
    rows
}

/// What was seen in all, so that a test that looks at nothing fails.
#[derive(Debug, Default)]
struct Tally {
    running: usize,
    tails: usize,
    paused: usize,
    /// Deadlines that `max_pause` kept nearer than the plan's end.
    capped: usize,
    changes: usize,
}

#[test]
fn the_loop_wants_at_every_instant_what_the_plan_says() {
    let rounds = std::env::var("RECESS_PLAN_ROUNDS").map_or(2, |text| {
        text.parse().expect("RECESS_PLAN_ROUNDS is a number")
    });
    let mut tally = Tally::default();
    for round in 0..rounds {
        for (place, (zone, start)) in EVENINGS.into_iter().enumerate() {
            let seed = round * 100 + u64::try_from(place).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(play(seed, zone, start, &mut tally));
        }
    }
    println!("{tally:?}");
    let Tally {
        running,
        tails,
        paused,
        capped,
        changes,
    } = tally;
    assert!(running > 2_000 && paused > 2_000 && tails > 500 && changes > 1_000);
    assert!(capped > 10);
}

async fn play(seed: u64, zone: &str, start: &str, tally: &mut Tally) {
    let mut chance = Chance::seeded(seed);
    let world = World::starting_at(start);
    let start = world.now();
    let (draft, policy) = loop {
        let draft = Draft::make_up(zone, start, &mut chance);
        if let Ok(config) = config::parse(Path::new("recess.toml"), &draft.toml) {
            break (draft, config.policy);
        }
    };
    let story = Story {
        seed,
        draft: &draft,
        policy: &policy,
    };
    let end = start + DAYS;
    let plan = Plan::printed(&draft.toml, start..end + DAYS);

    let server = Server::standalone(&world);
    server.create(&CONSUMERS);
    let recess = Recess::start(&server, &Host::of(&world), &draft.toml);
    let edges = plan.edges();
    let mut looks: BTreeSet<Timestamp> = (0..60)
        .map(|_| start + milliseconds(i64::try_from(chance.within(1_000..158_000_000)).unwrap()))
        .collect();
    looks.extend((edges.iter()).flat_map(|edge| [*edge - milliseconds(1), *edge + SETTLES]));
    let settled = |at: &Timestamp| {
        edges
            .range(*at - SETTLES..=*at)
            .all(|edge| *edge + SETTLES <= *at)
    };
    looks.retain(|at| start + SETTLES <= *at && *at < end && settled(at));
    for at in looks {
        world.until(at).await;
        story.check_next_change(&plan, at, tally);
        for path in CONSUMERS {
            story.check_consumer(&plan, path, at, (&recess, &server), tally);
        }
    }
    assert!(!recess.is_over(), "{}", story.told("it ended"));
}

/// A config that is played, and how to find it again.
struct Story<'a> {
    seed: u64,
    draft: &'a Draft,
    policy: &'a Policy,
}

impl Story<'_> {
    fn told(&self, what: &str) -> String {
        format!("seed {}: {what}, of\n{}", self.seed, self.draft.toml)
    }

    fn check_consumer(
        &self,
        plan: &Plan,
        path: &'static str,
        at: Timestamp,
        (recess, server): (&Recess, &Server),
        tally: &mut Tally,
    ) {
        let windows = self.draft.windows_of(path);
        let expected = plan.of(path, &windows, at);
        let found = recess
            .find_row(path)
            .map_or(Desired::Running, |row| row.desired);
        let context = || {
            self.told(&format!(
                "{path} at {at}: planned {expected:?}, wanted {found:?}"
            ))
        };
        let held = server.consumer(path).deadline.filter(|until| *until > at);
        let marked = |until: Timestamp| Timestamp::new(until.as_second(), MARK).ok();
        match (expected, found) {
            (Some(Desired::Running), Desired::Running) => {
                tally.running += 1;
                assert_eq!(held, None, "{}", context());
            }
            // The report may be older than the end of the tail, which the server brings about alone.
            (Some(Desired::Running), Desired::Tail(until)) => {
                assert!(until <= at, "{}", context());
                assert_eq!(held, None, "{}", context());
            }
            (Some(Desired::Tail(until)), Desired::Tail(wanted)) => {
                tally.tails += 1;
                assert!(wanted <= until && at < wanted, "{}", context());
                assert!(
                    wanted == until || self.is_capped(at, wanted),
                    "{}",
                    context()
                );
                // None is begun in it, as where recess was started in it.
                assert!(
                    held.is_none_or(|held| Some(held) <= marked(wanted)),
                    "{}",
                    context()
                );
            }
            (Some(Desired::Paused(until)), Desired::Paused(wanted)) => {
                tally.paused += 1;
                if wanted != until {
                    tally.capped += 1;
                    assert!(
                        wanted < until && self.is_capped(at, wanted),
                        "{}",
                        context()
                    );
                }
                let ends_at_once = until.duration_since(at) <= seconds(6);
                assert!(
                    held == marked(wanted) || ends_at_once,
                    "held {held:?}, {}",
                    context()
                );
            }
            _ => panic!("{}", context()),
        }
    }

    /// Whether a deadline is as far ahead as `max_pause` allows, less a step of half of it.
    fn is_capped(&self, at: Timestamp, deadline: Timestamp) -> bool {
        let line = self
            .draft
            .toml
            .lines()
            .find(|line| line.starts_with("max_pause"));
        let hours = match line.unwrap() {
            r#"max_pause = "11h""# => 11,
            r#"max_pause = "16h""# => 16,
            _ => 7 * 24,
        };
        let most = SignedDuration::from_hours(hours);
        let ahead = deadline.duration_since(at);
        most / 2 <= ahead && ahead <= most
    }

    /// Whatever the plan says of anybody stays so until then, but for the ends of tails.
    fn check_next_change(&self, plan: &Plan, at: Timestamp, tally: &mut Tally) {
        let next = self.policy.next_change(at);
        let edges = plan
            .openings
            .iter()
            .flat_map(|(_, open)| [open.start, open.end]);
        let first = edges.filter(|edge| *edge > at).min();
        tally.changes += usize::from(first.is_some());
        if let Some(first) = first {
            let told = || {
                self.told(&format!(
                    "next_change at {at}: {next:?}, the plan has {first}"
                ))
            };
            assert!(
                next.is_some_and(|next| at < next && next <= first),
                "{}",
                told()
            );
        }
    }
}
