//! The families about what wildcards leave out, by stream.

use std::collections::BTreeMap;

use super::super::family::{Family, Few, Values};
use super::size;
use crate::report::Report;

pub const FAMILIES: &[Family] = &[
    Family::gauge(
        "consumer_passed_over",
        "How many consumers of the stream a wildcard matches and leaves out: not durable, or \
         serving another stream.",
        &["stream_name"],
        Values::Few(passed_over),
    ),
    Family::gauge(
        "list_entries_unreadable",
        "How many consumers of the stream are left out, as their name or entry is unreadable; \
         without a stream: how many streams.",
        &["stream_name"],
        Values::Few(unreadable),
    ),
];

fn passed_over(report: Option<&Report>) -> Few {
    let Some(report) = report else {
        return Few::new();
    };
    let mut counts = zeros(report);
    counts.extend(report.left_out.passed_over_by_stream());
    by_stream(&counts)
}

fn unreadable(report: Option<&Report>) -> Few {
    let Some(report) = report else {
        return Few::new();
    };
    let mut counts = zeros(report);
    for (stream, _) in &report.left_out.unreadable {
        let stream = stream.as_deref().unwrap_or_default();
        *counts.entry(stream).or_default() += 1;
    }
    by_stream(&counts)
}

/// A stream with nothing left out has a zero, so that a graph of it does not end.
fn zeros(report: &Report) -> BTreeMap<&str, usize> {
    report.rows.streams().map(|stream| (stream, 0)).collect()
}

fn by_stream(counts: &BTreeMap<&str, usize>) -> Few {
    let counts = counts.iter();
    counts
        .map(|(stream, count)| (vec![(*stream).to_owned()], size(*count)))
        .collect()
}
