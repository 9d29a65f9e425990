//! What consumers' metadata decides: which of those that a window names it pauses (`where`), and
//! which are exempt from every window.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::pattern::{Pattern, SelectorError};
use crate::consumer::{Label, Labels};

#[cfg(test)]
mod tests;

/// A window's `where`: what the metadata of a consumer must be for the window to pause it. All keys
/// must hold; without any, all consumers do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    conditions: Arc<[Condition]>,
}

/// What one key must be: any of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The metadata key.
    pub key: Arc<str>,
    /// One of them has to match.
    pub any_of: Vec<LabelPattern>,
}

/// What the value of a key must be, or with `!` in front must not be.
#[derive(Clone, Debug)]
pub struct LabelPattern {
    text: Arc<str>,
    negated: bool,
    pattern: Pattern,
}

/// Two are equal if they are written alike.
impl PartialEq for LabelPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for LabelPattern {}

impl Where {
    /// These conditions, in any order.
    pub fn new(mut conditions: Vec<Condition>) -> Self {
        conditions.sort_by(|one, other| one.key.cmp(&other.key));
        Self {
            conditions: conditions.into(),
        }
    }

    /// The conditions, by key.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether it holds; `None` if that depends on metadata that is not known.
    ///
    /// ```
    /// use recess::consumer::{LabelKeys, Labels};
    /// use recess::policy::{Condition, LabelPattern, Where};
    ///
    /// let any_of = vec![LabelPattern::parse("gold")?, LabelPattern::parse("silver-*")?];
    /// let only = Where::new(vec![Condition { key: "tier".into(), any_of }]);
    /// let labels = |tier| Labels::of(&LabelKeys::new(["tier".into()]), [("tier", tier)]);
    /// assert_eq!(only.holds(&labels("silver-eu")), Some(true));
    /// assert_eq!(only.holds(&labels("bronze")), Some(false));
    /// assert_eq!(only.holds(&Labels::UNKNOWN), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn holds(&self, labels: &Labels) -> Option<bool> {
        let mut known = Some(true);
        for condition in self.conditions.iter() {
            match condition.holds(labels) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => known = None,
            }
        }
        known
    }
}

/// As the config file has it: `{ team = "billing", tier = ["gold", "silver"] }`
impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<String> = self.conditions.iter().map(Condition::to_string).collect();
        write!(f, "{{ {} }}", conditions.join(", "))
    }
}

/// `tier = ["gold", "silver"]`
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match !self.key.is_empty() && self.key.chars().all(in_bare) {
            true => write!(f, "{} = ", self.key)?,
            false => write!(f, "{:?} = ", self.key)?,
        }
        match self.values() {
            Values::One(one) => write!(f, "{one:?}"),
            Values::Several(several) => write!(f, "{several:?}"),
        }
    }
}

/// By key a value, or a list of several: as the config file has it.
impl Serialize for Where {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.conditions.iter()).map(|one| (&*one.key, one.values())))
    }
}

/// The patterns of a condition as written.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'c> {
    One(&'c str),
    Several(Vec<&'c str>),
}

impl Condition {
    fn values(&self) -> Values<'_> {
        match self.any_of.as_slice() {
            [one] => Values::One(&one.text),
            several => Values::Several(several.iter().map(LabelPattern::as_str).collect()),
        }
    }

    fn holds(&self, labels: &Labels) -> Option<bool> {
        let label = labels.get(&self.key);
        let mut any = Some(false);
        for pattern in &self.any_of {
            match pattern.matches(label) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => any = None,
            }
        }
        any
    }
}

impl LabelPattern {
    /// Parses a value, a glob, or either with `!` in front; `*` is any value, and `!*` that the key
    /// is absent.
    ///
    /// # Errors
    /// If it is a glob that is none.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        Ok(Self {
            text: text.into(),
            negated,
            pattern: Pattern::parse(rest)?,
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it asks that the value is another one, or that there is none.
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Whether it speaks of the key and not of its value: `*`, `!*`.
    pub fn is_about_presence(&self) -> bool {
        self.pattern.is_any()
    }

    fn matches(&self, label: Label<'_>) -> Option<bool> {
        let matches = match label {
            Label::Unknown => return None,
            Label::Absent => false,
            Label::Text(value) => self.pattern.matches(value),
            Label::TooLong => self.pattern.is_any(),
        };
        Some(matches != self.negated)
    }
}

/// The metadata key by which a consumer's owner keeps it out of every window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemptKey(Arc<str>);

/// That a consumer is exempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exempt {
    /// Until when; [`Timestamp::MAX`] for good.
    pub until: Timestamp,
    /// The value is neither `true`, `false` nor an instant. It is better to let one run that was
    /// not meant.
    pub is_odd: bool,
}

impl Exempt {
    const FOR_GOOD: Self = Self {
        until: Timestamp::MAX,
        is_odd: false,
    };

    const ODD: Self = Self {
        is_odd: true,
        ..Self::FOR_GOOD
    };

    /// Whether it is exempt at `at`.
    pub fn covers(self, at: Timestamp) -> bool {
        at < self.until
    }

    /// When that ends, if it does.
    pub fn end(self) -> Option<Timestamp> {
        (self.until < Timestamp::MAX).then_some(self.until)
    }
}

impl ExemptKey {
    /// That key.
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// As metadata has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn key(&self) -> Arc<str> {
        self.0.clone()
    }

    /// Whether a consumer with these labels is exempt. One whose metadata is not known counts as
    /// not.
    pub fn exempts(&self, labels: &Labels) -> Option<Exempt> {
        match labels.get(&self.0) {
            Label::Unknown | Label::Absent | Label::Text("false") => None,
            Label::Text("true") => Some(Exempt::FOR_GOOD),
            Label::Text(text) => Some(match text.parse() {
                Ok(until) => Exempt {
                    until,
                    is_odd: false,
                },
                Err(_) => Exempt::ODD,
            }),
            Label::TooLong => Some(Exempt::ODD),
        }
    }
}
