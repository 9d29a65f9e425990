//! What is said of this host's clock beside the server's, once each: the limits for saying that it is well again lie below
//! those for saying that it is not, so that a clock on the edge does not fill the log.

use jiff::SignedDuration;
use tracing::{error, info, warn};

use crate::plan::{DOUBTFUL_SKEW, LOST_SKEW, TRUSTED_SKEW};
use crate::report::Report;

/// A clock that was doubtful and is closer than that is well again.
const WELL: SignedDuration = SignedDuration::from_millis(500);

/// A clock that could not be trusted and is closer than that is trusted again.
const TRUSTED_AGAIN: SignedDuration = SignedDuration::from_secs(29);

/// A clock that was lost and is closer than that is found again.
const FOUND_AGAIN: SignedDuration = SignedDuration::from_secs(590);

/// What was said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClockTold {
    #[default]
    Well,
    Doubtful,
    Untrusted,
    Lost,
}

impl ClockTold {
    pub fn tell(&mut self, report: &Report) {
        let (Some(newest), Some(smooth)) = (report.skew, report.smooth_skew) else {
            return;
        };
        let now = self.next(newest.abs(), smooth.abs());
        let before = std::mem::replace(self, now);
        if before == now {
            return;
        }
        let way = if newest.is_positive() {
            "behind"
        } else {
            "ahead of"
        };
        match now {
            Self::Lost => error!(
                "clock: this host is {:#} {way} the server, more than 10 minutes: recess begins and ends no pause until they \
                 agree; set this host's clock (`timedatectl` shows it), or the server's",
                SignedDuration::from_secs(newest.as_secs().abs())
            ),
            Self::Untrusted => error!(
                "this host's clock is {:.1} s off the server's: until they agree, pauses are begun and lengthened, and not \
                 shortened or ended early",
                newest.as_secs_f64()
            ),
            Self::Doubtful => {
                let off = smooth.as_secs_f64();
                let way = if off > 0.0 { "behind" } else { "ahead of" };
                let when = if off > 0.0 { "late" } else { "early" };
                let again = match before {
                    Self::Untrusted | Self::Lost => "; it is trusted again",
                    Self::Well | Self::Doubtful => "",
                };
                warn!(
                    "this host's clock is {:.1} s {way} the server's: windows open and close that {when}{again}",
                    off.abs()
                );
            }
            Self::Well => info!("this host's clock and the server's agree again"),
        }
    }

    /// By the newest sample where trust is concerned, as the guard goes by it too, and by the mean otherwise.
    fn next(self, newest: SignedDuration, smooth: SignedDuration) -> Self {
        let trusted = match self {
            Self::Untrusted | Self::Lost => TRUSTED_AGAIN,
            Self::Well | Self::Doubtful => TRUSTED_SKEW,
        };
        let lost = match self {
            Self::Lost => FOUND_AGAIN,
            Self::Well | Self::Doubtful | Self::Untrusted => LOST_SKEW,
        };
        let well = match self {
            Self::Well => DOUBTFUL_SKEW,
            Self::Doubtful | Self::Untrusted | Self::Lost => WELL,
        };
        if newest > lost {
            Self::Lost
        } else if newest > trusted {
            Self::Untrusted
        } else if smooth > well {
            Self::Doubtful
        } else {
            Self::Well
        }
    }
}
