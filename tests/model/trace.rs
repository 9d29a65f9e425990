//! A run as people read it: when, who, what.

use std::fmt::{self, Display, Formatter, Write};

use jiff::Timestamp;
use recess::consumer::Mark;
use stateright::{Checker, Model, Path};

use crate::scenario::{Scenario, World, at, seconds};
use crate::state::{Request, State};
use crate::steps::Step;

/// No run is followed any further.
const LONGEST: usize = 64;

/// A run that breaks a law.
pub struct Run {
    pub steps: usize,
    /// A line a step, and what is wrong at the end.
    text: String,
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The shortest run that breaks a law. The checker goes by breadth, but in blocks: so it is asked one step deeper each
/// time.
pub fn shortest(scenario: &Scenario, law: &'static str) -> Option<Run> {
    (0..=LONGEST).find_map(|steps| {
        let checker = (World::new(scenario.clone()).checker())
            .target_max_depth(steps + 2)
            .spawn_bfs()
            .join();
        let path = checker.discovery(law)?;
        let text = told(checker.model(), law, &path);
        Some(Run { steps, text })
    })
}

fn told(world: &World, law: &str, path: &Path<State, Step>) -> String {
    let steps = path.clone().into_vec();
    let mut text = String::new();
    for (number, pair) in steps.windows(2).enumerate() {
        let [(state, Some(step)), (next, _)] = pair else {
            continue;
        };
        let what = said(world, state, *step);
        let (number, now, stands) = (number + 1, state.now, stands(world, next));
        writeln!(text, "{number:>3}. {now:>4} s  {what:<64} | {stands}").expect("a string");
    }
    let wrong = path.last_state().wrong;
    let why = wrong.map_or("not as wanted in time, once the faults are over", |wrong| {
        wrong.why
    });
    writeln!(text, "{law}: {why}").expect("a string");
    text
}

fn deadline(mark: Mark, until: Option<Timestamp>) -> String {
    match until {
        None => "none".to_owned(),
        Some(until) if mark.is_release(until) => format!("{} s released", seconds(until)),
        Some(until) if mark.owns(until) => format!("{} s recess's", seconds(until)),
        Some(until) => format!("{} s foreign", seconds(until)),
    }
}

fn stands(world: &World, state: &State) -> String {
    let consumers = state.consumers.iter().map(|consumer| {
        let word = match consumer.stored {
            Some(until) if until > at(state.now) => "paused until",
            Some(_) => "lapsed at",
            None => return "running".to_owned(),
        };
        format!("{word} {}", deadline(world.mark, consumer.stored))
    });
    let consumers: Vec<String> = consumers.collect();
    consumers.join(", ")
}

fn name(copy: usize) -> &'static str {
    ["A", "B"][copy]
}

fn said(world: &World, state: &State, step: Step) -> String {
    let asked = |number: usize| {
        let Request {
            consumer,
            action,
            deadline: until,
            ..
        } = state.network[number];
        let action = action.as_str();
        format!(
            "the {action} of {} until {}",
            world.ids[consumer].consumer(),
            deadline(world.mark, until)
        )
    };
    match step {
        Step::Tick => "time goes on".to_owned(),
        Step::Looks(copy) => format!("{} observes", name(copy)),
        Step::LooksBlind(copy) => format!("{} observes and cannot read the overrides", name(copy)),
        Step::Decides(copy) => format!("{} decides", name(copy)),
        Step::HearsNothing(copy) => format!("{} gets no answer", name(copy)),
        Step::Reads(copy) => format!("{} reads the overrides and decides again", name(copy)),
        Step::CannotRead(copy) => format!("{} cannot read the overrides", name(copy)),
        Step::Acts(copy) => format!("{} sends what it prepared", name(copy)),
        Step::Reloads(copy) => format!("{} loads the file", name(copy)),
        Step::Restarts(copy) => format!("{} restarts", name(copy)),
        Step::Misses(copy) => format!("{} will miss the next advisory", name(copy)),
        Step::Arrives(number) => format!("{} arrives", asked(number)),
        Step::ArrivesUnanswered(number) => format!("{} arrives, its answer is lost", asked(number)),
        Step::ArrivesTwice(number) => format!("{} arrives, and will again", asked(number)),
        Step::Lost(number) => format!("{} is lost", asked(number)),
        Step::Applied(number) => format!("the cluster applies {}", asked(number)),
        Step::Forgotten(number) => format!("the cluster loses {}", asked(number)),
        Step::Pauses(until) => format!("another client pauses billing until {until} s"),
        Step::Resumes => "another client resumes billing".to_owned(),
        Step::Recreates => "another client deletes billing and creates it again".to_owned(),
        Step::Overrides => "a person makes the override".to_owned(),
        Step::Undoes => "the person takes it back".to_owned(),
        Step::Edits => "a person edits the file".to_owned(),
    }
}
