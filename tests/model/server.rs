//! The server and the network: what becomes of requests, and what time does.

use jiff::Timestamp;
use recess::write::Outcome;

use crate::scenario::{TICK, World, at};
use crate::state::{Phase, Place, Prepared, Request, State};

/// So long a request that nobody waits for may lie in a queue, in seconds.
const QUEUED: i64 = 5;

impl State {
    /// A request reaches the server, and perhaps the answer its sender.
    pub fn arrives(&mut self, world: &World, number: usize, is_answered: bool) {
        let request = self.network.remove(number);
        let copy = request.copy.filter(|_| is_answered);
        let waiting = request.copy.filter(|_| !is_answered);
        if world.scenario.clustered {
            self.put(Request {
                copy: waiting,
                place: Place::Proposed,
                ..request
            });
        } else {
            self.put_awaited(Request {
                copy: waiting,
                ..request
            });
            self.write(world, request.consumer, request.deadline);
        }
        if let Some(copy) = copy {
            self.answered(world, copy, request.consumer, Outcome::Accepted);
            self.prepare(world, copy);
        }
    }

    /// A request is gone, and its sender may wait for the answer until the next tick.
    pub fn put_awaited(&mut self, request: Request) {
        if request.copy.is_some() {
            self.put(Request {
                place: Place::Gone,
                ..request
            });
        }
    }

    /// The server stores a deadline.
    pub fn write(&mut self, world: &World, consumer: usize, until: Option<Timestamp>) {
        if self.consumers[consumer].stored != until {
            self.consumers[consumer].stored = until;
            self.advise(world, consumer, until);
        }
    }

    /// Time goes on: what is waited for is waited for no more, and deadlines pass.
    pub fn tick(&mut self, world: &World) {
        let before = self.now;
        self.now += TICK;
        for copy in 0..self.copies.len() {
            match self.copies[copy].phase {
                Phase::Idle => {}
                Phase::Looking(_) => self.decide(world, copy, false),
                Phase::Reading(_) => self.read(world, copy, false),
            }
        }
        for request in self.network.clone() {
            if let Some(copy) = request.copy.filter(|_| request.sent <= before) {
                self.answered(world, copy, request.consumer, Outcome::TimedOut);
            }
        }
        let now = self.now;
        for request in self.network.iter_mut().filter(|one| one.sent <= before) {
            request.copy = None;
        }
        self.network.retain(|request| {
            let waits = request.sent + QUEUED > now;
            request.copy.is_some() || request.place != Place::Gone && waits
        });
        self.network.sort();
        for copy in 0..self.copies.len() {
            let is_unplanned = |prepared: &Prepared| prepared.writes.is_none();
            if self.copies[copy]
                .prepared
                .as_ref()
                .is_some_and(is_unplanned)
            {
                self.prepare(world, copy);
            }
            let clock = now + world.ahead(copy);
            let one = &mut self.copies[copy];
            one.overrides.is_fresh = false;
            one.deaf = false;
            one.prepared = one
                .prepared
                .take()
                .filter(|prepared| prepared.edge >= clock);
        }
        for consumer in 0..self.consumers.len() {
            let stored = self.consumers[consumer].stored;
            if let Some(until) = stored.filter(|until| at(before) < *until && *until <= at(now)) {
                self.advise(world, consumer, Some(until));
            }
        }
    }
}
