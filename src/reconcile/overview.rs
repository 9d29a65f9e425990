//! The Report: the whole, as it is after a pass, for everybody who watches.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::reconciler::Reconciler;
use crate::calendar::Occurrence;
use crate::consumer::Found;
use crate::jetstream::{JetStream, Link};
use crate::policy::{Selector, Window};
use crate::report::{Blank, Pass, Report, WindowState};

/// How soon an opening is looked for again that was looked for in vain.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// A first report of an occurrence that comes later after its opening has not seen the opening.
const AT_THE_OPENING: SignedDuration = SignedDuration::from_secs(30);

/// The globs that match no consumer, by window.
pub(super) type IdleGlobs = HashMap<Arc<str>, Arc<[Arc<str>]>>;

/// Whether anybody was paused in a window's occurrence, and whether recess would have seen it.
#[derive(Clone, Copy, Default)]
pub(super) struct Attendance {
    /// The occurrence that was open at the newest report.
    open: Option<Occurrence>,
    somebody_paused: bool,
    /// recess ran and was connected when it opened.
    from_opening: bool,
    /// The newest report knew the state of all of its consumers.
    observed: bool,
    /// There was a report before.
    reported: bool,
    /// The next occurrence, by the newest report, and when it was looked for.
    next: Option<(Timestamp, Option<Occurrence>)>,
}

impl<J: JetStream> Reconciler<J> {
    /// What the pass leaves behind, for everybody who watches.
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
            policy: self.policy.clone(),
            pass,
            burst: None,
            rows: self.rows.clone(),
            unlisted: self.unlisted.clone(),
            left_out: self.left_out.clone(),
            windows,
            next_change,
        }
    }

    /// Each window's globs that match nobody. Most match the first consumer that they are tried on, and are tried on no more.
    pub(super) fn idle_globs(&self) -> IdleGlobs {
        let windows = self.policy().windows().iter();
        let mut idle: HashMap<&str, Vec<&Selector>> = windows
            .map(|window| {
                let globs = (window.selection.selectors().iter())
                    .filter(|selector| !selector.is_negated() && selector.exact().is_none());
                (&*window.name, globs.collect())
            })
            .collect();
        let there = self.rows.iter();
        for (id, row) in there.filter(|(_, row)| row.found != Found::Missing) {
            for name in row.windows.names() {
                if let Some(globs) = idle.get_mut(name).filter(|globs| !globs.is_empty()) {
                    globs.retain(|glob| !glob.matches(id));
                }
            }
        }
        let texts = |globs: &[&Selector]| globs.iter().map(|glob| glob.as_str().into()).collect();
        (self.policy().windows().iter())
            .map(|window| {
                let globs = idle.get(&*window.name).map(Vec::as_slice);
                (window.name.clone(), texts(globs.unwrap_or_default()))
            })
            .collect()
    }

    /// What was seen of the windows of before, after another config has come into force: one of the same name is the same.
    pub(super) fn keep_attendance(&mut self) {
        let windows = self.policy.windows().iter();
        let names: HashSet<&str> = windows.map(|window| &*window.name).collect();
        self.attendance.retain(|name, attendance| {
            // When it opens next may be different now.
            attendance.next = None;
            names.contains(&**name)
        });
    }

    /// What the rows come to, window by window; none for one without consumers.
    fn tallies(&self) -> HashMap<&str, Tally> {
        let mut tallies: HashMap<&str, Tally> = HashMap::new();
        for row in self.rows.values().filter(|row| row.found != Found::Missing) {
            let deadline = (row.found.observation()).and_then(|seen| seen.state.deadline());
            for name in row.windows.names() {
                let tally = tallies.entry(name).or_default();
                tally.consumers += 1;
                tally.unknown |= row.found == Found::Unknown;
                tally.paused |= row.found.is_paused();
                tally.deadline = tally.deadline.max(deadline);
            }
        }
        tallies
    }

    fn window_states(&mut self, at: Timestamp, is_up: bool) -> Vec<WindowState> {
        let policy = self.policy.clone();
        let is_dry_run = self.dry_run();
        let mut attendances = std::mem::take(&mut self.attendance);
        let tallies = self.tallies();
        let states = (policy.windows().iter())
            .map(|window| {
                let open = window.open_at(at);
                let tally = tallies.get(&*window.name).copied().unwrap_or_default();
                let attendance = attendances.entry(window.name.clone()).or_default();
                let blank = attendance.blank(open, at, tally.deadline);
                let sight = Sight {
                    paused: tally.paused,
                    connected: is_up,
                    observed: is_up && !tally.unknown,
                };
                attendance.note(open, at, sight);
                let next = attendance.next_of(window, at);
                WindowState {
                    name: window.name.clone(),
                    open,
                    next,
                    consumers: tally.consumers,
                    idle: (self.idle.as_ref()).and_then(|idle| idle.get(&window.name).cloned()),
                    blank: blank.filter(|_| !is_dry_run),
                }
            })
            .collect();
        self.attendance = attendances;
        states
    }
}

