//! Whether anything grows in an hour of all that recess does: a window every twenty seconds, overrides by commands, a
//! calendar that is replaced, a page that is looked at, a scrape each second, and a server that hangs or restarts, so that
//! requests time out (a client library once leaked what it kept of those: nats.rs#1617).

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::daemon::{Daemon, OURS};
use crate::nats_server::Server;
use crate::rest::resident;
use crate::{Result, middle};

const SAMPLE: Duration = Duration::from_secs(10);

/// What the first minutes fill stays filled: caches, and the allocator's own.
const WARM: u64 = 5;

/// The server hangs for so long every minute, from just before an opening, and every tenth time it restarts.
const HANG: Duration = Duration::from_secs(5);

const RESTART: u64 = 10;

/// One window opens at :00, :20 and :40, for ten seconds, and on no day of the calendar; one is for /calendar.ics, which the
/// first is too much for. The longest wait for an answer is shorter than the server hangs.
const WINDOWS: &str = "request_timeout = \"1s\"\nwatch = true\n[overrides]\nbucket = \"recess\"\n\
                       [[window]]\nname = \"often\"\nconsumers = [\"*/*\"]\nschedule = \"*/20 * * * * *\"\nduration = \"10s\"\n\
                       [[window]]\nname = \"nightly\"\nconsumers = [\"S0/c0\"]\nschedule = \"30 1 * * *\"\nduration = \"1h\"\n\
                       [[exclusion]]\nname = \"holidays\"\ncalendar = \"holidays.ics\"\n";

/// One kind of what is sampled.
type Part = fn(&Sample) -> f64;

/// What is sampled.
struct Sample {
    hours: f64,
    megabytes: f64,
    files: f64,
    threads: f64,
}

/// Watches a recess beside that server for so long.
pub fn measure(server: &mut Server, minutes: u64) -> Result<Vec<String>> {
    let long = Duration::from_secs(minutes * 60);
    let daemon = Daemon::with_files(server.port(), "soak", WINDOWS, |folder| {
        put_calendar(folder, 0)?;
        recess(folder, &["overrides", "create"])
    })?;
    daemon.ready()?;
    // What never works would be counted as never done, an hour later.
    scrape(daemon.http(), 0)?;
    look(daemon.http())?;
    decide(daemon.folder(), 0)?;
    let began = Instant::now();
    let crowd = Crowd::begin(daemon.folder(), daemon.http());
    let mut samples = Vec::new();
    let (mut hung, mut restarted) = (0, 0);
    while began.elapsed() < long {
        sleep(SAMPLE);
        let since = began.elapsed();
        samples.push(Sample::of(daemon.pid(), since)?);
        if since.as_secs() / 60 > hung {
            hung += 1;
            let next = 20_000 - Timestamp::now().as_millisecond().rem_euclid(20_000);
            let next = Duration::from_millis(u64::try_from(next)?);
            sleep(next.saturating_sub(Duration::from_millis(500)));
            if hung % RESTART == 0 {
                restarted += 1;
                server.kill();
                sleep(HANG);
                server.restart()?;
            } else {
                server.signal("STOP");
                sleep(HANG);
                server.signal("CONT");
            }
        }
    }
    let mut said = samples_told(&samples);
    let done = crowd.end()?;
    let page = daemon.page("/metrics")?;
    said.push(format!(
        "{} requests accepted, {} timed out; the server hung {} times and restarted {restarted} times; {done}",
        count(&page, "ok"),
        count(&page, "timeout"),
        hung - restarted,
    ));
    Ok(said)
}

impl Sample {
    fn of(pid: u32, since: Duration) -> Result<Self> {
        let entries = |of: &str| -> io::Result<f64> {
            Ok(fs::read_dir(format!("/proc/{pid}/{of}"))?.count() as f64)
        };
        Ok(Self {
            hours: since.as_secs_f64() / 3_600.0,
            megabytes: resident(pid, "VmRSS")?,
            files: entries("fd")?,
            threads: entries("task")?,
        })
    }
}

/// Each kind at the quarters, and how it grows.
fn samples_told(samples: &[Sample]) -> Vec<String> {
    let warm: Vec<&Sample> = (samples.iter())
        .filter(|sample| sample.hours * 60.0 > WARM as f64)
        .collect();
    let kinds: [(&str, Part); 3] = [
        ("MB", |sample| sample.megabytes),
        ("files", |sample| sample.files),
        ("threads", |sample| sample.threads),
    ];
    let told = kinds.iter().map(|(what, of)| {
        let values: Vec<f64> = warm.iter().map(|sample| of(sample)).collect();
        let quarters = values.chunks(values.len().div_ceil(4).max(1));
        let middles: Vec<String> = (quarters)
            .map(|quarter| format!("{:.1}", middle(quarter.iter().copied())))
            .collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        let points = warm.iter().map(|sample| (sample.hours, of(sample)));
        format!(
            "{what}: medians of its quarters {}, most {most:.1}, {:+.2} an hour",
            middles.join(", "),
            slope(&points.collect::<Vec<_>>()),
        )
    });
    told.collect()
}

