//! Overrides that name consumers, and which of them name one.

use std::sync::Arc;

use jiff::Timestamp;

use super::interest::Selections;
use super::labels::Exempt;
use super::{Effect, Override, Selection, Target, Terms};
use crate::consumer::Candidate;

/// The overrides that name consumers.
#[derive(Clone, Debug, Default)]
pub(super) struct OnConsumers {
    pub overrides: Vec<Arc<Override>>,
    /// In the same order.
    selections: Arc<Selections>,
    /// Of those that pause and have not ended.
    pub pausing: Arc<Selections>,
    /// Of those that paused, would not have ended yet, and were taken back.
    pub withdrawn: Arc<Selections>,
}

impl OnConsumers {
    /// `overrides` in the order in which they were made.
    pub fn of(overrides: &[(&Arc<Override>, &Selection)], now: Timestamp) -> Self {
        let pauses = |one: &Override| one.terms.effect == Effect::Pause && now < one.terms.until;
        let pausing = overrides.iter().filter(|(one, _)| pauses(one));
        let selections =
            |list: Vec<&Selection>| Arc::new(Selections::of(list.into_iter().cloned().collect()));
        Self {
            pausing: selections(pausing.map(|(_, selection)| *selection).collect()),
            selections: selections(overrides.iter().map(|(_, selection)| *selection).collect()),
            overrides: overrides.iter().map(|(one, _)| (*one).clone()).collect(),
            withdrawn: Arc::default(),
        }
    }

    /// The same, where these may have paused consumers before they were taken back.
    pub fn after_withdrawing(self, withdrawn: &[Arc<Override>], now: Timestamp) -> Self {
        let paused = |one: &Override| one.terms.effect == Effect::Pause && now < one.terms.until;
        let selections = (withdrawn.iter())
            .filter(|one| paused(one))
            .filter_map(|one| match &one.terms.target {
                Target::Consumers(selection) => Some(selection.clone()),
                Target::Window(_) => None,
            });
        Self {
            withdrawn: Arc::new(Selections::of(selections.collect())),
            ..self
        }
    }

    /// What those select that begin or end in `[from, until]`, or last where a deadline `steps` on.
    pub fn changing(
        &self,
        from: Timestamp,
        until: Timestamp,
        steps: bool,
    ) -> impl Iterator<Item = Selection> {
        let span = from..=until;
        let all = self.overrides.iter().map(|one| &one.terms);
        let changing = all.filter(move |terms| {
            span.contains(&terms.from)
                || span.contains(&terms.until)
                || (steps && terms.from < from && until < terms.until)
        });
        changing.filter_map(|terms| match &terms.target {
            Target::Consumers(selection) => Some(selection.clone()),
            Target::Window(_) => None,
        })
    }

    /// Whether one that was taken back may have paused a consumer.
    pub fn may_have_paused(&self, candidate: &Candidate<'_>) -> bool {
        !(self.withdrawn.naming(candidate.id, candidate.is_durable())).is_empty()
    }

    /// Those that name a consumer, in the order in which they were made. One that is exempt they
    /// name by its exact name; what globs say of it counts from the end of that.
    pub fn naming(&self, candidate: &Candidate<'_>, exempt: Option<Exempt>) -> Vec<Arc<Override>> {
        if self.overrides.is_empty() {
            return Vec::new();
        }
        let places = (self.selections).naming(candidate.id, candidate.is_durable());
        (places.into_iter())
            .filter_map(|place| self.overrides.get(place))
            .filter_map(|one| match (exempt, &one.terms.target) {
                (Some(exempt), Target::Consumers(selection))
                    if !selection.has_exactly(candidate.id) =>
                {
                    from(one, exempt.until)
                }
                (_, Target::Consumers(_) | Target::Window(_)) => Some(one.clone()),
            })
            .collect()
    }
}

/// What is left of an override from an instant on.
fn from(one: &Arc<Override>, from: Timestamp) -> Option<Arc<Override>> {
    if one.terms.from >= from {
        return Some(one.clone());
    }
    let rest = || Override {
        terms: Terms {
            from,
            ..one.terms.clone()
        },
        ..Override::clone(one)
    };
    (from < one.terms.until).then(|| Arc::new(rest()))
}
