//! The limits of streams whose consumers are held, or are about to be: what the retention guard
//! rests on.
//!
//! One request a stream, at each resync and at least once a minute; a stream that has no limits is
//! asked again after an hour. They are taken in before the opening, or between two passes: a change by
//! the calendar ends the wait for them. Only a pause that is begun late waits for its first answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::jetstream::RequestError;
use crate::now::Now;
use crate::plan::{StreamKnown, Streams};
use crate::report::Failure;
use crate::retention::{StreamDetails, StreamHistory};

/// How often a stream with limits is observed at least.
const RUNG: Duration = Duration::from_secs(60);

/// How soon a stream is observed again that has no limits, or that may not be observed.
const SELDOM: Duration = Duration::from_secs(60 * 60);

/// What is known, and what is to be asked next.
#[derive(Default)]
pub(super) struct Limits {
    pub known: Streams,
    /// When each stream is observed next, in uptime.
    next: BTreeMap<Arc<str>, Duration>,
    /// Those that could not be observed, and why.
    pub unread: Arc<[Failure]>,
}

/// What streams answered.
pub(super) type Answers = Vec<(Arc<str>, Result<Option<StreamDetails>, RequestError>)>;

impl Limits {
    /// When a stream is observed next, in uptime.
    pub fn next(&self) -> Option<Duration> {
        self.next.values().min().copied()
    }

    /// The streams that are to be observed now.
    pub fn due(&self, now: Now) -> Vec<Arc<str>> {
        let due = self.next.iter().filter(|(_, at)| **at <= now.uptime);
        due.map(|(name, _)| name.clone()).collect()
    }

    /// Whether nothing is known of a stream, and reading it did not fail a moment ago.
    pub fn is_unread(&self, name: &str, now: Now) -> bool {
        let is_due = |at: &Duration| *at <= now.uptime;
        self.known.get(name).is_none() && self.next.get(name).is_none_or(is_due)
    }

    /// Everything may be otherwise: it may be another server.
    pub fn ask_all(&mut self) {
        for next in self.next.values_mut() {
            *next = Duration::ZERO;
        }
    }

    /// What could not be asked is asked a little later.
    pub fn put_off(&mut self, names: &[Arc<str>], until: Duration) {
        for name in names {
            self.next.insert(name.clone(), until);
        }
    }

    /// From now on these streams are observed, and no others.
    pub fn follow(&mut self, names: BTreeSet<&str>) {
        self.next.retain(|name, _| names.contains(&**name));
        self.known.retain(|name| names.contains(name));
        let is_followed = |failure: &&Failure| {
            let stream = failure.stream.as_deref();
            stream.is_some_and(|stream| names.contains(stream))
        };
        if !self.unread.iter().all(|failure| is_followed(&failure)) {
            self.unread = self.unread.iter().filter(is_followed).cloned().collect();
        }
        for name in names {
            if !self.next.contains_key(name) {
                self.next.insert(name.into(), Duration::ZERO);
            }
        }
    }

    /// Takes in an answer.
    pub fn take(
        &mut self,
        name: &Arc<str>,
        answer: Result<Option<StreamDetails>, RequestError>,
        (server_now, now, resync): (Timestamp, Now, Duration),
    ) {
        let is_limited = |details: &StreamDetails| details.is_limited();
        let wait = match &answer {
            Ok(Some(details)) if is_limited(details) => RUNG.min(resync),
            Err(error) if !error.is_final() => RUNG.min(resync),
            Ok(_) | Err(_) => SELDOM,
        };
        self.next.insert(name.clone(), now.uptime + wait);
        let before = self.unread.iter();
        let mut unread: Vec<Failure> = before
            .filter(|failure| failure.stream.as_deref() != Some(name))
            .cloned()
            .collect();
        match answer {
            Ok(details) => {
                let limited = details.filter(is_limited);
                let known = match (limited, self.known.take(name)) {
                    (None, _) => StreamKnown::Unlimited,
                    (Some(details), Some(StreamKnown::Limited(mut history))) => {
                        history.add(details, server_now);
                        StreamKnown::Limited(history)
                    }
                    (Some(details), _) => {
                        StreamKnown::Limited(Box::new(StreamHistory::of(details, server_now)))
                    }
                };
                self.known.set(name.clone(), known);
            }
            // What was known before counts on.
            Err(error) => unread.push(Failure::of_stream(name.to_string(), error)),
        }
        if *unread != *self.unread {
            self.unread = unread.into();
        }
    }
}
