//! Log lines: one per thing that happened, none per consumer and pass in the steady state.
//!
//! [`Narrator`] compares each report with what it said last, so that the loop itself stays free of wording. A line that is
//! about one consumer or window carries its names as fields too: the journal indexes them, text leaves them out.

use std::io::{IsTerminal, stderr};

use jiff::Timestamp;
use tracing_subscriber::EnvFilter;

mod clock;
pub mod journal;
mod lines;
mod narrator;
#[cfg(test)]
mod tests;
mod words;

pub use narrator::Narrator;

/// Sets up logging: `RECESS_LOG`, or recess at `info` and its libraries at `warn`. It goes to the journal, with fields,
/// where standard error leads there, and else to standard error.
pub fn init(wall: fn() -> Timestamp) -> Result<(), String> {
    const DEFAULT: &str = "warn,recess=info,async_nats=off,tokio_cron_scheduler=error";
    let filter = match std::env::var("RECESS_LOG") {
        Ok(text) => EnvFilter::try_new(&text)
            .map_err(|error| format!("RECESS_LOG=`{text}` is not a log filter: {error}"))?,
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
    started.map_err(|error| format!("logging cannot start: {error}"))
}

fn to_stderr(filter: EnvFilter, wall: fn() -> Timestamp) -> Result<(), String> {
    let watched = stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(watched && std::env::var_os("NO_COLOR").is_none())
        .with_timer(lines::Time {
            wall,
            short: watched,
        })
        .fmt_fields(lines::Sentences)
        .with_target(false)
        // Or a full disk under the log would end the process: the library panics when it cannot tell of its own errors.
        .log_internal_errors(false)
        .try_init()
        .map_err(|error| error.to_string())
}
