//! The command line where no server is needed: what is printed for programs, and the exit codes. What asks a server is
//! in `wire/`.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const GOOD: &str = r#"
instance = "test"

[[window]]
name = "nightly"
consumers = ["ORDERS/*", "!ORDERS/audit"]
schedule = "30 2 * * *"
duration = "2h"
timezone = "Europe/Zurich"

[[window]]
name = "weekly"
consumers = ["EVENTS/mail"]
schedule = "0 12 * * MON"
duration = "30m"
"#;

/// Nothing is doubtful about it on any day: its hours are not those in which clocks change.
fn undoubted() -> String {
    GOOD.replace("30 2 * * *", "30 4 * * *")
}

const BAD: &str = r#"instance = "test"
[[window]]
name = "nightly"
consumers = ["ORDERS/*"]
schedule = "30 2 * * *"
duration = "2h"
timezone = "Europe/Zurch"
"#;

/// A directory with a config file.
struct Files(tempfile::TempDir);

impl Files {
    fn with(config: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("recess.toml"), config).unwrap();
        Self(files)
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("recess.toml")
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recess"));
        command
            .args(arguments.split_whitespace())
            .env("RECESS_CONFIG", self.config())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

#[derive(Debug)]
struct Ran {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Checks the exit code and that a hint is among the complaints.
    fn fails(&self, exit: i32, hint: &str) {
        assert_eq!(self.exit, Some(exit), "{self:#?}");
        assert!(self.err.contains(hint), "{hint:?} is not in {self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
    }
}

#[test]
fn plan_prints_every_opening_with_its_local_times_and_what_the_clocks_do_to_it() {
    let files = Files::with(GOOD);
    // The clocks in Zurich go back at 03:00 on 2026-10-25, so 02:30 comes twice.
    let ran = files
        .run("plan --format json --from 2026-10-24T12:00:00Z --until 2026-10-26T14:00:00+02:00");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let nightly = |opens, closes, opens_local, closes_local, shift: Option<&str>| {
        json!({
            "window": "nightly", "opens": opens, "closes": closes, "timezone": "Europe/Zurich",
            "opens_local": opens_local, "closes_local": closes_local,
            "consumers": ["ORDERS/*", "!ORDERS/audit"], "where": null, "shift": shift, "overrides": [],
        })
    };
    let expected = json!([
        nightly(
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:30:00Z",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T03:30:00+01:00",
            Some("first"),
        ),
        nightly(
            "2026-10-26T01:30:00Z",
            "2026-10-26T03:30:00Z",
            "2026-10-26T02:30:00+01:00",
            "2026-10-26T04:30:00+01:00",
            None,
        ),
    ]);
    assert_eq!(ran.json(), expected);

    let weekly = files.run(
        "plan --format json --from 2026-10-24T12:00:00Z --until 2026-11-01T00:00:00Z --window weekly",
    );
    assert_eq!(
        weekly.json(),
        json!([{
            "window": "weekly", "opens": "2026-10-26T12:00:00Z", "closes": "2026-10-26T12:30:00Z",
            "timezone": "UTC", "opens_local": "2026-10-26T12:00:00+00:00",
            "closes_local": "2026-10-26T12:30:00+00:00", "consumers": ["EVENTS/mail"], "where": null, "shift": null,
            "overrides": [],
        }])
    );
}

#[test]
fn plan_in_words_names_the_windows_and_the_odd_night() {
    let ran =
        Files::with(GOOD).run("plan --from 2026-10-24T12:00:00Z --until 2026-10-26T14:00:00Z");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    for text in ["nightly", "weekly", "02:30", "Europe/Zurich", "twice"] {
        assert!(ran.out.contains(text), "{text:?} is not in {ran:#?}");
    }
}

#[test]
fn plan_shows_by_which_metadata_a_window_selects() {
    let narrowed = "consumers = [\"EVENTS/mail\"]\nwhere = { team = \"billing\", tier = [\"gold\", \"sil*\"] }";
    let files = Files::with(&GOOD.replace("consumers = [\"EVENTS/mail\"]", narrowed));
    let plan = "plan --from 2026-10-26T00:00:00Z --until 2026-10-27T00:00:00Z";
    let (text, json) = (files.run(plan), files.run(&format!("{plan} --format json")));
    let row = |window: &str| {
        let mut lines = text.out.lines();
        lines
            .find(|line| line.contains(window))
            .unwrap()
            .trim_end()
            .to_owned()
    };
    let pauses = r#"EVENTS/mail where { team = "billing", tier = ["gold", "sil*"] }"#;
    assert!(row("weekly").ends_with(pauses), "{text:#?}");
    assert!(
        row("nightly").ends_with("ORDERS/* !ORDERS/audit"),
        "{text:#?}"
    );
    let conditions: Vec<Value> = (json.json().as_array().unwrap().iter())
        .map(|row| json!([row["window"], row["where"]]))
        .collect();
    let weekly = json!(["weekly", { "team": "billing", "tier": ["gold", "sil*"] }]);
    assert_eq!(conditions, [json!(["nightly", null]), weekly]);
}

#[test]
fn plan_tells_by_its_exit_code_whether_anything_opens() {
    let files = Files::with(GOOD);
    let some = "plan --exit-code --from 2026-10-24T12:00:00Z --until 2026-10-25T12:00:00Z";
    let none = "plan --exit-code --from 2026-10-24T12:00:00Z --until 2026-10-24T13:00:00Z";
    for format in ["", " --format json"] {
        assert_eq!(files.run(&format!("{some}{format}")).exit, Some(3));
        assert_eq!(files.run(&format!("{none}{format}")).exit, Some(0));
    }
    assert_eq!(
        files.run(&format!("{none} --format json")).json(),
        json!([])
    );
    assert!(files.run(none).out.contains("No window opens"));
}

/// A rule of ten seconds has three million openings a year. Rows for programs leave as they come; a table for people, which
/// is made whole, has an end.
#[test]
fn plan_holds_no_more_openings_than_fit_into_memory() {
    let file = GOOD
        .replace("30 2 * * *", "*/10 * * * * *")
        .replace("\"2h\"", "\"5s\"");
    let files = Files::with(&file);
    let days = "--from 2026-12-01T00:00:00Z --until 2026-12-21T00:00:00Z --window nightly";
    // Held whole, they take 170 MB.
    let limited = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 120000 && exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_recess"),
        ])
        .args(format!("plan --format json {days}").split_whitespace())
        .env("RECESS_CONFIG", files.config())
        .output()
        .unwrap();
    assert!(
        limited.status.success(),
        "{}",
        String::from_utf8_lossy(&limited.stderr)
    );
    let openings = limited
        .stdout
        .windows(9)
        .filter(|text| text == b"\"window\":");
    assert_eq!(openings.count(), 20 * 24 * 360);

