//! What is drawn and listed of all windows: as many as fit, those that open next.

use std::sync::Arc;

use jiff::Timestamp;

use super::chart::{Frame, Row};
use super::scale::{Day, Scale, whole};
use super::stretch::{Kind, Stretch, stretches};
use super::{View, words};
use crate::calendar::Schedule;
use crate::policy::{Override, Window};
use crate::report::Blank;
use crate::visible::visible;

/// So many windows are shown.
const MOST_WINDOWS: usize = 20;

/// So many overrides of consumers are drawn.
const MOST_BY_HAND: usize = 6;

/// Openings closer to each other than so many units are joined where there are many.
const JOINED: f64 = 3.0;

/// When windows are open, and when not although their schedules say so.
type Stretches<'v> = Vec<(&'v Window, Vec<Stretch>)>;

/// What is drawn and listed.
pub(super) struct Timeline<'v> {
    /// From the first day to the last.
    pub week: Scale,
    /// The windows in that time, in the order of the file if these are all, else in the order of
    /// opening.
    pub windows: Stretches<'v>,
    /// How many windows are left out.
    pub left_out: usize,
    /// Overrides of consumers, in the order in which they begin.
    pub by_hand: Vec<&'v Arc<Override>>,
}

impl<'v> Timeline<'v> {
    /// Of the policy of the newest report, in these days.
    pub fn of(view: &View<'v>, days: &[Day]) -> Self {
        let week = whole(days, view.facts.now);
        let policy = &view.facts.report.policy;
        let by_hand = policy.overrides().iter().filter(|one| {
            week.shows_some(one.terms.from, one.terms.until) && one.terms.target.window().is_none()
        });
        let mut by_hand: Vec<_> = by_hand.collect();
        // Those that are over come last.
        by_hand.sort_by_key(|one| {
            (
                one.terms.until <= view.facts.now,
                one.terms.from,
                one.sequence,
            )
        });
        by_hand.truncate(MOST_BY_HAND);
        let windows = chosen(view);
        Self {
            left_out: policy.windows().len() - windows.len(),
            windows: drawn(view, windows.into_iter(), week),
            week,
            by_hand,
        }
    }

    /// The rows of the week's chart.
    pub fn rows(&self, view: &View<'_>, frame: &Frame<'_>) -> Vec<Row> {
        self.rows_of(view, frame, &self.windows)
    }

    /// The rows of a chart of another time: of the windows that have something to show in it.
    pub fn busy_rows(&self, view: &View<'_>, frame: &Frame<'_>) -> Vec<Row> {
        let windows = self.windows.iter().map(|(window, _)| *window);
        let mut windows = drawn(view, windows, frame.scale);
        windows.retain(|(_, stretches)| !stretches.is_empty());
        self.rows_of(view, frame, &windows)
    }

    fn rows_of(&self, view: &View<'_>, frame: &Frame<'_>, windows: &Stretches<'_>) -> Vec<Row> {
        let windows = windows.iter().map(|(window, stretches)| {
            frame.window(&visible(&window.name), &below(view, window), stretches)
        });
        let by_hand = (self.by_hand.iter())
            .filter(|one| frame.scale.shows_some(one.terms.from, one.terms.until));
        windows
            .chain(by_hand.map(|one| frame.by_hand(one)))
            .collect()
    }
}

/// The stretches of each window in the time of a scale.
fn drawn<'v>(
    view: &View<'_>,
    windows: impl Iterator<Item = &'v Window>,
    scale: Scale,
) -> Stretches<'v> {
    let gap = scale.time(JOINED);
    let of = |window: &'v Window| {
        let mut all = stretches(window, (scale.from, scale.until), gap);
        mark_missed(view, window, &mut all);
        (window, all)
    };
    windows.map(of).collect()
}

/// Marks the openings in which no consumer was paused.
fn mark_missed(view: &View<'_>, window: &Window, stretches: &mut [Stretch]) {
    let lapses = view.facts.lately.lapses().iter();
    let missed = lapses.filter(|lapse| lapse.window == window.name && lapse.blank == Blank::Missed);
    for occurrence in missed.filter_map(|lapse| lapse.occurrence) {
        let within =
            |one: &&mut Stretch| one.from < occurrence.closes && occurrence.opens < one.until;
        for stretch in stretches.iter_mut().filter(within) {
            if matches!(stretch.kind, Kind::Open) {
                stretch.kind = Kind::Missed;
            }
        }
    }
}

/// What is said below a window's name: its consumers, and where its clocks are.
fn below(view: &View<'_>, window: &Window) -> String {
    let mut parts = vec![visible(&window.selection.to_string()).into_owned()];
    let zone = window.schedule.zone();
    parts.extend((zone != view.zone()).then(|| words::city(zone)));
    parts.extend(is_once(window).then(|| "once".to_owned()));
    parts.join(" · ")
}

/// Whether its times are written down one by one.
pub(super) fn is_once(window: &Window) -> bool {
    matches!(window.schedule, Schedule::Fixed(_))
}

/// All windows; of too many those that are open, then those that open next.
fn chosen<'v>(view: &View<'v>) -> Vec<&'v Window> {
    let facts = &view.facts;
    let all = facts.report.policy.windows();
    let mut chosen: Vec<&Window> = all.iter().map(|window| &**window).collect();
    if chosen.len() > MOST_WINDOWS {
        // What the report knows of openings need not be computed again.
        let states = facts.report.windows.iter();
        let begins: std::collections::HashMap<&str, Timestamp> = states
            .filter_map(|state| {
                let open = facts.open(state).or_else(|| facts.next(state))?;
                Some((&*state.name, open.opens))
            })
            .collect();
        chosen.sort_by_key(|window| {
            let begins = begins.get(&*window.name);
            (begins.is_none(), begins.copied())
        });
        chosen.truncate(MOST_WINDOWS);
    }
    chosen
}
