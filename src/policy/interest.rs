//! Which consumers are of interest, and what must be asked to see them all.
//!
//! The daemon's interest is what its windows select and what else may carry a pause of recess's; a
//! command line's is what its selectors select. Knows names and kinds of consumers; must not know
//! windows or the server. The invariant: whatever [`Interest::includes`] is asked for by name, or
//! in a stream that is listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::index::Index;
use super::{Selection, Selector};
use crate::consumer::{ConsumerId, Kind};

#[cfg(test)]
mod tests;

/// Which consumers are of interest: those that some selection selects, and some beyond them.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    selections: Vec<Arc<Selections>>,
    beyond: BTreeSet<ConsumerId>,
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

    /// The places of the selections that select a consumer, in order.
    pub fn selecting(&self, id: &ConsumerId, kind: Option<Kind>) -> BTreeSet<usize> {
        self.index.selecting(id, kind)
    }
}

impl Interest {
    /// Interest in what one selection selects.
    ///
    /// ```
    /// use recess::consumer::{ConsumerId, Kind};
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
    /// assert!(!interest.includes(&audit, Some(Kind::Durable)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(selection: Selection) -> Self {
        Self::in_selections(vec![Arc::new(Selections::of(vec![selection]))])
    }

    pub(super) fn in_selections(selections: Vec<Arc<Selections>>) -> Self {
        Self {
            selections,
            beyond: BTreeSet::new(),
        }
    }

    /// The same, and these consumers whatever the selections say.
    pub fn and(mut self, ids: impl IntoIterator<Item = ConsumerId>) -> Self {
        self.beyond.extend(ids);
        self
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
        (by_name.filter(|id| self.is_selected(id, None)))
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

    /// Whether a consumer is of interest. `kind` is `None` for one that does not exist: only its
    /// exact name counts.
    pub fn includes(&self, id: &ConsumerId, kind: Option<Kind>) -> bool {
        self.is_beyond(id) || self.is_selected(id, kind)
    }

    /// Whether one is of interest of which no more than the name is known.
    pub fn may_include(&self, id: &ConsumerId) -> bool {
        self.includes(id, Some(Kind::ASSUMED))
    }

    /// Whether it is of interest whatever the selections say.
    pub fn is_beyond(&self, id: &ConsumerId) -> bool {
        self.beyond.contains(id)
    }

    /// Whether a consumer is left alone for the sole reason that globs are for durable ones.
    pub fn passes_over(&self, id: &ConsumerId, kind: Kind) -> bool {
        let is_wanted = |kind| self.is_selected(id, Some(kind));
        kind != Kind::Durable && !is_wanted(kind) && is_wanted(Kind::Durable)
    }

    fn is_selected(&self, id: &ConsumerId, kind: Option<Kind>) -> bool {
        (self.selections.iter()).any(|one| !one.selecting(id, kind).is_empty())
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
