use jiff::SignedDuration;

use super::*;
use crate::consumer::example;

fn mark() -> Mark {
    Mark::of_instance("default")
}

fn billing() -> ConsumerId {
    ConsumerId::new("ORDERS", "billing")
}

fn start() -> Timestamp {
    "2026-12-01T02:00:00Z".parse().unwrap()
}

/// So many seconds after the start.
fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// A deadline of ours so many seconds after the start.
fn ours(seconds: i64) -> Timestamp {
    mark().stamp(at(seconds))
}

fn paused(until: Timestamp) -> PauseState {
    let remaining = until.duration_since(start());
    PauseState::Paused { until, remaining }
}

fn lapsed(until: Timestamp) -> PauseState {
    PauseState::Lapsed { until }
}

fn observation(state: PauseState, created: i64) -> Observation {
    Observation {
        created: at(created),
        clustered: true,
        ..example::observation(state)
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One consumer, and a clock that starts with an uptime of an hour and stands still by itself.
struct Scene {
    ledger: Ledger,
    passed: Duration,
    created: i64,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Scene {
    fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            passed: Duration::ZERO,
            created: -86_400,
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: start() + SignedDuration::try_from(self.passed).unwrap(),
            uptime: HOUR + self.passed,
        }
    }

    fn wait(&mut self, millis: u64) -> &mut Self {
        self.passed += ms(millis);
        self
    }

    fn send(&mut self, action: Action, deadline: Option<Timestamp>) -> &mut Self {
        self.extend(action, deadline, None)
    }

    fn extend(
        &mut self,
        action: Action,
        deadline: Option<Timestamp>,
        extends: Option<Timestamp>,
    ) -> &mut Self {
        let now = self.now();
        (self.ledger).sending(&billing(), action, deadline, extends, now);
        self
    }

    fn answer(&mut self, outcome: Outcome) -> &mut Self {
        let now = self.now();
        self.ledger.answered(&billing(), outcome, true, now);
        self
    }

    /// A pause until `ours(3_600)`, sent and answered.
    fn pause(&mut self, outcome: Outcome) -> &mut Self {
        self.send(Action::Pause, Some(ours(3_600))).answer(outcome)
    }

    fn see(&mut self, state: PauseState) -> Option<Action> {
        let found = Found::Present(observation(state, self.created));
        self.find(&found)
    }

    fn find(&mut self, found: &Found) -> Option<Action> {
        let now = self.now();
        self.ledger.observe(&billing(), found, mark(), now)
    }

    fn advise(&mut self, until: Option<Timestamp>) -> bool {
        self.ledger.advised(&billing(), until)
    }

    fn admits(&self, action: Action, deadline: Option<Timestamp>) -> Admission {
        self.ledger.admit(&billing(), action, deadline, self.now())
    }

    fn admits_the_pause(&self) -> Admission {
        self.admits(Action::Pause, Some(ours(3_600)))
    }

    /// How long the pause must wait from now on; `None` when it is contested.
    fn pause_waits(&self) -> Option<Duration> {
        match self.admits_the_pause() {
            Admission::Granted => Some(Duration::ZERO),
            Admission::Wait(until) => Some(until - self.now().uptime),
            Admission::Contested => None,
        }
    }

    fn is_settling(&self) -> bool {
        self.ledger.is_settling(&billing(), self.now())
    }

    fn is_unconfirmed(&self) -> bool {
        self.ledger.is_unconfirmed(&billing())
    }

    fn remembers(&self) -> Option<Timestamp> {
        self.ledger.remembered_foreign(&billing())
    }

    fn is_in_scope(&self) -> bool {
        let (id, now) = (billing(), self.now());
        let is_in_scope = self.ledger.is_in_scope(&id, now);
        let all: Vec<_> = self.ledger.in_scope(now).collect();
        assert_eq!(all.contains(&&id), is_in_scope);
        is_in_scope
    }

    fn look_is_due(&self) -> bool {
        (self.ledger.look(&billing())).is_some_and(|at| at <= self.now().uptime)
    }

    fn prune(&mut self) -> usize {
        let now = self.now();
        self.ledger.prune(now);
        self.ledger.len()
    }
}

#[test]
fn a_write_settles_for_5_s_after_it_was_accepted() {
    let mut scene = Scene::new();
    scene.send(Action::Pause, Some(ours(3_600)));
    assert!(!scene.is_settling(), "it is under way");
    scene.wait(700).answer(Outcome::Accepted);
    assert!(scene.is_settling());
    assert!(scene.is_unconfirmed());
    scene.wait(4_999);
    assert!(scene.is_settling());
    scene.wait(1);
    assert!(!scene.is_settling());
    assert!(scene.is_unconfirmed(), "it was still never seen");
}

#[test]
fn a_write_that_was_not_accepted_does_not_settle() {
    for outcome in [Outcome::Refused, Outcome::TimedOut, Outcome::Cut] {
        let mut scene = Scene::new();
        scene.pause(outcome);
        assert!(!scene.is_settling(), "{outcome:?}");
        assert!(!scene.is_unconfirmed(), "{outcome:?}");
    }
}

#[test]
fn an_observation_that_shows_the_write_ends_the_settling() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted).wait(100);
    assert_eq!(scene.see(PauseState::Running), None);
    assert!(scene.is_settling(), "not applied yet");
    assert_eq!(scene.see(paused(ours(3_600))), Some(Action::Pause));
    assert!(!scene.is_settling());
    assert!(!scene.is_unconfirmed());
    assert_eq!(scene.see(paused(ours(3_600))), None, "told once");
    assert_eq!(scene.see(PauseState::Running), None);
    assert!(!scene.is_unconfirmed(), "seen once is seen");
}

