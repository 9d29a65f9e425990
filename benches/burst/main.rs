//! What a burst of pauses costs, beside a floor: a program that speaks the raw protocol with as many requests under way and
//! does nothing else. Both in one run by turns, against one real nats-server; medians of five.
//!
//! `cargo bench --bench burst` takes about a quarter of an hour; with `-- 1000 10000 copies bystanders rest metadata page cluster`,
//! or some of these words, it does only that. `-- growth` measures up to 100,000 consumers (`-- growth 1000` so many), and with
//! `BEFORE=/path/to/recess` another executable by turns; `-- soak` watches memory, files and threads for an hour (`-- soak 10`
//! for so many minutes). Absolute times are this machine's; ratios travel.

#![allow(clippy::disallowed_methods)]

mod browsers;
mod bystander;
mod copies;
#[allow(dead_code)] // the other bench uses the rest
mod daemon;
mod growth;
mod metadata;
#[path = "../../tests/support/nats_server.rs"]
mod nats_server;
#[allow(dead_code)] // the same
mod raw;
mod rest;
mod soak;
mod world;

use std::error::Error;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use bystander::Bystander;
use daemon::{Burst, Daemon, IN_FLIGHT};
use nats_server::{Cluster, Options, Server};
use raw::Raw;
use world::World;

const ROUNDS: usize = 5;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Something to be measured by itself.
type Part = fn() -> Result<()>;

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let parts: [(&str, Part); 8] = [
        ("1000", thousand),
        ("10000", ten_thousand),
        ("copies", two_copies),
        ("bystanders", beside),
        ("rest", at_rest),
        ("metadata", tagged),
        ("page", looked_at),
        ("cluster", three_nodes),
    ];
    let is_asked = |part: &str| asked.iter().any(|word| word == part);
    if is_asked("soak") {
        let minutes = asked.iter().find_map(|word| word.parse().ok());
        return soaked(minutes.unwrap_or(60));
    }
    if is_asked("growth") {
        return growth::measure(&asked);
    }
    let everything = !parts.iter().any(|(part, _)| is_asked(part));
    for (part, measure) in parts {
        if everything || is_asked(part) {
            measure()?;
        }
    }
    Ok(())
}

fn thousand() -> Result<()> {
    let server = Server::start(Options::default())?;
    let mut world = World::make(server.port(), 10, 1_000, &[1])?;
    println!("one server, 1000 consumers of 10 streams, file store");
    by_turns(&mut world, World::pause_all)
}

fn ten_thousand() -> Result<()> {
    let server = Server::start(Options::default())?;
    let mut world = World::make(server.port(), 20, 10_000, &[1])?;
    println!("one server, 10000 consumers of 20 streams, file store");
    by_turns(&mut world, World::pause_all)
}

fn two_copies() -> Result<()> {
    let server = Server::start(Options::default())?;
    let mut world = World::make(server.port(), 20, 10_000, &[1])?;
    println!("copies, 10000 consumers of 20 streams, file store");
    for line in copies::measure(&mut world)? {
        println!("  {line}");
    }
    Ok(())
}

fn beside() -> Result<()> {
    let server = Server::start(Options::default())?;
    let mut world = World::make(server.port(), 20, 10_000, &[1])?;
    println!("a bystander's CONSUMER.INFO, 10000 consumers");
    bystanders(&mut world)
}

fn at_rest() -> Result<()> {
    for (streams, consumers, windows) in [(20, 10_000, 1_000), (1, 10, 1)] {
        let server = Server::start(Options::default())?;
        let _world = World::make(server.port(), streams, consumers, &[1])?;
        println!("at rest, {consumers} consumers, {windows} windows");
        println!("  {}", rest::measure(server.port(), windows)?);
    }
    Ok(())
}

fn tagged() -> Result<()> {
    let servers = [
        Server::start(Options::default())?,
        Server::start(Options::default())?,
    ];
    let [without, with] = servers.each_ref().map(Server::port);
    let _worlds = [
        World::make(without, 20, 10_000, &[1])?,
        World::tagged(with, 20, 10_000, metadata::tags)?,
    ];
    println!("10000 consumers with metadata, a full pass every second");
    for line in metadata::measure(without, with)? {
        println!("  {line}");
    }
    Ok(())
}

fn looked_at() -> Result<()> {
    let server = Server::start(Options::default())?;
    let mut world = World::make(server.port(), 20, 10_000, &[1])?;
    println!("the page of 10000 consumers and 1000 windows");
    for line in browsers::measure(&mut world)? {
        println!("  {line}");
    }
    Ok(())
}

fn soaked(minutes: u64) -> Result<()> {
    let mut server = Server::start(Options::default())?;
    let world = World::make(server.port(), 10, 1_000, &[1])?;
    println!(
        "{minutes} minutes, {} consumers, a window every 20 s, and all else that recess does",
        world.len()
    );
    for line in soak::measure(&mut server, minutes)? {
        println!("  {line}");
    }
    Ok(())
}

