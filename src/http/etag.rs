//! Answers that a client asks for again and again: with each goes a tag, by which the client learns
//! that it has the newest already (RFC 9110, 8.8 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// An answer and its tag.
#[derive(Clone)]
pub struct Tagged {
    text: Bytes,
    etag: ETag,
}

impl Tagged {
    pub fn of(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        let etag = ETag::of(&text);
        Self { text, etag }
    }

    /// The answer of that content type, or that the client has it.
    pub fn answer(self, kind: &'static str, asked: &HeaderMap) -> Response {
        let mut response = match self.etag.is_known(asked) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(header::CONTENT_TYPE, kind)], self.text).into_response(),
        };
        let etag = self.etag.header().map(|etag| (header::ETAG, etag));
        response.headers_mut().extend(etag);
        response
    }
}

/// What another answer does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ETag(String);

impl ETag {
    /// That of an answer of these bytes.
    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let letters = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Self(format!("\"{}\"", letters.collect::<String>()))
    }

    /// Whether the client has it.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(header::IF_NONE_MATCH).iter();
        let texts = lists.filter_map(|list| list.to_str().ok());
        texts.flat_map(|list| list.split(',')).any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0
        })
    }

    /// For the header.
    fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

#[cfg(test)]
mod tests;
