//! What must hold for any text that an operator could write: no panic, and every refusal with its place and the way out.
//! That it does not take long is for those who call: `cargo test` and the fuzzer each have a clock.

use std::path::Path;

use clap::Parser;
use jiff::Timestamp;
use recess::calendar::{Length, Pattern, Rule, Schedule};
use recess::cli::Cli;
use recess::config::{self, Severity, code};
use recess::consumer::{ConsumerId, Kind};
use recess::policy::Selector;

/// Some day.
fn now() -> Timestamp {
    Timestamp::constant(1_796_083_200, 0)
}

/// A whole config file.
pub fn config(text: &str) {
    let error = match config::parse(Path::new("recess.toml"), text) {
        Ok(config) => {
            assert!((config.warnings.iter()).all(|one| one.severity == Severity::Warning));
            let outlook = config::outlook(&config, now());
            config::render(&config.source, &outlook, false);
            for window in config.policy.windows() {
                window.next_opening(now());
            }
            config.policy.next_change(now());
            return;
        }
        Err(error) => error,
    };
    let findings = error.findings();
    assert!(findings.iter().any(|one| one.severity == Severity::Error));
    for finding in &findings {
        let of_nothing = [code::NO_INSTANCE, code::NO_WINDOWS].contains(&finding.code);
        let line = finding.line(&error.source());
        assert!(line.is_some() || of_nothing, "no place: {finding:?}");
        assert!(
            finding.hint.is_some() || finding.code == code::SYNTAX,
            "no way out: {finding:?}"
        );
        assert!(!finding.message.is_empty());
    }
    let text = error.render(false);
    assert!(text.contains("recess.toml:"), "{text}");
    error.render(true);
}

/// A cron pattern.
pub fn schedule(text: &str) {
    let pattern = match Pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    pattern.oddities();
    let length = Length::Elapsed(jiff::SignedDuration::from_mins(10));
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(-3));
    let schedule = Schedule::Recurring(Rule::new(pattern, zone, length));
    // A pattern that is taken opens some day, and backwards leads to the same opening.
    if let Some(next) = schedule.next_opening(now()) {
        let back = schedule.latest_opening(next.opens, now());
        assert_eq!(back.map(|back| back.opens), Some(next.opens), "{text}");
        assert!(next.opens > now() && next.closes > next.opens);
    }
}

/// A selector.
pub fn selectors(text: &str) {
    match Selector::parse(text) {
        Ok(selector) => {
            if let Some(id) = selector.exact() {
                assert!(selector.matches(&id), "{text}");
            }
            if let Some(id) = selector.example() {
                assert!(selector.matches(&id), "{text}");
                assert!(selector.may_match_in(id.stream()), "{text}");
            }
            let id = ConsumerId::new("ORDERS", "billing");
            assert!(!selector.matches(&id) || selector.may_match_in("ORDERS"));
            recess::policy::Selection::new(vec![selector]).selects(&id, Some(Kind::Durable));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The words after `recess`, one a line.
pub fn arguments(text: &str) {
    let words = std::iter::once("recess").chain(text.lines());
    match Cli::try_parse_from(words) {
        Ok(cli) => drop(format!("{cli:?}")),
        Err(error) => assert!(!error.render().to_string().is_empty()),
    }
}
