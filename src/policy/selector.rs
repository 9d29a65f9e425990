//! Which consumers a window names: `STREAM/CONSUMER`, globs, and `!` to take away.

use std::fmt;
use std::sync::Arc;

use super::labels::Where;
use super::pattern::{Affix, Pattern, SelectorError};
use crate::consumer::{Candidate, ConsumerId, Labels};

#[cfg(test)]
mod tests;

/// A window's list of selectors: what the plain ones match, less what the `!` ones match; of that,
/// those whose metadata is as the window's `where` asks for.
#[derive(Clone, Debug)]
pub struct Selection {
    selectors: Arc<[Selector]>,
    narrowed: Where,
}

/// `ORDERS/* !ORDERS/audit where { team = "billing" }`
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selectors: Vec<&str> = self.selectors.iter().map(Selector::as_str).collect();
        f.write_str(&selectors.join(" "))?;
        match self.is_narrowed() {
            true => write!(f, " where {}", self.narrowed),
            false => Ok(()),
        }
    }
}

/// Two are equal if they are written alike.
impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.selectors.iter(), other.selectors.iter());
        ours.map(|one| &one.text).eq(theirs.map(|one| &one.text)) && self.narrowed == other.narrowed
    }
}

impl Eq for Selection {}

impl Selection {
    /// Takes selectors in the order of the file; the order does not matter to what they select.
    pub fn new(selectors: Vec<Selector>) -> Self {
        Self {
            selectors: selectors.into(),
            narrowed: Where::default(),
        }
    }

    /// The same, of those for which that holds.
    pub fn narrowed(self, narrowed: Where) -> Self {
        Self { narrowed, ..self }
    }

    /// Whether metadata decides which of those that it names it selects.
    pub fn is_narrowed(&self) -> bool {
        !self.narrowed.conditions().is_empty()
    }

    /// What the metadata of those that it names must be.
    pub fn condition(&self) -> &Where {
        &self.narrowed
    }

    /// The same, if it decides anything.
    pub fn some_condition(&self) -> Option<&Where> {
        self.is_narrowed().then_some(&self.narrowed)
    }

    /// The selectors as written.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// Whether its `!` entries take away all that the others name, as far as their texts show it.
    pub fn leaves_nothing(&self) -> bool {
        let (without, with): (Vec<_>, Vec<_>) =
            (self.selectors.iter()).partition(|selector| selector.negated);
        (with.iter()).all(|selector| without.iter().any(|other| other.covers(selector)))
    }

    /// The `!` entries that exclude nothing, as no consumer of another entry matches them, as far
    /// as their texts show it: most are misspelt.
    pub fn without_effect(&self) -> impl Iterator<Item = &Selector> {
        let (without, with): (Vec<_>, Vec<_>) =
            (self.selectors.iter()).partition(|selector| selector.negated);
        (without.into_iter())
            .filter(move |selector| with.iter().all(|other| selector.is_disjoint_from(other)))
    }

    /// The `!` entry that takes that consumer away, which another entry names.
    pub fn takes_away(&self, id: &ConsumerId) -> Option<&Selector> {
        let mut matching = self
            .selectors
            .iter()
            .filter(|selector| selector.matches(id));
        let is_named = matching.clone().any(|selector| !selector.negated);
        matching.find(|selector| is_named && selector.negated)
    }

    /// Whether that consumer is selected; one whose metadata is not known may be.
    pub fn selects(&self, candidate: &Candidate<'_>) -> bool {
        self.names(candidate.id, candidate.is_durable()) && self.admits(candidate.labels)
    }

    /// Whether the selectors select a consumer of that name. `globs` says whether globs mean it.
    pub fn names(&self, id: &ConsumerId, globs: bool) -> bool {
        let (without, with): (Vec<_>, Vec<_>) = (self
            .selectors
            .iter()
            .filter(|selector| selector.matches(id)))
        .partition(|selector| selector.negated);
        without.is_empty() && with.iter().any(|selector| selector.reaches(globs))
    }

    /// Whether it pauses consumers with these labels; where they are not known it may.
    pub fn admits(&self, labels: &Labels) -> bool {
        self.narrowed.holds(labels) != Some(false)
    }

    /// Whether one of its selectors is that consumer's exact name.
    pub fn has_exactly(&self, id: &ConsumerId) -> bool {
        (self.selectors.iter()).any(|one| !one.negated && one.exact().as_ref() == Some(id))
    }
}

