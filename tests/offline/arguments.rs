//! Arguments that make no sense, each with its exit status and the first line of what is said. No server is asked.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

const CONFIG: &str = r#"
instance = "test"

[[window]]
name = "nightly"
consumers = ["ORDERS/*"]
schedule = "30 4 * * *"
duration = "2h"
timezone = "Europe/Zurich"
"#;

/// The words (a comma apart, so that they can hold spaces), the exit status, and the start of what is said.
const CASES: &[(&str, i32, &str)] = &[
    ("suspend", 2, "unrecognized subcommand 'suspend'"),
    ("paln", 2, "unrecognized subcommand 'paln'"),
    ("PLAN", 2, "unrecognized subcommand 'PLAN'"),
    ("help,nope", 2, "unrecognized subcommand 'nope'"),
    ("--nope", 2, "unexpected argument '--nope' found"),
    ("-v", 2, "unexpected argument '-v' found"),
    ("check,check", 2, "unexpected argument 'check' found"),
    ("plan,x", 2, "unexpected argument 'x' found"),
    ("run,x", 2, "unexpected argument 'x' found"),
    ("status,ORDERS", 2, "unexpected argument 'ORDERS' found"),
    ("run,--daemon", 2, "unexpected argument '--daemon' found"),
    ("check,--lve", 2, "unexpected argument '--lve' found"),
    (
        "plan,--formt,json",
        2,
        "unexpected argument '--formt' found",
    ),
    (
        "diff,--config,a,b,c",
        2,
        "unexpected argument '--config' found",
    ),
    ("plan,--from,-1d", 2, "unexpected argument '-1' found"),
    (
        "plan,--from",
        2,
        "a value is required for '--from <T>' but none was supplied",
    ),
    (
        "explain,O/b,--at",
        2,
        "a value is required for '--at <T>' but none was supplied",
    ),
    (
        "check,--config",
        2,
        "a value is required for '--config <PATH>' but none was supplied",
    ),
    (
        "check,--config,",
        2,
        "invalid value '' for '--config <PATH>': the path is empty: set RECESS_CONFIG to the path \
         of a file, or unset it",
    ),
    (
        "plan,--format",
        2,
        "a value is required for '--format <FORMAT>' but none was supplied",
    ),
    (
        "explain",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "diff",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "diff,recess.toml",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "completions",
        2,
        "the following required arguments were not provided:",
    ),
    ("explain,O/b,x", 2, "unexpected argument 'x' found"),
    (
        "open,nightly",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "open,nightly,--for,1h,--until,2026-12-01T00:00:00Z",
        2,
        "the argument '--for <LENGTH>' cannot be used with '--until <T>'",
    ),
    (
        "extend,nightly",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "skip,nightly,--on,tomorrow",
        2,
        "invalid value 'tomorrow' for '--on <DATE>': write a day as in 2026-12-24",
    ),
    (
        "undo",
        2,
        "the following required arguments were not provided:",
    ),
    (
        "overrides,create,--replicas,9",
        2,
        "invalid value '9' for '--replicas <N>': 9 is not in 1..=5",
    ),
    (
        "overrides,--all,create",
        2,
        "the subcommand 'create' cannot be used with '--all'",
    ),
    // No bucket is named.
    (
        "close,nightly",
        78,
        "overrides have no bucket: add the lines",
    ),
    (
        "undo,alice.k7f2q",
        78,
        "overrides have no bucket: add the lines",
    ),
    ("diff,a,b,c", 2, "unexpected argument 'c' found"),
    (
        "plan,--exit-code=yes",
        2,
        "unexpected value 'yes' for '--exit-code' found; no more were expected",
    ),
    (
        "run,--standby",
        2,
        "a value is required for '--standby <D>' but none was supplied",
    ),
    (
        "run,--standby,5",
        2,
        "invalid value '5' for '--standby <D>': it has no unit: write \"5s\", \"5m\" or \"5h\"",
    ),
    (
        "run,--standby,0s",
        2,
        "invalid value '0s' for '--standby <D>': it is zero: write whole units, as in \"2h\", \
         \"1h 30m\" or \"90s\"",
    ),
    (
        "run,--standby,500ms",
        2,
        "invalid value '500ms' for '--standby <D>': it is not a whole number of seconds: write it \
         as in \"1s\" or \"90s\"",
    ),
    (
        "run,--standby,6m",
        2,
        "invalid value '6m' for '--standby <D>': it can be from 1s to 5m",
    ),
    (
        "check,--standby,5s",
        2,
        "unexpected argument '--standby' found",
    ),
    (
        "run,--dry-run=maybe",
        2,
        "unexpected value 'maybe' for '--dry-run' found; no more were expected",
    ),
    (
        "check,--live=1",
        2,
        "unexpected value '1' for '--live' found; no more were expected",
    ),
    (
        "plan,--from,2026-12-01T00:00:00Z,--from,2026-12-02T00:00:00Z",
        2,
        "the argument '--from <T>' cannot be used multiple times",
    ),
    (
        "plan,--config,a.toml,--config,b.toml",
        2,
        "the argument '--config <PATH>' cannot be used multiple times",
    ),
    (
        "plan,--consumer,O/b,--window,nightly",
        2,
        "the argument '--consumer <STREAM/CONSUMER>' cannot be used with '--window <NAME>'",
    ),
    (
        "plan,--format,yaml",
        2,
        "invalid value 'yaml' for '--format <FORMAT>'",
    ),
    (
        "status,--format,xml",
        2,
        "invalid value 'xml' for '--format <FORMAT>'",
    ),
    (
        "check,--format,JSON",
        2,
        "invalid value 'JSON' for '--format <FORMAT>'",
    ),
    (
        "completions,klingon",
        2,
        "invalid value 'klingon' for '<SHELL>'",
    ),
    // Instants.
    (
        "plan,--from,",
        2,
        "invalid value '' for '--from <T>': write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,now",
        2,
        "invalid value 'now' for '--from <T>': write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,1796083200",
        2,
        "invalid value '1796083200' for '--from <T>': write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,7d",
        2,
        "invalid value '7d' for '--from <T>': write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,2026-12-01",
        2,
        "invalid value '2026-12-01' for '--from <T>': it has no zone: write 2026-12-01T00:00:00Z for UTC, or an offset as in 2026-12-01T00:00:00+01:00",
    ),
    (
        "plan,--until,2026-12-01T00:00:00",
        2,
        "invalid value '2026-12-01T00:00:00' for '--until <T>': it has no zone: write 2026-12-01T00:00:00Z for UTC, or an offset as in 2026-12-01T00:00:00+01:00",
    ),
    (
        "plan,--from,2026-12-01T00:00:00[Europe/Zurich]",
        2,
        "invalid value '2026-12-01T00:00:00[Europe/Zurich]' for '--from <T>': a zone name is not \
         supported here: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,2026-02-30T00:00:00Z",
        2,
        "invalid value '2026-02-30T00:00:00Z' for '--from <T>': there is no such day, time or offset: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,2026-12-01T25:00:00Z",
        2,
        "invalid value '2026-12-01T25:00:00Z' for '--from <T>': there is no such day, time or offset: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,2026-12-01T00:00:00+99:00",
        2,
        "invalid value '2026-12-01T00:00:00+99:00' for '--from <T>': there is no such day, time or offset: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--until,99999-01-01T00:00:00Z",
        2,
        "invalid value '99999-01-01T00:00:00Z' for '--until <T>': there is no such day, time or offset: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "explain,O/b,--at,2026-13-01T00:00:00Z",
        2,
        "invalid value '2026-13-01T00:00:00Z' for '--at <T>': there is no such day, time or offset: write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "explain,O/b,--at,noon",
        2,
        "invalid value 'noon' for '--at <T>': write an instant as in 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00",
    ),
    (
        "plan,--from,2026-12-02T00:00:00Z,--until,2026-12-01T00:00:00Z",
        2,
        "--until must be later than --from",
    ),
    (
        "plan,--from,2026-12-01T00:00:00Z,--until,2026-12-01T01:00:00+01:00",
        2,
        "--until must be later than --from",
    ),
    (
        "plan,--until,2020-01-01T00:00:00Z",
        2,
        "--until must be later than --from",
    ),
    // Consumers and windows.
    (
        "plan,--consumer,",
        2,
        "invalid value '' for '--consumer <STREAM/CONSUMER>': `` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "plan,--consumer,ORDERS",
        2,
        "invalid value 'ORDERS' for '--consumer <STREAM/CONSUMER>': `ORDERS` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "plan,--consumer,ORDERS >billing",
        2,
        "invalid value 'ORDERS >billing' for '--consumer <STREAM/CONSUMER>': `ORDERS >billing` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "plan,--consumer,ORDERS/*",
        2,
        "invalid value 'ORDERS/*' for '--consumer <STREAM/CONSUMER>': `ORDERS/*` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "plan,--consumer,ORDERS/a/b",
        2,
        "invalid value 'ORDERS/a/b' for '--consumer <STREAM/CONSUMER>': `ORDERS/a/b` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "explain,ORDERS.billing",
        2,
        "invalid value 'ORDERS.billing' for '<STREAM/CONSUMER>': `ORDERS.billing` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "explain,ORDERS/bil.ling",
        2,
        "invalid value 'ORDERS/bil.ling' for '<STREAM/CONSUMER>': `ORDERS/bil.ling` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "explain,/billing",
        2,
        "invalid value '/billing' for '<STREAM/CONSUMER>': `/billing` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "explain,*/*",
        2,
        "invalid value '*/*' for '<STREAM/CONSUMER>': `*/*` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing",
    ),
    (
        "plan,--window,nighty",
        2,
        "there is no window `nighty` in recess.toml; it has: nightly",
    ),
    (
        "plan,--window,",
        2,
        "there is no window `` in recess.toml; it has: nightly",
    ),
    // Files.
    (
        "check,--config,/nowhere/a.toml",
        78,
        "config file: cannot read it: No such file or directory (os error 2)",
    ),
    (
        "run,--config,/nowhere/a.toml",
        78,
        "config file: cannot read it: No such file or directory (os error 2)",
    ),
    (
        "status,--config,/",
        78,
        "config file: cannot read it: Is a directory (os error 21)",
    ),
    (
        "diff,/nowhere/a.toml,recess.toml",
        78,
        "config file: cannot read it: No such file or directory (os error 2)",
    ),
    (
        "diff,recess.toml,/",
        78,
        "config file: cannot read it: Is a directory (os error 21)",
    ),
    (
        "plan,--config,noise",
        78,
        "config file: the file is in UTF-16, and TOML is UTF-8",
    ),
];

