//! `recess diff`: what a change of the config file changes in the windows' times, for code review and CI. Offline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::table::{render, table};
use super::{Exit, Format, FormatArgs, json_instant};
use crate::calendar::Occurrence;
use crate::config::{self, Config};
use crate::policy::Window;

/// How far ahead is compared.
const AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The config file as it is
    old: PathBuf,
    /// The config file as it would be
    new: PathBuf,
    /// Compare 400 days from this instant on, with a zone (2026-12-01T00:00:00Z); default: now
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    from: Option<Timestamp>,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    window: String,
    change: &'static str,
    old: Option<Span>,
    new: Option<Span>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Span {
    opens: String,
    closes: String,
}

pub fn execute(args: DiffArgs, now: Timestamp) -> Exit {
    let (old, new) = match (load(&args.old), load(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let from = args.from.unwrap_or(now);
    let until = from.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut changes: Vec<Change<'_>> = Vec::new();
    let (old, new) = (by_name(&old), by_name(&new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for name in names {
        changes.extend(compare(
            name,
            old.get(name).copied(),
            new.get(name).copied(),
            from,
            until,
        ));
    }
    changes.sort_by_key(|change| (change.at(), change.name));
    let shown = match args.format.format {
        Format::Json => {
            let rows: Vec<Row> = changes.iter().map(Change::row).collect();
            super::print_json(&rows)
        }
        Format::Text => super::print(&text(&changes, from, until)),
    };
    match shown {
        Exit::Done if !changes.is_empty() => Exit::Reported,
        exit => exit,
    }
}

fn load(path: &Path) -> Result<Config, Exit> {
    config::load(path).map_err(|error| super::refuse(&error))
}

fn by_name(config: &Config) -> BTreeMap<&str, &Window> {
    let windows = config.policy.windows().iter();
    windows.map(|window| (&*window.name, window)).collect()
}

/// One occurrence that is there no more, is new, or moved.
struct Change<'a> {
    name: &'a str,
    /// Whose wall clock it is told in.
    window: &'a Window,
    old: Option<Occurrence>,
    new: Option<Occurrence>,
}

impl Change<'_> {
    fn at(&self) -> Option<Timestamp> {
        let opens = |one: &Option<Occurrence>| one.map(|one| one.opens);
        opens(&self.old).into_iter().chain(opens(&self.new)).min()
    }

    fn kind(&self) -> &'static str {
        match (self.old, self.new) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(_), Some(_)) => "changed",
        }
    }

    fn row(&self) -> Row {
        let span = |one: Occurrence| Span {
            opens: json_instant(one.opens),
            closes: json_instant(one.closes),
        };
        Row {
            window: self.name.to_owned(),
            change: self.kind(),
            old: self.old.map(span),
            new: self.new.map(span),
        }
    }
}

/// Occurrences that are the same in both are left out. Of the others, an old and a new one that overlap, or that share an
/// end, are one that changed.
fn compare<'a>(
    name: &'a str,
    old: Option<&'a Window>,
    new: Option<&'a Window>,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Change<'a>> {
    let Some(window) = new.or(old) else {
        return Vec::new();
    };
    let of = |window: Option<&Window>| -> BTreeSet<(Timestamp, Timestamp)> {
        let pieces = window.map_or_else(Vec::new, |window| window.intersecting(from, until));
        pieces
            .iter()
            .map(|piece| (piece.opens, piece.closes))
            .collect()
    };
    let (before, after) = (of(old), of(new));
    let occurrence = |(opens, closes): (Timestamp, Timestamp)| Occurrence {
        opens,
        closes,
        shift: None,
    };
    let mut gone = before
        .difference(&after)
        .copied()
        .map(occurrence)
        .peekable();
    let mut come = after
        .difference(&before)
        .copied()
        .map(occurrence)
        .peekable();
    let mut changes = Vec::new();
    loop {
        let (old, new) = match (gone.peek(), come.peek()) {
            (None, None) => return changes,
            (Some(old), Some(new)) if old.opens <= new.closes && new.opens <= old.closes => {
                (gone.next(), come.next())
            }
            (Some(old), Some(new)) if new.opens < old.opens => (None, come.next()),
            (None, Some(_)) => (None, come.next()),
            (Some(_), _) => (gone.next(), None),
        };
        changes.push(Change {
            name,
            window,
            old,
            new,
        });
    }
}

fn text(changes: &[Change<'_>], from: Timestamp, until: Timestamp) -> String {
    if changes.is_empty() {
        return format!("No window opens or closes otherwise from {from} until {until}.\n");
    }
    let mut rows = table(&["CHANGE", "WINDOW", "OLD", "NEW"]);
    for change in changes {
        let span = |one: Option<Occurrence>| {
            one.map_or_else(String::new, |one| {
                let zone = change.window.schedule.zone();
                let opens = one.opens.to_zoned(zone.clone());
                let closes = one.closes.to_zoned(zone.clone());
                let end = if opens.date() == closes.date() {
                    closes.strftime("%H:%M:%S %Z")
                } else {
                    closes.strftime("%a %Y-%m-%d %H:%M:%S %Z")
                };
                format!("{} to {end}", opens.strftime("%a %Y-%m-%d %H:%M:%S"))
            })
        };
        rows.add_row([
            change.kind().to_owned(),
            change.name.to_owned(),
            span(change.old),
            span(change.new),
        ]);
    }
    render(rows)
}
