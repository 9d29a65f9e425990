//! What must hold for any text that an operator could write: no panic, and every refusal with its place and the way out.
//! And for any that a server could: no panic, names that are names, and refusals that are one line of a log. That it does not take long is for those who call: `cargo test` and the fuzzer each have a clock.

use std::path::Path;

use clap::Parser;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use recess::calendar::{Length, Pattern, Rule, Schedule};
use recess::cli::Cli;
use recess::config::{self, Severity, code};
use recess::consumer::{Candidate, ConsumerId, is_name};
use recess::ics;
use recess::jetstream::nats::untrusted;
use recess::jetstream::{Advisory, RequestError, Sample, Unreadable};
use recess::overrides::Bucket;
use recess::overrides::entry::{Entry, LONGEST_VALUE, Operation, Stored, encode, read};
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

/// A calendar.
pub fn calendar(bytes: &[u8]) {
    let utc = TimeZone::UTC;
    let find_zone = |name: &str| match name {
        "Europe/Zurich" => Ok(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()),
        _ => Err("name a place".to_owned()),
    };
    let reader = ics::Reader {
        zone: &utc,
        find_zone: &find_zone,
        counts: &|_| true,
    };
    let contents = ics::read(bytes, &reader);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for remark in contents.mistakes.iter().chain(&contents.oddities) {
        assert!((1..=lines).contains(&remark.line), "no place: {remark:?}");
        assert!(remark.hint.is_some(), "no way out: {remark:?}");
        assert!(!remark.message.is_empty());
    }
    if !contents.mistakes.is_empty() {
        return;
    }
    // What was read is written, and read again, as the same.
    let written: Vec<([Timestamp; 2], _)> = (contents.events.iter())
        .flat_map(|event| event.times.iter().map(|times| (*times, &event.summary)))
        // Years have four digits.
        .filter(|(times, _)| {
            times
                .iter()
                .all(|at| (0..=9_999).contains(&utc.to_datetime(*at).year()))
        })
        .filter(|([begins, ends], _)| begins < ends)
        .take(1_000)
        .collect();
    let entries = written.iter().map(|([begins, ends], summary)| ics::Entry {
        uid: "it".to_owned(),
        stamp: now(),
        begins: *begins,
        ends: *ends,
        summary: summary.to_string(),
        description: summary.to_string(),
        is_cancelled: false,
    });
    let text = ics::write("it", entries);
    let again = ics::read(text.as_bytes(), &reader);
    assert!(again.mistakes.is_empty(), "{:?}\n{text}", again.mistakes);
    let times: Vec<_> = again
        .events
        .iter()
        .map(|event| event.times.clone())
        .collect();
    let expected: Vec<_> = written.iter().map(|(times, _)| vec![*times]).collect();
    assert_eq!(times, expected);
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
    assert!(!pattern.describe().is_empty());
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
            recess::policy::Selection::new(vec![selector]).selects(&Candidate::named(&id));
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

/// The value of a key of the bucket, whatever was done to the key.
pub fn overrides(value: &[u8]) {
    let bucket = Bucket::new("recess", "default");
    for operation in [Operation::Put, Operation::Erase, Operation::Expire] {
        let stored = |value| Stored {
            subject: "$KV.recess.default.alice.k7f2q",
            sequence: 1,
            at: now(),
            operation,
            value,
        };
        match read(&stored(value), &bucket) {
            Entry::Live(one) => {
                assert!(operation == Operation::Put && one.terms.from < one.terms.until);
                let written = encode(&one.terms, None, &bucket);
                let again = read(&stored(&written), &bucket);
                // What a value leaves out makes it longer.
                let too_long = written.len() > LONGEST_VALUE;
                assert_eq!(matches!(again, Entry::Live(_)), !too_long, "{again:?}");
            }
            Entry::Unreadable(one) => {
                assert_eq!(operation, Operation::Put);
                one_line(&one.to_string());
            }
            Entry::Undone(_) => assert_ne!(operation, Operation::Expire),
            Entry::Expired => assert_eq!(operation, Operation::Expire),
        }
    }
}

/// A refusal is one line, and not without end, whatever the server has put into it.
fn one_line(words: &str) {
    assert!(!words.is_empty() && words.len() < 2_000, "{words}");
    assert!(!words.contains(char::is_control), "{words:?}");
}

/// Whatever follows from a name, it is one token of a subject.
fn one_token(name: &str) {
    assert!(is_name(name) && name.len() <= 255, "{name:?}");
    assert!(!name.contains([' ', '.', '*', '>', '\r', '\n']), "{name:?}");
}

fn readable<T>(read: Result<T, RequestError>) -> Option<T> {
    read.map_err(|error| one_line(&error.to_string())).ok()
}

fn sound(sample: &Sample) {
    if let Some(observation) = sample.found.observation() {
        observation.state.after(jiff::SignedDuration::from_hours(1));
        observation.state.deadline();
    }
}

/// An answer to each of the requests.
pub fn answers(payload: &[u8]) {
    readable(untrusted::account_info(payload));
    readable(untrusted::written(payload));
    readable(untrusted::info(payload)).iter().for_each(sound);
    let names = readable(untrusted::names(payload)).unwrap_or_default();
    names.entries.iter().for_each(|name| one_token(name));
    names.unreadable.iter().for_each(shown);
    let list = readable(untrusted::list(payload)).unwrap_or_default();
    for (id, sample) in &list.entries {
        assert_eq!(id.stream(), "ORDERS");
        one_token(id.consumer());
        sound(sample);
    }
    list.unreadable.iter().for_each(shown);
}

/// An entry of a list in the place of which anything stands: those beside it are read as without it, and it costs no more than
/// itself. Only where the whole is no JSON, it is no page.
pub fn entries(odd: &str) {
    let good = |name: &str| {
        format!(
            r#"{{"name":"{name}","created":"2026-11-01T12:00:00Z","config":{{"durable_name":"{name}"}}}}"#
        )
    };
    let page = |middle: &str| {
        let list = format!(
            r#"{{"total":3,"consumers":[{},{middle}{}]}}"#,
            good("before"),
            good("zz")
        );
        untrusted::list(list.as_bytes())
    };
    let without = page("").expect("it is right").entries;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(odd).is_ok();
    let Some(list) = readable(page(&format!("{odd},"))) else {
        return assert!(!is_json, "it costs the page: {odd}");
    };
    if is_json {
        let beside = list.entries.iter().filter(|entry| without.contains(entry));
        assert!(beside.count() >= 1, "{odd}: {list:?}");
        assert!(list.entries.len() + list.unreadable.len() >= without.len());
    }
    list.unreadable.iter().for_each(shown);
    let names = format!(r#"{{"total":3,"streams":["A",{odd},"Z"]}}"#);
    if let Some(names) = readable(untrusted::names(names.as_bytes())) {
        let is_there = |name: &str| names.entries.iter().any(|one| one == name);
        assert!(!is_json || (is_there("A") && is_there("Z")), "{odd}");
        names.entries.iter().for_each(|name| one_token(name));
        names.unreadable.iter().for_each(shown);
    }
}

/// What is said of an entry that cannot be used is fit to be shown.
fn shown(entry: &Unreadable) {
    one_line(&entry.reason);
    assert!(entry.name.len() < 4_000, "{}", entry.name);
    assert_eq!(recess::visible::visible(&entry.name), entry.name);
}

/// An advisory: its subject, a line break, its payload.
pub fn advisories(message: &[u8]) {
    let mut parts = message.splitn(2, |byte| *byte == b'\n');
    let subject = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let payload = parts.next().unwrap_or_default();
    for subject in [
        subject.to_string(),
        format!("$JS.EVENT.ADVISORY.CONSUMER.{subject}"),
    ] {
        let advisory: Option<Advisory> = untrusted::advisory(&subject, payload);
        if let Some(id) = advisory.as_ref().map(Advisory::id) {
            one_token(id.stream());
            one_token(id.consumer());
        }
    }
    if let Some(subject) = untrusted::denied(&subject) {
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}

/// A credentials file, and a context of the `nats` command.
pub fn connection_files(text: &str) {
    if let Err(words) = untrusted::credentials(text) {
        // What is in it is a secret.
        assert!(words.starts_with("the natscli context "), "{words}");
    }
    if let Err(words) = untrusted::natscli_context(text) {
        assert!(!words.is_empty());
    }
}
