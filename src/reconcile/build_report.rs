//! The Report: the whole, as it is after a pass, for all views.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::reconciler::Reconciler;
use super::window_coverage::{Seen, Sight, UnmatchedGlobs};
use crate::consumer::Found;
use crate::jetstream::{JetStream, Link};
use crate::plan::Rule;
use crate::policy::Selector;
use crate::report::{Pass, Report, WindowState};

impl<J: JetStream> Reconciler<J> {
    /// What the pass leaves behind, for all views.
    pub fn report(&mut self, pass: Option<Pass>, next_change: Option<Timestamp>) -> Report {
        let now = self.clock.now();
        let link = self.jetstream.link().borrow().clone();
        let windows = self.window_states(now.wall, matches!(link, Link::Up(_)));
        Report {
            at: now.wall,
            link,
            skew: self.skew.newest,
            smooth_skew: self.skew.smooth,
            dry_run: self.dry_run(),
            standby: self.standby.state(),
            policy: self.policy.clone(),
            pass,
            burst: None,
            rows: self.rows.clone(),
            unlisted: self.unlisted.clone(),
            limits_unread: self.limits.unread.clone(),
            left_out: self.left_out.clone(),
            windows,
            overrides: self.overrides.report(),
            next_change,
        }
    }

    /// Each window's globs that match no consumer. Most match the first consumer that they are
    /// tried on, and are tried on no more.
    pub(super) fn unmatched_globs(&self) -> UnmatchedGlobs {
        let windows = self.policy().windows().iter();
        let mut unmatched: HashMap<&str, Vec<&Selector>> = windows
            .map(|window| {
                let globs = (window.selection.selectors().iter())
                    .filter(|selector| !selector.is_negated() && selector.exact().is_none());
                (&*window.name, globs.collect())
            })
            .collect();
        let there = self.rows.iter();
        for (id, row) in there.filter(|(_, row)| row.found != Found::Missing) {
            for name in row.windows.names() {
                if let Some(globs) = unmatched.get_mut(name).filter(|globs| !globs.is_empty()) {
                    globs.retain(|glob| !glob.matches(id));
                }
            }
        }
        let texts = |globs: &[&Selector]| globs.iter().map(|glob| glob.as_str().into()).collect();
        (self.policy().windows().iter())
            .map(|window| {
                let globs = unmatched.get(&*window.name).map(Vec::as_slice);
                (window.name.clone(), texts(globs.unwrap_or_default()))
            })
            .collect()
    }

    /// What was seen of the windows of before, after another config has come into force: one of the
    /// same name is the same.
    pub(super) fn keep_coverage(&mut self) {
        let windows = self.policy.windows().iter();
        let names: HashSet<&str> = windows.map(|window| &*window.name).collect();
        self.coverage.retain(|name, coverage| {
            // When it opens next may be different now.
            coverage.next = None;
            names.contains(&**name)
        });
    }

    /// What the rows come to, window by window; none for one without consumers.
    fn tallies(&self, at: Timestamp) -> HashMap<&str, Tally> {
        let mut tallies: HashMap<&str, Tally> = HashMap::new();
        for row in self.rows.values().filter(|row| row.found != Found::Missing) {
            let deadline = (row.found.observation()).and_then(|seen| seen.state.deadline());
            if row.rule == Rule::LabelsLost {
                for window in row.windows.unmatched() {
                    tallies.entry(&window.name).or_default().paused = true;
                }
            }
            let is_exempt = row.windows.is_exempt(at);
            for name in row.windows.names() {
                let tally = tallies.entry(name).or_default();
                if is_exempt {
                    tally.exempt += 1;
                    continue;
                }
                let unknown = row.found == Found::Unknown;
                tally.consumers += 1;
                tally.unknown |= unknown;
                tally.pausable |= !unknown;
                // Released on purpose is not missed.
                tally.paused |= row.found.is_paused() || row.is_released();
                tally.deadline = tally.deadline.max(deadline);
            }
        }
        tallies
    }

    fn window_states(&mut self, at: Timestamp, is_up: bool) -> Vec<WindowState> {
        let policy = self.policy.clone();
        let is_dry_run = self.dry_run();
        let mut coverages = std::mem::take(&mut self.coverage);
        let tallies = self.tallies(at);
        let states = (policy.windows().iter())
            .map(|window| {
                let open = window.open_at(at);
                let tally = tallies.get(&*window.name).copied().unwrap_or_default();
                let coverage = coverages.entry(window.name.clone()).or_default();
                let blank = coverage.blank(open, at, tally.deadline);
                let sight = Sight {
                    paused: tally.paused,
                    seen: Seen {
                        pausable: tally.pausable,
                        exempt: tally.exempt > 0,
                    },
                    connected: is_up,
                    observed: is_up && !tally.unknown,
                };
                coverage.note(open, at, sight);
                let next = coverage.next_of(window, at);
                WindowState {
                    name: window.name.clone(),
                    open,
                    next,
                    consumers: tally.consumers,
                    exempt: tally.exempt,
                    unmatched: (self.unmatched.as_ref())
                        .and_then(|unmatched| unmatched.get(&window.name).cloned()),
                    blank: blank.filter(|_| !is_dry_run),
                }
            })
            .collect();
        self.coverage = coverages;
        states
    }
}

/// What the rows of a window's consumers come to.
#[derive(Clone, Copy, Default)]
struct Tally {
    consumers: usize,
    /// How many more there would be if they were not exempt.
    exempt: usize,
    /// One of them is known to be there and not exempt.
    pausable: bool,
    /// The state of one of them is not known.
    unknown: bool,
    /// One of them is paused, or was released from its pause; or one that is the window's no more
    /// keeps the pause of it.
    paused: bool,
    /// The latest of their deadlines.
    deadline: Option<Timestamp>,
}
