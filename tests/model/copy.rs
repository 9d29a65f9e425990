//! One copy of recess: its passes, made of the very functions that the loop is made of.
//!
//! What the loop does between them (await answers, sleep) the checker does here, in every order. The wake-ups are left
//! out: a copy may begin a pass whenever it likes, as one that is lost costs time, never truth.

use jiff::Timestamp;
use recess::consumer::Found;
use recess::ledger::Ledger;
use recess::now::Now;
use recess::plan::{
    Known, Orphans, OverridesKnown, Plan, Planned, Situation, Skew, Streams, Verdict,
};

use crate::breaks::Break;
use crate::scenario::{Desk, TICK, World, at, clocks, seconds, span, uptime};
use crate::state::{Copy, Look, Overrides, Phase, Prepared, Seen, State};

/// How long nothing is begun or ended while the bucket was never read.
const PATIENCE: i64 = 10;

impl Overrides {
    fn known(&self, world: &World, now: i64) -> OverridesKnown {
        match (world.scenario.verb, self.read) {
            (None, _) => OverridesKnown::NoBucket,
            _ if world.broken(Break::UnreadCountsAsRead) => OverridesKnown::Read,
            (_, Some(_)) => OverridesKnown::Read,
            (_, None) if self.asked_at.is_none_or(|asked| now < asked + PATIENCE) => {
                OverridesKnown::Awaited
            }
            (_, None) => OverridesKnown::Unread,
        }
    }

    /// Asks the bucket, which answers or does not.
    fn ask(&mut self, answer: Option<Option<i64>>, now: i64) {
        self.is_fresh = true;
        match answer {
            Some(live) => (self.read, self.asked_at) = (Some(live), None),
            None if self.read.is_none() => drop(self.asked_at.get_or_insert(now)),
            None => {}
        }
    }
}

impl World {
    pub fn broken(&self, one: Break) -> bool {
        self.scenario.broken == Some(one)
    }

    fn skew(&self, copy: usize) -> Skew {
        let mut skew = Skew::default();
        skew.set(span(-self.ahead(copy)));
        skew
    }
}

