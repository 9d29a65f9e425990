//! How late the first request of an opening is on the wire, also after the clock was stepped, and how late the repair of
//! what somebody else undoes.
//!
//! `cargo bench --bench boundary` takes about five minutes: windows open in real time. The clock is stepped by libfaketime
//! (`apt-get install faketime`). With `-- openings steps repairs`, or some of these words, it does only that.

#![allow(clippy::disallowed_methods)]

#[path = "../burst/daemon.rs"]
#[allow(dead_code)]
mod daemon;
#[path = "../../tests/support/nats_server.rs"]
mod nats_server;
#[path = "../burst/raw.rs"]
#[allow(dead_code)]
mod raw;
mod steps;

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use daemon::Daemon;
use nats_server::{Options, Server};
use raw::Raw;

const OPENINGS: usize = 50;

/// Between two openings: enough for the look before each, and the one after.
const APART: SignedDuration = SignedDuration::from_secs(3);

const RELOADS: usize = 10;

const REPAIRS: usize = 50;

/// Where clocks differ, by half an hour too, and one that has no rule for summer.
const ZONES: [&str; 5] = [
    "Europe/Zurich",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let server = Server::start(Options::default())?;
    let port = server.port();
    let mut maker = Raw::connect(port, "maker")?;
    maker.ask(
        "$JS.API.STREAM.CREATE.S",
        r#"{"name":"S","subjects":["s.>"]}"#,
    )?;
    let ours = (0..OPENINGS.max(REPAIRS)).map(|number| format!("c{number}"));
    let stepped = (0..steps::STEPS).flat_map(|number| [format!("f{number}"), format!("b{number}")]);
    for name in ours.chain(stepped) {
        let config = json!({ "durable_name": name, "ack_policy": "explicit" });
        let body = json!({ "stream_name": "S", "config": config }).to_string();
        maker.ask(&format!("$JS.API.CONSUMER.DURABLE.CREATE.S.{name}"), &body)?;
    }
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let is_asked = |part: &str| {
        let named = |word: &str| asked.iter().any(|asked| asked == word);
        named(part)
            || !["openings", "steps", "repairs"]
                .iter()
                .any(|part| named(part))
    };
    if is_asked("openings") {
        println!("opening to first request on the wire");
        tell("50 windows in five zones", openings(port)?);
        tell("right after a reload", reloads(port)?);
    }
    if is_asked("steps") {
        steps_of_the_clock(port)?;
    }
    if is_asked("repairs") {
        println!("advisory of a resume by hand to our pause on the wire");
        tell("50 consumers", repairs(port, &mut maker)?);
    }
    Ok(())
}

fn steps_of_the_clock(port: u16) -> Result<()> {
    let late = steps::measure(port)?;
    println!("step of the clock to first request on the wire");
    tell("forward over an opening", late.forward);
    tell("back over an opening", late.back);
    Ok(())
}

fn whole_second(ahead: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(
        Timestamp::now().as_second() + ahead,
    )?)
}

/// A window of its own for a consumer, in local time.
fn window(number: usize, from: Timestamp, until: Timestamp) -> Result<String> {
    let zone = ZONES[number % ZONES.len()];
    let local = |at: Timestamp| -> Result<_> { Ok(at.in_tz(zone)?.datetime()) };
    Ok(format!(
        "[[window]]\nname = \"w{number}\"\nconsumers = [\"S/c{number}\"]\nfrom = {}\nuntil = {}\ntimezone = \"{zone}\"\n",
        local(from)?,
        local(until)?
    ))
}

/// The next pause that is asked for: of whom, and when.
fn next_pause(tap: &mut Raw) -> io::Result<(String, Timestamp)> {
    loop {
        let message = tap.next()?;
        if let Some((_, consumer)) = message.subject.split_once(".PAUSE.S.") {
            return Ok((consumer.to_owned(), Timestamp::now()));
        }
    }
}

fn tapped(port: u16, subject: &str) -> io::Result<Raw> {
    let mut tap = Raw::connect(port, "tap")?;
    tap.subscribe(subject)?;
    Ok(tap)
}

fn openings(port: u16) -> Result<Vec<Duration>> {
    let mut tap = tapped(port, "$JS.API.CONSUMER.PAUSE.>")?;
    let first = whole_second(6)?;
    let opens = |number: usize| first + APART * i32::try_from(number).unwrap_or(0);
    let mut windows = String::new();
    for number in 0..OPENINGS {
        windows += &window(
            number,
            opens(number),
            opens(number) + SignedDuration::from_secs(20),
        )?;
    }
    let _daemon = Daemon::with(port, "boundary", &windows, first)?;
    let mut late = Vec::new();
    for number in 0..OPENINGS {
        let (consumer, at) = next_pause(&mut tap)?;
        if consumer != format!("c{number}") {
            return Err(format!("{consumer} was paused in place of c{number}").into());
        }
        late.push(Duration::try_from(at.duration_since(opens(number)))?);
    }
    Ok(late)
}

fn reloads(port: u16) -> Result<Vec<Duration>> {
    let mut tap = tapped(port, "$JS.API.CONSUMER.PAUSE.>")?;
    let far = whole_second(3_600)?;
    let daemon = Daemon::with(port, "reload", &window(0, far, far + APART)?, far)?;
    daemon.ready()?;
    let mut late = Vec::new();
    for number in 0..RELOADS {
        let opens = whole_second(2)?;
        let windows = window(number, opens, opens + SignedDuration::from_secs(20))?;
        // Half a second before it opens.
        let ahead = opens.duration_since(Timestamp::now()) - SignedDuration::from_millis(500);
        std::thread::sleep(Duration::try_from(ahead)?);
        daemon.reload(&windows)?;
        // The window before it is gone from the file: its pause is ended, by a request to its consumer.
        let at = loop {
            let (consumer, at) = next_pause(&mut tap)?;
            if consumer == format!("c{number}") {
                break at;
            }
        };
        late.push(Duration::try_from(at.duration_since(opens))?);
    }
    Ok(late)
}

fn repairs(port: u16, other: &mut Raw) -> Result<Vec<Duration>> {
    let opens = whole_second(-60)?;
    let closes = whole_second(600)?;
    let all = format!(
        "[[window]]\nname = \"long\"\nconsumers = [\"S/c*\"]\nfrom = {opens}\nuntil = {closes}\n"
    );
    let daemon = Daemon::with(port, "repair", &all, opens)?;
    daemon.ready()?;
    std::thread::sleep(Duration::from_secs(2));
    let mut tap = tapped(port, "$JS.API.CONSUMER.PAUSE.>")?;
    tap.subscribe("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>")?;
    let mut took = Vec::new();
    for number in 0..REPAIRS {
        let subject = format!("$JS.API.CONSUMER.PAUSE.S.c{number}");
        other.ask(&subject, "")?;
        let mut advised = None;
        loop {
            let message = tap.next()?;
            let ours = message.subject == subject && !message.payload.is_empty();
            match advised {
                None if message.subject.starts_with("$JS.EVENT") => advised = Some(Instant::now()),
                Some(advised) if ours => {
                    took.push(Instant::now() - advised);
                    break;
                }
                _ => {}
            }
        }
        // The advisory of our own pause.
        tap.next()?;
    }
    Ok(took)
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let show = |at: usize| took.get(at).copied().unwrap_or_default().as_secs_f64() * 1_000.0;
    println!(
        "  {what:<26} p50 {:6.2} ms, most {:6.2} ms of {}",
        show(took.len() / 2),
        show(took.len().saturating_sub(1)),
        took.len()
    );
}
