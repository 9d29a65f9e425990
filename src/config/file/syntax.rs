//! What is said where the text is not TOML.

use std::collections::BTreeSet;
use std::ops::Range;

use super::code;
use super::findings::{Finding, Severity};
use super::table::SyntaxError;

/// What the parser says of a value without quotes, whatever it takes it for.
const OF_BARE_VALUES: [&str; 12] = [
    "string values must be quoted",
    "invalid float",
    "invalid boolean",
    "invalid integer number",
    "invalid hexadecimal number",
    "invalid octal number",
    "invalid binary number",
    "unexpected leading zero",
    "unexpected sign",
    "redundant numeric sign",
    "redundant integer number prefix",
    "`_` may only go between digits",
];

/// What a word processor makes of quotes.
const TYPOGRAPHIC_QUOTES: [char; 14] = [
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}',
    '\u{ab}', '\u{bb}', '\u{2039}', '\u{203a}', '`', '\u{b4}',
];

/// Joins syntax mistakes with what was found in the rest of the file. A line that cannot be read is
/// reported once, and nothing is claimed to be absent from a file of which a part could not be
/// read.
pub fn merge(text: &str, errors: &[SyntaxError], mut others: Vec<Finding>) -> Vec<Finding> {
    if errors.is_empty() {
        return others;
    }
    let line_of = lines_of(text);
    let mut lines = BTreeSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    let mut in_list = false;
    for error in errors {
        // After a list that is not closed, every line of the file lacks a comma to the parser.
        let still_in_list = in_list && speaks_of_list(error);
        in_list = speaks_of_list(error);
        if lines.insert(line_of(error.span.start)) && !still_in_list {
            findings.push(finding(text, error));
        }
    }
    others.retain(Finding::stands_alone);
    without_unreadable_lines(text, &findings, &mut others);
    findings.append(&mut others);
    findings
}

/// Drops what was found in lines of which another finding says that they cannot be read.
pub fn without_unreadable_lines(text: &str, findings: &[Finding], others: &mut Vec<Finding>) {
    let line_of = lines_of(text);
    let unreadable: BTreeSet<usize> = (findings.iter())
        .filter(|finding| finding.code == code::SYNTAX)
        .filter_map(|finding| Some(line_of(finding.span.as_ref()?.start)))
        .collect();
    others.retain(|finding| {
        let line = (finding.span.as_ref()).map(|span| line_of(span.start));
        line.is_none_or(|line| !unreadable.contains(&line))
    });
}

/// The line in which a byte stands.
fn lines_of(text: &str) -> impl Fn(usize) -> usize {
    let breaks: Vec<usize> = text.match_indices('\n').map(|(index, _)| index).collect();
    move |offset| breaks.partition_point(|at| *at < offset)
}

fn speaks_of_list(error: &SyntaxError) -> bool {
    error.message.contains("array") && !error.message.contains("array table")
}

/// The parser's words, `what is wrong, expected this, that`, in two halves. Where they speak of
/// TOML's grammar rather than of the operator's file, others are put in their place.
fn finding(text: &str, error: &SyntaxError) -> Finding {
    let (reason, expected) = match error.message.split_once(", expected ") {
        Some((reason, expected)) => (reason, expected),
        None => (error.message.as_str(), "nothing"),
    };
    if let Some(finding) = unquoted(text, error, reason) {
        return finding;
    }
    let there = text.get(error.span.clone()).unwrap_or_default();
    let (message, hint) = match (reason, expected) {
        ("duplicate key", _) => (
            format!("`{there}` is repeated"),
            "keep one of the two".to_owned(),
        ),
        ("extra `=`", _) => (
            "there is an extra `=`".to_owned(),
            "write it as in: key = value".to_owned(),
        ),
        ("unexpected leading zero", _) => (
            "a number cannot begin with 0".to_owned(),
            "write it without the 0".to_owned(),
        ),
        ("key with no value", _) => (
            "the key has no value".to_owned(),
            "write it as in: key = value".to_owned(),
        ),
        ("missing comma between array elements", _) => (
            "the list before this is not closed, or a comma is missing".to_owned(),
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
        ..not_toml(&message, error.span.clone())
    }
}

fn not_toml(message: &str, span: Range<usize>) -> Finding {
    Finding::new(Severity::Error, code::SYNTAX, "not TOML", message).at(span)
}

/// A value that stands without quotes and is text, a truth value in other words, or in quotes that
/// are none. The parser judges it by its first letter: `nats://..` is to it a misspelt `nan`, `0x`
/// a number.
fn unquoted(text: &str, error: &SyntaxError, reason: &str) -> Option<Finding> {
    if !OF_BARE_VALUES.contains(&reason) {
        return None;
    }
    let span = bare_value(text, &error.span);
    let there = text.get(span.clone())?;
    let inside = there.trim_matches(|c| TYPOGRAPHIC_QUOTES.contains(&c) || "\"'".contains(c));
    let truth = match &*there.to_ascii_lowercase() {
        "true" | "yes" | "on" => Some("true"),
        "false" | "no" | "off" => Some("false"),
        _ => None,
    };
    if let Some(truth) = truth {
        let message = format!("`{there}` is neither a quoted text nor true or false");
        return Some(not_toml(&message, span).hint(format!("write {truth}, or \"{there}\"")));
    }
    if inside != there && there.starts_with(TYPOGRAPHIC_QUOTES) {
        let message = "these are typographic quotes, and TOML needs plain ones";
        return Some(not_toml(message, span).hint(format!("write \"{inside}\"")));
    }
    let is_number = there.matches('.').count() < 2
        && there
            .chars()
            .all(|c| c.is_ascii_digit() || "+-_.".contains(c));
    if is_number || inside.is_empty() {
        return None;
    }
    let message = "text must be in quotes";
    Some(not_toml(message, span).hint(format!("write \"{inside}\"")))
}

/// The whole of the value that an error speaks of: it may mark a part of it.
fn bare_value(text: &str, span: &Range<usize>) -> Range<usize> {
    let before = text.get(..span.start).unwrap_or_default();
    let after = text.get(span.end..).unwrap_or_default();
    let begins = |c: char| c.is_whitespace() || "=[{,".contains(c);
    let ends = |c: char| c.is_whitespace() || "]},#".contains(c);
    let start = (before.char_indices()).rfind(|(_, c)| begins(*c));
    Range {
        start: start.map_or(0, |(index, c)| index + c.len_utf8()),
        end: span.end + after.find(ends).unwrap_or(after.len()),
    }
}
