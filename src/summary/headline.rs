//! Is all as it should be?

use jiff::Timestamp;

use super::problem::{Troubled, clock_offset};
use super::{Counts, Facts, Level, Trouble};
use crate::jetstream::{Link, Unsuitable};
use crate::plan::LOST_SKEW;
use crate::report::Blank;
use crate::text::{self, count as number};
use crate::visible::visible;

/// The answer.
#[derive(Debug)]
pub(super) struct Headline {
    pub level: Level,
    pub sentence: String,
    /// The same as a title has room for it.
    pub short: String,
}

impl Headline {
    /// What matters most comes first: what keeps recess from its work, what it could not do, what
    /// it was not asked to do. Only then is all as scheduled.
    pub fn of(facts: &Facts<'_>, counts: &Counts, troubled: &Troubled<'_>) -> Self {
        (of_link(facts))
            .or_else(|| of_clock(facts))
            .or_else(|| of_losses(troubled))
            .or_else(|| of_consumers(troubled))
            .or_else(|| of_observation(facts))
            .or_else(|| of_lapses(facts))
            .or_else(|| of_config(facts, counts))
            .unwrap_or_else(|| scheduled(facts, counts, troubled))
    }
}

fn headline(level: Level, sentence: impl Into<String>, short: impl Into<String>) -> Headline {
    Headline {
        level,
        sentence: sentence.into(),
        short: short.into(),
    }
}

fn of_link(facts: &Facts<'_>) -> Option<Headline> {
    if let Some(age) = facts.stale_for() {
        let age = text::spaced(age);
        return Some(headline(
            Level::Bad,
            format!("recess has observed nothing for {age}."),
            format!("nothing observed for {age}"),
        ));
    }
    match &facts.report.link {
        Link::Up(_) => None,
        Link::Down { reason } if reason.is_empty() => Some(headline(
            Level::Look,
            "recess is not connected to NATS yet.",
            "not connected yet",
        )),
        Link::Down { .. } => Some(headline(
            Level::Bad,
            "recess is not connected to NATS.",
            "not connected",
        )),
        Link::Unsuitable(Unsuitable::NoPause { version } | Unsuitable::CrashProne { version }) => {
            let version = visible(version);
            Some(headline(
                Level::Bad,
                format!("recess sends nothing to nats-server {version}, which is unsupported."),
                format!("unsupported nats-server {version}"),
            ))
        }
    }
}

fn of_clock(facts: &Facts<'_>) -> Option<Headline> {
    let skew = facts.report.skew.filter(|skew| skew.abs() > LOST_SKEW)?;
    let by = clock_offset(skew);
    Some(headline(
        Level::Bad,
        format!("recess starts and ends no pause: this host's clock is off by {by}."),
        format!("clock off by {by}"),
    ))
}

fn of_losses(troubled: &Troubled<'_>) -> Option<Headline> {
    let count = |trouble| troubled.get(&trouble).map_or(0, Vec::len);
    let (sentence, short) = match (count(Trouble::Losing), count(Trouble::LosesSoon)) {
        (0, 0) => return None,
        (0, soon) => (
            format!("Messages for {} are at risk within 10 m.", consumers(soon)),
            format!("messages of {} at risk", consumers(soon)),
        ),
        (losing, _) => {
            let are = are(losing, "loses", "lose");
            (
                format!("{} {are} messages.", consumers(losing)),
                format!("{} {are} messages", consumers(losing)),
            )
        }
    };
    Some(headline(Level::Bad, sentence, short))
}

fn of_consumers(troubled: &Troubled<'_>) -> Option<Headline> {
    let count = |trouble| troubled.get(&trouble).map_or(0, Vec::len);
    let (unknown, not_paused) = (count(Trouble::Unknown), count(Trouble::NotPaused));
    let still_paused = count(Trouble::StillPaused);
    let other = not_paused + still_paused + count(Trouble::Contested);
    let (sentence, short) = match (other, not_paused, still_paused) {
        (0, _, _) if unknown == 0 => return None,
        (0, _, _) => {
            let unknown = consumers(unknown);
            let sentence = format!("The state of {unknown} is unknown.");
            (sentence, format!("{unknown} unknown"))
        }
        (all, not_paused, _) if all == not_paused => {
            let are = are(all, "runs and should be paused", "run and should be paused");
            (
                format!("{} {are}.", consumers(all)),
                format!("{} not paused", consumers(all)),
            )
        }
        (all, _, still_paused) if all == still_paused => {
            let are = are(all, "is paused and should run", "are paused and should run");
            (
                format!("{} {are}.", consumers(all)),
                format!("{} still paused", consumers(all)),
            )
        }
        (all, _, _) => {
            let are = are(all, "is", "are");
            let sentence = format!("{} {are} not as scheduled.", consumers(all));
            (sentence, format!("{} not as scheduled", consumers(all)))
        }
    };
    Some(headline(Level::Bad, sentence, short))
}

