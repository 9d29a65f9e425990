//! `recess status`: how each consumer is, and what should be done about it. It asks the server
//! itself.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::table::{render, table_without};
use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::report::Report;
use crate::summary::Counts;
use crate::text::{self, rounded_span};
use crate::views::json;

mod consumers;
mod lines;
mod screen;
mod stretches;
mod watch;

pub(super) use consumers::why;

/// Shows the state of each consumer.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// Go on showing it as it changes: on the whole terminal until q or Ctrl-C, elsewhere a line a
    /// change; with --format json an array a line
    #[arg(long)]
    watch: bool,
}

pub fn execute(args: StatusArgs, wall: fn() -> Timestamp) -> Exit {
    let config = match super::load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if args.watch {
        return watch::watch(&args.config.config, config, args.format.format, wall);
    }
    let report = match super::live::look(config, wall) {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let shown = match args.format.format {
        Format::Json => super::print_json_rows(json::status(&report)).0,
        Format::Text => super::print(&table(&report)),
    };
    super::left_out::print(&report.left_out);
    let failures = report.pass.iter().flat_map(|pass| &pass.failures);
    failures.fold(shown, |_, failure| {
        super::complain(format!("error: {failure}"));
        Exit::Failed
    })
}

fn table(report: &Report) -> String {
    let is_incomplete = report.pass.as_ref().is_some_and(|pass| !pass.is_ok());
    match report.rows.is_empty() {
        true if is_incomplete => return String::new(),
        true => return "No consumer matches any window.\n".to_owned(),
        false => {}
    }
    const UNTIL: &str = "UNTIL (UTC)";
    let mut rows = table_without(&consumers::headings(UNTIL), &consumers::dispensable(UNTIL));
    for (id, row) in report.rows.iter() {
        rows.add_row(consumers::cells(report, id, row, row.seen, text::utc_cell));
    }
    render(rows) + "\n" + &summary(report) + "\n"
}

fn summary(report: &Report) -> String {
    let Counts {
        paused, released, ..
    } = Counts::of(report.rows.values());
    let total = report.rows.len();
    let open: Vec<&str> = report
        .windows
        .iter()
        .filter(|window| window.open.is_some())
        .map(|window| &*window.name)
        .collect();
    let next = (report.windows.iter())
        .filter_map(|window| Some((window.next?.opens, &window.name)))
        .min();
    let mut text = format!("{paused} of {total} consumers paused");
    if released > 0 {
        text += &format!("; {released} released until its window has closed");
    }
    let otherwise = (report.rows.values()).filter(|row| row.verdict.action().is_some());
    match otherwise.count() {
        0 => {}
        1 => text += "; 1 is not as wanted: if that does not change, read the daemon's log",
        more => {
            text += &format!(
                "; {more} are not as wanted: if that does not change, read the daemon's log"
            )
        }
    }
    if !open.is_empty() {
        text += &format!("; open: {}", open.join(", "));
    }
    if let Some((opens, name)) = next {
        let wait: SignedDuration = opens.duration_since(report.at);
        text += &format!("; {name} opens in {}", rounded_span(wait));
    }
    text
}