#[test]
fn an_observation_shows_a_write_whose_answer_was_lost() {
    for outcome in [Outcome::TimedOut, Outcome::Cut] {
        let mut scene = Scene::new();
        scene.pause(outcome).wait(100);
        let shown = scene.see(paused(ours(3_600)));
        assert_eq!(shown, Some(Action::Pause), "{outcome:?}");
        // From here on it is like any other that was accepted and applied.
        scene.see(PauseState::Running);
        scene.wait(1);
        assert_eq!(scene.pause_waits(), Some(Duration::ZERO), "{outcome:?}");
        assert_eq!(scene.ledger.unseen_for(&billing(), scene.now()), None);
    }
}

#[test]
fn a_contrary_advisory_ends_the_settling() {
    for contrary in [None, Some(at(3_600)), Some(ours(3_601))] {
        let mut scene = Scene::new();
        scene.pause(Outcome::Accepted);
        assert!(scene.advise(contrary), "news");
        assert!(!scene.is_settling());
        assert!(!scene.is_unconfirmed(), "there is nothing to wait for");
        assert!(!scene.wait(60_000).look_is_due());
    }
}

#[test]
fn the_echo_of_a_write_is_dropped() {
    let mut scene = Scene::new();
    assert!(scene.advise(None), "of a consumer never written to");
    scene.send(Action::Pause, Some(ours(3_600)));
    assert!(!scene.advise(Some(ours(3_600))), "before the answer");
    scene.answer(Outcome::Accepted);
    assert!(!scene.advise(Some(ours(3_600))));
    assert!(scene.is_settling(), "an echo contradicts nothing");
    scene.see(paused(ours(3_600)));
    assert!(!scene.advise(Some(ours(3_600))), "late");
    assert!(scene.advise(None));

    scene.send(Action::Clear, None);
    assert!(!scene.advise(None), "a Clear's echo has no deadline");
    assert!(scene.advise(Some(ours(3_600))));

    scene.pause(Outcome::Refused);
    assert!(scene.advise(Some(ours(3_600))), "a twin wrote it, not we");
}

#[test]
fn a_deletion_ends_the_settling() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.ledger.deleted(&ConsumerId::new("ORDERS", "other"));
    assert!(scene.is_settling(), "somebody else's");
    scene.ledger.deleted(&billing());
    assert!(!scene.is_settling());
}

#[test]
fn a_write_that_timed_out_is_not_sent_again_within_5_s_of_its_sending() {
    let mut scene = Scene::new();
    let sent = scene.now().uptime;
    scene.send(Action::Pause, Some(ours(3_600)));
    scene.wait(3_000).answer(Outcome::TimedOut).wait(1_999);
    let held = Admission::Wait(sent + ms(5_000));
    assert_eq!(scene.admits_the_pause(), held);
    // It may still lie in the server's queue, so nothing else may overtake it.
    assert_eq!(scene.admits(Action::Pause, Some(ours(7_200))), held);
    assert_eq!(scene.admits(Action::Resume, None), held);
    scene.wait(1);
    assert_eq!(scene.admits_the_pause(), Admission::Granted);
    assert_eq!(scene.admits(Action::Resume, None), Admission::Granted);
}

