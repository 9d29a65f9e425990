//! What the server says that the file cannot know, as findings.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;

use super::bucket;
use super::collect::Seen;
use super::live_finding::LiveFinding;
use super::metadata;
use super::names::names;
use crate::config::{Config, Severity};
use crate::consumer::{Candidate, Kind, Owner, PauseState};
use crate::jetstream::{Link, RequestError, Server};
use crate::plan::{DOUBTFUL_SKEW, LOST_SKEW, Rule, TRUSTED_SKEW};
use crate::policy::{OnLoss, WindowSet};
use crate::report::{Sentence, Why};
use crate::retention::{self, Hazard, LongestPause, longest_pause};
use crate::text::{self, utc};
use crate::visible::visible;

/// Everything, in the order of urgency.
pub fn findings(config: &Config, seen: &Seen) -> Vec<LiveFinding> {
    let mut findings = Vec::new();
    let report = &seen.report;
    if let Link::Up(server) = &report.link {
        findings.extend(of_server(server));
    }
    findings.extend(report.skew.and_then(of_clock));
    let streams = seen.streams.values().flatten();
    let replicas = streams.map(|stream| stream.first.replicas).max();
    let of_bucket = seen.bucket.iter();
    findings.extend(of_bucket.flat_map(|seen| bucket::findings(seen, replicas.unwrap_or(1))));
    findings.extend(names(config, seen));
    findings.extend(closed(seen));
    findings.extend(passed_over(config, seen));
    findings.extend(pauses(seen));
    findings.extend(orphans(seen));
    findings.extend(metadata::findings(seen));
    findings.extend(hazards(config, seen));
    findings
}

/// What holds of every consumer of a cluster, so that it is no finding about any.
pub fn note(seen: &Seen) -> &'static str {
    let mut rows = seen.report.rows.values();
    if rows.any(|row| row.found.observation().is_some_and(|seen| seen.clustered)) {
        "note: in a cluster the server refuses a strict create of an existing consumer (action \
         \"create\", error 10148) during a pause and for about a minute after: let the application \
         create or update\n"
    } else {
        ""
    }
}

fn of_server(server: &Server) -> Vec<LiveFinding> {
    let crash_prone = server.crash_prone.then(|| {
        LiveFinding::warning(
            "crash-prone-server",
            "nats",
            &format!(
                "nats-server {} can crash when a consumer is paused while any client asks about it",
                server.version
            ),
            "upgrade it to 2.12.8 or newer; until then recess sends one request at a time, and \
             this check does not test which consumers it may pause",
        )
    });
    let denied = server.denied.iter().map(|subject| {
        LiveFinding::warning(
            "denied-advisory",
            "nats",
            &format!("permission denied to subscribe to {subject}"),
            "allow it for recess's NATS user; without it recess observes changes by other clients \
             at the next resync only",
        )
    });
    crash_prone.into_iter().chain(denied).collect()
}

pub fn of_clock(skew: SignedDuration) -> Option<LiveFinding> {
    if skew.abs() <= DOUBTFUL_SKEW {
        return None;
    }
    let way = if skew.is_positive() {
        "behind"
    } else {
        "ahead of"
    };
    let so = if skew.abs() > LOST_SKEW {
        "recess starts and ends no pause until they agree"
    } else if skew.abs() > TRUSTED_SKEW {
        "recess starts and extends pauses, but does not shorten or end any early"
    } else if skew.is_positive() {
        "windows open and close that late"
    } else {
        "windows open and close that early"
    };
    let off = text::clock_offset(skew);
    let message = format!("this host's clock is {off} {way} the server's: {so}");
    let hint = "synchronise both clocks with NTP (`timedatectl` shows the state)";
    Some(LiveFinding::warning("clock-skew", "clock", &message, hint))
}

