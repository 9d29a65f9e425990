//! `recess diff`: what a change of the config file changes in who is paused, when, until when, or
//! whether at all: for code review and CI. Offline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::{Exit, Format, FormatArgs};
use crate::config::{self, Config, Given};
use crate::policy::Window;
use crate::policy::merged;

mod row;
mod settings;
mod table;
mod times;

use times::{Both, Change};

/// How far ahead is compared.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The current config file
    old: PathBuf,
    /// The new config file
    new: PathBuf,
    /// Start of the 400 days to compare, an instant with a zone (2026-12-01T00:00:00Z); default:
    /// now
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    from: Option<Timestamp>,
    #[command(flatten)]
    format: FormatArgs,
}

pub fn execute(args: DiffArgs, now: Timestamp) -> Exit {
    let (old, new) = match (load(&args.old), load(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let from = args.from.unwrap_or(now);
    let until = from.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let windows = windows(&old, &new);
    let mut rows = settings::of_file(&old, &new);
    rows.extend((windows.iter()).flat_map(|both| settings::of_window(both, from)));
    let (shown, any) = match args.format.format {
        Format::Json => {
            let changes: Vec<_> = (windows.iter().copied())
                .map(|both| both.changes(from, until))
                .collect();
            let changes = merged(changes, |change: &Change<'_>| (change.at(), change.name));
            let rows = rows.into_iter().chain(changes.map(|change| change.row()));
            super::print_json_rows(rows)
        }
        Format::Text => match table::show(&rows, &windows, (from, until)) {
            Ok((text, any)) => (super::print(&text), any),
            Err(exit) => return exit,
        },
    };
    match shown == Exit::Done && any {
        true => Exit::Reported,
        false => shown,
    }
}

fn load(path: &Path) -> Result<Config, Exit> {
    config::load(path).map_err(|error| {
        super::print_findings(&error.source(), &error.findings_given(Given::ByItself));
        Exit::Config
    })
}

/// The windows of both files, by name.
fn windows<'c>(old: &'c Config, new: &'c Config) -> Vec<Both<'c>> {
    let by_name = |config: &'c Config| -> BTreeMap<&'c str, &'c Window> {
        let windows = config.policy.windows().iter();
        windows.map(|window| (&*window.name, &**window)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    (names.into_iter())
        .filter_map(|name| Both::of(old.get(name).copied(), new.get(name).copied()))
        .collect()
}
