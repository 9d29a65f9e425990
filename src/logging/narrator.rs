//! What is new in a report, as log lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{error, info, warn};

use super::clock::ClockTold;
use super::decisions::DecisionsTold;
use super::deployment::DeploymentTold;
use super::orphans::OrphansTold;
use super::words::{ONE_BY_ONE, local, past, sentence, tell_some, timing, what_next};
use crate::consumer::{ConsumerId, Found};
use crate::jetstream::{Link, RequestError, Server, Writer};
use crate::ledger::{FIGHT_LIMIT, Repair};
use crate::plan::Verdict;
use crate::report::{Act, Blank, Burst, Pass, Report, Row, Sentence, Topic, Wake};
use crate::text::utc;
use crate::write::Action;

/// A write that was accepted and does not show for so long is an error.
const SHOULD_SHOW: Duration = Duration::from_secs(10);

/// A write that waits for less than that is as good as sent.
const WORTH_TELLING: Duration = Duration::from_millis(500);

/// So many are remembered, where somebody makes ever new ones.
const MOST_LEFT_OUT: usize = 10_000;

const SOMEBODY: &str = "somebody else";

const RELEASE: &str = "to release consumers early, take the window out of the config and reload";

/// Turns reports into log lines.
#[derive(Default)]
pub struct Narrator {
    link: Option<Link>,
    /// The advisories that recess may not hear.
    denied: BTreeSet<String>,
    open: BTreeMap<Arc<str>, Timestamp>,
    missing: BTreeSet<ConsumerId>,
    contested: BTreeSet<ConsumerId>,
    /// Who undid what recess wrote, where it is known.
    undone_by: BTreeMap<ConsumerId, String>,
    /// Whose write waits because somebody undid it before.
    held_back: BTreeSet<ConsumerId>,
    unconfirmed: BTreeSet<ConsumerId>,
    foreign: BTreeSet<ConsumerId>,
    /// In a dry run: what was said that would be done.
    would: BTreeMap<ConsumerId, Verdict>,
    empty: BTreeSet<Arc<str>>,
    /// Globs that match nobody, with their windows.
    idle: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Questions that were not answered, and the streams they were about.
    failures: BTreeSet<(String, Option<String>)>,
    /// Writes that failed, and why.
    problems: BTreeMap<ConsumerId, RequestError>,
    orphans: OrphansTold,
    decisions: DecisionsTold,
    /// Streams whose consumers that globs leave alone were told, and the entries that cannot be used.
    left_out: BTreeSet<(Option<String>, Topic)>,
    clock: ClockTold,
    deployment: DeploymentTold,
    introduced: bool,
    was_connected: bool,
}

impl Narrator {
    /// Says what is new.
    pub fn tell(&mut self, report: &Report) {
        if !std::mem::replace(&mut self.introduced, true) {
            if report.dry_run {
                info!("dry run: nothing is sent, what would be sent is told");
            }
            tell_first(report);
        }
        self.deployment.tell(report);
        self.tell_link(&report.link);
        self.tell_windows(report);
        if let Some(burst) = &report.burst {
            tell_burst(burst);
        }
        let Some(pass) = &report.pass else { return };
        self.tell_failures(pass);
        self.tell_acts(pass, report);
        self.forget_problems(report);
        if report.dry_run {
            self.tell_would(report);
        }
        self.tell_rows(report);
        self.decisions.tell(report);
        self.tell_left_out(report);
        self.tell_clock(report);
        if pass.full && matches!(report.link, Link::Up(_)) && pass.is_ok() {
            self.tell_empty_windows(report);
        }
    }

    fn tell_link(&mut self, link: &Link) {
        if self.link.as_ref() == Some(link) {
            return;
        }
        match link {
            Link::Up(server) if server.crash_prone && !self.is_told(server) => warn!(
                "connected to nats-server {}, which can crash when a consumer is paused while another client asks about \
                 it; allow_crash_prone is set, so one request is sent at a time",
                server.version
            ),
            Link::Up(server) if self.is_told(server) => {}
            Link::Up(server) => info!(
                "connected to nats-server {} at {}",
                server.version, server.address
            ),
            Link::Down { reason } if reason.is_empty() => {}
            Link::Down { reason } => warn!(
                "{reason}; trying again twice a second; pauses that are set end at their deadlines by themselves"
            ),
            // At the first connect it ends the process, and that is told there.
            Link::Unsuitable(_) if !self.was_connected => {}
            Link::Unsuitable(unsuitable) => error!(
                "{unsuitable}; nothing is sent to this server, and it is asked again at the next connect"
            ),
        }
        if let Link::Up(server) = link {
            self.was_connected = true;
            self.tell_denied(&server.denied);
        }
        self.link = Some(link.clone());
    }

