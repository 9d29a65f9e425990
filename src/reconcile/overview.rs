//! The Report: the whole, as it is after a pass, for everybody who watches.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::pass::Reconciler;
use crate::calendar::Occurrence;
use crate::consumer::Found;
use crate::jetstream::JetStream;
use crate::policy::{Selector, Window};
use crate::report::{Pass, Report, WindowState};

/// How soon an opening is looked for again that was looked for in vain.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Whether anybody was paused in a window's occurrence.
#[derive(Clone, Copy, Default)]
pub(super) struct Attendance {
    closes: Option<Timestamp>,
    somebody_paused: bool,
    /// The next occurrence, by the newest report, and when it was looked for.
    next: Option<(Timestamp, Option<Occurrence>)>,
}

impl<J: JetStream> Reconciler<J> {
    /// What the pass leaves behind, for everybody who watches.
    pub fn report(&mut self, pass: Option<Pass>, next_change: Option<Timestamp>) -> Report {
        let now = self.clock.now();
        let windows = self.window_states(now.wall);
        Report {
            at: now.wall,
            link: self.jetstream.link().borrow().clone(),
            skew: self.skew.newest,
            smooth_skew: self.skew.smooth,
            dry_run: self.dry_run(),
            mark: self.policy().mark(),
            pass,
            burst: None,
            rows: self.rows.clone(),
            unlisted: self.orphans.unlisted.clone(),
            left_out: self.left_out.clone(),
            windows,
            next_change,
        }
    }

    /// Each window's globs that match nobody. Most match the first consumer that they are tried on, and are tried on no more.
    pub(super) fn idle_globs(&self) -> Vec<Arc<[Arc<str>]>> {
        let windows = self.policy().windows().iter();
        let mut idle: Vec<Vec<&Selector>> = windows
            .map(|window| {
                let globs = window.selection.selectors().iter();
                globs
                    .filter(|selector| !selector.is_negated() && selector.exact().is_none())
                    .collect()
            })
            .collect();
        let there = self.rows.iter();
        for (id, row) in there.filter(|(_, row)| row.found != Found::Missing) {
            for &index in row.windows.iter() {
                if let Some(globs) = idle.get_mut(index) {
                    globs.retain(|glob| !glob.matches(id));
                }
            }
        }
        let texts = |globs: Vec<&Selector>| globs.iter().map(|glob| glob.as_str().into()).collect();
        idle.into_iter().map(texts).collect()
    }

    fn window_states(&mut self, at: Timestamp) -> Vec<WindowState> {
        let config = self.config.clone();
        let mut consumers = vec![0; config.policy.windows().len()];
        let mut paused = vec![false; consumers.len()];
        let mut deadlines = vec![None; consumers.len()];
        for row in self.rows.values().filter(|row| row.found != Found::Missing) {
            let deadline = (row.found.observation()).and_then(|seen| seen.state.deadline());
            for &index in row.windows.iter() {
                consumers[index] += 1;
                paused[index] |= row.found.is_paused();
                deadlines[index] = deadlines[index].max(deadline);
            }
        }
        let idle = self.idle.as_ref();
        let idle = |index: usize| idle.and_then(|idle| idle.get(index)).cloned();
        (config.policy.windows().iter().zip(&mut self.attendance))
            .zip(consumers.into_iter().zip(paused).zip(deadlines))
            .enumerate()
            .map(
                |(index, ((window, attendance), ((consumers, paused), deadline)))| {
                    let open = window.open_at(at);
                    let missed = attendance.closed_empty(at) || attendance.skipped(at, deadline);
                    attendance.note(open.map(|open| open.closes), paused);
                    let next = attendance.next_of(window, at);
                    WindowState {
                        name: window.name.clone(),
                        open,
                        next,
                        consumers,
                        idle: idle(index),
                        missed: missed && !config.settings.controller.dry_run,
                    }
                },
            )
            .collect()
    }
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

    fn closed_empty(self, at: Timestamp) -> bool {
        !self.somebody_paused && self.closes.is_some_and(|closes| closes <= at)
    }

    /// Whether a whole occurrence has passed since the newest report, as when the host slept, and no pause that was
    /// already in force reached into it.
    fn skipped(self, at: Timestamp, deadline: Option<Timestamp>) -> bool {
        let next = self.next.and_then(|(_, next)| next);
        next.is_some_and(|next| {
            next.closes <= at && deadline.is_none_or(|until| until <= next.opens)
        })
    }

    fn note(&mut self, closes: Option<Timestamp>, paused: bool) {
        let same = self.closes == closes;
        self.closes = closes;
        self.somebody_paused = closes.is_some() && (paused || (same && self.somebody_paused));
    }
}

/// Until when what was found at `asked` is still the next opening.
fn holds_until(asked: Timestamp, next: Option<Occurrence>) -> Timestamp {
    match next {
        Some(next) => next.opens,
        None => asked.checked_add(AGAIN).unwrap_or(Timestamp::MAX),
    }
}