/// By least squares.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let (mut up, mut along) = (0.0, 0.0);
    for (at, value) in samples {
        up += (at - x) * (value - y);
        along += (at - x) * (at - x);
    }
    up / along
}

/// Requests with that result.
fn count(page: &str, result: &str) -> f64 {
    let label = format!("result=\"{result}\"");
    (page.lines())
        .filter(|line| line.starts_with("recess_requests_total") && line.contains(&label))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Those who use recess meanwhile.
struct Crowd {
    stop: Arc<AtomicBool>,
    members: Vec<(&'static str, Arc<AtomicU32>, JoinHandle<()>)>,
}

/// What a member does each time; it counts if it worked, as a server that hangs fails some.
type Deed = Box<dyn FnMut(u32) -> Result<()> + Send>;

impl Crowd {
    fn begin(folder: &Path, http: u16) -> Self {
        let of = |folder: &Path, deed: fn(&Path, u32) -> io::Result<()>| -> Deed {
            let folder = folder.to_owned();
            Box::new(move |number| Ok(deed(&folder, number)?))
        };
        let members: [(&'static str, u64, Deed); 4] = [
            ("scrapes", 1, Box::new(move |number| scrape(http, number))),
            ("looks at the page", 5, Box::new(move |_| look(http))),
            ("overrides", 13, of(folder, decide)),
            ("calendars", 31, of(folder, put_calendar)),
        ];
        let stop = Arc::new(AtomicBool::new(false));
        let members = members.map(|(what, seconds, mut deed)| {
            let done = Arc::new(AtomicU32::new(0));
            let (stop, counted) = (stop.clone(), done.clone());
            let thread = std::thread::spawn(move || {
                for number in 1.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    if deed(number).is_ok() {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                    sleep(Duration::from_secs(seconds));
                }
            });
            (what, done, thread)
        });
        Self {
            stop,
            members: members.into(),
        }
    }

    /// What they did.
    fn end(self) -> Result<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut done = Vec::new();
        for (what, count, thread) in self.members {
            thread.join().map_err(|_| "one of the crowd panicked")?;
            done.push(format!("{} {what}", count.load(Ordering::Relaxed)));
        }
        Ok(done.join(", "))
    }
}

/// With gzip by turns.
fn scrape(http: u16, number: u32) -> Result<()> {
    let accept = ["", "Accept-Encoding: gzip\r\n"][number as usize % 2];
    get(http, "/metrics", accept)
}

fn look(http: u16) -> Result<()> {
    for path in [
        "/",
        "/api/v1/status",
        "/calendar.ics?window=nightly",
        "/readyz",
    ] {
        get(http, path, "")?;
    }
    Ok(())
}

fn get(http: u16, path: &str, headers: &str) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", http))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: recess\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&answer).into_owned().into())
}

/// A consumer is paused for a while, the window is opened, or its next opening is left out.
fn decide(folder: &Path, number: u32) -> io::Result<()> {
    let reason = ["--reason", "soak", "--author", "soak", "--yes"];
    let consumer = format!("S{0}/c{0}", number % 10);
    let words: &[&str] = match number % 3 {
        0 => &["pause", &consumer, "--for", "20s"],
        1 => &["open", "often", "--for", "15s"],
        _ => &["skip", "often"],
    };
    recess(folder, &[words, &reason].concat())
}

/// A command beside the daemon, with its file.
fn recess(folder: &Path, words: &[&str]) -> io::Result<()> {
    let mut command = Command::new(OURS);
    let command = command.args(words).arg("--config");
    let output = command.arg(folder.join("recess.toml")).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

/// A year of days off that are over, and another number of them each time.
fn put_calendar(folder: &Path, number: u32) -> io::Result<()> {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//soak//EN\r\n".to_owned();
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    for day in 2..300 + i64::from(number % 60) {
        let begins = today - SignedDuration::from_hours(24 * day);
        let date = begins.strftime("%Y%m%d");
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:day-{day}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:{date}\r\nSUMMARY:a day off\r\nEND:VEVENT\r\n"
        ));
    }
    text.push_str("END:VCALENDAR\r\n");
    let new = folder.join("holidays.new");
    fs::write(&new, text)?;
    fs::rename(new, folder.join("holidays.ics"))
}
