//! What the documents show of a server and a running recess is real: the same story is played, and it shows the same but for
//! numbers, days and zones. (What needs no server is held by `tests/offline/documents.rs`, permissions by `permissions.rs`.)

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::support::config::{Config, Span};
use crate::support::documents::{all_shown, needs_a_server, output_of, shape, shapes, shell_words};
use crate::support::recess::{PROGRAM, Recess, reach};
use crate::support::world::World;

/// What each story below plays, all of it.
const CHECKED: [&str; 1] = ["recess check --live"];
const FOUND: [&str; 1] = ["recess check --live --config recess.toml"];
const LOGGED: [&str; 1] = ["journalctl -u recess"];
const ASKED: [&str; 1] = ["recess status"];
const BULK: [&str; 2] = [
    "recess pause 'ORDERS/*' '!ORDERS/audit' --for 2h",
    "recess resume 'ORDERS/*'",
];
const OVERRIDDEN: [&str; 1] =
    ["recess extend nightly-vacuum --for 30m --reason 'vacuum is slow tonight'"];
const WAITED: [&str; 1] = ["recess wait --window nightly-vacuum --for drained --timeout 30m"];

#[test]
fn every_shown_command_that_needs_a_server_is_played() {
    let stories = [
        &CHECKED[..],
        &FOUND,
        &LOGGED,
        &ASKED,
        &BULK,
        &OVERRIDDEN,
        &WAITED,
    ];
    let played: BTreeSet<&str> = (stories.concat()).into_iter().collect();
    let shown = all_shown();
    let shown: BTreeSet<&str> = (shown.iter())
        .map(|shown| &*shown.command)
        .filter(|command| needs_a_server(command))
        .collect();
    assert_eq!(shown, played);
}

/// Runs a command as it is shown, where `recess.toml` is this config.
fn run(command: &str, config: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recess.toml"), config).unwrap();
    let words = shell_words(command);
    assert_eq!(words[0], "recess");
    Command::new(PROGRAM)
        .args(&words[1..])
        .env("RECESS_CONFIG", "recess.toml")
        .env_remove("RECESS_LOG")
        .env("USER", "alice")
        .current_dir(&folder)
        .output()
        .unwrap()
}

/// Each of these commands succeeds and prints what is shown of it, but for numbers, days and zones.
fn print_what_is_shown(commands: &[&str], config: &str) {
    for command in commands {
        let output = run(command, config);
        assert_eq!(output.status.code(), Some(0), "{command}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let (printed, shown) = (as_shown(&printed), as_shown(&output_of(command)));
        assert_eq!(shapes(&printed), shapes(&shown), "{command}");
    }
}

/// The ids of overrides, of which five letters are random, and the zones, as the documents show them.
fn as_shown(text: &str) -> String {
    let text = text.replace(" UTC", " CET").replace(" JST", " CET");
    let mut parts = text.split("alice.");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += "alice.k7f2q";
        shown += part.get(5..).unwrap_or_default();
    }
    shown
}

async fn world() -> World {
    World::with(&["ORDERS/billing", "ORDERS/shipping", "ORDERS/audit"]).await
}

