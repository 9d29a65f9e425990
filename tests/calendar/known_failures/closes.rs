//! When windows that end at a time of day close.

use super::*;

#[test]
fn a_close_in_a_gap_is_the_first_instant_after_it() {
    holds(
        rule("Europe/Zurich", "0 1 * * *", until(2, 15)),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", None)],
    );
    // 03:00 is that instant by another name.
    holds(
        rule("Europe/Zurich", "0 1 * * *", until(3, 0)),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", None)],
    );
}

#[test]
fn a_close_in_a_fold_is_the_later_one() {
    let one = |length| rule("Europe/Zurich", "0 1 * * *", length);
    holds(
        one(until(2, 0)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z", None)],
    );
    holds(
        one(until(2, 59)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T01:59:00Z", None)],
    );
    holds(
        one(until(3, 0)),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z", None)],
    );
    // Opened in the same fold: from the first 02:10 until the second 02:20.
    holds(
        rule("Europe/Zurich", "10 2 25 10 *", until(2, 20)),
        AUTUMN,
        &[("2026-10-25T00:10:00Z", "2026-10-25T01:20:00Z", FIRST)],
    );
}

#[test]
fn a_close_that_is_the_opening_is_the_next_days() {
    holds(
        rule("UTC", "0 3 1 12 *", until(3, 0)),
        ("2026-11-30T00:00:00Z", "2026-12-05T00:00:00Z"),
        &[("2026-12-01T03:00:00Z", "2026-12-02T03:00:00Z", None)],
    );
    // In the fold too: the second 02:30 comes at the same civil time, not after it.
    holds(
        rule("Europe/Zurich", "30 2 25 10 *", until(2, 30)),
        AUTUMN,
        &[("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", FIRST)],
    );
}

#[test]
fn what_would_be_over_before_it_opens_is_not_there() {
    // 02:10 is moved to 03:00, and 02:40 and 03:00 are over by then.
    for close in [until(2, 40), until(3, 0)] {
        holds(rule("Europe/Zurich", "10 2 * * *", close), SPRING, &[]);
    }
    holds(
        rule("Europe/Zurich", "10 2 * * *", until(3, 1)),
        SPRING,
        &[("2026-03-29T01:00:00Z", "2026-03-29T01:01:00Z", GAP)],
    );
    // Of two in the gap the one behind the close lasts until the next day's.
    holds(
        rule("Europe/Zurich", "10,50 2 29 3 *", until(2, 40)),
        SPRING,
        &[("2026-03-29T01:00:00Z", "2026-03-30T00:40:00Z", GAP)],
    );
}
