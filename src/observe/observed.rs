//! What the server reported, and what follows with what was known before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{FoundConsumers, Want};
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
    pub found: FoundConsumers,
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
    /// What the streams' names were asked for, if they could not be had: any stream that it would
    /// list may exist.
    pub(super) names_unknown: Option<Interest>,
    /// What was asked about.
    pub asked: Arc<Asked>,
}

/// Which consumers an observation asked about.
#[derive(Clone, Debug, Default)]
pub enum Asked {
    /// All that are of interest.
    #[default]
    All,
    /// Those of these streams, and these.
    Some {
        /// The streams.
        streams: BTreeSet<String>,
        /// Consumers of others.
        consumers: BTreeSet<ConsumerId>,
    },
}

impl Asked {
    pub(super) fn of(wants: &BTreeMap<String, Want>) -> Self {
        let (whole, some): (Vec<_>, Vec<_>) = wants.iter().partition(|(_, want)| want.whole);
        Self::Some {
            streams: whole
                .into_iter()
                .map(|(stream, _)| stream.clone())
                .collect(),
            consumers: (some.into_iter())
                .flat_map(|(_, want)| want.named.iter().cloned())
                .collect(),
        }
    }

    /// Whether that is all.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether a consumer that is of interest was asked about.
    pub fn includes(&self, id: &ConsumerId) -> bool {
        match self {
            Self::All => true,
            Self::Some { streams, consumers } => {
                streams.contains(id.stream()) || consumers.contains(id)
            }
        }
    }
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
            || (!self.listed.contains(id.stream()) && self.may_exist(id.stream()))
    }

    /// Whether a stream may exist for all that its name says, as the names could not be had.
    fn may_exist(&self, stream: &str) -> bool {
        (self.names_unknown.as_ref()).is_some_and(|interest| interest.lists(stream))
    }

    /// Whether each consumer of a stream was found or left open, or is not there.
    fn shows(&self, stream: &str) -> bool {
        self.asked.is_all() || self.listed.contains(stream)
    }

    /// Whether a consumer that was there before is not there any more.
    fn is_gone(&self, id: &ConsumerId) -> bool {
        self.shows(id.stream()) && !self.found.contains(id) && !self.leaves_open(id)
    }

    /// Brings `rows` and `left_out`, which are about `interest`, up to date. `row` makes a
    /// consumer's row of what is known of it now (`Sample::UNKNOWN` if nothing could be learned)
    /// and of its row before, or says that it needs none. Returns the consumers whose rows are new.
    pub fn apply<R>(
        mut self,
        interest: &Interest,
        rows: &mut BTreeMap<ConsumerId, R>,
        left_out: &mut LeftOut,
        mut row: impl FnMut(&ConsumerId, Sample, Option<&R>) -> Option<R>,
    ) -> Vec<ConsumerId> {
        self.name_those_that_may_exist(rows.keys().chain(left_out.passed_over.keys()));
        self.apply_left_out(interest, left_out);
        if self.asked.is_all() || !self.listed.is_empty() {
            // What is gone, or no longer of interest.
            rows.retain(|id, _| !self.is_gone(id));
        }
        let left_open = |id: &&ConsumerId| !self.found.contains(id) && self.leaves_open(id);
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

    /// Where the streams' names could not be had: asks once for each stream of these whether it may
    /// exist, not for each of its consumers. `known` in order.
    fn name_those_that_may_exist<'i>(&mut self, known: impl Iterator<Item = &'i ConsumerId>) {
        if self.names_unknown.is_none() {
            return;
        }
        let streams: BTreeSet<&str> = known.map(ConsumerId::stream).collect();
        let open = (streams.into_iter())
            .filter(|stream| !self.listed.contains(*stream) && self.may_exist(stream))
            .map(str::to_owned);
        let open: Vec<String> = open.collect();
        self.unknown_streams.extend(open);
    }

    /// What was asked about leaves out what is left out now; of what could not be asked about that
    /// is what was known before.
    fn apply_left_out(&self, interest: &Interest, left_out: &mut LeftOut) {
        (left_out.passed_over).retain(|id, _| !self.is_gone(id));
        left_out.unreadable.retain(|(stream, _)| match stream {
            Some(stream) => !self.shows(stream) || self.unknown_streams.contains(stream),
            None => !self.asked.is_all() || self.names_unknown.is_some(),
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
        for (id, sample) in self.found.iter() {
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
                let wanted = (entries.into_iter())
                    .filter(|entry| want.whole || want.named.contains(&entry.id));
                let found = wanted.map(|entry| (entry.id, entry.sample));
                self.found.insert_all(&stream, found);
                for id in want.named {
                    self.found.or_missing(id);
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
