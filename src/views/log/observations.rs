//! Lines about what recess could not observe, what it leaves out, and selectors that match nothing.

use tracing::{info, warn};

use super::SHOWN_OF_MANY;
use crate::report::{Failure, Sentence};
use crate::text;

pub(super) fn unanswered(failure: &Failure) {
    warn!(
        stream = failure.stream,
        "cannot look at {}: {}; its consumers are left as they are and it is asked again in a few seconds",
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
        "{}: not listed for pauses that no window names: {}",
        text::names(subjects, SHOWN_OF_MANY),
        first.error
    );
}

pub(super) fn unreadable(Sentence { stream, text, .. }: &Sentence) {
    warn!(stream, "{text}");
}

pub(super) fn passed_over(Sentence { stream, text, .. }: &Sentence) {
    info!(stream, "{text}");
}

pub(super) fn empty(window: &str) {
    warn!(
        window,
        "window {window} matches no consumer: check the names in its `consumers`; `recess check --live` suggests similar ones"
    );
}

pub(super) fn unmatched(window: &str, selector: &str) {
    warn!(
        window,
        "window {window}: its selector {selector:?} matches no consumer: check the spelling; `recess check --live` suggests similar names"
    );
}
