//! Things to check, the most urgent first, each with the command to type.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{Facts, Level, Trouble};
use crate::config::DEFAULT_PATH;
use crate::consumer::ConsumerId;
use crate::jetstream::Link;
use crate::plan::{DOUBTFUL_SKEW, LOST_SKEW, TRUSTED_SKEW};
use crate::report::{Blank, BucketState, Row};
use crate::text;
use crate::visible::visible;

/// Of many, so many are named.
const NAMED: usize = 3;

/// A thing to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// What it is about: the start of the sentence.
    pub about: String,
    /// What is to be said of that, without a full stop.
    pub text: String,
    /// The command to type.
    pub command: String,
}

/// What is wrong with whatever has something wrong with it.
pub(super) type Troubled<'f> = BTreeMap<Trouble, Vec<(&'f ConsumerId, &'f Row)>>;

/// All of them, the most urgent first.
pub(super) fn problems(facts: &Facts<'_>, troubled: &Troubled<'_>) -> Vec<Problem> {
    let mut all = Vec::new();
    all.extend(link(facts));
    all.extend(stale(facts));
    all.extend(clock(facts));
    unanswered(facts, &mut all);
    for (trouble, consumers) in troubled {
        all.push(consumer_problem(*trouble, consumers, facts));
    }
    // What is over is less urgent than what is.
    lapses(facts, &mut all);
    all.extend(refused(facts));
    overrides(facts, &mut all);
    windows(facts, &mut all);
    lists(facts, &mut all);
    all.extend(dry_run(facts));
    // A stable sort: within a level in the order above.
    all.sort_by_key(|problem| std::cmp::Reverse(problem.level));
    all
}

fn problem(level: Level, about: &str, text: String, command: String) -> Problem {
    Problem {
        level,
        about: visible(about).into_owned(),
        text: visible(&text).into_owned(),
        command: visible(&command).into_owned(),
    }
}

/// A command of recess's, with the config file if that is not where it is looked for anyway.
pub fn with_config(command: &str, facts: &Facts<'_>) -> String {
    let path = facts.config.source.path.display().to_string();
    match path == DEFAULT_PATH {
        true => command.to_owned(),
        false => format!("{command} --config {}", text::shell_argument(&path)),
    }
}

/// The start of a sentence. What a person or a server has named is left as it is.
fn capitalised(subject: &str) -> String {
    match subject.starts_with("stream ") || subject.starts_with("the ") {
        true => subject.replacen(
            ['s', 't'],
            if subject.starts_with('s') { "S" } else { "T" },
            1,
        ),
        false => subject.to_owned(),
    }
}

/// By how much two clocks differ, in a sentence.
pub(super) fn clock_offset(skew: SignedDuration) -> String {
    match skew.abs() < SignedDuration::from_mins(2) {
        true => text::clock_offset(skew),
        false => text::spaced(skew),
    }
}

fn link(facts: &Facts<'_>) -> Option<Problem> {
    let check = with_config("recess check --live", facts);
    match &facts.report.link {
        Link::Up(_) => None,
        Link::Down { reason } if reason.is_empty() => None,
        Link::Down { reason } => Some(problem(
            Level::Bad,
            "NATS",
            format!("is not connected: {reason}; recess reconnects by itself"),
            check,
        )),
        Link::Unsuitable(why) => {
            let text = format!("is unsupported: {why}");
            Some(problem(Level::Bad, "This server", text, check))
        }
    }
}

fn stale(facts: &Facts<'_>) -> Option<Problem> {
    let age = facts.stale_for()?;
    let text = format!("has observed nothing for {}", text::spaced(age));
    let command = "journalctl -u recess -n 50".to_owned();
    Some(problem(Level::Bad, "recess", text, command))
}

