//! Connections that break: nothing is sent late, and what is called for happens as soon as the server is back.

use jiff::{Timestamp, ToSpan};

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server, binary_of_version};
use crate::support::proxy::Proxy;
use crate::support::recess::{Recess, complaint_of_status, reach, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";

fn config(server: &Server, span: Span) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], span)
}

async fn until_paused(account: &Account, span: Span) {
    until("the consumer is paused", secs(5), async || {
        let paused = account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
}

/// The connection is back now.
async fn right_soon(account: &Account, span: Span) {
    let back = Timestamp::now();
    until_paused(account, span).await;
    let took = Timestamp::now().duration_since(back);
    assert!(took.as_secs_f64() < 3.0, "paused after {took:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_opened_while_the_server_was_away_is_in_force_when_it_is_back() {
    let World {
        mut server,
        account,
    } = World::with(&[BILLING]).await;
    drop(account);
    let span = Span::opening_in(3, 60);
    let recess = Recess::start(&config(&server, span)).await;
    recess.until_ready().await;
    server.kill();
    recess.until_log("no connection to NATS").await;
    reach(span.opens + 1.second()).await;
    server.restart().unwrap();
    let back = Timestamp::now();
    let account = Account::connect(&server.url()).await;
    until_paused(&account, span).await;
    let took = Timestamp::now().duration_since(back);
    assert!(took.as_secs_f64() < 2.0, "paused after {took:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_with_its_pauses_gets_no_writes() {
    let World {
        mut server,
        account,
    } = World::with(&[BILLING]).await;
    let span = Span::open_for(60);
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span).await;
    server.kill();
    recess.until_log("no connection to NATS").await;
    server.restart().unwrap();
    let account = Account::connect(&server.url()).await;
    let tap = account.tap().await;
    recess.until_ready().await;
    tokio::time::sleep(secs(1)).await;
    assert!(
        account
            .is_paused_until("ORDERS/billing", span.deadline())
            .await
    );
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_taken_out_while_the_server_is_away_ends_its_pauses_when_it_is_back() {
    let World {
        mut server,
        account,
    } = World::with(&[BILLING]).await;
    let span = Span::open_for(60);
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span).await;
    server.stop();
    recess.until_log("no connection to NATS").await;
    recess.reload(&Config::new([server.url()]));
    recess.until_log("config reloaded from").await;
    server.restart().unwrap();
    let account = Account::connect(&server.url()).await;
    until("the consumer runs", secs(8), async || {
        (!account.look(BILLING).await.paused).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_at_the_opening_is_asked_again_when_it_wakes() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::opening_in(3, 60);
    let config = config(&server, span).set(r#"controller.request_timeout = "1s""#);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    reach(span.opens - 1.second()).await;
    server.signal("STOP");
    let timeouts = r#"requests_total{action="pause",result="timeout"}"#;
    recess.until_metric(timeouts, 1.0, secs(5)).await;
    server.signal("CONT");
    until_paused(&account, span).await;
    let tap = account.tap().await;
    recess
        .until_metric(
            r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#,
            1.0,
            secs(8),
        )
        .await;
    // The request that timed out was still in the server's queue: it is seen, not sent again.
    tokio::time::sleep(secs(6)).await;
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_replaced_by_an_unsafe_one_is_left_alone_until_it_is_upgraded() {
    let World {
        mut server,
        account,
    } = World::with(&[BILLING]).await;
    let span = Span::open_for(60);
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span).await;
    let port = Some(server.port());
    server.stop();
    let old = Server::start(Options {
        binary: Some(binary_of_version("2.11.11").unwrap()),
        port,
        ..Default::default()
    })
    .unwrap();
    let account = Account::connect(&old.url()).await;
    account.durable(BILLING).await;
    let tap = account.tap().await;
    recess.until_log("2.11.11").await;
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(why.contains("2.11.11"), "{why}");
    tokio::time::sleep(secs(2)).await;
    assert_eq!(tap.all().len(), 0, "{:#?}", tap.all());

    drop(old);
    server.restart().unwrap();
    recess.until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_jetstream_is_told_and_asked_again() {
    let server = Server::start(Options {
        config: "accounts { APP { users: [{ user: app, password: app }] } }\nno_auth_user: app"
            .to_owned(),
        ..Default::default()
    })
    .unwrap();
    let recess = Recess::start(&config(&server, Span::open_for(60))).await;
    recess.until_log("JetStream not enabled").await;
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(why.contains("JetStream not enabled"), "{why}");
    assert_eq!(recess.complaints().len(), 1, "{:#?}", recess.complaints());
}

/// A proxy before the server, and recess behind it.
async fn behind_proxy(server: &Server, span: Span) -> (Proxy, Recess) {
    let proxy = Proxy::before(server.port()).await;
    let config = Config::new([proxy.url()]).window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    (proxy, recess)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_behind_a_cut_connection_is_repaired_when_it_is_back() {
    let World { server, account } = World::with(&[BILLING]).await;
    account
        .durables(&["ORDERS/shipping", "ORDERS/returns"])
        .await;
    let span = Span::open_for(60);
    let (proxy, recess) = behind_proxy(&server, span).await;
    until_paused(&account, span).await;
    // What was accepted and never seen would be given 5 s to show.
    until("recess has seen them paused", secs(5), async || {
        let paused = recess.total("consumer_paused").await == 3.0;
        (paused && recess.total("consumer_unconfirmed").await == 0.0).then_some(())
    })
    .await;
    proxy.cut();
    recess.until_log("no connection to NATS").await;
    account.resume(BILLING).await;
    let tap = account.tap().await;
    proxy.restore();
    right_soon(&account, span).await;
    recess.until_ready().await;
    let writes = tap.writes();
    assert_eq!(writes.len(), 1, "{writes:#?}");
    assert!(writes[0].subject.ends_with("ORDERS.billing"), "{writes:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_again_and_again_sends_nothing_that_is_not_called_for() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::open_for(60);
    let (proxy, recess) = behind_proxy(&server, span).await;
    until_paused(&account, span).await;
    let tap = account.tap().await;
    for _ in 0..5 {
        proxy.cut();
        recess.until_metric("nats_connected", 0.0, secs(5)).await;
        proxy.restore();
        recess.until_metric("nats_connected", 1.0, secs(5)).await;
    }
    recess.until_ready().await;
    assert!(account.is_paused_until(BILLING, span.deadline()).await);
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    // Each pass at a connect asks once; what is more would be a storm.
    assert!(tap.all().len() <= 10, "{:#?}", tap.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_falls_silent_over_the_opening_delays_the_pause_and_repeats_nothing() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::opening_in(3, 60);
    let (proxy, recess) = behind_proxy(&server, span).await;
    let tap = account.tap().await;
    reach(span.opens - 100.milliseconds()).await;
    proxy.silence();
    let timeouts = r#"requests_total{action="pause",result="timeout"}"#;
    recess.until_metric(timeouts, 1.0, secs(8)).await;
    proxy.restore();
    right_soon(&account, span).await;
    recess.until_ready().await;
    // Past the time after which a request that timed out may be sent again.
    tokio::time::sleep(secs(6)).await;
    assert_eq!(tap.writes().len(), 1, "{:#?}", tap.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_stays_silent_is_found_out_and_the_window_is_in_force_when_it_is_back() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::opening_in(6, 60);
    let (proxy, recess) = behind_proxy(&server, span).await;
    proxy.silence();
    // Nobody tells; unanswered pings do.
    until("recess finds out", secs(30), async || {
        (recess.metric("nats_connected").await == Some(0.0)).then_some(())
    })
    .await;
    reach(span.opens + 1.second()).await;
    proxy.restore();
    right_soon(&account, span).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_jetstream_is_told_and_used_when_it_has_one() {
    let mut server = Server::start(Options {
        without_jetstream: true,
        ..Default::default()
    })
    .unwrap();
    let span = Span::open_for(60);
    let words = format!(
        "connected to {}, but no responder for $JS.API.INFO: JetStream is not enabled for this \
         account",
        server.url()
    );
    assert_eq!(
        complaint_of_status(&config(&server, span)),
        format!("error: {words}")
    );
    let recess = Recess::start(&config(&server, span)).await;
    recess
        .until_log(&format!("{words}; reconnecting twice a second"))
        .await;
    assert_eq!(
        recess.get("/readyz").await.unwrap(),
        (503, format!("{words}\n"))
    );
    assert_eq!(recess.metric("nats_connected").await, Some(0.0));

    server.without_jetstream = false;
    server.restart().unwrap();
    let account = Account::connect(&server.url()).await;
    account.durable(BILLING).await;
    until_paused(&account, span).await;
}
