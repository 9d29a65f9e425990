//! What happened in a history, in the order of time: what recess asked and was told, and what was done to it.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::rules::Rules;
use crate::wire::Frame;

/// One process of recess.
pub type Process = usize;

#[derive(Clone, Debug)]
pub enum What {
    /// A process begins, by a file with these rules.
    Started(Arc<Rules>),
    /// It was killed or ended.
    Ended,
    /// A good file lies in its place from now on, and it is about to be told.
    File(Arc<Rules>),
    /// It stands still.
    Stopped,
    Continued,
    /// So many milliseconds is its clock ahead of the real one, from now on.
    Clock(i64),
    /// What it sent, when it came to the proxy.
    Sent {
        connection: usize,
        frame: Frame,
    },
    /// What it was told, when it left the proxy.
    Delivered {
        connection: usize,
        frame: Frame,
    },
    /// What was done to servers, networks and consumers, for those who read.
    Note(String),
}

#[derive(Clone, Debug)]
pub struct Event {
    pub at: Timestamp,
    pub process: Process,
    pub what: What,
}

/// Shared by everyone who does or hears something.
#[derive(Clone, Default)]
pub struct Record(Arc<Mutex<Vec<Event>>>);

impl Record {
    pub fn push(&self, process: Process, what: What) {
        let mut events = self.0.lock().unwrap();
        // Within the lock, so that the order is that of time.
        let at = Timestamp::now();
        events.push(Event { at, process, what });
    }

    pub fn note(&self, text: impl Into<String>) {
        self.push(0, What::Note(text.into()));
    }

    /// What is there, and nothing of it stays.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
