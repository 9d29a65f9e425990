//! `recess check`: is the config file right, and with `--live`, does it fit the server?

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{ConfigArgs, Exit, Format, FormatArgs};
use crate::config::{self, Config, Finding, Severity, Source};

mod bucket;
mod collect;
mod live_finding;
mod metadata;
mod names;
mod openings;
mod server;
#[cfg(test)]
mod tests;

use live_finding::LiveFinding;

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also ask the server, without changing anything: do the consumers exist, may recess pause
    /// them, and would they lose messages; exit with status 3 if there are findings
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
    let now = wall();
    let (source, mut findings) = (config.source.clone(), config.warnings.clone());
    findings.extend(config::outlook(&config, now));
    findings.sort_by_key(|finding| finding.span.as_ref().map_or(usize::MAX, |span| span.start));
    let mut good = good_news(&config, &args);
    good += &openings::lines(&config, now);
    let mut live: Vec<LiveFinding> = Vec::new();
    if args.live {
        let checked = config.clone();
        match collect::collect(config, wall) {
            Ok(seen) => {
                live = server::findings(&checked, &seen);
                good += &metadata::note(&seen);
                good += server::note(&seen);
            }
            Err(exit) => return exit,
        }
    }
    let is_clean = findings.is_empty() && live.is_empty();
    let shown = match args.format.format {
        Format::Json => {
            findings.extend(live_finding::each(&live));
            json(&findings, &source)
        }
        Format::Text => {
            findings.extend(live_finding::together(&live));
            super::print_findings(&source, &findings);
            let good = if has_errors(&findings) { "" } else { &good };
            super::print(good)
        }
    };
    match shown == Exit::Done && args.live && !is_clean {
        true => Exit::Reported,
        false => shown,
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
