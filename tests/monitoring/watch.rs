//! Prometheus and Alertmanager with the very files of `examples/prometheus`, but for ports and times.

use std::fs;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::pager::{LagPage, Pager, Told};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs, until};
use crate::tools::{Daemon, examples, free_port, named};

/// The time to catch up, in place of 15 minutes.
pub const CATCH_UP: i64 = 10;

pub struct Watch {
    prometheus: Daemon,
    alertmanager: Daemon,
    pager: Pager,
    _lag: LagPage,
    _files: tempfile::TempDir,
}

impl Watch {
    pub async fn over(server: &Arc<Server>, recess: &Recess) -> Self {
        let (pager, lag) = (Pager::start().await, LagPage::of(server).await);
        let (ours, theirs) = (free_port(), free_port());
        let files = tempfile::Builder::new()
            .prefix("recess-watch-")
            .tempdir()
            .unwrap();
        // What is not the same as in the file: (file, as it stands there, here). Every line is found, or the test fails.
        let catch_up = format!("{CATCH_UP}s");
        let address = |port: u16| format!("127.0.0.1:{port}");
        let changes = [
            ("recess.rules.yml", "15m]", format!("{catch_up}]")),
            ("consumer-lag.rules.yml", "for: 5m", "for: 1s".into()),
            ("prometheus.yml", "interval: 15s", "interval: 1s".into()),
            ("prometheus.yml", "127.0.0.1:9093", address(theirs)),
            ("prometheus.yml", "127.0.0.1:7778", address(recess.port())),
            ("prometheus.yml", "127.0.0.1:7777", address(lag.port)),
            (
                "alertmanager.yml",
                "group_wait: 15s",
                "group_wait: 1s".into(),
            ),
            (
                "alertmanager.yml",
                "group_interval: 1m",
                "group_interval: 1s".into(),
            ),
            ("alertmanager.yml", "127.0.0.1:9094", address(pager.port)),
        ];
        let mut changed = 0;
        for name in named(".yml") {
            let mut text = fs::read_to_string(examples().join(&name)).unwrap();
            for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
                assert!(text.contains(from), "{name} has no {from}");
                text = text.replace(from, to);
                changed += 1;
            }
            fs::write(files.path().join(&name), text).unwrap();
        }
        assert_eq!(changed, changes.len());

        let alertmanager = Daemon::start(
            "prometheus-alertmanager",
            &[
                "--config.file=alertmanager.yml",
                "--storage.path=alertmanager",
                "--cluster.listen-address=",
                &format!("--web.listen-address={}", address(theirs)),
            ],
            files.path(),
            theirs,
        )
        .await;
        let prometheus = Daemon::start(
            "prometheus",
            &[
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=prometheus",
                &format!("--web.listen-address={}", address(ours)),
            ],
            files.path(),
            ours,
        )
        .await;
        Self {
            prometheus,
            alertmanager,
            pager,
            _lag: lag,
            _files: files,
        }
    }

    pub fn told(&self) -> Vec<Told> {
        self.pager.told()
    }

    /// Waits for the pager to be told of an alert on a consumer of `ORDERS`, or of its end.
    pub async fn until_told(&self, alert: &str, consumer: &str, firing: bool) -> Told {
        let what = format!("{alert} on {consumer} is told, firing: {firing}");
        until(&what, secs(60), async || {
            let mut told = self.told().into_iter();
            told.find(|told| told.is(alert, consumer) && told.firing == firing)
        })
        .await
    }

    /// Whether that alert fires in Prometheus, whatever becomes of it.
    pub async fn fires(&self, alert: &str, consumer: &str) -> bool {
        let answer = self.prometheus.ask("/api/v1/alerts").await;
        let alerts = answer["data"]["alerts"].as_array().unwrap().clone();
        alerts
            .iter()
            .any(|one| one["state"] == "firing" && of(&one["labels"], alert, consumer))
    }

    /// The series that Prometheus answers an expression with.
    pub async fn query(&self, expression: &str) -> Vec<Value> {
        let expression = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let path = format!("/api/v1/query?query={expression}");
        let answer = self.prometheus.ask(&path).await;
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// The state in which Alertmanager has that alert: `active`, `suppressed`.
    pub async fn state(&self, alert: &str, consumer: &str) -> Option<String> {
        let answer = self.alertmanager.ask("/api/v2/alerts").await;
        let alerts = answer.as_array().unwrap();
        let one = alerts
            .iter()
            .find(|one| of(&one["labels"], alert, consumer))?;
        let state = &one["status"]["state"];
        let inhibited = one["status"]["inhibitedBy"].as_array().unwrap();
        assert_eq!(state == "suppressed", !inhibited.is_empty(), "{one}");
        Some(state.as_str()?.to_owned())
    }

    pub async fn until_state(&self, alert: &str, consumer: &str, state: &str) {
        let what = format!("Alertmanager has {alert} on {consumer} as {state}");
        until(&what, secs(30), async || {
            (self.state(alert, consumer).await? == state).then_some(())
        })
        .await;
    }
}

fn of(labels: &Value, alert: &str, consumer: &str) -> bool {
    labels["alertname"] == alert && labels["consumer_name"] == consumer
}