    let table = files.run(&format!("plan {days}"));
    table.fails(2, "more than 100000 rows");
    table.fails(2, "--until");
    assert_eq!(table.out, "");
}

#[test]
fn a_time_without_a_zone_is_refused_and_the_two_ways_to_write_it_are_shown() {
    let files = Files::with(GOOD);
    let ran = files.run("plan --from 2026-10-24T12:00:00");
    ran.fails(2, "2026-10-24T12:00:00Z");
    ran.fails(2, "+01:00");
    files.run("plan --from yesterday").fails(2, "Z");
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let files = Files::with(GOOD);
    files.run("").fails(2, "Usage");
    files.run("suspend").fails(2, "suspend");
    files.run("plan --window nighty").fails(2, "nightly");
    files
        .run("plan --from 2026-10-24T12:00:00Z --until 2026-10-24T12:00:00Z")
        .fails(2, "--until");
    files.run("plan --format yaml").fails(2, "json");
    files.run("completions klingon").fails(2, "bash");
}

#[test]
fn check_says_that_a_good_config_is_good() {
    let files = Files::with(&undoubted());
    let ran = files.run("check");
    assert_eq!((ran.exit, &*ran.err), (Some(0), ""), "{ran:#?}");
    assert!(ran.out.contains("ok, 2 windows (time zones 20"), "{ran:#?}");
    assert_eq!(ran.out.lines().count(), 3, "a line a window: {ran:#?}");
    let ran = files.run("check --format json");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(ran.json(), json!({ "ok": true, "findings": [] }));
}

#[test]
fn check_tells_of_nights_on_which_clocks_change_and_is_content() {
    let files = Files::with(GOOD);
    let ran = files.run("check --format json");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let report = ran.json();
    assert_eq!(report["ok"], true);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["code"], "clock-change");
    assert_eq!(findings[0]["severity"], "warning");
    assert_eq!(findings[0]["line"], 7);
}

