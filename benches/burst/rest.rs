//! What recess costs while nothing happens: memory, processor time, and how soon it is ready.

use std::error::Error;
use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::daemon::Daemon;

/// How long it is left alone. Its resync, every five minutes, is not in it, but the look at the start is.
const ALONE: Duration = Duration::from_secs(60);

/// Watches a recess with so many windows, all of them weeks away.
pub fn measure(port: u16, windows: usize) -> Result<String, Box<dyn Error>> {
    let far = Timestamp::now() + SignedDuration::from_hours(24 * 30);
    let windows: String = (0..windows)
        .map(|number| {
            let (from, until) = (far, far + SignedDuration::from_hours(1));
            format!(
                "[[window]]\nname = \"w{number}\"\nconsumers = [\"*/c{number}*\"]\nfrom = {from:.0}\nuntil = {until:.0}\n"
            )
        })
        .collect();
    let daemon = Daemon::with(port, "rest", &windows, far)?;
    let ready = daemon.ready()?;
    std::thread::sleep(Duration::from_secs(2));
    let before = daemon.processor_seconds()?;
    std::thread::sleep(ALONE);
    let used = daemon.processor_seconds()? - before;
    let unscraped = resident(daemon.pid(), "VmRSS")?;
    let page = daemon.page("/metrics")?.len();
    let peak = resident(daemon.pid(), "VmHWM")?;
    Ok(format!(
        "ready after {} ms; {unscraped:.1} MB, at most {peak:.1} MB with a scrape of {} kB; {:.2} s of processor an hour",
        ready.as_millis(),
        page / 1_000,
        used / ALONE.as_secs_f64() * 3_600.0
    ))
}

/// In megabytes.
pub fn resident(pid: u32, key: &str) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text
        .lines()
        .find(|line| line.starts_with(key))
        .ok_or("no such line")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1_000.0)
}