    /// Whether this very connection was told.
    fn is_told(&self, server: &Server) -> bool {
        matches!(&self.link, Some(Link::Up(known)) if known.connects == server.connects)
    }

    fn tell_denied(&mut self, denied: &BTreeSet<String>) {
        // The server tells of one at a time, at each connect anew.
        let fresh: Vec<&str> = (denied.difference(&self.denied).map(String::as_str)).collect();
        if !fresh.is_empty() {
            warn!(
                "permission denied to subscribe to {}: what others do to consumers is seen at the next resync only; allow \
                 it for recess's NATS user",
                fresh.join(", ")
            );
            self.denied.extend(denied.iter().cloned());
        }
    }

    fn tell_windows(&mut self, report: &Report) {
        for window in &report.windows {
            let known = self.open.get(&window.name).copied();
            let closes = window.open.map(|open| open.closes);
            match window.blank {
                None => {}
                Some(Blank::Missed) => error!(
                    window = &*window.name,
                    "window {} missed: it closed and no consumer was paused during it; see the errors above",
                    window.name
                ),
                Some(Blank::Unobserved) => warn!(
                    window = &*window.name,
                    "window {} unobserved: it closed and recess did not observe it from opening to close; whether its \
                     consumers were paused is unknown",
                    window.name
                ),
            }
            if known == closes {
                continue;
            }
            match (known, closes) {
                (None, Some(closes)) => info!(
                    window = &*window.name,
                    "window {} is open until {}",
                    window.name,
                    local(report, &window.name, closes)
                ),
                (Some(_), Some(closes)) => info!(
                    window = &*window.name,
                    "window {} goes on until {}",
                    window.name,
                    local(report, &window.name, closes)
                ),
                (_, None) => info!(
                    window = &*window.name,
                    "window {} is closed; it opens next {}",
                    window.name,
                    window.next.map_or_else(
                        || "at no time within ten years".to_owned(),
                        |next| local(report, &window.name, next.opens)
                    )
                ),
            }
            match closes {
                Some(closes) => self.open.insert(window.name.clone(), closes),
                None => self.open.remove(&window.name),
            };
        }
        let names: BTreeSet<&Arc<str>> = report.windows.iter().map(|window| &window.name).collect();
        self.open.retain(|name, _| {
            let stays = names.contains(name);
            if !stays {
                info!(
                    window = &**name,
                    "window {name} removed while open: its consumers resume, unless another window holds them"
                );
            }
            stays
        });
    }

    fn tell_failures(&mut self, pass: &Pass) {
        // A lost connection is told by itself.
        let lost = |error| matches!(error, &RequestError::NotConnected | &RequestError::Cut);
        let now: BTreeSet<(String, Option<String>)> = (pass.failures.iter())
            .filter(|failure| !lost(&failure.error))
            .map(|failure| {
                let line = format!("cannot look at {}: {}", failure.subject, failure.error);
                (line, failure.stream.clone())
            })
            .collect();
        let fresh = now.difference(&self.failures);
        tell_some(fresh, |(line, stream)| {
            warn!(
                stream,
                "{line}; its consumers are left as they are and it is asked again in a few seconds"
            );
        });
        if pass.full {
            self.failures = now;
        } else {
            self.failures.extend(now);
        }
    }