#[test]
fn a_write_that_a_disconnect_cut_is_free_at_once() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        scene.pause(Outcome::Cut);
        assert_eq!(scene.admits_the_pause(), Admission::Granted);
    }
}

/// How a write that was accepted is undone.
type Undoing = fn(&mut Scene);

const UNDOINGS: [(&str, Undoing); 3] = [
    ("seen applied, then seen undone", |scene| {
        scene.see(paused(ours(3_600)));
        scene.see(PauseState::Running);
    }),
    ("told of by an advisory", |scene| {
        assert!(scene.advise(None));
        scene.see(PauseState::Running);
    }),
    ("deleted and created again", |scene| {
        scene.ledger.deleted(&billing());
        scene.created += 1;
        scene.see(PauseState::Running);
    }),
];

/// Sends the pause as soon as it may be, has it undone each time, and returns the waits before the
/// sendings.
fn fight(scene: &mut Scene, undo: Undoing) -> Vec<Duration> {
    let mut waits = Vec::new();
    while let Some(wait) = scene.pause_waits() {
        scene.passed += wait;
        assert_eq!(scene.admits_the_pause(), Admission::Granted);
        waits.push(wait);
        scene.pause(Outcome::Accepted);
        undo(scene);
        assert!(waits.len() < 10, "never contested: {waits:?}");
    }
    waits
}

#[test]
fn a_write_that_is_undone_each_time_is_repeated_ever_later_and_then_left() {
    for (how, undo) in UNDOINGS {
        let mut scene = Scene::new();
        let expected = [0, 100, 1_000, 10_000, 60_000].map(ms);
        assert_eq!(fight(&mut scene, undo), expected, "{how}");
        scene.wait(1_000_000);
        assert_eq!(scene.admits_the_pause(), Admission::Contested, "{how}");
        assert_eq!(
            scene.admits(Action::Pause, Some(ours(7_200))),
            Admission::Contested,
            "a pause that was extended is the same pause"
        );
        assert_eq!(
            scene.admits(Action::Retime, Some(ours(3_600))),
            Admission::Granted,
            "another verdict"
        );
        scene.wait(3_600_000);
        assert_eq!(
            scene.admits(Action::Pause, Some(ours(7_200))),
            Admission::Granted,
            "the next pause is another one"
        );
    }
}

#[test]
fn a_fight_outlasts_the_deadline_that_it_began_with_while_the_pause_is_extended() {
    let (_, undo) = UNDOINGS[0];
    let mut scene = Scene::new();
    fight(&mut scene, undo);
    scene.ledger.contest(&billing(), Some(ours(7_200)));
    // One that asks for no deadline says nothing about the pause.
    scene.ledger.contest(&billing(), None);
    scene.passed = Duration::from_secs(3_601);
    let further = |scene: &Scene| scene.admits(Action::Pause, Some(ours(10_800)));
    assert_eq!(further(&scene), Admission::Contested);
    scene.passed = Duration::from_secs(7_201);
    assert_eq!(further(&scene), Admission::Granted, "another pause");
    let other = ConsumerId::new("ORDERS", "other");
    scene.ledger.contest(&other, Some(ours(7_200)));
    assert_eq!(scene.ledger.len(), 1);
}