/// What the rows of a window's consumers come to.
#[derive(Clone, Copy, Default)]
struct Tally {
    consumers: usize,
    /// The state of one of them is not known.
    unknown: bool,
    paused: bool,
    /// The latest of their deadlines.
    deadline: Option<Timestamp>,
}

/// What a report sees of a window.
#[derive(Clone, Copy)]
struct Sight {
    /// One of its consumers is paused.
    paused: bool,
    connected: bool,
    /// The state of all of them is known.
    observed: bool,
}

impl Attendance {
    /// The next opening of its window, looked for only where what was found before does not tell: where exclusions swallow
    /// one opening after the other that takes long.
    fn next_of(&mut self, window: &Window, at: Timestamp) -> Option<Occurrence> {
        let (asked, next) = match self.next {
            Some((asked, next)) if asked <= at && at < holds_until(asked, next) => (asked, next),
            _ => (at, window.next_opening(at)),
        };
        self.next = Some((asked, next));
        next
    }

    /// What became of an occurrence that has closed since the newest report without any consumer of it having been seen
    /// paused. A pause lasts until the close, so one that was made while recess did not look for a while would have been
    /// seen after it: what counts is whether recess was there at the opening and up to the close.
    fn blank(
        &self,
        open: Option<Occurrence>,
        at: Timestamp,
        deadline: Option<Timestamp>,
    ) -> Option<Blank> {
        // A reload may have put its close off.
        let is_over = |was: Occurrence| was.closes <= at && opens(open) != Some(was.opens);
        if self.open.is_some_and(is_over) && !self.somebody_paused {
            let watched = self.from_opening && self.observed;
            return Some(if watched {
                Blank::Missed
            } else {
                Blank::Unobserved
            });
        }
        self.skipped(at, deadline).then_some(Blank::Unobserved)
    }

    /// Whether a whole occurrence has passed since the newest report, as when the host slept, and no pause that was
    /// already in force reached into it.
    fn skipped(&self, at: Timestamp, deadline: Option<Timestamp>) -> bool {
        let next = self.next.and_then(|(_, next)| next);
        next.is_some_and(|next| {
            next.closes <= at && deadline.is_none_or(|until| until <= next.opens)
        })
    }

    fn note(&mut self, open: Option<Occurrence>, at: Timestamp, sight: Sight) {
        if opens(self.open) != opens(open) {
            self.somebody_paused = false;
            let in_time = open.is_some_and(|open| at.duration_since(open.opens) <= AT_THE_OPENING);
            self.from_opening = self.reported && sight.connected && in_time;
        }
        self.open = open;
        self.somebody_paused |= open.is_some() && sight.paused;
        self.observed = sight.observed;
        self.reported = true;
    }
}

fn opens(occurrence: Option<Occurrence>) -> Option<Timestamp> {
    occurrence.map(|occurrence| occurrence.opens)
}

/// Until when what was found at `asked` is still the next opening.
fn holds_until(asked: Timestamp, next: Option<Occurrence>) -> Timestamp {
    match next {
        Some(next) => next.opens,
        None => asked.checked_add(AGAIN).unwrap_or(Timestamp::MAX),
    }
}
