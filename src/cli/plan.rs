//! `recess plan`: when windows open, by the same calendar as the daemon's. A server is asked only
//! for overrides, where the config file has a bucket for them, and with `--live` for what the
//! pauses lose.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::{Args, ValueEnum};
use jiff::{Timestamp, Zoned};

use super::labels::WithArgs;
use super::overrides::store;
use super::table::{render, table};
use super::{ConfigArgs, Exit, Format};
use crate::config::Config;
use crate::consumer::{Candidate, ConsumerId};
use crate::ics::Entry;
use crate::policy::{Effect, Opening, Policy};
use crate::text::{self, rounded_span, short_time};
use crate::views::agenda;
use crate::visible::visible_lines;

mod losses;

use losses::Losses;

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Start, an instant with a zone (2026-12-01T00:00:00Z); default: now
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    from: Option<Timestamp>,
    /// End, an instant with a zone; default: 7 days after --from
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    until: Option<Timestamp>,
    /// Only this window (repeatable)
    #[arg(long, value_name = "NAME")]
    window: Vec<String>,
    /// Show the pauses of this consumer, with its windows merged and its own time to resume
    #[arg(long, value_name = "STREAM/CONSUMER", conflicts_with = "window")]
    consumer: Option<ConsumerId>,
    #[command(flatten)]
    with: WithArgs,
    /// Leave out overrides, so that no server is asked
    #[arg(long)]
    offline: bool,
    /// Ask the server too, and mark openings in which messages that wait are lost, or publishers
    /// refused
    #[arg(long, conflicts_with_all = ["offline", "consumer"])]
    live: bool,
    /// Exit with status 3 if there is an opening to show
    #[arg(long)]
    exit_code: bool,
    /// The output format: text for people, json for programs, ics for calendars (default: 7 days ago
    /// to 60 days ahead)
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    Text,
    Json,
    Ics,
}

pub fn execute(args: PlanArgs, wall: fn() -> Timestamp) -> Exit {
    if args.live && args.format == PlanFormat::Ics {
        super::complain("error: --live marks openings in text and json only");
        return Exit::Usage;
    }
    let file = match super::load(&args.config) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let live = args.live.then(|| file.clone());
    let config = match store::shown(file, args.offline, wall) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let now = wall();
    let (from, until) = match args.format {
        PlanFormat::Ics => {
            let (from, until) = agenda::span(now);
            (args.from.unwrap_or(from), args.until.unwrap_or(until))
        }
        PlanFormat::Text | PlanFormat::Json => {
            let from = args.from.unwrap_or(now);
            let until = args.until.unwrap_or_else(|| Policy::shown_until(from));
            (from, until)
        }
    };
    if until <= from {
        super::complain("error: --until must be later than --from");
        return Exit::Usage;
    }
    if let Some(id) = &args.consumer {
        let labels = args.with.labels(&config.policy);
        let candidate = Candidate::with_labels(id, &labels);
        let span = (from, until);
        let shown = match args.format {
            PlanFormat::Text => super::pauses::show(&config, &candidate, span, Format::Text),
            PlanFormat::Json => super::pauses::show(&config, &candidate, span, Format::Json),
            PlanFormat::Ics => {
                let pauses = agenda::consumer((&config).into(), &candidate, span);
                print_calendar(&config, Some(&id.to_string()), pauses)
            }
        };
        return match shown {
            (Exit::Done, true) if args.exit_code => Exit::Reported,
            (exit, _) => exit,
        };
    }
    let is_unknown = |name: &&String| config.policy.window(name).is_none();
    if let Some(unknown) = args.window.iter().find(is_unknown) {
        let why = super::no_such_window(unknown, &args.config, &config);
        super::complain(format!("error: {why}"));
        return Exit::Usage;
    }
    let openings = config.policy.openings(from, until, &args.window);
    let (shown, any) = match args.format {
        PlanFormat::Ics => {
            let openings = agenda::windows((&config).into(), &args.window, (from, until));
            let names = args.window.join(", ");
            let of = (!names.is_empty()).then_some(&*names);
            print_calendar(&config, of, openings)
        }
        PlanFormat::Json => match live {
            None => super::print_json_rows(openings.map(|opening| opening.row())),
            Some(file) => {
                let openings: Vec<_> = openings.collect();
                match Losses::ask(file, &openings, wall) {
                    Ok(losses) => {
                        super::print_json_rows(openings.iter().map(|opening| losses.row(opening)))
                    }
                    Err(exit) => return exit,
                }
            }
        },
        PlanFormat::Text => {
            let fix = "choose an earlier --until, or one --window";
            let openings = match super::table_rows(openings, fix) {
                Ok(openings) => openings,
                Err(exit) => return exit,
            };
            let losses = match live {
                None => Losses::default(),
                Some(file) => match Losses::ask(file, &openings, wall) {
                    Ok(losses) => losses,
                    Err(exit) => return exit,
                },
            };
            let span = (from, until);
            let text = timeline(&config, &openings, &losses, &args.window, span, now);
            (super::print(&text), !openings.is_empty())
        }
    };
    match shown == Exit::Done && args.exit_code && any {
        true => Exit::Reported,
        false => shown,
    }
}

