//! The families of series that are written from the newest report.

use jiff::{SignedDuration, Timestamp};

use super::family::{Family, Values};
use crate::jetstream::Link;
use crate::report::Report;

mod consumers;
mod overrides;
mod streams;
mod windows;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Family> {
    RECESS
        .iter()
        .chain(windows::FAMILIES)
        .chain(consumers::FAMILIES)
        .chain(streams::FAMILIES)
        .chain(overrides::FAMILIES)
}

/// Those of recess itself.
const RECESS: &[Family] = &[
    Family::gauge(
        "build_info",
        "The version of recess; always 1.",
        &["version"],
        Values::Few(|_| vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)]),
    ),
    Family::recess(
        "nats_connected",
        "Whether recess is connected to a usable JetStream.",
        |report| {
            let is_up = |report: &Report| matches!(report.link, Link::Up(_));
            Some(flag(report.is_some_and(is_up)))
        },
    ),
    Family::recess(
        "clock_skew_seconds",
        "The server's clock minus this host's, mean of the last few replies.",
        |report| Some(report?.smooth_skew?.as_secs_f64()),
    ),
    Family::recess(
        "dry_run",
        "Whether recess only observes and logs, and sends nothing.",
        |report| Some(flag(report?.dry_run)),
    ),
    Family::recess(
        "standby_seconds",
        "How long this copy leaves a request to the primary; 0 if it is a primary.",
        |report| {
            let delay = report?.standby.map(|standby| standby.delay);
            Some(delay.unwrap_or_default().as_secs_f64())
        },
    ),
];

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// Whole seconds: the mark concerns recess alone.
fn seconds(instant: Timestamp) -> f64 {
    SignedDuration::from_secs(instant.as_second()).as_secs_f64()
}

pub fn size(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(
    clippy::as_conversions,
    reason = "counts beyond 2^53 lose their last digits in Prometheus anyway"
)]
fn number(count: u64) -> f64 {
    count as f64
}
