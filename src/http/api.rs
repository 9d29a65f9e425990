//! `/api/v1/`: what `status`, `plan` and `overrides` print as JSON, from the daemon's newest report.
//!
//! Where the command would fail because there is no server to ask, the answer is a 503 that says
//! why: a state of minutes ago never looks like the present one. Openings need no server.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::watch;

use super::query::{Query, refused};
use super::readiness::not_connected;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::clock::Clock;
use crate::config::closest;
use crate::jetstream::bucket::BucketError;
use crate::policy::Policy;
use crate::report::{BucketState, Report};
use crate::text::parse_instant;
use crate::views::{Newest, json};
use crate::visible::sanitize;

#[cfg(test)]
mod tests;

/// The most openings in an answer: some megabytes, and made while others wait. The command has no
/// limit.
pub const MOST_OPENINGS: usize = 10_000;

/// The longest span of time that is searched for them.
const LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The answers, each made once for all who ask meanwhile.
pub struct Api {
    status: Shared<(), Json, Refusal>,
    plan: Shared<PlanQuery, Json, Refusal>,
    overrides: Shared<(), Json, Refusal>,
}

impl Api {
    /// Answers made from `newest`, by the wall clock of `clock`.
    pub fn of(newest: watch::Receiver<Newest>, clock: Clock) -> Self {
        let report = move || newest.borrow().report.clone();
        let (of_status, of_plan, of_overrides) = (report.clone(), report.clone(), report);
        let now = clock.clone();
        Self {
            status: Shared::of(move |()| status(&of_status())),
            plan: Shared::of(move |query| plan(&of_plan().policy, query, now.now().wall)),
            overrides: Shared::of(move |()| overrides(&of_overrides(), clock.now().wall)),
        }
    }

    pub async fn status(&self, query: Option<&str>) -> Result<Json, Refusal> {
        Query::parse(query, &[])?;
        self.status.get(()).await
    }

    pub async fn plan(&self, query: Option<&str>) -> Result<Json, Refusal> {
        self.plan.get(PlanQuery::parse(query)?).await
    }

    pub async fn overrides(&self, query: Option<&str>) -> Result<Json, Refusal> {
        Query::parse(query, &[])?;
        self.overrides.get(()).await
    }
}

/// An array, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Bytes);

impl Json {
    fn of<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<Self, Refusal> {
        let mut text = Vec::new();
        match json::write_rows(&mut text, rows) {
            Ok(_) => Ok(Self(text.into())),
            Err(error) => Err(format!("cannot write the answer as JSON: {error}").into()),
        }
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// Refuses to show what may be long past.
fn connected(report: &Report) -> Result<(), Refusal> {
    not_connected(&report.link).map_or(Ok(()), |why| Err(Refusal::unavailable(why)))
}

fn status(report: &Report) -> Result<Json, Refusal> {
    connected(report)?;
    if !report.is_observed() {
        let why = "connected, but the consumers have not been observed yet";
        return Err(Refusal::unavailable(why));
    }
    Json::of(json::status(report))
}

fn overrides(report: &Report, now: Timestamp) -> Result<Json, Refusal> {
    let Some(overrides) = &report.overrides else {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "overrides have no bucket: add [overrides] with bucket = \"recess\" to the config file, \
             run `recess overrides create`, and reload recess",
        ));
    };
    connected(report)?;
    let trouble = match &overrides.state {
        BucketState::Read => None,
        BucketState::Unasked => Some("the overrides have not been read yet".to_owned()),
        BucketState::Missing => {
            let bucket = overrides.bucket.to_string();
            Some(BucketError::Missing { bucket }.to_string())
        }
        BucketState::Failed(error) => Some(error.to_string()),
    };
    if let Some(why) = trouble {
        return Err(Refusal::unavailable(why));
    }
    let listed = overrides.read.listed(&report.policy, now);
    let shown = listed.iter().filter(|one| !one.state.is_over());
    Json::of(shown.map(|one| one.row()))
}

/// Which openings are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PlanQuery {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    windows: Vec<String>,
}

impl PlanQuery {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let query = Query::parse(text, &["from", "until", "window"])?;
        let instant = |text: &str| {
            parse_instant(text).map_err(|why| match text.contains(' ') {
                true => format!("{why}; in an address write + as %2B"),
                false => why,
            })
        };
        Ok(Self {
            from: query.one("from", instant)?,
            until: query.one("until", instant)?,
            windows: query.all("window").map(str::to_owned).collect(),
        })
    }
}

fn plan(policy: &Policy, query: &PlanQuery, now: Timestamp) -> Result<Json, Refusal> {
    let from = query.from.unwrap_or(now);
    let until = query.until.unwrap_or_else(|| Policy::shown_until(from));
    if until <= from {
        return Err(refused("until", "it must be later than `from`"));
    }
    if until.duration_since(from) > LONGEST_SPAN {
        let why = "it must be at most 400 days after `from`; `recess plan` has no limit";
        return Err(refused("until", why));
    }
    known_windows(policy, &query.windows)?;
    let mut openings = policy.openings(from, until, &query.windows);
    let shown: Vec<_> = openings.by_ref().take(MOST_OPENINGS).collect();
    if openings.next().is_some() {
        let why = format!(
            "there are more than {MOST_OPENINGS} openings before it: choose an earlier one, or one \
             `window`"
        );
        return Err(refused("until", &why));
    }
    Json::of(shown.iter().map(|opening| opening.row()))
}

/// Refuses names that no window has.
pub fn known_windows(policy: &Policy, names: &[String]) -> Result<(), Refusal> {
    let mut names = names.iter();
    let unknown = names.find(|name| policy.window(name).is_none());
    let refuse = |unknown: &String| refused("window", &no_such_window(policy, unknown));
    unknown.map_or(Ok(()), |unknown| Err(refuse(unknown)))
}

fn no_such_window(policy: &Policy, name: &str) -> String {
    let names = policy.windows().iter().map(|window| &*window.name);
    let hint = closest(name, names).map_or_else(
        || "`recess plan` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    format!("there is no window `{}`: {hint}", sanitize(name))
}