/// Prints a calendar, and returns whether anything takes place in it.
fn print_calendar(config: &Config, of: Option<&str>, entries: Vec<Entry>) -> (Exit, bool) {
    let any = entries.iter().any(|entry| !entry.is_cancelled);
    (
        super::print(&agenda::calendar(config.into(), of, entries)),
        any,
    )
}

/// The openings as people read them: in the wall-clock time of each window, a line a night.
fn timeline(
    config: &Config,
    openings: &[Opening<'_>],
    losses: &Losses,
    only: &[String],
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> String {
    if openings.is_empty() {
        return nothing(config, only, from, until) + &overridden(config, only, from, until);
    }
    let zones: BTreeSet<String> = openings.iter().map(|opening| opening.zone_name()).collect();
    let one_zone = zones.len() == 1;
    let mut headings = vec![
        "DAY", "OPENS", "CLOSES", "LENGTH", "WINDOW", "ZONE", "PAUSES",
    ];
    headings.retain(|heading| *heading != "ZONE" || !one_zone);
    let mut rows = table(&headings);
    let mut day = String::new();
    for opening in openings {
        let (opens, closes) = (opening.opens(), opening.closes());
        let today = text::day(opens.date());
        let mut mark = if opening.notes().is_empty() { "" } else { "*" }.to_owned();
        mark += if losses.has(opening) { "!" } else { "" };
        let shown_day = if today == day {
            mark
        } else {
            format!("{today}{mark}")
        };
        day = today;
        let open_now = opening.occurrence.covers(now);
        let mut cells = vec![
            shown_day,
            short_time(&opens),
            closing_time(&opens, &closes),
            rounded_span(opening.occurrence.length()) + if open_now { " (open now)" } else { "" },
            opening.window.name.to_string(),
        ];
        cells.extend((!one_zone).then(|| opening.zone_name()));
        cells.push(opening.window.selection.to_string());
        rows.add_row(cells);
    }
    let mut text = render(rows);
    let notes: Vec<String> = (openings.iter())
        .flat_map(|opening| {
            let when = text::day(opening.opens().date());
            (opening.notes().into_iter())
                .map(move |note| format!("{when} {}: {note}", opening.window.name))
        })
        .collect();
    // Writing to a String cannot fail.
    if !notes.is_empty() {
        text.push_str("\n* daylight saving:\n");
        for note in notes {
            let _ = writeln!(text, "  {note}");
        }
    }
    text += &losses.text(openings);
    text += &overridden(config, only, from, until);
    if let (true, Some(zone)) = (one_zone, zones.first()) {
        let _ = writeln!(text, "\nTimes are those of {zone}.");
    }
    text
}

fn nothing(config: &Config, only: &[String], from: Timestamp, until: Timestamp) -> String {
    let mut text = format!("No window opens between {from:.0} and {until:.0}.\n");
    if let Some(Opening { window, occurrence }) = config.policy.next_opening(from, only) {
        let _ = writeln!(
            text,
            "The next to open is {}, {}.",
            window.name,
            text::local(occurrence.opens, window.schedule.zone())
        );
    }
    text
}

/// What people have overridden of these windows, skipped openings too.
fn overridden(config: &Config, only: &[String], from: Timestamp, until: Timestamp) -> String {
    let is_shown = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let mut text = String::new();
    for window in config.policy.windows() {
        if !is_shown(&window.name) {
            continue;
        }
        let zone = window.schedule.zone();
        for span in window.overlay().touching(from, until) {
            let terms = &span.by.terms;
            let what = match span.effect() {
                Effect::Pause => "open",
                Effect::Run => "closed",
            };
            let reason = terms
                .reason
                .as_deref()
                .map_or_else(String::new, |why| format!(": {why}"));
            let _ = writeln!(
                text,
                "  {} {what} from {} until {} by {} ({}{reason})",
                window.name,
                text::local(span.from, zone),
                text::local(span.until, zone),
                span.by.id,
                terms.verb.as_str()
            );
        }
    }
    match text.is_empty() {
        true => text,
        false => format!("\nOverrides:\n{}", visible_lines(&text)),
    }
}

fn closing_time(opens: &Zoned, closes: &Zoned) -> String {
    if opens.date() == closes.date() {
        short_time(closes)
    } else {
        format!("{} {}", text::weekday(closes.date()), short_time(closes))
    }
}
