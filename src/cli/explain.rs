//! `recess explain`: what a consumer should be doing at an instant, and which windows, exclusions
//! and overrides make it so. A server is asked for overrides and with `--live` only.

use std::sync::Arc;

use clap::Args;
use jiff::{Timestamp, Zoned};

use super::labels::{self, WithArgs};
use super::live::SeenAlone;
use super::overrides::store;
use super::status::why;
use super::table::{render, table};
use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::consumer::{Candidate, ConsumerId, Owner};
use crate::policy::{Desired, Override, Policy, WindowSet};
use crate::report::{Report, Row};
use crate::retention::Cause;
use crate::text::{self, rounded_span, utc};
use crate::views::json::{LossRow, StateRow, observed};
use crate::visible::visible;

mod json;
mod reason;

use json::{BecauseRow, Explanation, Live, State};
use reason::{Reason, reasons};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The consumer, as STREAM/CONSUMER
    #[arg(value_name = "STREAM/CONSUMER")]
    consumer: ConsumerId,
    /// The instant, with a zone (2026-12-01T00:00:00Z); default: now
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    at: Option<Timestamp>,
    /// Also ask the server: show what it reports, and what the daemon would decide now, and why
    #[arg(long, conflicts_with_all = ["at", "with"])]
    live: bool,
    /// Leave out overrides, so that no server is asked
    #[arg(long, conflicts_with = "live")]
    offline: bool,
    #[command(flatten)]
    with: WithArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub fn execute(args: ExplainArgs, wall: fn() -> Timestamp) -> Exit {
    let id = &args.consumer;
    let (policy, seen) = match ask(&args, wall) {
        Ok(answer) => answer,
        Err(exit) => return exit,
    };
    let (report, found) = seen.map(|seen| (seen.report, seen.found)).unzip();
    let failure = (report.as_ref()).and_then(|report| report.pass.as_ref()?.failures.first());
    if let Some(failure) = failure {
        super::complain(format!("error: {failure}"));
        return Exit::Failed;
    }
    let row = report.as_ref().and_then(|report| report.rows.get(id));
    let at = args.at.unwrap_or_else(wall);
    let with = args.with.labels(&policy);
    let candidate = match &found {
        Some(found) => Candidate::found(id, found),
        None => Candidate::with_labels(id, &with),
    };
    let windows = match row {
        Some(row) => row.windows.clone(),
        None => policy.windows_of(&candidate),
    };
    let open_keys = labels::open_keys(&policy, &windows, &candidate);
    let desired = policy.desired(id, &windows, at);
    let next_change = policy.next_change_of(id, &windows, at);
    let overrides = windows.overridden_by(at, desired.until().unwrap_or(at));
    let kept_off = (windows.unmatched().iter()).map(|window| Reason::unmatched(window, at));
    let reasons: Vec<Reason<'_>> = (windows.iter())
        .flat_map(|window| match windows.is_exempt(at) {
            true => vec![Reason::exempt(window, at)],
            false => reasons(window, id, at, desired),
        })
        .chain(kept_off)
        .collect();
    match args.format.format {
        Format::Json => super::print_json(&Explanation {
            consumer: id.path(),
            at: utc(at),
            desired: State {
                state: desired.as_str(),
                until: desired.until().map(utc),
            },
            because: (reasons.iter().map(Reason::row))
                .chain(overrides.iter().map(|one| BecauseRow::from(&**one)))
                .collect(),
            next_change: next_change.map(utc),
            depends_on_metadata: open_keys,
            live: report.as_ref().zip(row).map(|(report, row)| Live {
                observed: StateRow::found(&row.found),
                owner: row.owner(report.mark()).map(Owner::as_str),
                verdict: row.verdict.as_str(),
                rule: row.rule.as_str(),
                clock_skew_seconds: report.skew.map(|skew| skew.as_secs_f64()),
                loss: row.backlog.losses().to_come.map(LossRow::of),
            }),
        }),
        Format::Text => {
            let mut text = text(
                &policy,
                id,
                (at, desired),
                &reasons,
                &overrides,
                next_change,
            );
            text += &labels::known_sentence(&policy, candidate.labels);
            text += &labels::open_sentence(&open_keys, ", or ask the server with --live");
            if let Some(report) = &report {
                text += &live_text(report, row, &windows);
            }
            super::print(&text)
        }
    }
}

/// The policy with its overrides, and what the server says where it was asked.
fn ask(
    args: &ExplainArgs,
    wall: fn() -> Timestamp,
) -> Result<(Arc<Policy>, Option<SeenAlone>), Exit> {
    let config = super::load(&args.config)?;
    if args.live {
        let seen = super::live::look_at(&args.consumer, config, wall)?;
        return Ok((seen.report.policy.clone(), Some(seen)));
    }
    let config = store::shown(config, args.offline, wall)?;
    Ok((config.policy, None))
}

