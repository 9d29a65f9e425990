//! The commands that ask a server, and the dry run, which asks and never tells.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, command_with, reach, secs, until};
use crate::support::world::World;

/// `recess COMMAND --config ..` on a config: exit code, standard output and standard error.
pub fn ask(config: &Config, arguments: &[&str]) -> (Option<i32>, String, String) {
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let arguments = [arguments, &["--config", path.to_str().unwrap()]].concat();
    let output = command_with(&config.environment, &arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{out}{err}");
    (output.status.code(), out, err)
}

/// What `recess status --format json` shows.
pub fn status(config: &Config) -> Value {
    let (exit, out, err) = ask(config, &["status", "--format", "json"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    serde_json::from_str(&out).unwrap()
}

/// One row of `status`, as the README promises it.
fn row(
    consumer: &str,
    desired: Value,
    observed: Value,
    owner: Value,
    (verdict, rule): (&str, &str),
) -> Value {
    json!({
        "stream": "ORDERS", "consumer": consumer, "desired": desired, "observed": observed,
        "owner": owner, "verdict": verdict, "rule": rule, "windows": ["night"], "overrides": [], "exempt": false, "pending": 2, "ack_pending": 0, "loss": null,
    })
}

fn state(state: &str, until: Option<Timestamp>) -> Value {
    json!({ "state": state, "until": until.map(|until| until.to_string()) })
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_what_is_wanted_what_is_found_and_what_should_be_done() {
    let World { server, account } = World::new().await;
    let consumers = ["foreign", "late", "ours", "run", "short"];
    for name in consumers {
        account.durable(&format!("ORDERS/{name}")).await;
    }
    account.publish("ORDERS", 2).await;
    let span = Span::open_for(100);
    let open = Config::new([server.url()]).window("night", &["ORDERS/*", "ORDERS/nobody"], span);
    let closed =
        Config::new([server.url()]).window("night", &["ORDERS/*"], Span::opening_in(3600, 60));
    let mark = span.deadline().duration_since(span.closes);
    let beyond = span.closes + 50.seconds();
    let before = span.closes - 50.seconds();
    let lapsed = Timestamp::now() + 1.second();
    account.pause("ORDERS/foreign", beyond).await;
    account.pause("ORDERS/late", lapsed).await;
    account.pause("ORDERS/ours", span.deadline()).await;
    account.pause("ORDERS/short", before + mark).await;
    reach(lapsed + 1.second()).await;
    let tap = account.tap().await;

    let wanted = state("paused", Some(span.closes));
    let paused = |until| state("paused", Some(until));
    let row_of = |name, found, owner, verdict| row(name, wanted.clone(), found, owner, verdict);
    let mut nobody = row_of(
        "nobody",
        state("missing", None),
        json!(null),
        ("missing", "missing"),
    );
    nobody["pending"] = json!(null);
    nobody["ack_pending"] = json!(null);
    let lapse = Timestamp::from_second(lapsed.as_second()).unwrap();
    let expected = json!([
        row_of(
            "foreign",
            paused(beyond),
            json!("foreign"),
            ("foreign", "covered")
        ),
        row_of(
            "late",
            state("lapsed", Some(lapse)),
            json!("foreign"),
            ("pause", "pause")
        ),
        nobody,
        row_of(
            "ours",
            paused(span.closes),
            json!("recess"),
            ("settled", "paused")
        ),
        row_of(
            "run",
            state("running", None),
            json!(null),
            ("pause", "pause")
        ),
        row_of(
            "short",
            paused(before),
            json!("recess"),
            ("retime", "retime")
        ),
    ]);
    assert_eq!(status(&open), expected);

    let running = state("running", None);
    let rows = status(&closed);
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row["desired"] == running)
    );
    let verdicts = ["foreign", "settled", "resume", "settled", "resume"];
    assert_eq!(
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| &row["verdict"])
            .collect::<Vec<_>>(),
        verdicts
    );

    let (exit, text, _) = ask(&open, &["status"]);
    assert_eq!(exit, Some(0));
    for word in ["ORDERS > ours", "paused", "foreign", "missing", "night"] {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_live_finds_what_the_server_does_not_have() {
    let World {
        server,
        account: _account,
    } = World::with(&["ORDERS/billing"]).await;
    let span = Span::opening_in(3600, 60);
    let good = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let (exit, ..) = ask(&good, &["check", "--live"]);
    assert_eq!(exit, Some(0));

    let odd = good
        .window("named", &["ORDERS/nobody", "ORDERS/billing"], span)
        .window("empty", &["EVENTS/*"], span)
        .window("mistyped", &["ORDERS/*", "ORDRES/*", "!ORDERS/audit"], span);
    let (exit, out, _) = ask(&odd, &["check", "--live", "--format", "json"]);
    assert_eq!(exit, Some(3));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["ok"], true);
    let findings = report["findings"].as_array().unwrap();
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding["code"].as_str(), finding["subject"].as_str()))
        .map(|(code, subject)| (code.unwrap(), subject.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("no-such-consumer", "consumer ORDERS/nobody"),
            ("matches-nothing", "window empty"),
            ("matches-nothing", "window mistyped")
        ]
    );
    let (exit, _, err) = ask(&odd, &["check", "--live"]);
    assert_eq!(exit, Some(3));
    assert!(err.contains("ORDERS/nobody"), "{err}");
    assert!(
        err.contains("its selector \"ORDRES/*\" matches no existing consumer"),
        "{err}"
    );
    for hint in [
        "stream ORDERS has billing; if it is created while the window is open, recess pauses it",
        "there is no stream EVENTS",
        "there is no stream ORDRES; did you mean ORDERS/*?",
    ] {
        assert!(err.contains(&format!("help: {hint}\n")), "{hint}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_told_in_one_line() {
    let mut server = Server::start(Default::default()).unwrap();
    server.kill();
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    for arguments in [["status"].as_slice(), &["check", "--live"]] {
        let (exit, out, err) = ask(&config, arguments);
        assert_eq!((exit, &*out), (Some(1), ""), "{arguments:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with("error: "), "{err}");
        assert!(err.contains(&server.url()), "{err}");
        assert!(err.contains("refused"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_it_would_do_and_sends_nothing() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/audit"]).await;
    let tap = account.tap().await;
    let span = Span::opening_in(3, 7);
    let config = Config::new([server.url()]).window("night", &["ORDERS/billing"], span);
    let recess = Recess::start_with(&config, &["--dry-run"]).await;
    recess.until_log("dry run: nothing is sent").await;
    let would = format!(
        "dry run: would pause ORDERS > billing until {}",
        span.closes
    );
    until("it tells", secs(8), async || {
        recess.log().contains(&would).then_some(())
    })
    .await;
    assert!(
        Timestamp::now() >= span.opens - 100.milliseconds(),
        "told too early"
    );
    reach(span.closes + 1.second()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        recess.log().matches("would pause").count(),
        1,
        "{}",
        recess.log()
    );
    assert!(!tap.all().is_empty(), "it looks");
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert_eq!(
        recess
            .metric(r#"windows_missed_total{window="night"}"#)
            .await,
        Some(0.0)
    );
    assert_eq!(account.look("ORDERS/billing").await.until, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_live_shows_what_is_found_and_the_rule_that_decides() {
    let World { server, account } =
        World::with(&["ORDERS/ours", "ORDERS/run", "ORDERS/foreign", "EVENTS/mail"]).await;
    let span = Span::open_for(100);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let foreign = span.closes + 50.seconds();
    account.pause("ORDERS/ours", span.deadline()).await;
    account.pause("ORDERS/foreign", foreign).await;
    let live = |path: &str| {
        let (exit, out, err) = ask(&config, &["explain", path, "--live", "--format", "json"]);
        assert_eq!((exit, &*err), (Some(0), ""));
        serde_json::from_str::<Value>(&out).unwrap()
    };
    for (path, observed, owner, verdict, rule) in [
        (
            "ORDERS/ours",
            state("paused", Some(span.closes)),
            json!("recess"),
            "settled",
            "paused",
        ),
        (
            "ORDERS/run",
            state("running", None),
            json!(null),
            "pause",
            "pause",
        ),
        (
            "ORDERS/foreign",
            state("paused", Some(foreign)),
            json!("foreign"),
            "foreign",
            "covered",
        ),
    ] {
        let explained = live(path);
        let mut found = explained["live"].clone();
        let skew = found["clock_skew_seconds"].take().as_f64().unwrap();
        assert!(skew.abs() < 1.0, "{skew}");
        let expected = json!({
            "observed": observed, "owner": owner, "verdict": verdict, "rule": rule, "clock_skew_seconds": null, "loss": null,
        });
        assert_eq!(found, expected, "{path}");
        assert_eq!(explained["because"][0]["window"], "night");
    }
    assert_eq!(live("EVENTS/mail").get("live"), None);
    let (exit, text, _) = ask(&config, &["explain", "ORDERS/run", "--live"]);
    assert_eq!(exit, Some(0));
    let decision = "Decision: should pause (rule pause: want pause until u, have running or lapsed: Pause(u)).";
    assert!(text.contains(decision), "{text}");
    let (exit, text, _) = ask(&config, &["explain", "EVENTS/mail", "--live"]);
    assert_eq!(exit, Some(0));
    assert!(text.contains("no window names it"), "{text}");
}
