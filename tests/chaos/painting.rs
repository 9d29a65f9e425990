//! Windows, exclusions and overrides, painted second by second: the last word counts.

use std::collections::BTreeMap;

use crate::overrides::{Override, Target};

/// What is painted on a second of a window, or of a consumer, by the override of that sequence; 0 is the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Bare,
    Holds(u64),
    Cut(u64),
}

impl Paint {
    pub fn by(one: &Override) -> Self {
        match one.pauses {
            true => Self::Holds(one.sequence),
            false => Self::Cut(one.sequence),
        }
    }
}

/// One window, from its first second that is not bare on.
#[derive(Clone, Debug, Default)]
pub struct Painting(BTreeMap<i64, Paint>);

impl Painting {
    /// From `from` until `until`, over what was there.
    pub fn fill(&mut self, (from, until): (i64, i64), paint: Paint) {
        if from >= until {
            return;
        }
        let after = self.at(until);
        self.0.retain(|at, _| !(from..=until).contains(at));
        self.0.insert(from, paint);
        self.0.insert(until, after);
    }

    pub fn overrides<'o>(&mut self, name: &str, in_order: impl Iterator<Item = &'o Override>) {
        for one in in_order {
            if matches!(&one.target, Target::Window(of) if of == name) {
                self.fill((one.from, one.until), Paint::by(one));
            }
        }
    }

    pub fn at(&self, second: i64) -> Paint {
        let latest = self.0.range(..=second).next_back();
        latest.map_or(Paint::Bare, |(_, paint)| *paint)
    }
}
