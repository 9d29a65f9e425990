//! What a copy writes, what it is answered, and what the server tells it unasked.

use jiff::Timestamp;
use recess::now::Now;
use recess::plan::Verdict;
use recess::send::Leaving;
use recess::write::Outcome;

use crate::breaks::Break;
use crate::judge::{Leaves, Open};
use crate::scenario::{World, at};
use crate::state::{Copy, Place, Request, Seen, State};

impl State {
    /// A write leaves, and is judged.
    pub fn send(
        &mut self,
        world: &World,
        copy: usize,
        seen: Seen,
        consumer: usize,
        verdict: Verdict,
    ) {
        let now = self.clocks(world, copy);
        let found = seen.found(world.scenario.clustered);
        let (
            Seen::Present {
                consumer: shown, ..
            },
            Some(observation),
        ) = (seen, found.observation())
        else {
            return;
        };
        let leaving = Leaving::of(verdict, observation, world.mark, at(self.now));
        let Some(Leaving {
            action,
            deadline,
            extends,
        }) = leaving
        else {
            return;
        };
        let one = &mut self.copies[copy];
        let leaves = Leaves {
            world,
            copy,
            file: one.file,
            word: one.overrides.read,
            read_before: one.overrides.is_fresh,
            now: self.now,
            seen: shown,
            trail: one.trails[consumer],
            action,
            deadline,
        };
        self.wrong = self.wrong.or(leaves.judge());
        let remembered = extends.filter(|_| !world.broken(Break::ForeignForgotten));
        one.ledger
            .sending(&world.ids[consumer], action, deadline, remembered, now);
        one.standby.sending();
        let trail = &mut one.trails[consumer];
        trail.open = Some(Open {
            deadline,
            since: self.now,
        });
        trail.extended = extends
            .map(|theirs| (theirs, shown.created))
            .or(trail.extended);
        self.put(Request {
            consumer,
            action,
            deadline,
            sent: self.now,
            copy: Some(copy),
            place: Place::Queue,
        });
    }

    /// What became of a write.
    pub fn answered(&mut self, world: &World, copy: usize, consumer: usize, outcome: Outcome) {
        let now = self.clocks(world, copy);
        let clustered = world.scenario.clustered;
        let since = self.now;
        let outcome = match outcome {
            Outcome::TimedOut if world.broken(Break::TimeoutsForgotten) => Outcome::Cut,
            outcome => outcome,
        };
        let one = &mut self.copies[copy];
        one.ledger
            .answered(&world.ids[consumer], outcome, clustered, now);
        if outcome == Outcome::Accepted
            && let Some(open) = &mut one.trails[consumer].open
        {
            open.since = since;
        }
    }

    /// The server says that a consumer's deadline is another. It may be heard, or not.
    pub fn advise(&mut self, world: &World, consumer: usize, until: Option<Timestamp>) {
        let id = &world.ids[consumer];
        for copy in 0..self.copies.len() {
            let (now, server_now) = (self.clocks(world, copy), at(self.now));
            let one = &mut self.copies[copy];
            if std::mem::take(&mut one.deaf) {
                continue;
            }
            one.trails[consumer].hears(until);
            let news = one.ledger.advised(id, until);
            let as_seen = until.is_some_and(|until| {
                one.standby
                    .hear_deadline(until, None, world.mark, (server_now, now.uptime))
            });
            if news && !as_seen {
                one.hear(world, consumer, now);
            }
        }
    }

    /// The server says that a consumer was deleted and created again.
    pub fn advise_recreated(&mut self, world: &World, consumer: usize) {
        for copy in 0..self.copies.len() {
            let now = self.clocks(world, copy);
            let one = &mut self.copies[copy];
            if !std::mem::take(&mut one.deaf) {
                one.trails[consumer].open = None;
                one.ledger.deleted(&world.ids[consumer]);
                one.hear(world, consumer, now);
            }
        }
    }
}

impl Copy {
    fn hear(&mut self, world: &World, consumer: usize, now: Now) {
        if self.standby.delay().is_some() {
            self.standby.hear(&world.ids[consumer], now.uptime);
        } else {
            self.asked = true;
        }
    }
}
