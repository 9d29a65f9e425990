//! `recess status`: how each consumer is, and what should be done about it. It asks the server
//! itself.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::table::{render, table_without};
use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::consumer::{ConsumerId, Owner, PauseState};
use crate::plan::{Rule, Verdict};
use crate::report::{Report, Row};
use crate::text::{self, rounded_span};
use crate::views::json;

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub fn execute(args: StatusArgs, wall: fn() -> Timestamp) -> Exit {
    let config = match super::load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let report = match super::live::look(config, wall) {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let shown = match args.format.format {
        Format::Json => super::print_json_rows(json::status(&report)).0,
        Format::Text => super::print(&text(&report)),
    };
    super::left_out::print(&report.left_out);
    let failures = report.pass.iter().flat_map(|pass| &pass.failures);
    failures.fold(shown, |_, failure| {
        super::complain(format!(
            "error: cannot observe {}: {}",
            failure.subject, failure.error
        ));
        Exit::Failed
    })
}

fn text(report: &Report) -> String {
    let is_incomplete = report.pass.as_ref().is_some_and(|pass| !pass.is_ok());
    match report.rows.is_empty() {
        true if is_incomplete => return String::new(),
        true => return "No consumer matches any window.\n".to_owned(),
        false => {}
    }
    let headings = [
        "CONSUMER",
        "WANTED",
        "FOUND",
        "UNTIL (UTC)",
        "LEFT",
        "WHOSE",
        "BACKLOG",
        "UNACKED",
        "WHY",
        "WINDOWS",
    ];
    // LEFT says what UNTIL does.
    let dispensable = ["UNTIL (UTC)", "UNACKED", "BACKLOG", "WHOSE", "WINDOWS"];
    let mut rows = table_without(&headings, &dispensable);
    for (id, row) in report.rows.iter() {
        let (state, until) = json::observed(&row.found);
        let left = match row.found.observation().map(|seen| seen.state) {
            Some(PauseState::Paused { remaining, .. }) => rounded_span(remaining),
            _ => String::new(),
        };
        let count =
            |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        rows.add_row([
            id.to_string(),
            row.desired.as_str().to_owned(),
            state.to_owned(),
            until.map_or_else(String::new, text::utc_cell),
            left,
            row.owner(report.mark())
                .map_or("", Owner::as_str)
                .to_owned(),
            count(row.found.observation().map(|seen| seen.pending)),
            count(row.found.observation().map(|seen| seen.ack_pending)),
            why(row),
            held_by(report, id, row),
        ]);
    }
    render(rows) + "\n" + &summary(report) + "\n"
}

/// Its windows, and the overrides that last.
fn held_by(report: &Report, id: &ConsumerId, row: &Row) -> String {
    let windows = report.windows_of(id).into_iter().map(str::to_owned);
    let all: Vec<String> = windows.chain(json::overrides_on(report, row)).collect();
    all.join(" ")
}

/// What ought to be done: whether a daemon does it, only the daemon knows. Where that is nothing
/// although it is not plainly as wanted, the rule says why.
pub(super) fn why(row: &Row) -> String {
    match (row.verdict, row.rule) {
        (verdict, _) if verdict.action().is_some() => format!("should {verdict}"),
        (Verdict::Settled, Rule::Running | Rule::Paused) => "settled".to_owned(),
        (Verdict::Settled, rule) => format!("settled: {rule}"),
        (verdict, _) => verdict.to_string(),
    }
}

fn summary(report: &Report) -> String {
    let paused = report
        .rows
        .values()
        .filter(|row| row.found.is_paused())
        .count();
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
    let released = report.rows.values().filter(|row| row.is_released()).count();
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
