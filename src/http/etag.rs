//! What tells a browser that it has the newest answer already (RFC 9110, 8.8 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// An answer's name, which another answer does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// That of an answer of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let letters = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Self(format!("\"{}\"", letters.collect::<String>()))
    }

    /// Whether the client has it.
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(header::IF_NONE_MATCH).iter();
        let texts = lists.filter_map(|list| list.to_str().ok());
        texts.flat_map(|list| list.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0
        })
    }

    /// For the header.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

#[cfg(test)]
mod tests;
