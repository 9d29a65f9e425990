use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::calendar::Occurrence;
use crate::changes::{Change, OverrideChange, Stage as Event, StageKind as Kind, Tracker};
use crate::config;
use crate::consumer::example::observation;
use crate::consumer::{Found, Mark, Observation, PauseState};
use crate::jetstream::RequestError;
use crate::jetstream::{Link, Server};
use crate::policy::{Desired, WindowSet};
use crate::report::example::{self, full_pass};
use crate::report::{Blank, Failure, Report, Row, WindowState};

/// A second of the night on which the window opens at 0 and closes at 3600.
fn at(second: i64) -> Timestamp {
    let midnight: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    midnight + SignedDuration::from_secs(second)
}

fn occurrence(day: i64) -> Occurrence {
    Occurrence {
        opens: at(day * 86_400),
        closes: at(day * 86_400 + 3600),
        shift: None,
    }
}

fn mark() -> Mark {
    Mark::of_instance("prod-eu")
}

fn seen(paused: bool, ack_pending: u64) -> Row {
    let until = mark().stamp(at(3600));
    let remaining = SignedDuration::from_secs(60);
    let state = if paused {
        PauseState::Paused { until, remaining }
    } else {
        PauseState::Running
    };
    row(Found::Present(Observation {
        pending: 5,
        ack_pending,
        ..observation(state)
    }))
}

/// The one window of these tests.
fn windows() -> WindowSet {
    let toml = "[[window]]\nname = \"night\"\nconsumers = [\"ORDERS/*\"]\nschedule = \"@daily\"\nduration = \"1h\"\n";
    let config = config::parse(Path::new("test.toml"), toml).expect("a config");
    config.policy.windows().iter().cloned().collect()
}

fn row(found: Found) -> Row {
    Row {
        desired: Desired::Paused(at(3600)),
        ..Row::undecided(windows(), found, Duration::ZERO)
    }
}

fn up() -> Link {
    Link::Up(Server {
        version: "2.15.1".to_owned(),
        address: "nats://127.0.0.1:4222".to_owned(),
        connects: 1,
        crash_prone: false,
        denied: Default::default(),
    })
}

const INSTANCE: &str = "prod-eu";

/// The events of successive reports.
#[derive(Default)]
struct Events(Tracker);

impl Events {
    /// Those of one more report, of the deployment of that name.
    fn note(&mut self, report: &Report, instance: &str) -> Vec<Event> {
        let report = Report {
            policy: example::report(instance).policy,
            ..report.clone()
        };
        let changes = self.0.follow(&report).into_iter();
        let stages = changes.filter_map(|change| match change {
            Change::Stage(stage) => Some(*stage),
            _ => None,
        });
        stages.collect()
    }
}

/// A report of `night`, whose next occurrence is the one of day 1, with these consumers in it.
fn report(second: i64, rows: &[(&str, Row)]) -> Report {
    let open = Some(occurrence(0)).filter(|one| one.covers(at(second)));
    let rows = rows
        .iter()
        .map(|(name, row)| (ConsumerId::new("ORDERS", *name), row.clone()));
    Report {
        at: at(second),
        link: up(),
        pass: Some(full_pass()),
        rows: rows.collect(),
        windows: vec![WindowState {
            name: "night".into(),
            open,
            next: Some(occurrence(i64::from(second >= 0))),
            consumers: 1,
            exempt: 0,
            blank: None,
            unmatched: None,
        }],
        ..example::report(INSTANCE)
    }
}

fn down(report: Report) -> Report {
    let reason = "the connection was lost".to_owned();
    Report {
        link: Link::Down { reason },
        ..report
    }
}

fn missed(mut report: Report) -> Report {
    report.windows[0].blank = Some(Blank::Missed);
    report
}

/// What is told of each report, by kind and day.
fn told(reports: &[Report]) -> Vec<Vec<(Kind, i64)>> {
    let mut events_of = Events::default();
    let kinds = |event: &Event| {
        let day = event.occurrence.opens.duration_since(at(0)).as_hours() / 24;
        (event.kind, day)
    };
    (reports.iter())
        .map(|report| events_of.note(report, INSTANCE).iter().map(kinds).collect())
        .collect()
}