    fn tell_acts(&mut self, pass: &Pass, report: &Report) {
        for action in Action::ALL {
            let done: Vec<&Act> = (pass.acts.iter())
                .filter(|act| act.action == action && act.result.is_ok() && act.repair.is_none())
                .collect();
            if done.len() <= ONE_BY_ONE {
                for act in done {
                    info!(
                        stream = act.id.stream(),
                        consumer = act.id.consumer(),
                        window = only_window(report, &act.id),
                        "{}{}",
                        sentence(act),
                        timing(&[act])
                    );
                }
            } else {
                info!(
                    "{} {} consumers in {} ms{}",
                    past(action),
                    done.len(),
                    pass.took.as_millis(),
                    timing(&done)
                );
            }
        }
        for act in pass.acts.iter().filter(|act| act.repair.is_some()) {
            if let Some(known) = who(act) {
                self.undone_by.insert(act.id.clone(), known);
            }
        }
        self.undone_by.retain(|id, _| report.rows.contains_key(id));
        tell_some(
            pass.acts
                .iter()
                .filter(|act| act.repair.is_some() && act.result.is_ok()),
            |act| {
                let cause = act.repair.map_or("changed", |repair| repair.as_str());
                let known = who(act);
                warn!(
                    stream = act.id.stream(),
                    consumer = act.id.consumer(),
                    window = only_window(report, &act.id),
                    undone_by = known,
                    "{} again: it was {cause} by {}; {RELEASE}",
                    sentence(act),
                    known.as_deref().unwrap_or(SOMEBODY)
                );
            },
        );
        for act in pass.acts.iter().filter(|act| act.result.is_ok()) {
            self.problems.remove(&act.id);
        }
        // A failure that goes on is told once.
        let failed = (pass.acts.iter())
            .filter_map(|act| Some((act, act.result.as_ref().err()?)))
            .filter(|(act, error)| {
                self.problems
                    .insert(act.id.clone(), (*error).clone())
                    .as_ref()
                    != Some(*error)
            });
        let (gone, failed): (Vec<_>, Vec<_>) =
            failed.partition(|(_, error)| **error == RequestError::Missing);
        // Consumers come and go. Where a window names one exactly, that it is missing is told by itself.
        tell_some(gone.iter(), |(act, error)| {
            info!(
                stream = act.id.stream(),
                consumer = act.id.consumer(),
                "{} was not {}: {error}",
                act.id,
                past(act.action)
            );
        });
        tell_some(failed.iter(), |(act, error)| {
            let told = format!("{} was not {}: {error}", act.id, past(act.action));
            let (stream, consumer) = (act.id.stream(), act.id.consumer());
            let window = only_window(report, &act.id);
            match error {
                // Nothing but a person can mend that.
                RequestError::Denied { .. } => {
                    error!(stream, consumer, window, "{told}; {}", what_next(error));
                }
                _ => warn!(stream, consumer, window, "{told}; {}", what_next(error)),
            }
        });
    }

    /// A problem that is over is told again when it comes again.
    fn forget_problems(&mut self, report: &Report) {
        self.problems.retain(|id, _| {
            let row = report.rows.get(id);
            row.is_some_and(|row| row.problem.is_some() || row.found == Found::Unknown)
        });
    }

    fn tell_would(&mut self, report: &Report) {
        let would: BTreeMap<ConsumerId, Verdict> = (report.rows.iter())
            .filter(|(_, row)| row.verdict.action().is_some())
            .map(|(id, row)| (id.clone(), row.verdict))
            .collect();
        let fresh = would
            .iter()
            .filter(|(id, verdict)| self.would.get(*id).is_none_or(|told| told != *verdict));
        tell_some(fresh, |(id, verdict)| {
            let until = verdict
                .deadline()
                .map_or_else(String::new, |until| format!(" until {}", utc(until)));
            info!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                "dry run: would {verdict} {id}{until}"
            );
        });
        self.would = would;
    }

    fn tell_rows(&mut self, report: &Report) {
        let which = |test: &dyn Fn(&Row) -> bool| -> BTreeSet<ConsumerId> {
            (report.rows.iter())
                .filter(|(_, row)| test(row))
                .map(|(id, _)| id.clone())
                .collect()
        };
        let missing = which(&|row| row.found == Found::Missing);
        tell_some(missing.difference(&self.missing), |id| {
            warn!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                "{id} does not exist, and a window names it; it is paused when it appears in an open window"
            );
        });
        self.missing = missing;

        let contested = which(&|row| row.contested);
        tell_some(contested.difference(&self.contested), |id| {
            let known = self.undone_by.get(id).map(String::as_str);
            error!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                undone_by = known,
                "{id} was changed {FIGHT_LIMIT} times against window {}, by {}: recess leaves it alone until the window closes \
                 or the config is reloaded",
                report.windows_of(id).join(", "),
                known.map_or(SOMEBODY, |known| known)
            );
        });
        self.contested = contested;

        // What failed is told with what comes next; here somebody is quicker than it is good for either.
        let held_back = which(&|row| {
            let is_fight = row.problem.is_none() && !row.is_orphan();
            is_fight && row.held_back.is_some_and(|wait| wait >= WORTH_TELLING)
        });
        tell_some(held_back.difference(&self.held_back), |id| {
            let wait = report.rows.get(id).and_then(|row| row.held_back);
            warn!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                "{id} was changed by somebody else again: recess puts it right in {:.0} s, and leaves it alone after the \
                 {FIGHT_LIMIT}th time",
                wait.unwrap_or_default().as_secs_f64().ceil()
            );
        });
        self.held_back = held_back;

        self.orphans.tell(report);

        let unconfirmed = which(&|row| row.unconfirmed.is_some_and(|since| since >= SHOULD_SHOW));
        tell_some(unconfirmed.difference(&self.unconfirmed), |id| {
            error!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                "{id}: the server accepted a write over {} s ago and does not show it; recess keeps looking, and writes it \
                 again at the next resync where that is still called for",
                SHOULD_SHOW.as_secs()
            );
        });
        self.unconfirmed = unconfirmed;

        let foreign = which(&|row| row.verdict == Verdict::Foreign);
        tell_some(foreign.difference(&self.foreign), |id| {
            let until = report
                .rows
                .get(id)
                .and_then(|row| row.found.observation()?.state.deadline());
            info!(
                stream = id.stream(),
                consumer = id.consumer(),
                window = only_window(report, id),
                "{id} is paused by somebody else{}; recess leaves that alone",
                until.map_or_else(String::new, |until| format!(" until {}", utc(until)))
            );
        });
        self.foreign = foreign;
    }

    /// Once a stream, as ephemeral consumers come and go; once an entry that cannot be used.
    fn tell_left_out(&mut self, report: &Report) {
        if self.left_out.len() > MOST_LEFT_OUT {
            self.left_out.clear();
        }
        let fresh: Vec<_> = (report.left_out.sentences().into_iter())
            .filter(|sentence| {
                let told = (sentence.stream.clone(), sentence.topic.clone());
                self.left_out.insert(told)
            })
            .collect();
        let (faults, passed_over): (Vec<_>, Vec<_>) =
            fresh.into_iter().partition(Sentence::is_fault);
        tell_some(faults.iter(), |Sentence { stream, text, .. }| {
            warn!(stream, "{text}");
        });
        tell_some(passed_over.iter(), |Sentence { stream, text, .. }| {
            info!(stream, "{text}");
        });
    }

    fn tell_clock(&mut self, report: &Report) {
        self.clock.tell(report);
        if report
            .pass
            .as_ref()
            .is_some_and(|pass| pass.wake == Wake::Clock)
        {
            info!("the clock was stepped or the host slept: everything was looked at anew");
        }
    }

    fn tell_empty_windows(&mut self, report: &Report) {
        let empty: BTreeSet<Arc<str>> = (report.windows.iter())
            .filter(|window| window.consumers == 0)
            .map(|window| window.name.clone())
            .collect();
        tell_some(empty.difference(&self.empty), |name| {
            warn!(
                window = &**name,
                "window {name} matches no consumer: check the names in its `consumers`"
            );
        });
        self.empty = empty;

        // Of the others: globs that are in vain beside some that are not.
        let idle: BTreeSet<(Arc<str>, Arc<str>)> = (report.windows.iter())
            .filter(|window| window.consumers > 0)
            .flat_map(|window| {
                let globs = window.idle.iter().flat_map(|idle| idle.iter());
                globs.map(|glob| (window.name.clone(), glob.clone()))
            })
            .collect();
        tell_some(idle.difference(&self.idle), |(name, glob)| {
            warn!(
                window = &**name,
                "window {name}: its selector {glob:?} matches no consumer: check the spelling"
            );
        });
        self.idle = idle;
    }
}

