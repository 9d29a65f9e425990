use super::*;
use crate::config::parse;
use crate::consumer::ConsumerId;

const CONFIG: &str = r#"
    instance = "prod-eu"

    [[window]]
    name = "night"
    consumers = ["ORDERS/*", "!ORDERS/audit"]
    schedule = "30 1 * * *"
    duration = "2h"
    timezone = "Europe/Zurich"

    [[window]]
    name = "yearly"
    consumers = ["ORDERS/billing"]
    schedule = "0 0 1 1 *"
    duration = "1h"
"#;

fn config() -> Config {
    parse("recess.toml".as_ref(), CONFIG).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn it_shows_the_same_days_all_day_long() {
    let days = (at("2026-11-20T00:00:00Z"), at("2027-01-27T00:00:00Z"));
    for now in [
        "2026-11-27T00:00:00Z",
        "2026-11-27T14:00:00Z",
        "2026-11-27T23:59:59.9Z",
    ] {
        assert_eq!(span(at(now)), days, "{now}");
    }
    assert_eq!(
        span(at("2026-11-28T00:00:00Z")).0,
        at("2026-11-21T00:00:00Z")
    );
}

#[test]
fn each_opening_is_an_event_with_a_name_of_its_own() {
    let config = config();
    let days = span(at("2026-11-27T14:00:00Z"));
    let entries = windows((&config).into(), &[], days);
    let openings: Vec<_> = config.policy.openings(days.0, days.1, &[]).collect();
    assert_eq!((entries.len(), openings.len()), (69, 69));
    for (entry, opening) in entries.iter().zip(&openings) {
        let (opens, closes) = (opening.occurrence.opens, opening.occurrence.closes);
        assert_eq!((entry.begins, entry.ends), (opens, closes));
        assert_eq!(
            entry.uid,
            format!("{}/{opens}@prod-eu.recess", opening.window.name)
        );
        // A text has no date; a file has that of its last change.
        assert_eq!(entry.stamp, Timestamp::UNIX_EPOCH);
    }
    assert_eq!(entries[0].description, "Pauses ORDERS/* !ORDERS/audit");
    let yearly = windows((&config).into(), &["yearly".to_owned()], days);
    assert_eq!(yearly.len(), 1);
}

#[test]
fn a_consumers_pauses_are_joined() {
    let config = config();
    let billing: ConsumerId = "ORDERS/billing".parse().unwrap();
    let new_year = (at("2026-12-31T12:00:00Z"), at("2027-01-01T12:00:00Z"));
    let entries = consumer((&config).into(), &Candidate::named(&billing), new_year);
    let shown: Vec<_> = (entries.iter())
        .map(|one| {
            (
                one.begins.to_string(),
                one.ends.to_string(),
                &*one.description,
            )
        })
        .collect();
    let (from, until) = ("2027-01-01T00:00:00Z", "2027-01-01T02:30:00Z");
    assert_eq!(
        shown,
        [(from.to_owned(), until.to_owned(), "Windows: night, yearly")]
    );
    assert_eq!(entries[0].summary, "ORDERS > billing paused");
}