#[test]
fn a_wait_begins_with_the_sending() {
    let mut scene = Scene::new();
    let sent = scene.now().uptime;
    scene.send(Action::Pause, Some(ours(3_600)));
    scene.wait(60).answer(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    scene.see(PauseState::Running);
    let ready = Admission::Wait(sent + ms(100));
    assert_eq!(scene.admits_the_pause(), ready);
    scene.wait(39);
    assert_eq!(scene.admits_the_pause(), ready);
    scene.wait(1);
    assert_eq!(scene.admits_the_pause(), Admission::Granted);
}

#[test]
fn a_resume_is_the_same_write_whatever_its_moment() {
    let mut scene = Scene::new();
    let mut waits = Vec::new();
    for round in 0..20 {
        match scene.admits(Action::Resume, None) {
            Admission::Granted => {}
            Admission::Wait(until) => {
                waits.push(until - scene.now().uptime);
                scene.passed = until - HOUR;
            }
            Admission::Contested => break,
        }
        let deadline = ours(2 + round);
        scene.send(Action::Resume, Some(deadline));
        scene.answer(Outcome::Accepted);
        scene.see(paused(deadline));
        // Another recess, with an older config, wants it paused.
        scene.see(paused(ours(3_600)));
    }
    assert_eq!(waits, [100, 1_000, 10_000, 60_000].map(ms));
}

#[test]
fn failures_are_repeated_at_least_every_10_s_and_are_no_fight() {
    let waits = |outcome| {
        let mut scene = Scene::new();
        let mut waits = Vec::new();
        for _ in 0..8 {
            let failed = scene.passed;
            while scene.admits_the_pause() != Admission::Granted {
                scene.passed += scene.pause_waits().expect("not contested");
            }
            waits.push(scene.passed - failed);
            scene.pause(outcome);
        }
        waits
    };
    assert_eq!(
        waits(Outcome::Refused),
        [0, 100, 1_000, 10_000, 10_000, 10_000, 10_000, 10_000].map(ms)
    );
    assert_eq!(
        waits(Outcome::TimedOut),
        [0, 5_000, 5_000, 10_000, 10_000, 10_000, 10_000, 10_000].map(ms)
    );
}

#[test]
fn a_write_that_is_still_under_way_waits_like_one_that_failed() {
    let mut scene = Scene::new();
    scene.send(Action::Pause, Some(ours(3_600)));
    assert_eq!(scene.pause_waits(), Some(ms(100)));
}

#[test]
fn a_write_that_the_server_lost_is_not_counted() {
    let mut scene = Scene::new();
    for _ in 0..20 {
        assert_eq!(scene.pause_waits(), Some(Duration::ZERO));
        scene.pause(Outcome::Accepted).wait(5_000);
        scene.see(PauseState::Running);
        assert!(!scene.is_settling());
    }
    // It neither counts later, nor is a count before it forgotten.
    let (_, undo) = UNDOINGS[0];
    assert_eq!(fight(&mut scene, undo).len(), 5);

    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    undo(&mut scene);
    scene.wait(100).pause(Outcome::Accepted).wait(5_000);
    assert_eq!(scene.pause_waits(), Some(Duration::ZERO));
    scene.pause(Outcome::Accepted);
    undo(&mut scene);
    assert_eq!(scene.pause_waits(), Some(ms(1_000)), "its second undoing");

    // However long the next wait of a fight is, a lost write is not part of the fight.
    for wait in [1_000, 10_000] {
        scene.wait(wait).pause(Outcome::Accepted);
        undo(&mut scene);
    }
    scene.wait(60_000).pause(Outcome::Accepted).wait(5_000);
    assert_eq!(scene.pause_waits(), Some(Duration::ZERO));
}

#[test]
fn a_reload_forgives_fights() {
    let (_, undo) = UNDOINGS[0];
    let mut scene = Scene::new();
    fight(&mut scene, undo);
    scene.ledger.forgive();
    let expected = [0, 100, 1_000, 10_000, 60_000].map(ms);
    assert_eq!(fight(&mut scene, undo), expected, "all over again");

    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.ledger.forgive();
    assert!(scene.is_settling(), "a write is not forgotten");
    scene.wait(5_000);
    assert_eq!(fight(&mut scene, undo), expected, "after a lost write too");
}

#[test]
fn a_release_is_no_fight_and_nothing_to_repair() {
    let (_, undo) = UNDOINGS[0];
    let mut scene = extended();
    let release = mark().stamp_release(at(60));
    scene.see(paused(release));
    assert_eq!(
        scene.remembers(),
        Some(at(600)),
        "it may be another's doing"
    );
    scene.ledger.release(&billing());
    assert_eq!(scene.remembers(), None);
    let running = observation(lapsed(release), scene.created);
    assert_eq!(scene.ledger.repair(&billing(), ours(3_600), &running), None);

    let mut scene = Scene::new();
    fight(&mut scene, undo);
    assert_eq!(scene.admits_the_pause(), Admission::Contested);
    scene.ledger.release(&billing());
    assert_eq!(scene.admits_the_pause(), Admission::Granted);
}

#[test]
fn a_reload_does_not_free_what_may_still_lie_in_the_servers_queue() {
    let mut scene = Scene::new();
    scene.pause(Outcome::TimedOut);
    scene.ledger.forgive();
    assert_eq!(scene.pause_waits(), Some(ms(5_000)));
}

/// A pause of ours that extends a foreign one, until at(600), is in place.
fn extended() -> Scene {
    let mut scene = Scene::new();
    scene.see(paused(at(600)));
    scene.extend(Action::Pause, Some(ours(3_600)), Some(at(600)));
    assert_eq!(scene.remembers(), Some(at(600)));
    scene.answer(Outcome::Accepted);
    scene.see(paused(at(600)));
    assert_eq!(scene.remembers(), Some(at(600)), "not applied yet");
    scene.see(paused(ours(3_600)));
    assert_eq!(scene.remembers(), Some(at(600)), "applied");
    scene
}

#[test]
fn a_foreign_deadline_is_kept_while_our_pause_goes_beyond_it() {
    let mut scene = extended();
    scene.send(Action::Retime, Some(ours(7_200)));
    scene.answer(Outcome::Accepted);
    scene.see(paused(ours(7_200)));
    assert_eq!(scene.remembers(), Some(at(600)), "over a Retime");
    scene.find(&Found::Unknown);
    assert_eq!(scene.remembers(), Some(at(600)), "over an outage");
    scene.send(Action::Retime, Some(at(600)));
    scene.answer(Outcome::Accepted);
    assert_eq!(scene.see(paused(at(600))), Some(Action::Retime));
    assert_eq!(scene.remembers(), Some(at(600)), "given back");
}

#[test]
fn a_foreign_deadline_is_forgotten_when_it_passes() {
    let mut scene = extended();
    scene.wait(599_999);
    scene.see(paused(ours(3_600)));
    assert_eq!(scene.remembers(), Some(at(600)));
    scene.wait(1);
    scene.see(paused(ours(3_600)));
    assert_eq!(scene.remembers(), None);
}

#[test]
fn a_foreign_deadline_is_forgotten_when_anyone_else_writes() {
    for state in [
        PauseState::Running,
        lapsed(at(-1)),
        paused(at(601)),
        paused(at(5_000)),
        paused(Mark::of_instance("prod-eu").stamp(at(5_000))),
    ] {
        let mut scene = extended();
        scene.see(state);
        assert_eq!(scene.remembers(), None, "{state:?}");
    }
}

#[test]
fn a_foreign_deadline_is_forgotten_with_its_consumer() {
    let mut scene = extended();
    scene.created += 1;
    scene.see(paused(ours(3_600)));
    assert_eq!(scene.remembers(), None, "recreated");

    let mut scene = extended();
    scene.find(&Found::Missing);
    assert_eq!(scene.remembers(), None, "missing");

    let mut scene = extended();
    scene.ledger.deleted(&billing());
    assert_eq!(scene.remembers(), None, "deleted");
}

#[test]
fn the_foreign_deadline_of_a_consumer_created_anew_is_remembered_like_any_other() {
    let mut scene = extended();
    scene.created += 1;
    scene.see(paused(at(700)));
    assert_eq!(scene.remembers(), None);
    scene.extend(Action::Pause, Some(ours(3_600)), Some(at(700)));
    scene.answer(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    assert_eq!(scene.remembers(), Some(at(700)));
}

#[test]
fn a_newer_foreign_deadline_takes_the_place_of_an_older_one() {
    let mut scene = extended();
    scene.see(paused(at(900)));
    scene.extend(Action::Pause, Some(ours(3_600)), Some(at(900)));
    assert_eq!(scene.remembers(), Some(at(900)));
}

#[test]
fn what_was_right_once_is_repaired_and_the_cause_is_told() {
    let held = ours(3_600);
    let same = -86_400;
    for (deadline, state, created, cause) in [
        (held, PauseState::Running, same, Some(Repair::Resumed)),
        (held, lapsed(at(-1)), same, Some(Repair::Resumed)),
        (held, paused(at(60)), same, Some(Repair::Retimed)),
        (held, paused(ours(60)), same, Some(Repair::Retimed)),
        (held, paused(ours(7_200)), same, Some(Repair::Retimed)),
        (held, paused(ours(7)), same, Some(Repair::Retimed)),
        (held, paused(ours(6)), same, Some(Repair::Resumed)),
        (held, paused(at(7)), same, Some(Repair::Resumed)),
        (held, PauseState::Running, 0, Some(Repair::Recreated)),
        (held, paused(at(60)), 0, Some(Repair::Recreated)),
        (ours(7_200), PauseState::Running, same, None),
        (ours(7_200), PauseState::Running, 0, None),
    ] {
        let mut scene = Scene::new();
        let found = observation(state, created);
        let repair = scene.ledger.repair(&billing(), deadline, &found);
        assert_eq!(repair, None, "never written");
        scene.pause(Outcome::Accepted);
        let repair = scene.ledger.repair(&billing(), deadline, &found);
        assert_eq!(repair, None, "never seen in place");
        scene.see(paused(held));
        scene.created = created;
        scene.see(state);
        let repair = scene.ledger.repair(&billing(), deadline, &found);
        assert_eq!(repair, cause, "{state:?}, created {created}");
    }
}

#[test]
fn what_another_copy_wrote_is_defended_once_it_is_as_wanted() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    let longer = observation(paused(ours(7_200)), -86_400);
    let running = observation(PauseState::Running, -86_400);
    let repairs = |ledger: &mut Ledger, scene_now: Now| {
        ledger.observe(
            &billing(),
            &Found::Present(longer.clone()),
            mark(),
            scene_now,
        );
        [3_600, 7_200].map(|until| ledger.repair(&billing(), ours(until), &running))
    };
    let now = scene.now();
    assert_eq!(
        repairs(&mut scene.ledger, now),
        [Some(Repair::Resumed), None]
    );
    scene.ledger.keep(&billing(), &longer);
    assert_eq!(
        repairs(&mut scene.ledger, now),
        [None, Some(Repair::Resumed)]
    );
}

#[test]
fn what_was_written_under_another_name_counts_as_written_under_this_one() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    let renamed = Mark::of_instance("prod-us");
    let written = scene.ledger.restamp(mark(), renamed);
    assert_eq!(
        written,
        vec![(billing(), ours(3_600)); 2],
        "held and written"
    );
    let now = renamed.stamp(at(3_600));
    let running = observation(PauseState::Running, -86_400);
    assert_eq!(
        scene.ledger.repair(&billing(), now, &running),
        Some(Repair::Resumed)
    );
    assert!(!scene.advise(Some(now)), "an echo");
    assert_eq!(scene.ledger.restamp(mark(), renamed), []);
}

