//! The page of 10,000 consumers and 1,000 windows: what it weighs, and how late windows open while it is looked at.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::daemon::Daemon;
use crate::raw::Raw;
use crate::world::World;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const WINDOWS: usize = 1_000;

/// So many of them open, one each second.
const OPENINGS: usize = 20;

/// As the page's script does.
const EVERY: Duration = Duration::from_secs(5);

const BROWSERS: u32 = 10;

const IDLERS: usize = 300;

/// What goes on at the openings: a client each.
type Crowd = Vec<fn(u16, u32) -> io::Result<()>>;

/// The page's weight, and the lateness of openings beside each kind of crowd.
pub fn measure(world: &mut World) -> Result<Vec<String>> {
    let port = world.port;
    let mut said = vec![weight(port)?];
    let crowds: [(&str, Crowd); 4] = [
        ("nobody asks", Vec::new()),
        ("ten browsers look", vec![browser; BROWSERS as usize]),
        ("300 connections idle", vec![idle; IDLERS]),
        ("ten ask without a break", vec![hammer; BROWSERS as usize]),
    ];
    for (what, crowd) in crowds {
        let late = openings(port, &crowd)?;
        world.release()?;
        let (Some(half), Some(most)) = (late.get(late.len() / 2), late.last()) else {
            return Err("no window opened".into());
        };
        let milliseconds = |late: &SignedDuration| late.as_secs_f64() * 1_000.0;
        said.push(format!(
            "{what}: {} openings, half of them within {:.1} ms, all within {:.1} ms",
            late.len(),
            milliseconds(half),
            milliseconds(most)
        ));
    }
    Ok(said)
}

/// The windows, of which the first few open one after the other from then on.
fn windows(first: Timestamp) -> String {
    let far = first + SignedDuration::from_hours(24 * 30);
    (0..WINDOWS)
        .map(|number| {
            let after = SignedDuration::from_secs(i64::try_from(number).unwrap_or_default());
            let from = if number < OPENINGS { first + after } else { far + after };
            let until = from + SignedDuration::from_hours(1);
            format!(
                "[[window]]\nname = \"w{number}\"\nconsumers = [\"*/c*{number:03}\"]\nfrom = {from:.0}\nuntil = {until:.0}\n"
            )
        })
        .collect()
}

fn soon(seconds: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(
        Timestamp::now().as_second() + seconds,
    )?)
}

fn weight(port: u16) -> Result<String> {
    let first = soon(3_600)?;
    let daemon = Daemon::with(port, "page", &windows(first), first)?;
    daemon.ready()?;
    let mut took = Vec::new();
    let mut length = 0;
    for _ in 0..7 {
        // No page is good for longer than a second.
        sleep(Duration::from_millis(1_500));
        let began = Instant::now();
        length = ask(daemon.http(), "/", "")?.len();
        took.push(began.elapsed());
    }
    took.sort();
    let milliseconds = |took: Duration| took.as_secs_f64() * 1_000.0;
    Ok(format!(
        "the page: {} kB; from the request to its last byte {:.1} ms, at most {:.1} ms",
        length / 1_000,
        milliseconds(took[took.len() / 2]),
        milliseconds(took[took.len() - 1])
    ))
}

/// How late the first request of each opening is on the wire, in order.
fn openings(port: u16, crowd: &Crowd) -> Result<Vec<SignedDuration>> {
    let far = soon(3_600)?;
    let daemon = Daemon::with(port, "page", &windows(far), far)?;
    daemon.ready()?;
    let mut tap = Raw::connect(port, "tap")?;
    tap.subscribe("$JS.API.CONSUMER.PAUSE.>")?;
    let first = soon(8)?;
    daemon.reload(&windows(first))?;
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<JoinHandle<()>> = (crowd.iter().zip(0..))
        .map(|(client, number)| {
            let (client, http, stop) = (*client, daemon.http(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // A connection that is ended is what the next one is made for.
                    let _ = client(http, number);
                }
            })
        })
        .collect();
    let mut late = BTreeMap::new();
    while late.len() < OPENINGS {
        let message = tap.next()?;
        let now = Timestamp::now();
        let number: usize = message
            .subject
            .rsplit(".c")
            .next()
            .unwrap_or_default()
            .parse()?;
        let opens = first + SignedDuration::from_secs(i64::try_from(number % WINDOWS)?);
        late.entry(opens).or_insert(now.duration_since(opens));
    }
    stop.store(true, Ordering::Relaxed);
    drop(daemon);
    for client in clients {
        client.join().map_err(|_| "a client panicked")?;
    }
    let mut late: Vec<SignedDuration> = late.into_values().collect();
    late.sort();
    Ok(late)
}

/// Looks at the page as its script does.
fn browser(http: u16, number: u32) -> io::Result<()> {
    sleep(EVERY / BROWSERS * number);
    let tag = ask(http, "/", "")?;
    let tag = tag
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap_or_default();
    sleep(EVERY - EVERY / BROWSERS * number);
    ask(http, "/", &format!("If-None-Match: {tag}\r\n")).map(drop)
}

fn hammer(http: u16, _: u32) -> io::Result<()> {
    ask(http, "/", "").map(drop)
}

/// Connects, and says nothing until it is ended.
fn idle(http: u16, _: u32) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", http))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    for _ in 0..15 {
        match stream.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    // It is the oldest no more.
    sleep(Duration::from_secs(1));
    Ok(())
}

fn ask(http: u16, path: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", http))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: recess\r\n{headers}\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
