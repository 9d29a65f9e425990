//! Overrides as a key-value bucket has them: the keys, and what stands in them; and what a command
//! makes of one.
//!
//! Pure. What an override means is [`crate::policy`]'s business, how the bucket is reached that of
//! [`crate::jetstream`].

use crate::policy::OverrideId;

pub mod command;
pub mod entry;
pub mod listed;
#[cfg(test)]
mod tests;

/// What the subjects of all buckets begin with.
const PREFIX: &str = "$KV";

/// What the names of the buckets' streams begin with.
const STREAM_PREFIX: &str = "KV_";

/// The letters of an id: those of base 32 that are not taken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many of them an id has.
const LENGTH: usize = 5;

/// A deployment's part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    name: String,
    instance: String,
}

impl Bucket {
    /// The overrides of `instance` in the bucket of that name, which the config vouches for.
    pub fn new(name: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            instance: instance.into(),
        }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stream that is the bucket: `KV_recess`.
    pub fn stream(&self) -> String {
        format!("{STREAM_PREFIX}{}", self.name)
    }

    /// The subjects of all its overrides: `$KV.recess.prod-eu.>`.
    pub fn subjects(&self) -> String {
        format!("{}>", self.prefix())
    }

    /// The subject of one override: `$KV.recess.prod-eu.alice.k7f2q`.
    pub fn subject(&self, id: &OverrideId) -> String {
        format!("{}{id}", self.prefix())
    }

    fn prefix(&self) -> String {
        format!("{PREFIX}.{}.{}.", self.name, token(&self.instance))
    }

    /// The key behind the instance: `alice.k7f2q`.
    fn key<'s>(&self, subject: &'s str) -> Option<&'s str> {
        subject.strip_prefix(self.prefix().as_str())
    }
}

/// A name as one token of a key: what a key cannot hold is an underscore.
pub fn token(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_' | '=');
    let token: String = (name.chars())
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    match token.is_empty() {
        true => "_".to_owned(),
        false => token,
    }
}

/// The id that 64 random bits make for an author.
pub fn draw(author: &str, random: u64) -> OverrideId {
    let letter = |place: usize| {
        let index = usize::try_from(random >> (5 * place) & 31).unwrap_or_default();
        LETTERS.get(index).map_or('0', |letter| char::from(*letter))
    };
    OverrideId::new(token(author), (0..LENGTH).map(letter).collect::<String>())
}

/// The id in a key behind the instance; `None` for a key that no override has.
fn id_of(key: &str) -> Option<OverrideId> {
    let (author, id) = key.split_once('.')?;
    let is_token = |text: &str| text == token(text);
    (is_token(author) && is_token(id)).then(|| OverrideId::new(author, id))
}
