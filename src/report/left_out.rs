//! What recess leaves alone though a window's glob, or a person's, may mean it; and how that is
//! said.

use std::collections::{BTreeMap, BTreeSet};

use crate::consumer::{ConsumerId, Found, Kind};
use crate::jetstream::Unreadable;
use crate::policy::Interest;
use crate::text;
use crate::visible::visible;

/// Of many, so many are named.
const MAX_CONSUMERS_NAMED: usize = 3;

/// What is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Consumers whose name a glob matches, and that are not durable or serve another stream.
    pub passed_over: BTreeMap<ConsumerId, PassedOver>,
    /// Entries of lists that cannot be used, with their stream; the streams' own names have none.
    pub unreadable: BTreeSet<(Option<String>, Unreadable)>,
}

/// A consumer that globs leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Why.
    pub kind: Kind,
    /// Its messages are acknowledged, so a worker may have some in flight (not so with ordered
    /// consumers, KV watchers).
    pub works: bool,
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
    /// Consumers that are not durable.
    NotDurable,
    /// Consumers that serve other streams.
    Sourcing,
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
        match seen.filter(|seen| interest.passes_over(id, seen.kind)) {
            Some(seen) => {
                let kind = seen.kind;
                let works = seen.counted && kind != Kind::Sourcing;
                let why = PassedOver { kind, works };
                self.passed_over.insert(id.clone(), why);
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
        let mut groups: BTreeMap<(&str, bool), Vec<&ConsumerId>> = BTreeMap::new();
        for (id, why) in &self.passed_over {
            let group = (id.stream(), why.kind == Kind::Sourcing);
            groups.entry(group).or_default().push(id);
        }
        let passed_over = (groups.iter()).map(|((stream, sourcing), ids)| Sentence {
            stream: Some((*stream).to_owned()),
            topic: match sourcing {
                true => Topic::Sourcing,
                false => Topic::NotDurable,
            },
            text: passed_over(ids, *sourcing),
        });
        let unreadable = self.unreadable.iter().map(|(stream, entry)| Sentence {
            stream: stream.clone(),
            topic: Topic::Unreadable(entry.name.clone()),
            text: unreadable(stream.as_deref(), entry),
        });
        unreadable.chain(passed_over).collect()
    }
}

fn passed_over(ids: &[&ConsumerId], sourcing: bool) -> String {
    let [first, ..] = ids else {
        return String::new();
    };
    let what = match (sourcing, ids.len()) {
        (false, 1) => "1 consumer that is not durable".to_owned(),
        (false, count) => format!("{count} consumers that are not durable"),
        (true, 1) => "1 consumer that serves another stream".to_owned(),
        (true, count) => format!("{count} consumers that serve other streams"),
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
