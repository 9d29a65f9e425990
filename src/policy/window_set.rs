//! The windows that one consumer follows, what people decided about it, and what its metadata says.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;

use super::labels::Exempt;
use super::overlay::Overlay;
use super::{Effect, Override, Verb, Window};

/// The windows that a consumer follows, in the order of the file; and the overrides that name it
/// (those of a window are the window's own).
///
/// They are the windows themselves, not their places in a policy: a set outlives a reload, and
/// still says what it said. Two sets are equal if they hold the very same windows, which those of
/// two policies never do.
///
/// Cheap to clone: consumers that follow the same share it.
#[derive(Clone, Debug, Default)]
pub struct WindowSet(Option<Arc<Followed>>);

/// What a [`WindowSet`] holds; one without anything holds none.
#[derive(Clone, Debug, Default)]
struct Followed {
    windows: Box<[Arc<Window>]>,
    /// What people decided about the consumer itself; none for most.
    by_hand: Option<Arc<ByHand>>,
    /// What its metadata keeps from it; none for most.
    kept_off: Option<Arc<KeptOff>>,
}

/// What a consumer's metadata keeps from it.
#[derive(Debug, Default, PartialEq)]
struct KeptOff {
    /// All of its windows, for a time or for good.
    exempt: Option<Exempt>,
    /// The windows whose selectors name it, and whose `where` does not hold for it.
    unmatched: Unmatched,
}

/// Windows, of which two sets are equal if they hold the very same.
#[derive(Debug, Default)]
struct Unmatched(Vec<Arc<Window>>);

impl PartialEq for Unmatched {
    fn eq(&self, other: &Self) -> bool {
        are_the_same(&self.0, &other.0)
    }
}

#[derive(Debug)]
struct ByHand {
    overrides: Vec<Arc<Override>>,
    /// Which of them has the last word, and when.
    overlay: Overlay,
    /// An override that would pause the consumer now was taken back.
    was_paused: bool,
}

