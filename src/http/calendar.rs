//! `/calendar.ics`: what windows do, for calendar programs that fetch it again and again. The bytes
//! are those of `recess plan --format ics`, and the same until something changes or the day is over.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use tokio::sync::watch;

use super::InForce;
use super::api::{MOST_OPENINGS, known_windows};
use super::etag::Tagged;
use super::query::{Query, refused};
use super::refusal::Refusal;
use super::shared::Shared;
use crate::clock::Clock;
use crate::policy::Policy;
use crate::report::Report;
use crate::views::Newest;
use crate::views::agenda::{self, Decided};
use crate::visible::sanitize;

#[cfg(test)]
mod tests;

/// The calendar, for each choice of windows.
pub struct Calendars(Shared<Vec<String>, Tagged, Refusal>);

impl Calendars {
    /// Calendars made from these, by the wall clock of `clock`.
    pub fn of(
        newest: watch::Receiver<Newest>,
        in_force: watch::Receiver<InForce>,
        clock: Clock,
    ) -> Self {
        Self(Shared::of(move |windows: &Vec<String>| {
            let report: Arc<Report> = newest.borrow().report.clone();
            let modified = in_force.borrow().config.modified;
            render(&report, modified, windows, clock.now().wall)
        }))
    }

    /// The calendar, or that the client has it.
    pub async fn get(&self, query: Option<&str>, headers: &HeaderMap) -> Result<Response, Refusal> {
        let query = Query::parse(query, &["window"])?;
        let windows = query.all("window").map(str::to_owned).collect();
        let kind = "text/calendar; charset=utf-8; method=PUBLISH";
        Ok(self.0.get(windows).await?.answer(kind, headers))
    }
}

/// How many openings a calendar has, counted until it is too many.
fn number_of_openings(
    policy: &Policy,
    windows: &[String],
    (from, until): (Timestamp, Timestamp),
) -> usize {
    let openings = policy.openings(from, until, windows);
    openings.take(MOST_OPENINGS + 1).count()
}

/// What to do about a calendar with too many openings.
fn too_many(policy: &Policy, windows: &[String], span: (Timestamp, Timestamp)) -> String {
    let most = policy.windows_named(windows).max_by_key(|window| {
        let alone = [window.name.to_string()];
        number_of_openings(policy, &alone, span)
    });
    let name = most
        .map(|window| sanitize(&window.name))
        .unwrap_or_default();
    let fix = match policy.windows_named(windows).nth(1) {
        Some(_) => format!("most of them of `{name}`: name other windows"),
        None => format!(
            "too many for a page: `recess plan --format ics --window {name} --until TIME` prints them"
        ),
    };
    format!("the calendar has more than {MOST_OPENINGS} openings, {fix}")
}

fn render(
    report: &Report,
    modified: Timestamp,
    windows: &[String],
    now: Timestamp,
) -> Result<Tagged, Refusal> {
    let policy = &*report.policy;
    known_windows(policy, windows)?;
    let span = agenda::span(now);
    if number_of_openings(policy, windows, span) > MOST_OPENINGS {
        return Err(refused("window", &too_many(policy, windows, span)));
    }
    let decided = Decided { policy, modified };
    let names = windows.join(", ");
    let of = (!names.is_empty()).then_some(&*names);
    let text = agenda::calendar(decided, of, agenda::windows(decided, windows, span));
    Ok(Tagged::of(text))
}