#[test]
fn a_repair_is_known_again_after_the_consumer_was_missing() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    scene.find(&Found::Missing);
    assert_eq!(scene.admits_the_pause(), Admission::Granted);
    scene.created += 1;
    let found = observation(PauseState::Running, scene.created);
    scene.see(PauseState::Running);
    assert_eq!(
        scene.ledger.repair(&billing(), ours(3_600), &found),
        Some(Repair::Recreated)
    );
}

#[test]
fn a_lapsed_pause_of_ours_was_not_held() {
    let mut scene = Scene::new();
    scene.see(lapsed(ours(-60)));
    assert!(scene.ledger.is_empty());
    let found = observation(PauseState::Running, -86_400);
    let repair = scene.ledger.repair(&billing(), ours(-60), &found);
    assert_eq!(repair, None);
}

/// When the looks for a write are due, from its acceptance on.
fn looks(clustered: bool) -> Vec<u64> {
    let mut scene = Scene::new();
    let id = billing();
    scene.send(Action::Pause, Some(ours(3_600)));
    scene.wait(500);
    assert_eq!(scene.ledger.look(&id), None, "not before the answer");
    let accepted = scene.now();
    (scene.ledger).answered(&id, Outcome::Accepted, clustered, accepted);
    let mut looks = Vec::new();
    for _ in 0..11 {
        let due = scene.ledger.look(&id).unwrap();
        assert!(due >= scene.now().uptime);
        scene.passed = due - HOUR;
        if due > accepted.uptime {
            scene.passed -= ms(1);
            assert!(!scene.look_is_due());
            scene.passed += ms(1);
        }
        assert!(scene.look_is_due());
        let now = scene.now();
        scene.ledger.looked(|_| false, now);
        assert!(scene.look_is_due(), "somebody else was looked at");
        scene.ledger.looked(|seen| *seen == id, now);
        assert!(!scene.look_is_due());
        looks.push(u64::try_from((due - accepted.uptime).as_millis()).unwrap());
    }
    looks
}

