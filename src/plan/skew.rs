//! How far the server's clock is from ours: as the newest answer tells it, and smoothed for those who watch.
//!
//! A sample is off by up to half of the time that its answer took. The guard must not wait, so it goes by the newest; a
//! graph or an alert must not jump, so they go by the mean of the last few.

use jiff::{SignedDuration, Timestamp};

/// How much of what is new a sample brings into the mean: one part in so many.
const WEIGHT: i32 = 4;

/// A sample that is further from the mean than answers can be late is no jitter: a clock was stepped.
const STEP: SignedDuration = SignedDuration::from_secs(1);

/// The server's clock less ours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skew {
    /// By the newest answer that told it.
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

    /// Our clock was stepped: what was known of the difference holds no more. (The mean follows with the next sample.)
    pub fn forget(&mut self) {
        self.newest = None;
    }

    /// Takes in a sample.
    pub fn take(&mut self, sample: SignedDuration) {
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
            skew.take(SignedDuration::from_millis(*sample));
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
}