impl State {
    fn desk<'w>(&self, world: &'w World, copy: usize) -> &'w Desk {
        let one = &self.copies[copy];
        world.desk(one.file, one.overrides.read.flatten())
    }

    pub fn clocks(&self, world: &World, copy: usize) -> Now {
        clocks(self.now, world.ahead(copy))
    }

    /// Asks the server for every consumer; in a full pass for the overrides before.
    pub fn look(&mut self, world: &World, copy: usize, is_readable: bool) {
        let live = is_readable.then(|| self.bucket.live());
        let seen = (self.consumers.iter())
            .map(|&consumer| Seen::Present {
                consumer,
                at: self.now,
            })
            .collect();
        let now = self.now;
        let one = &mut self.copies[copy];
        let is_advised = std::mem::take(&mut one.asked);
        if !is_advised && world.scenario.verb.is_some() {
            one.overrides.ask(live, now);
        }
        one.phase = Phase::Looking(Look { seen, is_advised });
    }

    /// The answers to an observation arrive, or do not.
    pub fn decide(&mut self, world: &World, copy: usize, is_answered: bool) {
        let now = self.clocks(world, copy);
        let (server_now, mark) = (self.now, world.mark);
        let one = &mut self.copies[copy];
        let Phase::Looking(mut look) = std::mem::replace(&mut one.phase, Phase::Idle) else {
            return;
        };
        if !is_answered {
            look.seen.fill(Seen::Unknown);
        }
        for ((id, seen), trail) in world.ids.iter().zip(&look.seen).zip(&mut one.trails) {
            let found = seen.found(world.scenario.clustered);
            one.ledger.observe(id, &found, mark, now);
            trail.observes(*seen, mark, server_now);
        }
        one.ledger.looked(|_| true, now);
        one.standby.observed(|_| true);
        let writes = self.decide_rows(world, copy, &look);
        if self.rest_on_overrides(world, copy, &look, &writes) {
            self.copies[copy].phase = Phase::Reading(look);
            return;
        }
        self.act(world, copy, &look, writes);
    }

    /// The overrides arrive that writes rest on, or do not.
    pub fn read(&mut self, world: &World, copy: usize, is_readable: bool) {
        let live = is_readable.then(|| self.bucket.live());
        let now = self.now;
        let one = &mut self.copies[copy];
        let Phase::Reading(look) = std::mem::replace(&mut one.phase, Phase::Idle) else {
            return;
        };
        one.overrides.ask(live, now);
        let writes = self.decide_rows(world, copy, &look);
        self.act(world, copy, &look, writes);
    }

    fn rest_on_overrides(
        &self,
        world: &World,
        copy: usize,
        look: &Look,
        writes: &[(usize, Verdict)],
    ) -> bool {
        let overrides = self.copies[copy].overrides;
        if world.scenario.verb.is_none()
            || overrides.is_fresh
            || world.broken(Break::NoReadBeforeAnEnd)
        {
            return false;
        }
        writes.iter().any(|(consumer, verdict)| {
            let found = look.seen[*consumer].found(world.scenario.clustered);
            let state = found.observation().map(|seen| seen.state);
            verdict.rests_on_overrides(state, look.is_advised && overrides.read.is_some())
        })
    }

    /// Decides, and writes the decisions into the books.
    fn decide_rows(&mut self, world: &World, copy: usize, look: &Look) -> Vec<(usize, Verdict)> {
        let now = self.clocks(world, copy);
        let plan = self.plan(world, copy, &look.seen, now.wall);
        let one = &mut self.copies[copy];
        for (planned, seen) in plan.decisions.iter().zip(&look.seen) {
            let found = seen.found(world.scenario.clustered);
            planned.note_down(&found, &mut one.ledger, &mut one.standby, now);
        }
        let clears = plan.clears.into_iter().map(|id| (id, Verdict::Clear));
        plan.writes
            .into_iter()
            .chain(clears)
            .map(|(id, verdict)| (world.number(&id), verdict))
            .collect()
    }

    /// The plan for an instant.
    fn plan(&self, world: &World, copy: usize, seen: &[Seen], at: Timestamp) -> Plan {
        let one = &self.copies[copy];
        let desk = self.desk(world, copy);
        let found: Vec<Found> = (seen.iter())
            .map(|seen| world.found_as_broken(*seen))
            .collect();
        let (orphans, streams, forgetful) =
            (Orphans::default(), Streams::default(), Ledger::default());
        let situation = Situation {
            policy: &desk.policy,
            ledger: if world.broken(Break::NothingSettles) {
                &forgetful
            } else {
                &one.ledger
            },
            standby: &one.standby,
            orphans: &orphans,
            skew: if world.broken(Break::ClockTrusted) {
                Skew {
                    newest: Some(span(0)),
                    smooth: None,
                }
            } else {
                world.skew(copy)
            },
            resync: uptime(60) - uptime(0),
            watches_draining: false,
            overrides: one.overrides.known(world, self.now),
            streams: &streams,
            now: self.clocks(world, copy),
        };
        let known = (world.ids.iter().zip(&desk.windows).zip(&found).zip(seen)).map(
            |(((id, windows), found), seen)| Known {
                id,
                windows,
                found,
                seen: match seen {
                    Seen::Unknown => uptime(self.now),
                    Seen::Present { at, .. } => uptime(*at),
                },
                idle_at: None,
            },
        );
        world.broken_plan(situation.plan(known, at), one)
    }

    /// What a copy would decide about what there is now.
    pub fn planned_now(&self, world: &World, copy: usize) -> Vec<Planned> {
        let seen: Vec<Seen> = (self.consumers.iter())
            .map(|&consumer| Seen::Present {
                consumer,
                at: self.now,
            })
            .collect();
        self.plan(world, copy, &seen, self.clocks(world, copy).wall)
            .decisions
    }

    /// The next change by the calendar, by the copy's clock.
    pub fn next_change(&self, world: &World, copy: usize, after: i64) -> Option<i64> {
        self.desk(world, copy)
            .policy
            .next_change(at(after))
            .map(seconds)
    }

    /// Sends what is due, and prepares for a change within a tick.
    fn act(&mut self, world: &World, copy: usize, look: &Look, writes: Vec<(usize, Verdict)>) {
        let now = self.clocks(world, copy);
        self.copies[copy].ledger.prune(now);
        for (consumer, verdict) in writes {
            self.send(world, copy, look.seen[consumer], consumer, verdict);
        }
        let edge = self.desk(world, copy).policy.next_change(now.wall);
        let near = edge.filter(|edge| edge.duration_since(now.wall) <= span(TICK));
        let is_known = look.seen.iter().all(|seen| *seen != Seen::Unknown);
        self.copies[copy].prepared = near.filter(|_| is_known).map(|edge| Prepared {
            edge: seconds(edge),
            writes: None,
            seen: look.seen.clone(),
        });
        self.prepare(world, copy);
    }

    /// Plans for the change that is near, once all that was sent before is answered.
    pub fn prepare(&mut self, world: &World, copy: usize) {
        if self.is_sending(copy) {
            return;
        }
        let Some(mut prepared) = self.copies[copy].prepared.take() else {
            return;
        };
        let writes = self
            .plan(world, copy, &prepared.seen, at(prepared.edge))
            .writes;
        let writes = (writes.into_iter()).map(|(id, verdict)| (world.number(&id), verdict));
        let is_left = |(consumer, verdict): &(usize, Verdict)| {
            let found = prepared.seen[*consumer].found(world.scenario.clustered);
            let state = found.observation().map(|seen| seen.state);
            world.scenario.verb.is_none() || !verdict.rests_on_overrides(state, false)
        };
        prepared.writes = Some(writes.filter(is_left).collect());
        self.copies[copy].prepared = Some(prepared);
    }

    /// A change has come that was prepared.
    pub fn edge(&mut self, world: &World, copy: usize) {
        let now = self.clocks(world, copy);
        let Some(prepared) = self.copies[copy].prepared.take() else {
            return;
        };
        if self.copies[copy].standby.delay().is_some() {
            let plan = self.plan(world, copy, &prepared.seen, now.wall);
            plan.leave_to_primary(&mut self.copies[copy].standby, now);
        }
        for (consumer, verdict) in prepared.writes.into_iter().flatten() {
            self.send(world, copy, prepared.seen[consumer], consumer, verdict);
        }
    }

    /// The copy loads the file as it is now.
    pub fn reload(&mut self, copy: usize) {
        let file = self.file;
        let one = &mut self.copies[copy];
        one.file = file;
        one.ledger.forgive();
        one.prepared = None;
        one.asked = false;
    }
}

impl World {
    fn number(&self, id: &recess::consumer::ConsumerId) -> usize {
        self.ids
            .iter()
            .position(|known| known == id)
            .expect("a known consumer")
    }

    /// What was found, as a recess sees it that is broken.
    fn found_as_broken(&self, seen: Seen) -> Found {
        let seen = match seen {
            Seen::Present { mut consumer, at } if self.broken(Break::MarkUnchecked) => {
                consumer.stored = consumer.stored.map(|until| self.mark.stamp(until));
                Seen::Present { consumer, at }
            }
            seen => seen,
        };
        seen.found(self.scenario.clustered)
    }

    /// What is planned, by a recess that is broken.
    fn broken_plan(&self, mut plan: Plan, copy: &Copy) -> Plan {
        let Some(broken) = self.scenario.broken else {
            return plan;
        };
        broken.spoil(&mut plan, self.mark, copy);
        plan
    }
}
