//! Which consumers follow which windows, and what that makes desired at an instant.
//!
//! A [`Policy`] is what a checked config file says of windows, and what people decided about them
//! since: it cannot be wrong any more. Its answer, [`Desired`], is a pure function of the policy
//! and an instant; nothing is remembered between two questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::consumer::{Candidate, ConsumerId, LabelKeys, Mark};

mod by_file;
mod coming;
mod coverage;
mod description;
mod desired_at;
mod event_glob;
mod exclusion;
mod index;
mod interest;
mod labels;
mod losses;
mod merged;
mod on_consumers;
mod on_loss;
mod overlay;
mod overridden;
mod overrides;
mod overriding;
mod pattern;
mod pauses;
mod returning;
mod selector;
#[cfg(test)]
mod tests;
mod timeline;
mod window;
mod window_set;

pub use by_file::ByFile;
pub use desired_at::DesiredAt;
pub use event_glob::EventGlob;
pub use exclusion::{Event, Events, Exclusion};
pub use interest::Interest;
pub use labels::{Condition, Exempt, ExemptKey, LabelPattern, Where};
pub use merged::merged;
pub use on_loss::{LossDefaults, OnLoss};
pub use overlay::{Overlay, Span};
pub use overrides::{Effect, Override, OverrideId, Target, Terms, Verb};
pub use pattern::SelectorError;
pub use pauses::Pause;
pub use returning::Returning;
pub use selector::{Selection, Selector};
pub use timeline::{Opening, OpeningRow};
pub use window::Window;
pub use window_set::WindowSet;

use interest::Selections;
use on_consumers::OnConsumers;

/// What a consumer's state should be. Deadlines are whole seconds, without a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desired {
    /// Delivering.
    Running,
    /// A window has closed and the consumer's own moment of return has not come: a pause of ours
    /// may last until the instant, none is begun.
    Tail(Timestamp),
    /// Held until the instant.
    Paused(Timestamp),
}

impl Desired {
    /// The word that `status` and `explain` print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Tail(_) => "tail",
            Self::Paused(_) => "paused",
        }
    }

    /// Until when, where that is a question.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Running => None,
            Self::Tail(until) | Self::Paused(until) => Some(until),
        }
    }
}

/// The windows of one config file, and how far ahead a deadline may lie.
#[derive(Clone, Debug)]
pub struct Policy {
    instance: Arc<str>,
    is_named: bool,
    mark: Mark,
    max_pause: SignedDuration,
    losses: LossDefaults,
    /// As the file has them.
    by_file: Arc<[Arc<Window>]>,
    /// The same, with their overrides.
    windows: Vec<Arc<Window>>,
    selections: Arc<Selections>,
    overrides: Arc<[Arc<Override>]>,
    on_consumers: OnConsumers,
    exempt: Option<ExemptKey>,
    label_keys: LabelKeys,
}

impl Policy {
    /// Puts windows together. `max_pause` is of whole seconds and at least
    /// [`Policy::SHORTEST_MAX_PAUSE`].
    pub fn new(instance: &str, max_pause: SignedDuration, windows: Vec<Window>) -> Self {
        let windows: Vec<Arc<Window>> = windows.into_iter().map(Arc::new).collect();
        let conditions =
            (windows.iter()).flat_map(|window| window.selection.condition().conditions());
        let label_keys = LabelKeys::new(conditions.map(|condition| condition.key.clone()));
        let selections = windows.iter().map(|window| window.selection.clone());
        Self {
            instance: instance.into(),
            is_named: true,
            mark: Mark::of_instance(instance),
            max_pause,
            losses: LossDefaults::default(),
            selections: Arc::new(Selections::of(selections.collect())),
            by_file: windows.clone().into(),
            windows,
            overrides: Arc::default(),
            on_consumers: OnConsumers::default(),
            exempt: None,
            label_keys,
        }
    }

    /// The same policy, where consumers that have this key are exempt from every window.
    pub fn with_exempt(self, key: ExemptKey) -> Self {
        let keys = self.label_keys.iter().map(Arc::from);
        Self {
            label_keys: LabelKeys::new(keys.chain([key.key()])),
            exempt: Some(key),
            ..self
        }
    }

    /// The metadata key by which consumers are exempt.
    pub fn exempt(&self) -> Option<&ExemptKey> {
        self.exempt.as_ref()
    }

    /// The metadata keys that decide which windows a consumer follows.
    pub fn label_keys(&self) -> &LabelKeys {
        &self.label_keys
    }

