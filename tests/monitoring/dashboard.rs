//! The dashboard's queries, asked of a real Prometheus as Grafana asks them.

use serde_json::Value;

use crate::watch::Watch;

/// Panels that show nothing where nothing is wrong, and no request was sent in the last minute.
const MAY_BE_EMPTY: &[&str] = &[
    "Foreign pauses",
    "Requests",
    "Repairs and missed windows",
    "Passes",
];

/// Prometheus understands every query, and there is something to see.
pub async fn is_answered(watch: &Watch) {
    let text = include_str!("../../examples/grafana/recess.json");
    let dashboard: Value = serde_json::from_str(text).unwrap();
    let mut asked = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let query = query
                .replace("$instance", ".*")
                .replace("$stream", ".*")
                .replace("$__rate_interval", "1m");
            assert!(!query.contains('$'), "{title}: {query}");
            let series = watch.query(&query).await;
            assert!(
                !series.is_empty() || MAY_BE_EMPTY.contains(&title),
                "{title}: nothing answers {query}"
            );
            asked += 1;
        }
    }
    assert!(asked >= 18, "the dashboard was not understood");
}