fn clock(facts: &Facts<'_>) -> Option<Problem> {
    let report = facts.report;
    let (newest, smooth) = (report.skew?, report.smooth_skew.or(report.skew)?);
    let (level, skew, meaning) = if newest.abs() > LOST_SKEW {
        let meaning = "recess starts and ends no pause until they agree";
        (Level::Bad, newest, meaning)
    } else if newest.abs() > TRUSTED_SKEW {
        let meaning = "recess does not shorten or end pauses until they agree";
        (Level::Look, newest, meaning)
    } else if smooth.abs() > DOUBTFUL_SKEW {
        let meaning = match smooth.is_positive() {
            true => "windows open and close that late",
            false => "windows open and close that early",
        };
        (Level::Look, smooth, meaning)
    } else {
        return None;
    };
    let way = match skew.is_positive() {
        true => "behind",
        false => "ahead of",
    };
    let by = clock_offset(skew);
    let text = format!("is {by} {way} the server's: {meaning}");
    Some(problem(
        level,
        "This host's clock",
        text,
        "timedatectl".to_owned(),
    ))
}

fn unanswered(facts: &Facts<'_>, all: &mut Vec<Problem>) {
    if !facts.is_connected() {
        return;
    }
    let (few, more) = text::first_few(facts.lately.unanswered(), NAMED);
    for failure in few {
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more requests failed"),
        };
        let text = format!("could not be observed: {}{more}", failure.error);
        let command = with_config("recess check --live", facts);
        all.push(problem(
            Level::Bad,
            &capitalised(&failure.subject),
            text,
            command,
        ));
    }
}

fn lapses(facts: &Facts<'_>, all: &mut Vec<Problem>) {
    for lapse in facts.lately.lapses().iter().rev() {
        let closed = lapse.occurrence.map_or_else(String::new, |occurrence| {
            let at = text::beside(occurrence.closes, facts.now, &facts.config.zone);
            format!(" at {at}")
        });
        let (level, text) = match lapse.blank {
            Blank::Missed => (
                Level::Bad,
                format!("was missed: it closed{closed} and no consumer was paused during it"),
            ),
            Blank::Unobserved => (
                Level::Look,
                format!(
                    "closed{closed} and recess did not observe it from opening to close; whether its consumers were paused \
                     is unknown"
                ),
            ),
        };
        let command = "journalctl -u recess -S -24h".to_owned();
        all.push(problem(level, &lapse.window, text, command));
    }
}

fn consumer_problem(
    trouble: Trouble,
    consumers: &[(&ConsumerId, &Row)],
    facts: &Facts<'_>,
) -> Problem {
    let ids: Vec<&ConsumerId> = consumers.iter().map(|(id, _)| *id).collect();
    let text = match consumers {
        [(_, row)] => trouble.of_one(row, facts),
        many => trouble.of_many(many.len()).to_owned(),
    };
    Problem {
        level: trouble.level(),
        about: text::names(&ids, NAMED),
        text: visible(&text).into_owned(),
        command: visible(&with_config(&trouble.command(&ids), facts)).into_owned(),
    }
}

fn refused(facts: &Facts<'_>) -> Option<Problem> {
    let why = facts.refused?;
    let path = facts.config.source.path.display().to_string();
    let text = format!("was rejected, the config before it stays active: {why}");
    let command = with_config("recess check", facts);
    Some(problem(Level::Look, &path, text, command))
}

