//! Those who watch recess watch what is there: every metric that the alert rules, their tests, the runbook, the dashboard
//! and the documents name is on the live `/metrics`, every alert has its runbook section and its tests, and the dashboard is
//! whole. (What the rules do in a real Prometheus is held by `tests/monitoring`.)

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::pages::{METRICS, forgetful_world, metrics_with_a_loss, with_an_override};
use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, secs};
use crate::support::world::World;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files of `examples/prometheus` whose names end so, and the text of all of them.
fn prometheus(ending: &str) -> (usize, String) {
    let files = fs::read_dir(path("examples/prometheus")).expect("the examples are there");
    let texts: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| read(&format!("examples/prometheus/{name}")))
        .collect();
    (texts.len(), texts.concat())
}

/// Every metric of recess's own that a text names, histograms without the endings of their series.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let in_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    // A package is called so too, with the version behind.
    let is_metric = |word: &&str| {
        let name = word.strip_prefix("recess_");
        name.is_some_and(|name| !name.starts_with(|c: char| c.is_ascii_digit()))
    };
    (text.split(|c| !in_a_name(c)))
        .filter(is_metric)
        .map(|word| {
            let ending = ["_bucket", "_sum", "_count"]
                .iter()
                .find(|ending| word.ends_with(*ending));
            word.strip_suffix(ending.unwrap_or(&"")).unwrap().to_owned()
        })
        .collect()
}

/// Names that rules give to what they record: they have a colon.
fn recorded(text: &str) -> BTreeSet<&str> {
    let in_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    (text.split(|c| !in_a_name(c)))
        .map(|word| word.trim_matches(':'))
        .filter(|word| word.contains("recess") && word.contains(':'))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_somebody_watches_is_there() {
    let World {
        server,
        account: _account,
    } = forgetful_world(&["ORDERS/billing"]).await;
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    let recess = Recess::start(&with_an_override(config)).await;
    recess
        .until_metric(
            r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#,
            1.0,
            secs(10),
        )
        .await;
    let live = metrics_with_a_loss(&recess).await;
    let declared: BTreeSet<String> = (live.lines())
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| name.starts_with("recess_"))
        .map(str::to_owned)
        .collect();
    let promised: BTreeSet<String> = METRICS
        .iter()
        .map(|name| format!("recess_{name}"))
        .collect();
    assert_eq!(declared, promised, "/metrics and the list in pages.rs");

    let watchers = [
        ("the rules", prometheus(".rules.yml").1, 12),
        ("the rules' tests", prometheus(".test.yml").1, 12),
        ("the runbook", prometheus("RUNBOOK.md").1, 1),
        ("the dashboard", read("examples/grafana/recess.json"), 15),
        (
            "the document",
            read("examples/prometheus/README.md"),
            METRICS.len(),
        ),
        ("the README", read("README.md"), 2),
    ];
    for (who, text, at_least) in watchers {
        let named = metrics_in(&text);
        assert!(named.len() >= at_least, "{who} names only {named:?}");
        let unknown: Vec<_> = named.difference(&declared).collect();
        assert!(
            unknown.is_empty(),
            "{who}: {unknown:?} are not on /metrics:\n{live}"
        );
    }
}

#[test]
fn every_recorded_name_that_is_used_is_recorded() {
    let (_, rules) = prometheus(".rules.yml");
    let recorded_by: BTreeSet<&str> = (rules.lines())
        .filter_map(|line| line.trim().strip_prefix("- record: "))
        .collect();
    assert!(!recorded_by.is_empty());
    for text in [
        rules.clone(),
        prometheus(".test.yml").1,
        prometheus(".md").1,
    ] {
        let unknown: Vec<&str> = recorded(&text).difference(&recorded_by).copied().collect();
        assert!(unknown.is_empty(), "nothing records {unknown:?}");
    }
}

/// Name and text of every alert.
fn alerts(rules: &str) -> Vec<(&str, &str)> {
    let alerts: Vec<_> = (rules.split("- alert: ").skip(1))
        .map(|rest| rest.split_once('\n').unwrap())
        .collect();
    assert!(alerts.len() >= 12, "the rules were not understood");
    alerts
}