#[test]
fn check_places_each_mistake_and_shows_the_way_out() {
    let files = Files::with(BAD);
    let ran = files.run("check --format json");
    assert_eq!(ran.exit, Some(78), "{ran:#?}");
    let report = ran.json();
    assert_eq!(report["ok"], false);
    let [finding] = report["findings"].as_array().unwrap().as_slice() else {
        panic!("one finding: {report:#}");
    };
    let mut keys: Vec<_> = finding.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["code", "hint", "line", "message", "severity", "subject"]
    );
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["line"], 7);
    assert!(finding["hint"].as_str().unwrap().contains("Europe/Zurich"));

    let ran = files.run("check");
    ran.fails(78, "Europe/Zurich");
    ran.fails(78, "recess.toml:7");
}

#[test]
fn every_command_refuses_a_config_that_is_wrong_or_not_there() {
    let bad = Files::with(BAD);
    let none = "--config /nowhere/recess.toml";
    for command in ["check", "plan", "status", "run"] {
        bad.run(command).fails(78, "Europe/Zurich");
        bad.run(&format!("{command} {none}"))
            .fails(78, "/nowhere/recess.toml");
    }
}

#[test]
fn completions_are_printed_for_the_common_shells() {
    let files = Files::with(GOOD);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = files.run(&format!("completions {shell}"));
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        for command in ["run", "check", "plan", "status"] {
            assert!(ran.out.contains(command), "{shell} lacks {command}");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let files = Files::with(&undoubted());
    let commands = [
        "plan",
        "plan --format json",
        "check",
        "check --format json",
        "completions bash",
        "--help",
        "--version",
    ];
    for command in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = files.command(command).stdout(writer).output().unwrap();
        let ran = Ran::from(ran);
        assert_eq!((ran.exit, &*ran.err), (Some(0), ""), "recess {command}");
    }
}

#[test]
fn a_pipe_gets_no_escape_codes() {
    let good = Files::with(GOOD);
    let bad = Files::with(BAD);
    for (files, command) in [
        (&good, "plan"),
        (&good, "check"),
        (&bad, "check"),
        (&bad, "run"),
        (&good, "plan --from noon"),
        (&good, "--help"),
    ] {
        let ran = files.run(command);
        assert!(!ran.out.contains('\x1b'), "{ran:#?}");
        assert!(!ran.err.contains('\x1b'), "{ran:#?}");
    }
}

/// A full disk under the log file.
#[test]
fn a_log_that_cannot_be_written_does_not_end_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("recess.toml");
    let text = "[nats]\nservers = [\"nats://127.0.0.1:1\"]\n[http]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&config, text).unwrap();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut recess = Command::new(env!("CARGO_BIN_EXE_recess"))
        .args(["run", "--config"])
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(full)
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let ended = recess.try_wait().unwrap();
    recess.kill().unwrap();
    recess.wait().unwrap();
    assert_eq!(ended, None, "it ended because its log could not be written");
}

/// What a command says where its standard error is a socket, and whether that is what `JOURNAL_STREAM` names.
fn said_to_a_socket(files: &Files, arguments: &str, named: bool) -> String {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let theirs = File::from(OwnedFd::from(theirs));
    let socket = theirs.metadata().unwrap();
    let inode = socket.ino() + u64::from(!named);
    let status = files
        .command(arguments)
        .env("JOURNAL_STREAM", format!("{}:{inode}", socket.dev()))
        .stdout(Stdio::null())
        .stderr(theirs)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(78));
    std::io::read_to_string(ours).unwrap()
}

#[test]
fn a_mistake_is_one_line_with_a_priority_where_the_journal_reads() {
    let files = Files::with(BAD);
    let line = format!(
        "<3>{}:7: window nightly: timezone: \"Europe/Zurch\" is not a time zone (did you mean \"Europe/Zurich\"?)\n",
        files.config().display()
    );
    for arguments in ["check", "run", "plan"] {
        assert_eq!(said_to_a_socket(&files, arguments, true), line);
    }
}

#[test]
fn a_variable_that_is_left_over_from_a_service_makes_no_journal() {
    let files = Files::with(BAD);
    for arguments in ["check", "run", "plan"] {
        let said = said_to_a_socket(&files, arguments, false);
        assert!(
            said.starts_with("error[bad-zone]: window nightly"),
            "{said}"
        );
        assert!(said.contains("  |            ^^^^"), "{said}");
    }
}
