//! What must never be sent, by a second reading of the rules that uses nothing of the plan.

use jiff::Timestamp;
use recess::consumer::Mark;
use recess::policy::{Effect, Verb};
use recess::write::Action;

use crate::scenario::{FILES, World, at, seconds, word_ends};
use crate::state::{Consumer, Seen};

/// The invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// No deadline beyond what the windows and overrides want that its sender knows, and no pause
    /// is ended by overrides that were not asked for right before.
    I1,
    /// No foreign pause that was observed is shortened or removed.
    I3,
    /// Nothing is sent outside of the decision table, and no write again that may still show.
    I4,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wrong {
    pub law: Law,
    pub why: &'static str,
}

/// What is kept of a copy's writes to one consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trail {
    /// The newest write, while it may still show.
    pub open: Option<Open>,
    /// The foreign deadline that was extended, and whose consumer it is.
    pub extended: Option<(Timestamp, u8)>,
}

/// A write that may still show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    pub deadline: Option<Timestamp>,
    /// When it was sent, or accepted.
    pub since: i64,
}

impl Trail {
    /// An observation.
    pub fn observes(&mut self, seen: Seen, mark: Mark, now: i64) {
        let Seen::Present { consumer, .. } = seen else {
            return;
        };
        if (self.open).is_some_and(|open| open.deadline == consumer.stored) {
            self.open = None;
        }
        let stands = |(theirs, created): (Timestamp, u8)| {
            let stored = consumer.stored;
            let ours = stored.is_some_and(|until| mark.owns(until) || until == theirs);
            ours && created == consumer.created && theirs > at(now)
        };
        self.extended = self.extended.filter(|one| stands(*one));
    }

    /// The server says that the deadline is another.
    pub fn hears(&mut self, until: Option<Timestamp>) {
        self.open = self.open.filter(|open| open.deadline == until);
    }
}

/// A write at the moment at which it leaves.
pub struct Leaves<'l> {
    pub world: &'l World,
    pub copy: usize,
    pub file: usize,
    /// The override that the copy knows of; outer `None`: never read.
    pub word: Option<Option<i64>>,
    pub read_before: bool,
    /// The server's clock.
    pub now: i64,
    pub seen: Consumer,
    pub trail: Trail,
    pub action: Action,
    pub deadline: Option<Timestamp>,
}

/// Whether anything holds at a second, painted one over the other.
fn holds(file: usize, word: Option<(Verb, i64)>, at: i64) -> bool {
    let windows = FILES[file].iter();
    let by_file = |named: Option<&str>| {
        (windows.clone())
            .any(|(name, from, until)| named != Some(name) && (*from..*until).contains(&at))
    };
    match word.filter(|(verb, made)| (*made..word_ends(*verb, *made)).contains(&at)) {
        None => by_file(None),
        Some((Verb::Close, made)) if made < crate::scenario::SEAM => by_file(Some("first")),
        Some((Verb::Close, _)) => by_file(Some("second")),
        Some((verb, _)) => verb.effect() == Effect::Pause,
    }
}

/// Until when a consumer is to be paused at a second; `None` where it is to run.
pub fn wanted(file: usize, word: Option<(Verb, i64)>, at: i64) -> Option<i64> {
    let mut end = at;
    while holds(file, word, end) {
        end += 1;
    }
    (end > at).then_some(end)
}