/// Who undid what recess wrote, as far as it is known.
fn who(act: &Act) -> Option<String> {
    let heard = act.undone_by.as_ref().map(Writer::to_string);
    if !act.by_same_instance {
        return heard;
    }
    let heard = heard.map_or_else(String::new, |heard| format!(" ({heard})"));
    Some(match act.repair {
        Some(Repair::Resumed) => {
            format!("`recess resume` or another recess with this instance name{heard}")
        }
        _ => format!("another recess with this instance name, which wants otherwise{heard}"),
    })
}

/// At the start, where no window is open: what is waited for.
fn tell_first(report: &Report) {
    if report.windows.iter().any(|window| window.open.is_some()) {
        return;
    }
    let next = (report.windows.iter())
        .filter_map(|window| Some((window, window.next?)))
        .min_by_key(|(_, next)| next.opens);
    // That a file has no windows, or none that opens, is told with what else is doubtful about it.
    if let Some((window, next)) = next {
        info!(
            window = &*window.name,
            "window {} opens next, {}",
            window.name,
            local(report, &window.name, next.opens)
        );
    }
}

/// How far a long burst has come.
fn tell_burst(burst: &Burst) {
    let failed = (burst.acts.iter())
        .filter(|act| act.result.is_err())
        .count();
    let failed = match failed {
        0 => String::new(),
        failed => format!("; of the newest {}, {failed} failed", burst.acts.len()),
    };
    info!(
        "{} of {} requests answered after {} s, the rest in about {} s{failed}",
        burst.done,
        burst.done + burst.left,
        burst.took.as_secs(),
        burst.left_to_wait().as_secs_f64().ceil(),
    );
}

/// The window that a line about this consumer is about, where it follows but one.
fn only_window<'a>(report: &'a Report, id: &ConsumerId) -> Option<&'a str> {
    match report.windows_of(id)[..] {
        [window] => Some(window),
        _ => None,
    }
}
