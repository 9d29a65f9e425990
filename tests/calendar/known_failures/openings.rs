//! When windows open.

use jiff::{SignedDuration, Timestamp};
use recess::calendar::{Gap, Length, Repeat, Schedule};
use recess::consumer::ConsumerId;
use recess::policy::{Desired, Policy, Selection, Window};

use super::*;

#[test]
fn three_hours_in_london_last_three_hours_on_both_nights() {
    // Argo CD's sync windows: two hours or four.
    let midnight = || rule("Europe/London", "0 0 * * *", hours(3));
    holds(
        midnight(),
        SPRING,
        &[("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", None)],
    );
    holds(
        midnight(),
        AUTUMN,
        &[("2026-10-24T23:00:00Z", "2026-10-25T02:00:00Z", None)],
    );
}

#[test]
fn a_night_until_a_time_of_day_ends_at_that_time_on_both_nights() {
    // KEDA's cron trigger: active for 25.5 hours, as the end of the spring night was taken for yesterday's.
    let night = || rule("Europe/Berlin", "30 1 * * *", until(2, 30));
    holds(
        night(),
        SPRING,
        &[("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", None)],
    );
    holds(
        night(),
        AUTUMN,
        &[("2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z", None)],
    );
    let whole = || rule("Europe/Berlin", "0 22 * * *", until(6, 0));
    holds(
        whole(),
        SPRING,
        &[("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", None)],
    );
    holds(
        whole(),
        AUTUMN,
        &[("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z", None)],
    );
}

#[test]
fn friday_night_covers_saturday_morning_and_no_other() {
    // kured: days and times were looked at apart, so Saturday's 03:00 was not Friday's.
    let (from, to) = ("2026-12-03T12:00:00Z", "2026-12-10T12:00:00Z");
    let night = ("2026-12-04T21:00:00Z", "2026-12-05T03:00:00Z", None);
    for length in [hours(6), until(4, 0)] {
        holds(
            rule("Europe/Zurich", "0 22 * * FRI", length),
            (from, to),
            &[night],
        );
    }
}

#[test]
fn a_time_of_day_in_a_gap_opens_once_right_after_it() {
    // systemd#5595, kubernetes#121594: skipped, or a day late.
    let half_past = || rule("Europe/Zurich", "30 2 * * *", hours(1));
    let shifted = ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", GAP);
    holds(half_past(), SPRING, &[shifted]);
    holds(
        half_past().with_policies(Some(Gap::Skip), None),
        SPRING,
        &[],
    );
    // Twice in the gap is once after it.
    holds(
        rule("Europe/Zurich", "0,30 2 * * *", hours(1)),
        SPRING,
        &[shifted],
    );
    // And where it opens then anyway, nothing was moved.
    let ordinary = ("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", None);
    holds(
        rule("Europe/Zurich", "30 2,3 * * *", hours(1)),
        SPRING,
        &[
            shifted,
            ("2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z", None),
        ],
    );
    holds(
        rule("Europe/Zurich", "0 2,3 * * *", hours(1)),
        SPRING,
        &[ordinary],
    );
}

#[test]
fn a_time_of_day_in_a_fold_opens_once_and_every_hour_is_every_hour() {
    // systemd#8647, temporal#8205: twice, or for an hour not at all.
    let half_past = || rule("America/New_York", "30 1 * * *", hours(2));
    let first = ("2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z", FIRST);
    let last = ("2026-11-01T06:30:00Z", "2026-11-01T08:30:00Z", LAST);
    holds(half_past(), NEW_YORK, &[first]);
    holds(
        half_past().with_policies(None, Some(Repeat::Last)),
        NEW_YORK,
        &[last],
    );
    holds(
        half_past().with_policies(None, Some(Repeat::Both)),
        NEW_YORK,
        &[first, last],
    );
    let minute = Length::Elapsed(SignedDuration::from_mins(1));
    holds(
        rule("America/New_York", "0 * * * *", minute),
        NEW_YORK,
        &[
            ("2026-11-01T04:00:00Z", "2026-11-01T04:01:00Z", None),
            ("2026-11-01T05:00:00Z", "2026-11-01T05:01:00Z", FIRST),
            ("2026-11-01T06:00:00Z", "2026-11-01T06:01:00Z", LAST),
            ("2026-11-01T07:00:00Z", "2026-11-01T07:01:00Z", None),
        ],
    );
    let gap = ("2026-03-08T06:00:00Z", "2026-03-08T09:00:00Z");
    holds(
        rule("America/New_York", "0 * * * *", minute),
        gap,
        &[
            ("2026-03-08T06:00:00Z", "2026-03-08T06:01:00Z", None),
            ("2026-03-08T07:00:00Z", "2026-03-08T07:01:00Z", None),
            ("2026-03-08T08:00:00Z", "2026-03-08T08:01:00Z", None),
        ],
    );
}

#[test]
fn windows_longer_than_their_period_and_windows_that_touch_make_one_pause() {
    let id = ConsumerId::new("ORDERS", "billing");
    for (pattern, minutes) in [
        ("0 8-10 * * *", 90),
        ("0 8-10 * * *", 60),
        ("0,30 8-10 * * *", 40),
    ] {
        let length = Length::Elapsed(SignedDuration::from_mins(minutes));
        let schedule = Schedule::Recurring(rule("UTC", pattern, length));
        let window = Window::new("w", schedule.clone(), Selection::new(Vec::new()));
        let policy = Policy::new("default", SignedDuration::from_hours(168), vec![window]);
        let end = match minutes {
            90 => at("2026-12-01T11:30:00Z"),
            60 => at("2026-12-01T11:00:00Z"),
            _ => at("2026-12-01T11:10:00Z"),
        };
        for instant in [
            "2026-12-01T08:00:00Z",
            "2026-12-01T08:59:59.999999999Z",
            "2026-12-01T09:00:00Z",
        ] {
            let desired = policy.desired(
                &id,
                &policy.windows().iter().cloned().collect(),
                at(instant),
            );
            assert_eq!(desired, Desired::Paused(end), "{pattern} at {instant}");
        }
        assert_eq!(
            policy.desired(&id, &policy.windows().iter().cloned().collect(), end),
            Desired::Running
        );
        assert_eq!(
            schedule.covered_until(at("2026-12-01T08:00:00Z"), Timestamp::MAX),
            end
        );
    }
}