#[test]
fn an_occurrence_is_told_in_the_order_in_which_it_happens_and_each_thing_once() {
    let (running, busy, quiet) = (seen(false, 2), seen(true, 2), seen(true, 0));
    let told = told(&[
        report(-5, &[("a", running.clone()), ("b", running.clone())]),
        report(0, &[("a", running.clone()), ("b", running.clone())]),
        report(1, &[("a", busy.clone()), ("b", running.clone())]),
        report(2, &[("a", busy.clone()), ("b", quiet.clone())]),
        report(3, &[("a", quiet.clone()), ("b", quiet.clone())]),
        // Somebody resumes one, and it is paused again.
        report(4, &[("a", running.clone()), ("b", quiet.clone())]),
        report(5, &[("a", quiet.clone()), ("b", quiet.clone())]),
        report(3600, &[("a", running.clone()), ("b", running.clone())]),
        report(3601, &[("a", running.clone()), ("b", running)]),
    ]);
    let expected: [&[(Kind, i64)]; 9] = [
        &[],
        &[(Kind::Opened, 0)],
        &[],
        &[(Kind::Paused, 0)],
        &[(Kind::Drained, 0)],
        &[],
        &[],
        &[(Kind::Closed, 0)],
        &[],
    ];
    assert_eq!(told, expected);
}

#[test]
fn paused_and_drained_are_told_only_of_what_was_seen() {
    let unknown = row(Found::Unknown);
    let missing = row(Found::Missing);
    let quiet = seen(true, 0);
    let none = match seen(true, 0).found {
        Found::Present(seen) => row(Found::Present(Observation {
            counted: false,
            floor: 0,
            ..seen
        })),
        _ => unreachable!(),
    };
    let kinds = |rows: &[(&str, Row)]| -> Vec<Kind> {
        let told = told(&[report(1, rows)]);
        told[0].iter().map(|(kind, _)| *kind).collect()
    };
    use Kind::{Drained, Opened, Paused};
    assert_eq!(kinds(&[]), [Opened]);
    assert_eq!(kinds(&[("a", missing.clone())]), [Opened]);
    assert_eq!(kinds(&[("a", quiet.clone()), ("b", unknown)]), [Opened]);
    // It cannot hold a message.
    let there = [("a", quiet.clone()), ("b", missing)];
    assert_eq!(kinds(&there), [Opened, Paused, Drained]);
    // It does not tell what it holds.
    assert_eq!(kinds(&[("a", quiet), ("b", none)]), [Opened, Paused]);
}

