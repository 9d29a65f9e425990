//! Overrides that were made, undone, or have ended, and whether they can be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Change;
use crate::jetstream::bucket::BucketError;
use crate::overrides::entry::{Undone, Unreadable};
use crate::policy::{Override, OverrideId};
use crate::report::{BucketState, OverridesReport, Report};

/// What happened to an override, or to the bucket that they are in.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideChange {
    /// One counts from now on, at once or from its first instant.
    Made(Arc<Override>),
    /// The first read found one that has not ended: it may have been made long ago.
    Found(Arc<Override>),
    /// One was ended early.
    Undone(Box<Undone>),
    /// One is gone from the bucket before its end, without a word.
    Gone(Arc<Override>),
    /// One has come to its end.
    Ended(Arc<Override>),
    /// A key of the bucket says nothing that can be used.
    Unreadable(Unreadable),
    /// There is no bucket of that name.
    BucketMissing(Arc<str>),
    /// The bucket could not be read.
    BucketUnread {
        /// Its name.
        bucket: Arc<str>,
        /// Why.
        error: BucketError,
        /// It was read before.
        read_before: bool,
    },
    /// The bucket can be read again.
    BucketRead(Arc<str>),
}

pub(super) fn compare(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let mut found = Vec::new();
    derive(before, after, &mut found);
    changes.extend(found.into_iter().map(Change::Override));
}

fn derive(before: Option<&Report>, after: &Report, changes: &mut Vec<OverrideChange>) {
    let Some(now) = &after.overrides else {
        return;
    };
    let before_of = before.and_then(|before| before.overrides.as_ref());
    let before_of = before_of.filter(|before| before.bucket == now.bucket);
    bucket(before_of, now, changes);
    let Some(then) = before_of.filter(|then| then.read_at.is_some()) else {
        found(now, after, changes);
        return;
    };
    let known = |read: &OverridesReport| -> BTreeMap<OverrideId, u64> {
        let live = read.read.live.iter();
        live.map(|one| (one.id.clone(), one.sequence)).collect()
    };
    let (known_then, known_now) = (known(then), known(now));
    for one in &now.read.live {
        if known_then.get(&one.id) != Some(&one.sequence) {
            changes.push(OverrideChange::Made(one.clone()));
        }
    }
    for undone in &now.read.undone {
        if !then.read.undone.iter().any(|known| known.id == undone.id) {
            changes.push(OverrideChange::Undone(Box::new(undone.clone())));
        }
    }
    for one in &then.read.live {
        let is_told = now.read.undone.iter().any(|undone| undone.id == one.id);
        if !known_now.contains_key(&one.id) && !is_told && after.at < one.terms.until {
            changes.push(OverrideChange::Gone(one.clone()));
        }
    }
    // Those that counted until now.
    let since = before.map_or(after.at, |before| before.at);
    for one in &now.read.live {
        if since < one.terms.until && one.terms.until <= after.at {
            changes.push(OverrideChange::Ended(one.clone()));
        }
    }
    for unreadable in &now.read.unreadable {
        if !then.read.unreadable.contains(unreadable) {
            changes.push(OverrideChange::Unreadable(unreadable.clone()));
        }
    }
}

/// What the first read finds.
fn found(now: &OverridesReport, after: &Report, changes: &mut Vec<OverrideChange>) {
    let lasting = now
        .read
        .live
        .iter()
        .filter(|one| after.at < one.terms.until);
    changes.extend(lasting.cloned().map(OverrideChange::Found));
    let unreadable = now.read.unreadable.iter().cloned();
    changes.extend(unreadable.map(OverrideChange::Unreadable));
}

fn bucket(
    before: Option<&OverridesReport>,
    now: &OverridesReport,
    changes: &mut Vec<OverrideChange>,
) {
    let then = before.map(|before| &before.state);
    if then == Some(&now.state) {
        return;
    }
    match &now.state {
        BucketState::Unasked => {}
        BucketState::Missing => changes.push(OverrideChange::BucketMissing(now.bucket.clone())),
        BucketState::Failed(error) => changes.push(OverrideChange::BucketUnread {
            bucket: now.bucket.clone(),
            error: error.clone(),
            read_before: now.read_at.is_some(),
        }),
        BucketState::Read => {
            if matches!(then, Some(BucketState::Missing | BucketState::Failed(_))) {
                changes.push(OverrideChange::BucketRead(now.bucket.clone()));
            }
        }
    }
}
