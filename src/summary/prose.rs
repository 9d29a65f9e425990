//! Sentences in which some words matter more than others.

use std::fmt;

/// One or more sentences. [`fmt::Display`] leaves out which words are strong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose(Vec<Piece>);

/// Some words of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The words, with the blanks around them.
    pub text: String,
    /// They are what a reader in a hurry looks for.
    pub is_strong: bool,
}

impl Prose {
    /// The same, and these words.
    pub fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece {
            text: text.into(),
            is_strong: false,
        });
        self
    }

    /// The same, and these words, which matter.
    pub fn strong(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece {
            text: text.into(),
            is_strong: true,
        });
        self
    }

    /// All words, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(&piece.text))
    }
}
