//! The names of all metrics are held by `tests/wire/pages.rs`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use crate::calendar::Occurrence;
use crate::changes::changes;
use crate::config;
use crate::consumer::example::observation;
use crate::consumer::{ConsumerId, Found, Mark, Observation, PauseState};
use crate::jetstream::{Link, RequestError, Server};
use crate::policy::{Desired, WindowSet};
use crate::report::example;
use crate::report::{Act, Blank, Burst, Pass, Row, WindowState};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn mark() -> Mark {
    Mark::of_instance("default")
}

fn paused(until: Timestamp) -> Found {
    let remaining = SignedDuration::from_secs(3600);
    Found::Present(Observation {
        pending: 17,
        ack_pending: 3,
        ..observation(PauseState::Paused { until, remaining })
    })
}

/// The one window of these tests.
fn windows() -> WindowSet {
    let toml = "[[window]]\nname = \"nightly\"\nconsumers = [\"ORDERS/*\"]\nschedule = \"@daily\"\nduration = \"1h\"\n";
    let config = config::parse(Path::new("test.toml"), toml).expect("a config");
    config.policy.windows().iter().cloned().collect()
}

fn row(found: Found) -> Row {
    Row {
        desired: Desired::Paused(at("2026-12-01T03:00:00Z")),
        ..Row::undecided(windows(), found, Duration::ZERO)
    }
}

fn report(rows: BTreeMap<ConsumerId, Row>) -> Arc<Report> {
    let occurrence = |opens: &str, closes: &str| Occurrence {
        opens: at(opens),
        closes: at(closes),
        shift: None,
    };
    let id = ConsumerId::new("ORDERS", "billing");
    let error = RequestError::Denied {
        subject: "s".to_owned(),
    };
    let act = |result: Result<(), RequestError>| Act {
        result: result.map_err(Box::new),
        lateness: Some(SignedDuration::from_millis(3)),
        ..example::pause(&id)
    };
    Arc::new(Report {
        at: at("2026-12-01T02:00:00Z"),
        link: Link::Up(Server {
            version: "2.15.1".to_owned(),
            address: "nats://127.0.0.1:4222".to_owned(),
            connects: 1,
            crash_prone: false,
            denied: Default::default(),
        }),
        skew: Some(SignedDuration::from_millis(-90)),
        smooth_skew: Some(SignedDuration::from_millis(-20)),
        pass: Some(Pass {
            wake: Wake::Edge,
            took: Duration::from_millis(4),
            acts: vec![act(Ok(())), act(Err(error))],
            confirmed: vec![SignedDuration::from_millis(9)],
            ..example::full_pass()
        }),
        rows: rows.into_iter().collect(),
        windows: vec![WindowState {
            name: "nightly".into(),
            open: Some(occurrence("2026-12-01T01:00:00Z", "2026-12-01T03:00:00Z")),
            next: Some(occurrence("2026-12-02T01:00:00Z", "2026-12-02T03:00:00Z")),
            consumers: 1,
            exempt: 0,
            unmatched: Some(["BILLNG/*".into()].into()),
            blank: Some(Blank::Missed),
        }],
        ..example::report("default")
    })
}

/// Takes in a report alone.
fn observe(metrics: &Metrics, report: &Arc<Report>) {
    metrics.observe(report, &changes(None, report));
    metrics.show(report.kept());
}

fn rendered(metrics: &Metrics) -> String {
    let mut exposition = metrics.expose().unwrap();
    let mut text = Vec::new();
    let mut turn = Vec::new();
    while exposition.turn(&mut turn) {
        text.append(&mut turn);
    }
    text.append(&mut turn);
    String::from_utf8(text).unwrap()
}

/// Every line is checked whole, so that a value or a label that goes astray is seen.
fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            text.lines().any(|found| found == *line),
            "no line `{line}` in:\n{text}"
        );
    }
}

