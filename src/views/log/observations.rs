//! Lines about what recess could not observe, what it leaves out, and selectors that match nothing.

use tracing::{info, warn};

use super::SHOWN_OF_MANY;
use crate::report::{Failure, Sentence};
use crate::text;

pub(super) fn unanswered(failure: &Failure) {
    warn!(
        stream = failure.stream,
        "{}: cannot be observed: {}; recess leaves its consumers unchanged and retries in a few seconds",
        failure.subject,
        failure.error
    );
}

pub(super) fn unlisted(failures: &[Failure]) {
    let Some(first) = failures.first() else {
        return;
    };
    let subjects = failures.iter().map(|failure| &*failure.subject);
    info!(
        "{}: not listed for orphaned pauses: {}",
        text::names(subjects, SHOWN_OF_MANY),
        first.error
    );
}

pub(super) fn unreadable(Sentence { stream, text, .. }: &Sentence) {
    warn!(stream, "not managed: {text}");
}

pub(super) fn passed_over(Sentence { stream, text, .. }: &Sentence) {
    info!(stream, "not managed: {text}");
}

pub(super) fn empty(window: &str) {
    warn!(
        window,
        "window {window} matches no consumer; check the names in its `consumers`; `recess check --live` suggests similar ones"
    );
}

pub(super) fn unmatched(window: &str, selector: &str) {
    warn!(
        window,
        "window {window} has a selector that matches no consumer: {selector:?}; `recess check --live` suggests similar names"
    );
}
