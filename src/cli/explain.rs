//! `recess explain`: what a consumer should be doing at an instant, and which windows and
//! exclusions make it so. Offline.

use clap::Args;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::status::{StateRow, observed, observed_row, why};
use super::table::{render, table};
use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::calendar::Occurrence;
use crate::consumer::{ConsumerId, Owner};
use crate::policy::{Desired, Policy, Window};
use crate::report::{Report, Row};
use crate::text::{self, rounded_span, utc};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The consumer, as STREAM/CONSUMER
    #[arg(value_name = "STREAM/CONSUMER")]
    consumer: ConsumerId,
    /// The instant, with a zone (2026-12-01T00:00:00Z); default: now
    #[arg(long, value_name = "T", value_parser = super::parse_instant)]
    at: Option<Timestamp>,
    /// Also ask the server: show what it reports, and what the daemon would decide now, and why
    #[arg(long, conflicts_with = "at")]
    live: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Debug, Serialize)]
struct Explanation<'a> {
    consumer: String,
    at: String,
    desired: State,
    because: Vec<Because<'a>>,
    next_change: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// What the server says of it, and what follows from that.
#[derive(Debug, Serialize)]
struct Live {
    observed: StateRow,
    owner: Option<&'static str>,
    verdict: &'static str,
    rule: &'static str,
    clock_skew_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct State {
    state: &'static str,
    until: Option<String>,
}

/// One reason. Exactly one of the two names is there.
#[derive(Debug, Serialize)]
struct Because<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusion: Option<&'a str>,
    opens: Option<String>,
    closes: Option<String>,
    effect: &'static str,
}

pub fn execute(args: ExplainArgs, wall: fn() -> Timestamp) -> Exit {
    let config = match super::load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let id = &args.consumer;
    let asked = args
        .live
        .then(|| super::live::look_at(id, config.clone(), wall));
    let report = match asked.transpose() {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let failure = (report.as_ref()).and_then(|report| report.pass.as_ref()?.failures.first());
    if let Some(failure) = failure {
        super::complain(format!(
            "error: cannot observe {}: {}",
            failure.subject, failure.error
        ));
        return Exit::Failed;
    }
    let row = report.as_ref().and_then(|report| report.rows.get(id));
    let policy = &config.policy;
    let at = args.at.unwrap_or_else(wall);
    let windows = match row {
        Some(row) => row.windows.clone(),
        None if args.live => policy.windows_of(id, None),
        None => policy.windows_by_name(id),
    };
    let desired = policy.desired(id, &windows, at);
    let next_change = policy.next_change_of(id, &windows, at);
    let reasons: Vec<Reason<'_>> = (windows.iter())
        .flat_map(|window| reasons(window, id, at, desired))
        .collect();
    match args.format.format {
        Format::Json => super::print_json(&Explanation {
            consumer: id.path(),
            at: utc(at),
            desired: State {
                state: desired.as_str(),
                until: desired.until().map(utc),
            },
            because: reasons.iter().map(Reason::row).collect(),
            next_change: next_change.map(utc),
            live: report.as_ref().zip(row).map(|(report, row)| Live {
                observed: observed_row(&row.found),
                owner: row.owner(report.mark()).map(Owner::as_str),
                verdict: row.verdict.as_str(),
                rule: row.rule.as_str(),
                clock_skew_seconds: report.skew.map(|skew| skew.as_secs_f64()),
            }),
        }),
        Format::Text => {
            let mut text = text(policy, id, at, desired, &reasons, next_change);
            if let Some(report) = &report {
                text += &live_text(report, row);
            }
            super::print(&text)
        }
    }
}

/// What one window, or one exclusion of it, has to do with it.
struct Reason<'a> {
    window: &'a Window,
    exclusion: Option<&'a str>,
    occurrence: Option<Occurrence>,
    effect: &'static str,
}

impl<'a> Reason<'a> {
    fn row(&self) -> Because<'a> {
        let exclusion = self.exclusion;
        Because {
            window: exclusion.is_none().then_some(&*self.window.name),
            exclusion,
            opens: self.occurrence.map(|one| utc(one.opens)),
            closes: self.occurrence.map(|one| utc(one.closes)),
            effect: self.effect,
        }
    }
}

fn reasons<'a>(
    window: &'a Window,
    id: &ConsumerId,
    at: Timestamp,
    desired: Desired,
) -> Vec<Reason<'a>> {
    let reason = |occurrence, effect| Reason {
        window,
        exclusion: None,
        occurrence,
        effect,
    };
    // All that the deadline rests on, those too that open before the others have closed.
    let until = match desired {
        Desired::Paused(until) => until,
        Desired::Running | Desired::Tail(_) => at,
    };
    let mut found: Vec<Reason<'_>> = (window.open_at(at).into_iter())
        .chain(
            window
                .intersecting(at, until)
                .into_iter()
                .filter(|piece| piece.opens > at),
        )
        .map(|piece| reason(Some(piece), "pauses"))
        .collect();
    let returning = window
        .returning(at)
        .filter(|returning| returning.of(id) > at);
    if let Some(returning) = returning {
        let just_before = returning
            .closes()
            .checked_sub(jiff::SignedDuration::from_nanos(1));
        let last = just_before.ok().and_then(|at| window.open_at(at));
        found.push(reason(last, "spread"));
    }
    if window.schedule.open_at(at).is_some() {
        let cuts = (window.exclusions.iter()).filter_map(|exclusion| {
            Some(Reason {
                window,
                exclusion: Some(&exclusion.name),
                occurrence: Some(exclusion.schedule.open_at(at)?),
                effect: "cuts",
            })
        });
        found.extend(cuts);
    }
    if found.is_empty() {
        found.push(reason(window.next_opening(at), "names it, closed"));
    }
    found
}

fn text(
    policy: &Policy,
    id: &ConsumerId,
    at: Timestamp,
    desired: Desired,
    reasons: &[Reason<'_>],
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
    if reasons.is_empty() {
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
            Some(name) => format!("exclusion {name}"),
            None => format!("window {}", reason.window.name),
        };
        rows.add_row([
            what,
            reason.effect.to_owned(),
            opens.as_ref().map_or_else(String::new, text::short_local),
            closes.as_ref().map_or_else(String::new, end),
        ]);
    }
    text += "\n";
    text += &render(rows);
    if let Some(change) = next_change {
        let wait = rounded_span(change.duration_since(at));
        text += &format!("\nNothing changes before {} (in {wait}).\n", utc(change));
    }
    text
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

/// What the server says of it, and the decision that follows, with the row of the table that it
/// follows from.
fn live_text(report: &Report, row: Option<&Row>) -> String {
    let Some(row) = row else {
        return "\nLive: no window names it, and it has no pause of recess's: recess leaves it \
                unchanged.\n"
            .to_owned();
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
        "\nFound: {state}{until}{owner}; {clock}.\nDecision: {} (rule {}: want {}, have {}: {}).\n",
        why(row),
        rule.name,
        rule.want,
        rule.have,
        rule.verdict
    )
}
