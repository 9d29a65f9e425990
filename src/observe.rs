//! Observing: which requests show the state of which consumers, and what their answers make of what was known before.
//!
//! A stream of which a glob may select consumers is listed (256 to a page); where only names are asked for, a few are
//! asked one by one and many by a list. Streams that no selector can match are never asked about. The daemon and every
//! command that asks a server for the state of consumers do so here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::consumer::ConsumerId;
use crate::jetstream::{JetStream, Listed, Listing, RequestError, Sample, Unreadable};
use crate::plan::ClockSample;
use crate::policy::Interest;
use crate::report::{Failure, LeftOut};
use crate::visible::visible;

/// Up to so many consumers of one stream are asked one by one: about where one page of a list becomes cheaper.
const FEW: usize = 16;

/// How much of what is of interest to observe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    All,
    /// These consumers only.
    Only(BTreeSet<ConsumerId>),
}

impl Scope {
    /// Whether a consumer that is of interest is observed.
    pub fn includes(&self, id: &ConsumerId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
        }
    }
}

/// What the server told.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What was found, by consumer. Of a listed stream, every consumer.
    pub found: BTreeMap<ConsumerId, Sample>,
    /// What could not be asked.
    pub failures: Vec<Failure>,
    /// The server's clock less ours, by the answer that tells most of it.
    pub clock: Option<ClockSample>,
    /// Entries of lists that cannot be used, with their stream; the streams' own names have none.
    unreadable: Vec<(Option<String>, Unreadable)>,
    /// Consumers of which nothing is known for it.
    unknown: BTreeSet<ConsumerId>,
    /// Streams of whose consumers nothing is known for it.
    unknown_streams: BTreeSet<String>,
    /// The streams that were listed whole: who is not in `found` is not there.
    listed: BTreeSet<String>,
    /// The streams' names could not be had, so that any stream but the listed ones may exist.
    names_unknown: bool,
}

impl Observed {
    /// Whether a consumer that was not found may exist all the same.
    pub fn leaves_open(&self, id: &ConsumerId) -> bool {
        self.unknown.contains(id)
            || self.unknown_streams.contains(id.stream())
            || (self.names_unknown && !self.listed.contains(id.stream()))
    }

    /// Brings `rows` and `left_out`, which are about `interest`, up to date after `scope` was observed. `row` makes a
    /// consumer's row of what is known of it now (`Sample::UNKNOWN` if nothing could be learned) and of its row before, or says
    /// that it needs none. Returns the consumers whose rows are new.
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
        let mut updated = Vec::new();
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

    /// After everything was observed `left_out` holds what is left out now, but of what could not be asked about what was
    /// known before.
    fn apply_left_out(&self, interest: &Interest, scope: &Scope, left_out: &mut LeftOut) {
        if *scope == Scope::All {
            left_out.passed_over.retain(|id, _| self.leaves_open(id));
            left_out.unreadable.retain(|(stream, _)| match stream {
                Some(stream) => self.unknown_streams.contains(stream),
                None => self.names_unknown,
            });
            // Of an entry that cannot be used not more than the name is known.
            let mattering = (self.unreadable.iter()).filter(|(stream, entry)| match stream {
                Some(stream) => interest.may_include(&ConsumerId::new(&**stream, &*entry.name)),
                None => true,
            });
            left_out.unreadable.extend(mattering.cloned());
        }
        for (id, sample) in &self.found {
            left_out.note(interest, id, &sample.found);
        }
    }
}

/// What is wanted of one stream: all its consumers, or some.
#[derive(Default)]
struct Want {
    whole: bool,
    named: BTreeSet<ConsumerId>,
}

enum Ask {
    List { stream: String, want: Want },
    Info { id: ConsumerId },
}

/// How long answers are waited for in all. A node that is dead or hangs answers nothing, and must not hold up the others
/// longer than can be afforded.
#[derive(Clone, Copy, Debug)]
pub struct ReplyDeadline {
    wait: Option<(Instant, Duration)>,
}

impl ReplyDeadline {
    /// Every answer is waited for until the request's own timeout.
    pub const NONE: Self = Self { wait: None };

    /// What is not answered within this time, counted from now, counts as not answered.
    pub fn within(wait: Duration) -> Self {
        Self {
            wait: Some((Instant::now() + wait, wait)),
        }
    }

