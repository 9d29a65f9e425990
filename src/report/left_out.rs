//! What recess leaves alone though a window's glob, or a person's, may mean it; and how that is
//! said.

use std::collections::{BTreeMap, BTreeSet};

use crate::consumer::{Candidate, ConsumerId, Found, Kind, Observation};
use crate::jetstream::Unreadable;
use crate::policy::Interest;
use crate::text;
use crate::visible::visible;

/// Of many, so many are named.
const MAX_CONSUMERS_NAMED: usize = 3;

/// What is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Consumers whose name a glob matches, and that are not durable, serve another stream or are
    /// exempt.
    pub passed_over: BTreeMap<ConsumerId, PassedOver>,
    /// Entries of lists that cannot be used, with their stream; the streams' own names have none.
    pub unreadable: BTreeSet<(Option<String>, Unreadable)>,
}

/// A consumer that globs leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Why.
    pub why: Why,
    /// Its messages are acknowledged, so a worker may have some in flight (not so with ordered
    /// consumers, KV watchers).
    pub works: bool,
}

/// Why globs leave a consumer alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is not durable.
    NotDurable,
    /// It serves another stream.
    Sourcing,
    /// Its metadata makes it exempt.
    Exempt,
}

impl Why {
    /// Why that one, which they do leave alone. Of durable ones they do so with exempt ones only.
    pub fn of(seen: &Observation) -> Self {
        match seen.kind {
            Kind::Ephemeral => Self::NotDurable,
            Kind::Sourcing => Self::Sourcing,
            Kind::Durable => Self::Exempt,
        }
    }
}

/// What there is to say of the consumers of one stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sentence {
    /// The stream; none for the streams' own names.
    pub stream: Option<String>,
    /// What it is about.
    pub topic: Topic,
    /// One line.
    pub text: String,
}

/// What a [`Sentence`] is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// An entry that cannot be used, by what stands for its name: a person has to mend that.
    Unreadable(String),
    /// Consumers that globs leave alone.
    PassedOver(Why),
}

impl Sentence {
    /// Whether something is wrong. Else it is as most people want it.
    pub fn is_fault(&self) -> bool {
        matches!(self.topic, Topic::Unreadable(_))
    }
}

impl LeftOut {
    /// Takes note of what one observation showed of a consumer.
    pub fn note(&mut self, interest: &Interest, id: &ConsumerId, found: &Found) {
        let seen = found.observation();
        match seen.filter(|seen| interest.passes_over(&Candidate::seen(id, seen))) {
            Some(seen) => {
                let why = Why::of(seen);
                let works = seen.counted && why != Why::Sourcing;
                self.passed_over
                    .insert(id.clone(), PassedOver { why, works });
            }
            None => drop(self.passed_over.remove(id)),
        }
    }

    /// Whether messages may be in flight that were not asked about.
    pub fn may_work(&self) -> bool {
        !self.unreadable.is_empty() || self.passed_over.values().any(|why| why.works)
    }

    /// How many consumers of each stream globs leave alone.
    pub fn passed_over_by_stream(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for id in self.passed_over.keys() {
            *counts.entry(id.stream()).or_default() += 1;
        }
        counts
    }

    /// A line for each stream with consumers that globs leave alone, and for each entry that cannot
    /// be used.
    pub fn sentences(&self) -> Vec<Sentence> {
        let mut groups: BTreeMap<(&str, Why), Vec<&ConsumerId>> = BTreeMap::new();
        for (id, PassedOver { why, .. }) in &self.passed_over {
            groups.entry((id.stream(), *why)).or_default().push(id);
        }
        let passed_over = (groups.iter()).map(|((stream, why), ids)| Sentence {
            stream: Some((*stream).to_owned()),
            topic: Topic::PassedOver(*why),
            text: passed_over(ids, *why),
        });
        let unreadable = self.unreadable.iter().map(|(stream, entry)| Sentence {
            stream: stream.clone(),
            topic: Topic::Unreadable(entry.name.clone()),
            text: unreadable(stream.as_deref(), entry),
        });
        unreadable.chain(passed_over).collect()
    }
}

fn passed_over(ids: &[&ConsumerId], why: Why) -> String {
    let [first, ..] = ids else {
        return String::new();
    };
    let what = match (why, ids.len()) {
        (Why::NotDurable, 1) => "1 consumer that is not durable".to_owned(),
        (Why::NotDurable, count) => format!("{count} consumers that are not durable"),
        (Why::Sourcing, 1) => "1 consumer that serves another stream".to_owned(),
        (Why::Sourcing, count) => format!("{count} consumers that serve other streams"),
        (Why::Exempt, 1) => "1 consumer that its metadata makes exempt".to_owned(),
        (Why::Exempt, count) => format!("{count} consumers that their metadata makes exempt"),
    };
    let names = ids.iter().map(|id| visible(id.consumer()));
    format!(
        "stream {}: wildcards leave out {what} ({}); to include one, name it exactly: \"{}\"",
        visible(first.stream()),
        text::names(names, MAX_CONSUMERS_NAMED),
        visible(&first.path())
    )
}

fn unreadable(stream: Option<&str>, Unreadable { name, reason }: &Unreadable) -> String {
    match stream {
        Some(stream) => format!(
            "stream {}: consumer `{name}` is left out, as {reason}; recess leaves it unchanged",
            visible(stream)
        ),
        None => format!(
            "stream `{name}` is left out, as {reason}; recess leaves its consumers unchanged"
        ),
    }
}
