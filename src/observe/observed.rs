//! What the server reported, and what follows with what was known before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Scope, Want};
use crate::consumer::{Candidate, ConsumerId};
use crate::jetstream::{Listed, Listing, RequestError, Sample, Unreadable};
use crate::plan::ClockSample;
use crate::policy::Interest;
use crate::report::{Failure, LeftOut};

/// What the server reported.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The connection over which the first question went.
    pub connection: Option<u64>,
    /// What was found, by consumer. Of a listed stream, every consumer.
    pub found: BTreeMap<ConsumerId, Sample>,
    /// What could not be asked.
    pub failures: Vec<Failure>,
    /// The server's clock less ours, by the reply that shows it best.
    pub clock: Option<ClockSample>,
    /// Entries of lists that cannot be used, with their stream; the streams' own names have none.
    pub(super) unreadable: Vec<(Option<String>, Unreadable)>,
    /// Consumers of which nothing is known for it.
    unknown: BTreeSet<ConsumerId>,
    /// Streams of whose consumers nothing is known for it.
    unknown_streams: BTreeSet<String>,
    /// The streams that were listed whole: who is not in `found` is not there.
    listed: BTreeSet<String>,
    /// The streams' names could not be had, so that any stream but the listed ones may exist.
    pub(super) names_unknown: bool,
}

impl Observed {
    /// What was reported over that connection: nothing yet.
    pub fn over(connection: Option<u64>) -> Self {
        Self {
            connection,
            ..Self::default()
        }
    }

    /// Whether a consumer that was not found may exist all the same.
    pub fn leaves_open(&self, id: &ConsumerId) -> bool {
        self.unknown.contains(id)
            || self.unknown_streams.contains(id.stream())
            || (self.names_unknown && !self.listed.contains(id.stream()))
    }

    /// Brings `rows` and `left_out`, which are about `interest`, up to date after `scope` was
    /// observed. `row` makes a consumer's row of what is known of it now (`Sample::UNKNOWN` if
    /// nothing could be learned) and of its row before, or says that it needs none. Returns the
    /// consumers whose rows are new.
    pub fn apply<R>(
        self,
        interest: &Interest,
        scope: &Scope,
        rows: &mut BTreeMap<ConsumerId, R>,
        left_out: &mut LeftOut,
        mut row: impl FnMut(&ConsumerId, Sample, Option<&R>) -> Option<R>,
    ) -> Vec<ConsumerId> {
        self.apply_left_out(interest, scope, left_out);
        if *scope == Scope::All {
            // What was neither found nor left open is gone, or no longer of interest.
            rows.retain(|id, _| self.found.contains_key(id) || self.leaves_open(id));
        }
        let left_open = |id: &&ConsumerId| !self.found.contains_key(id) && self.leaves_open(id);
        let unknown: BTreeSet<ConsumerId> = (rows.keys().filter(left_open))
            .chain(self.unknown.iter().filter(left_open))
            .cloned()
            .collect();
        let unknown = unknown.into_iter().map(|id| (id, Sample::UNKNOWN));
        let mut updated = Vec::with_capacity(self.found.len() + unknown.len());
        for (id, sample) in self.found.into_iter().chain(unknown) {
            match row(&id, sample, rows.get(&id)) {
                Some(row) => {
                    rows.insert(id.clone(), row);
                    updated.push(id);
                }
                None => drop(rows.remove(&id)),
            }
        }
        updated
    }

    /// After everything was observed `left_out` holds what is left out now, but of what could not
    /// be asked about what was known before.
    fn apply_left_out(&self, interest: &Interest, scope: &Scope, left_out: &mut LeftOut) {
        if *scope == Scope::All {
            left_out.passed_over.retain(|id, _| self.leaves_open(id));
            left_out.unreadable.retain(|(stream, _)| match stream {
                Some(stream) => self.unknown_streams.contains(stream),
                None => self.names_unknown,
            });
            // Of an entry that cannot be used not more than the name is known.
            let mattering = (self.unreadable.iter()).filter(|(stream, entry)| match stream {
                Some(stream) => {
                    let id = ConsumerId::new(&**stream, &*entry.name);
                    interest.includes(&Candidate::named(&id))
                }
                None => true,
            });
            left_out.unreadable.extend(mattering.cloned());
        }
        for (id, sample) in &self.found {
            left_out.note(interest, id, &sample.found);
        }
    }
}

/// One answer, and our clock around it.
pub(super) enum Answer {
    List {
        stream: String,
        want: Want,
        reply: Result<Option<Listing<Listed>>, RequestError>,
        sent: Timestamp,
        received: Timestamp,
    },
    Info {
        id: ConsumerId,
        reply: Result<Sample, RequestError>,
        sent: Timestamp,
        received: Timestamp,
    },
}

impl Observed {
    pub(super) fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Info {
                id,
                reply: Ok(sample),
                sent,
                received,
            } => {
                // The server read its clock between the two; the middle is the best guess.
                let half = received.duration_since(sent) / 2;
                let guess = sent.checked_add(half).unwrap_or(sent);
                self.read_clock(&sample, (sent, received), guess);
                self.found.insert(id, sample);
            }
            Answer::Info {
                id,
                reply: Err(error),
                ..
            } => {
                self.failures.push(Failure::of_consumer(&id, error));
                self.unknown.insert(id);
            }
            Answer::List {
                stream,
                want,
                reply: Ok(listed),
                sent,
                received,
            } => {
                let Listing {
                    entries,
                    unreadable,
                } = listed.unwrap_or_default();
                // A list may take many pages; its last entry was written right before we had it
                // all.
                let with_clock = |entry: &&Listed| entry.sample.server_time.is_some();
                if let Some(newest) = entries.iter().rev().find(with_clock) {
                    self.read_clock(&newest.sample, (sent, received), received);
                }
                if want.whole {
                    let entries = unreadable.into_iter();
                    self.unreadable
                        .extend(entries.map(|entry| (Some(stream.clone()), entry)));
                }
                for entry in entries {
                    if want.whole || want.named.contains(&entry.id) {
                        self.found.insert(entry.id, entry.sample);
                    }
                }
                for id in want.named {
                    self.found.entry(id).or_insert(Sample::MISSING);
                }
                if want.whole {
                    self.listed.insert(stream);
                }
            }
            Answer::List {
                stream,
                want,
                reply: Err(error),
                ..
            } => {
                self.unknown.extend(want.named);
                if want.whole {
                    self.unknown_streams.insert(stream.clone());
                }
                self.failures.push(Failure::of_stream(stream, error));
            }
        }
    }

    fn read_clock(
        &mut self,
        sample: &Sample,
        (sent, received): (Timestamp, Timestamp),
        guess: Timestamp,
    ) {
        let clock =
            (sample.server_time).map(|server| ClockSample::of(server, sent, received, guess));
        self.clock = match self.clock {
            Some(known) => Some(known.or_better(clock)),
            None => clock,
        };
    }
}
