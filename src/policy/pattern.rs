//! What one part of a selector asks of a name, and a label's pattern of a value: a text, the start
//! of one, or a glob.

use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::consumer::is_name;
use crate::visible::visible;

/// What most people write needs no glob: a compiled one takes some 10 kB and 50 microseconds, and a
/// file may have thousands.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Exact(Arc<str>),
    /// The name begins like that: `*`, `orders-*`.
    Prefix(Arc<str>),
    Glob(Arc<LazyGlob>),
}

/// A glob that is compiled when a name first needs it.
#[derive(Debug)]
pub(super) struct LazyGlob {
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
}

/// What all names that a pattern matches have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Affix<'p> {
    /// They are this name.
    Whole(&'p str),
    /// They begin like that; with nothing, where they have nothing in common.
    Start(&'p str),
    /// They end like that.
    End(&'p str),
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// There is no slash, or more than one, or an empty part.
    #[error("not of the form STREAM/CONSUMER")]
    Form,
    /// A part holds what no name can hold.
    #[error("`{}` matches no possible name: names contain no dots, spaces, control characters, \
             slashes or `>`", visible(.0))]
    Name(String),
    /// A glob with, say, an unclosed bracket.
    #[error("`{glob}` is not a valid wildcard: {reason}", glob = visible(.glob))]
    Glob {
        /// The part.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Pattern {
    /// One that names of streams or consumers can match.
    pub fn of_name(text: &str) -> Result<Self, SelectorError> {
        // What globs add to the characters of a name.
        let without_wildcards = text.replace(['*', '?', '[', ']', '{', '}', '!', '^'], "_");
        if !is_name(&without_wildcards) {
            return Err(SelectorError::Name(text.to_owned()));
        }
        Self::parse(text)
    }

    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if !text.contains(['*', '?', '[', '{']) {
            return Ok(Self::Exact(text.into()));
        }
        if let Some(prefix) = text.strip_suffix('*')
            && !prefix.contains(['*', '?', '[', '{'])
        {
            return Ok(Self::Prefix(prefix.into()));
        }
        let glob = GlobBuilder::new(text)
            .build()
            .map_err(|error| SelectorError::Glob {
                glob: text.to_owned(),
                reason: error.kind().to_string(),
            })?;
        Ok(Self::Glob(Arc::new(LazyGlob {
            glob,
            matcher: OnceLock::new(),
        })))
    }

    /// What all names that it matches have in common.
    pub fn affix(&self) -> Affix<'_> {
        match self {
            Self::Exact(name) => Affix::Whole(name),
            Self::Prefix(prefix) => Affix::Start(prefix),
            Self::Glob(lazy) => {
                let text = lazy.glob.glob();
                let start = text.find(['*', '?', '[', '{']);
                let end = text.rfind(['*', '?', ']', '}']).map(|last| last + 1);
                match (start, end.and_then(|end| text.get(end..))) {
                    (Some(start), _) if start > 0 => Affix::Start(&text[..start]),
                    (_, Some(end)) if !end.is_empty() => Affix::End(end),
                    _ => Affix::Start(""),
                }
            }
        }
    }

    /// A name such as it matches. Not of every glob: who asks makes sure.
    pub fn example(&self) -> String {
        match self {
            Self::Exact(name) => name.to_string(),
            Self::Prefix(prefix) if prefix.is_empty() => "x".to_owned(),
            Self::Prefix(prefix) => prefix.to_string(),
            Self::Glob(lazy) => match example(lazy.glob.glob()) {
                name if name.is_empty() => "x".to_owned(),
                name => name,
            },
        }
    }

    /// Whether it matches every name that `other` matches. Not seen of every glob, and never
    /// claimed of one that does not.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(name)) => self.matches(name),
            (Self::Prefix(start), _) => {
                start.is_empty()
                    || matches!(other.affix(), Affix::Start(other) if other.starts_with(&**start))
            }
            (Self::Glob(one), Self::Glob(other)) => one.glob.glob() == other.glob.glob(),
            (Self::Exact(_), _) | (Self::Glob(_), Self::Prefix(_)) => false,
        }
    }

    /// Whether no name matches both. Not seen of every pair of globs, and never claimed of one that
    /// has such a name.
    pub fn is_disjoint_from(&self, other: &Self) -> bool {
        use Affix::{End, Start};
        match (self, other) {
            (Self::Exact(name), _) => !other.matches(name),
            (_, Self::Exact(name)) => !self.matches(name),
            (Self::Prefix(_) | Self::Glob(_), Self::Prefix(_) | Self::Glob(_)) => {
                match (self.affix(), other.affix()) {
                    (Start(one), Start(other)) => {
                        !one.starts_with(other) && !other.starts_with(one)
                    }
                    (End(one), End(other)) => !one.ends_with(other) && !other.ends_with(one),
                    _ => false,
                }
            }
        }
    }

    /// Whether it is `*`, which matches every text.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Prefix(start) if start.is_empty())
    }

    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::Prefix(prefix) => name.starts_with(&**prefix),
            Self::Glob(lazy) => {
                let matcher = lazy.matcher.get_or_init(|| lazy.glob.compile_matcher());
                matcher.is_match(name)
            }
        }
    }
}

/// A glob with nothing for `*`, and the first choice of what offers several.
fn example(glob: &str) -> String {
    let mut name = String::new();
    let mut rest = glob;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        let close = match next {
            '[' => rest.find(']'),
            '{' => rest.find('}'),
            _ => None,
        };
        let inside = close.map(|close| &rest[..close]);
        match (next, inside) {
            ('*', _) => {}
            ('?', _) => name.push('x'),
            ('[', Some(set)) if !set.starts_with(['!', '^']) => name.extend(set.chars().next()),
            ('[', Some(_)) => name.push('x'),
            ('{', Some(choices)) => {
                name += &example(choices.split(',').next().unwrap_or_default());
            }
            _ => name.push(next),
        }
        if let Some(close) = close {
            rest = &rest[close + 1..];
        }
    }
    name
}
