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
        ClockTrust::Right => info!("this host's clock and the server's agree again"),
    }
}

fn lost(newest: SignedDuration) {
    error!(
        "clock: this host is {} {} the server, more than 10 minutes: recess begins and ends no pause until they agree; \
         set this host's clock (`timedatectl` shows it), or the server's",
        text::clock_offset(newest),
        way(newest)
    );
}

fn untrusted(newest: SignedDuration) {
    error!(
        "this host's clock is {:.1} s off the server's: until they agree, pauses are begun and lengthened, and not \
         shortened or ended early",
        newest.as_secs_f64()
    );
}

fn doubtful(from: ClockTrust, smooth: SignedDuration) {
    let when = if smooth.is_positive() {
        "late"
    } else {
        "early"
    };
    let again = match from {
        ClockTrust::Untrusted | ClockTrust::Lost => "; it is trusted again",
        ClockTrust::Right | ClockTrust::Doubtful => "",
    };
    warn!(
        "this host's clock is {:.1} s {} the server's: windows open and close that {when}{again}",
        smooth.as_secs_f64().abs(),
        way(smooth)
    );
}

pub(super) fn stepped() {
    info!("the clock was stepped or the host slept: everything was looked at anew");
}

/// `skew` is the server's clock less this host's.
fn way(skew: SignedDuration) -> &'static str {
    if skew.is_positive() {
        "behind"
    } else {
        "ahead of"
    }
}
