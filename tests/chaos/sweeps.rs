//! The sweeps that a process owes: at its start and after each reload it lists every stream once, whatever its rules name.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::known::LATE;

/// A question and its answer.
#[derive(Clone, Copy)]
pub struct Answered {
    pub connection: usize,
    pub asked: Timestamp,
    pub at: Timestamp,
}

/// What tells whether the process took an answer.
#[derive(Clone, Copy)]
pub struct Life<'m> {
    /// When it stood still.
    pub stops: &'m [(Timestamp, Timestamp)],
    /// When it sent something last, by connection.
    pub sent: &'m HashMap<usize, Timestamp>,
}

impl Life<'_> {
    /// Whether it surely did: in time, not while it stood still, and its connection was used after that.
    pub fn surely_took(self, answer: Answered) -> bool {
        let stood_still =
            |stop: &(Timestamp, Timestamp)| stop.0 <= answer.at + LATE && stop.1 >= answer.asked;
        let sent = self.sent.get(&answer.connection);
        answer.at <= answer.asked + LATE
            && sent.is_some_and(|sent| *sent > answer.at)
            && !self.stops.iter().any(stood_still)
    }
}

/// The newest list of the streams' names, and the streams that were listed after it.
struct Sweep {
    names: Answered,
    streams: BTreeMap<String, Swept>,
}

/// What is known of one stream's list.
#[derive(Default)]
struct Swept {
    /// When it was asked for first.
    asked: Option<Timestamp>,
    list: Option<Answered>,
}

impl Sweep {
    fn is_over(&self, life: Life) -> bool {
        let mut lists = self.streams.values();
        life.surely_took(self.names)
            && lists.all(|swept| swept.list.is_some_and(|list| life.surely_took(list)))
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
    pub fn is_owed(&self, life: Life) -> bool {
        let over = (self.newest.as_ref()).is_some_and(|sweep| sweep.is_over(life));
        self.owed > usize::from(over)
    }

    /// Whether a stream may be listed: it was among the names, and its list has not been answered since.
    pub fn may_list(&self, stream: &str, life: Life) -> bool {
        let sweep = self.newest.as_ref();
        let swept = sweep.and_then(|sweep| sweep.streams.get(stream));
        swept.is_some_and(|swept| !swept.list.is_some_and(|list| life.surely_took(list)))
    }

    /// The streams' names were answered.
    pub fn named(&mut self, streams: impl Iterator<Item = String>, names: Answered, life: Life) {
        let over = self.newest.take_if(|sweep| sweep.is_over(life));
        self.owed -= usize::from(over.is_some());
        // Otherwise they are asked for a glob.
        if self.owed > 0 {
            let streams = streams.map(|stream| (stream, Swept::default())).collect();
            self.newest = Some(Sweep { names, streams });
        }
    }

    /// The list of a stream is asked for.
    pub fn asks(&mut self, stream: &str, at: Timestamp) {
        let sweep = self.newest.as_mut();
        if let Some(swept) = sweep.and_then(|sweep| sweep.streams.get_mut(stream)) {
            swept.asked.get_or_insert(at);
        }
    }

    /// The list of a stream was answered. Where rules call for it too, only the first may be the sweep's.
    pub fn listed(&mut self, stream: &str, list: Answered, is_called_for: bool) {
        if let Some(sweep) = &mut self.newest
            && list.asked >= sweep.names.at
            && let Some(swept) = sweep.streams.get_mut(stream)
            && (!is_called_for || swept.asked == Some(list.asked))
        {
            swept.list = Some(list);
        }
    }
}