fn text(config: &Config) -> String {
    config.text("127.0.0.1:0")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_status_in_the_documents_are_real() {
    let World { server, account } = world().await;
    account.publish("ORDERS", 10).await;
    let span = Span::opening_in(3, 7200);
    let consumers = ["ORDERS/*", "!ORDERS/audit"];
    let schedule = span.opens.strftime("%-S %-M %-H * * *");
    let config = Config::new([server.url()]).set(&format!(
        "[[window]]\nname = \"nightly-vacuum\"\nconsumers = {consumers:?}\nschedule = \"{schedule}\"\nduration = \"2h\""
    ));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    reach(span.opens).await;
    recess.until_log("paused ORDERS > shipping").await;
    account
        .pause("ORDERS/shipping", span.closes + 10.hours())
        .await;
    recess.until_log("paused by another client").await;

    let log = recess.log();
    // Two requests under way at once may be answered in either order. The journal puts other words in front of a line than
    // we do here: host and process there, time and level here.
    let told: Vec<String> = (log.lines())
        .filter_map(|line| line.split_once("  INFO "))
        .map(|(_, line)| shape(line))
        .collect();
    for line in LOGGED.map(output_of).concat().lines() {
        let (_, line) = line.split_once("]: ").expect("host and process");
        let line = shape(&line.replace("/etc/recess/recess.toml", "recess.toml"));
        assert!(told.contains(&line), "{line:?} is not in\n{log}");
    }
    print_what_is_shown(&ASKED, &text(&config));
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_pauses_and_waiting_in_the_documents_are_real() {
    let World { server, account } = world().await;
    let window = |span: Span| {
        Config::new([server.url()]).window("nightly-vacuum", &["ORDERS/*", "!ORDERS/audit"], span)
    };
    let long = Timestamp::now() + 8.hours();
    account.pause("ORDERS/shipping", long).await;
    let later = window(Span::opening_in(36_000, 60));
    print_what_is_shown(&BULK, &text(&later));
    // In a window that had been open before they would be released.
    let now = window(Span::opening_in(1, 7100));
    let _recess = Recess::start(&now).await;
    print_what_is_shown(&WAITED, &text(&now));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_in_the_documents_is_real() {
    let World { server, .. } = world().await;
    // Every day at the minute that has just begun, in a zone where that day does not end within three hours.
    let now = Timestamp::now();
    let zone = match now.to_zoned(jiff::tz::TimeZone::UTC).hour() {
        0..20 => "UTC",
        _ => "Asia/Tokyo",
    };
    let schedule = now
        .in_tz(zone)
        .unwrap()
        .strftime("%-M %-H * * *")
        .to_string();
    let config = Config::new([server.url()]).set(r#"overrides.bucket = "recess""#).set(&format!(
        "[[window]]\nname = \"nightly-vacuum\"\nconsumers = [\"ORDERS/*\", \"!ORDERS/audit\"]\nschedule = \"{schedule}\"\n\
         duration = \"2h\"\ntimezone = \"{zone}\""
    ));
    let made = run("recess overrides create", &text(&config));
    assert!(made.status.success(), "{made:?}");
    print_what_is_shown(&OVERRIDDEN, &text(&config));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_finds_nothing_wrong() {
    let World { server, .. } = world().await;
    for command in CHECKED {
        let shown = all_shown();
        let mut shown = shown.iter().filter(|shown| shown.command == command);
        let config = shown.next().and_then(|shown| shown.config.clone());
        let config = config.expect("the config of the quick start");
        let address = "nats://127.0.0.1:4222";
        let schedule = "30 1 * * *";
        assert!(config.contains(address) && config.contains(schedule));
        // What is shown was printed by day: at the time of the test the window is closed too.
        let later = Timestamp::now().in_tz("Europe/Zurich").unwrap() + 12.hours();
        let by_day = format!("{} {} * * *", later.minute(), later.hour());
        let config = config
            .replace(address, &server.url())
            .replace(schedule, &by_day);
        print_what_is_shown(&[command], &config);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_findings_in_the_documents_are_real() {
    let World { server, account } = World::new().await;
    let max_age = json!({ "max_age": 3_600_000_000_000_u64 });
    account.stream_with("ORDERS", max_age).await;
    account.consumer("ORDERS/billing").await;
    account.consumer("ORDERS/shipping").await;
    let night = Span::opening_in(36_000, 7_200);
    let config = Config::new([server.url()]).window("nightly-vacuum", &["ORDERS/*"], night);
    for command in FOUND {
        let output = run(command, &text(&config));
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let printed = String::from_utf8(output.stderr).unwrap();
        assert_eq!(printed, output_of(command));
    }
}