impl WindowSet {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|window| &*window.name)
    }

    fn by_hand(&self) -> Option<&ByHand> {
        self.0.as_ref()?.by_hand.as_deref()
    }

    fn kept_off(&self) -> Option<&KeptOff> {
        self.0.as_ref()?.kept_off.as_deref()
    }

    /// The same with that changed.
    fn with(self, change: impl FnOnce(&mut Followed)) -> Self {
        let mut followed = self.0.map(Arc::unwrap_or_clone).unwrap_or_default();
        change(&mut followed);
        let Followed {
            windows,
            by_hand,
            kept_off,
        } = &followed;
        let is_any = !windows.is_empty() || by_hand.is_some() || kept_off.is_some();
        Self(is_any.then(|| Arc::new(followed)))
    }

    /// The same windows, and these overrides.
    pub(super) fn with_overrides(self, overrides: Vec<Arc<Override>>, was_paused: bool) -> Self {
        let is_any = !overrides.is_empty() || was_paused;
        let by_hand = is_any.then(|| {
            Arc::new(ByHand {
                overlay: Overlay::of(&overrides),
                overrides,
                was_paused,
            })
        });
        self.with(|followed| followed.by_hand = by_hand)
    }

    /// The same, less what the consumer's metadata keeps from it.
    pub(super) fn keeping_off(self, exempt: Option<Exempt>, unmatched: Vec<Arc<Window>>) -> Self {
        let is_any = exempt.is_some() || !unmatched.is_empty();
        let kept_off = is_any.then(|| {
            Arc::new(KeptOff {
                exempt,
                unmatched: Unmatched(unmatched),
            })
        });
        self.with(|followed| followed.kept_off = kept_off)
    }

    /// The consumer is exempt from its windows by its metadata, now or later on.
    pub fn exempt(&self) -> Option<Exempt> {
        self.kept_off()?.exempt
    }

    /// Whether it is at `at`.
    pub fn is_exempt(&self, at: Timestamp) -> bool {
        self.exempt().is_some_and(|exempt| exempt.covers(at))
    }

    /// From when on its windows count.
    pub(super) fn count_from(&self) -> Timestamp {
        self.exempt().map_or(Timestamp::MIN, |exempt| exempt.until)
    }

    /// The windows whose selectors name the consumer, and whose `where` does not hold for it.
    pub fn unmatched(&self) -> &[Arc<Window>] {
        self.kept_off()
            .map_or(&[], |kept_off| &kept_off.unmatched.0)
    }

    /// The windows as if the `where` of each held: a consumer that was paused when it did stays so
    /// until its deadline.
    pub fn by_name(&self) -> Self {
        let windows = self.iter().chain(self.unmatched()).cloned().collect();
        self.clone().with(|followed| followed.windows = windows)
    }

    /// Whether an override that would pause the consumer now was taken back.
    pub fn was_withdrawn(&self) -> bool {
        self.by_hand().is_some_and(|by_hand| by_hand.was_paused)
    }

    /// Those windows and those overrides of it.
    pub(super) fn filtered(
        &self,
        windows: impl Fn(&Window) -> bool,
        overrides: impl Fn(&Override) -> bool,
    ) -> Self {
        let windows = self.iter().filter(|window| windows(window));
        let overrides = self.overrides().iter().filter(|one| overrides(one));
        let set: Self = windows.cloned().collect();
        let set = set.with_overrides(overrides.cloned().collect(), self.was_withdrawn());
        let kept_off = (self.0.as_ref()).and_then(|followed| followed.kept_off.clone());
        set.with(|followed| followed.kept_off = kept_off)
    }

    /// The overrides that name the consumer.
    pub fn overrides(&self) -> &[Arc<Override>] {
        self.by_hand().map_or(&[], |by_hand| &by_hand.overrides)
    }

    /// The overrides of the windows and of the consumer that have the last word there at some time
    /// in `[from, until]`, in the order in which they were made.
    pub fn overridden_by(&self, from: Timestamp, until: Timestamp) -> Vec<Arc<Override>> {
        let own = self.overlay();
        let of_windows = self
            .iter()
            .flat_map(|window| window.overlay().touching(from, until));
        let all = own.touching(from, until).chain(of_windows);
        let all: BTreeMap<u64, Arc<Override>> = all
            .filter(|span| from < span.until)
            .map(|span| (span.by.sequence, span.by.clone()))
            .collect();
        all.into_values().collect()
    }

    /// Which of the overrides that name the consumer has the last word, and when.
    pub(super) fn overlay(&self) -> &Overlay {
        const NONE: &Overlay = &Overlay::NONE;
        self.by_hand().map_or(NONE, |by_hand| &by_hand.overlay)
    }

    /// Whether nothing holds the consumer at any time: no window, and no override that pauses or
    /// was taken back before its end.
    pub fn is_empty(&self) -> bool {
        let mut effects = self.overrides().iter().map(|one| one.terms.effect);
        <[_]>::is_empty(self)
            && effects.all(|effect| effect == Effect::Run)
            && !self.was_withdrawn()
    }

    /// Whether a person has resumed the consumer for a time that includes `at`.
    pub fn is_resumed(&self, at: Timestamp) -> bool {
        let overlay = self.overlay();
        (overlay.at(at))
            .is_some_and(|span| span.effect() == Effect::Run && span.by.terms.verb == Verb::Resume)
    }
}

impl Deref for WindowSet {
    type Target = [Arc<Window>];

    fn deref(&self) -> &Self::Target {
        (self.0.as_ref()).map_or(&[], |followed| &followed.windows)
    }
}

impl FromIterator<Arc<Window>> for WindowSet {
    fn from_iter<I: IntoIterator<Item = Arc<Window>>>(windows: I) -> Self {
        let windows = windows.into_iter().collect();
        Self::default().with(|followed| followed.windows = windows)
    }
}

impl PartialEq for WindowSet {
    fn eq(&self, other: &Self) -> bool {
        let are_one = match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        are_one
            || are_the_same(self, other)
                && are_the_same(self.overrides(), other.overrides())
                && self.was_withdrawn() == other.was_withdrawn()
                && self.kept_off() == other.kept_off()
    }
}

fn are_the_same<T>(one: &[Arc<T>], other: &[Arc<T>]) -> bool {
    std::ptr::eq(one, other)
        || (one.len() == other.len())
            && (one.iter().zip(other.iter())).all(|(one, other)| Arc::ptr_eq(one, other))
}

impl Eq for WindowSet {}

impl Hash for WindowSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for window in self.iter() {
            Arc::as_ptr(window).hash(state);
        }
        for one in self.overrides() {
            Arc::as_ptr(one).hash(state);
        }
        self.exempt().hash(state);
    }
}