fn of_observation(facts: &Facts<'_>) -> Option<Headline> {
    if !facts.lately.unanswered().is_empty() {
        return Some(headline(
            Level::Bad,
            "recess could not observe all consumers.",
            "not all observed",
        ));
    }
    (!facts.report.is_observed()).then(|| {
        headline(
            Level::Look,
            "recess is connected and has not observed the consumers yet.",
            "not observed yet",
        )
    })
}

fn of_lapses(facts: &Facts<'_>) -> Option<Headline> {
    let mut newest = facts.lately.lapses().iter().rev();
    let missed = newest.find(|lapse| lapse.blank == Blank::Missed)?;
    let window = visible(&missed.window);
    Some(headline(
        Level::Bad,
        format!("Window {window} was missed: no consumer was paused during it."),
        format!("{window} missed"),
    ))
}

fn of_config(facts: &Facts<'_>, counts: &Counts) -> Option<Headline> {
    if facts.is_dry_run() {
        let wanted = counts.wanted;
        let sentence = match wanted {
            0 => "This is a dry run: recess would pause no consumer now.".to_owned(),
            _ => format!(
                "This is a dry run: recess sends nothing. {} would be paused.",
                consumers(wanted)
            ),
        };
        return Some(headline(Level::Look, sentence, "dry run"));
    }
    if counts.paused > 0 {
        return None;
    }
    if facts.config.policy.windows().is_empty() {
        let sentence = "Nothing is scheduled: the config has no window.";
        return Some(headline(Level::Look, sentence, "no windows"));
    }
    (counts.present == 0).then(|| {
        let sentence = "Nothing is paused: no consumer matches any window.";
        headline(Level::Look, sentence, "no consumers")
    })
}

/// All is as it should be, but for what other clients did.
fn scheduled(facts: &Facts<'_>, counts: &Counts, troubled: &Troubled<'_>) -> Headline {
    let Counts {
        present,
        paused,
        unscheduled,
        released,
        ..
    } = *counts;
    let released = among_them(released, "released");
    let exempt = among_them(exempt_from_open(facts), "exempt");
    let at_risk = match troubled.get(&Trouble::LosesLater).map_or(0, Vec::len) {
        0 => String::new(),
        some => format!("; messages of {} are at risk", number(some)),
    };
    let sentence = match (paused, unscheduled) {
        (0, _) if released.is_empty() => {
            let are = are(present, "is", "are");
            format!("{} {are} running, as scheduled", of_all(present, present))
        }
        (0, _) => "No consumer is paused".to_owned(),
        (_, 0) => {
            let are = are(paused, "is", "are");
            format!("{} {are} paused, as scheduled", of_all(paused, present))
        }
        (1, _) => "1 consumer is paused, not as scheduled".to_owned(),
        (_, _) => format!(
            "{} are paused, {} of them not as scheduled",
            consumers(paused),
            number(unscheduled)
        ),
    };
    headline(
        Level::Ok,
        format!("{sentence}{released}{exempt}{at_risk}."),
        format!("{} paused, {}", number(paused), open(facts)),
    )
}

fn among_them(count: usize, what: &str) -> String {
    match count {
        0 => String::new(),
        1 => format!("; 1 is {what}"),
        many => format!("; {} are {what}", number(many)),
    }
}

/// How many consumers an open window would pause if they were not exempt.
fn exempt_from_open(facts: &Facts<'_>) -> usize {
    let now = facts.now;
    let rows = facts.report.rows.values();
    rows.filter(|row| row.windows.is_exempt(now))
        .filter(|row| (row.windows.iter()).any(|window| window.open_at(now).is_some()))
        .count()
}

/// Until when what is open, or when what opens.
fn open(facts: &Facts<'_>) -> String {
    let beside = |at: Timestamp| text::beside(at, facts.now, &facts.config.zone);
    let open = facts.open_windows();
    match open.as_slice() {
        [(one, window)] => format!("{} until {}", visible(&window.name), beside(one.closes)),
        [.., (last, _)] => format!("{} windows until {}", open.len(), beside(last.closes)),
        [] => match facts.next_openings().first() {
            Some((next, _)) => format!("next {}", beside(next.opens)),
            None => "nothing ahead".to_owned(),
        },
    }
}

fn consumers(count: usize) -> String {
    match count {
        1 => "1 consumer".to_owned(),
        many => format!("{} consumers", number(many)),
    }
}

/// So many of all.
fn of_all(count: usize, all: usize) -> String {
    match (count == all, count) {
        (true, 2) => "Both consumers".to_owned(),
        (true, 3..) => format!("All {}", consumers(count)),
        (_, count) => consumers(count),
    }
}

fn are(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}
