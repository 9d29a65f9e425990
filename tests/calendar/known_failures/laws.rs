//! A law that changes the clocks of a zone once, on a night that is not of the yearly rule behind it: libraries that go by
//! that rule alone are an hour off until the next change (cctz#267). The zones are those of `tests/fixtures/zones/laws.zi`.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use recess::calendar::{Pattern, Rule, Schedule};
use recess::consumer::ConsumerId;
use recess::policy::{Desired, Policy, Selection, Window};

use super::*;

fn made(name: &str) -> TimeZone {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/zones");
    let data = std::fs::read(format!("{folder}/{name}")).unwrap();
    TimeZone::tzif(name, &data).unwrap()
}

#[test]
fn the_nights_around_a_law_are_held_and_every_command_says_so() {
    let juarez = || zone("America/Ciudad_Juarez");
    let (back, forth) = (|| made("Back"), || made("Forth"));
    let night =
        |zone: TimeZone, pattern| Rule::new(Pattern::parse(pattern).unwrap(), zone, hours(3));
    let november = ("2022-11-29T12:00:00Z", "2022-12-02T00:00:00Z");
    let december = ("2026-12-09T12:00:00Z", "2026-12-12T00:00:00Z");
    for (rule, days, expected) in [
        // 22:00 is at 04:00 UTC on the last evening before the law, and at 05:00 UTC from then on.
        (
            night(juarez(), "0 22 * * *"),
            november,
            vec![
                ("2022-11-30T04:00:00Z", "2022-11-30T07:00:00Z", None),
                ("2022-12-01T05:00:00Z", "2022-12-01T08:00:00Z", None),
            ],
        ),
        (
            night(juarez(), "30 23 * * *"),
            november,
            vec![
                ("2022-11-30T05:30:00Z", "2022-11-30T08:30:00Z", FIRST),
                ("2022-12-01T06:30:00Z", "2022-12-01T09:30:00Z", None),
            ],
        ),
        (
            night(back(), "0 22 * * *"),
            december,
            vec![
                ("2026-12-10T04:00:00Z", "2026-12-10T07:00:00Z", None),
                ("2026-12-11T05:00:00Z", "2026-12-11T08:00:00Z", None),
            ],
        ),
        // There is no 00:30 on 10 December.
        (
            night(forth(), "30 0 * * *"),
            december,
            vec![
                ("2026-12-10T07:00:00Z", "2026-12-10T10:00:00Z", GAP),
                ("2026-12-11T06:30:00Z", "2026-12-11T09:30:00Z", None),
            ],
        ),
        (
            night(forth(), "0 23 * * *"),
            december,
            vec![
                ("2026-12-10T06:00:00Z", "2026-12-10T09:00:00Z", None),
                ("2026-12-11T05:00:00Z", "2026-12-11T08:00:00Z", None),
            ],
        ),
    ] {
        holds(rule.clone(), days, &expected);
        // `plan` asks for pauses, the daemon and `explain` for one instant.
        let id = ConsumerId::new("ORDERS", "billing");
        let schedule = Schedule::Recurring(rule);
        let window = Window::new("w", schedule, Selection::new(Vec::new()));
        let policy = Policy::new("default", SignedDuration::from_hours(168), vec![window]);
        let mut minute = at(days.0);
        while minute < at(days.1) {
            let open = (expected.iter())
                .map(|(opens, closes, _)| (at(opens), at(closes)))
                .find(|(opens, closes)| *opens <= minute && minute < *closes);
            let expected = open.map_or(Desired::Running, |(_, closes)| Desired::Paused(closes));
            assert_eq!(
                policy.desired(&id, &policy.windows().iter().cloned().collect(), minute),
                expected,
                "{minute}"
            );
            minute += SignedDuration::from_mins(10);
        }
        let windows = policy.windows().iter().cloned().collect();
        let pauses = policy.pauses(&id, &windows, at(days.0), at(days.1));
        let found: Vec<_> = pauses.map(|pause| (pause.from, pause.until)).collect();
        let wanted: Vec<_> = (expected.iter())
            .map(|(opens, closes, _)| (at(opens), at(closes)))
            .collect();
        assert_eq!(found, wanted);
    }
}
