//! `/readyz`: whether the job goes well.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::jetstream::Link;
use crate::report::Report;
use crate::text;

/// How long a loop may be silent. Its longest sleep is 5 s; a request that is never answered takes
/// `request_timeout`.
pub const HANGING: Duration = Duration::from_secs(30);

/// How the job goes.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// The connection.
    pub link: Link,
    /// When the newest full pass without failures ended.
    pub last_good_pass: Option<Instant>,
    /// How far off the clock is, where it is too far off to begin or end anything.
    pub lost_clock: Option<SignedDuration>,
    /// How old that pass may be.
    pub patience: Duration,
}

impl Readiness {
    /// Takes in a report of a loop that observes everything once in `resync`.
    pub fn observe(&mut self, report: &Report, resync: Duration) {
        self.link = report.link.clone();
        self.lost_clock = report.lost_clock();
        self.patience = resync * 2 + HANGING;
        if (report.pass.as_ref()).is_some_and(|pass| pass.full && pass.is_ok()) {
            self.last_good_pass = Some(Instant::now());
        }
    }

    /// Why the job does not go well, if it does not.
    pub fn objection(&self) -> Option<String> {
        if let Some(why) = not_connected(&self.link) {
            return Some(why);
        }
        if let Some(skew) = self.lost_clock {
            return Some(format!(
                "this host's clock is {} off the server's: recess starts and ends no pause until \
                 they agree",
                text::clock_offset(skew)
            ));
        }
        match self.last_good_pass {
            None => Some("connected, but no pass has succeeded yet".to_owned()),
            Some(at) if at.elapsed() > self.patience => Some(format!(
                "no pass has succeeded for {} s",
                at.elapsed().as_secs()
            )),
            Some(_) => None,
        }
    }
}

/// Why there is no server to ask, if there is none.
pub fn not_connected(link: &Link) -> Option<String> {
    match link {
        Link::Down { reason } if reason.is_empty() => Some("not connected yet".to_owned()),
        Link::Down { reason } => Some(reason.clone()),
        Link::Unsuitable(unsuitable) => Some(unsuitable.to_string()),
        Link::Up(_) => None,
    }
}
