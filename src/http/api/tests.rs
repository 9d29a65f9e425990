use super::*;
use crate::jetstream::{Link, RequestError, Server};
use crate::report::example;

const CONFIG: &str = r#"
    [[window]]
    name      = "nightly-vacuum"
    consumers = ["ORDERS/*"]
    schedule  = "30 1 * * *"
    duration  = "2h"

    [[window]]
    name      = "minutes"
    consumers = ["ORDERS/*"]
    schedule  = "* * * * *"
    duration  = "30s"
"#;

fn policy() -> Policy {
    let parsed = crate::config::parse("recess.toml".as_ref(), CONFIG);
    Policy::clone(&parsed.expect("a good config").policy)
}

fn now() -> Timestamp {
    "2026-12-01T02:30:00Z".parse().unwrap()
}

fn ask(query: &str) -> Result<Vec<serde_json::Value>, String> {
    let answer = PlanQuery::parse(Some(query)).and_then(|query| plan(&policy(), &query, now()));
    match answer {
        Ok(Json(text)) => Ok(serde_json::from_slice(&text).unwrap()),
        Err(Refusal { status, why }) => {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{why}");
            Err(why)
        }
    }
}

#[test]
fn a_plan_is_of_the_week_ahead_unless_another_span_is_asked_for() {
    for (query, count, first) in [
        ("window=nightly-vacuum", 8, "2026-12-01T01:30:00Z"),
        (
            "window=nightly-vacuum&from=2026-12-24T00:00:00Z",
            7,
            "2026-12-24T01:30:00Z",
        ),
        (
            "window=nightly-vacuum&until=2026-12-02T12:00:00%2B01:00",
            2,
            "2026-12-01T01:30:00Z",
        ),
        (
            "window=nightly-vacuum&window=minutes&until=2026-12-01T02:32:00Z",
            3,
            "2026-12-01T01:30:00Z",
        ),
        (
            "from=2026-12-01T12:00:30Z&until=2026-12-01T12:00:59Z",
            0,
            "",
        ),
    ] {
        let rows = ask(query).unwrap();
        assert_eq!(rows.len(), count, "{query}: {rows:?}");
        let opens = rows
            .first()
            .map_or("", |row| row["opens"].as_str().unwrap());
        assert_eq!(opens, first, "{query}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_parameter_and_the_fix() {
    let table = [
        (
            "from=2026-12-01T00:00:00",
            "parameter `from`: it has no zone: write 2026-12-01T00:00:00Z for UTC, or an offset as in \
             2026-12-01T00:00:00+01:00",
        ),
        (
            "until=2026-12-01T00:00:00+01:00",
            "parameter `until`: there is no such day, time or offset: write an instant as in \
             2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00; in an address write + as %2B",
        ),
        (
            "until=2026-12-01T02:30:00Z",
            "parameter `until`: it must be later than `from`",
        ),
        (
            "until=2028-01-06T02:30:00Z",
            "parameter `until`: it must be at most 400 days after `from`; `recess plan` has no limit",
        ),
        (
            "until=2026-12-20T00:00:00Z",
            "parameter `until`: there are more than 10000 openings before it: choose an earlier one, \
             or one `window`",
        ),
        (
            "window=nightly-vaccum",
            "parameter `window`: there is no window `nightly-vaccum`: did you mean `nightly-vacuum`?",
        ),
        (
            "window=a%1b",
            "parameter `window`: there is no window `a\\u{1b}`: `recess plan` lists them",
        ),
        (
            "to=2026-12-20T00:00:00Z",
            "parameter `to`: no such parameter: here it can be `from`, `until`, `window`",
        ),
    ];
    for (query, expected) in table {
        assert_eq!(ask(query).unwrap_err(), expected, "{query}");
    }
}

#[test]
fn what_the_server_was_not_asked_is_not_shown() {
    let unavailable = |answer: Result<Json, Refusal>| {
        let Refusal { status, why } = answer.unwrap_err();
        (status.as_u16(), why)
    };
    let mut report = example::report("test");
    report.policy = std::sync::Arc::new(policy());
    let missing = overrides(&report, now()).unwrap_err();
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    report.overrides = Some(example::bucket(Vec::new()));
    let not_connected = (503, "not connected yet".to_owned());
    assert_eq!(unavailable(status(&report)), not_connected);
    assert_eq!(unavailable(overrides(&report, now())), not_connected);

    report.link = Link::Up(Server {
        version: "2.15.1".into(),
        address: "nats-1:4222".into(),
        connects: 1,
        crash_prone: false,
        denied: Default::default(),
    });
    let why = "connected, but the consumers have not been observed yet".to_owned();
    assert_eq!(unavailable(status(&report)), (503, why));
    assert_eq!(
        overrides(&report, now()),
        Json::of(std::iter::empty::<()>())
    );
    for (state, why) in [
        (BucketState::Unasked, "the overrides have not been read yet"),
        (
            BucketState::Missing,
            "bucket recess does not exist: make it with `recess overrides create`",
        ),
        (
            BucketState::Failed(BucketError::Request(RequestError::Cut)),
            "the connection was lost",
        ),
    ] {
        report.overrides.as_mut().unwrap().state = state;
        let (status, said) = unavailable(overrides(&report, now()));
        assert_eq!(status, 503);
        assert!(said.starts_with(why), "{said}");
    }
}
