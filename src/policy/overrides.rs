//! What a person decided at run time: an override of the config file's windows, for a time that is
//! written down.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Selection, Selector};

/// One decision. It never changes; a later one (by [`Override::sequence`]) has the last word while
/// both last.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// By what it is called.
    pub id: OverrideId,
    /// Its place in the order of all of them: the sequence number of its message in the bucket.
    pub sequence: u64,
    /// When the server stored it.
    pub made: Timestamp,
    /// What was decided.
    pub terms: Terms,
}

impl Override {
    /// Who did what: `extended by alice`
    pub fn credit(&self) -> String {
        format!("{} by {}", self.terms.verb.past(), self.id.author())
    }
}

/// What a person decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// What it does.
    pub effect: Effect,
    /// To what.
    pub target: Target,
    /// Its first instant, a whole second.
    pub from: Timestamp,
    /// The first instant after it, a whole second: later than [`Terms::from`].
    pub until: Timestamp,
    /// The command that made it.
    pub verb: Verb,
    /// Why, in its author's words.
    pub reason: Option<Arc<str>>,
    /// The host on which the command ran.
    pub host: Option<Arc<str>>,
}

impl Terms {
    /// Whether it holds at `at`.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// The name of an override: who made it, and some random letters. Written `alice.k7f2q`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OverrideId {
    author: Arc<str>,
    token: Arc<str>,
}

impl OverrideId {
    /// The name of one that `author` made. Both are tokens of its key in the bucket.
    pub fn new(author: impl Into<Arc<str>>, token: impl Into<Arc<str>>) -> Self {
        Self {
            author: author.into(),
            token: token.into(),
        }
    }

    /// Who made it: only that user may publish to the key, which is the proof.
    pub fn author(&self) -> &str {
        &self.author
    }
}

impl fmt::Display for OverrideId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.author, self.token)
    }
}

/// What an override does to its target while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Holds it: a window is open, consumers are paused.
    Pause,
    /// Lets it run: a window is closed and its tail is over, consumers deliver.
    Run,
}

impl Effect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Pause, Self::Run];

    /// As the bucket and JSON have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Run => "run",
        }
    }
}

/// What is overridden.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A window of that name: what its other consumers' windows want is untouched.
    Window(Arc<str>),
    /// Consumers, whatever windows they follow.
    Consumers(Selection),
}

impl Target {
    /// The window's name, if it is one.
    pub fn window(&self) -> Option<&str> {
        match self {
            Self::Window(name) => Some(name),
            Self::Consumers(_) => None,
        }
    }

    /// The selectors as written, if it is consumers.
    pub fn selectors(&self) -> Option<Vec<&str>> {
        match self {
            Self::Window(_) => None,
            Self::Consumers(selection) => {
                let selectors = selection.selectors().iter();
                Some(selectors.map(Selector::as_str).collect())
            }
        }
    }
}

/// The window's name, or the selectors with blanks between them.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(name) => f.write_str(name),
            Self::Consumers(selection) => selection.fmt(f),
        }
    }
}

/// The command that makes an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `recess open`
    Open,
    /// `recess close`
    Close,
    /// `recess extend`
    Extend,
    /// `recess skip`
    Skip,
    /// `recess pause`
    Pause,
    /// `recess resume`
    Resume,
}

impl Verb {
    /// Every command that makes one.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Close,
        Self::Extend,
        Self::Skip,
        Self::Pause,
        Self::Resume,
    ];

    /// As the bucket, JSON and the command line have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Close => "close",
            Self::Extend => "extend",
            Self::Skip => "skip",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }

    /// What whoever typed it has done to the target: `extended`
    pub fn past(self) -> &'static str {
        match self {
            Self::Open => "opened",
            Self::Close => "closed",
            Self::Extend => "extended",
            Self::Skip => "skipped",
            Self::Pause => "paused",
            Self::Resume => "resumed",
        }
    }

    /// What its override does.
    pub fn effect(self) -> Effect {
        match self {
            Self::Open | Self::Extend | Self::Pause => Effect::Pause,
            Self::Close | Self::Skip | Self::Resume => Effect::Run,
        }
    }
}