#[test]
fn a_write_is_looked_for_ever_more_rarely() {
    let waits = [
        100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000,
    ];
    for (clustered, first) in [(true, 50), (false, 0)] {
        let mut due = first;
        let mut expected = vec![due];
        expected.extend(waits.map(|wait| {
            due += wait;
            due
        }));
        assert_eq!(looks(clustered), expected);
    }
}

#[test]
fn a_look_that_comes_by_itself_does_not_put_off_the_next() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    let due = scene.ledger.look(&billing());
    let now = scene.wait(49).now();
    scene.ledger.looked(|_| true, now);
    assert_eq!(scene.ledger.look(&billing()), due);
}

#[test]
fn what_was_seen_or_not_accepted_is_not_looked_for() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    scene.see(paused(ours(3_600)));
    assert!(!scene.wait(60_000).look_is_due());
    assert_eq!(scene.ledger.look(&billing()), None);
    let now = scene.now();
    scene.ledger.looked(|_| true, now);
    assert_eq!(scene.ledger.look(&billing()), None);
    for outcome in [Outcome::Refused, Outcome::TimedOut, Outcome::Cut] {
        scene.pause(outcome);
        assert_eq!(scene.ledger.look(&billing()), None, "{outcome:?}");
    }
}

#[test]
fn the_time_unseen_counts_from_the_acceptance() {
    let mut scene = Scene::new();
    let unseen = |scene: &Scene| scene.ledger.unseen_for(&billing(), scene.now());
    assert_eq!(unseen(&scene), None);
    scene.send(Action::Pause, Some(ours(3_600)));
    assert_eq!(unseen(scene.wait(1_000)), None);
    scene.answer(Outcome::Accepted);
    assert_eq!(unseen(scene.wait(12_000)), Some(ms(12_000)));
    scene.see(paused(ours(3_600)));
    assert_eq!(unseen(&scene), None);
}

