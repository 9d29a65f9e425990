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
use crate::report::Report;
use crate::views::Newest;
use crate::views::agenda::{self, Decided};

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

fn render(
    report: &Report,
    modified: Timestamp,
    windows: &[String],
    now: Timestamp,
) -> Result<Tagged, Refusal> {
    let policy = &*report.policy;
    known_windows(policy, windows)?;
    let span = agenda::span(now);
    let mut openings = policy.openings(span.0, span.1, windows);
    if openings.nth(MOST_OPENINGS).is_some() {
        let why = format!("the calendar has more than {MOST_OPENINGS} openings: choose a window");
        return Err(refused("window", &why));
    }
    let decided = Decided { policy, modified };
    let names = windows.join(", ");
    let of = (!names.is_empty()).then_some(&*names);
    let text = agenda::calendar(decided, of, agenda::windows(decided, windows, span));
    Ok(Tagged::of(text))
}
