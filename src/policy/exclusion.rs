//! Times in which no window holds, and the events of a calendar that they come from.

use std::sync::Arc;

use jiff::Timestamp;

use crate::calendar::Schedule;

/// While it is open, no window that it concerns holds.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// Its name, unique among the exclusions of the file.
    pub name: Arc<str>,
    /// When it is open.
    pub schedule: Schedule,
    /// What it is open for, if it comes from a calendar file.
    pub events: Option<Events>,
}

/// The events of a calendar, each as often as it takes place.
#[derive(Clone, Debug)]
pub struct Events {
    all: Arc<[Event]>,
    goes_on: bool,
}

/// An event, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the calendar calls it; may be empty.
    pub summary: Arc<str>,
    /// Its first instant.
    pub begins: Timestamp,
    /// The first instant after it.
    pub ends: Timestamp,
}

impl Events {
    /// Events in any order. `goes_on`: one of them recurs without an end, and is listed as far as
    /// its calendar is followed.
    pub fn new(mut all: Vec<Event>, goes_on: bool) -> Self {
        all.sort_by_key(|event| (event.begins, event.ends));
        Self {
            all: all.into(),
            goes_on,
        }
    }

    /// All of them, by their beginning.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.all.iter()
    }

    /// Those that last at `at`.
    pub fn at(&self, at: Timestamp) -> impl Iterator<Item = &Event> {
        let begun = self.all.partition_point(|event| event.begins <= at);
        let begun = self.all.get(..begun).unwrap_or_default().iter();
        begun.filter(move |event| at < event.ends)
    }

    /// When the last of them ends; `None` if they go on without an end.
    pub fn last_end(&self) -> Option<Timestamp> {
        let ends = self.all.iter().map(|event| event.ends);
        ends.max().filter(|_| !self.goes_on)
    }
}
