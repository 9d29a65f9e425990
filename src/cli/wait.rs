//! `recess wait`: returns when consumers are paused, drained or running, and its exit status shows
//! whether they are. It needs no daemon: it asks the server, at once after an advisory, and
//! regularly as well.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::drain::Goal;
use crate::policy::{Interest, Selector, Window};
use crate::signals::Signals;

mod outcome;
mod progress;
mod released;
mod watch;

use outcome::{End, Outcome};
use progress::Progress;
use watch::Wait;

/// Waits until consumers are paused, drained or running.
#[derive(Debug, Args)]
#[command(
    after_help = format!(
        "{}\n\nExit status: 0 reached; 1 timed out, stalled (messages in flight have outlived \
         ack_wait), a consumer stays released, or the window does not open in \
         time; 3 unknown (ack policy none, or a wildcard \
         leaves out a consumer with acknowledgements); 130 interrupted.",
        super::selected::GLOBS
    )
)]
pub struct WaitArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Consumers as STREAM/CONSUMER, with wildcards as in the config file, quoted: 'ORDERS/*'
    /// '!ORDERS/audit'
    #[arg(value_name = "STREAM/CONSUMER", value_parser = super::selected::parse, required_unless_present = "window")]
    consumers: Vec<Selector>,
    /// The consumers of this window; if it is closed, wait for its next opening (except with --for
    /// running)
    #[arg(long, value_name = "NAME", conflicts_with = "consumers")]
    window: Option<String>,
    /// The state to wait for; drained: paused, with no message in flight
    #[arg(long = "for", value_name = "STATE", value_enum)]
    goal: GoalArg,
    /// The longest time to wait
    #[arg(long, value_name = "LENGTH", default_value = "10m", value_parser = super::parse_length)]
    timeout: Duration,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GoalArg {
    Paused,
    Drained,
    Running,
}

impl From<GoalArg> for Goal {
    fn from(goal: GoalArg) -> Self {
        match goal {
            GoalArg::Paused => Self::Paused,
            GoalArg::Drained => Self::Drained,
            GoalArg::Running => Self::Running,
        }
    }
}

pub fn execute(args: WaitArgs, wall: fn() -> Timestamp) -> Exit {
    let config = match super::load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let (interest, window) = match target(&args, &config, wall()) {
        Ok(found) => found,
        Err(why) => {
            super::complain(format!("error: {why}"));
            return Exit::Usage;
        }
    };
    let outcome = match super::block_on(wait(&args, &config, interest, window, wall)) {
        Ok(outcome) => outcome,
        Err(exit) => return exit,
    };
    let shown = match args.format.format {
        Format::Json => super::print_json(&outcome.json()),
        Format::Text => super::print(&outcome.text()),
    };
    super::left_out::print(&outcome.left_out);
    if let Some(complaint) = outcome.complaint() {
        super::complain(complaint);
    }
    match shown == Exit::Done {
        true => outcome.exit(),
        false => shown,
    }
}

/// The consumers, and the window whose opening is waited for.
fn target(
    args: &WaitArgs,
    config: &Config,
    now: Timestamp,
) -> Result<(Interest, Option<Window>), String> {
    let Some(name) = &args.window else {
        return Ok((super::selected::interest(args.consumers.clone())?, None));
    };
    let Some(window) = config.policy.window(name) else {
        return Err(super::no_such_window(name, &args.config, config));
    };
    let interest = Interest::of(window.selection.clone()).without_exempt(&config.policy, now);
    Ok((interest, Some(Window::clone(window))))
}

async fn wait(
    args: &WaitArgs,
    config: &Config,
    interest: Interest,
    window: Option<Window>,
    wall: fn() -> Timestamp,
) -> Result<Outcome, Exit> {
    let mut signals = Signals::catch().map_err(|error| {
        super::complain(format!("error: cannot catch signals: {error}"));
        Exit::Failed
    })?;
    let clock = Clock::new(wall);
    let progress = Progress::new(io::stderr().is_terminal());
    let begin = clock.now();
    let mut wait = Wait::new(
        args.goal.into(),
        interest,
        window,
        clock,
        begin.uptime.saturating_add(args.timeout),
        progress,
    );
    let goes_on = wait.run(config, &args.consumers);
    // The signal drops the wait, which only observes; what it knows so far is in `wait` and is
    // shown.
    let end = tokio::select! {
        ended = goes_on => ended.unwrap_or_else(End::Failed),
        _ = signals.next() => End::Interrupted,
    };
    Ok(wait.outcome(end))
}
