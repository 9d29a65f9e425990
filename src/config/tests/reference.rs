//! `config/recess.toml` is complete, and says the truth about the defaults.

use super::*;

const REFERENCE: &str = include_str!("../../../config/recess.toml");

#[test]
fn the_reference_is_the_defaults() {
    let config = good(REFERENCE);
    assert_eq!(config.settings, Settings::default());
    assert_eq!(config.policy.instance(), DEFAULT_INSTANCE);
    assert_eq!(codes(REFERENCE), [code::NO_WINDOWS]);
}

/// The reference with every commented option made live. Prose has a space after its `#`, options
/// have none.
fn uncommented_reference() -> String {
    let lines = REFERENCE.lines().map(|line| match line.strip_prefix('#') {
        Some(option) if option.starts_with(|c: char| !c.is_whitespace()) => option,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_option_in_the_reference_exists() {
    let text = uncommented_reference();
    assert_ne!(text, REFERENCE);
    // All the ways to connect at once, and all the ways to tell a time, are what is wrong with it,
    // and that its calendar is not there.
    let expected = [
        code::AMBIGUOUS_CONNECTION,
        code::AMBIGUOUS_AUTH,
        code::AMBIGUOUS_TIMING,
        code::UNREADABLE,
    ];
    assert_eq!(codes(&text).len(), 6);
    assert!(
        codes(&text).iter().all(|code| expected.contains(code)),
        "{:?}",
        codes(&text)
    );
}

#[test]
fn every_option_is_in_the_reference() {
    let probe = "zzzzzzzz = 1\n[nats]\nzzzzzzzz = 1\n[nats.tls]\nzzzzzzzz = 1\n[http]\nzzzzzzzz = 1\n[controller]\nzzzzzzzz = 1\n[events]\nzzzzzzzz = 1\n[overrides]\nzzzzzzzz = 1\n[defaults]\n\
                 zzzzzzzz = 1\n[[window]]\nzzzzzzzz = 1\n[[exclusion]]\nzzzzzzzz = 1\n";
    let findings = parse(probe).expect_err("no such keys").findings();
    let known = findings
        .iter()
        .filter_map(|finding| finding.hint.as_deref()?.strip_prefix("it can be one of: "));
    let known: Vec<Vec<&str>> = known.map(|keys| keys.split(", ").collect()).collect();
    assert_eq!(
        known.len(),
        10,
        "a table is missing from the probe, or a key comes near zzzzzzzz"
    );
    let reference = uncommented_reference();
    for key in known.iter().flatten() {
        let line = |line: &str| {
            line.starts_with(&format!("{key} = "))
                || line.starts_with("tls = {") && line.contains(&format!(" {key} = "))
                || line == format!("[{key}]")
                || line == format!("[[{key}]]")
        };
        assert!(
            reference.lines().any(line),
            "config/recess.toml does not mention `{key}`"
        );
    }
}