#[test]
fn a_consumer_is_in_scope_while_a_pause_of_ours_may_last() {
    let mut scene = Scene::new();
    scene.see(paused(at(3_600)));
    assert!(!scene.is_in_scope(), "a foreign pause");
    scene.see(paused(ours(3_600)));
    assert!(scene.is_in_scope(), "seen, though never written");
    scene.passed = Duration::from_secs(3_600);
    assert!(scene.is_in_scope(), "our mark lies just after the second");
    assert!(!scene.wait(1).is_in_scope());

    for (outcome, expected) in [
        (Outcome::Accepted, true),
        (Outcome::Refused, false),
        (Outcome::TimedOut, true),
        (Outcome::Cut, true),
    ] {
        let mut scene = Scene::new();
        scene.send(Action::Pause, Some(ours(3_600)));
        assert!(scene.is_in_scope(), "under way");
        scene.answer(outcome);
        assert_eq!(scene.is_in_scope(), expected, "{outcome:?}");
        scene.passed = Duration::from_secs(3_601);
        assert!(!scene.is_in_scope(), "{outcome:?}, over");
    }
}

#[test]
fn a_foreign_deadline_that_was_given_back_is_in_scope_until_it_passes() {
    let mut scene = Scene::new();
    scene.send(Action::Retime, Some(at(600)));
    scene.answer(Outcome::Accepted).wait(599_999);
    assert!(scene.is_in_scope());
    assert!(!scene.wait(1).is_in_scope());
}

#[test]
fn a_refused_write_leaves_what_was_seen_in_scope() {
    let mut scene = Scene::new();
    scene.see(paused(ours(3_600)));
    scene.send(Action::Retime, Some(ours(7_200)));
    scene.answer(Outcome::Refused);
    assert!(scene.is_in_scope());
    scene.passed = Duration::from_secs(3_601);
    assert!(!scene.is_in_scope());
}

#[test]
fn consumers_that_were_only_looked_at_cost_no_memory() {
    let mut ledger = Ledger::default();
    let now = Scene::new().now();
    for number in 0..1_000 {
        let id = ConsumerId::new("KV", format!("watcher-{number}"));
        for state in [PauseState::Running, paused(at(600)), lapsed(ours(-1))] {
            let found = Found::Present(observation(state, 0));
            assert_eq!(ledger.observe(&id, &found, mark(), now), None);
        }
        ledger.observe(&id, &Found::Missing, mark(), now);
        assert!(ledger.advised(&id, None));
        ledger.deleted(&id);
    }
    assert!(ledger.is_empty());
    assert_eq!(ledger.len(), 0);
}

