//! Which consumers are of interest, and what must be asked to see them all.
//!
//! The daemon's interest is what its windows select and what else may carry a pause of recess's; a
//! command line's is what its selectors select. Knows names, kinds and labels of consumers; must not
//! know windows or the server. The invariant: whatever [`Interest::includes`] is asked for by name, or
//! in a stream that is listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::index::Index;
use super::labels::ExemptKey;
use super::{Policy, Selection, Selector};
use crate::consumer::{Candidate, ConsumerId, LabelKeys};

#[cfg(test)]
mod tests;

/// Which consumers are of interest: those that some selection selects, and some beyond them.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    selections: Vec<Arc<Selections>>,
    beyond: BTreeSet<ConsumerId>,
    /// What of metadata has to be read for it.
    label_keys: LabelKeys,
    /// Which exempt consumers are left out; none of them where it is not said.
    spared: Option<Spared>,
}

/// Which exempt consumers are left out.
#[derive(Clone, Debug)]
struct Spared {
    /// The metadata key by which they are.
    key: ExemptKey,
    /// When they are.
    at: Timestamp,
    /// Also those that are named exactly.
    also_named: bool,
}

/// What of selectors means a consumer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Nothing.
    Nothing,
    /// Its exact name.
    Names,
    /// That, and globs.
    Globs,
}

/// Selections, and where to find those that may select a consumer. The windows of a policy have one
/// each, and so have the overrides that name consumers.
#[derive(Debug, Default)]
pub(super) struct Selections {
    list: Vec<Selection>,
    index: Index,
}

impl Selections {
    pub fn of(list: Vec<Selection>) -> Self {
        Self {
            index: Index::of(&list),
            list,
        }
    }

    /// The places of the selections that select a consumer, in order. `globs` says whether globs
    /// mean it.
    pub fn selecting(&self, candidate: &Candidate<'_>, globs: bool) -> BTreeSet<usize> {
        let mut places = self.naming(candidate.id, globs);
        let admits = |one: &Selection| one.admits(candidate.labels);
        places.retain(|place| self.list.get(*place).is_some_and(admits));
        places
    }

    /// The places of those whose selectors do, whatever its labels.
    pub fn naming(&self, id: &ConsumerId, globs: bool) -> BTreeSet<usize> {
        self.index.naming(id, globs)
    }
}

