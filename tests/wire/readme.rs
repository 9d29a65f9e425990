//! What the README shows of a running recess is real: the same story is played, and it shows the same but for numbers,
//! days and zones. (What needs no server is held by `tests/readme.rs`, permissions by `permissions.rs`.)

use jiff::ToSpan;

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, command, reach};
use crate::support::world::World;

/// The block of the README that shows what this command shows.
fn shown(command: &str) -> Vec<&'static str> {
    let readme = include_str!("../../README.md");
    let start = format!("```console\n$ {command}\n");
    let (_, rest) = readme.split_once(&start).expect("the README shows it");
    let block = rest.split("```").next().unwrap();
    block.lines().collect()
}

/// A line without what differs from day to day: numbers, the names of days and zones, the width of columns.
fn shape(line: &str) -> String {
    let word = |word: &str| -> String {
        if ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&word) {
            return "Day".to_owned();
        }
        if ["CET", "CEST", "UTC"].contains(&word) {
            return "ZONE".to_owned();
        }
        let mut shape = String::new();
        for c in word.chars() {
            let c = if c.is_ascii_digit() { '0' } else { c };
            if c != '0' || !shape.ends_with('0') {
                shape.push(c);
            }
        }
        shape
    };
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    words.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_the_status_in_the_readme_are_real() {
    let World { server, account } = World::new().await;
    let paths = ["ORDERS/billing", "ORDERS/shipping", "ORDERS/audit"];
    account.durables(&paths).await;
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
    recess.until_log("is paused by somebody else").await;

    let log = recess.log();
    // Two requests under way at once may be answered in either order. The journal puts other words in front of a line than
    // we do here: host and process there, time and level here.
    let told: Vec<String> = (log.lines())
        .filter_map(|line| line.split_once("  INFO "))
        .map(|(_, line)| shape(line))
        .collect();
    for line in shown("journalctl -u recess") {
        let (_, line) = line.split_once("]: ").expect("host and process");
        let line = shape(&line.replace("/etc/recess/recess.toml", "recess.toml"));
        assert!(told.contains(&line), "{line:?} is not in\n{log}");
    }

    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let output = command(&["status", "--config", path.to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<String> = told.lines().map(shape).collect();
    let shown: Vec<String> = shown("recess status").into_iter().map(shape).collect();
    assert_eq!(told, shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_readme_does_by_hand_is_real() {
    let World { server, account } = World::new().await;
    let paths = ["ORDERS/billing", "ORDERS/shipping", "ORDERS/audit"];
    account.durables(&paths).await;
    let window = |span: Span| {
        Config::new([server.url()]).window("nightly-vacuum", &["ORDERS/*", "!ORDERS/audit"], span)
    };
    let says = |config: &Config, arguments: &str| -> Vec<String> {
        let files = tempfile::tempdir().unwrap();
        let path = config.write(files.path());
        let quoted = arguments.replace('\'', "");
        let mut words: Vec<&str> = quoted.split(' ').collect();
        words.extend(["--config", path.to_str().unwrap()]);
        let output = command(&words);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        told.lines().map(shape).collect()
    };
    let as_shown = |command: &str| -> Vec<String> {
        let lines = shown(&format!("recess {command}"));
        lines.into_iter().map(shape).collect()
    };
    let long = jiff::Timestamp::now() + 8.hours();
    account.pause("ORDERS/shipping", long).await;
    let later = window(Span::opening_in(36_000, 60));
    for by_hand in [
        "pause 'ORDERS/*' '!ORDERS/audit' --for 2h",
        "resume 'ORDERS/*'",
    ] {
        assert_eq!(says(&later, by_hand), as_shown(by_hand));
    }
    let now = window(Span::open_for(7100));
    let _recess = Recess::start(&now).await;
    let wait = "wait --window nightly-vacuum --for drained --timeout 30m";
    assert_eq!(says(&now, wait), as_shown(wait));
}