/// What recess may not do.
fn closed(seen: &Seen) -> Vec<LiveFinding> {
    let pause = seen.closed.iter().map(|(id, error)| {
        let message = format!("recess cannot pause it: {error}");
        LiveFinding::consumer(Severity::Error, "not-pausable", id, &message)
    });
    let consumers = failed(&seen.consumers).map(|(id, error)| {
        let message = format!("recess cannot observe it alone: {error}");
        LiveFinding::consumer(Severity::Error, "not-observed", id, &message)
    });
    let streams = failed(&seen.streams).map(|(name, error)| {
        let message = format!("cannot read its limits: {error}");
        LiveFinding::stream(Severity::Warning, "unknown-limits", name, &message).hint(
            "without them recess cannot report what they do to waiting messages, and `on_loss = \
             \"release\"` has no effect; allow $JS.API.STREAM.INFO.* for recess's NATS user",
        )
    });
    pause.chain(consumers).chain(streams).collect()
}

fn failed<K, V>(
    answers: &BTreeMap<K, Result<V, RequestError>>,
) -> impl Iterator<Item = (&K, &RequestError)> {
    (answers.iter()).filter_map(|(key, answer)| Some((key, answer.as_ref().err()?)))
}

/// Consumers that are not paused though a wildcard matches them, and those that are paused only as
/// they are named exactly.
fn passed_over(config: &Config, seen: &Seen) -> Vec<LiveFinding> {
    let left_out = &seen.report.left_out;
    let passed_over = left_out.passed_over.iter().map(|(id, why)| {
        let windows = config.policy.windows_of(&Candidate::named(id));
        let what = match why.why {
            Why::Sourcing => "serves a stream that sources this one",
            Why::NotDurable => "is not durable",
            Why::Exempt => "is exempt by its metadata",
        };
        let message = format!(
            "{} has a wildcard that matches its name, but it {what}: wildcards leave it out, so it \
             keeps running",
            window_names(&windows)
        );
        LiveFinding::consumer(Severity::Warning, "passed-over", id, &message).hint(
            "to pause it, name it exactly; to show that it is meant to run, exclude it with `!`",
        )
    });
    let sourcing = (seen.report.rows.iter())
        .filter(|(_, row)| {
            let seen = row.found.observation();
            seen.is_some_and(|seen| seen.kind == Kind::Sourcing) && !row.windows.is_empty()
        })
        .map(|(id, _)| {
            LiveFinding::consumer(
                Severity::Warning,
                "sourcing",
                id,
                "it serves a stream that sources this one: while it is paused, that stream \
                 receives nothing",
            )
            .hint("remove its name from the window unless this is intended")
        });
    let unreadable = (left_out.sentences().into_iter())
        .filter(Sentence::is_fault)
        .map(|sentence| {
            let subject = sentence.stream.map_or_else(
                || "the streams".to_owned(),
                |stream| format!("stream {}", visible(&stream)),
            );
            LiveFinding::warning(
                "unreadable-entry",
                &subject,
                &sentence.text,
                "rename it with visible characters only; until then a window cannot pause it",
            )
        });
    unreadable.chain(passed_over).chain(sourcing).collect()
}

/// Foreign deadlines.
fn pauses(seen: &Seen) -> Vec<LiveFinding> {
    let mut findings = Vec::new();
    for (id, row) in seen.report.rows.iter() {
        let foreign = row.owner(seen.report.mark()) == Some(Owner::Foreign);
        let Some(seen) = row.found.observation().filter(|_| foreign) else {
            continue;
        };
        match seen.state {
            PauseState::Paused { until, .. } => {
                let until = utc(until);
                let message = format!(
                    "paused by another client until {until}: recess extends the pause if a window \
                     lasts longer, and never shortens or ends it"
                );
                let hint = format!(
                    "if it is not needed, `recess resume '{}'` ends it",
                    visible(&id.path())
                );
                findings.push(
                    LiveFinding::consumer(Severity::Warning, "foreign-pause", id, &message)
                        .hint(&hint),
                );
            }
            PauseState::Lapsed { until } if seen.clustered => {
                let until = utc(until);
                let message = format!(
                    "another client's pause ended at {until} and its deadline is still stored: in \
                     a cluster the server therefore refuses a strict create of this consumer \
                     (action \"create\", error 10148)"
                );
                let hint = format!(
                    "`nats consumer resume {} {}` removes it; recess removes only its own deadlines",
                    visible(id.stream()),
                    visible(id.consumer())
                );
                findings.push(
                    LiveFinding::consumer(Severity::Warning, "strict-create", id, &message)
                        .hint(&hint),
                );
            }
            PauseState::Lapsed { .. } | PauseState::Running => {}
        }
    }
    findings
}

