//! What is said where the text is not TOML.

use std::collections::BTreeSet;

use super::code;
use super::findings::{Finding, Severity};
use super::table::SyntaxError;

/// Joins syntax mistakes with what was found in the rest of the file. A line that cannot be read is told once, and
/// nothing is claimed to be absent from a file of which a part could not be read.
pub fn merge(text: &str, errors: &[SyntaxError], mut others: Vec<Finding>) -> Vec<Finding> {
    if errors.is_empty() {
        return others;
    }
    let breaks: Vec<usize> = text.match_indices('\n').map(|(index, _)| index).collect();
    let line_of = |offset: usize| breaks.partition_point(|at| *at < offset);
    let mut lines = BTreeSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    let mut in_list = false;
    for error in errors {
        // After a list that is not closed, every line of the file is told to lack a comma.
        let still_in_list = in_list && speaks_of_list(error);
        in_list = speaks_of_list(error);
        if lines.insert(line_of(error.span.start)) && !still_in_list {
            findings.push(finding(text, error));
        }
    }
    others.retain(|finding| {
        let line = (finding.span.as_ref()).map(|span| line_of(span.start));
        finding.stands_alone() && line.is_none_or(|line| !lines.contains(&line))
    });
    findings.append(&mut others);
    findings
}

fn speaks_of_list(error: &SyntaxError) -> bool {
    error.message.contains("array") && !error.message.contains("array table")
}

/// The parser's words, `what is wrong, expected this, that`, in two halves. Where they speak of TOML's grammar rather
/// than of the operator's file, others are put in their place.
fn finding(text: &str, error: &SyntaxError) -> Finding {
    let (reason, expected) = match error.message.split_once(", expected ") {
        Some((reason, expected)) => (reason, expected),
        None => (error.message.as_str(), "nothing"),
    };
    let there = text.get(error.span.clone()).unwrap_or_default();
    let (message, hint) = match (reason, expected) {
        ("string values must be quoted", _) => (
            "text must stand in quotes".to_owned(),
            format!("write \"{there}\""),
        ),
        ("duplicate key", _) => (
            format!("`{there}` is there twice"),
            "keep one of the two".to_owned(),
        ),
        ("key with no value", _) => (
            "the key has no value".to_owned(),
            "write it as in: key = value".to_owned(),
        ),
        ("missing comma between array elements", _) => (
            "the list before this is not closed, or lacks a comma".to_owned(),
            "expected `,` or `]`".to_owned(),
        ),
        (_, quote @ ("`\"`" | "`'`" | "'`'")) => (
            "the text has no closing quote".to_owned(),
            format!("expected {quote}"),
        ),
        (_, "nothing") => (reason.to_owned(), String::new()),
        (_, expected) => (reason.to_owned(), format!("expected {expected}")),
    };
    Finding {
        hint: Some(hint).filter(|hint| !hint.is_empty()),
        ..Finding::new(Severity::Error, code::SYNTAX, "not TOML", &message).at(error.span.clone())
    }
}
