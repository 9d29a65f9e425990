//! Which events of a calendar count, by what they are called.

use globset::{Glob, GlobMatcher};

/// A glob on the summary of an event: `*`, `Christmas*`, or `!*half day*`, which takes away.
#[derive(Clone, Debug)]
pub struct EventGlob {
    is_negated: bool,
    matcher: GlobMatcher,
}

impl EventGlob {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// Why the text is no glob, as a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (is_negated, glob) = match text.strip_prefix('!') {
            Some(glob) => (true, glob),
            None => (false, text),
        };
        let glob = Glob::new(glob).map_err(|error| error.kind().to_string())?;
        Ok(Self {
            is_negated,
            matcher: glob.compile_matcher(),
        })
    }

    /// Whether it takes away the events that it matches.
    pub fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// Whether it matches, whatever follows from that.
    pub fn matches(&self, summary: &str) -> bool {
        self.matcher.is_match(summary)
    }

    /// Whether an event counts: one of the globs names it, and none takes it away.
    pub fn count(globs: &[Self], summary: &str) -> bool {
        let matching = || globs.iter().filter(|glob| glob.matches(summary));
        matching().next().is_some() && !matching().any(Self::is_negated)
    }
}
