//! What can happen next, and what comes of it.

use jiff::Timestamp;
use recess::write::Action;
use stateright::{Model, Property};

use crate::judge::Law;
use crate::scenario::{LONGER, SHORTER, TICK, World, at};
use crate::state::{Bucket, Copy, Phase, Place, Request, State};

/// One step. Copies, consumers and requests go by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time goes on by a tick. What is under way is late: a fault each.
    Tick,
    Looks(usize),
    /// It looks, and cannot read the overrides.
    LooksBlind(usize),
    Decides(usize),
    HearsNothing(usize),
    Reads(usize),
    CannotRead(usize),
    /// It sends what it has prepared.
    Acts(usize),
    Reloads(usize),
    Restarts(usize),
    /// It misses the next advisory.
    Misses(usize),
    Arrives(usize),
    /// It arrives, and its answer does not.
    ArrivesUnanswered(usize),
    /// It arrives twice, the second time later on.
    ArrivesTwice(usize),
    Lost(usize),
    /// A cluster applies what it has accepted.
    Applied(usize),
    /// A cluster loses what it has accepted.
    Forgotten(usize),
    /// Another client pauses the first consumer.
    Pauses(i64),
    Resumes,
    Recreates,
    /// A person overrides, or takes that back.
    Overrides,
    Undoes,
    /// A person edits the file.
    Edits,
}

impl Model for World {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        (self.scenario.starts.iter())
            .map(|start| State::first(self, *start))
            .collect()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.wrong.is_some() {
            return;
        }
        let has_fault = state.left.faults > 0;
        let has_bucket = self.scenario.verb.is_some();
        for (copy, one) in state.copies.iter().enumerate() {
            if state.is_sending(copy) {
                continue;
            }
            match one.phase {
                Phase::Idle => {
                    steps.push(Step::Looks(copy));
                    if has_fault && has_bucket && !one.asked {
                        steps.push(Step::LooksBlind(copy));
                    }
                    let clock = state.now + self.ahead(copy);
                    if one
                        .prepared
                        .as_ref()
                        .is_some_and(|prepared| prepared.edge == clock)
                    {
                        steps.push(Step::Acts(copy));
                    }
                    if one.file != state.file {
                        steps.push(Step::Reloads(copy));
                    }
                    if has_fault && !one.deaf {
                        steps.push(Step::Misses(copy));
                    }
                }
                Phase::Looking(_) => {
                    steps.push(Step::Decides(copy));
                    if has_fault {
                        steps.push(Step::HearsNothing(copy));
                    }
                }
                Phase::Reading(_) => {
                    steps.push(Step::Reads(copy));
                    if has_fault {
                        steps.push(Step::CannotRead(copy));
                    }
                }
            }
        }
        if state.left.restarts > 0 {
            steps.push(Step::Restarts(0));
        }
        for (number, request) in state.network.iter().enumerate() {
            match request.place {
                Place::Queue => {
                    steps.push(Step::Arrives(number));
                    if has_fault {
                        steps.extend([Step::ArrivesTwice(number), Step::Lost(number)]);
                    }
                    if has_fault && request.copy.is_some() {
                        steps.push(Step::ArrivesUnanswered(number));
                    }
                }
                Place::Proposed => {
                    steps.push(Step::Applied(number));
                    if has_fault {
                        steps.push(Step::Forgotten(number));
                    }
                }
                Place::Gone => {}
            }
        }
        if state.left.acts > 0 {
            steps.extend([
                Step::Pauses(SHORTER),
                Step::Pauses(LONGER),
                Step::Resumes,
                Step::Recreates,
            ]);
        }
        match state.bucket {
            Bucket::Empty if has_bucket => steps.push(Step::Overrides),
            Bucket::Made(_) => steps.push(Step::Undoes),
            Bucket::Empty | Bucket::Undone => {}
        }
        if state.left.edits > 0 && state.file == 0 {
            steps.push(Step::Edits);
        }
        if usize::from(state.left.faults) >= state.late() {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        next.take(self, step);
        (next != *last).then_some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.now <= self.scenario.from + self.scenario.ticks * TICK
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn keeps(state: &State, law: Law) -> bool {
            state.wrong.is_none_or(|wrong| wrong.law != law)
        }
        fn sends(state: &State, action: Action) -> bool {
            state.network.iter().any(|request| request.action == action)
        }
        fn writes(state: &State, is: impl Fn(Timestamp) -> bool) -> bool {
            state
                .network
                .iter()
                .filter_map(|request| request.deadline)
                .any(is)
        }
        vec![
            Property::always("I1", |_, state| keeps(state, Law::I1)),
            Property::always("I2", |world: &World, state: &State| {
                state.wrong.is_some() || state.heals(world)
            }),
            Property::always("I3", |_, state| keeps(state, Law::I3)),
            Property::always("I4", |_, state| keeps(state, Law::I4)),
            Property::sometimes("pauses", |_, state| sends(state, Action::Pause)),
            Property::sometimes("retimes", |_, state| sends(state, Action::Retime)),
            Property::sometimes("resumes", |_, state| sends(state, Action::Resume)),
            Property::sometimes("clears", |_, state| sends(state, Action::Clear)),
            Property::sometimes("gives back", |world: &World, state: &State| {
                writes(state, |until| !world.mark.owns(until))
            }),
            Property::sometimes("releases", |world: &World, state: &State| {
                writes(state, |until| world.mark.is_release(until))
            }),
            Property::sometimes("B writes", |_, state: &State| state.is_sending(1)),
            Property::sometimes("reads before", |_, state: &State| {
                state
                    .copies
                    .iter()
                    .any(|copy| matches!(copy.phase, Phase::Reading(_)))
            }),
            Property::sometimes("acts at an edge", |_, state: &State| {
                let is_ready = |copy: &Copy| {
                    let prepared = copy
                        .prepared
                        .as_ref()
                        .and_then(|prepared| prepared.writes.as_ref());
                    prepared.is_some_and(|writes| !writes.is_empty())
                };
                state.copies.iter().any(is_ready)
            }),
        ]
    }
}