#[test]
fn a_report_is_shown_whole() {
    let metrics = Metrics::new().unwrap();
    let config = config::parse(Path::new("recess.toml"), "instance = 'a'").unwrap();
    metrics.loaded(&config, at("2026-12-01T00:00:00Z"));
    let ours = ConsumerId::new("ORDERS", "billing");
    let theirs = ConsumerId::new("ORDERS", "shipping");
    let rows = [
        (ours, row(paused(mark().stamp(at("2026-12-01T03:00:00Z"))))),
        (theirs, row(paused(at("2026-12-01T09:00:00Z")))),
        (ConsumerId::new("ORDERS", "gone"), row(Found::Missing)),
        (ConsumerId::new("ORDERS", "dark"), row(Found::Unknown)),
    ];
    observe(&metrics, &report(rows.into()));
    let text = rendered(&metrics);
    assert_lines(
        &text,
        &[
            r#"recess_consumer_paused{consumer_name="billing",stream_name="ORDERS"} 1"#,
            r#"recess_consumer_foreign_pause{consumer_name="billing",stream_name="ORDERS"} 0"#,
            r#"recess_consumer_foreign_pause{consumer_name="shipping",stream_name="ORDERS"} 1"#,
            // Without the mark.
            r#"recess_consumer_pause_until_timestamp_seconds{consumer_name="billing",stream_name="ORDERS"} 1796094000"#,
            r#"recess_consumer_desired_until_timestamp_seconds{consumer_name="billing",stream_name="ORDERS"} 1796094000"#,
            r#"recess_consumer_missing{consumer_name="gone",stream_name="ORDERS"} 1"#,
            r#"recess_consumer_paused{consumer_name="gone",stream_name="ORDERS"} 0"#,
            r#"recess_consumer_pending_messages{consumer_name="billing",stream_name="ORDERS"} 17"#,
            r#"recess_consumer_ack_pending_messages{consumer_name="billing",stream_name="ORDERS"} 3"#,
            r#"recess_window_active{window="nightly"} 1"#,
            // The next opening; the close of the one that is open.
            r#"recess_window_opens_timestamp_seconds{window="nightly"} 1796173200"#,
            r#"recess_window_closes_timestamp_seconds{window="nightly"} 1796094000"#,
            r#"recess_windows_missed_total{window="nightly"} 1"#,
            r#"recess_requests_total{action="pause",result="ok"} 1"#,
            r#"recess_requests_total{action="pause",result="denied"} 1"#,
            r#"recess_passes_total{result="ok"} 1"#,
            r#"recess_wakeups_total{source="edge"} 1"#,
            "recess_clock_skew_seconds -0.02",
            r#"recess_window_unmatched_selectors{window="nightly"} 1"#,
            &format!(
                r#"recess_tzdb_info{{source="{}",version="{}"}} 1"#,
                config.zone_data.source.as_str(),
                config.zone_data.version
            ),
            "recess_nats_connected 1",
            "recess_dry_run 0",
            "recess_config_last_reload_successful 1",
            "recess_config_last_reload_success_timestamp_seconds 1796083200",
        ],
    );
    // Nothing is claimed of a consumer of which nothing is known.
    assert!(!text.contains(r#"recess_consumer_paused{consumer_name="dark""#));
}

#[test]
fn a_write_of_a_burst_is_counted_as_it_comes_and_once() {
    let metrics = Metrics::new().unwrap();
    let mut whole = report(BTreeMap::new()).as_ref().clone();
    let acts = whole.pass.as_ref().unwrap().acts.clone();
    let under_way = Report {
        pass: None,
        burst: Some(Burst {
            acts: acts[..1].to_vec(),
            done: 1,
            left: 1,
            took: Duration::from_secs(1),
        }),
        ..whole.clone()
    };
    let counted = |result: &str, count: u32| {
        let line = format!(r#"recess_requests_total{{action="pause",result="{result}"}} {count}"#);
        assert_lines(&rendered(&metrics), &[&line]);
    };
    observe(&metrics, &Arc::new(under_way));
    counted("ok", 1);
    counted("denied", 0);
    assert_lines(
        &rendered(&metrics),
        &[r#"recess_passes_total{result="ok"} 0"#],
    );
    whole.pass.as_mut().unwrap().reported = 1;
    observe(&metrics, &Arc::new(whole));
    counted("ok", 1);
    counted("denied", 1);
}

#[test]
fn the_series_of_a_consumer_that_is_gone_are_gone() {
    let metrics = Metrics::new().unwrap();
    let id = ConsumerId::new("ORDERS", "billing");
    observe(&metrics, &report([(id, row(Found::Missing))].into()));
    assert!(rendered(&metrics).contains("billing"));
    observe(&metrics, &report(BTreeMap::new()));
    assert!(!rendered(&metrics).contains("billing"));
}

/// A tail must not look like a pause that lasts too long: an alert tells them apart by this.
#[test]
fn until_when_a_pause_is_wanted_is_shown_in_a_window_and_its_tail_only() {
    let metrics = Metrics::new().unwrap();
    let until = at("2026-12-01T03:05:00Z");
    let of = |desired| Row {
        desired,
        ..row(Found::Unknown)
    };
    let rows = [
        (ConsumerId::new("ORDERS", "tail"), of(Desired::Tail(until))),
        (ConsumerId::new("ORDERS", "free"), of(Desired::Running)),
    ];
    observe(&metrics, &report(rows.into()));
    let text = rendered(&metrics);
    assert_lines(
        &text,
        &[
            r#"recess_consumer_desired_paused{consumer_name="tail",stream_name="ORDERS"} 0"#,
            r#"recess_consumer_desired_until_timestamp_seconds{consumer_name="tail",stream_name="ORDERS"} 1796094300"#,
        ],
    );
    assert!(
        !text.contains(r#"recess_consumer_desired_until_timestamp_seconds{consumer_name="free""#)
    );
}

#[test]
fn counters_read_zero_before_they_count() {
    let text = rendered(&Metrics::new().unwrap());
    assert_lines(
        &text,
        &[
            r#"recess_passes_total{result="error"} 0"#,
            r#"recess_repairs_total{cause="recreated"} 0"#,
            r#"recess_requests_total{action="resume",result="timeout"} 0"#,
            r#"recess_wakeups_total{source="clock"} 0"#,
            "recess_nats_connected 0",
        ],
    );
}

#[test]
fn what_a_window_missed_stays_when_it_is_taken_out_and_goes_on_when_it_comes_back() {
    let metrics = Metrics::new().unwrap();
    let with = |windows: Vec<WindowState>| {
        let report = Report::clone(&report(BTreeMap::new()));
        Arc::new(Report { windows, ..report })
    };
    let nightly = |blank| {
        let mut window = report(BTreeMap::new()).windows[0].clone();
        window.blank = blank;
        with(vec![window])
    };
    let counts = || {
        let text = rendered(&metrics);
        ["missed", "unobserved"].map(|kind| {
            let series = format!("recess_windows_{kind}_total{{window=\"nightly\"}} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&series));
            value.map(|value| value.parse::<u64>().unwrap())
        })
    };
    observe(&metrics, &nightly(None));
    assert_eq!(counts(), [Some(0), Some(0)]);
    observe(&metrics, &nightly(Some(Blank::Missed)));
    observe(&metrics, &nightly(Some(Blank::Unobserved)));
    assert_eq!(counts(), [Some(1), Some(1)]);
    observe(&metrics, &with(Vec::new()));
    assert_eq!(counts(), [Some(1), Some(1)]);
    assert!(!rendered(&metrics).contains("recess_window_active{"));
    observe(&metrics, &nightly(Some(Blank::Missed)));
    assert_eq!(counts(), [Some(2), Some(1)]);
}

#[test]
fn a_counter_that_is_kept_elsewhere_is_read_at_each_scrape() {
    let metrics = Metrics::new().unwrap();
    let [log, sent, lost] = [3, 5, 7].map(|count| Arc::new(AtomicU64::new(count)));
    let shows = |expected: &str| assert!(rendered(&metrics).contains(expected), "{expected}");
    shows("recess_log_lines_lost_total 0\n");
    metrics.show_lost_lines(log.clone());
    metrics.show_events(sent, lost);
    shows("recess_log_lines_lost_total 3\n");
    shows("recess_events_total{result=\"sent\"} 5\n");
    shows("recess_events_total{result=\"lost\"} 7\n");
    log.fetch_add(2, Ordering::Relaxed);
    shows("recess_log_lines_lost_total 5\n");
    shows("recess_log_lines_lost_total 5\n");
}