#[test]
fn every_misuse_has_its_status_and_its_words() {
    assert!(CASES.len() >= 65, "only {} cases", CASES.len());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("recess.toml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("noise"), [0xff, 0xfe, 0]).unwrap();
    let mut wrong = Vec::new();
    for (words, exit, said) in CASES {
        let output = Command::new(env!("CARGO_BIN_EXE_recess"))
            .args(words.split(','))
            .env("RECESS_CONFIG", "recess.toml")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let first = errors.lines().next().unwrap_or_default();
        // Of a file it tells the code too: `error[unreadable]: ..`.
        let found = first.split_once(": ").map_or("", |(_, rest)| rest);
        let quiet = output.stdout.is_empty();
        if !first.starts_with("error")
            || found != *said
            || output.status.code() != Some(*exit)
            || !quiet
        {
            wrong.push(format!(
                "{words}: {:?}\n  is  {found}\n  not {said}",
                output.status.code()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_that_are_no_text_are_refused() {
    for words in [
        &["plan", "--window"][..],
        &["explain"],
        &["plan", "--from"],
        &["completions"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_recess"))
            .args(words)
            .arg(OsStr::from_bytes(b"\xff\xfe"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.starts_with("error: "), "{words:?}: {errors}");
    }
}

/// The status of `run` with that for its log filter, and what it says before it ends: it has no address to listen on.
fn run_with_log(filter: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("{CONFIG}\n[http]\nlisten = \"192.0.2.1:1\"\n");
    std::fs::write(folder.path().join("recess.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recess"))
        .arg("run")
        .env("RECESS_CONFIG", "recess.toml")
        .env("RECESS_LOG", filter)
        .current_dir(&folder)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), errors)
}

#[test]
fn an_empty_log_filter_is_none_and_a_misspelt_one_is_refused() {
    for filter in ["", " ", "info", "warn,recess=info"] {
        let (code, errors) = run_with_log(filter);
        assert_eq!(code, Some(1), "{filter}: {errors}");
        assert!(errors.contains(" INFO recess "), "{filter}: {errors}");
    }
    let form =
        "write a level (error, warn, info, debug, trace, off), or TARGET=LEVEL, as in recess=debug";
    for (filter, word) in [
        ("inof", "inof"),
        ("recess=debug,warning", "warning"),
        ("recess", "recess"),
    ] {
        let words = format!("error: RECESS_LOG=`{filter}`: `{word}` is not a level: {form}\n");
        assert_eq!(run_with_log(filter), (Some(2), words));
    }
    let (code, errors) = run_with_log("recess=inof");
    assert_eq!(code, Some(2));
    assert!(
        errors.starts_with("error: RECESS_LOG=`recess=inof` is not a log filter ("),
        "{errors}"
    );
    assert!(errors.ends_with(&format!("): {form}\n")), "{errors}");
}

#[test]
fn a_path_that_is_empty_or_of_diff_has_its_own_fix() {
    let errors = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_recess"))
            .args(arguments)
            .env("RECESS_CONFIG", "")
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let empty = "the path is empty: set RECESS_CONFIG to the path of a file, or unset it";
    assert!(errors(&["check"]).contains(empty));
    let missing = errors(&["diff", "old.toml", "new.toml"]);
    assert!(missing.contains("help: name another file\n"), "{missing}");
}
