//! `/metrics`, `/healthz` and `/readyz`, as Prometheus and a load balancer see them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cli::ask;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

/// Every metric that dashboards and alerts may rest on, without the prefix.
pub const METRICS: &[&str] = &[
    "build_info",
    "clock_skew_seconds",
    "config_last_reload_success_timestamp_seconds",
    "config_last_reload_successful",
    "consumer_ack_pending_messages",
    "consumer_contested",
    "consumer_desired_paused",
    "consumer_desired_until_timestamp_seconds",
    "consumer_foreign_pause",
    "consumer_missing",
    "consumer_exempt",
    "consumer_labels_lost",
    "consumer_loss_timestamp_seconds",
    "consumer_lost_messages_total",
    "consumer_orphaned",
    "consumer_passed_over",
    "consumer_pause_until_timestamp_seconds",
    "consumer_paused",
    "consumer_pending_messages",
    "consumer_released",
    "consumer_unconfirmed",
    "consumers",
    "dry_run",
    "events_total",
    "exclusion_last_day_timestamp_seconds",
    "last_pass_timestamp_seconds",
    "list_entries_unreadable",
    "log_lines_lost_total",
    "nats_connected",
    "override_until_timestamp_seconds",
    "overrides",
    "overrides_read_timestamp_seconds",
    "overrides_readable",
    "overrides_unreadable",
    "pass_duration_seconds",
    "passes_total",
    "pause_confirm_seconds",
    "pause_lateness_seconds",
    "repairs_total",
    "requests_total",
    "standby_seconds",
    "takeovers_total",
    "tzdb_info",
    "views_dropped_total",
    "wakeups_total",
    "window_active",
    "window_closes_timestamp_seconds",
    "window_consumers",
    "window_exempt_consumers",
    "window_unmatched_selectors",
    "window_opens_timestamp_seconds",
    "windows_missed_total",
    "windows_unobserved_total",
];

