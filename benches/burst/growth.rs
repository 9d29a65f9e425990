//! What each consumer costs, from a thousand to a hundred thousand of them, in the server's memory: until recess is ready, a burst over
//! all of them, and what it holds in memory after that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::daemon::{Burst, Daemon, OURS, window_for_all};
use crate::nats_server::{Options, Server};
use crate::raw::Raw;
use crate::rest::resident;
use crate::world::World;
use crate::{Result, middle};

/// How many consumers, and how many rounds.
const SIZES: [(usize, usize); 3] = [(1_000, 5), (10_000, 3), (100_000, 3)];

/// nats-server 2.15 takes so many in one stream by default.
const IN_A_STREAM: usize = 1_000;

/// How long after the last answer memory is read: all are seen paused by then.
const SETTLING: Duration = Duration::from_secs(4);

/// What was measured of one executable in one round.
struct Round {
    ready: Duration,
    burst: Burst,
    /// Of the processor, from the start until all are seen paused.
    seconds: f64,
    /// In memory once all are seen paused, and at most until then, in megabytes.
    resident: f64,
    peak: f64,
}

/// Measures those sizes that are asked for, or all.
pub fn measure(asked: &[String]) -> Result<()> {
    let is_asked = |size: usize| asked.iter().any(|word| word.parse() == Ok(size));
    let any = SIZES.iter().any(|(size, _)| is_asked(*size));
    for (size, rounds) in SIZES {
        if !any || is_asked(size) {
            of_size(size, rounds)?;
        }
    }
    Ok(())
}

fn of_size(size: usize, rounds: usize) -> Result<()> {
    let mut executables: Vec<(&str, PathBuf)> = Vec::new();
    executables.extend(std::env::var_os("BEFORE").map(|path| ("before", path.into())));
    executables.push(("recess", OURS.into()));
    let server = Server::start(Options::default())?;
    let mut world = World::in_memory(server.port(), (size / IN_A_STREAM).max(10), size)?;
    println!("{size} consumers, memory store, {rounds} rounds by turns");
    let mut floors = Vec::new();
    let mut measured: Vec<Vec<Round>> = executables.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        floors.push(world.pause_all(Timestamp::now() + SignedDuration::from_hours(1))?);
        world.release()?;
        for ((_, executable), rounds) in executables.iter().zip(&mut measured) {
            rounds.push(round(executable, &world)?);
            world.release()?;
        }
    }
    let floor = middle(floors.iter().map(Duration::as_secs_f64));
    println!(
        "  {:<9} {floor:.3} s from the first request to the last answer",
        "floor"
    );
    for ((name, _), rounds) in executables.iter().zip(&measured) {
        let of = |what: fn(&Round) -> f64| middle(rounds.iter().map(what));
        let sending = of(|round| round.burst.sending.as_secs_f64());
        let confirmed = of(|round| round.burst.confirmed.as_secs_f64());
        println!(
            "  {name:<9} {sending:.3} s, {:.3} x; all confirmed after {confirmed:.3} s, {:.3} x; ready after {:.2} s; {:.2} s of processor; \
             {:.1} MB after it, at most {:.1} MB",
            sending / floor,
            confirmed / floor,
            of(|round| round.ready.as_secs_f64()),
            of(|round| round.seconds),
            of(|round| round.resident),
            of(|round| round.peak),
        );
    }
    Ok(())
}

fn round(executable: &Path, world: &World) -> Result<Round> {
    let mut tap = Raw::connect(world.port, "tap")?;
    tap.subscribe_once("$JS.API.CONSUMER.PAUSE.>")?;
    let before = SignedDuration::from_secs(if world.len() > 50_000 { 12 } else { 5 });
    let (opens, window) = window_for_all(before)?;
    let daemon = Daemon::of(executable, world.port, "bench", &window, opens)?;
    let ready = daemon.ready()?;
    let mut after = Err("no burst".into());
    let burst = daemon.burst_and(world.len(), &mut tap, || {
        // A page with a series of each would be most of it.
        std::thread::sleep(SETTLING);
        after = held(&daemon);
    })?;
    let (seconds, resident, peak) = after?;
    Ok(Round {
        ready,
        burst,
        seconds,
        resident,
        peak,
    })
}

fn held(daemon: &Daemon) -> Result<(f64, f64, f64)> {
    Ok((
        daemon.processor_seconds()?,
        resident(daemon.pid(), "VmRSS")?,
        resident(daemon.pid(), "VmHWM")?,
    ))
}
