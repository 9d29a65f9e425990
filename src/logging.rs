//! Where log lines go: to the journal, with fields, or to standard error.
//!
//! Invariant: to log never blocks. Lines go through a [`queue`] to a thread of its own, whatever
//! takes them.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

pub mod journal;
mod lines;
mod queue;
mod record;

#[cfg(test)]
pub use lines::Sentences;
use queue::Queue;

/// The log of the process, once it is set up.
pub struct Log {
    lost: Arc<AtomicU64>,
    flush: Box<dyn Fn(Duration) -> bool + Send + Sync>,
}

impl Log {
    fn of<T: Send + 'static>(queue: Queue<T>) -> Self {
        Self {
            lost: queue.lost(),
            flush: Box::new(move |within| queue.flush(within)),
        }
    }

    /// How many lines were lost so far.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.lost.clone()
    }

    /// Waits until all that was logged was written, but no longer than that. True if it was.
    pub fn flush(&self, within: Duration) -> bool {
        (self.flush)(within)
    }
}

/// Sets up logging: `RECESS_LOG`, or recess at `info` and its libraries at `warn`. It goes to the
/// journal, with fields, where standard error leads there, and else to standard error. Panics go
/// there too.
pub fn init(wall: fn() -> Timestamp) -> Result<Log, String> {
    const DEFAULT: &str = "warn,recess=info,async_nats=off,tokio_cron_scheduler=error";
    let filter = match std::env::var("RECESS_LOG") {
        // As systemd and shells do, who cannot unset what a file has set.
        Ok(text) if text.trim().is_empty() => EnvFilter::new(DEFAULT),
        Ok(text) => filter(&text)?,
        Err(_) => EnvFilter::new(DEFAULT),
    };
    // Where the journal does not listen, systemd still takes what is written to standard error.
    let journal = journal::is_stderr()
        .then(|| journal::connect().ok())
        .flatten();
    let started = match journal {
        Some(journal) => journal::install(journal, filter),
        None => to_stderr(filter, wall),
    };
    let log = started.map_err(|error| format!("logging cannot start: {error}"))?;
    // What is printed by default waits for standard error.
    std::panic::set_hook(Box::new(|panic| tracing::error!("panic: {panic}")));
    Ok(log)
}

/// A filter as written. To the library a word that is no level is a target: `RECESS_LOG=inof` would
/// log nothing at all.
fn filter(text: &str) -> Result<EnvFilter, String> {
    const FORM: &str =
        "write a level (error, warn, info, debug, trace, off), or TARGET=LEVEL, as in recess=debug";
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    let mut words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.contains(['=', '[', ']', '{', '}']));
    if let Some(word) = words.find(|word| !word.is_empty() && !is_level(word)) {
        return Err(format!(
            "RECESS_LOG=`{text}`: `{word}` is not a level: {FORM}"
        ));
    }
    EnvFilter::try_new(text)
        .map_err(|error| format!("RECESS_LOG=`{text}` is not a log filter ({error}): {FORM}"))
}

fn to_stderr(filter: EnvFilter, wall: fn() -> Timestamp) -> Result<Log, String> {
    let watched = stderr().is_terminal();
    let lines = lines::Lines::start().map_err(|error| error.to_string())?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines.clone())
        .with_ansi(watched && std::env::var_os("NO_COLOR").is_none())
        .with_timer(lines::Time {
            wall,
            short: watched,
        })
        .fmt_fields(lines::Sentences)
        .with_target(false)
        // Or a full disk under the log would end the process: the library panics when it cannot
        // report its own errors.
        .log_internal_errors(false)
        .try_init()
        .map_err(|error| error.to_string())?;
    Ok(Log::of(lines.queue))
}

/// Lines were lost; `total` of them since the start.
fn report_lost(total: u64) {
    tracing::warn!(
        "log: {total} lines lost since the start: standard error or the journal was too slow"
    );
}