impl Interest {
    /// Interest in what one selection selects.
    ///
    /// ```
    /// use recess::consumer::{Candidate, ConsumerId};
    /// use recess::policy::{Interest, Selection, Selector};
    ///
    /// let selectors = ["ORDERS/*", "!ORDERS/audit", "EVENTS/mail"].map(Selector::parse);
    /// let selectors = selectors.into_iter().collect::<Result<Vec<_>, _>>()?;
    /// let interest = Interest::of(Selection::new(selectors));
    /// // ORDERS must be listed, and one consumer be asked for by name: all other streams may stay unasked.
    /// assert!(interest.streams().eq(["ORDERS"]));
    /// assert_eq!(interest.named(), ["EVENTS/mail".parse()?].into());
    /// assert!(!interest.needs_stream_names());
    /// let audit: ConsumerId = "ORDERS/audit".parse()?;
    /// assert!(!interest.includes(&Candidate::named(&audit)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(selection: Selection) -> Self {
        Self::in_selections(vec![Arc::new(Selections::of(vec![selection]))])
    }

    pub(super) fn in_selections(selections: Vec<Arc<Selections>>) -> Self {
        Self {
            selections,
            ..Self::default()
        }
    }

    /// The same, with the metadata that the policy asks for.
    pub fn with_labels_of(self, policy: &Policy) -> Self {
        Self {
            label_keys: policy.label_keys().clone(),
            ..self
        }
    }

    /// The same, where globs leave out what is exempt at `now`: what a person may pause.
    pub fn pausable(self, policy: &Policy, now: Timestamp) -> Self {
        self.sparing(policy, now, false)
    }

    /// The same, without what is exempt at `now`, however it is named: what windows may pause.
    pub fn without_exempt(self, policy: &Policy, now: Timestamp) -> Self {
        self.sparing(policy, now, true)
    }

    fn sparing(self, policy: &Policy, at: Timestamp, also_named: bool) -> Self {
        let spared = policy.exempt().map(|key| Spared {
            key: key.clone(),
            at,
            also_named,
        });
        Self {
            spared,
            ..self.with_labels_of(policy)
        }
    }

    /// The same with one selector alone.
    pub fn of_one(&self, selector: Selector) -> Self {
        Self {
            label_keys: self.label_keys.clone(),
            spared: self.spared.clone(),
            ..Self::of(Selection::new(vec![selector]))
        }
    }

    /// The keys of the metadata that decide what is of interest, and what is wanted of it.
    pub fn label_keys(&self) -> &LabelKeys {
        &self.label_keys
    }

    /// The same, and these consumers whatever the selections say.
    pub fn and(mut self, ids: impl IntoIterator<Item = ConsumerId>) -> Self {
        self.beyond.extend(ids);
        self
    }

    /// The same, and what is of interest for another reason.
    pub fn or(mut self, other: Self) -> Self {
        self.selections.extend(other.selections);
        self.and(other.beyond)
    }

    /// The selectors as written, `!` ones too.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let lists = self.selections.iter().flat_map(|one| &one.list);
        lists.flat_map(Selection::selectors)
    }

    /// The consumers to be asked for by name: only so does the server say that one does not exist.
    pub fn named(&self) -> BTreeSet<ConsumerId> {
        let by_name = self.adding().filter_map(Selector::exact);
        // What one selector names, another may take away.
        (by_name.filter(|id| self.is_selected(&Candidate::missing(id), Reach::Names)))
            .chain(self.beyond.iter().cloned())
            .collect()
    }

    /// The streams to be listed whole, as far as selectors name them. May have one twice.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.globs().filter_map(Selector::exact_stream)
    }

    /// Whether the names of all streams are needed, to know which others have to be listed: see
    /// [`Self::lists`].
    pub fn needs_stream_names(&self) -> bool {
        self.globs_over_streams().next().is_some()
    }

    /// Whether a stream of that name has to be listed for a selector with a wildcard in its
    /// stream's part.
    pub fn lists(&self, stream: &str) -> bool {
        self.globs_over_streams()
            .any(|glob| glob.may_match_in(stream))
    }

    /// Whether a consumer is of interest.
    pub fn includes(&self, candidate: &Candidate<'_>) -> bool {
        let reach = self.reach(candidate);
        self.is_beyond(candidate.id) || self.is_selected(candidate, reach)
    }

    /// Whether it is of interest whatever the selections say.
    pub fn is_beyond(&self, id: &ConsumerId) -> bool {
        self.beyond.contains(id)
    }

    /// Whether a consumer is left alone for the sole reason that globs do not mean it: they are for
    /// durable ones, and where it says so for those that are not exempt.
    pub fn passes_over(&self, candidate: &Candidate<'_>) -> bool {
        let reach = self.reach(candidate);
        // Most are meant by globs: to ask about their names and labels would be for nothing.
        reach != Reach::Globs
            && !self.is_selected(candidate, reach)
            && self.is_selected(candidate, Reach::Globs)
    }

    fn reach(&self, candidate: &Candidate<'_>) -> Reach {
        let spared = self.spared.as_ref().filter(|spared| {
            let exempt = spared.key.exempts(candidate.labels);
            exempt.is_some_and(|exempt| exempt.covers(spared.at))
        });
        match spared {
            Some(spared) if spared.also_named => Reach::Nothing,
            Some(_) => Reach::Names,
            None if candidate.is_durable() => Reach::Globs,
            None => Reach::Names,
        }
    }

    fn is_selected(&self, candidate: &Candidate<'_>, reach: Reach) -> bool {
        let globs = reach == Reach::Globs;
        reach != Reach::Nothing
            && (self.selections.iter()).any(|one| !one.selecting(candidate, globs).is_empty())
    }

    /// The selectors without `!`.
    fn adding(&self) -> impl Iterator<Item = &Selector> {
        self.selectors().filter(|selector| !selector.is_negated())
    }

    fn globs(&self) -> impl Iterator<Item = &Selector> {
        self.adding().filter(|selector| selector.exact().is_none())
    }

    fn globs_over_streams(&self) -> impl Iterator<Item = &Selector> {
        self.globs().filter(|glob| glob.exact_stream().is_none())
    }
}
