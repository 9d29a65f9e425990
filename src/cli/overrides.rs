//! Overrides at run time: `open`, `close`, `extend`, `skip`, `undo` and `overrides`.
//!
//! A command works out what it means, writes that into the bucket, and leaves a daemon a second to
//! act on it. What is still wrong then it does itself, by the daemon's own decisions, so that it
//! needs none.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{ConfigArgs, Exit, FormatArgs};
use crate::overrides::command::{Command, End};

mod create;
mod follow;
mod list;
pub(super) mod record;
pub(super) mod store;
mod timeline;
mod undo;
mod window;

pub(super) use follow::{DAEMON_ACTS, Follow, Followed};

const EXITS: &str = "Exit status: 0 done, 1 failed or some consumers are not as wanted, 2 wrong usage, 3 the window has no \
                     such opening, 78 the config file is wrong or names no bucket, 130 interrupted.";

/// What is written down with an override.
#[derive(Debug, Args)]
pub(super) struct NoteArgs {
    /// Why: it stands in the log, the metrics and wherever the override is listed
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Whose override it is; default: the NATS user, else $USER
    #[arg(long, value_name = "NAME")]
    pub(super) author: Option<String>,
}

/// How a command goes about it.
#[derive(Debug, Args)]
struct WayArgs {
    #[command(flatten)]
    note: NoteArgs,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask, however many consumers they are
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// When it ends.
#[derive(Debug, Args)]
struct EndArgs {
    /// How long, as in 2h or 1h30m
    #[arg(long = "for", value_name = "LENGTH", value_parser = super::parse_length, required_unless_present = "until")]
    length: Option<Duration>,
    /// Until this instant, with a zone (2026-12-01T04:00:00Z)
    #[arg(long, value_name = "T", value_parser = super::whole_second, conflicts_with = "length")]
    until: Option<Timestamp>,
}

impl EndArgs {
    fn end(&self) -> End {
        match (self.until, self.length) {
            (Some(until), _) => End::At(until),
            // clap asks for one of the two.
            (None, length) => End::In(span(length.unwrap_or_default())),
        }
    }
}

fn span(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "The window opens now, whatever its schedule and exclusions say, and closes at the end given. `recess close` closes it \
     sooner.\n\n{EXITS}\n\nExample:\n  recess open db-upgrade --for 45m --reason 'the migration is late'"
))]
pub struct OpenArgs {
    /// The window
    window: String,
    #[command(flatten)]
    end: EndArgs,
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "The window is closed until it would have closed anyway; its next opening is untouched. Its consumers resume at once, \
     without `resume_spread`, unless another window or another client holds them.\n\n{EXITS}\n\nExample:\n  recess close \
     nightly-vacuum --reason 'vacuum is done'"
))]
pub struct CloseArgs {
    /// The window
    window: String,
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "The window that is open closes later. `--for` counts from its close: `--for 30m` gives half an hour more.\n\n{EXITS}\n\n\
     Example:\n  recess extend nightly-vacuum --for 30m --reason 'vacuum is slow tonight'"
))]
pub struct ExtendArgs {
    /// The window
    window: String,
    #[command(flatten)]
    end: EndArgs,
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "The next opening is left out, or each opening of a day that is still ahead. A window that is open is closed by `recess \
     close`.\n\n{EXITS}\n\nExample:\n  recess skip nightly-vacuum --on 2026-12-24 --reason 'no operator on call'"
))]
pub struct SkipArgs {
    /// The window
    window: String,
    /// The openings of this day, by the clocks of the window (2026-12-24)
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!(
    "What was overridden follows the config file and the other overrides again, at once. `recess overrides` lists the ids. \
     With several, JSON has an array. No reason is required.\n\n{EXITS}\n\nExample:\n  recess undo alice.k7f2q"
))]
pub struct UndoArgs {
    /// The overrides, as `recess overrides` lists them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Each override ends by itself. States: active, ahead (it begins later), ended, undone, idle (the config file \
                  has no such window), unreadable.\n\nExit status: 0 done, 1 failed, 78 the config file is wrong or names no bucket."
)]
pub struct OverridesArgs {
    #[command(subcommand)]
    command: Option<OverridesCommand>,
    /// Those too that have ended or were undone, for as long as the bucket keeps them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, Subcommand)]
enum OverridesCommand {
    /// Make the bucket that [overrides] in the config file names; one that exists is compared
    Create(CreateArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// On how many servers the bucket is kept; give it as many as the streams have
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A day on the command line.
fn day(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| "write a day as in 2026-12-24".to_owned())
}

pub fn open(args: OpenArgs, wall: fn() -> Timestamp) -> Exit {
    let (window, end) = (args.window.as_str().into(), args.end.end());
    window::execute(&args.way, Command::Open { window, end }, wall)
}

pub fn close(args: CloseArgs, wall: fn() -> Timestamp) -> Exit {
    let window = args.window.as_str().into();
    window::execute(&args.way, Command::Close { window }, wall)
}

pub fn extend(args: ExtendArgs, wall: fn() -> Timestamp) -> Exit {
    let (window, end) = (args.window.as_str().into(), args.end.end());
    window::execute(&args.way, Command::Extend { window, end }, wall)
}

pub fn skip(args: SkipArgs, wall: fn() -> Timestamp) -> Exit {
    let window: Arc<str> = args.window.as_str().into();
    let command = Command::Skip {
        window,
        on: args.on,
    };
    window::execute(&args.way, command, wall)
}

pub fn undo(args: UndoArgs, wall: fn() -> Timestamp) -> Exit {
    undo::execute(&args, wall)
}

pub fn overrides(args: OverridesArgs, wall: fn() -> Timestamp) -> Exit {
    match &args.command {
        None => list::execute(&args, wall),
        Some(OverridesCommand::Create(create)) => create::execute(create),
    }
}
