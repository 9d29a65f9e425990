//! A consumer that should be paused and is not: its own alert pages, and nothing holds back the one on its lag.

use std::fs;
use std::sync::Arc;

use async_nats::ConnectOptions;
use serde_json::json;

use crate::dashboard;
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, secs, until};
use crate::watch::Watch;

const MESSAGES_OVER_THRESHOLD: usize = 1100;

/// recess's user, who may look at everything, and one who may do everything.
fn server_config(pause: &str) -> String {
    format!(
        "authorization {{ users: [
            {{ user: app, password: app }}
            {{ user: recess, password: s3cret, permissions: {{
                publish: [ \"$JS.API.INFO\", \"$JS.API.STREAM.NAMES\", \"$JS.API.CONSUMER.LIST.*\", {pause:?},
                    \"$JS.API.CONSUMER.INFO.*.*\" ]
                subscribe: [ \"_INBOX.>\", \"$JS.EVENT.ADVISORY.CONSUMER.>\" ]
            }} }}
        ] }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
async fn a_consumer_that_recess_may_not_pause_pages_and_so_does_its_lag_until_it_may() {
    let server = Server::start(Options {
        config: server_config("$JS.API.CONSUMER.PAUSE.OTHER.*"),
        ..Default::default()
    });
    let server = Arc::new(server.unwrap());
    let options = ConnectOptions::with_user_and_password("app".into(), "app".into());
    let account = Account::connect_with(&server.url(), options).await;
    account.stream("ORDERS").await;
    for (path, metadata) in [
        ("ORDERS/billing", json!({ "team": "billing" })),
        ("ORDERS/audit", json!({ "recess.exempt": "true" })),
    ] {
        let metadata = json!({ "metadata": metadata });
        account.consumer_with(path, metadata).await;
    }
    account.publish("ORDERS", MESSAGES_OVER_THRESHOLD).await;
    let files = tempfile::tempdir().unwrap();
    let password = files.path().join("password");
    fs::write(&password, "s3cret").unwrap();
    let config = Config::new([server.url()])
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &password)
        .set(r#"controller.resync = "1s""#)
        .set(r#"defaults.exempt = "recess.exempt""#)
        .window("audit", &["ORDERS/audit"], Span::opening_in(3_600, 600))
        .window("night", &["ORDERS/billing"], Span::open_for(600))
        .also(r#"where = { team = "billing" }"#);
    let recess = Recess::start(&config).await;
    let watch = Watch::over(&server, &recess).await;

    let told = watch
        .until_told("RecessNotPausedInWindow", "billing", true)
        .await;
    assert_eq!(told.receiver, "page");
    assert_eq!(told.labels["job"], "recess");
    watch
        .until_told("JetStreamConsumerLag", "billing", true)
        .await;

    // It may now, tries again within the minute, and the lag is excused from then on.
    server.reload(&server_config("$JS.API.CONSUMER.PAUSE.*.*"));
    recess.reload(&config);
    watch
        .until_told("RecessNotPausedInWindow", "billing", false)
        .await;
    assert!(account.look("ORDERS/billing").await.paused);
    watch
        .until_state("JetStreamConsumerLag", "billing", "suppressed")
        .await;

    // An update by an application drops its metadata, and so the dashboard has something to show.
    let newer = json!({ "description": "version 2" });
    account.consumer_with("ORDERS/billing", newer).await;
    until(
        "it is seen that its labels are lost",
        secs(30),
        async || {
            let lost = watch.query("recess_consumer_labels_lost == 1").await;
            (!lost.is_empty()).then_some(())
        },
    )
    .await;
    dashboard::is_answered(&watch).await;
}