/// One entry of `consumers`: `STREAM/CONSUMER`, either part a glob, with `!` in front to take away.
#[derive(Clone, Debug)]
pub struct Selector {
    text: Arc<str>,
    negated: bool,
    stream: Pattern,
    consumer: Pattern,
}

impl Selector {
    /// Parses one entry.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (stream, consumer) = rest.split_once('/').ok_or(SelectorError::Form)?;
        if stream.is_empty() || consumer.is_empty() || consumer.contains('/') {
            return Err(SelectorError::Form);
        }
        Ok(Self {
            text: text.into(),
            negated,
            stream: Pattern::of_name(stream)?,
            consumer: Pattern::of_name(consumer)?,
        })
    }

    /// The entry as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it takes away (`!`).
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Whether the names match, `!` or not.
    pub fn matches(&self, id: &ConsumerId) -> bool {
        self.stream.matches(id.stream()) && self.consumer.matches(id.consumer())
    }

    /// Whether it matches, `!` or not, all that `other` matches. Not seen of every glob, and never
    /// claimed of one that does not.
    pub fn covers(&self, other: &Self) -> bool {
        self.stream.covers(&other.stream) && self.consumer.covers(&other.consumer)
    }

    /// Whether no consumer matches both, `!` or not. Not seen of every pair of globs, and never
    /// claimed of one that has such a consumer.
    pub fn is_disjoint_from(&self, other: &Self) -> bool {
        self.stream.is_disjoint_from(&other.stream)
            || self.consumer.is_disjoint_from(&other.consumer)
    }

    /// Whether it could match a consumer of that stream.
    pub fn may_match_in(&self, stream: &str) -> bool {
        self.stream.matches(stream)
    }

    /// Whether it means a consumer that it matches, which its exact name always does.
    pub(super) fn reaches(&self, globs: bool) -> bool {
        globs || self.exact().is_some()
    }

    /// A consumer that it matches, made up where it does not name one.
    pub fn example(&self) -> Option<ConsumerId> {
        let (stream, consumer) = (self.stream.example(), self.consumer.example());
        let id = ConsumerId::new(stream, consumer);
        self.matches(&id).then_some(id)
    }

    /// What it asks of a stream's name, and of a consumer's.
    pub(super) fn patterns(&self) -> (&Pattern, &Pattern) {
        (&self.stream, &self.consumer)
    }

    /// The one consumer it names, where neither part is a glob.
    pub fn exact(&self) -> Option<ConsumerId> {
        match (&self.stream, &self.consumer) {
            (Pattern::Exact(stream), Pattern::Exact(consumer)) => {
                Some(ConsumerId::new(stream.clone(), consumer.clone()))
            }
            _ => None,
        }
    }

    /// The consumer that has this very text for its name, where a glob is written that could be
    /// one: names may hold all that globs are made of, but `*`.
    pub fn literal(&self) -> Option<ConsumerId> {
        let text = self.text.strip_prefix('!').unwrap_or(&self.text);
        let id = text.parse().ok();
        id.filter(|_| self.exact().is_none())
    }

    /// The same text, read as a name.
    pub fn read_as_name(self) -> Self {
        match self.literal() {
            Some(id) => Self {
                stream: Pattern::Exact(id.stream().into()),
                consumer: Pattern::Exact(id.consumer().into()),
                ..self
            },
            None => self,
        }
    }

    /// Whether it holds for streams of all kinds and so, by the way, for that one, in which MQTT, a
    /// key-value bucket or an object store keeps what it has.
    pub fn strays_into(&self, stream: &str) -> bool {
        INTERNAL.iter().any(|start| stream.starts_with(start))
            && self.stream.matches(stream)
            && match self.stream.affix() {
                Affix::Whole(start) | Affix::Start(start) => {
                    !INTERNAL.iter().any(|internal| start.starts_with(internal))
                }
                Affix::End(_) => true,
            }
    }

    /// The one stream it looks in, where that part is no glob.
    pub fn exact_stream(&self) -> Option<&str> {
        match &self.stream {
            Pattern::Exact(stream) => Some(stream),
            Pattern::Prefix(_) | Pattern::Glob(_) => None,
        }
    }
}

/// What the names of such streams begin with.
const INTERNAL: [&str; 3] = ["$MQTT_", "KV_", "OBJ_"];
