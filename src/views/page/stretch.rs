//! When a window is open, and when it is not although its schedule says so: stretches of time, each
//! of one kind, in order and without overlap.
//!
//! Pure arithmetic on the calendar's answers. A window of seconds has millions of openings: beyond
//! [`MOST`] they are joined where no eye could part them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{Occurrence, union};
use crate::policy::{Effect, Override, Window};

/// With more openings than that in the time shown, neighbours are joined.
const MOST: usize = 40;

/// What is drawn alike.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    pub kind: Kind,
}

/// Why it is open, or why not.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Open as the config file has it.
    Open,
    /// Open again and again, with breaks that are too short to be shown.
    Often,
    /// Open as the config file has it, and no consumer was paused during it.
    Missed,
    /// Open by an override alone.
    Extra(Arc<Override>),
    /// Closed by an override.
    Skipped(Arc<Override>),
    /// Closed by the exclusion of that name.
    Excluded(Arc<str>),
}

impl Kind {
    /// Whether the window is open.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Open | Self::Often | Self::Missed | Self::Extra(_) => true,
            Self::Skipped(_) | Self::Excluded(_) => false,
        }
    }
}

type Interval = [Timestamp; 2];

/// The stretches of a window that have an instant in `[from, until)`. Breaks shorter than `gap` may
/// be left out where there are many openings.
pub(super) fn stretches(
    window: &Window,
    (from, until): (Timestamp, Timestamp),
    gap: SignedDuration,
) -> Vec<Stretch> {
    let whole: Vec<Occurrence> = (window.schedule.intersecting(from, until))
        .take(MOST + 1)
        .collect();
    if whole.len() > MOST {
        return often(window, [from, until], gap);
    }
    let pieces = whole.iter().flat_map(|one| window.by_file().pieces(*one));
    let by_file = union(pieces.map(|piece| [piece.opens, piece.closes]).collect());
    let scheduled = union(whole.iter().map(|one| [one.opens, one.closes]).collect());
    let spans: Vec<_> = window.overlay().touching(from, until).collect();
    let of_effect = |effect| {
        let spans = spans.iter().filter(move |span| span.effect() == effect);
        union(spans.map(|span| [span.from, span.until]).collect())
    };
    let (paused, run) = (of_effect(Effect::Pause), of_effect(Effect::Run));

    let mut all = Vec::new();
    let mut add = |intervals: Vec<Interval>, kind: &dyn Fn(Timestamp) -> Kind| {
        let within = (intervals.into_iter()).filter(|[begin, end]| *begin < until && from < *end);
        all.extend(within.map(|[from, until]| Stretch {
            from,
            until,
            kind: kind(from),
        }));
    };
    add(minus(&by_file, &run), &|_| Kind::Open);
    let excluded = minus(&minus(&scheduled, &by_file), &paused);
    add(excluded, &|at| Kind::Excluded(exclusion(window, at)));
    for span in &spans {
        let interval = [[span.from, span.until]];
        match span.effect() {
            Effect::Pause => add(minus(&interval, &by_file), &|_| {
                Kind::Extra(span.by.clone())
            }),
            Effect::Run => add(both(&interval, &by_file), &|_| {
                Kind::Skipped(span.by.clone())
            }),
        }
    }
    all.sort_by_key(|stretch| (stretch.from, stretch.until));
    all
}

/// The exclusion that keeps it closed at `at`.
fn exclusion(window: &Window, at: Timestamp) -> Arc<str> {
    let mut exclusions = window.exclusions.iter();
    let excluding = exclusions.find(|one| one.schedule.open_at(at).is_some());
    excluding.map_or_else(|| "an exclusion".into(), |one| one.name.clone())
}

/// Many openings, joined over breaks shorter than `gap`, and over longer ones if that is not
/// enough. Each ends up to one such break late.
fn often(window: &Window, [from, until]: Interval, gap: SignedDuration) -> Vec<Stretch> {
    let mut gap = gap.max(SignedDuration::from_secs(1));
    loop {
        let joined = joined(window, [from, until], gap);
        if joined.len() <= MOST {
            let often = joined.into_iter().map(|[from, until]| Stretch {
                from,
                until,
                kind: Kind::Often,
            });
            return often.collect();
        }
        gap = gap.saturating_mul(2);
    }
}

fn joined(window: &Window, [from, until]: Interval, gap: SignedDuration) -> Vec<Interval> {
    let later = |at: Timestamp| at.checked_add(gap).unwrap_or(Timestamp::MAX).min(until);
    let mut joined: Vec<Interval> = Vec::new();
    let mut next = (window.open_at(from)).or_else(|| window.next_opening_before(from, until));
    while let Some(first) = next.filter(|_| joined.len() <= MOST) {
        let mut end = first.closes;
        while end < until {
            let soon = later(end);
            let covered = window.covered_until(end, soon);
            end = match covered > end {
                true => covered,
                false if window.next_opening_before(end, soon).is_some() => soon,
                false => break,
            };
        }
        joined.push([first.opens, end]);
        next = window.next_opening_before(end, until);
    }
    joined
}

/// The instants of `all` that are in none of `others`, which are in order.
fn minus(all: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    for [mut from, until] in all.iter().copied() {
        for [begin, end] in others.iter().copied().filter(|[begin, _]| *begin < until) {
            if end <= from {
                continue;
            }
            if from < begin {
                left.push([from, begin]);
            }
            from = end;
        }
        if from < until {
            left.push([from, until]);
        }
    }
    left
}

/// The instants that are in both.
fn both(all: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let within = |[from, until]: Interval| {
        let others = others.iter();
        others.map(move |[begin, end]| [from.max(*begin), until.min(*end)])
    };
    let both = all.iter().copied().flat_map(within);
    both.filter(|[from, until]| from < until).collect()
}

#[cfg(test)]
mod tests;
