//! Lines about this host's clock beside the server's.

use jiff::SignedDuration;
use tracing::{error, info, warn};

use crate::changes::ClockTrust;
use crate::text;

pub(super) fn trust(
    from: ClockTrust,
    to: ClockTrust,
    newest: SignedDuration,
    smooth: SignedDuration,
) {
    match to {
        ClockTrust::Lost => lost(newest),
        ClockTrust::Untrusted => untrusted(newest),
        ClockTrust::Doubtful => doubtful(from, smooth),
        ClockTrust::Right => info!("clock skew ended: this host's clock and the server's agree"),
    }
}

fn lost(newest: SignedDuration) {
    error!(
        "clock skew: this host is {} {} the server, more than 10 minutes: recess starts and ends no pause until they \
         agree; correct this host's clock (`timedatectl` shows it), or the server's",
        text::clock_offset(newest),
        way(newest)
    );
}

fn untrusted(newest: SignedDuration) {
    error!(
        "clock skew: this host is {:.1} s {} the server: recess starts and extends pauses, and does not shorten or end any \
         early until they agree",
        newest.as_secs_f64().abs(),
        way(newest)
    );
}

fn doubtful(from: ClockTrust, smooth: SignedDuration) {
    let when = if smooth.is_positive() {
        "late"
    } else {
        "early"
    };
    let again = match from {
        ClockTrust::Untrusted | ClockTrust::Lost => {
            "; pauses are shortened and ended on time again"
        }
        ClockTrust::Right | ClockTrust::Doubtful => "",
    };
    warn!(
        "clock skew: this host is {:.1} s {} the server: windows open and close that {when}{again}",
        smooth.as_secs_f64().abs(),
        way(smooth)
    );
}

pub(super) fn stepped() {
    info!("clock stepped or host suspended: all consumers re-observed");
}

/// `skew` is the server's clock less this host's.
fn way(skew: SignedDuration) -> &'static str {
    if skew.is_positive() {
        "behind"
    } else {
        "ahead of"
    }
}
