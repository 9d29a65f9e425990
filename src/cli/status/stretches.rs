//! What lasts now and what comes next: windows that are open, overrides, the next openings.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::Occurrence;
use crate::policy::{Effect, Override, Target, Window};
use crate::summary::Facts;

/// Something that lasts.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// What: a window, or what an override does to which target.
    pub name: String,
    pub from: Timestamp,
    pub until: Timestamp,
    /// Who decided so, and why.
    pub note: Option<String>,
}

impl Stretch {
    /// How much of it is over, in thousandths.
    pub fn elapsed(&self, now: Timestamp) -> usize {
        let whole = self.until.duration_since(self.from).as_millis().max(1);
        let over = now.duration_since(self.from).as_millis().clamp(0, whole);
        usize::try_from(over * 1000 / whole).unwrap_or(0)
    }
}

/// The windows that are open, those that close first first.
pub fn open_windows(facts: &Facts<'_>) -> Vec<Stretch> {
    let open = facts.open_windows().into_iter().map(|(occurrence, state)| {
        let window = facts.report.policy.window(&state.name);
        Stretch {
            name: state.name.to_string(),
            from: occurrence.opens,
            until: occurrence.closes,
            note: window.and_then(|window| Some(credit(holder(window, occurrence)?))),
        }
    });
    open.collect()
}

/// The overrides that hold now, but for those that only hold open a window that is shown as open;
/// in the order in which they were made.
pub fn overrides<'f>(facts: &Facts<'f>) -> Vec<(&'f Arc<Override>, Stretch)> {
    let live = facts
        .report
        .overrides
        .iter()
        .flat_map(|known| &known.read.live);
    let mut active: Vec<&Arc<Override>> = live
        .filter(|one| one.terms.covers(facts.now) && !is_shown_as_window(facts, one))
        .collect();
    active.sort_by_key(|one| one.sequence);
    let stretch = |one: &Arc<Override>| Stretch {
        name: format!("{} {}", one.terms.verb.as_str(), one.terms.target),
        from: one.terms.from,
        until: one.terms.until,
        note: Some(credit(one)),
    };
    active.into_iter().map(|one| (one, stretch(one))).collect()
}

/// The override because of which a window closes when it does.
fn holder(window: &Window, open: Occurrence) -> Option<&Arc<Override>> {
    let instant = SignedDuration::from_nanos(1);
    let last = open.closes.checked_sub(instant).ok()?;
    let span = window.overlay().at(last)?;
    (span.effect() == Effect::Pause).then_some(&span.by)
}

fn is_shown_as_window(facts: &Facts<'_>, one: &Override) -> bool {
    let Target::Window(name) = &one.terms.target else {
        return false;
    };
    let mut windows = facts.report.windows.iter();
    let is_open = windows.any(|state| state.name == *name && facts.open(state).is_some());
    is_open && one.terms.effect == Effect::Pause
}

/// `extended by alice: index rebuild`
fn credit(one: &Arc<Override>) -> String {
    let reason = one.terms.reason.as_deref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{reason}", one.credit())
}