fn three_nodes() -> Result<()> {
    let cluster = Cluster::start(3, Options::default())?;
    let mut world = World::make(cluster.nodes[0].port(), 10, 1_000, &[1, 3])?;
    println!(
        "three nodes, 1000 consumers of 10 streams, half of them with three replicas; floor: until lists show all"
    );
    by_turns(&mut world, World::pause_all_until_shown)
}

/// The floor and recess by turns, each a few times.
fn by_turns(
    world: &mut World,
    floor: fn(&mut World, Timestamp) -> std::io::Result<Duration>,
) -> Result<()> {
    let mut floors = Vec::new();
    let mut bursts: Vec<Burst> = Vec::new();
    for _ in 0..ROUNDS {
        floors.push(floor(
            world,
            Timestamp::now() + SignedDuration::from_hours(1),
        )?);
        world.release()?;
        bursts.push(one_burst(world)?);
        world.release()?;
    }
    let floor = median(floors.iter().copied());
    let sending = median(bursts.iter().map(|burst| burst.sending));
    let confirmed = median(bursts.iter().map(|burst| burst.confirmed));
    let late = median(bursts.iter().map(|burst| burst.late));
    let times = |what: Duration| what.as_secs_f64() / floor.as_secs_f64();
    println!("  floor                    {}", show(floor));
    println!(
        "  first to last answer     {}  {:.2} x",
        show(sending),
        times(sending)
    );
    println!(
        "  opening to all confirmed {}  {:.2} x",
        show(confirmed),
        times(confirmed)
    );
    println!("  opening to first request {}", show(late));
    Ok(())
}

fn one_burst(world: &World) -> Result<Burst> {
    let mut tap = Raw::connect(world.port, "tap")?;
    tap.subscribe_once("$JS.API.CONSUMER.PAUSE.>")?;
    let daemon = Daemon::start(world.port, "bench", IN_FLIGHT)?;
    Ok(daemon.burst(world.len(), &mut tap)?)
}

/// Somebody else's requests at rest, beside a burst, and beside two at once.
fn bystanders(world: &mut World) -> Result<()> {
    let idle = Bystander::watch(world.port, world.somebody())?;
    std::thread::sleep(Duration::from_secs(3));
    tell("at rest", &idle.end()?);
    let watching = Bystander::watch(world.port, world.somebody())?;
    world.pause_all(Timestamp::now() + SignedDuration::from_hours(1))?;
    tell("beside the floor", &watching.end()?);
    world.release()?;
    for in_flight in [4, 6, 8] {
        let (burst, took) = beside_bursts(world, in_flight, 1)?;
        tell(&format!("beside a burst at {in_flight}"), &took);
        let burst = burst.ok_or("no burst")?;
        println!("    which took {}", show(burst.sending));
    }
    let (_, took) = beside_bursts(world, IN_FLIGHT, 2)?;
    tell("beside two bursts", &took);
    Ok(())
}

/// How long somebody else's requests took while so many copies paused everybody, and what that took where it was one.
fn beside_bursts(
    world: &mut World,
    in_flight: usize,
    copies: usize,
) -> Result<(Option<Burst>, Vec<Duration>)> {
    let mut taps = Vec::new();
    let mut daemons = Vec::new();
    for copy in 0..copies {
        let mut tap = Raw::connect(world.port, &format!("tap{copy}"))?;
        tap.subscribe_once("$JS.API.CONSUMER.PAUSE.>")?;
        taps.push(tap);
        daemons.push(Daemon::start(world.port, "bench", in_flight)?);
    }
    let opens = daemons.iter().map(|daemon| daemon.opens).max();
    let ahead = opens.ok_or("no daemon")?.duration_since(Timestamp::now());
    let ahead = ahead - SignedDuration::from_millis(20);
    std::thread::sleep(Duration::try_from(ahead).unwrap_or_default());
    let watching = Bystander::watch(world.port, world.somebody())?;
    let burst = if copies == 1 {
        Some(daemons[0].burst(world.len(), &mut taps[0])?)
    } else {
        // Two copies of one deployment: each writes what the other writes.
        std::thread::sleep(Duration::from_secs(8));
        None
    };
    let took = watching.end()?;
    drop(daemons);
    world.release()?;
    Ok((burst, took))
}

fn tell(what: &str, took: &[Duration]) {
    let p50 = took.get(took.len() / 2).copied().unwrap_or_default();
    let most = took.last().copied().unwrap_or_default();
    println!(
        "  {what:<24} p50 {}, most {}, {} answered, none dropped",
        show(p50),
        show(most),
        took.len()
    );
}

fn median(of: impl Iterator<Item = Duration>) -> Duration {
    let mut all: Vec<Duration> = of.collect();
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn middle(of: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = of.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn show(duration: Duration) -> String {
    format!("{:8.2} ms", duration.as_secs_f64() * 1_000.0)
}
