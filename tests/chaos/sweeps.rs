//! The sweeps that a process owes: at its start and after each reload it lists every stream once, whatever its rules name.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::known::LATE;

/// A question and its answer.
#[derive(Clone, Copy)]
struct Answered {
    asked: Timestamp,
    answered: Timestamp,
}

impl Answered {
    /// Whether the process surely took the answer: in time, and not while it stood still.
    fn is_sure(self, stops: &[(Timestamp, Timestamp)]) -> bool {
        let latest = self.asked + LATE;
        let stood_still =
            |stop: &(Timestamp, Timestamp)| stop.0 <= self.answered + LATE && stop.1 >= self.asked;
        self.answered <= latest && !stops.iter().any(stood_still)
    }
}

/// The newest list of the streams' names, and the streams that were listed after it.
struct Sweep {
    names: Answered,
    streams: BTreeMap<String, Option<Answered>>,
}

impl Sweep {
    fn is_over(&self, stops: &[(Timestamp, Timestamp)]) -> bool {
        let is_sure = |answered: &Option<Answered>| answered.is_some_and(|one| one.is_sure(stops));
        self.names.is_sure(stops) && self.streams.values().all(is_sure)
    }
}

#[derive(Default)]
pub struct Sweeps {
    /// One for the start, and one for each reload (one sweep may serve several reloads).
    owed: usize,
    newest: Option<Sweep>,
}

impl Sweeps {
    pub fn owe(&mut self) {
        self.owed += 1;
    }

    /// Whether the streams' names may be asked for.
    pub fn is_owed(&self, stops: &[(Timestamp, Timestamp)]) -> bool {
        let over = (self.newest.as_ref()).is_some_and(|sweep| sweep.is_over(stops));
        self.owed > usize::from(over)
    }

    /// Whether a stream may be listed: it was among the names, and its list has not been answered since.
    pub fn may_list(&self, stream: &str, stops: &[(Timestamp, Timestamp)]) -> bool {
        let mut streams = self.newest.iter().map(|sweep| &sweep.streams);
        let answered = streams.find_map(|streams| streams.get(stream));
        answered.is_some_and(|answered| !answered.is_some_and(|one| one.is_sure(stops)))
    }

    /// The streams' names were answered.
    pub fn named(
        &mut self,
        streams: impl Iterator<Item = String>,
        (asked, answered): (Timestamp, Timestamp),
        stops: &[(Timestamp, Timestamp)],
    ) {
        let over = self.newest.take_if(|sweep| sweep.is_over(stops));
        self.owed -= usize::from(over.is_some());
        // Otherwise they are asked for a glob.
        if self.owed > 0 {
            self.newest = Some(Sweep {
                names: Answered { asked, answered },
                streams: streams.map(|stream| (stream, None)).collect(),
            });
        }
    }

    /// The list of a stream was answered.
    pub fn listed(&mut self, stream: &str, asked: Timestamp, answered: Timestamp) {
        if let Some(sweep) = &mut self.newest
            && asked >= sweep.names.answered
            && let Some(known) = sweep.streams.get_mut(stream)
        {
            *known = Some(Answered { asked, answered });
        }
    }
}
