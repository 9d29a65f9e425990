//! What a scrape costs at 1,000, 10,000 and 100,000 consumers: its size, processor time, the memory that it takes on top, its
//! first byte, what gzip adds, and how late openings are meanwhile.
//!
//! `cargo bench --bench scrape` takes some minutes; with `-- 1000 10000`, or one of these, it does only that. The variable
//! `BEFORE` names another executable of recess, which is measured by turns with this one.

#![allow(clippy::disallowed_methods)]

#[path = "../burst/daemon.rs"]
#[allow(dead_code)] // the other benches use the rest
mod daemon;
#[path = "../../tests/support/nats_server.rs"]
mod nats_server;
#[path = "../burst/raw.rs"]
#[allow(dead_code)] // the same
mod raw;

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use daemon::{Daemon, IN_FLIGHT, OURS};
use nats_server::{Options, Server};
use raw::Raw;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;

/// nats-server 2.15 lets a stream have a thousand consumers.
fn streams(consumers: usize) -> usize {
    (consumers / 500).max(20)
}

/// So many windows open while recess is scraped, one each second.
const OPENINGS: usize = 10;

fn main() -> Result<()> {
    let asked: Vec<String> = env::args().skip(1).collect();
    let sizes = [1_000, 10_000, 100_000];
    let is_asked = |size: usize| asked.iter().any(|word| *word == size.to_string());
    let everything = !sizes.into_iter().any(is_asked);
    for size in sizes {
        if everything || is_asked(size) {
            measure(size)?;
        }
    }
    Ok(())
}

fn measure(consumers: usize) -> Result<()> {
    let server = Server::start(Options::default())?;
    make(server.port(), consumers)?;
    println!(
        "{consumers} consumers of {} streams, all paused; {}",
        streams(consumers),
        load()?
    );
    let before = env::var_os("BEFORE").map(PathBuf::from);
    let ours = PathBuf::from(OURS);
    let executables: Vec<(&str, &Path)> = before
        .iter()
        .map(|before| ("before", &**before))
        .chain([("now", &*ours)])
        .collect();
    for round in 0..ROUNDS {
        for (what, executable) in &executables {
            println!("  round {round}, {what}:");
            scraped(executable, server.port(), consumers)?;
        }
    }
    for (what, executable) in &executables {
        for (beside, clients) in [("no client", 0), ("two scrapers", 2)] {
            let late = openings(executable, server.port(), (consumers, clients))?;
            let milliseconds = |late: &SignedDuration| late.as_secs_f64() * 1_000.0;
            println!(
                "  openings beside {beside}, {what}: half of them within {:.1} ms, all within {:.1} ms",
                late.get(late.len() / 2).map_or(f64::NAN, milliseconds),
                late.last().map_or(f64::NAN, milliseconds),
            );
        }
    }
    Ok(())
}

/// Streams in memory, with that many consumers in all, paused for a day by nobody that recess knows.
fn make(port: u16, consumers: usize) -> Result<()> {
    let mut raw = Raw::connect(port, "maker")?;
    let is_good = |answer: &[u8]| !answer.windows(8).any(|part| part == b"\"error\":");
    let of_all = streams(consumers);
    let streams = (0..of_all).map(|number| {
        let name = format!("S{number}");
        let body = json!({ "name": name, "subjects": [format!("{name}.>")], "storage": "memory" });
        (format!("$JS.API.STREAM.CREATE.{name}"), body.to_string())
    });
    raw.pipeline(&streams.collect::<Vec<_>>(), 1, is_good)?;
    let until = Timestamp::now() + SignedDuration::from_hours(24);
    let made = (0..consumers).map(|number| {
        let (stream, name) = (format!("S{}", number % of_all), format!("c{number}"));
        let config = json!({
            "durable_name": name, "ack_policy": "explicit", "mem_storage": true, "pause_until": until.to_string(),
        });
        let body = json!({ "stream_name": stream, "config": config });
        let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}");
        (subject, body.to_string())
    });
    raw.pipeline(&made.collect::<Vec<_>>(), IN_FLIGHT, is_good)?;
    Ok(())
}