fn overrides(facts: &Facts<'_>, all: &mut Vec<Problem>) {
    let Some(overrides) = &facts.report.overrides else {
        return;
    };
    match &overrides.state {
        BucketState::Unasked | BucketState::Read => {}
        BucketState::Missing => {
            let bucket = format!("Bucket {}", overrides.bucket);
            let text = "does not exist, so there are no overrides".to_owned();
            let command = with_config("recess overrides create", facts);
            all.push(problem(Level::Look, &bucket, text, command));
        }
        // What every problem of the connection brings with it.
        BucketState::Failed(_) if !facts.is_connected() => {}
        BucketState::Failed(error) => {
            let meanwhile = match overrides.read_at {
                Some(_) => "those read before stay in force",
                None => "recess ends no pause until they are read",
            };
            let text = format!("were not read: {error}; {meanwhile}");
            let command = with_config("recess check --live", facts);
            all.push(problem(Level::Look, "Overrides", text, command));
        }
    }
    let (few, more) = text::first_few(&overrides.read.unreadable, NAMED);
    for one in few {
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more are ignored"),
        };
        let text = format!("is ignored: {}{more}", one.reason);
        let undo = format!("recess undo {}", text::shell_argument(&one.id));
        let about = format!("Override {}", one.id);
        all.push(problem(
            Level::Look,
            &about,
            text,
            with_config(&undo, facts),
        ));
    }
}

fn windows(facts: &Facts<'_>, all: &mut Vec<Problem>) {
    let windows = &facts.report.windows;
    let command = || with_config("recess check --live", facts);
    if facts.config.policy.windows().is_empty() {
        let path = facts.config.source.path.display().to_string();
        let text = "has no window: recess pauses nothing by itself".to_owned();
        let check = with_config("recess check", facts);
        all.push(problem(Level::Look, &path, text, check));
    }
    if !facts.is_connected() {
        return;
    }
    let is_over = |window: &&crate::report::WindowState| {
        facts.open(window).is_none() && facts.next(window).is_none()
    };
    let ahead: Vec<_> = windows.iter().filter(|window| !is_over(window)).collect();
    let without: Vec<_> = (ahead.iter())
        .filter(|window| window.unmatched.is_some() && window.is_without_consumers())
        .map(|window| visible(&window.name))
        .collect();
    if !without.is_empty() {
        let text = match without.len() {
            1 => "matches no consumer: it would pause nothing",
            _ => "match no consumer: they would pause nothing",
        };
        all.push(Problem {
            level: Level::Look,
            about: text::names(&without, NAMED),
            text: text.to_owned(),
            command: command(),
        });
    }
    let unmatched = (ahead.iter()).filter(|window| !window.is_without_consumers());
    let unmatched = unmatched.flat_map(|window| {
        let globs = window.unmatched.iter().flat_map(|globs| globs.iter());
        globs.map(|glob| (&window.name, glob))
    });
    let (few, more) = text::first_few(unmatched, NAMED);
    for (window, glob) in few {
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more selectors match none"),
        };
        let text = format!("has a selector that matches no consumer: {glob}{more}");
        all.push(problem(Level::Look, window, text, command()));
    }
}

fn lists(facts: &Facts<'_>, all: &mut Vec<Problem>) {
    if !facts.is_connected() {
        return;
    }
    let command = || with_config("recess check --live", facts);
    let (few, more) = text::first_few(facts.report.unlisted.iter(), NAMED);
    for failure in few {
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more streams"),
        };
        let text = format!(
            "could not be searched for pauses of recess's that no window names: {}{more}",
            failure.error
        );
        all.push(problem(
            Level::Look,
            &capitalised(&failure.subject),
            text,
            command(),
        ));
    }
    let sentences = facts.report.left_out.sentences();
    let faults = sentences.iter().filter(|sentence| sentence.is_fault());
    let (few, more) = text::first_few(faults, NAMED);
    for fault in few {
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more are left out"),
        };
        // `stream ORDERS: consumer ..`
        let colon = fault.text.find(": ").map_or(0, |at| at + 1);
        let (about, text) = fault.text.split_at(colon);
        let text = format!("{}{more}", text.trim_start());
        all.push(problem(Level::Look, &capitalised(about), text, command()));
    }
}

fn dry_run(facts: &Facts<'_>) -> Option<Problem> {
    facts.is_dry_run().then(|| {
        let text = "sends nothing: this is a dry run".to_owned();
        let command = with_config("recess status", facts);
        problem(Level::Look, "recess", text, command)
    })
}
