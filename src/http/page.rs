//! `/`: the page, made once for all clients that ask meanwhile, and what a browser may do with it.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::InForce;
use super::etag::Tagged;
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
    pages: Shared<Option<String>, Tagged, Refusal>,
    /// What the browser may do: show it, run the script that stands in it, and ask here again.
    policy: HeaderValue,
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
        let page = self.pages.get(consumer).await?;
        let mut response = page.answer("text/html; charset=utf-8", headers);
        let policy = self.policy.clone();
        (response.headers_mut()).insert(header::CONTENT_SECURITY_POLICY, policy);
        Ok(response)
    }
}

/// The instant for which the page is made: the minute, so that it is the same page until something
/// has changed; but never before the report.
fn shown_at(now: Timestamp, report: Timestamp) -> Timestamp {
    let minute = Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
    minute.max(report).min(now)
}

fn render(newest: &Newest, in_force: &InForce, consumer: Option<&str>, now: Timestamp) -> Tagged {
    let facts = Facts {
        report: &newest.report,
        config: &in_force.config,
        refused: in_force.refused.as_deref(),
        lately: &newest.lately,
        now,
    };
    Tagged::of(page(&View {
        facts,
        loaded: in_force.loaded,
        consumer,
    }))
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
