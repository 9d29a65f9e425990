use jiff::SignedDuration;

use super::*;
use crate::consumer::example::observation;

fn at(hours: i64) -> Timestamp {
    let start: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(hours)
}

fn id(path: &str) -> ConsumerId {
    path.parse().unwrap()
}

fn found(state: PauseState) -> Found {
    Found::Present(observation(state))
}

#[test]
fn exactly_what_was_written_under_the_former_name_counts_as_written_under_this_one() {
    let (before, mark) = (Mark::of_instance("prod-eu"), Mark::of_instance("prod-us"));
    let old = before.stamp(at(2));
    let mut former = Former::default();
    former.remember([(id("ORDERS/billing"), old)]);
    for (path, deadline, is_ours) in [
        ("ORDERS/billing", old, true),
        // Another deployment may take the old name: its mark alone tells nothing.
        ("ORDERS/billing", before.stamp(at(3)), false),
        ("ORDERS/shipping", old, false),
    ] {
        let (id, remaining) = (id(path), SignedDuration::from_hours(2));
        assert_eq!(former.wrote(&id, deadline), is_ours, "{path} {deadline}");
        let read = if is_ours {
            mark.stamp(deadline)
        } else {
            deadline
        };
        assert_eq!(former.translate(&id, deadline, mark), read);
        let both = |until| {
            [
                found(PauseState::Paused { until, remaining }),
                found(PauseState::Lapsed { until }),
            ]
        };
        for (mut seen, expected) in both(deadline).into_iter().zip(both(read)) {
            former.translate_found(&id, &mut seen, mark);
            assert_eq!(seen, expected, "{path} {deadline}");
        }
    }
    for mut other in [Found::Missing, Found::Unknown, found(PauseState::Running)] {
        let as_it_was = other.clone();
        former.translate_found(&id("ORDERS/billing"), &mut other, mark);
        assert_eq!(other, as_it_was);
    }
}

#[test]
fn a_release_under_the_former_name_is_still_one() {
    let (before, mark) = (Mark::of_instance("prod-eu"), Mark::of_instance("prod-us"));
    let release = before.stamp_release(at(2));
    let mut former = Former::default();
    former.remember([(id("ORDERS/billing"), release)]);
    let read = former.translate(&id("ORDERS/billing"), release, mark);
    assert_eq!(read, mark.stamp_release(at(2)));
}

#[test]
fn a_deadline_is_remembered_until_a_day_after_it_has_passed() {
    let billing = id("ORDERS/billing");
    let mut former = Former::default();
    former.remember([(billing.clone(), at(0)), (billing.clone(), at(2))]);
    for (now, remembered) in [(-1, true), (25, true), (26, false)] {
        former.prune(at(now));
        assert_eq!(former.wrote(&billing, at(2)), remembered, "at {now} h");
    }
}