#[test]
fn what_happens_without_a_connection_is_told_after_it() {
    let (running, quiet) = (seen(false, 0), seen(true, 0));
    let lost = row(Found::Unknown);
    let told = told(&[
        report(-5, &[("a", running.clone())]),
        down(report(0, &[("a", lost.clone())])),
        report(9, &[("a", running.clone())]),
        report(10, &[("a", quiet)]),
        down(report(3600, &[("a", lost)])),
        report(3700, &[("a", running)]),
    ]);
    let expected: [&[(Kind, i64)]; 6] = [
        &[],
        &[],
        &[(Kind::Opened, 0)],
        &[(Kind::Paused, 0), (Kind::Drained, 0)],
        &[],
        &[(Kind::Closed, 0)],
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_occurrence_that_held_nothing_is_told_also_where_nobody_saw_it() {
    let running = seen(false, 0);
    let rows = [("a", running)];
    let expected: [&[(Kind, i64)]; 3] = [
        &[],
        &[(Kind::Opened, 0)],
        &[(Kind::Closed, 0), (Kind::Missed, 0)],
    ];
    let seen = told(&[
        report(-5, &rows),
        report(0, &rows),
        missed(report(3600, &rows)),
    ]);
    assert_eq!(seen, expected);
    // Slept through, or all of it without a connection.
    let slept = told(&[report(-5, &rows), missed(report(3600, &rows))]);
    assert_eq!(slept[1], [(Kind::Missed, 0)]);
    let cut = told(&[
        report(-5, &rows),
        down(report(0, &rows)),
        missed(down(report(3600, &rows))),
        report(3700, &rows),
    ]);
    assert_eq!(cut[1..], [vec![], vec![], vec![(Kind::Missed, 0)]]);
}

#[test]
fn each_contested_consumer_is_told_once() {
    let given_up = Row {
        contested: true,
        ..seen(false, 0)
    };
    let mut events_of = Events::default();
    events_of.note(
        &report(1, &[("a", seen(true, 0)), ("b", seen(true, 0))]),
        INSTANCE,
    );
    let second = report(2, &[("a", given_up.clone()), ("b", seen(true, 0))]);
    let events = events_of.note(&second, INSTANCE);
    let ids: Vec<String> = events.iter().map(id).collect();
    assert_eq!(
        ids,
        ["prod-eu/night/2026-12-01T00:00:00Z/contested/ORDERS/a"]
    );
    assert_eq!(events_of.note(&second, INSTANCE), []);
    let third = report(3, &[("a", given_up.clone()), ("b", given_up)]);
    assert_eq!(events_of.note(&third, INSTANCE).len(), 1);
}

#[test]
fn a_window_that_is_taken_out_closes_and_a_dry_run_tells_nothing() {
    let mut events_of = Events::default();
    events_of.note(&report(1, &[]), INSTANCE);
    let empty = Report {
        windows: Vec::new(),
        ..report(2, &[])
    };
    let events = events_of.note(&empty, INSTANCE);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind, events[0].late()),
        (Kind::Closed, SignedDuration::ZERO)
    );
    assert_eq!(events_of.note(&empty, INSTANCE), []);
    let dry = Report {
        dry_run: true,
        ..report(1, &[])
    };
    assert_eq!(events_of.note(&dry, INSTANCE), []);
}

#[test]
fn the_message_is_a_cloud_event_and_its_id_is_the_same_for_everybody() {
    let mut one = Events::default();
    let mut other = Events::default();
    other.note(&report(-5, &[]), INSTANCE);
    let rows = [("a", seen(true, 2)), ("b", seen(true, 0))];
    let first = one.note(&report(2, &rows), INSTANCE);
    let second = other.note(&report(3, &rows), INSTANCE);
    let ids = |events: &[Event]| -> Vec<String> { events.iter().map(id).collect() };
    assert_eq!(ids(&first), ids(&second));

    let told: Value = serde_json::from_slice(&to_json(&first[1])).unwrap();
    assert_eq!(
        told,
        json!({
            "specversion": "1.0",
            "id": "prod-eu/night/2026-12-01T00:00:00Z/paused",
            "source": "/recess/prod-eu",
            "type": "recess.window.paused",
            "subject": "night",
            "time": "2026-12-01T00:00:02.000Z",
            "datacontenttype": "application/json",
            "data": {
                "window": "night",
                "opens": "2026-12-01T00:00:00Z",
                "closes": "2026-12-01T01:00:00Z",
                "consumers": ["ORDERS/a", "ORDERS/b"],
                "counts": {
                    "consumers": 2, "paused": 2, "foreign": 0, "released": 0, "missing": 0, "unknown": 0, "uncounted": 0,
                    "in_flight": 2, "pending": 10,
                },
                "late_ms": 2000,
            },
        })
    );
}

#[test]
fn names_become_tokens_of_the_subject_and_parts_of_a_uri() {
    let mut events_of = Events::default();
    let mut report = report(1, &[]);
    report.windows[0].name = "a b.c*>\u{e4}/d".into();
    let events = events_of.note(&report, "blue/green eu");
    let subject = subject(&events[0], "recess.events");
    assert_eq!(
        subject,
        "recess.events.blue/green_eu.a_b_c__\u{e4}/d.opened"
    );
    let told: Value = serde_json::from_slice(&to_json(&events[0])).unwrap();
    assert_eq!(told["source"], "/recess/blue%2Fgreen%20eu");
    assert_eq!(told["data"]["window"], "a b.c*>\u{e4}/d");
}

