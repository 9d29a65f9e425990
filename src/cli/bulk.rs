//! `recess pause` and `recess resume`: many consumers at once, manually, with the daemon's
//! requests, limit and confirmation.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::{ConfigArgs, Exit, Format, FormatArgs, left_out, selected};
use crate::bulk::{Bulk, BulkResult, BulkRun};
use crate::clock::Clock;
use crate::config::Config;
use crate::jetstream::Advisory;
use crate::jetstream::nats::Nats;
use crate::plan::{BulkOp, TOO_NEAR};
use crate::policy::Selector;
use crate::report::Burst;
use crate::signals::Signals;
use crate::text;

mod answer;

use answer::Answer;

/// So many consumers are paused or resumed without a question.
const UNASKED: usize = 10;

#[derive(Debug, Args)]
#[command(after_help = format!(
    "The pause has no mark, so a running recess treats it as foreign and never shortens or removes \
     it. A consumer that is already paused for longer is left unchanged.\n\n{}\n\nExit status: 0 \
     all are paused; 1 some are not; 2 usage error; 130 interrupted.",
    selected::GLOBS
))]
pub struct PauseArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The length, as in 2h or 1h30m
    #[arg(long = "for", value_name = "LENGTH", value_parser = super::parse_length, required_unless_present = "until")]
    length: Option<Duration>,
    /// Until this instant, with a zone (2026-12-01T04:00:00Z)
    #[arg(long, value_name = "T", value_parser = whole_second, conflicts_with = "length")]
    until: Option<Timestamp>,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "It ends any pause. In an open window it releases the consumer: no recess pauses it again before \
     the window has closed, whether a daemon runs or not. The next opening does.\n\n{}\n\nExit \
     status: 0 all deliver; 1 some do not; 2 usage error; 130 interrupted.",
    selected::GLOBS
))]
pub struct ResumeArgs {
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Args)]
struct TargetArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Consumers as STREAM/CONSUMER, with wildcards as in the config file, quoted: 'ORDERS/*'
    /// '!ORDERS/audit'
    #[arg(value_name = "SELECTOR", required = true, value_parser = selected::parse)]
    selectors: Vec<Selector>,
    /// Show what the command would do, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// Manual deadlines have whole seconds: nanoseconds would be a mark.
fn whole_second(text: &str) -> Result<Timestamp, String> {
    let instant = super::parse_instant(text)?;
    match instant.subsec_nanosecond() {
        0 => Ok(instant),
        _ => Err("write whole seconds".to_owned()),
    }
}

/// What is asked for, before the server's clock is known.
#[derive(Clone, Copy)]
enum Wish {
    Until(Timestamp),
    For(Duration),
    Resume,
}

impl Wish {
    fn op(self, server_now: Timestamp) -> BulkOp {
        match self {
            Self::Until(until) => BulkOp::Pause(until),
            Self::For(length) => {
                let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
                let until = server_now.checked_add(length).unwrap_or(Timestamp::MAX);
                let up = i64::from(until.subsec_nanosecond() > 0);
                let whole = Timestamp::from_second(until.as_second() + up);
                BulkOp::Pause(whole.unwrap_or(Timestamp::MAX))
            }
            Self::Resume => BulkOp::Resume,
        }
    }

    fn length(self, now: Timestamp) -> Option<SignedDuration> {
        match self {
            Self::Until(until) => Some(until.duration_since(now)),
            Self::For(length) => SignedDuration::try_from(length).ok(),
            Self::Resume => None,
        }
    }
}

pub fn pause(args: PauseArgs, wall: fn() -> Timestamp) -> Exit {
    let wish = match (args.until, args.length) {
        (Some(until), _) => Wish::Until(until),
        (None, Some(length)) => Wish::For(length),
        // clap asks for one of the two.
        (None, None) => return Exit::Usage,
    };
    execute(&args.target, wish, wall)
}

pub fn resume(args: ResumeArgs, wall: fn() -> Timestamp) -> Exit {
    execute(&args.target, Wish::Resume, wall)
}