#[test]
fn a_consumer_is_forgotten_when_its_pause_is_over() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    assert!(!scene.ledger.is_empty());
    scene.see(paused(ours(3_600)));
    scene.passed = Duration::from_secs(3_600);
    assert_eq!(scene.prune(), 1, "our mark lies just after the second");
    scene.wait(1);
    assert_eq!(scene.prune(), 0);
}

#[test]
fn one_consumer_is_forgotten_alone() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Accepted);
    let other = ConsumerId::new("ORDERS", "other");
    let found = Found::Present(observation(paused(ours(3_600)), 0));
    let now = scene.now();
    scene.ledger.observe(&other, &found, mark(), now);
    scene.passed = Duration::from_secs(3_601);
    let now = scene.now();
    scene.ledger.settle(&other, now);
    assert_eq!(scene.ledger.len(), 1);
    scene
        .ledger
        .settle(&ConsumerId::new("ORDERS", "third"), now);
    assert_eq!(scene.ledger.len(), 1);
    scene.ledger.settle(&billing(), now);
    assert_eq!(scene.ledger.len(), 0);
}

#[test]
fn a_fight_is_remembered_until_its_pause_is_over() {
    let (_, undo) = UNDOINGS[0];
    let mut scene = Scene::new();
    fight(&mut scene, undo);
    let now = scene.now();
    scene.ledger.settle(&billing(), now);
    scene.prune();
    assert_eq!(scene.admits_the_pause(), Admission::Contested);
    scene.passed = Duration::from_secs(3_601);
    scene.prune();
    assert_eq!(scene.admits_the_pause(), Admission::Granted);
}

#[test]
fn the_backoff_of_a_refused_write_is_remembered_until_its_pause_is_over() {
    let mut scene = Scene::new();
    scene.pause(Outcome::Refused);
    scene.prune();
    assert_eq!(scene.pause_waits(), Some(ms(100)));
    scene.passed = Duration::from_secs(3_601);
    assert_eq!(scene.prune(), 0);
}

#[test]
fn a_write_that_never_shows_is_forgotten_all_the_same() {
    // A Resume, say, that the server lost, or over which somebody wrote before it was seen.
    for state in [PauseState::Running, paused(at(600))] {
        let mut scene = Scene::new();
        scene.send(Action::Resume, Some(ours(2)));
        scene.answer(Outcome::Accepted).wait(59_999);
        scene.see(state);
        assert_eq!(scene.prune(), 1);
        scene.wait(1);
        scene.see(state);
        assert_eq!(scene.prune(), 0, "{state:?}");
    }
}

#[test]
fn a_write_under_way_is_not_forgotten() {
    let mut scene = Scene::new();
    scene.send(Action::Clear, None).wait(600_000);
    assert_eq!(scene.prune(), 1);
}

#[test]
fn the_backoff_of_a_clear_is_not_forgotten_from_pass_to_pass() {
    // A Clear has no deadline of its own, and the one that it removes has passed.
    let mut scene = Scene::new();
    for wait in [0, 100, 1_000, 10_000, 10_000] {
        scene.see(lapsed(ours(-90)));
        scene.prune();
        let ready = scene.now().uptime + ms(wait);
        if wait > 0 {
            let admission = scene.admits(Action::Clear, None);
            assert_eq!(admission, Admission::Wait(ready));
        }
        scene.wait(wait);
        assert_eq!(scene.admits(Action::Clear, None), Admission::Granted);
        scene.send(Action::Clear, None).answer(Outcome::Refused);
    }
}

#[test]
fn words_are_those_of_the_metrics() {
    let actions = Action::ALL.map(Action::as_str);
    assert_eq!(actions, ["pause", "retime", "resume", "clear"]);
    let repairs = Repair::ALL.map(Repair::as_str);
    assert_eq!(repairs, ["resumed", "recreated", "retimed"]);
}

#[test]
fn a_consumer_that_is_remembered_may_be_out_of_scope() {
    let mut scene = Scene::new();
    assert!(!scene.is_in_scope());
    scene.send(Action::Resume, Some(ours(2)));
    scene.answer(Outcome::Accepted);
    assert!(scene.is_in_scope());
    let other = ConsumerId::new("ORDERS", "shipping");
    assert!(!scene.ledger.is_in_scope(&other, scene.now()));
    scene.wait(2_001);
    assert!(!scene.is_in_scope());
    assert_eq!(scene.prune(), 1);
}