fn text(
    policy: &Policy,
    id: &ConsumerId,
    (at, desired): (Timestamp, Desired),
    reasons: &[Reason<'_>],
    overrides: &[Arc<Override>],
    next_change: Option<Timestamp>,
) -> String {
    let until = desired
        .until()
        .map_or_else(String::new, |until| format!(" until {}", utc(until)));
    let state = match desired {
        Desired::Running => "should be running",
        Desired::Paused(_) => "should be paused",
        Desired::Tail(_) => "may still be paused",
    };
    let mut text = format!("At {}, {id} {state}{until}.\n", utc(at));
    if reasons.is_empty() && overrides.is_empty() {
        return text + &nothing(policy, id);
    }
    let mut rows = table(&["WHAT", "EFFECT", "OPENS", "CLOSES"]);
    for reason in reasons {
        let zone = reason.window.schedule.zone();
        let opens = (reason.occurrence).map(|one| one.opens.to_zoned(zone.clone()));
        let closes = (reason.occurrence).map(|one| one.closes.to_zoned(zone.clone()));
        let end = |closes: &Zoned| match &opens {
            Some(opens) if opens.date() == closes.date() => text::short_time(closes),
            _ => text::short_local(closes),
        };
        let what = match reason.exclusion {
            Some(name) => match &reason.event {
                Some(event) => format!("exclusion {name} ({})", visible(event)),
                None => format!("exclusion {name}"),
            },
            None => format!("window {}", reason.window.name),
        };
        rows.add_row([
            what,
            reason.effect.to_owned(),
            opens.as_ref().map_or_else(String::new, text::short_local),
            closes.as_ref().map_or_else(String::new, end),
        ]);
    }
    if !rows.is_empty() {
        text += &format!("\n{}", render(rows));
    }
    if !overrides.is_empty() {
        text += &format!("\n{}", overrides_text(overrides));
    }
    if let Some(change) = next_change {
        let wait = rounded_span(change.duration_since(at));
        text += &format!("\nNothing changes before {} (in {wait}).\n", utc(change));
    }
    text
}

/// What people have decided, in UTC: an override of consumers has no zone.
fn overrides_text(overrides: &[Arc<Override>]) -> String {
    let headings = ["OVERRIDE", "EFFECT", "FROM (UTC)", "UNTIL (UTC)", "REASON"];
    let mut rows = table(&headings);
    for one in overrides {
        rows.add_row([
            one.id.to_string(),
            format!("{} {}", one.terms.verb.as_str(), one.terms.target),
            text::utc_cell(one.terms.from),
            text::utc_cell(one.terms.until),
            one.terms.reason.as_deref().unwrap_or_default().to_owned(),
        ]);
    }
    render(rows)
}

/// Why no window pauses it.
fn nothing(policy: &Policy, id: &ConsumerId) -> String {
    let taken_away: Vec<String> = (policy.windows().iter())
        .filter_map(|window| {
            let by = window.selection.takes_away(id)?;
            Some(format!(
                "Window {} names it, but excludes it with {:?}.\n",
                window.name,
                by.as_str()
            ))
        })
        .collect();
    match (policy.windows().len(), taken_away.is_empty()) {
        (1, true) => "The only window does not name it.\n".to_owned(),
        (count, true) => format!("None of the {count} windows names it.\n"),
        (_, false) => taken_away.concat(),
    }
}

/// What a pause costs it.
fn loss_text(report: &Report, row: &Row) -> String {
    let Some(loss) = row.backlog.losses().to_come else {
        return String::new();
    };
    let at = text::at_or_about(loss.at, loss.exact);
    let what = match loss.cause {
        Cause::Refused => format!("its stream is full {at} and refuses publishers"),
        cause @ (Cause::MaxAge | Cause::MaxMessages | Cause::MaxBytes) => format!(
            "its stream drops the first message that waits {at} ({})",
            cause.as_str()
        ),
    };
    let end = row.release_ahead(report.mark()).map_or_else(
        || "before its pause ends".to_owned(),
        |until| format!("and its pause ends before, at {}", utc(until)),
    );
    format!("Waiting messages: {what}, {end}.\n")
}

/// What the server says of it, and the decision that follows, with the row of the table that it
/// follows from.
fn live_text(report: &Report, row: Option<&Row>, windows: &WindowSet) -> String {
    let Some(row) = row else {
        let why = match windows.unmatched().is_empty() {
            true => "no window names it",
            false => "its metadata does not match",
        };
        return format!(
            "\nLive: {why}, and it has no pause of recess's: recess leaves it unchanged.\n"
        );
    };
    let (state, until) = observed(&row.found);
    let until = until.map_or_else(String::new, |until| format!(" until {}", utc(until)));
    let owner = (row.owner(report.mark())).map_or_else(String::new, |owner| {
        format!(
            " (the deadline is {})",
            match owner {
                Owner::Recess => "recess's",
                Owner::Foreign => "foreign",
            }
        )
    });
    let clock = report.skew.map_or_else(
        || "the server's clock is not known yet".to_owned(),
        |skew| {
            let side = if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            };
            let off = text::clock_offset(skew);
            format!("the server's clock is {off} {side} this host's")
        },
    );
    let rule = row.rule.row();
    format!(
        "\nFound: {state}{until}{owner}; {clock}.\nDecision: {} (rule {}: want {}, have {}: {}).\n{}",
        why(row, report.at),
        rule.name,
        rule.want,
        rule.have,
        rule.verdict,
        loss_text(report, row)
    )
}
