use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config;
use crate::consumer::example::observation;
use crate::consumer::{Candidate, Mark};
use crate::plan::{Agenda, Need};
use crate::policy::{Effect, Selection, Selector, Target, Window};
use crate::report::example::close_of_night;
use crate::write::{Action, Outcome};

fn now() -> Timestamp {
    "2026-12-01T02:30:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

const UPTIME: Duration = Duration::from_secs(3_600);
const RESYNC: Duration = Duration::from_secs(60);

/// `many` is open for half an hour more and holds `A/*`, `few` holds `B/*`; `later` opens in a
/// second and holds `C/*`.
const WINDOWS: &str = r#"
[[window]]
name = "many"
consumers = ["A/*"]
schedule = "0 2 * * *"
duration = "1h"

[[window]]
name = "few"
consumers = ["B/*"]
schedule = "0 2 * * *"
duration = "1h"

[[window]]
name = "later"
consumers = ["C/*"]
schedule = "1 30 2 * * *"
duration = "1h"
"#;

/// What a plan is made of, with consumers by `STREAM/CONSUMER`.
struct Scene {
    policy: Policy,
    ledger: Ledger,
    standby: Standby,
    orphans: Orphans,
    skew: Skew,
    watches_draining: bool,
    streams: Streams,
    consumers: BTreeMap<ConsumerId, (WindowSet, Found)>,
}

impl Scene {
    fn new() -> Self {
        let toml = format!("instance = \"default\"\n{WINDOWS}");
        let config = config::parse(Path::new("test.toml"), &toml).expect("a config");
        let mut skew = Skew::default();
        skew.set(SignedDuration::ZERO);
        Self {
            policy: Policy::clone(&config.policy),
            ledger: Ledger::default(),
            standby: Standby::default(),
            orphans: Orphans::default(),
            skew,
            watches_draining: false,
            streams: Streams::default(),
            consumers: BTreeMap::new(),
        }
    }

    fn mark(&self) -> Mark {
        self.policy.mark()
    }

    fn add(&mut self, path: &str, state: PauseState) -> &mut Self {
        let id: ConsumerId = path.parse().unwrap();
        let found = Found::Present(Observation {
            clustered: true,
            ..observation(state)
        });
        let windows = self.policy.windows_of(&Candidate::found(&id, &found));
        self.consumers.insert(id, (windows, found));
        self
    }

    /// Paused until so many seconds from now, by this recess.
    fn add_ours(&mut self, path: &str, seconds: i64) -> &mut Self {
        let until = self.mark().stamp(at(seconds));
        let remaining = until.duration_since(now());
        self.add(path, PauseState::Paused { until, remaining })
    }

    /// A pause until the close of `many` that is sent, with that outcome, and undone if it was
    /// accepted; `times` times.
    fn fights(&mut self, path: &str, outcome: Outcome, times: u32) -> &mut Self {
        let id: ConsumerId = path.parse().unwrap();
        let until = self.mark().stamp(at(1_800));
        let clocks = self.clocks();
        for _ in 0..times {
            (self.ledger).sending(&id, Action::Pause, Some(until), None, clocks);
            self.ledger.answered(&id, outcome, false, clocks);
            if outcome == Outcome::Accepted {
                self.ledger.advised(&id, None);
            }
        }
        self
    }

    /// When the pause of a consumer will have ended.
    fn lapse(&self, path: &str) -> Duration {
        let (windows, found) = &self.consumers[&path.parse().unwrap()];
        let PauseState::Paused { remaining, .. } = found.observation().unwrap().state else {
            panic!("{path} is not paused: {windows:?}");
        };
        UPTIME + Duration::try_from(remaining).unwrap() + Duration::from_millis(100)
    }

    fn clocks(&self) -> Now {
        Now {
            wall: now(),
            uptime: UPTIME,
        }
    }

    fn plan_at(&self, at: Timestamp) -> Plan {
        let situation = Situation {
            policy: &self.policy,
            ledger: &self.ledger,
            standby: &self.standby,
            orphans: &self.orphans,
            skew: self.skew,
            resync: RESYNC,
            watches_draining: self.watches_draining,
            overrides: OverridesKnown::NoBucket,
            streams: &self.streams,
            now: self.clocks(),
        };
        let known = self.consumers.iter().map(|(id, (windows, found))| Known {
            id,
            windows,
            found,
            seen: UPTIME,
            idle_at: None,
        });
        situation.plan(known, at)
    }

    fn plan(&self) -> Plan {
        self.plan_at(now())
    }
}

impl Plan {
    fn of(&self, path: &str) -> &Planned {
        let id: ConsumerId = path.parse().unwrap();
        (self.decisions.iter())
            .find(|planned| planned.id == id)
            .expect("planned")
    }

    fn order(&self) -> Vec<String> {
        self.writes.iter().map(|(id, _)| id.path()).collect()
    }
}

#[test]
fn each_consumer_has_its_decision_with_what_is_wanted_and_why() {
    let mut scene = Scene::new();
    scene
        .add("A/run", PauseState::Running)
        .add_ours("A/paused", 1_800)
        .add_ours("A/short", 600)
        .add_ours("C/early", 3_601)
        .add("C/run", PauseState::Running);
    let plan = scene.plan();
    let end = scene.mark().stamp(at(1_800));
    for (path, desired, verdict, rule, sending) in [
        (
            "A/run",
            Desired::Paused(at(1_800)),
            Verdict::Pause(end),
            Rule::Pause,
            Sending::Now,
        ),
        (
            "A/paused",
            Desired::Paused(at(1_800)),
            Verdict::Settled,
            Rule::Paused,
            Sending::Nothing,
        ),
        (
            "A/short",
            Desired::Paused(at(1_800)),
            Verdict::Retime(end),
            Rule::Retime,
            Sending::Now,
        ),
        (
            "C/early",
            Desired::Running,
            Verdict::Settled,
            Rule::Early,
            Sending::Nothing,
        ),
        (
            "C/run",
            Desired::Running,
            Verdict::Settled,
            Rule::Running,
            Sending::Nothing,
        ),
    ] {
        let planned = plan.of(path);
        assert_eq!(planned.desired, desired, "{path}");
        assert_eq!(planned.decision, Decision { verdict, rule }, "{path}");
        assert_eq!(planned.sending, sending, "{path}");
    }
    assert_eq!(plan.order(), ["A/run", "A/short"]);
    assert_eq!(plan.clears, []);
}

#[test]
fn a_plan_for_a_change_ahead_wants_what_that_change_wants() {
    let mut scene = Scene::new();
    scene
        .add("C/run", PauseState::Running)
        .add_ours("A/ends", 1);
    let end = scene.mark().stamp(at(3_601));
    let plan = scene.plan_at(at(1));
    assert_eq!(plan.of("C/run").decision.verdict, Verdict::Pause(end));
    // Its pause will have passed by then.
    let again = scene.mark().stamp(at(1_800));
    let lapsed = scene.plan_at(at(2)).of("A/ends").decision;
    assert_eq!(lapsed.verdict, Verdict::Pause(again));
}

#[test]
fn windows_take_turns() {
    let mut scene = Scene::new();
    for number in 0..4 {
        scene.add(&format!("A/c{number}"), PauseState::Running);
    }
    scene.add("B/one", PauseState::Running);
    assert_eq!(
        scene.plan().order(),
        ["A/c0", "B/one", "A/c1", "A/c2", "A/c3"]
    );
}

#[test]
fn what_was_undone_waits_and_what_is_fought_over_is_left() {
    for (outcome, times, sending) in [
        (
            Outcome::Accepted,
            1,
            Sending::Waits(UPTIME + Duration::from_millis(100)),
        ),
        (
            Outcome::Accepted,
            3,
            Sending::Waits(UPTIME + Duration::from_secs(10)),
        ),
        (Outcome::Accepted, 5, Sending::Contested),
        (
            Outcome::Refused,
            9,
            Sending::Waits(UPTIME + Duration::from_secs(10)),
        ),
        (
            Outcome::TimedOut,
            1,
            Sending::Waits(UPTIME + Duration::from_secs(5)),
        ),
        (Outcome::Cut, 1, Sending::Now),
    ] {
        let mut scene = Scene::new();
        scene
            .add("A/run", PauseState::Running)
            .fights("A/run", outcome, times);
        let plan = scene.plan();
        let planned = plan.of("A/run");
        assert_eq!(planned.decision.rule, Rule::Pause);
        assert_eq!(planned.sending, sending, "{outcome:?} {times} times");
        assert_eq!(plan.writes.is_empty(), sending != Sending::Now);
        let waits_until = match sending {
            Sending::Waits(until) => Some(until),
            _ => None,
        };
        assert_eq!(planned.waits_until, waits_until);
    }
}

#[test]
fn a_release_holds_for_the_pause_that_it_lies_in() {
    let mut scene = Scene::new();
    let mark = scene.mark();
    let lapsed = |seconds| PauseState::Lapsed {
        until: mark.stamp_release(at(seconds)),
    };
    let releasing = |seconds| PauseState::Paused {
        until: mark.stamp_release(at(seconds)),
        remaining: mark.stamp_release(at(seconds)).duration_since(now()),
    };
    // `many` and `few` have been open for half an hour, and are for as long.
    scene
        .add("A/since", lapsed(-600))
        .add("A/first", lapsed(-1_800))
        .add("A/before", lapsed(-1_801))
        .add("A/yesterday", lapsed(-86_400 - 600))
        .add("A/soon", releasing(5))
        .add("A/last", releasing(1_799))
        .add("A/end", releasing(1_800))
        .add("A/beyond", releasing(1_801))
        .add("D/free", lapsed(-600));
    let plan = scene.plan();
    for (path, rule) in [
        ("A/since", Rule::Released),
        ("A/first", Rule::Released),
        ("A/before", Rule::Pause),
        ("A/yesterday", Rule::Pause),
        ("A/soon", Rule::Releasing),
        ("A/last", Rule::Releasing),
        ("A/end", Rule::Paused),
        ("A/beyond", Rule::Retime),
        ("D/free", Rule::Clear),
    ] {
        assert_eq!(plan.of(path).decision.rule, rule, "{path}");
    }
    // The next night.
    let plan = scene.plan_at(at(86_400));
    for path in ["A/since", "A/first", "A/soon", "A/last"] {
        assert_eq!(plan.of(path).decision.rule, Rule::Pause, "{path}");
    }
    assert_eq!(plan.of("A/yesterday").decision.rule, Rule::Pause);
}

#[test]
fn a_release_outlasts_the_seam_between_two_windows_that_touch() {
    let mut scene = Scene::new();
    // `later` opens in a second, half an hour before `many` closes, and lasts for half an hour
    // more.
    let toml = format!(
        "{WINDOWS}\n[[window]]\nname = \"both\"\nconsumers = [\"A/both\"]\nschedule = \"0 3 * * *\"\nduration = \"1h\"\n"
    );
    let config = config::parse(Path::new("test.toml"), &toml).expect("a config");
    scene.policy = Policy::clone(&config.policy);
    let until = scene.mark().stamp_release(at(-600));
    for path in ["A/both", "A/one"] {
        scene.add(path, PauseState::Lapsed { until });
    }
    for (at, both, one) in [
        (at(1_799), Rule::Released, Rule::Released),
        (at(1_800), Rule::Released, Rule::Clear),
        (at(5_399), Rule::Released, Rule::Clear),
        (at(5_400), Rule::Clear, Rule::Clear),
    ] {
        let plan = scene.plan_at(at);
        assert_eq!(plan.of("A/both").decision.rule, both, "{at}");
        assert_eq!(plan.of("A/one").decision.rule, one, "{at}");
    }
}

#[test]
fn a_clear_is_no_write() {
    let mut scene = Scene::new();
    let lapsed = |scene: &Scene, seconds| PauseState::Lapsed {
        until: scene.mark().stamp(at(seconds)),
    };
    let (due, soon, near) = (
        lapsed(&scene, -61),
        lapsed(&scene, -59),
        lapsed(&scene, -90),
    );
    // No window names D; the next opening of C is a second ahead.
    scene
        .add("D/due", due)
        .add("D/soon", soon)
        .add("C/near", near);
    let plan = scene.plan();
    assert_eq!(plan.clears, ["D/due".parse().unwrap()]);
    assert_eq!(plan.writes, []);
    assert_eq!(plan.of("C/near").decision.rule, Rule::Lapsed);
}

#[test]
fn an_orphan_is_looked_at_again_when_its_wait_is_over() {
    let mut scene = Scene::new();
    scene.add_ours("D/orphan", 3_600);
    let found = |ago: u64| Now {
        wall: now(),
        uptime: UPTIME - Duration::from_secs(ago),
    };
    let lapse = scene.lapse("D/orphan");
    let in_seconds = |seconds| Some(UPTIME + Duration::from_secs(seconds));
    for (ago, rule, waits_until) in [
        (0, Rule::OrphanWaiting, in_seconds(60)),
        (59, Rule::OrphanWaiting, in_seconds(1)),
        (60, Rule::Orphan, None),
    ] {
        scene.orphans.add("D/orphan".parse().unwrap(), found(ago));
        let plan = scene.plan();
        let planned = plan.of("D/orphan");
        assert_eq!(
            (planned.decision.rule, planned.waits_until, planned.look),
            (rule, waits_until, waits_until.or(Some(lapse))),
            "{ago}"
        );
        assert_eq!(plan.writes.len(), usize::from(rule == Rule::Orphan));
    }
    scene.policy = scene.policy.with_unset_instance();
    let planned = scene.plan().of("D/orphan").clone();
    assert_eq!(planned.decision.rule, Rule::OrphanUnnamed);
    assert_eq!(
        (planned.sending, planned.look),
        (Sending::Nothing, Some(lapse))
    );
}

#[test]
fn what_the_servers_clock_does_not_allow_yet_is_looked_at_again_when_it_does() {
    // Steps of ten minutes: ours allows 02:50, the server's, which is ten seconds behind, 02:40
    // until then.
    let mut scene = Scene::new();
    let windows = scene.policy.windows().iter();
    let windows = windows.map(|window| Window::clone(window)).collect();
    scene.policy = Policy::new("default", SignedDuration::from_mins(20), windows);
    scene.skew.set(SignedDuration::from_secs(-10));
    let until = |scene: &Scene, text: &str| scene.mark().stamp(text.parse().unwrap());
    let (sooner, later) = (
        until(&scene, "2026-12-01T02:40:00Z"),
        until(&scene, "2026-12-01T02:50:00Z"),
    );
    scene.add("A/run", PauseState::Running);
    let plan = scene.plan();
    assert_eq!(plan.of("A/run").decision.verdict, Verdict::Pause(sooner));
    let again = UPTIME + Duration::from_secs(10) + AFTER_STEP;
    assert_eq!(plan.of("A/run").look, Some(again));
    scene.skew.set(SignedDuration::ZERO);
    let plan = scene.plan();
    assert_eq!(plan.of("A/run").decision.verdict, Verdict::Pause(later));
    assert_eq!(plan.of("A/run").look, None);
}

#[test]
fn a_consumer_is_looked_at_again_when_something_may_be_news_of_it() {
    let mut scene = Scene::new();
    scene
        .add("A/run", PauseState::Running)
        .add_ours("A/paused", 1_800)
        .add_ours("A/ends", 3)
        .add("A/undone", PauseState::Running)
        .fights("A/undone", Outcome::Accepted, 3)
        .add("A/contested", PauseState::Running)
        .fights("A/contested", Outcome::Accepted, 5)
        .add("A/unseen", PauseState::Running)
        .add("A/unknown", PauseState::Running);
    let (unseen, unknown) = (
        "A/unseen".parse().unwrap(),
        "A/unknown".parse::<ConsumerId>().unwrap(),
    );
    let until = scene.mark().stamp(at(1_800));
    let clocks = scene.clocks();
    (scene.ledger).sending(&unseen, Action::Pause, Some(until), None, clocks);
    (scene.ledger).answered(&unseen, Outcome::Accepted, true, clocks);
    scene.consumers.get_mut(&unknown).unwrap().1 = Found::Unknown;
    let plan = scene.plan();
    for (path, look) in [
        ("A/run", None),
        ("A/paused", Some(scene.lapse("A/paused"))),
        ("A/ends", Some(scene.lapse("A/ends"))),
        ("A/undone", Some(UPTIME + Duration::from_secs(10))),
        ("A/contested", None),
        ("A/unseen", scene.ledger.look(&unseen)),
        ("A/unknown", Some(UPTIME + Duration::from_secs(2))),
    ] {
        assert_eq!(plan.of(path).look, look, "{path}");
    }
    assert!(scene.ledger.look(&unseen).is_some());
}

#[test]
fn who_is_paused_and_still_busy_is_looked_at_again_where_that_matters() {
    let busy = |scene: &mut Scene, path: &str| {
        let found = &mut scene.consumers.get_mut(&path.parse().unwrap()).unwrap().1;
        let Found::Present(seen) = found else {
            panic!("{path} is there");
        };
        seen.ack_pending = 1;
    };
    let mut scene = Scene::new();
    scene
        .add_ours("A/busy", 1_800)
        .add_ours("A/idle", 1_800)
        .add_ours("A/ends", 3)
        .add("A/run", PauseState::Running)
        .add_ours("D/orphan", 1_800);
    for path in ["A/busy", "A/ends", "A/run", "D/orphan"] {
        busy(&mut scene, path);
    }
    let look = |scene: &Scene, path: &str| scene.plan().of(path).look;
    assert_eq!(look(&scene, "A/busy"), Some(scene.lapse("A/busy")));
    scene.watches_draining = true;
    let soon = |seconds| Some(UPTIME + Duration::from_secs(seconds));
    assert_eq!(look(&scene, "A/busy"), soon(5));
    for path in ["A/idle", "A/ends", "D/orphan"] {
        assert_eq!(look(&scene, path), Some(scene.lapse(path)), "{path}");
    }
    assert_eq!(look(&scene, "A/run"), None, "nothing holds it yet");
    // Many are looked at less often: one thousand more, and so much later.
    for number in 0..1_000 {
        let path = format!("B/busy-{number}");
        scene.add_ours(&path, 1_800);
        busy(&mut scene, &path);
    }
    assert_eq!(look(&scene, "A/busy"), soon(10));
}

#[test]
fn the_agenda_takes_each_look_from_the_plan_and_drops_what_a_plan_needs_no_more() {
    let mut scene = Scene::new();
    scene
        .add_ours("A/ends", 3)
        .add("A/run", PauseState::Running);
    let mut agenda = Agenda::default();
    agenda.no_later_than(&"A/run".parse().unwrap(), Duration::ZERO);
    agenda.follow(&scene.plan());
    let look = scene.lapse("A/ends");
    assert_eq!(agenda.next_look(), Some(look));
    assert_eq!(agenda.due(look).count(), 1);
}

#[test]
fn a_standby_plans_what_a_primary_does_and_waits() {
    let mut scene = Scene::new();
    scene.add("A/run", PauseState::Running);
    let primary = scene.plan();
    scene.standby = Standby::new(Some(Duration::from_secs(5)));
    let standby = scene.plan();
    let due = UPTIME + Duration::from_secs(5);
    let waits = standby.of("A/run");
    assert_eq!(waits.decision, primary.of("A/run").decision);
    assert_eq!(waits.sending, Sending::LeftToPrimary(due));
    assert_eq!((waits.waits_until, waits.look), (None, Some(due)));
    assert_eq!((primary.order().len(), standby.order().len()), (1, 0));
    // Once it was needed for so long it is sent, also at a change by the calendar.
    let need = Need::of(waits.decision.verdict);
    let since = UPTIME - Duration::from_secs(5);
    scene
        .standby
        .decided(&"A/run".parse().unwrap(), need, since);
    assert_eq!(scene.plan().order(), ["A/run"]);
}

#[test]
fn a_standby_leaves_the_next_opening_to_the_primary() {
    let mut scene = Scene::new();
    scene.add("C/later", PauseState::Running);
    assert_eq!(scene.plan_at(at(1)).order(), ["C/later"]);
    scene.standby = Standby::new(Some(Duration::from_secs(5)));
    let plan = scene.plan_at(at(1));
    let due = UPTIME + Duration::from_secs(6);
    assert_eq!(plan.of("C/later").sending, Sending::LeftToPrimary(due));
}

#[test]
fn a_standby_whose_clock_is_ahead_waits_for_the_server_s() {
    let mut scene = Scene::new();
    scene.add("A/run", PauseState::Running);
    scene.standby = Standby::new(Some(Duration::from_secs(5)));
    for (server_ahead, waits) in [(20, 5), (0, 5), (-20, 25)] {
        scene.skew.set(SignedDuration::from_secs(server_ahead));
        let due = UPTIME + Duration::from_secs(waits);
        assert_eq!(
            scene.plan().of("A/run").sending,
            Sending::LeftToPrimary(due),
            "{server_ahead}"
        );
    }
}

#[test]
fn a_clear_keeps_away_from_whatever_may_pause_next() {
    let consumers =
        |selector| Target::Consumers(Selection::new(vec![Selector::parse(selector).unwrap()]));
    let window = |name: &str| Target::Window(name.into());
    // `many` is open for half an hour more, and no window is there for D.
    for (path, target, effect, span, is_cleared) in [
        // What keeps an open window off may be undone at any time.
        ("A/one", consumers("A/*"), Effect::Run, [-60, 16], false),
        ("A/one", consumers("A/*"), Effect::Run, [-60, 2_000], false),
        ("A/one", window("many"), Effect::Run, [-60, 2_000], false),
        // So may what takes an opening out.
        ("C/one", consumers("C/*"), Effect::Run, [-60, 2_000], false),
        ("C/one", window("later"), Effect::Run, [1, 3_601], false),
        ("D/one", consumers("D/*"), Effect::Pause, [30, 300], false),
        ("D/one", consumers("D/*"), Effect::Pause, [61, 300], true),
        ("D/one", consumers("D/*"), Effect::Run, [-60, 16], true),
    ] {
        let mut scene = Scene::new();
        let [from, until] = span.map(|second| now().as_second() + second);
        let mut one = close_of_night(1, from, until);
        (one.terms.target, one.terms.effect) = (target, effect);
        scene.policy = scene.policy.with_overrides(&[Arc::new(one)], now());
        let until = scene.mark().stamp(at(-90));
        scene.add(path, PauseState::Lapsed { until });
        let cleared = scene.plan_at(now()).clears.len() == 1;
        assert_eq!(cleared, is_cleared, "{path} {effect:?} {span:?}");
    }
}
