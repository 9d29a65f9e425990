//! Policies with overrides against a painting of every second of a quarter of an hour.

use super::returning::earlier;
use super::second_by_second::{Plan, SECONDS, any_plan, instant};
use super::*;
use crate::consumer::{Labels, fnv1a64};

/// An override in seconds of that time. It is made in the order of the list.
#[derive(Clone, Debug)]
struct Made {
    effect: Effect,
    /// The place of a window; none for the consumer itself.
    window: Option<usize>,
    from: usize,
    until: usize,
}

impl Made {
    fn real(&self, sequence: usize) -> Arc<Override> {
        let target = match self.window {
            Some(place) => Target::Window(name_of(place).into()),
            None => Target::Consumers(selection(&["ORDERS/b*", BY_NAME])),
        };
        Arc::new(Override {
            id: OverrideId::new("alice", sequence.to_string()),
            sequence: sequence.try_into().unwrap(),
            made: instant(0),
            terms: Terms {
                effect: self.effect,
                target,
                from: instant(self.from),
                until: instant(self.until),
                verb: Verb::Open,
                reason: None,
                host: None,
            },
        })
    }
}

fn name_of(place: usize) -> String {
    format!("w{place}")
}

/// What is painted on one second of a window, or of the consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paint {
    /// It holds; painted by the override of that place in the list, if by one.
    Holds(Option<usize>),
    /// Something cuts what would hold.
    Cut(Option<usize>),
    /// Nothing.
    Bare,
}

/// Every second of a day's quarter, and a bit.
const PAINTED: usize = 4 * SECONDS;

struct Canvas {
    windows: Vec<Vec<Paint>>,
    by_hand: Vec<Paint>,
    /// The consumer is exempt before that second.
    exempt: usize,
}

/// The consumer that overrides name exactly; the other one they name by a glob.
const BY_NAME: &str = "EVENTS/mail";

impl Canvas {
    fn of(plans: &[Plan], overrides: &[Made], who: &Who) -> Self {
        let windows = plans.iter().map(|plan| {
            let bare = |at| match () {
                () if plan.excluded(at) => Paint::Cut(None),
                () if plan.open(at) => Paint::Holds(None),
                () => Paint::Bare,
            };
            (0..PAINTED).map(bare).collect()
        });
        let mut canvas = Self {
            windows: windows.collect(),
            by_hand: vec![Paint::Bare; PAINTED],
            exempt: who.exempt,
        };
        for (place, one) in overrides.iter().enumerate() {
            let (painted, from) = match one.window {
                Some(window) => (&mut canvas.windows[window], one.from),
                None if who.path == BY_NAME => (&mut canvas.by_hand, one.from),
                // A glob selects no exempt consumer.
                None => (&mut canvas.by_hand, one.from.max(who.exempt).min(one.until)),
            };
            painted[from..one.until].fill(match one.effect {
                Effect::Pause => Paint::Holds(Some(place)),
                Effect::Run => Paint::Cut(Some(place)),
            });
        }
        canvas
    }

    fn holds(&self, at: usize) -> bool {
        let windows = self.windows.iter().filter(|_| at >= self.exempt);
        let mut windows = windows.map(|window| window[at]);
        match self.by_hand[at] {
            Paint::Holds(_) => true,
            Paint::Cut(by) => windows.any(|one| matches!(one, Paint::Holds(since) if since > by)),
            Paint::Bare => windows.any(|one| matches!(one, Paint::Holds(_))),
        }
    }

    /// When that consumer comes back from a window, at `end`, the first second at which nothing
    /// holds it.
    fn returns(&self, window: usize, own: usize, spread: usize, end: usize) -> Option<usize> {
        let painted = &self.windows[window];
        // The last second that is not bare: it held, or something cut.
        let last = (0..end)
            .rev()
            .find(|second| painted[*second] != Paint::Bare)?;
        let Paint::Holds(_) = painted[last] else {
            return None;
        };
        let closes = last + 1;
        if closes <= self.exempt {
            return None;
        }
        let is_cut = |second: &usize| {
            matches!(self.by_hand[*second], Paint::Cut(_))
                || *second >= closes && matches!(painted[*second], Paint::Cut(_))
        };
        let cut = (last..closes + spread)
            .find(is_cut)
            .unwrap_or(closes + spread);
        (cut > end).then_some((closes + own).min(cut))
    }

    fn desired(&self, plans: &[Plan], id: &ConsumerId, max_pause: i64, at: usize) -> Desired {
        let end = (at..).find(|second| !self.holds(*second)).unwrap();
        let returns = plans.iter().enumerate().filter_map(|(window, plan)| {
            let spread = u64::try_from(plan.spread).unwrap();
            let own = fnv1a64(id.path().as_bytes()).checked_rem(spread)?;
            self.returns(window, usize::try_from(own).unwrap(), plan.spread, end)
        });
        let until = returns.max().unwrap_or(end).max(end);
        let step = max_pause / 2;
        let furthest = (instant(at).as_second() + max_pause) / step * step;
        let until = instant(until).min(Timestamp::from_second(furthest).unwrap());
        match until {
            until if end > at => Desired::Paused(until),
            until if until > instant(at) => Desired::Tail(until),
            _ => Desired::Running,
        }
    }
}

