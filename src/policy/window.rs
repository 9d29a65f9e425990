//! A window: when it is open, less its exclusions and with its overrides, and when those it pauses
//! come back.
//!
//! What cuts an occurrence leaves pieces of it, and each piece is an [`Occurrence`] of its own;
//! everybody else sees pieces only.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::by_file::ByFile;
use super::exclusion::Exclusion;
use super::overlay::Overlay;
use super::overridden::Overridden;
use super::returning::Returning;
use super::{OnLoss, Override, Selection};
use crate::calendar::{Occurrence, Schedule};

/// A named schedule and the consumers it pauses.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its name, unique in the file.
    pub name: Arc<str>,
    /// When it would be open without exclusions.
    pub schedule: Schedule,
    /// What cuts it.
    pub exclusions: Vec<Arc<Exclusion>>,
    /// Over how long a time after its close consumers come back; of whole seconds, zero for at
    /// once.
    pub resume_spread: SignedDuration,
    /// Whom it pauses.
    pub selection: Selection,
    /// What is done before one of them loses messages.
    pub on_loss: OnLoss,
    /// What people decided about it at run time.
    overridden: Option<Overridden>,
}

impl Window {
    /// A window that nothing cuts, and whose consumers come back at its close.
    pub fn new(name: &str, schedule: Schedule, selection: Selection) -> Self {
        Self {
            name: name.into(),
            schedule,
            exclusions: Vec::new(),
            resume_spread: SignedDuration::ZERO,
            selection,
            on_loss: OnLoss::default(),
            overridden: None,
        }
    }

    /// When it is open by the config file, whatever was overridden.
    pub fn by_file(&self) -> ByFile<'_> {
        ByFile {
            schedule: &self.schedule,
            exclusions: &self.exclusions,
            resume_spread: self.resume_spread,
        }
    }

    /// The same window with these overrides on it, and no others. `overrides` in any order.
    pub(super) fn overridden<'o>(
        &self,
        overrides: impl IntoIterator<Item = &'o Arc<Override>>,
    ) -> Self {
        let mut window = self.clone();
        window.overridden = Overridden::of(self.by_file(), overrides);
        window
    }

    /// Whether those are its overrides, and no others.
    pub(super) fn is_overridden_by(&self, overrides: &[&Arc<Override>]) -> bool {
        (self.overridden.as_ref()).is_some_and(|overridden| {
            overridden.overrides.len() == overrides.len()
                && (overridden.overrides.iter().zip(overrides)).all(|(one, other)| one == *other)
        })
    }

    /// The overrides that have the last word on it at some time.
    pub fn overlay(&self) -> &Overlay {
        const NONE: &Overlay = &Overlay::NONE;
        (self.overridden.as_ref()).map_or(NONE, |overridden| &overridden.overlay)
    }

    /// The occurrence that is open at `at`; of several, the one that closes last.
    pub fn open_at(&self, at: Timestamp) -> Option<Occurrence> {
        match &self.overridden {
            None => self.by_file().open_at(at),
            Some(overridden) => overridden.open_at(self.by_file(), at),
        }
    }

    /// The first occurrence that opens after `after`, within ten years; of several, the one that
    /// closes last.
    pub fn next_opening(&self, after: Timestamp) -> Option<Occurrence> {
        self.next_opening_before(after, Timestamp::MAX)
    }

    /// The same, if it opens before `before`: nothing is looked for from there on, which saves much
    /// where exclusions swallow one opening after the other.
    pub fn next_opening_before(&self, after: Timestamp, before: Timestamp) -> Option<Occurrence> {
        match &self.overridden {
            None => self.by_file().next_opening_before(after, before),
            Some(overridden) => overridden.next_opening_before(self.by_file(), after, before),
        }
    }

    /// The first instant from `at` on at which it is not open; nothing is looked for from `enough`
    /// on.
    pub fn covered_until(&self, at: Timestamp, enough: Timestamp) -> Timestamp {
        match &self.overridden {
            None => self.by_file().covered_until(at, enough),
            Some(overridden) => overridden.covered_until(self.by_file(), at, enough),
        }
    }

    /// Every occurrence that has an instant in `[from, until)`, in the order of opening.
    pub fn intersecting(&self, from: Timestamp, until: Timestamp) -> Vec<Occurrence> {
        self.walk(from, until).collect()
    }

    /// The same, one after the other: a year of seconds fits into no memory.
    pub fn walk(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Box<dyn Iterator<Item = Occurrence> + '_> {
        let by_file = self.by_file().walk(from, until);
        match &self.overridden {
            None => Box::new(by_file),
            Some(overridden) => Box::new(overridden.walk(by_file, from, until)),
        }
    }

    /// How consumers come back from the last occurrence that closed at or before `at`, if it
    /// spreads them and some are still to come after `at`. What cuts an occurrence cuts that too.
    pub fn returning(&self, at: Timestamp) -> Option<Returning> {
        match &self.overridden {
            None => self.by_file().returning(at),
            Some(overridden) => overridden.returning(self.by_file(), at),
        }
    }

    /// Whether another window holds its consumers when this one does because it says the same of
    /// times.
    pub fn says_when(&self, other: &Self) -> bool {
        // A calendar's thousands of occurrences are compared with those of another one only.
        let alike = |(one, other): (&Arc<Exclusion>, &Arc<Exclusion>)| {
            Arc::ptr_eq(one, other) || one.schedule.says_the_same(&other.schedule)
        };
        self.schedule.says_the_same(&other.schedule)
            && self.resume_spread == other.resume_spread
            && self.exclusions.len() == other.exclusions.len()
            && self.exclusions.iter().zip(&other.exclusions).all(alike)
    }
}
