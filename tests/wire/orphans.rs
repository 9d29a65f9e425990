//! Consumers that were taken out of the file while recess was down.

use serde_json::Value;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Cluster, Server};
use crate::support::recess::{Recess, command, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";
const MAIL: &str = "EVENTS/mail";
const ORPHANED: &str = r#"consumer_orphaned{consumer_name="shipping",stream_name="ORDERS"}"#;

/// A window holds three consumers of two streams; then recess is stopped, and its file names one of them.
async fn taken_out(urls: Vec<String>, account: &Account, span: Span, setting: &str) -> Config {
    account.durables(&[BILLING, SHIPPING, MAIL]).await;
    let config = || Config::new(urls.clone()).set(setting);
    let before = config().window("night", &["ORDERS/*", "EVENTS/*"], span);
    let mut recess = Recess::start(&before).await;
    until("three are paused", secs(20), async || {
        (recess.total("consumer_paused").await == 3.0).then_some(())
    })
    .await;
    recess.terminate(secs(5)).await;
    config().window("night", &[BILLING], span)
}

fn status(config: &Config) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = config.write(folder.path());
    let output = command(&[
        "status",
        "--config",
        path.to_str().unwrap(),
        "--format",
        "json",
    ]);
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn are_resumed_after_a_resync(urls: Vec<String>) {
    let account = Account::connect(&urls[0]).await;
    let span = Span::open_for(120);
    let config = taken_out(urls, &account, span, r#"controller.resync = "3s""#).await;
    let rows = status(&config);
    let seen: Vec<String> = (rows.iter())
        .map(|row| {
            format!(
                "{} {} {} {}",
                row["consumer"], row["observed"]["state"], row["owner"], row["rule"]
            )
        })
        .collect();
    let expected = [
        r#""mail" "paused" "recess" "orphan-waiting""#,
        r#""billing" "paused" "recess" "paused""#,
        r#""shipping" "paused" "recess" "orphan-waiting""#,
    ];
    assert_eq!(seen, expected);

    let recess = Recess::start(&config).await;
    recess.until_metric(ORPHANED, 1.0, secs(10)).await;
    recess
        .until_log("ORDERS > shipping: paused by recess until")
        .await;
    recess
        .until_log("to keep it paused: recess pause ORDERS/shipping --until")
        .await;
    until("the two run again", secs(20), async || {
        let paused = [SHIPPING, MAIL].map(async |path| account.look(path).await.paused);
        let [shipping, mail] = paused;
        (!shipping.await && !mail.await).then_some(())
    })
    .await;
    assert!(account.is_paused_until(BILLING, span.deadline()).await);
    until("no orphan is shown", secs(10), async || {
        (recess.total("consumer_orphaned").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_resumed_after_a_resync() {
    let server = Server::start(Default::default()).unwrap();
    are_resumed_after_a_resync(vec![server.url()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_resumed_after_a_resync_in_a_cluster() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    are_resumed_after_a_resync(cluster.urls()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_that_the_log_names_keeps_one_paused() {
    let World { server, account } = World::new().await;
    let span = Span::open_for(120);
    let setting = r#"controller.resync = "5s""#;
    let config = taken_out(vec![server.url()], &account, span, setting).await;
    let recess = Recess::start(&config).await;
    let names = "to keep it paused: recess pause ORDERS/shipping --until ";
    recess.until_log(names).await;
    let log = recess.log();
    let until_when = log.split(names).nth(1).unwrap().split_whitespace().next();
    let path = recess.config_path();
    let kept = command(&[
        "pause",
        SHIPPING,
        "--until",
        until_when.unwrap(),
        "--config",
        path.to_str().unwrap(),
    ]);
    assert!(kept.status.success(), "{kept:?}");
    until("the other one runs again", secs(20), async || {
        (!account.look(MAIL).await.paused).then_some(())
    })
    .await;
    recess.until_metric(ORPHANED, 0.0, secs(10)).await;
    let foreign = ORPHANED.replace("orphaned", "foreign_pause");
    assert!(account.look(SHIPPING).await.paused);
    assert_ne!(recess.metric(&foreign).await, Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_of_its_own_recess_only_shows_them() {
    let World { server, account } = World::new().await;
    let span = Span::open_for(120);
    let setting = "controller.resync = \"1s\"\n# instance";
    let config = taken_out(vec![server.url()], &account, span, setting).await;
    let recess = Recess::start(&config).await;
    recess.until_metric(ORPHANED, 1.0, secs(10)).await;
    recess
        .until_log("to resume it: recess resume ORDERS/shipping")
        .await;
    let passes = recess.total("passes_total").await;
    until("some resyncs have passed", secs(20), async || {
        (recess.total("passes_total").await >= passes + 4.0).then_some(())
    })
    .await;
    assert!(account.look(SHIPPING).await.paused);
    let rows = status(&config);
    assert!(rows.iter().any(|row| row["rule"] == "orphan-unnamed"));
}
