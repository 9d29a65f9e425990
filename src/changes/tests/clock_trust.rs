//! How far a clock is trusted, and that one on the edge is not news with every answer.

use jiff::SignedDuration;

use crate::changes::ClockTrust::{self, Doubtful, Lost, Right, Untrusted};

#[test]
fn a_clock_is_trusted_less_beyond_a_limit_and_again_only_well_within_it() {
    // The clock that was, the newest answer and the mean in milliseconds, the clock that is.
    let table: [(ClockTrust, i64, i64, ClockTrust); 18] = [
        (Right, 1_000, 1_000, Right),
        (Right, 1_001, 1_000, Right),
        (Right, 1_000, 1_001, Doubtful),
        (Right, 30_000, 1_000, Right),
        (Right, 30_001, 0, Untrusted),
        (Right, 600_000, 600_000, Untrusted),
        (Right, 600_001, 0, Lost),
        (Doubtful, 0, 501, Doubtful),
        (Doubtful, 0, 500, Right),
        (Doubtful, 30_001, 0, Untrusted),
        (Untrusted, 29_001, 29_001, Untrusted),
        (Untrusted, 29_000, 29_000, Doubtful),
        (Untrusted, 0, 500, Right),
        (Untrusted, 600_001, 600_001, Lost),
        (Lost, 590_001, 590_001, Lost),
        (Lost, 590_000, 590_000, Untrusted),
        (Lost, 29_000, 501, Doubtful),
        (Lost, 0, 0, Right),
    ];
    for (was, newest, smooth, expected) in table {
        let [newest_off, smooth_off] = [newest, smooth].map(SignedDuration::from_millis);
        let is = was.next(newest_off, smooth_off);
        assert_eq!(is, expected, "{was:?}, {newest} ms, {smooth} ms");
    }
}