impl Leaves<'_> {
    fn wanted(&self, at: i64) -> Option<i64> {
        let word = self.world.scenario.verb.zip(self.word.flatten());
        wanted(self.file, word, at)
    }

    /// The first law that it breaks.
    pub fn judge(&self) -> Option<Wrong> {
        let (mark, now) = (self.world.mark, self.now);
        let wrong = |law, why| Some(Wrong { law, why });
        let stored = self.seen.stored;
        let paused = stored.filter(|until| *until > at(now));
        let ours = paused.filter(|until| mark.owns(*until));
        let theirs = paused.filter(|until| !mark.owns(*until));
        let our_clock = now + self.world.ahead(self.copy);
        let want = self.wanted(our_clock);
        let resumes = self.action == Action::Resume;
        let ends = resumes
            || self.action == Action::Clear
            || paused.is_some_and(|stored| self.deadline.is_some_and(|until| until <= stored));

        // What is another's.
        if theirs.is_some_and(|theirs| self.deadline.is_none_or(|until| until <= theirs)) {
            return wrong(Law::I3, "a foreign pause is shortened");
        }
        let extended = (self.trail.extended)
            .map(|(theirs, _)| theirs)
            .filter(|until| *until > at(now));
        // One that is nearly over is left to end by itself, or ended with ours.
        let matters = |theirs: Timestamp| seconds(theirs) - now > 7;
        if extended.is_some_and(|theirs| {
            matters(theirs) && self.deadline.is_none_or(|until| until < theirs)
        }) {
            return wrong(
                Law::I3,
                "a foreign pause that was extended is not given back",
            );
        }

        // How far ahead.
        let gives_back = extended.is_some() && self.deadline == extended;
        match self.deadline {
            None => {}
            Some(until) if gives_back && want.is_none_or(|end| at(end) < until) => {}
            Some(until) if !mark.owns(until) => {
                return wrong(
                    Law::I4,
                    "a deadline without recess's mark that no other client wrote",
                );
            }
            Some(until) if resumes && seconds(until) - now > 7 => {
                return wrong(Law::I1, "a resume that lies far ahead");
            }
            Some(_) if resumes => {}
            Some(until) => match want {
                None => return wrong(Law::I1, "a pause that nothing wants"),
                Some(end) if seconds(until) > end => {
                    return wrong(Law::I1, "a pause beyond what is wanted");
                }
                Some(end) if seconds(until) < end => {
                    return wrong(Law::I4, "a pause shorter than what is wanted");
                }
                Some(end) if end - now <= 5 && !ends => {
                    return wrong(Law::I4, "a pause that is over when it is applied");
                }
                Some(_) => {}
            },
        }

        // The rest of the table.
        if resumes && ours.is_none() {
            return wrong(Law::I4, "a resume of what recess has not paused");
        }
        if resumes && want.is_some_and(|end| end - now > 5) {
            return wrong(Law::I4, "a resume of what is to be paused");
        }
        if self.deadline.is_some() && self.deadline == stored {
            return wrong(Law::I4, "what is stored is written again");
        }
        let soon = (our_clock + 1..=our_clock + 30)
            .filter_map(|at| self.wanted(at))
            .next();
        if ends
            && ours
                .map(seconds)
                .is_some_and(|until| soon == Some(until) && want != Some(until))
        {
            return wrong(Law::I4, "what will be wanted within 30 s is ended");
        }
        if self.action == Action::Clear {
            let lapsed = stored.filter(|until| mark.owns(*until) && seconds(*until) + 60 <= now);
            let is_free = (our_clock..=our_clock + 60).all(|at| self.wanted(at).is_none());
            if lapsed.is_none() || !is_free || !self.world.scenario.clustered {
                return wrong(Law::I4, "a deadline is cleared too soon");
            }
        }
        if (self.trail.open).is_some_and(|open| now - open.since < 5) {
            return wrong(
                Law::I4,
                "written again while the write before may still show",
            );
        }
        if ends && self.world.ahead(self.copy).abs() > 30 {
            return wrong(Law::I4, "a pause is ended by a clock that is not trusted");
        }
        if self.world.scenario.verb.is_some() && ends {
            if self.word.is_none() {
                return wrong(
                    Law::I4,
                    "a pause is ended before the overrides were ever read",
                );
            }
            if !self.read_before {
                return wrong(
                    Law::I1,
                    "a pause is ended by overrides that were not asked for right before",
                );
            }
        }
        None
    }
}
