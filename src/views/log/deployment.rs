//! Lines about the deployment as a whole.

use std::time::Duration;

use tracing::{info, warn};

use super::words::local;
use crate::report::Report;
use crate::text;

/// If no window is open at the start: which opens next.
pub(super) fn started(report: &Report) {
    if report.dry_run {
        info!("dry run: nothing is sent, what would be sent is logged");
    }
    if let Some(standby) = report.standby {
        info!(
            "standby: the primary is to send each request; this copy sends what it has not sent {} \
             later",
            text::length(standby.delay)
        );
    }
    if report.windows.iter().any(|window| window.open.is_some()) {
        return;
    }
    let next = (report.windows.iter())
        .filter_map(|window| Some((window, window.next?)))
        .min_by_key(|(_, next)| next.opens);
    // That a file has no windows, or none that opens, is reported with the other warnings about it.
    if let Some((window, next)) = next {
        info!(
            window = &*window.name,
            "window {} opens next: {}",
            window.name,
            local(report, &window.name, next.opens)
        );
    }
}

pub(super) fn dry_run(on: bool) {
    if on {
        warn!("dry run switched on: nothing is sent from now on, what would be sent is logged");
    } else {
        info!("dry run switched off: recess pauses and resumes from now on");
    }
}

pub(super) fn took_over(after: Duration) {
    warn!(
        "standby took over: the primary has not sent what was due {} ago; check the primary copy",
        text::length(after)
    );
}

pub(super) fn renamed(from: &str, to: &str, paused: usize) {
    warn!(
        "instance renamed from {from} to {to}: pauses under the old name ({paused}) stay recess's until they end; after a \
         restart they are foreign"
    );
}
