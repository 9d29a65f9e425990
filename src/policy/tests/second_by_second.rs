//! Policies against a walk through every second of a quarter of an hour.

use super::*;
use crate::calendar::{Boundary, Fixed};
use crate::consumer::fnv1a64;

const START: i64 = 1_796_083_200; // 2026-12-01T00:00:00Z
pub(super) const SECONDS: usize = 900;

/// A window of a few openings in the first five minutes: at those seconds of each minute, so long,
/// so spread.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    at: Vec<usize>,
    length: usize,
    pub(super) spread: usize,
    /// From and until, in seconds.
    exclusions: Vec<(usize, usize)>,
}

impl Plan {
    pub(super) fn window(&self) -> Window {
        let at: Vec<String> = self.at.iter().map(usize::to_string).collect();
        let pattern = format!("{} 0-4 0 1 12 *", at.join(","));
        let length = seconds(self.length.try_into().unwrap());
        let mut window = window("w", &["*/*"], rule_in("UTC", &pattern, length));
        window.resume_spread = seconds(self.spread.try_into().unwrap());
        let exclusions = self.exclusions.iter().map(|&(from, until)| {
            let [from, until] = [from, until].map(|at| Boundary::Instant(instant(at)));
            let fixed = Fixed::once(jiff::tz::TimeZone::UTC, from, until).unwrap();
            let schedule = Schedule::Fixed(fixed);
            Arc::new(Exclusion {
                name: "x".into(),
                schedule,
                events: None,
            })
        });
        window.exclusions = exclusions.collect();
        window
    }

    pub(super) fn excluded(&self, at: usize) -> bool {
        (self.exclusions.iter()).any(|(from, until)| (*from..*until).contains(&at))
    }

    fn openings(&self) -> impl Iterator<Item = usize> {
        (0..5).flat_map(|minute| self.at.iter().map(move |second| minute * 60 + second))
    }

    pub(super) fn open(&self, at: usize) -> bool {
        let lasts = |opens: usize| (opens..opens + self.length).contains(&at);
        !self.excluded(at) && self.openings().any(lasts)
    }

    /// Closes that no exclusion made, and when that consumer comes back from each.
    fn returns(&self, id: &ConsumerId) -> impl Iterator<Item = (usize, usize)> {
        let spread = u64::try_from(self.spread).unwrap().max(1);
        let own = usize::try_from(fnv1a64(id.path().as_bytes()) % spread).unwrap();
        (self.openings().map(|opens| opens + self.length))
            .filter(|closes| !self.excluded(closes - 1))
            .map(move |closes| {
                let mut tail = closes..closes + own;
                let cut = tail.find(|at| self.excluded(*at));
                (closes, cut.unwrap_or(closes + own))
            })
    }
}

pub(super) fn instant(at: usize) -> Timestamp {
    Timestamp::from_second(START + i64::try_from(at).unwrap()).unwrap()
}

fn expected(plans: &[Plan], id: &ConsumerId, max_pause: i64, at: usize) -> Desired {
    let open = |at: &usize| plans.iter().any(|plan| plan.open(*at));
    let end = (at..).find(|at| !open(at)).unwrap();
    let returns = plans.iter().flat_map(|plan| plan.returns(id));
    let returns = returns.filter(|(closes, _)| *closes <= end);
    let until = returns.map(|(_, returns)| returns).max().unwrap_or(end);
    let step = max_pause / 2;
    let furthest = (instant(at).as_second() + max_pause) / step * step;
    let until = instant(until.max(end)).min(Timestamp::from_second(furthest).unwrap());
    match until {
        until if end > at => Desired::Paused(until),
        until if until > instant(at) => Desired::Tail(until),
        _ => Desired::Running,
    }
}

prop_compose! {
    pub(super) fn any_plan()(
        at in prop::collection::btree_set(0..60_usize, 1..3),
        length in prop_oneof![1..10_usize, 10..90_usize, Just(60)],
        spread in prop_oneof![Just(0), 1..60_usize, 60..300_usize],
        exclusions in prop::collection::vec((0..400_usize, 1..90_usize), 0..4),
    ) -> Plan {
        let exclusions = exclusions.into_iter().map(|(from, length)| (from, from + length)).collect();
        Plan { at: at.into_iter().collect(), length, spread, exclusions }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_is_desired_is_what_a_walk_finds_and_nothing_changes_in_between(
        plans in prop::collection::vec(any_plan(), 1..4),
        max_pause in prop_oneof![20..60_i64, 60..400_i64, Just(604_800)],
        id in select(&["ORDERS/billing", "EVENTS/mail"][..]),
    ) {
        let windows: Vec<Window> = plans.iter().map(Plan::window).collect();
        let policy = Policy::new("default", seconds(max_pause), windows);
        let id: ConsumerId = id.parse().unwrap();
        let walk: Vec<Desired> = (0..SECONDS)
            .map(|at| expected(&plans, &id, max_pause, at))
            .collect();
        let mut change = instant(0);
        for (at, expected) in walk.iter().enumerate() {
            let desired = policy.desired(&id, &all(&policy), instant(at));
            prop_assert_eq!(desired, *expected, "at second {}", at);
            if let Some(until) = desired.until() {
                prop_assert!(until > instant(at));
                prop_assert!(until.duration_since(instant(at)) <= seconds(max_pause));
            }
            // Asked at each change only for the next one, as the daemon does, nothing is missed.
            if instant(at) == change {
                let next = policy.next_change_of(&id, &all(&policy), change);
                prop_assert!(next.is_none_or(|next| next > change));
                change = next.unwrap_or(Timestamp::MAX);
            } else {
                prop_assert!(instant(at) < change);
                prop_assert_eq!(*expected, walk[at - 1], "at second {}", at);
            }
        }
    }
}
