//! Whether memory grows: half an hour of openings every twenty seconds, some of them into a server that hangs, so that
//! requests time out (a client library once leaked what it kept of those: nats.rs#1617).

use std::error::Error;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::daemon::Daemon;
use crate::nats_server::Server;
use crate::rest::resident;

const LONG: Duration = Duration::from_secs(30 * 60);

const SAMPLE: Duration = Duration::from_secs(10);

/// What the first minutes fill stays filled: caches, and the allocator's own.
const WARM: Duration = Duration::from_secs(5 * 60);

/// The server hangs for so long every minute, from just before an opening.
const HANG: Duration = Duration::from_secs(5);

/// Opens at :00, :20 and :40, for ten seconds.
const WINDOWS: &str = "request_timeout = \"1s\"\n[[window]]\nname = \"often\"\nconsumers = [\"*/*\"]\n\
                       schedule = \"*/20 * * * * *\"\nduration = \"10s\"\n";

/// Watches the memory of a recess beside that server.
pub fn measure(server: &Server) -> Result<String, Box<dyn Error>> {
    let daemon = Daemon::with(server.port(), "soak", WINDOWS, Timestamp::now())?;
    daemon.ready()?;
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut hung = 0;
    while began.elapsed() < LONG {
        std::thread::sleep(SAMPLE);
        let since = began.elapsed();
        let sample = resident(daemon.pid(), "VmRSS")?;
        if since > WARM {
            samples.push((since.as_secs_f64() / 3_600.0, sample));
        }
        if since.as_secs() / 60 > hung {
            hung += 1;
            let next = 20_000 - Timestamp::now().as_millisecond().rem_euclid(20_000);
            std::thread::sleep(Duration::from_millis(
                u64::try_from(next)?.saturating_sub(500),
            ));
            server.signal("STOP");
            std::thread::sleep(HANG);
            server.signal("CONT");
        }
    }
    let page = daemon.page("/metrics")?;
    let count = |result: &str| -> f64 {
        let label = format!("result=\"{result}\"");
        (page.lines())
            .filter(|line| line.starts_with("recess_requests_total") && line.contains(&label))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let (first, last) = (samples.first(), samples.last());
    let (Some((_, first)), Some((_, last))) = (first, last) else {
        return Err("no samples".into());
    };
    Ok(format!(
        "{first:.1} MB after {} min, {last:.1} MB after {} min, {:+.2} MB an hour; {} pauses, {} requests timed out, the server hung {hung} times",
        WARM.as_secs() / 60,
        LONG.as_secs() / 60,
        slope(&samples),
        count("ok"),
        count("timeout"),
    ))
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