prop_compose! {
    fn any_override(windows: usize)(
        window in prop::option::weighted(0.6, 0..windows),
        effect in select(&[Effect::Pause, Effect::Run][..]),
        from in 0..500_usize,
        length in prop_oneof![1..20_usize, 20..300_usize],
    ) -> Made {
        Made { effect, window, from, until: from + length }
    }
}

fn any_case() -> impl Strategy<Value = (Vec<Plan>, Vec<Made>)> {
    prop::collection::vec(any_plan(), 1..4).prop_flat_map(|plans| {
        let overrides = prop::collection::vec(any_override(plans.len()), 0..13);
        (Just(plans), overrides)
    })
}

/// The consumer that is asked about.
#[derive(Clone, Debug)]
struct Who {
    path: &'static str,
    exempt: usize,
}

impl Who {
    fn id(&self) -> ConsumerId {
        self.path.parse().unwrap()
    }

    fn labels(&self, policy: &Policy) -> Labels {
        let until = instant(self.exempt).to_string();
        Labels::of(policy.label_keys(), [("exempt", &*until)])
    }

    fn windows(&self, policy: &Policy) -> WindowSet {
        policy.windows_of(&Candidate::with_labels(&self.id(), &self.labels(policy)))
    }
}

prop_compose! {
    fn anybody_there()(
        path in select(&["ORDERS/billing", BY_NAME][..]),
        exempt in prop_oneof![Just(0), 0..700_usize],
    ) -> Who {
        Who { path, exempt }
    }
}

fn overridden(plans: &[Plan], overrides: &[Made], max_pause: i64, now: usize) -> Policy {
    let windows = plans.iter().enumerate().map(|(place, plan)| {
        let mut window = plan.window();
        window.name = name_of(place).into();
        window
    });
    // The order in which they are read says nothing.
    let overrides: Vec<_> = (overrides.iter().enumerate().rev())
        .map(|(place, made)| made.real(place))
        .collect();
    let policy = Policy::new("default", seconds(max_pause), windows.collect());
    let policy = policy.with_exempt(ExemptKey::new("exempt"));
    policy.with_overrides(&overrides, instant(now))
}