/// Pauses of recess's that no window names.
fn orphans(seen: &Seen) -> Vec<LiveFinding> {
    let orphans = (seen.report.rows.iter()).filter(|(_, row)| row.is_orphan());
    orphans
        .map(|(id, row)| {
            let deadline = row
                .found
                .observation()
                .and_then(|seen| seen.state.deadline());
            let until = deadline.map_or_else(String::new, utc);
            let path = visible(&id.path()).into_owned();
            let (message, hint) = if row.rule == Rule::OrphanUnnamed {
                (
                    format!(
                        "paused by a recess of this name until {until}, but no window names it; a \
                         daemon leaves it unchanged, as `instance` is not set and another \
                         deployment may own it"
                    ),
                    format!(
                        "`recess resume {path}` resumes it; set `instance` so that the daemon does"
                    ),
                )
            } else {
                (
                    format!(
                        "paused by recess until {until}, but no window names it; a daemon that \
                         starts or reloads resumes it after one resync"
                    ),
                    format!(
                        "`recess pause {path} --until {until}` keeps it paused, `recess resume \
                         {path}` resumes it now"
                    ),
                )
            };
            LiveFinding::consumer(Severity::Warning, "orphaned-pause", id, &message).hint(&hint)
        })
        .collect()
}

/// What pauses do to the consumers as they are configured.
fn hazards(config: &Config, seen: &Seen) -> Vec<LiveFinding> {
    let mut holds: HashMap<WindowSet, Option<LongestPause>> = HashMap::new();
    let mut longest: BTreeMap<&str, LongestPause> = BTreeMap::new();
    let mut findings = Vec::new();
    for (id, details) in &seen.consumers {
        let (Ok(details), Some(row)) = (details, seen.report.rows.get(id)) else {
            continue;
        };
        let hold = holds
            .entry(row.windows.clone())
            .or_insert_with(|| longest_pause(&config.policy, id, &row.windows, seen.report.at));
        let Some(hold) = hold else { continue };
        let stream = seen.streams.get(id.stream());
        let stream = stream.and_then(|stream| stream.as_ref().ok());
        let releases =
            |window: &std::sync::Arc<crate::policy::Window>| window.on_loss == OnLoss::Release;
        let margin = config.policy.loss_defaults().margin;
        let never_paused = stream
            .filter(|_| row.windows.iter().any(releases))
            .and_then(|stream| retention::never_paused(margin, stream.newest()));
        let mut of_consumer = retention::of_consumer(hold, details, stream);
        of_consumer.extend(never_paused);
        findings.extend(of_consumer.into_iter().map(|hazard| {
            let Hazard {
                code,
                message,
                hint,
            } = hazard;
            LiveFinding::consumer(Severity::Warning, code, id, &message).hint(&hint)
        }));
        let known = longest.entry(id.stream()).or_insert_with(|| hold.clone());
        if hold.length > known.length {
            known.clone_from(hold);
        }
    }
    for (name, hold) in longest {
        let Some(Ok(stream)) = seen.streams.get(name) else {
            continue;
        };
        if let Some(Hazard {
            code,
            message,
            hint,
        }) = retention::publishers_refused(&hold, stream)
        {
            findings.push(LiveFinding::stream(Severity::Warning, code, name, &message).hint(&hint));
        }
    }
    findings
}

fn window_names(windows: &WindowSet) -> String {
    let names: Vec<&str> = windows.names().collect();
    match names.as_slice() {
        [name] => format!("window {name}"),
        names => format!("each of the windows {}", names.join(", ")),
    }
}
