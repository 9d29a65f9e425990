//! `/`: the page, made once for all who look at it, and what a browser may do with it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::InForce;
use super::etag::ETag;
use super::query::Query;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::clock::Clock;
use crate::summary::Facts;
use crate::views::Newest;
use crate::views::page::{SCRIPT, STYLE, View, page};

#[cfg(test)]
mod tests;

/// What a browser may do with an answer that does not say so itself: nothing.
pub const FORBIDDEN: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The longest glob that is taken: no name is longer.
const LONGEST_GLOB: usize = 512;

/// The page for each who asks.
pub struct Page {
    pages: Shared<Option<String>, Rendered, Refusal>,
    /// What the browser may do: show it, run the script that stands in it, and ask here again.
    policy: HeaderValue,
}

/// A page, written.
#[derive(Clone)]
struct Rendered {
    html: Bytes,
    etag: ETag,
}

impl Page {
    /// Pages made from these, by the wall clock of `clock`.
    pub fn of(
        newest: watch::Receiver<Newest>,
        in_force: watch::Receiver<InForce>,
        clock: Clock,
    ) -> Self {
        let pages = Shared::of(move |consumer: &Option<String>| {
            let (newest, in_force) = (newest.borrow().clone(), in_force.borrow().clone());
            let now = shown_at(clock.now().wall, newest.report.at);
            Ok(render(&newest, &in_force, consumer.as_deref(), now))
        });
        Self {
            pages,
            policy: policy(),
        }
    }

    /// The page, or that the browser has it.
    pub async fn get(&self, query: Option<&str>, headers: &HeaderMap) -> Result<Response, Refusal> {
        let query = Query::parse(query, &["consumer"])?;
        let consumer = query.one("consumer", |glob| match glob.len() {
            ..=LONGEST_GLOB => Ok(glob.to_owned()),
            _ => Err(format!("write at most {LONGEST_GLOB} letters")),
        })?;
        let consumer = consumer.filter(|glob| !glob.is_empty());
        let Rendered { html, etag } = self.pages.get(consumer).await?;
        let mut response = match etag.is_known(headers) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Html(html).into_response(),
        };
        let headers = response.headers_mut();
        headers.extend(etag.header().map(|etag| (header::ETAG, etag)));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        Ok(response)
    }
}

/// The instant for which the page is made: the minute, so that it is the same page until something
/// has changed; but never before the report.
fn shown_at(now: Timestamp, report: Timestamp) -> Timestamp {
    let minute = Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
    minute.max(report).min(now)
}

fn render(newest: &Newest, in_force: &InForce, consumer: Option<&str>, now: Timestamp) -> Rendered {
    let facts = Facts {
        report: &newest.report,
        config: &in_force.config,
        refused: in_force.refused.as_deref(),
        lately: &newest.lately,
        now,
    };
    let html = page(&View {
        facts,
        loaded: in_force.loaded,
        consumer,
    });
    let html = Bytes::from(html);
    let etag = ETag::of(&html);
    Rendered { html, etag }
}

/// Everything is forbidden but what stands in the page, by its hash, and asking here again.
fn policy() -> HeaderValue {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    // Letters of base 64 fit; without them the page would have neither.
    HeaderValue::from_str(&policy).unwrap_or(FORBIDDEN)
}