/// 64, or a quarter of what `PROPTEST_CASES` says.
fn cases() -> u32 {
    ProptestConfig::default().cases / 4
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_desired_is_what_is_painted_and_nothing_changes_in_between(
        (plans, overrides) in any_case(),
        max_pause in prop_oneof![20..60_i64, 60..400_i64, Just(604_800)],
        adopted in prop_oneof![Just(0), 0..900_usize],
        who in anybody_there(),
    ) {
        let policy = overridden(&plans, &overrides, max_pause, adopted);
        let canvas = Canvas::of(&plans, &overrides, &who);
        let (id, labels, windows) = (who.id(), who.labels(&policy), who.windows(&policy));
        let mut at_policy_change = instant(adopted);
        let mut at_own_change = instant(adopted);
        let mut before = None;
        for at in adopted..SECONDS {
            let now = instant(at);
            let expected = canvas.desired(&plans, &id, max_pause, at);
            prop_assert_eq!(policy.desired(&id, &windows, now), expected, "at second {}", at);
            // Asked at each change only for the next one, as the daemon does, nothing is missed.
            if now == at_own_change {
                let next = policy.next_change_of(&id, &windows, now);
                prop_assert!(next.is_none_or(|next| next > now));
                at_own_change = next.unwrap_or(Timestamp::MAX);
            } else {
                prop_assert_eq!(Some(expected), before, "own, at second {}", at);
            }
            if now == at_policy_change {
                at_policy_change = policy.next_change(now).unwrap_or(Timestamp::MAX);
                prop_assert!(at_policy_change > now);
            } else if expected != Desired::Running && at != who.exempt {
                // The end of a tail is no change: the server ends it.
                prop_assert_eq!(Some(expected), before, "policy, at second {}", at);
            }
            // A consumer with a change is among those that are observed for it.
            if before.is_some_and(|before| before != expected && expected != Desired::Running)
                && at != who.exempt
            {
                for from in [now, earlier(now, seconds(3))] {
                    let changing = policy.changing(from, now).unwrap_or_else(|| policy.interest());
                    prop_assert!(changing.includes(&Candidate::with_labels(&id, &labels)), "at second {}", at);
                }
            }
            before = Some(expected);
        }
    }

    #[test]
    fn pauses_are_what_is_painted(
        (plans, overrides) in any_case(),
        who in anybody_there(),
        from in 0..400_usize,
        length in 1..500_usize,
    ) {
        let policy = overridden(&plans, &overrides, 604_800, 0);
        let canvas = Canvas::of(&plans, &overrides, &who);
        let (id, windows) = (who.id(), who.windows(&policy));
        let until = from + length;
        let mut expected = Vec::new();
        let mut at = 0;
        while at < until {
            let Desired::Paused(end) = canvas.desired(&plans, &id, 604_800, at) else {
                at += 1;
                continue;
            };
            let closes = (at..).find(|second| !canvas.holds(*second)).unwrap();
            if end > instant(from) {
                expected.push((instant(at), instant(closes), end));
            }
            at = closes;
        }
        // One that closed before and whose tail still lasts is listed only if no later one has begun:
        // the last of them.
        let begun = expected.partition_point(|(_, closes, _)| *closes <= instant(from));
        let expected = expected.split_off(begun.saturating_sub(1));
        let found = policy.pauses(&id, &windows, instant(from), instant(until));
        let found: Vec<_> = found.map(|pause| (pause.from, pause.closes, pause.until)).collect();
        let held = canvas.holds(from);
        let expected: Vec<_> = (expected.into_iter())
            .filter(|(_, closes, _)| !held || *closes > instant(from))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn occurrences_are_what_is_painted(
        (plans, overrides) in any_case(),
        from in 0..400_usize,
        length in 1..500_usize,
    ) {
        let policy = overridden(&plans, &overrides, 604_800, 0);
        let unnamed = Who { path: BY_NAME, exempt: 0 };
        let canvas = Canvas::of(&plans, &overrides, &unnamed);
        for (place, window) in policy.windows().iter().enumerate() {
            let holds = |at: usize| matches!(canvas.windows[place][at], Paint::Holds(_));
            let found = window.intersecting(instant(from), instant(from + length));
            prop_assert!(found.is_sorted_by_key(|one| one.opens));
            for at in from..from + length {
                let covers = |one: &&Occurrence| one.covers(instant(at));
                prop_assert_eq!(found.iter().any(|one| covers(&one)), holds(at));
                let last = found.iter().filter(covers).max_by_key(|one| one.closes);
                prop_assert_eq!(window.open_at(instant(at)), last.copied());
                let next = found.iter().find(|one| one.opens > instant(at));
                if let Some(next) = next {
                    let answer = window.next_opening(instant(at));
                    prop_assert_eq!(answer.map(|one| one.opens), Some(next.opens));
                }
            }
            // Whatever touches an override that pauses is one with it.
            for one in &overrides {
                if one.window == Some(place) && one.effect == Effect::Pause {
                    for edge in [one.from, one.until] {
                        let within = edge > from && edge < from + length;
                        if !within || !holds(edge - 1) || !holds(edge) {
                            continue;
                        }
                        let by_file = [edge - 1, edge].map(|at| canvas.windows[place][at]);
                        let across = |one: &Occurrence| one.covers(instant(edge - 1)) && one.covers(instant(edge));
                        prop_assert!(by_file == [Paint::Holds(None); 2] || found.iter().any(across));
                    }
                }
            }
        }
    }
}

#[test]
fn at_a_change_those_overrides_matter_that_change() {
    let made = |effect, from, until| Made {
        effect,
        window: None,
        from,
        until,
    };
    let overrides: Vec<_> = [made(Effect::Pause, 100, 200), made(Effect::Run, 300, 400)]
        .iter()
        .enumerate()
        .map(|(place, made)| made.real(place))
        .collect();
    let closed = window("w", &["OTHER/*"], rule_in("UTC", "0 5 * * *", hours(1)));
    let policy = |max_pause| {
        Policy::new("default", seconds(max_pause), vec![closed.clone()])
            .with_overrides(&overrides, instant(0))
    };
    let selects = |policy: &Policy, at| {
        let changing = policy.changing(instant(at), instant(at)).unwrap();
        assert!(!changing.includes(&Candidate::named(&"OTHER/one".parse().unwrap())));
        changing.includes(&Candidate::named(&"ORDERS/billing".parse().unwrap()))
    };
    let plain = policy(7 * 86_400);
    for (at, expected) in [
        (99, false),
        (100, true),
        (150, false),
        (200, true),
        (250, false),
        (300, true),
        (400, true),
        (420, false),
    ] {
        assert_eq!(selects(&plain, at), expected, "at {at}");
    }
    // The furthest deadline moves on each half minute.
    let stepping = policy(60);
    for (at, expected) in [
        (90, false),
        (119, false),
        (120, true),
        (180, true),
        (210, false),
    ] {
        assert_eq!(selects(&stepping, at), expected, "stepping, at {at}");
    }
}
