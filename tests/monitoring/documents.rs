//! The expressions that `examples/prometheus/README.md` gives to those who have alerts of their own, played through by promtool.

use std::fs;

use crate::support::documents;
use crate::tools::run;

/// The document's blocks of PromQL.
fn snippets() -> Vec<String> {
    let found = documents::read("examples/prometheus/README.md").blocks("promql");
    assert_eq!(found.len(), 1);
    found
}

/// A consumer lags throughout. It is paused from 30m to 60m, and recess is restarted at 45m; another one is never paused.
const SCENE: &str = r#"
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'jetstream_consumer_num_pending{stream_name="ORDERS", consumer_name="billing", is_consumer_leader="true"}', values: 2000x120 }
      - { series: 'jetstream_consumer_num_pending{stream_name="ORDERS", consumer_name="audit", is_consumer_leader="true"}', values: 2000x120 }
      - { series: 'jetstream_consumer_num_pending{stream_name="ORDERS", consumer_name="calm", is_consumer_leader="true"}', values: 1x120 }
      - { series: 'recess_consumer_paused{stream_name="ORDERS", consumer_name="billing"}', values: 0x29 1x14 stale _ 1x13 0x60 }
      - { series: 'recess_consumer_paused{stream_name="ORDERS", consumer_name="audit"}', values: 0x120 }
    promql_expr_test:
"#;

#[test]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
fn the_expression_in_the_document_mutes_lag_while_paused_and_a_quarter_of_an_hour_longer() {
    for snippet in snippets() {
        let mut rules = "groups: [{ name: mine, rules: [{ alert: MyLag, expr: ".to_owned();
        rules += &serde_json::to_string(&snippet).unwrap();
        rules += " }] }]\n";
        let mut test = SCENE.to_owned();
        let both = ["audit", "billing"];
        for (minute, firing) in [
            (29, &both[..]),
            (31, &both[..1]),
            (46, &both[..1]),
            (59, &both[..1]),
            (73, &both[..1]),
            (76, &both[..]),
        ] {
            let samples: Vec<String> = (firing.iter())
                .map(|consumer| {
                    format!("{{ labels: '{{consumer_name=\"{consumer}\"}}', value: 1 }}")
                })
                .collect();
            test += &format!(
                "      - {{ eval_time: {minute}m, expr: 'count by (consumer_name) (ALERTS{{alertstate=\"firing\"}})', exp_samples: [{}] }}\n",
                samples.join(", ")
            );
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules.yml"), rules).unwrap();
        fs::write(folder.path().join("test.yml"), test).unwrap();
        run("promtool", &["test", "rules", "test.yml"], folder.path());
    }
}
