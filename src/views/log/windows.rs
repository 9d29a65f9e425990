//! Lines about windows that open and close.

use tracing::{error, info, warn};

use super::words::local;
use crate::calendar::Occurrence;
use crate::report::{Blank, Report};

pub(super) fn opened(report: &Report, window: &str, occurrence: Occurrence, goes_on: bool) {
    let until = local(report, window, occurrence.closes);
    if goes_on {
        info!(window, "window {window} goes on until {until}");
    } else {
        info!(window, "window {window} is open until {until}");
    }
}

pub(super) fn closed(report: &Report, window: &str, next: Option<Occurrence>) {
    let next = next.map_or_else(
        || "at no time within ten years".to_owned(),
        |next| local(report, window, next.opens),
    );
    info!(window, "window {window} is closed; it opens next {next}");
}

pub(super) fn removed(window: &str) {
    info!(
        window,
        "window {window} removed while open: its consumers resume, unless another window holds them"
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