impl State {
    /// How much would be late if time went on.
    fn late(&self) -> usize {
        let waits = self.copies.iter().filter(|copy| copy.phase != Phase::Idle);
        let under_way = self
            .network
            .iter()
            .filter(|request| request.place != Place::Gone);
        waits.count() + under_way.count()
    }

    fn fault(&mut self) {
        self.left.faults -= 1;
    }

    /// Takes a step.
    pub fn take(&mut self, world: &World, step: Step) {
        match step {
            Step::Tick => {
                self.left.faults -= u8::try_from(self.late()).expect("a few");
                self.tick(world);
            }
            Step::Looks(copy) => self.look(world, copy, true),
            Step::LooksBlind(copy) => {
                self.fault();
                self.look(world, copy, false);
            }
            Step::Decides(copy) => self.decide(world, copy, true),
            Step::HearsNothing(copy) => {
                self.fault();
                self.decide(world, copy, false);
            }
            Step::Reads(copy) => self.read(world, copy, true),
            Step::CannotRead(copy) => {
                self.fault();
                self.read(world, copy, false);
            }
            Step::Acts(copy) => self.edge(world, copy),
            Step::Reloads(copy) => self.reload(copy),
            Step::Restarts(copy) => {
                self.left.restarts -= 1;
                let file = self.file;
                self.copies[copy] = Copy::started(world, copy, file);
                for request in self.network.iter_mut().filter(|one| one.copy == Some(copy)) {
                    request.copy = None;
                }
            }
            Step::Misses(copy) => {
                self.fault();
                self.copies[copy].deaf = true;
            }
            Step::Arrives(number) => self.arrives(world, number, true),
            Step::ArrivesUnanswered(number) => {
                self.fault();
                self.arrives(world, number, false);
            }
            Step::ArrivesTwice(number) => {
                self.fault();
                let twin = Request {
                    copy: None,
                    ..self.network[number]
                };
                self.arrives(world, number, true);
                self.put(twin);
            }
            Step::Lost(number) => {
                self.fault();
                let request = self.network.remove(number);
                self.put_awaited(request);
            }
            Step::Applied(number) => {
                let request = self.network.remove(number);
                self.put_awaited(request);
                self.write(world, request.consumer, request.deadline);
            }
            Step::Forgotten(number) => {
                self.fault();
                let request = self.network.remove(number);
                self.put_awaited(request);
            }
            Step::Pauses(until) => self.acts(|state| state.write(world, 0, Some(at(until)))),
            Step::Resumes => self.acts(|state| state.write(world, 0, None)),
            Step::Recreates => self.acts(|state| {
                state.consumers[0].created += 1;
                state.consumers[0].stored = None;
                state.advise_recreated(world, 0);
            }),
            Step::Overrides => self.bucket = Bucket::Made(self.now),
            Step::Undoes => self.bucket = Bucket::Undone,
            Step::Edits => {
                self.left.edits -= 1;
                self.file = 1;
            }
        }
    }

    fn acts(&mut self, act: impl FnOnce(&mut Self)) {
        self.left.acts -= 1;
        act(self);
    }
}