#[test]
fn thousands_of_consumers_fit_into_a_message() {
    let names: Vec<String> = (0..5000).map(|number| format!("{number:0>200}")).collect();
    let rows: Vec<(&str, Row)> = names.iter().map(|name| (&**name, seen(true, 1))).collect();
    let events = Events::default().note(&report(1, &rows), INSTANCE);
    let message = to_json(&events[1]);
    assert!(message.len() < 100_000, "{}", message.len());
    let told: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!(told["data"]["consumers"].as_array().unwrap().len(), 100);
    assert_eq!(told["data"]["counts"]["consumers"], 5000);
}

/// Before anything was looked at, as at a start.
fn blind(second: i64) -> Report {
    Report {
        pass: None,
        ..report(second, &[])
    }
}

fn with_failure(mut report: Report) -> Report {
    let failure = Failure {
        subject: "stream EVENTS".to_owned(),
        stream: None,
        error: RequestError::NotConnected,
    };
    report.pass.as_mut().unwrap().failures.push(failure);
    report
}

#[test]
fn nothing_is_told_before_the_consumers_were_observed() {
    let rows = [("a", seen(true, 0))];
    let mut events_of = Events::default();
    // A start in the window: first there is a connection, then a look.
    assert_eq!(events_of.note(&down(blind(5)), INSTANCE), []);
    assert_eq!(events_of.note(&blind(6), INSTANCE), []);
    let events = events_of.note(&report(7, &rows), INSTANCE);
    let ids: Vec<String> = events.iter().map(id).collect();
    let id = |kind| format!("prod-eu/night/2026-12-01T00:00:00Z/{kind}");
    assert_eq!(ids, [id("opened"), id("paused"), id("drained")]);
    for event in &events {
        assert_eq!(event.consumers.counts.consumers, 1);
        assert_eq!(event.consumers.names, [ConsumerId::new("ORDERS", "a")]);
    }
    // Nor after an outage, where a look shows what came of it.
    let unknown = [("a", row(Found::Unknown))];
    events_of.note(&down(report(8, &unknown)), INSTANCE);
    let reconnected = Report {
        pass: None,
        ..report(3600, &unknown)
    };
    assert_eq!(events_of.note(&reconnected, INSTANCE), []);
    let events = events_of.note(&report(3601, &rows), INSTANCE);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind, events[0].consumers.counts.unknown),
        (Kind::Closed, 0)
    );
}

#[test]
fn a_stream_that_never_answers_keeps_nothing_from_being_told() {
    let rows = [("a", seen(false, 0))];
    let mut events_of = Events::default();
    let first = with_failure(report(1, &rows));
    assert_eq!(events_of.note(&first, INSTANCE), []);
    let second = with_failure(report(6, &rows));
    assert_eq!(events_of.note(&second, INSTANCE).len(), 1);
}

#[test]
fn an_occurrence_that_was_not_observed_is_told_as_such_also_by_one_that_started_in_it() {
    let unobserved = |mut report: Report| {
        report.windows[0].blank = Some(Blank::Unobserved);
        report
    };
    let told = told(&[
        down(blind(1800)),
        unobserved(down(blind(3600))),
        report(3700, &[("a", seen(false, 0))]),
    ]);
    assert_eq!(told, [vec![], vec![], vec![(Kind::Unobserved, 0)]]);
}

