//! Why a consumer should be as it should: what windows and their exclusions have to do with it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::json::{Because, BecauseRow};
use crate::calendar::Occurrence;
use crate::consumer::ConsumerId;
use crate::policy::{Desired, Exclusion, Window};
use crate::text::{self, utc};

/// What one window, or one exclusion of it, has to do with it.
pub struct Reason<'a> {
    pub window: &'a Window,
    pub exclusion: Option<&'a str>,
    /// What the exclusion's calendar calls it.
    pub event: Option<String>,
    pub occurrence: Option<Occurrence>,
    pub effect: &'static str,
}

impl<'a> Reason<'a> {
    /// A window that does not pause it, as it is exempt.
    pub fn exempt(window: &'a Window, at: Timestamp) -> Self {
        Self::kept_off(window, at, "names it, exempt")
    }

    /// A window that does not pause it, as its metadata is not as `where` asks for.
    pub fn unmatched(window: &'a Window, at: Timestamp) -> Self {
        Self::kept_off(window, at, "names it, `where` does not hold")
    }

    fn kept_off(window: &'a Window, at: Timestamp, effect: &'static str) -> Self {
        Self {
            window,
            exclusion: None,
            event: None,
            occurrence: window.open_at(at).or_else(|| window.next_opening(at)),
            effect,
        }
    }

    pub fn row(&self) -> BecauseRow<'a> {
        let exclusion = self.exclusion;
        BecauseRow::File(Because {
            window: exclusion.is_none().then_some(&*self.window.name),
            exclusion,
            event: self.event.clone(),
            opens: self.occurrence.map(|one| utc(one.opens)),
            closes: self.occurrence.map(|one| utc(one.closes)),
            effect: self.effect,
        })
    }
}

/// All that one window has to do with it.
pub fn reasons<'a>(
    window: &'a Window,
    id: &ConsumerId,
    at: Timestamp,
    desired: Desired,
) -> Vec<Reason<'a>> {
    let reason = |occurrence, effect| Reason {
        window,
        exclusion: None,
        event: None,
        occurrence,
        effect,
    };
    // All that the deadline rests on, those too that open before the others have closed.
    let until = match desired {
        Desired::Paused(until) => until,
        Desired::Running | Desired::Tail(_) => at,
    };
    let mut found: Vec<Reason<'_>> = (window.open_at(at).into_iter())
        .chain(
            window
                .intersecting(at, until)
                .into_iter()
                .filter(|piece| piece.opens > at),
        )
        .map(|piece| reason(Some(piece), "pauses"))
        .collect();
    let returning = window
        .returning(at)
        .filter(|returning| returning.of(id) > at);
    if let Some(returning) = returning {
        let just_before = returning
            .closes()
            .checked_sub(jiff::SignedDuration::from_nanos(1));
        let last = just_before.ok().and_then(|at| window.open_at(at));
        found.push(reason(last, "spread"));
    }
    if window.schedule.open_at(at).is_some() {
        let cuts = (window.exclusions.iter()).filter_map(|exclusion| {
            Some(Reason {
                window,
                exclusion: Some(&exclusion.name),
                event: event_at(exclusion, at),
                occurrence: Some(exclusion.schedule.open_at(at)?),
                effect: "cuts",
            })
        });
        found.extend(cuts);
    }
    if found.is_empty() {
        found.push(reason(window.next_opening(at), "names it, closed"));
    }
    found
}

/// What the calendar of an exclusion calls that which lasts at `at`.
fn event_at(exclusion: &Exclusion, at: Timestamp) -> Option<String> {
    const SHOWN: usize = 3;
    let events = exclusion.events.as_ref()?.at(at);
    let names: BTreeSet<&str> = (events.map(|event| &*event.summary))
        .filter(|summary| !summary.is_empty())
        .collect();
    (!names.is_empty()).then(|| text::clauses(names, SHOWN))
}
