//! Observing: which requests show the state of which consumers, and what their answers make of what
//! was known before.
//!
//! A stream of which a glob may select consumers is listed (256 to a page); where only names are
//! asked for, a few are asked one by one and many by a list. Streams that no selector can match are
//! never asked about. The daemon and every command that asks a server for the state of consumers do
//! so here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::consumer::{Candidate, ConsumerId};
use crate::jetstream::{JetStream, RequestError};
use crate::policy::Interest;
use crate::report::Failure;

mod found;
mod observed;
#[cfg(test)]
mod tests;

pub use found::FoundConsumers;
use observed::Answer;
pub use observed::{Asked, Observed};

/// Up to so many consumers of one stream are asked one by one: about where one page of a list
/// becomes cheaper.
const MAX_SINGLE_REQUESTS: usize = 16;

/// How much of what is of interest to observe.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All of it.
    All,
    /// What of it is also of interest here: whole streams for globs, so that newcomers are found.
    Part(Interest),
    /// These consumers only.
    Only(BTreeSet<ConsumerId>),
}

impl Scope {
    /// What one of the two has.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Part(one), Self::Part(other)) => Self::Part(one.or(other)),
            (Self::Only(one), Self::Only(other)) => Self::Only(&one | &other),
            (Self::Part(part), Self::Only(ids)) | (Self::Only(ids), Self::Part(part)) => {
                Self::Part(part.and(ids))
            }
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }

    /// Whether that is all.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
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

/// How long answers are waited for in all. A node that is dead or hangs answers nothing, and must
/// not hold up the others longer than can be afforded.
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

    /// The answer, or that there was none in time. What is asked for too late is not asked.
    ///
    /// # Errors
    /// Those of the answer; `TimedOut` if it did not come in time.
    pub async fn wait<T>(
        self,
        question: &str,
        answer: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        let Some((end, wait)) = self.wait else {
            return answer.await;
        };
        let late = RequestError::TimedOut {
            subject: question.to_owned(),
            milliseconds: wait.as_millis(),
        };
        // Else it would be asked, though its answer is not waited for.
        if Instant::now() >= end {
            return Err(late);
        }
        let in_time = tokio::time::timeout_at(end, answer).await;
        in_time.unwrap_or(Err(late))
    }
}

/// Observes what is of `interest`, as far as it is in `scope`, with so many requests in flight at
/// most.
pub async fn observe<J: JetStream>(
    jetstream: &J,
    interest: &Interest,
    scope: &Scope,
    in_flight: usize,
    clock: &Clock,
    reply_deadline: ReplyDeadline,
) -> Observed {
    let mut observed = Observed::over(jetstream.link().borrow().connection());
    let wants = match scope {
        Scope::Only(ids) => by_stream(ids),
        Scope::Part(part) => {
            let both = (interest, Some(part));
            wants_of(jetstream, both, reply_deadline, &mut observed).await
        }
        Scope::All => {
            let all = (interest, None);
            wants_of(jetstream, all, reply_deadline, &mut observed).await
        }
    };
    observed.asked = Arc::new(match scope {
        Scope::All => Asked::All,
        Scope::Part(_) | Scope::Only(_) => Asked::of(&wants),
    });
    let asks = wants.into_iter().flat_map(|(stream, want)| {
        if want.whole || want.named.len() > MAX_SINGLE_REQUESTS {
            vec![Ask::List { stream, want }]
        } else {
            want.named.into_iter().map(|id| Ask::Info { id }).collect()
        }
    });
    let keys = interest.label_keys();
    let mut answers = stream::iter(asks)
        .map(|ask| async move {
            let sent = clock.now().wall;
            match ask {
                Ask::List { stream, want } => {
                    let reply = reply_deadline
                        .wait("CONSUMER.LIST", jetstream.list(&stream, keys))
                        .await;
                    let received = clock.now().wall;
                    Answer::List {
                        stream,
                        want,
                        reply,
                        sent,
                        received,
                    }
                }
                Ask::Info { id } => {
                    let reply = reply_deadline
                        .wait("CONSUMER.INFO", jetstream.info(&id, keys))
                        .await;
                    let received = clock.now().wall;
                    Answer::Info {
                        id,
                        reply,
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

fn by_stream(ids: &BTreeSet<ConsumerId>) -> BTreeMap<String, Want> {
    let mut wants: BTreeMap<String, Want> = BTreeMap::new();
    for id in ids {
        let want = wants.entry(id.stream().to_owned()).or_default();
        want.named.insert(id.clone());
    }
    wants
}

/// What there is to ask for an interest, or for a part of it: a part may select more, as an
/// override does that names consumers of no window. Where the streams' names cannot be had, the
/// selectors that need none go on.
async fn wants_of<J: JetStream>(
    jetstream: &J,
    (interest, part): (&Interest, Option<&Interest>),
    reply_deadline: ReplyDeadline,
    observed: &mut Observed,
) -> BTreeMap<String, Want> {
    let mut whole: BTreeSet<String> = interest.streams().map(str::to_owned).collect();
    if let Some(part) = part {
        let more = part.streams().filter(|stream| interest.lists(stream));
        whole.extend(more.map(str::to_owned));
    }
    if interest.needs_stream_names() && part.is_none_or(Interest::needs_stream_names) {
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
                observed.names_unknown = Some(part.unwrap_or(interest).clone());
                observed.failures.push(Failure::of_names(error));
            }
        }
    }
    let mut named = interest.named();
    if let Some(part) = part {
        let exact: BTreeSet<&str> = part.streams().collect();
        whole.retain(|stream| exact.contains(&**stream) || part.lists(stream));
        // Who is in a stream that is listed is looked for in that list.
        let may_be_of = |one: &Interest, id: &ConsumerId| one.includes(&Candidate::named(id));
        named.retain(|id| whole.contains(id.stream()) || may_be_of(part, id));
        named.extend(
            part.named()
                .into_iter()
                .filter(|id| may_be_of(interest, id)),
        );
    }
    let mut wants = by_stream(&named);
    for stream in whole {
        wants.entry(stream).or_default().whole = true;
    }
    wants
}