fn execute(target: &TargetArgs, wish: Wish, wall: fn() -> Timestamp) -> Exit {
    let config = match super::load(&target.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let length = wish.length(wall());
    let refused = length.and_then(|length| refuse(length, &config, &target.config.config));
    // Before any server is asked.
    let sensible = (refused.map_or(Ok(()), Err))
        .and_then(|()| selected::interest(target.selectors.clone()).map(drop));
    if let Err(why) = sensible {
        super::complain(format!("error: {why}"));
        return Exit::Usage;
    }
    let runtime = match super::runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let exit = runtime.block_on(carry_out(target, wish, &config, wall));
    runtime.shutdown_background();
    exit.unwrap_or_else(|exit| exit)
}

/// Why a pause cannot be of that length, and the fix.
fn refuse(length: SignedDuration, config: &Config, file: &Path) -> Option<String> {
    let longest = config.settings.controller.max_pause;
    if length <= SignedDuration::ZERO {
        return Some("--until is in the past".to_owned());
    }
    if length <= TOO_NEAR {
        return Some(format!(
            "a pause of {} or less could end before each server has applied it",
            text::span(TOO_NEAR)
        ));
    }
    (length > longest).then(|| {
        let longest = text::span(longest);
        format!(
            "the pause is longer than max_pause = \"{longest}\" in {}: shorten the pause, or raise \
             max_pause in [controller]",
            file.display()
        )
    })
}

async fn carry_out(
    target: &TargetArgs,
    wish: Wish,
    config: &Config,
    wall: fn() -> Timestamp,
) -> Result<Exit, Exit> {
    let settings = &config.settings;
    let timeout = settings.controller.request_timeout;
    let (nats, mut advisories) = Nats::start(&settings.nats, timeout);
    super::live::connected(&nats, super::live::CONNECT_TIMEOUT + timeout).await?;
    let selectors = selected::prefer_names(&nats, target.selectors.clone()).await?;
    let interest = selected::interest(selectors.clone()).map_err(|why| {
        super::complain(format!("error: {why}"));
        Exit::Usage
    })?;
    let clock = Clock::new(wall);
    let (policy, most) = (config.policy.clone(), settings.controller.max_in_flight);
    let mut bulk = Bulk::new(nats.clone(), clock, interest.clone(), policy, most);
    let observed = bulk.survey().await;
    for failure in &observed.failures {
        super::complain(format!(
            "error: cannot observe {}: {}",
            failure.subject, failure.error
        ));
    }
    let unmatched = selected::some_match_nothing(&nats, &interest, &observed).await;
    // A part of them is worse than none: the operator would believe that all were done.
    if unmatched || !observed.failures.is_empty() {
        super::complain("nothing was sent");
        return Err(Exit::Failed);
    }
    left_out::print(bulk.left_out());
    left_out::print_strays(&selectors, bulk.rows().keys());
    let op = wish.op(bulk.server_now());
    refuse_deadline(op, &bulk, target, config)?;
    let mut run = bulk.plan(op);
    let before = Answer::before(&bulk);
    if target.dry_run {
        return Ok(show(target, &before.would(&bulk, &run)));
    }
    let affected = run
        .results
        .values()
        .filter(|result| **result == BulkResult::Waiting);
    if !is_agreed(target, op, affected.count()) {
        super::complain("nothing was sent");
        return Err(Exit::Failed);
    }
    // The question may have been answered long after it was asked.
    refuse_deadline(op, &bulk, target, config)?;
    let finished = see_through(&mut bulk, &mut run, &mut advisories).await?;
    if !finished {
        let verb = match op {
            BulkOp::Pause(_) => "paused",
            BulkOp::Resume => "resumed",
        };
        super::complain(format!(
            "interrupted: {} of {} consumers were {verb}{}",
            run.accepted(),
            run.results.len(),
            match bulk.unanswered() + run.in_doubt() {
                0 => String::new(),
                count => format!(", and up to {count} more may be"),
            }
        ));
        return Err(Exit::Interrupted);
    }
    let answer = before.after(&bulk, &run);
    Ok(match (show(target, &answer), answer.all_done()) {
        (Exit::Done, false) => Exit::Failed,
        (exit, _) => exit,
    })
}

/// Whether the deadline can be written, by the server's clock.
fn refuse_deadline(
    op: BulkOp,
    bulk: &Bulk<Nats>,
    target: &TargetArgs,
    config: &Config,
) -> Result<(), Exit> {
    let BulkOp::Pause(until) = op else {
        return Ok(());
    };
    let length = until.duration_since(bulk.server_now());
    let why = if length <= SignedDuration::ZERO {
        Some("the time has passed".to_owned())
    } else {
        refuse(length, config, &target.config.config)
    };
    why.map_or(Ok(()), |why| {
        super::complain(format!("error: cannot pause until {until}: {why}"));
        super::complain("nothing was sent");
        Err(Exit::Failed)
    })
}

fn show(target: &TargetArgs, answer: &Answer) -> Exit {
    match target.format.format {
        Format::Json => super::print_json(&answer.json()),
        Format::Text => super::print(&answer.text()),
    }
}

/// Whether the operator agrees to so many. Without a terminal there is no question.
fn is_agreed(target: &TargetArgs, op: BulkOp, count: usize) -> bool {
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    if count <= UNASKED || target.yes || !asks {
        return true;
    }
    let what = match op {
        BulkOp::Pause(until) => format!("Pause {count} consumers until {until}?"),
        BulkOp::Resume => format!("Resume {count} consumers?"),
    };
    let mut err = io::stderr();
    let _ = write!(err, "{what} [y/N] ").and_then(|()| err.flush());
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

/// Works until it is done, or until a signal stops it; then false.
async fn see_through(
    bulk: &mut Bulk<Nats>,
    run: &mut BulkRun,
    advisories: &mut tokio::sync::mpsc::Receiver<Advisory>,
) -> Result<bool, Exit> {
    let mut signals = Signals::catch().map_err(|error| {
        super::complain(format!("error: cannot catch signals: {error}"));
        Exit::Failed
    })?;
    let terminal = io::stderr().is_terminal();
    let mut progress = |burst: Burst| {
        if terminal {
            super::print_error(&format!(
                "{} of {} answered, the rest in about {} s",
                burst.done,
                burst.done + burst.left,
                burst.left_to_wait().as_secs_f64().ceil()
            ));
        }
    };
    let work = bulk.carry_out(run, advisories, &mut progress);
    // The signal drops the work, and its requests with it: those that may still take effect are
    // counted as unanswered.
    Ok(tokio::select! {
        () = work => true,
        _ = signals.next() => false,
    })
}
