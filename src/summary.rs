//! The state of everything in a sentence: is all as it should be, until when, what then, and what
//! is to be done.
//!
//! The page and `status --watch` begin with it, so they cannot disagree. Pure: a function of
//! [`Facts`].

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::changes::Lately;
use crate::config::Config;
use crate::consumer::Found;
use crate::jetstream::Link;
use crate::plan::Rule;
use crate::policy::Desired;
use crate::report::{Report, Row, WindowState};

#[cfg(test)]
pub mod example;
mod headline;
mod outlook;
mod problem;
mod prose;
#[cfg(test)]
mod tests;
mod trouble;

pub use problem::{Problem, with_config};
pub use prose::{Piece, Prose};
pub use trouble::Trouble;

use headline::Headline;
use outlook::outlook;
use problem::{Troubled, problems};

/// What a summary rests on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The newest report.
    pub report: &'f Report,
    /// The config in force.
    pub config: &'f Config,
    /// What is wrong with a newer version of the config file, if that was refused.
    pub refused: Option<&'f str>,
    /// What went wrong lately.
    pub lately: &'f Lately,
    /// The time.
    pub now: Timestamp,
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is to be done.
    Ok,
    /// There is something to check in working hours.
    Look,
    /// Consumers are not as they should be, or nothing is known of them.
    Bad,
}

impl Level {
    /// The sign for it, in front of a title.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Look => "▲",
            Self::Bad => "✕",
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Look => "look",
            Self::Bad => "bad",
        }
    }
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How urgent the most urgent of it is.
    pub level: Level,
    /// Is all as it should be? `5 consumers are paused, as scheduled.`
    pub headline: String,
    /// Until when, and what then: `nightly-vacuum is open until 04:00 CET, in 1 h 19 m. Then
    /// nothing before Sat 27 Mar 01:30.`
    pub outlook: Prose,
    /// Both as a title has room for it: `5 paused, nightly-vacuum until 04:00`
    pub short: String,
    /// Things to check, the most urgent first.
    pub problems: Vec<Problem>,
}

impl Summary {
    /// The summary of these facts.
    pub fn of(facts: &Facts<'_>) -> Self {
        let mut counts = Counts::default();
        let mut troubled = Troubled::new();
        for (id, row) in facts.report.rows.iter() {
            counts.count(row);
            if let Some(trouble) = Trouble::of(row, facts) {
                troubled.entry(trouble).or_default().push((id, row));
            }
        }
        let problems = problems(facts, &troubled);
        let headline = Headline::of(facts, &counts, &troubled);
        let worst = problems.iter().map(|problem| problem.level).max();
        Self {
            level: worst.map_or(headline.level, |worst| worst.max(headline.level)),
            headline: headline.sentence,
            outlook: outlook(facts),
            short: headline.short,
            problems,
        }
    }

    /// The title: `✓ 5 paused, nightly-vacuum until 04:00`
    pub fn title(&self) -> String {
        format!("{} {}", self.level.glyph(), self.short)
    }
}

/// How many consumers are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that were observed.
    pub present: usize,
    /// Of these, those that are paused.
    pub paused: usize,
    /// Of these, those that nothing wants paused.
    pub unscheduled: usize,
    /// Those that were released from a pause.
    pub released: usize,
    /// Those that should be paused, however they are.
    pub wanted: usize,
}

impl Counts {
    /// Of these rows.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let mut counts = Self::default();
        rows.into_iter().for_each(|row| counts.count(row));
        counts
    }

    fn count(&mut self, row: &Row) {
        self.wanted += usize::from(matches!(row.desired, Desired::Paused(_)));
        let Found::Present(seen) = &row.found else {
            return;
        };
        self.present += 1;
        self.released += usize::from(row.is_released());
        if seen.state.is_paused() {
            self.paused += 1;
            // Those of recess's that end by themselves in a moment were scheduled.
            let is_ending = matches!(row.rule, Rule::Ending | Rule::Overdue | Rule::Early);
            let is_scheduled = row.desired != Desired::Running || is_ending || row.is_released();
            self.unscheduled += usize::from(!is_scheduled);
        }
    }
}

/// A report is made at least once in `resync`. One that is older than twice that, and this much
/// more for a slow pass, is stale.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

impl Facts<'_> {
    /// Whether requests can be sent.
    pub fn is_connected(&self) -> bool {
        matches!(self.report.link, Link::Up(_))
    }

    /// Whether the config makes it a dry run. The report does not show that: in a command that only
    /// shows what a daemon would do, nothing is ever sent.
    pub fn is_dry_run(&self) -> bool {
        self.config.settings.controller.dry_run
    }

    /// For how long nothing was reported, if that is too long.
    pub fn stale_for(&self) -> Option<SignedDuration> {
        let age = self.now.duration_since(self.report.at);
        let resync = self.config.settings.controller.resync;
        let limit = SignedDuration::try_from(resync * 2).unwrap_or(SignedDuration::MAX);
        (age > limit.saturating_add(PATIENCE)).then_some(age)
    }

    /// The windows that are open now with the occurrences that are; those that close first first.
    pub fn open_windows(&self) -> Vec<(Occurrence, &WindowState)> {
        let windows = self.report.windows.iter();
        let open = windows.filter_map(|window| Some((self.open(window)?, window)));
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|(occurrence, window)| (occurrence.closes, window.name.clone()));
        open
    }

    /// The next occurrence of each window, the next first.
    pub fn next_openings(&self) -> Vec<(Occurrence, &WindowState)> {
        let windows = self.report.windows.iter();
        let next = windows.filter_map(|window| Some((self.next(window)?, window)));
        let mut next: Vec<_> = next.collect();
        next.sort_by_key(|(occurrence, window)| (occurrence.opens, window.name.clone()));
        next
    }

    /// The occurrence of a window that is open now. The report may be some seconds old.
    pub fn open(&self, window: &WindowState) -> Option<Occurrence> {
        let mut both = window.open.into_iter().chain(window.next);
        both.find(|one| one.covers(self.now))
    }

    /// The next occurrence of a window after now.
    pub fn next(&self, window: &WindowState) -> Option<Occurrence> {
        match window.next? {
            next if next.opens > self.now => Some(next),
            // It has opened since the report.
            _ => self
                .report
                .policy
                .window(&window.name)?
                .next_opening(self.now),
        }
    }
}