#[test]
fn a_new_name_of_the_deployment_ends_what_was_told_under_the_old_one_and_nothing_else() {
    let rows = [("a", seen(true, 1))];
    let ids = |events: Vec<Event>| -> Vec<String> { events.iter().map(id).collect() };
    let mut events_of = Events::default();
    events_of.note(&report(-5, &rows), "blue");
    assert_eq!(events_of.note(&report(-4, &rows), "prod-eu"), []);
    events_of.note(&report(1, &rows), "prod-eu");
    let renamed = ids(events_of.note(&report(2, &rows), "green"));
    assert_eq!(
        renamed,
        [
            "prod-eu/night/2026-12-01T00:00:00Z/closed",
            "green/night/2026-12-01T00:00:00Z/opened",
            "green/night/2026-12-01T00:00:00Z/paused",
        ]
    );
    let closed = ids(events_of.note(&report(3600, &rows), "green"));
    assert_eq!(closed, ["green/night/2026-12-01T00:00:00Z/closed"]);
}

#[test]
fn an_occurrence_that_is_over_names_its_consumers_also_if_it_was_slept_through() {
    let rows = [("a", seen(false, 0)), ("b", seen(false, 0))];
    let over = report(3600, &rows);
    for (during, after, kind) in [
        (Some(report(1, &rows)), over.clone(), Kind::Closed),
        (None, missed(over), Kind::Missed),
    ] {
        let mut events_of = Events::default();
        for report in [Some(report(-5, &rows)), during].into_iter().flatten() {
            events_of.note(&report, INSTANCE);
        }
        let events = events_of.note(&after, INSTANCE);
        let named: Vec<_> = (events.iter())
            .map(|event| (event.kind, event.consumers.names.len()))
            .collect();
        assert_eq!(named, [(kind, 2)]);
    }
}

#[test]
fn a_window_that_is_taken_out_or_renamed_names_its_consumers_as_it_closes() {
    let rows = [("a", seen(true, 1)), ("b", seen(true, 0))];
    let mut events_of = Events::default();
    events_of.note(&report(1, &rows), INSTANCE);
    let mut renamed = report(2, &rows);
    renamed.windows[0].name = "nacht".into();
    let events = events_of.note(&renamed, INSTANCE);
    let closed = (events.iter()).find(|event| event.kind == Kind::Closed);
    let told: Value = serde_json::from_slice(&to_json(closed.unwrap())).unwrap();
    assert_eq!(told["data"]["window"], "night");
    assert_eq!(told["data"]["consumers"], json!(["ORDERS/a", "ORDERS/b"]));
    assert_eq!(told["data"]["counts"]["consumers"], 2);
}

#[test]
fn an_override_that_is_made_is_an_event_with_its_terms() {
    let made = Arc::new(example::close_of_night(7, 100, 200));
    let report = Report {
        at: at(0),
        ..example::report("prod eu")
    };
    let change = Change::Override(OverrideChange::Made(made.clone()));
    let sent = of(&report, &change, "recess.events").unwrap();
    assert_eq!(sent.subject, "recess.events.prod_eu.override.made");
    let event: Value = serde_json::from_slice(&sent.payload).unwrap();
    assert_eq!(event["id"], *sent.id);
    assert_eq!(event["id"], "prod eu/override/alice.7/made");
    assert_eq!(event["source"], "/recess/prod%20eu");
    assert_eq!(event["type"], "recess.override.made");
    assert_eq!(event["subject"], "alice.7");
    assert_eq!(
        event["data"],
        json!({
            "id": "alice.7", "by": "alice", "reason": "tests", "verb": "close", "effect": "run",
            "window": "night", "consumers": null,
            "from": "1970-01-01T00:01:40Z", "until": "1970-01-01T00:03:20Z",
        })
    );
    let ended = Change::Override(OverrideChange::Ended(made.clone()));
    let sent = of(&report, &ended, "recess.events").unwrap();
    assert_eq!(sent.subject, "recess.events.prod_eu.override.ended");
    let gone = Change::Override(OverrideChange::Gone(made.clone()));
    let sent = of(&report, &gone, "recess.events").unwrap();
    assert_eq!(sent.subject, "recess.events.prod_eu.override.undone");
    // What was there before the start is no news.
    let found = Change::Override(OverrideChange::Found(made));
    assert!(of(&report, &found, "recess.events").is_none());
}
