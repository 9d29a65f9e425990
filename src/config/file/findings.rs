//! What is wrong with a config file, and where.
//!
//! Every mistake is a value: `check` prints it as JSON, `run` logs it, [`super::render`] draws it
//! under the line that it speaks of. The invariant: a finding names the thing, the reason and, if
//! there is one, the fix.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::code;

use crate::visible::visible;

/// The text of a config file, and the path to show for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as it was given.
    pub path: PathBuf,
    /// The whole text, as it may be shown: what may be a secret in an address is replaced by stars.
    pub text: Arc<str>,
    /// Where its lines begin: a file may have as many findings as lines.
    line_starts: Arc<[usize]>,
}

impl Source {
    pub(in crate::config) fn new(path: &Path, text: &str) -> Self {
        let text = without_secrets(text);
        let later = text.match_indices('\n').map(|(index, _)| index + 1);
        Self {
            path: path.to_owned(),
            line_starts: std::iter::once(0).chain(later).collect(),
            text: text.into(),
        }
    }

    /// The line in which a byte stands, counted from 1.
    pub(in crate::config) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The bytes of a line, counted from 1.
    pub(in crate::config) fn line(&self, number: usize) -> Range<usize> {
        let start = number
            .checked_sub(1)
            .and_then(|index| self.line_starts.get(index));
        let start = start.copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split(['\r', '\n']).next().unwrap_or_default();
        start..start + line.len()
    }

    /// The bytes of whole lines, from the one that `span` begins in to the one that it ends in.
    pub(in crate::config) fn lines_around(&self, span: &Range<usize>) -> Range<usize> {
        let first = self.line_of(span.start).saturating_sub(1);
        let behind = self.line_of(span.end.max(span.start));
        let begin = self.line_starts.get(first).copied().unwrap_or(0);
        let end = self.line_starts.get(behind).copied();
        begin..end.unwrap_or(self.text.len())
    }
}

/// The same text, byte for byte as long, with stars for what stands before the `@` of an address.
/// Such a file is refused, and the message, with the line, goes to a log that many may read. Rather
/// a word too many than a secret.
pub(in crate::config) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('@').enumerate() {
        if index > 0 {
            if let Some(from) = secret_at_the_end(&shown) {
                let stars = "*".repeat(shown.len() - from);
                shown.replace_range(from.., &stars);
            }
            shown.push('@');
        }
        shown.push_str(part);
    }
    shown
}

/// Where the user and password begin that end a text before an `@`, if they do:
/// `nats://user:password`, `user:password`.
fn secret_at_the_end(text: &str) -> Option<usize> {
    let after_last = |stop: fn(char) -> bool| {
        let last = text.char_indices().rfind(|(_, c)| stop(*c));
        last.map_or(0, |(index, c)| index + c.len_utf8())
    };
    let quoted = after_last(|c| matches!(c, '"' | '\'' | '\n'));
    if let Some(scheme) = text[quoted..].find("://") {
        return Some(quoted + scheme + "://".len());
    }
    let word = quoted.max(after_last(char::is_whitespace));
    text[word..].contains(':').then_some(word)
}

/// Whether a finding keeps the file from being loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file loads, but should be checked.
    Warning,
}

impl Severity {
    /// The word that `check` prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, or doubtful, in a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it keeps the file from being loaded.
    pub severity: Severity,
    /// The kind of mistake, one of [`code`]: a stable word for scripts.
    pub code: &'static str,
    /// What it is about: `window nightly-vacuum`, `nats.servers`.
    pub subject: String,
    /// The reason, as a fragment that fits behind the subject and a colon.
    pub message: String,
    /// The fix.
    pub hint: Option<String>,
    /// The bytes of the file that it speaks of; `None` where something is absent from the whole
    /// file.
    pub span: Option<Range<usize>>,
    /// A second place that belongs to it, and what stands there.
    pub also: Option<(Range<usize>, String)>,
    /// The place in a file that the config file names, if it speaks of that. `span` is then where
    /// that file is named.
    pub elsewhere: Option<Elsewhere>,
}

/// A line of a file that the config file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// That file.
    pub source: Source,
    /// The line, counted from 1.
    pub line: usize,
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        code: &'static str,
        subject: &str,
        message: &str,
    ) -> Self {
        Self {
            severity,
            code,
            subject: visible(subject).into_owned(),
            message: visible(message).into_owned(),
            hint: None,
            span: None,
            also: None,
            elsewhere: None,
        }
    }

    pub(in crate::config) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(visible(&hint.into()).into_owned());
        self
    }

    pub(in crate::config) fn also(mut self, span: Range<usize>, label: &str) -> Self {
        self.also = Some((span, label.to_owned()));
        self
    }

    pub(in crate::config) fn elsewhere(mut self, source: &Source, line: usize) -> Self {
        self.elsewhere = Some(Elsewhere {
            source: source.clone(),
            line,
        });
        self
    }

    /// The line of the config file that it speaks of, counted from 1.
    pub fn line(&self, source: &Source) -> Option<usize> {
        let start = self.span.as_ref()?.start;
        (start <= source.text.len()).then(|| source.line_of(start))
    }

    /// Whether it speaks of one value by itself, so that it holds even where other lines of the
    /// file cannot be read.
    pub(in crate::config) fn stands_alone(&self) -> bool {
        self.severity == Severity::Error && !code::NEEDS_WHOLE_FILE.contains(&self.code)
    }
}

/// One line, for a log: subject, reason, fix.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// A place in the file, and what an operator calls the thing that stands there.
#[derive(Clone, Debug)]
pub(in crate::config) struct Place {
    /// `controller.resync`, `window nightly-vacuum`.
    pub subject: String,
    /// The key, unless the subject has it.
    pub key: Option<&'static str>,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Place {
    pub fn error(&self, code: &'static str, message: impl AsRef<str>) -> Finding {
        self.finding(Severity::Error, code, message.as_ref())
    }

    pub fn warning(&self, code: &'static str, message: impl AsRef<str>) -> Finding {
        self.finding(Severity::Warning, code, message.as_ref())
    }

    fn finding(&self, severity: Severity, code: &'static str, message: &str) -> Finding {
        let message = match self.key {
            Some(key) => format!("{key}: {message}"),
            None => message.to_owned(),
        };
        Finding::new(severity, code, &self.subject, &message).at(self.span.clone())
    }
}