#[test]
fn every_alert_has_a_section_in_the_runbook_and_every_section_an_alert() {
    let (_, rules) = prometheus(".rules.yml");
    let (_, runbook) = prometheus("RUNBOOK.md");
    let sections: Vec<(&str, &str)> = (runbook.split("\n## ").skip(1))
        .map(|section| section.split_once('\n').unwrap())
        .collect();
    for (name, text) in alerts(&rules) {
        for key in ["severity: ", "summary: ", "description: "] {
            assert_eq!(text.matches(key).count(), 1, "{name} has one {key}");
        }
        let anchor = format!(
            "runbook_url: examples/prometheus/RUNBOOK.md#{}\n",
            name.to_lowercase()
        );
        assert!(text.contains(&anchor), "{name} has no {anchor}");
        let section = sections.iter().find(|(title, _)| *title == name);
        let (_, section) = section.unwrap_or_else(|| panic!("the runbook has no section {name}"));
        for part in ["**Means:** ", "**Check:** ", "**Do:** "] {
            assert!(section.contains(part), "{name} lacks {part}");
        }
    }
    let names: BTreeSet<&str> = alerts(&rules).iter().map(|(name, _)| *name).collect();
    let titles: BTreeSet<&str> = sections.iter().map(|(title, _)| *title).collect();
    assert_eq!(names, titles);
}

/// promtool holds what the tests say; this holds that there are some, both ways, for each alert.
#[test]
fn every_alert_has_tests_that_it_fires_and_that_it_ends() {
    let (_, rules) = prometheus(".rules.yml");
    let (files, tests) = prometheus(".rules.test.yml");
    assert!(files >= 3);
    for (name, _) in alerts(&rules) {
        let of_it: Vec<&str> = (tests.split("  - name: ").skip(1))
            .filter(|test| test.lines().next().unwrap().contains(name))
            .collect();
        assert!(!of_it.is_empty(), "no test is named after {name}");
        for test in of_it {
            let fires = format!("ALERTS{{alertname=\"{name}\", alertstate=\"firing\"");
            let looks: Vec<usize> = (test.split("eval_time: ").skip(1))
                .map(|look| look.matches(&fires).count())
                .collect();
            let most = *looks.iter().max().unwrap();
            assert!(most > 0, "{name} never fires in its test");
            assert!(looks[0] < most, "{name} is not seen before it fires");
            let last = looks.last().unwrap();
            assert!(*last < most, "{name} is not seen to end");
        }
    }
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(&read("examples/grafana/recess.json")).unwrap();
    let source = "${datasource}";
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(variables[0]["name"], "datasource");
    assert_eq!(variables[0]["type"], "datasource");
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 12);
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_empty(), "{panel}");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id");
        assert_eq!(panel["datasource"]["uid"], source, "{title}");
        kinds.insert(panel["type"].as_str().unwrap());
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} asks for nothing");
        let mut refs = BTreeSet::new();
        for target in targets {
            assert_eq!(target["datasource"]["uid"], source, "{title}");
            assert!(refs.insert(target["refId"].as_str().unwrap()), "{title}");
            let query = target["expr"].as_str().unwrap();
            assert!(!metrics_in(query).is_empty(), "{title}: {query}");
        }
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            assert!(x < 24, "{title} is wider than the page");
            for y in place("y")..place("y") + place("h") {
                assert!(places.insert((x, y)), "{title} covers another panel");
            }
        }
    }
    for kind in ["state-timeline", "heatmap", "timeseries", "stat", "table"] {
        assert!(kinds.contains(kind), "no panel is a {kind}");
    }
}

/// Metrics with a series for each consumer; those that are left of their prefix count by stream.
fn rests_on_consumers(text: &str) -> bool {
    let recorded = "recess_consumer_held";
    text.contains(recorded)
        || metrics_in(text).iter().any(|name| {
            name.starts_with("recess_consumer_") && name != "recess_consumer_passed_over"
        })
}

#[test]
fn the_document_names_the_alerts_that_rest_on_series_of_consumers() {
    let document = read("examples/prometheus/README.md");
    let row = |setting: &str| -> BTreeSet<String> {
        let start = format!("| `\"{setting}\"` | ");
        let line = document.lines().find(|line| line.starts_with(&start));
        let words = line.expect("a row").split('`').map(str::to_owned);
        words.filter(|word| word.starts_with("Recess")).collect()
    };
    let (_, rules) = prometheus("recess.rules.yml");
    let resting = alerts(&rules).into_iter();
    let resting: BTreeSet<String> = resting
        .filter(|(_, text)| rests_on_consumers(text))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(resting.len() > 8, "the rules were not understood");
    let some = row("notable");
    assert_eq!(&row("none") | &some, resting);
    assert!(row("all").is_empty());
    // It wants consumers that are as they should be: `report::row::tests` holds that no other does.
    assert_eq!(some, ["RecessConsumerPaused".to_owned()].into());
}
