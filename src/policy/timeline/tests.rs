use std::path::Path;

use super::*;
use crate::config;

fn policy() -> std::sync::Arc<Policy> {
    let toml = r#"
instance = "test"
[[window]]
name = "hourly"
consumers = ["A/*"]
schedule = "0 */2 * * *"
duration = "5m"
[[window]]
name = "Both"
consumers = ["B/*"]
schedule = "0 4 * * *"
duration = "10m"
"#;
    config::parse(Path::new("test.toml"), toml)
        .expect("a config")
        .policy
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seen<'p>(openings: impl Iterator<Item = Opening<'p>>) -> Vec<(String, &'p str)> {
    openings
        .map(|opening| (opening.row().opens, &*opening.window.name))
        .collect()
}

#[test]
fn openings_come_by_their_beginning_and_then_by_name() {
    let policy = policy();
    let (from, until) = (at("2026-12-01T02:04:00Z"), at("2026-12-01T06:00:00Z"));
    let all = [
        ("2026-12-01T02:00:00Z".to_owned(), "hourly"),
        ("2026-12-01T04:00:00Z".to_owned(), "Both"),
        ("2026-12-01T04:00:00Z".to_owned(), "hourly"),
    ];
    assert_eq!(seen(policy.openings(from, until, &[])), all);
    let only = ["Both".to_owned()];
    assert_eq!(seen(policy.openings(from, until, &only)), all[1..2]);
}

#[test]
fn the_next_opening_is_the_first_of_those_windows() {
    let policy = policy();
    let next = |only: &[String]| {
        let next = policy.next_opening(at("2026-12-01T00:01:00Z"), only);
        seen(next.into_iter())
    };
    assert_eq!(next(&[]), [("2026-12-01T02:00:00Z".to_owned(), "hourly")]);
    assert_eq!(
        next(&["Both".to_owned()]),
        [("2026-12-01T04:00:00Z".to_owned(), "Both")]
    );
    assert_eq!(next(&["neither".to_owned()]), []);
}
