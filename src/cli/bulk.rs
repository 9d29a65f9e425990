//! `recess pause` and `recess resume`: many consumers at once, manually, with the daemon's
//! requests, limit and confirmation.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::overrides::record::Recorder;
use super::overrides::{Follow, Followed, NoteArgs};
use super::{ConfigArgs, Exit, Format, FormatArgs, left_out, selected, terminal};
use crate::bulk::{Bulk, BulkResult, BulkRun};
use crate::clock::Clock;
use crate::config::Config;
use crate::jetstream::Advisory;
use crate::jetstream::nats::Nats;
use crate::plan::{BulkOp, TOO_NEAR};
use crate::policy::Selector;
use crate::report::Burst;
use crate::text;

mod answer;
mod recorded;
mod wish;

use answer::{Answer, Record};
use recorded::{Noted, leave_to_a_daemon, noted, terms};
use wish::Wish;

#[derive(Debug, Args)]
#[command(after_help = format!(
    "Without [overrides] in the config file the pause has no mark, so a running recess treats it as \
     foreign and never shortens or removes it. With [overrides] it is recorded, and `recess undo` \
     ends it. A consumer that is already paused for longer is left unchanged.\n\n{}\n\nExit status: 0 \
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
    #[arg(long, value_name = "T", value_parser = super::whole_second, conflicts_with = "length")]
    until: Option<Timestamp>,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "It ends any pause. In an open window it releases the consumer: no recess pauses it again before \
     the window has closed, whether a daemon runs or not. The next opening does. With [overrides] in \
     the config file it is recorded if something would pause the consumer, and `recess undo` reverts \
     it.\n\n{}\n\nExit status: 0 all deliver; 1 some do not; 2 usage error; 130 interrupted.",
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
    #[command(flatten)]
    note: NoteArgs,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    format: FormatArgs,
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
    let noted = match noted(target, &config) {
        Ok(noted) => noted,
        Err(exit) => return exit,
    };
    let exit = super::block_on(carry_out(target, wish, &config, noted, wall));
    exit.unwrap_or_else(|exit| exit)
}

/// Why a pause cannot be of that length, and the fix.
fn refuse(length: SignedDuration, config: &Config, file: &Path) -> Option<String> {
    let longest = config.settings.controller.max_pause;
    if length <= SignedDuration::ZERO {
        return Some("--until is in the past".to_owned());
    }
    if length <= TOO_NEAR {
        return Some(super::arguments::too_short());
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
    noted: Noted,
    wall: fn() -> Timestamp,
) -> Result<Exit, Exit> {
    let settings = &config.settings;
    let (nats, mut advisories) = super::connection::connect(config).await?;
    let recorder = match noted {
        Some((store, reason)) => Some(Recorder::open(store, &target.note, reason, &nats).await?),
        None => None,
    };
    let selectors = selected::prefer_names(&nats, target.selectors.clone()).await?;
    let interest = selected::interest(selectors.clone()).map_err(|why| {
        super::complain(format!("error: {why}"));
        Exit::Usage
    })?;
    let clock = Clock::new(wall);
    let policy = match &recorder {
        Some(recorder) => Arc::new(recorder.before(config, wall())),
        None => config.policy.clone(),
    };
    let interest = match wish {
        Wish::Until(_) | Wish::For(_) => interest.pausable(&policy, wall()),
        Wish::Resume => interest.with_labels_of(&policy),
    };
    let most = settings.controller.max_in_flight;
    let mut bulk = Bulk::new(nats.clone(), clock, interest.clone(), policy.clone(), most);
    let observed = bulk.survey().await;
    for failure in &observed.failures {
        super::complain(format!("error: {failure}"));
    }
    let unmatched = selected::some_match_nothing(&nats, &interest, &observed).await;
    // A part of them is worse than none: the operator would believe that all were done.
    if unmatched || !observed.failures.is_empty() {
        super::complain("nothing was sent");
        return Err(Exit::Failed);
    }
    left_out::print(bulk.left_out());
    left_out::print_strays(&selectors, bulk.rows().keys());
    let now = bulk.server_now();
    let terms = match &recorder {
        Some(_) => terms(&wish.command(&selectors, &bulk), &policy, now)?,
        None => None,
    };
    let op = match (wish, &terms) {
        (Wish::Until(_) | Wish::For(_), Some(terms)) => BulkOp::Pause(terms.until),
        (wish, _) => wish.op(now),
    };
    refuse_deadline(op, &bulk, target, config)?;
    let mut run = bulk.plan(op);
    let before = Answer::before(&bulk);
    let mut record = match recorder {
        Some(_) => Record::Nothing,
        None => Record::NoBucket,
    };
    if target.dry_run {
        return Ok(show(target, &before.would(&bulk, &run, record)));
    }
    let affected = run
        .results
        .values()
        .filter(|result| **result == BulkResult::Waiting);
    let count = affected.count();
    if !terminal::is_agreed(&question(op, count), count, target.yes) {
        super::complain("nothing was sent");
        return Err(Exit::Failed);
    }
    // The question may have been answered long after it was asked.
    refuse_deadline(op, &bulk, target, config)?;
    if let (Some(recorder), Some(terms)) = (&recorder, terms) {
        let one = recorder.write(&nats, terms, now).await?;
        record = Record::Override {
            id: one.id.to_string(),
            until: one.terms.until,
        };
        if let BulkOp::Pause(until) = op {
            let follow = Follow {
                nats: &nats,
                config,
                read: recorder.with(&one),
                wall,
            };
            let ids = run.results.keys().cloned().collect();
            let mut followed = Followed::default();
            let work = follow.through(ids, &mut followed);
            if !terminal::until_interrupted(work).await? {
                super::complain(format!(
                    "interrupted: override {} is written and counts",
                    one.id
                ));
                return Err(Exit::Interrupted);
            }
            return Ok(answered(
                target,
                &before.followed(&bulk, until, &followed, record),
            ));
        }
        leave_to_a_daemon(&mut bulk, op).await;
    }
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
    Ok(answered(target, &before.after(&bulk, &run, record)))
}

fn answered(target: &TargetArgs, answer: &Answer) -> Exit {
    match (show(target, answer), answer.all_done()) {
        (Exit::Done, false) => Exit::Failed,
        (exit, _) => exit,
    }
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

fn question(op: BulkOp, count: usize) -> String {
    match op {
        BulkOp::Pause(until) => format!("Pause {count} consumers until {until}?"),
        BulkOp::Resume => format!("Resume {count} consumers?"),
    }
}

/// Works until it is done, or until a signal stops it; then false.
async fn see_through(
    bulk: &mut Bulk<Nats>,
    run: &mut BulkRun,
    advisories: &mut tokio::sync::mpsc::Receiver<Advisory>,
) -> Result<bool, Exit> {
    let is_watched = io::stderr().is_terminal();
    let mut progress = |burst: Burst| {
        if is_watched {
            super::print_error(&format!(
                "{} of {} answered, the rest in about {} s",
                burst.done,
                burst.done + burst.left,
                burst.left_to_wait().as_secs_f64().ceil()
            ));
        }
    };
    // Requests that may still take effect are counted as unanswered.
    terminal::until_interrupted(bulk.carry_out(run, advisories, &mut progress)).await
}
