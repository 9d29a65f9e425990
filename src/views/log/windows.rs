//! Lines about windows that open and close.

use tracing::{error, info, warn};

use super::words::local;
use crate::calendar::Occurrence;
use crate::report::{Blank, Report};

pub(super) fn opened(report: &Report, window: &str, occurrence: Occurrence, goes_on: bool) {
    let until = local(report, window, occurrence.closes);
    if goes_on {
        info!(window, "window {window} continues until {until}");
    } else {
        info!(window, "window {window} opened until {until}");
    }
}

pub(super) fn closed(report: &Report, window: &str, next: Option<Occurrence>) {
    let next = next.map_or_else(
        || "it has no further opening in the next 10 years".to_owned(),
        |next| format!("next opening {}", local(report, window, next.opens)),
    );
    info!(window, "window {window} closed; {next}");
}

pub(super) fn removed(window: &str) {
    info!(
        window,
        "window {window} removed while open; its consumers resume unless another window pauses them"
    );
}

pub(super) fn blank(window: &str, blank: Blank) {
    match blank {
        Blank::Missed => error!(
            window,
            "window {window} missed: it closed and no consumer was paused during it; see the errors above"
        ),
        Blank::Unobserved => warn!(
            window,
            "window {window} unobserved: it closed and recess did not observe it from opening to close; whether its \
             consumers were paused is unknown"
        ),
    }
}
