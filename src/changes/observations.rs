//! What a pass could not observe, what it left out, and selectors that match nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Change;
use crate::jetstream::{Link, RequestError};
use crate::report::{Failure, Pass, Report, Sentence, Topic};

pub(super) fn unanswered(pass: &Pass, changes: &mut Vec<Change>) {
    let is_lost = |error| matches!(error, &RequestError::NotConnected | &RequestError::Cut);
    let mut failures: Vec<Failure> = (pass.failures.iter())
        .filter(|failure| !is_lost(&failure.error))
        .cloned()
        .collect();
    failures.sort_by(|one, other| one.subject.cmp(&other.subject));
    changes.extend(failures.into_iter().map(Change::Unanswered));
}

pub(super) fn left_out(before: Option<&Report>, after: &Report, changes: &mut Vec<Change>) {
    let before = before.map_or_else(Arc::default, |before| before.left_out.clone());
    if *before == *after.left_out {
        return;
    }
    let known: BTreeSet<(Option<String>, Topic)> = (before.sentences().into_iter())
        .map(|sentence| (sentence.stream, sentence.topic))
        .collect();
    let news = (after.left_out.sentences().into_iter())
        .filter(|new| !known.contains(&(new.stream.clone(), new.topic.clone())));
    let (faults, passed_over): (Vec<_>, Vec<_>) = news.partition(Sentence::is_fault);
    changes.extend(faults.into_iter().map(Change::Unreadable));
    changes.extend(passed_over.into_iter().map(Change::PassedOver));
}

/// Of a window without any consumer it is not said which selectors match none: none does.
pub(super) fn selectors(pass: &Pass, after: &Report, changes: &mut Vec<Change>) {
    if !(pass.full && pass.is_ok() && matches!(after.link, Link::Up(_))) {
        return;
    }
    let (empty, others): (Vec<_>, Vec<_>) =
        (after.windows.iter()).partition(|window| window.is_without_consumers());
    changes.extend(
        empty
            .iter()
            .map(|window| Change::Empty(window.name.clone())),
    );
    for window in others {
        let unmatched = window.unmatched.iter().flat_map(|globs| globs.iter());
        changes.extend(unmatched.map(|selector| Change::Unmatched {
            window: window.name.clone(),
            selector: selector.clone(),
        }));
    }
}
