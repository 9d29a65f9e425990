//! Overrides as people and programs see them listed: what each is, and how far it has come.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::entry::{Undoing, Undone, Unreadable};
use crate::policy::{Override, Policy, Target};
use crate::text::utc;
use crate::visible::sanitize;

#[cfg(test)]
mod tests;

/// How far an override has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It lasts now.
    Active,
    /// It begins later.
    Ahead,
    /// Its end has come.
    Ended,
    /// It was ended early.
    Undone,
    /// It names a window that the config file does not have.
    Idle,
    /// Its key says nothing that can be used.
    Unreadable,
}

impl State {
    /// Those that the metric counts: what is over is history.
    pub const COUNTED: [Self; 3] = [Self::Active, Self::Ahead, Self::Idle];

    /// As JSON and the list have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ahead => "ahead",
            Self::Ended => "ended",
            Self::Undone => "undone",
            Self::Idle => "idle",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether it is over, so that a list leaves it out unless all are asked for.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Undone)
    }

    /// Of an override that was not undone.
    pub fn of(one: &Override, policy: &Policy, now: Timestamp) -> Self {
        match &one.terms.target {
            _ if one.terms.until <= now => Self::Ended,
            Target::Window(name) if policy.window(name).is_none() => Self::Idle,
            _ if now < one.terms.from => Self::Ahead,
            Target::Window(_) | Target::Consumers(_) => Self::Active,
        }
    }
}

/// One of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name; of one that cannot be read its key.
    pub id: String,
    /// How far it has come.
    pub state: State,
    /// What it is, if that is known.
    pub one: Option<Arc<Override>>,
    /// How it was ended early.
    pub undone: Option<Undoing>,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

impl Listed {
    /// An override that was not undone.
    pub fn live(one: Arc<Override>, policy: &Policy, now: Timestamp) -> Self {
        Self {
            id: one.id.to_string(),
            state: State::of(&one, policy, now),
            one: Some(one),
            undone: None,
            problem: None,
        }
    }

    /// One that was.
    pub fn undone(undone: &Undone) -> Self {
        Self {
            id: undone.id.to_string(),
            state: State::Undone,
            one: undone.was.clone().map(Arc::new),
            undone: Some(undone.undoing.clone()),
            problem: None,
        }
    }

    /// A key that cannot be used.
    pub fn unreadable(key: &Unreadable) -> Self {
        Self {
            id: sanitize(&key.id),
            state: State::Unreadable,
            one: None,
            undone: None,
            problem: Some(sanitize(&key.reason)),
        }
    }

    /// When it was made, as far as that is known.
    pub fn made(&self) -> Option<Timestamp> {
        // A purge that undid it has another time than the key that it purged.
        let live = self.one.as_ref().filter(|_| self.undone.is_none());
        live.map(|one| one.made)
    }

    /// For programs.
    pub fn row(&self) -> ListedRow<'_> {
        let terms = self.one.as_ref().map(|one| &one.terms);
        let target = terms.map(|terms| &terms.target);
        ListedRow {
            id: Some(&self.id),
            effect: terms.map(|terms| terms.effect.as_str()),
            verb: terms.map(|terms| terms.verb.as_str()),
            window: target.and_then(Target::window),
            consumers: target.and_then(Target::selectors),
            from: terms.map(|terms| utc(terms.from)),
            until: terms.map(|terms| utc(terms.until)),
            reason: terms.and_then(|terms| terms.reason.as_deref()),
            by: self.one.as_ref().map(|one| one.id.author()),
            made: self.made().map(utc),
            state: self.state.as_str(),
            undone: self.undone.as_ref().map(|undoing| UndoneRow {
                by: undoing.by.as_deref(),
                reason: undoing.reason.as_deref(),
                at: utc(undoing.at),
            }),
            error: self.problem.as_deref(),
        }
    }

    /// For programs, of one that is not written: it has no id yet.
    pub fn would(&self) -> ListedRow<'_> {
        ListedRow {
            id: None,
            made: None,
            ..self.row()
        }
    }
}

/// One of the list as JSON has it.
#[derive(Debug, Serialize)]
pub struct ListedRow<'a> {
    id: Option<&'a str>,
    effect: Option<&'static str>,
    verb: Option<&'static str>,
    window: Option<&'a str>,
    consumers: Option<Vec<&'a str>>,
    from: Option<String>,
    until: Option<String>,
    reason: Option<&'a str>,
    by: Option<&'a str>,
    made: Option<String>,
    state: &'static str,
    undone: Option<UndoneRow<'a>>,
    /// Only of one that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct UndoneRow<'a> {
    by: Option<&'a str>,
    reason: Option<&'a str>,
    at: String,
}
