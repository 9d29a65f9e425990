//! What overrides cost: how late an opening is while hundreds of entries a second are written, what another client notices,
//! and what a pass costs with 500 of them.
//!
//! `cargo bench --bench overrides` takes about three minutes; with `-- hints passes`, or one of these words, it does only that.

#![allow(clippy::disallowed_methods)]

#[path = "../burst/bystander.rs"]
mod bystander;
#[path = "../burst/daemon.rs"]
#[allow(dead_code)] // the other benches use the rest
mod daemon;
#[path = "../../tests/support/nats_server.rs"]
mod nats_server;
#[path = "../burst/raw.rs"]
#[allow(dead_code)] // the same
mod raw;
#[path = "../burst/world.rs"]
#[allow(dead_code)] // the same
mod world;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use bystander::Bystander;
use daemon::Daemon;
use nats_server::{Options, Server};
use raw::Raw;
use world::World;

/// How many entries a second are written.
const HINTS: u32 = 500;

/// For how long.
const HINTED: Duration = Duration::from_secs(10);

/// So many windows open meanwhile.
const OPENINGS: usize = 8;

/// So many overrides count at once.
const LIVE: usize = 500;

const CONSUMERS: usize = 10_000;

const WINDOWS: usize = 100;

/// How long passes are counted, one a second.
const COUNTED: Duration = Duration::from_secs(20);

const TURNS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let is_asked = |part: &str| asked.iter().any(|word| word == part);
    let everything = !["hints", "passes"].iter().any(|part| is_asked(part));
    if everything || is_asked("hints") {
        println!(
            "{OPENINGS} openings, an entry a window, without and beside {HINTS} puts a second"
        );
        for rate in [0, HINTS] {
            beside_hints(rate)?;
        }
    }
    if everything || is_asked("passes") {
        println!("a full pass over {CONSUMERS} consumers, {WINDOWS} windows");
        passes()?;
    }
    Ok(())
}

/// What the daemon's file says of the bucket.
const BUCKET: &str = "[overrides]\nbucket = \"recess\"\n";

fn make_bucket(raw: &mut Raw) -> Result<()> {
    let body = json!({
        "name": "KV_recess", "subjects": ["$KV.recess.>"], "max_msgs_per_subject": 1, "max_bytes": 1 << 20,
        "max_msg_size": 4_096, "discard": "new", "storage": "file", "allow_rollup_hdrs": true, "deny_delete": true,
        "allow_direct": true, "allow_msg_ttl": true,
    });
    accepted(raw.ask("$JS.API.STREAM.CREATE.KV_recess", &body.to_string())?)
}

fn accepted(answer: Vec<u8>) -> Result<()> {
    let text = String::from_utf8(answer)?;
    if text.contains("\"error\":") {
        return Err(text.into());
    }
    Ok(())
}

/// An entry of which `number` makes the id.
fn entry(number: usize, target: (&str, &str), effect: &str, from: Timestamp) -> (String, String) {
    let letters: String = (0..5)
        .map(|place| {
            char::from(b'a' + u8::try_from(number / 26_usize.pow(place) % 26).unwrap_or(0))
        })
        .collect();
    let value = match target {
        ("window", name) => json!(name),
        (_, selector) => json!([selector]),
    };
    let until = from + SignedDuration::from_hours(24);
    let body = json!({
        "v": 1, "instance": "bench", "effect": effect, target.0: value, "from": format!("{from:.0}"),
        "until": format!("{until:.0}"), "verb": if effect == "run" { "close" } else { "pause" }, "reason": "bench",
        "host": "bench",
    });
    (
        format!("$KV.recess.bench.alice.{letters}"),
        body.to_string(),
    )
}

fn whole_second(ahead: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(
        Timestamp::now().as_second() + ahead,
    )?)
}

/// Entries that are written again and again.
struct Writing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<std::io::Result<u32>>,
}

impl Writing {
    fn begin(port: u16, rate: u32, far: Timestamp) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let mut raw = Raw::connect(port, "writer")?;
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            let mut written = 0;
            while !ended.load(Ordering::Relaxed) {
                if rate == 0 {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
                let selector = format!("S0/c{}", written % 100);
                let (key, value) = entry(
                    written as usize % 100,
                    ("consumers", &selector),
                    "pause",
                    far,
                );
                raw.ask(&key, &value)?;
                written += 1;
                let due = start + Duration::from_secs(1) / rate * written;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            Ok(written)
        });
        Ok(Self { stop, thread })
    }

    fn end(self) -> Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the writer panicked")??)
    }
}

