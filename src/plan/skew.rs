//! How far the server's clock is from this host's: by the newest reply, and smoothed for metrics
//! and alerts.
//!
//! The server read its clock between our question and its answer, so a sample is an interval as
//! long as the answer took. A short one shows the clock; a long one (a slow network, a list for
//! which a cluster waited) only what cannot be. The guard must not wait, so it goes by the newest;
//! a graph or an alert must not jump, so they go by the mean of the last few.

use jiff::{SignedDuration, Timestamp};

/// How much of what is new a sample brings into the mean: one part in so many.
const WEIGHT: i32 = 4;

/// A sample that is further from the mean than answers can be late is no jitter: a clock was
/// stepped.
const STEP: SignedDuration = SignedDuration::from_secs(1);

/// A reply that took no longer than this shows the clock.
const SHARP: SignedDuration = SignedDuration::from_secs(2);

/// What one answer says of the server's clock less ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    low: SignedDuration,
    high: SignedDuration,
    /// The best guess between the two.
    best: SignedDuration,
}

impl ClockSample {
    /// An answer with that time of the server's, to a question sent and answered at these times of
    /// ours; `guess` is when the server most likely read its clock.
    pub fn of(server: Timestamp, sent: Timestamp, received: Timestamp, guess: Timestamp) -> Self {
        Self {
            low: server.duration_since(received),
            high: server.duration_since(sent),
            best: server.duration_since(guess),
        }
    }

    /// Whether it shows the clock.
    pub fn is_sharp(&self) -> bool {
        self.high - self.low <= SHARP
    }

    /// Of two of one pass, the one that shows more; of equals the later.
    pub fn or_better(self, later: Option<Self>) -> Self {
        match later {
            Some(later) if later.is_sharp() || !self.is_sharp() => later,
            _ => self,
        }
    }
}

/// The server's clock less ours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skew {
    /// By the newest reply that showed it.
    pub newest: Option<SignedDuration>,
    /// The mean of the last few, since the last step.
    pub smooth: Option<SignedDuration>,
}

impl Skew {
    /// The server's clock when ours shows `ours`, as far as it is known.
    pub fn server_time(&self, ours: Timestamp) -> Timestamp {
        ours.checked_add(self.newest.unwrap_or_default())
            .unwrap_or(ours)
    }

    /// Our clock was stepped: what was known of the difference holds no more. (The mean follows
    /// with the next sample.)
    pub fn forget(&mut self) {
        self.newest = None;
    }

    /// Takes in a sample. One that does not show the clock counts where it contradicts what is
    /// known, and before anything is known where it contradicts that the clocks agree.
    pub fn take(&mut self, sample: ClockSample) {
        if sample.is_sharp() {
            return self.set(sample.best);
        }
        let known = self.newest.unwrap_or_default();
        let possible = known.clamp(sample.low, sample.high);
        if self.newest.is_none() || possible != known {
            self.set(possible);
        }
    }

    /// Takes a difference for what it is.
    pub fn set(&mut self, sample: SignedDuration) {
        self.newest = Some(sample);
        self.smooth = Some(match self.smooth {
            Some(mean) if (sample - mean).abs() <= STEP => mean + (sample - mean) / WEIGHT,
            _ => sample,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(samples: &[i64]) -> (i64, i64) {
        let mut skew = Skew::default();
        for sample in samples {
            skew.set(SignedDuration::from_millis(*sample));
        }
        let milliseconds = |skew: Option<SignedDuration>| skew.unwrap().as_millis() as i64;
        (milliseconds(skew.newest), milliseconds(skew.smooth))
    }

    #[test]
    fn the_newest_is_what_it_is_and_jitter_is_smoothed() {
        assert_eq!(after(&[20]), (20, 20));
        assert_eq!(after(&[0, 400]), (400, 100));
        let (newest, smooth) = after(&[0, 400, 0, 400, 0, 400, 0, 400, 0, 400, 0, 400]);
        assert_eq!(newest, 400);
        assert!((100..=300).contains(&smooth), "{smooth}");
    }

    #[test]
    fn a_step_is_followed_at_once_and_a_drift_in_a_while() {
        assert_eq!(after(&[0, 0, 0, -40_000]), (-40_000, -40_000));
        assert_eq!(after(&[-40_000, -40_000, 10]), (10, 10));
        let (_, smooth) = after(&[0, 900, 900, 900, 900, 900, 900, 900, 900, 900]);
        assert!(smooth > 800, "{smooth}");
    }

    #[test]
    fn an_answer_that_took_long_tells_only_what_cannot_be() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        // The server's clock is right, and read it as it liked between our question and its answer.
        let slow = |read: i64| ClockSample::of(at(read), at(0), at(4), at(4));
        assert!(!slow(0).is_sharp());
        let known = |ahead: i64, sample| {
            let mut skew = Skew::default();
            skew.set(SignedDuration::from_secs(ahead));
            skew.take(sample);
            skew.newest.unwrap().as_secs()
        };
        for read in 0..=4 {
            assert_eq!(known(0, slow(read)), 0, "that it agrees is possible");
        }
        assert_eq!(known(40, slow(1)), 1, "it is at most one second ahead");
        assert_eq!(known(-40, slow(1)), -3, "and at most three behind");
        let first = |sample| {
            let mut skew = Skew::default();
            skew.take(sample);
            skew.newest.unwrap().as_secs()
        };
        for read in 0..=4 {
            assert_eq!(first(slow(read)), 0, "nothing says that they differ");
        }
        assert_eq!(first(slow(44)), 40, "it is at least 40 s behind");
        assert_eq!(first(slow(-40)), -40, "or ahead");
        // Of one pass the sharp one counts, whichever came first.
        let sharp = ClockSample::of(at(1), at(0), at(1), at(1));
        assert!(sharp.is_sharp());
        assert_eq!(sharp.or_better(Some(slow(0))), sharp);
        assert_eq!(slow(0).or_better(Some(sharp)), sharp);
        assert_eq!(slow(0).or_better(Some(slow(1))), slow(1));
        assert_eq!(slow(0).or_better(None), slow(0));
    }
}