    /// The answer, or that there was none in time.
    async fn wait<T>(
        self,
        question: &str,
        answer: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        let Some((end, wait)) = self.wait else {
            return answer.await;
        };
        let in_time = tokio::time::timeout_at(end, answer).await;
        in_time.unwrap_or_else(|_| {
            Err(RequestError::TimedOut {
                subject: question.to_owned(),
                milliseconds: wait.as_millis(),
            })
        })
    }
}

/// Observes what is of `interest`, as far as it is in `scope`, with so many requests in flight at most.
pub async fn observe<J: JetStream>(
    jetstream: &J,
    interest: &Interest,
    scope: &Scope,
    in_flight: usize,
    clock: &Clock,
    reply_deadline: ReplyDeadline,
) -> Observed {
    let mut observed = Observed::default();
    let wants = match scope {
        Scope::Only(ids) => by_stream(ids),
        Scope::All => everything(jetstream, interest, reply_deadline, &mut observed).await,
    };
    let asks = wants.into_iter().flat_map(|(stream, want)| {
        if want.whole || want.named.len() > FEW {
            vec![Ask::List { stream, want }]
        } else {
            want.named.into_iter().map(|id| Ask::Info { id }).collect()
        }
    });
    let mut answers = stream::iter(asks)
        .map(|ask| async move {
            let sent = clock.now().wall;
            match ask {
                Ask::List { stream, want } => {
                    let told = reply_deadline
                        .wait("CONSUMER.LIST", jetstream.list(&stream))
                        .await;
                    let received = clock.now().wall;
                    Answer::List {
                        stream,
                        want,
                        told,
                        sent,
                        received,
                    }
                }
                Ask::Info { id } => {
                    let told = reply_deadline
                        .wait("CONSUMER.INFO", jetstream.info(&id))
                        .await;
                    let received = clock.now().wall;
                    Answer::Info {
                        id,
                        told,
                        sent,
                        received,
                    }
                }
            }
        })
        .buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        observed.take(answer);
    }
    observed
}

enum Answer {
    List {
        stream: String,
        want: Want,
        told: Result<Option<Listing<Listed>>, RequestError>,
        sent: Timestamp,
        received: Timestamp,
    },
    Info {
        id: ConsumerId,
        told: Result<Sample, RequestError>,
        sent: Timestamp,
        received: Timestamp,
    },
}

impl Observed {
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Info {
                id,
                told: Ok(sample),
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
                told: Err(error),
                ..
            } => {
                self.fail(id.to_string(), Some(id.stream()), error);
                self.unknown.insert(id);
            }
            Answer::List {
                stream,
                want,
                told: Ok(listed),
                sent,
                received,
            } => {
                let Listing {
                    entries,
                    unreadable,
                } = listed.unwrap_or_default();
                // A list may take many pages; its last entry was written right before we had it all.
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
                told: Err(error),
                ..
            } => {
                self.fail(format!("stream {}", visible(&stream)), Some(&stream), error);
                self.unknown.extend(want.named);
                if want.whole {
                    self.unknown_streams.insert(stream);
                }
            }
        }
    }

    fn fail(&mut self, subject: String, stream: Option<&str>, error: RequestError) {
        self.failures.push(Failure {
            subject,
            stream: stream.map(str::to_owned),
            error,
        });
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

fn by_stream(ids: &BTreeSet<ConsumerId>) -> BTreeMap<String, Want> {
    let mut wants: BTreeMap<String, Want> = BTreeMap::new();
    for id in ids {
        let want = wants.entry(id.stream().to_owned()).or_default();
        want.named.insert(id.clone());
    }
    wants
}

/// What there is to ask for [`Scope::All`]. Where the streams' names cannot be had, the selectors that need none go on.
async fn everything<J: JetStream>(
    jetstream: &J,
    interest: &Interest,
    reply_deadline: ReplyDeadline,
    observed: &mut Observed,
) -> BTreeMap<String, Want> {
    let mut whole: BTreeSet<String> = interest.streams().map(str::to_owned).collect();
    if interest.needs_stream_names() {
        let names = jetstream.stream_names();
        match reply_deadline.wait("STREAM.NAMES", names).await {
            Ok(names) => {
                let entries = names.unreadable.into_iter();
                observed
                    .unreadable
                    .extend(entries.map(|entry| (None, entry)));
                whole.extend(
                    names
                        .entries
                        .into_iter()
                        .filter(|name| interest.lists(name)),
                );
            }
            Err(error) => {
                observed.names_unknown = true;
                observed.fail("the streams".to_owned(), None, error);
            }
        }
    }
    let mut wants = by_stream(&interest.named());
    for stream in whole {
        wants.entry(stream).or_default().whole = true;
    }
    wants
}