    /// The same policy where the file names no instance, so that another deployment may go by the
    /// same name.
    pub fn with_unset_instance(self) -> Self {
        Self {
            is_named: false,
            ..self
        }
    }

    /// Whether the file names the instance.
    pub fn is_named(&self) -> bool {
        self.is_named
    }

    /// Below this a deadline would have to be renewed before the server could be sure to have
    /// applied it.
    pub const SHORTEST_MAX_PAUSE: SignedDuration = SignedDuration::from_secs(20);

    /// The name of this deployment.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The mark on this deployment's deadlines.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The longest time for which a consumer may be held without a further deadline: how far ahead
    /// one may lie.
    pub fn max_pause(&self) -> SignedDuration {
        self.max_pause
    }

    /// The window of that name.
    pub fn window(&self, name: &str) -> Option<&Arc<Window>> {
        self.windows.iter().find(|window| *window.name == *name)
    }

    /// The windows, in the order of the file.
    pub fn windows(&self) -> &[Arc<Window>] {
        &self.windows
    }

    /// The exclusions of the windows, by name.
    pub fn exclusions(&self) -> impl Iterator<Item = &Arc<Exclusion>> {
        let all = self.windows.iter().flat_map(|window| &window.exclusions);
        let by_name: BTreeMap<&str, &Arc<Exclusion>> = all.map(|one| (&*one.name, one)).collect();
        by_name.into_values()
    }

    /// The windows that a consumer follows, the overrides that name it, and what its metadata keeps
    /// from it.
    pub fn windows_of(&self, candidate: &Candidate<'_>) -> WindowSet {
        let places = (self.selections).naming(candidate.id, candidate.is_durable());
        let named = places
            .into_iter()
            .filter_map(|place| self.windows.get(place));
        let (matched, unmatched): (Vec<_>, Vec<_>) =
            (named.cloned()).partition(|window| window.selection.admits(candidate.labels));
        let exempt = (self.exempt.as_ref()).and_then(|key| key.exempts(candidate.labels));
        let by_hand = self.on_consumers.naming(candidate, exempt);
        let was_paused = self.on_consumers.may_have_paused(candidate);
        (matched.into_iter().collect::<WindowSet>())
            .with_overrides(by_hand, was_paused)
            .keeping_off(exempt, unmatched)
    }

    /// The consumers that windows select, overrides that pause, and those that did and were taken
    /// back.
    pub fn interest(&self) -> Interest {
        let pausing = &self.on_consumers.pausing;
        let withdrawn = &self.on_consumers.withdrawn;
        let all = [&self.selections, pausing, withdrawn];
        Interest::in_selections(all.map(Arc::clone).into()).with_labels_of(self)
    }

    /// What a consumer that follows `windows` should be doing at `at`: see [`DesiredAt::desired`].
    ///
    /// ```
    /// use recess::consumer::{Candidate, ConsumerId};
    /// use recess::policy::Desired;
    ///
    /// let toml = r#"
    ///     [[window]]
    ///     name      = "nightly-vacuum"
    ///     consumers = ["ORDERS/*", "!ORDERS/audit"]
    ///     schedule  = "30 2 * * *"
    ///     duration  = "2h"
    ///     timezone  = "Europe/Zurich"
    /// "#;
    /// let policy = recess::config::parse("recess.toml".as_ref(), toml)?.policy;
    /// let billing: ConsumerId = "ORDERS/billing".parse()?;
    /// let windows = policy.windows_of(&Candidate::named(&billing));
    /// // On the night when 02:30 does not exist it opens right after the gap, at 03:00, for two hours.
    /// let desired = policy.desired(&billing, &windows, "2027-03-28T01:30:00Z".parse()?);
    /// assert_eq!(desired, Desired::Paused("2027-03-28T03:00:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn desired(&self, id: &ConsumerId, windows: &WindowSet, at: Timestamp) -> Desired {
        self.desired_at(at).desired_once(id, windows)
    }

    /// The furthest deadline that may be written at `at`.
    pub fn furthest_deadline(&self, at: Timestamp) -> Timestamp {
        let step = self.step();
        let ahead = at.as_second().saturating_add(self.max_pause.as_secs());
        Timestamp::new(ahead.div_euclid(step) * step, 0).unwrap_or(Timestamp::MAX)
    }

    /// The first instant after `at` at which [`Policy::furthest_deadline`] moves on.
    pub fn next_step(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.furthest_deadline(at).as_second() + self.step();
        Timestamp::new(next - self.max_pause.as_secs(), 0).ok()
    }

    fn step(&self) -> i64 {
        (self.max_pause.as_secs() / 2).max(1)
    }
}