fn beside_hints(rate: u32) -> Result<()> {
    let server = Server::start(Options::default())?;
    let port = server.port();
    let world = World::make(port, 1, 100, &[1])?;
    make_bucket(&mut Raw::connect(port, "maker")?)?;
    let mut tap = Raw::connect(port, "tap")?;
    tap.subscribe("$JS.API.CONSUMER.PAUSE.>")?;
    let first = whole_second(6)?;
    let opens =
        |number: usize| first + SignedDuration::from_secs(1) * i32::try_from(number).unwrap_or(0);
    let windows: String = (0..OPENINGS)
        .map(|number| {
            let (from, until) = (opens(number), opens(number) + SignedDuration::from_mins(5));
            format!(
                "[[window]]\nname = \"w{number}\"\nconsumers = [\"S0/c{number}\"]\nfrom = {from}\nuntil = {until}\n"
            )
        })
        .collect();
    let daemon = Daemon::with(port, "bench", &format!("{BUCKET}{windows}"), first)?;
    daemon.ready()?;
    let ahead = Duration::try_from(first.duration_since(Timestamp::now()))?;
    std::thread::sleep(ahead.saturating_sub(Duration::from_secs(1)));
    let used = daemon.processor_seconds()?;
    let writing = Writing::begin(port, rate, first + SignedDuration::from_hours(48))?;
    let watching = Bystander::watch(port, world.somebody())?;
    let began = Instant::now();
    let mut late = Vec::new();
    for number in 0..OPENINGS {
        let message = tap.next()?;
        if !message.subject.ends_with(&format!(".c{number}")) {
            return Err(format!("{} in place of c{number}", message.subject).into());
        }
        late.push(Duration::try_from(
            Timestamp::now().duration_since(opens(number)),
        )?);
    }
    std::thread::sleep((began + HINTED).saturating_duration_since(Instant::now()));
    let written = writing.end()?;
    let used = daemon.processor_seconds()? - used;
    late.sort();
    let others = watching.end()?;
    println!(
        "  {written} puts in {} s; the daemon used {used:.2} s of processor",
        HINTED.as_secs()
    );
    show("opening to first request", &late);
    show("another client's INFO", &others);
    Ok(())
}

fn passes() -> Result<()> {
    let server = Server::start(Options::default())?;
    let port = server.port();
    let _world = World::make(port, 20, CONSUMERS, &[1])?;
    let mut raw = Raw::connect(port, "maker")?;
    make_bucket(&mut raw)?;
    let far = whole_second(30 * 86_400)?;
    let windows: String = (0..WINDOWS)
        .map(|number| {
            let until = far + SignedDuration::from_hours(1);
            format!(
                "[[window]]\nname = \"w{number}\"\nconsumers = [\"*/c{number}*\"]\nfrom = {far}\nuntil = {until}\n"
            )
        })
        .collect();
    let windows = format!("{BUCKET}{windows}");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        without.push(counted(port, &windows)?);
        let now = whole_second(-10)?;
        for number in 0..LIVE {
            let (window, selector) = (
                format!("w{}", number % WINDOWS),
                format!("S{}/c{number}", number % 20),
            );
            // A quarter each: of a window and of consumers, in force and ahead.
            let (key, value) = match number % 4 {
                0 => entry(number, ("window", &window), "run", now),
                1 => entry(number, ("consumers", &selector), "run", now),
                2 => entry(number, ("window", &window), "pause", far),
                _ => entry(number, ("consumers", &selector), "pause", far),
            };
            accepted(raw.ask(&key, &value)?)?;
        }
        with.push(counted(port, &windows)?);
        accepted(raw.ask("$JS.API.STREAM.PURGE.KV_recess", "")?)?;
    }
    let middle = |of: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = of.iter().map(part).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    for (what, part) in [
        ("time", (|one| one.0) as fn(&(f64, f64)) -> f64),
        ("processor", |one| one.1),
    ] {
        let (without, with) = (middle(&without, part), middle(&with, part));
        println!(
            "  {what:<10} without {:7.1} ms, with {LIVE} live ones {:7.1} ms: {:.2} x",
            without * 1_000.0,
            with * 1_000.0,
            with / without
        );
    }
    Ok(())
}

/// What a pass took, and what it cost on the processor, in seconds.
fn counted(port: u16, windows: &str) -> Result<(f64, f64)> {
    let daemon = Daemon::observing(port, "bench", windows, Timestamp::now())?;
    daemon.ready()?;
    std::thread::sleep(Duration::from_secs(3));
    let taken = || -> Result<(f64, f64, f64)> {
        let (sum, count) =
            (daemon.histogram("recess_pass_duration_seconds")?).ok_or("no passes")?;
        Ok((sum, count, daemon.processor_seconds()?))
    };
    let before = taken()?;
    std::thread::sleep(COUNTED);
    let processor = daemon.processor_seconds()?;
    let after = taken()?;
    let passes = after.1 - before.1;
    if passes < 1.0 {
        return Err("no pass".into());
    }
    Ok((
        (after.0 - before.0) / passes,
        (processor - before.2) / passes,
    ))
}

fn show(what: &str, took: &[Duration]) {
    let milliseconds =
        |place: usize| took.get(place).copied().unwrap_or_default().as_secs_f64() * 1_000.0;
    println!(
        "  {what:<26} p50 {:6.2} ms, most {:6.2} ms of {}",
        milliseconds(took.len() / 2),
        milliseconds(took.len().saturating_sub(1)),
        took.len()
    );
}
