//! The files of `examples/prometheus` by the judgement of Prometheus's and Alertmanager's own tools, and `/metrics` too.

use std::fs::{self, File};

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs};
use crate::tools::{examples, named, run, run_on};

#[test]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
fn promtool_and_amtool_find_nothing_in_the_examples() {
    let folder = examples();
    let rules = named(".rules.yml");
    let mut check = vec!["check", "rules", "--lint=all", "--lint-fatal"];
    check.extend(rules.iter().map(String::as_str));
    run("promtool", &check, &folder);
    let check = ["check", "config", "--lint=all", "--lint-fatal"];
    run(
        "promtool",
        &[&check[..], &["prometheus.yml"]].concat(),
        &folder,
    );
    run("amtool", &["check-config", "alertmanager.yml"], &folder);
}

#[test]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
fn every_alert_fires_and_ends_as_its_tests_say() {
    let tests = named(".rules.test.yml");
    let mut arguments = vec!["test", "rules"];
    arguments.extend(tests.iter().map(String::as_str));
    run("promtool", &arguments, &examples());
}

#[test]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
fn alerts_go_to_whom_they_should() {
    let routes = [
        (
            &["severity=page", "alertname=RecessNotPausedInWindow"][..],
            "page",
        ),
        (&["severity=ticket", "alertname=RecessClockSkew"], "ticket"),
        (&["severity=info", "alertname=RecessConsumerPaused"], "none"),
        (&["alertname=WithoutSeverity"], "ticket"),
    ];
    for (labels, receiver) in routes {
        let start = ["config", "routes", "test", "--config.file=alertmanager.yml"];
        let verify = format!("--verify.receivers={receiver}");
        let arguments = [&start[..], &[&verify], labels].concat();
        run("amtool", &arguments, &examples());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
async fn promtool_finds_nothing_in_the_metrics() {
    let server = Server::start(Default::default()).unwrap();
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    let recess = Recess::start(&config).await;
    let paused = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(10)).await;
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("metrics");
    fs::write(&page, recess.metrics().await).unwrap();
    let page = File::open(page).unwrap();
    let output = run_on(
        page.into(),
        "promtool",
        &["check", "metrics"],
        folder.path(),
    );
    assert!(output.stderr.is_empty(), "{output:?}");
}
