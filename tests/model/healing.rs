//! What must be reached once the faults are over: I2, in its bounded form.

use std::time::Duration;

use recess::plan::Planned;

use crate::judge::wanted;
use crate::scenario::{World, at, seconds, uptime};
use crate::state::{Phase, Place, State};

/// The resync of the config in seconds: everything is observed again then, whatever was missed before.
const RESYNC: i64 = 60;

/// The bound: within so many seconds after a resync all is as it should be.
const BOUND: i64 = 21;

/// And stays so, that many seconds.
const STAYS: i64 = 9;

impl State {
    /// Whether all is as it should be in time, if nothing goes wrong from now on, and no wake-up of before comes but
    /// the calendar's and the resync's.
    pub fn heals(&self, world: &World) -> bool {
        let mut state = self.clone();
        state.network.retain(|request| request.place != Place::Gone);
        while !state.network.is_empty() {
            state.arrives_and_is_applied(world);
        }
        for copy in 0..state.copies.len() {
            state.finish(world, copy);
            if state.copies[copy].file != state.file {
                state.reload(copy);
            }
        }
        let begins = state.now;
        let mut looks: Vec<Option<Duration>> = vec![None; state.copies.len()];
        while state.now < begins + RESYNC + BOUND + STAYS {
            let before = state.now;
            state.tick(world);
            for (copy, look) in looks.iter_mut().enumerate() {
                let is_resync = state.now - begins == RESYNC;
                let is_due = look.is_some_and(|look| look <= uptime(state.now));
                let ahead = world.ahead(copy);
                let change = state.next_change(world, copy, before + ahead);
                let is_edge = change.is_some_and(|edge| edge <= state.now + ahead);
                if is_resync || is_due || is_edge {
                    state.copies[copy].asked &= !is_resync;
                    state.look(world, copy, true);
                    state.finish(world, copy);
                    *look = state.looks(world, copy);
                }
            }
            if state.now - begins >= RESYNC + BOUND && !state.is_healed(world) {
                return false;
            }
        }
        true
    }

    fn arrives_and_is_applied(&mut self, world: &World) {
        match self.network[0].place {
            Place::Queue => self.arrives(world, 0, true),
            Place::Proposed | Place::Gone => {
                let request = self.network.remove(0);
                self.write(world, request.consumer, request.deadline);
            }
        }
    }

    /// The pass of a copy comes to its end.
    fn finish(&mut self, world: &World, copy: usize) {
        if let Phase::Looking(_) = self.copies[copy].phase {
            self.decide(world, copy, true);
        }
        if let Phase::Reading(_) = self.copies[copy].phase {
            self.read(world, copy, true);
        }
        while !self.network.is_empty() {
            self.arrives_and_is_applied(world);
        }
    }

    /// When a copy looks next, by the plan for what it would see now.
    fn looks(&self, world: &World, copy: usize) -> Option<Duration> {
        let planned = self.planned_now(world, copy);
        planned
            .iter()
            .filter_map(|planned: &Planned| planned.look)
            .min()
    }

    fn is_healed(&self, world: &World) -> bool {
        let word = world.scenario.verb.zip(self.bucket.live());
        let want = wanted(self.file, word, self.now);
        // What another copy did a moment early is left.
        let soon = (self.now..=self.now + 30).find_map(|at| wanted(self.file, word, at));
        self.consumers.iter().all(|consumer| {
            let paused = consumer.stored.filter(|until| *until > at(self.now));
            match (want, paused) {
                (None, None) => true,
                (None, Some(until)) if world.mark.owns(until) => soon == Some(seconds(until)),
                (None, Some(_)) => true,
                // As it opens or closes just now.
                (Some(end), None) => end - self.now <= 5,
                (Some(end), Some(until)) if world.mark.owns(until) => seconds(until) == end,
                (Some(end), Some(until)) => seconds(until) >= end,
            }
        })
    }
}