/// Scrapes without and with gzip, each for the second time: the first one finds cold memory.
fn scraped(executable: &Path, port: u16, consumers: usize) -> Result<()> {
    let far = whole_second(30 * 86_400)?;
    let until = far + SignedDuration::from_hours(1);
    let window =
        format!("[[window]]\nname = \"w\"\nconsumers = [\"*/*\"]\nfrom = {far}\nuntil = {until}\n");
    let daemon = Daemon::of(executable, port, "bench", &window, far)?;
    daemon.ready()?;
    sleep(Duration::from_secs(2));
    for coding in ["", "gzip"] {
        // The peak begins again, and so does what the allocator keeps.
        fs::write(format!("/proc/{}/clear_refs", daemon.pid()), "5")?;
        let (memory, used) = (resident(&daemon, "VmRSS")?, daemon.processor_seconds()?);
        let scrape = scrape(daemon.http(), coding)?;
        let used = daemon.processor_seconds()? - used;
        let on_top = resident(&daemon, "VmHWM")? - memory;
        println!(
            "    {:<8} {:9.3} MB, {used:.3} s of processor, {on_top:6.1} MB on {memory:.1} MB, first byte after {:.1} ms, last after {:.2} s",
            if coding.is_empty() {
                "identity"
            } else {
                coding
            },
            scrape.length as f64 / 1e6,
            scrape.first.as_secs_f64() * 1_000.0,
            scrape.last.as_secs_f64(),
        );
        sleep(Duration::from_secs(2));
    }
    let found = daemon
        .page("/metrics")?
        .matches("recess_consumer_paused{")
        .count();
    assert_eq!(found, consumers);
    Ok(())
}

struct Scrape {
    length: usize,
    first: Duration,
    last: Duration,
}

fn scrape(http: u16, coding: &str) -> Result<Scrape> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", http))?;
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: recess\r\nAccept-Encoding: {coding}\r\n\r\n"
    )?;
    let mut buffer = vec![0; 1 << 18];
    let mut length = stream.read(&mut buffer)?;
    let first = began.elapsed();
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(Scrape {
        length,
        first,
        last: began.elapsed(),
    })
}

/// How late the first request of each opening is on the wire, in order.
fn openings(
    executable: &Path,
    port: u16,
    (consumers, clients): (usize, usize),
) -> Result<Vec<SignedDuration>> {
    // Half a minute for the first observation.
    let first = whole_second(35)?;
    let opens = |number: usize| -> Result<Timestamp> {
        Ok(first + SignedDuration::from_secs(i64::try_from(number)?))
    };
    let far = first + SignedDuration::from_hours(24 * 30);
    let mut windows = format!(
        "[[window]]\nname = \"far\"\nconsumers = [\"*/*\"]\nfrom = {far}\nuntil = {}\n",
        far + SignedDuration::from_hours(1)
    );
    for number in 0..OPENINGS {
        // Longer than the pauses that they have.
        let until = opens(number)? + SignedDuration::from_hours(48);
        windows += &format!(
            "[[window]]\nname = \"w{number}\"\nconsumers = [\"S{}/c{number}\"]\nfrom = {}\nuntil = {until}\n",
            number % streams(consumers),
            opens(number)?
        );
    }
    let daemon = Daemon::of(executable, port, "bench", &windows, first)?;
    daemon.ready()?;
    let mut tap = Raw::connect(port, "tap")?;
    tap.subscribe("$JS.API.CONSUMER.PAUSE.>")?;
    let stop = Arc::new(AtomicBool::new(false));
    let ahead = Duration::try_from(first.duration_since(Timestamp::now()))?;
    sleep(ahead.saturating_sub(Duration::from_secs(2)));
    let scrapers: Vec<_> = (0..clients)
        .map(|number| {
            let (http, stop) = (daemon.http(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let coding = if number % 2 == 0 { "gzip" } else { "" };
                    let _ = scrape(http, coding);
                }
            })
        })
        .collect();
    let mut late = Vec::new();
    for number in 0..OPENINGS {
        let message = loop {
            let message = tap.next()?;
            if message.subject.ends_with(&format!(".c{number}")) {
                break message;
            }
        };
        drop(message);
        late.push(Timestamp::now().duration_since(opens(number)?));
    }
    stop.store(true, Ordering::Relaxed);
    // They are paused as before.
    let until = (Timestamp::now() + SignedDuration::from_hours(24)).to_string();
    drop(daemon);
    let mut raw = Raw::connect(port, "maker")?;
    for number in 0..OPENINGS {
        let subject = format!(
            "$JS.API.CONSUMER.PAUSE.S{}.c{number}",
            number % streams(consumers)
        );
        raw.ask(&subject, &json!({ "pause_until": until }).to_string())?;
    }
    for scraper in scrapers {
        scraper.join().map_err(|_| "a scraper panicked")?;
    }
    late.sort();
    Ok(late)
}

fn whole_second(ahead: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(
        Timestamp::now().as_second() + ahead,
    )?)
}

/// In megabytes.
fn resident(daemon: &Daemon, key: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
    let line = text.lines().find(|line| line.starts_with(key));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kilobytes.ok_or("no such line")?.parse::<f64>()? / 1_000.0)
}

/// What else the machine does.
fn load() -> Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    let minute = load.split(' ').next().unwrap_or_default();
    Ok(format!("the machine's load is {minute}"))
}