/// Adds what some metrics are there for only: a bucket of overrides with one that applies to a window
/// without consumers, that window's `where`, a key for exempt consumers, a calendar.
pub fn with_an_override(config: Config) -> Config {
    let config = (config.set(r#"overrides.bucket = "recess""#))
        .set(r#"defaults.exempt = "recess.exempt""#)
        .window("other", &["OTHER/*"], Span::opening_in(3_000, 60))
        .also(r#"where = { team = "billing" }"#);
    // Some metrics are about calendars. The only event of this one is years ahead.
    let calendar = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/calendars/far-ahead.ics"
    );
    let exclusion = format!("[[exclusion]]\nname = \"far-ahead\"\ncalendar = {calendar:?}");
    let config = config.also(&exclusion);
    let open = ["open", "other", "--for", "10m", "--author", "alice"];
    for command in [
        &["overrides", "create"][..],
        &[&open[..], &["--reason", "a test"]].concat(),
    ] {
        let (exit, _, err) = ask(&config, command);
        assert_eq!(exit, Some(0), "{err}");
    }
    config
}

/// With these consumers of a stream that drops messages after half a minute, so that a pause of a minute loses some.
pub async fn forgetful_world(consumers: &[&str]) -> World {
    let world = World::new().await;
    let limited = json!({ "max_age": 30_000_000_000_i64 });
    world.account.stream_with("ORDERS", limited).await;
    for path in consumers {
        world.account.consumer(path).await;
    }
    world
}

/// Its metrics once a loss is forecast.
pub async fn metrics_with_a_loss(recess: &Recess) -> String {
    until("a loss is forecast", secs(10), async || {
        let metrics = recess.metrics().await;
        let has_loss = metrics.contains("recess_consumer_loss_timestamp_seconds{");
        has_loss.then_some(metrics)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_have_their_names_and_tell_what_is() {
    let World { server, account } = forgetful_world(&["ORDERS/billing", "ORDERS/shipping"]).await;
    account.publish("ORDERS", 3).await;
    let span = Span::opening_in(2, 60);
    let consumers = ["ORDERS/*", "ORDERS/nobody", "BILLNG/*"];
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .window("night", &consumers, span);
    let config = with_an_override(config);
    let recess = Recess::start(&config).await;
    let series = |metric: &str, consumer: &str| {
        format!("{metric}{{consumer_name={consumer:?},stream_name=\"ORDERS\"}}")
    };
    let of_billing = |metric| series(metric, "billing");
    recess
        .until_metric(&of_billing("consumer_paused"), 1.0, secs(10))
        .await;

    let metrics = metrics_with_a_loss(&recess).await;
    let declared = metrics.lines().filter_map(|line| {
        let name = line.strip_prefix("# TYPE recess_")?;
        name.split(' ').next()
    });
    let declared: BTreeSet<&str> = declared.collect();
    let wanted: BTreeSet<&str> = METRICS.iter().copied().collect();
    let missing: Vec<_> = wanted.difference(&declared).collect();
    assert!(missing.is_empty(), "{missing:?} are not in\n{metrics}");

    let expected = [
        ("nats_connected".to_owned(), 1.0),
        (r#"window_active{window="night"}"#.to_owned(), 1.0),
        (r#"window_consumers{window="night"}"#.to_owned(), 2.0),
        (r#"consumers{state="present"}"#.to_owned(), 2.0),
        (r#"consumers{state="paused"}"#.to_owned(), 2.0),
        (r#"consumers{state="desired_paused"}"#.to_owned(), 3.0),
        (
            r#"window_unmatched_selectors{window="night"}"#.to_owned(),
            1.0,
        ),
        (r#"windows_missed_total{window="night"}"#.to_owned(), 0.0),
        (
            r#"window_closes_timestamp_seconds{window="night"}"#.to_owned(),
            span.closes.as_second() as f64,
        ),
        (
            r#"requests_total{action="pause",result="ok"}"#.to_owned(),
            2.0,
        ),
        (of_billing("consumer_desired_paused"), 1.0),
        (of_billing("consumer_foreign_pause"), 0.0),
        (of_billing("consumer_pending_messages"), 3.0),
        (
            of_billing("consumer_pause_until_timestamp_seconds"),
            span.closes.as_second() as f64,
        ),
        (series("consumer_missing", "nobody"), 1.0),
        ("pause_lateness_seconds_count".to_owned(), 2.0),
        ("pause_confirm_seconds_count".to_owned(), 2.0),
        ("overrides_readable".to_owned(), 1.0),
        (r#"overrides{state="active"}"#.to_owned(), 1.0),
        (r#"overrides{state="idle"}"#.to_owned(), 0.0),
        (
            r#"exclusion_last_day_timestamp_seconds{exclusion="far-ahead"}"#.to_owned(),
            3_728_937_600.0,
        ),
        ("overrides_unreadable".to_owned(), 0.0),
    ];
    for (series, value) in expected {
        assert_eq!(recess.metric(&series).await, Some(value), "{series}");
    }

    account.delete("ORDERS/billing").await;
    until("its series are gone", secs(5), async || {
        (!recess.metrics().await.contains(r#""billing""#)).then_some(())
    })
    .await;
    assert_eq!(
        recess.metric(r#"window_consumers{window="night"}"#).await,
        Some(1.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_connection_and_health_does_not() {
    let mut server = Server::start(Default::default()).unwrap();
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    server.kill();
    let recess = Recess::start(&config).await;
    let page = async |path| recess.get(path).await.unwrap();
    until("it has tried to connect", secs(5), async || {
        recess.log().contains("no connection to NATS").then_some(())
    })
    .await;
    assert_eq!(page("/healthz").await, (200, "ok\n".to_owned()));
    let (status, why) = page("/readyz").await;
    assert_eq!(status, 503);
    assert!(why.starts_with("no connection to NATS: "), "{why}");
    assert_eq!(recess.metric("nats_connected").await, Some(0.0));

    server.restart().unwrap();
    recess.until_ready().await;
    assert_eq!(recess.metric("nats_connected").await, Some(1.0));

    server.kill();
    until("it is not ready", secs(5), async || {
        (page("/readyz").await.0 == 503).then_some(())
    })
    .await;
    assert_eq!(page("/healthz").await, (200, "ok\n".to_owned()));
    server.restart().unwrap();
    recess.until_ready().await;
    assert_eq!(page("/nowhere").await.0, 404);
}

#[test]
fn the_document_has_a_row_for_every_metric_and_no_other() {
    let document = include_str!("../../examples/prometheus/README.md");
    let rows: BTreeSet<&str> = (document.lines())
        .filter_map(|line| line.strip_prefix("| `recess_")?.split('`').next())
        .collect();
    assert_eq!(rows, METRICS.iter().copied().collect());
}
