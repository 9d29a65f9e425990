//! `recess check`: is the config file right, and with `--live`, does it fit the server?

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::config::{self, Config, Finding, Severity, Source};
use crate::consumer::Found;
use crate::jetstream::Link;
use crate::report::Report;

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also ask the server whether the consumers exist and may be paused (which changes nothing); exit with status 3 when
    /// there is anything to tell
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct CheckReport {
    ok: bool,
    findings: Vec<FindingRow>,
}

#[derive(Serialize)]
struct FindingRow {
    severity: &'static str,
    code: &'static str,
    subject: String,
    message: String,
    hint: Option<String>,
    line: Option<usize>,
}

pub fn execute(args: CheckArgs, wall: fn() -> Timestamp) -> Exit {
    let config = match config::load(&args.config.config) {
        Ok(config) => config,
        Err(error) => return refused(&args, &error),
    };
    let (source, mut findings) = (config.source.clone(), config.warnings.clone());
    findings.extend(config::outlook(&config, wall()));
    findings.sort_by_key(|finding| finding.span.as_ref().map_or(usize::MAX, |span| span.start));
    let good = good_news(&config, &args);
    if args.live {
        let checked = config.clone();
        match super::live::look_and_knock(config, wall) {
            Ok((report, closed)) => {
                findings.extend(live_findings(&checked, &report));
                findings.extend(closed.iter().map(|(id, error)| {
                    let subject = format!("consumer {}", id.path());
                    let message = format!("it cannot be paused: {error}");
                    Finding::new(Severity::Error, "not-pausable", &subject, &message)
                }));
            }
            Err(exit) => return exit,
        }
    }
    let shown = match args.format.format {
        Format::Json => json(&findings, &source),
        Format::Text => {
            super::tell(&source, &findings);
            let good = if has_errors(&findings) { "" } else { &good };
            super::print(good)
        }
    };
    match shown {
        Exit::Done if args.live && !findings.is_empty() => Exit::Reported,
        exit => exit,
    }
}

fn refused(args: &CheckArgs, error: &config::ConfigError) -> Exit {
    match args.format.format {
        Format::Json => {
            json(&error.findings(), &error.source());
            Exit::Config
        }
        Format::Text => super::refuse(error),
    }
}

fn json(findings: &[Finding], source: &Source) -> Exit {
    let ok = !has_errors(findings);
    let findings = (findings.iter())
        .map(|finding| FindingRow {
            severity: finding.severity.as_str(),
            code: finding.code,
            subject: finding.subject.clone(),
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            line: finding.line(source),
        })
        .collect();
    super::print_json(&CheckReport { ok, findings })
}

fn good_news(config: &Config, args: &CheckArgs) -> String {
    format!(
        "{}: ok, {} (time zones {})\n",
        args.config.config.display(),
        super::count_windows(config),
        config.zone_data
    )
}

fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}

/// What the server says that the file cannot know.
fn live_findings(config: &Config, report: &Report) -> Vec<Finding> {
    let warning = |code, subject: &str, message: &str, hint: &str| {
        Finding::new(Severity::Warning, code, subject, message).hint(hint)
    };
    // A stream that could not be asked may hold what seems to be missing.
    let asked_in_vain = report.pass.as_ref().is_some_and(|pass| !pass.is_ok());
    let missing = (report.rows.iter()).filter(|(_, row)| row.found == Found::Missing).map(|(id, _)| {
        warning(
            "no-such-consumer",
            &format!("consumer {}", id.path()),
            "a window names it, and the server has no such consumer",
            "check the spelling; if it is created later, it is paused when it appears in an open window",
        )
    });
    // Of a window that matches somebody: its other selectors.
    let idle = (config.policy.windows().iter()).flat_map(|window| {
        let is_empty =
            (report.windows.iter()).any(|state| state.name == window.name && state.consumers == 0);
        (window.selection.selectors().iter())
            .filter(move |selector| !is_empty && !asked_in_vain && !selector.is_negated())
            .filter(|selector| selector.exact().is_none())
            .filter(|selector| !report.rows.keys().any(|id| selector.matches(id)))
            .map(|selector| {
                warning(
                    "matches-nothing",
                    &format!("window {}", window.name),
                    &format!(
                        "its selector {:?} matches no consumer that exists",
                        selector.as_str()
                    ),
                    "check the spelling; `nats consumer ls STREAM` lists the names",
                )
            })
    });
    let empty = (report.windows.iter())
        .filter(|window| window.consumers == 0 && !asked_in_vain)
        .map(|window| {
            warning(
                "matches-nothing",
                &format!("window {}", window.name),
                "none of its selectors matches a consumer that exists",
                "globs match durable consumers only; `nats consumer ls STREAM` lists the names",
            )
        });
    let unasked = (report.pass.iter().flat_map(|pass| &pass.failures)).map(|failure| {
        let message = failure.error.to_string();
        Finding::new(Severity::Error, "not-observed", &failure.subject, &message)
    });
    let denied = match &report.link {
        Link::Up(server) => server.denied.iter().collect(),
        Link::Down { .. } | Link::Unsuitable(_) => Vec::new(),
    };
    let denied = denied.into_iter().map(|subject| {
        warning(
            "denied-advisory",
            "nats",
            &format!("permission denied to subscribe to {subject}"),
            "allow it for recess's NATS user; without it, what others do to consumers is seen at the next resync only",
        )
    });
    missing
        .chain(empty)
        .chain(idle)
        .chain(unasked)
        .chain(denied)
        .collect()
}
