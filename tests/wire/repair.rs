//! Others who meddle: foreign pauses, and changes to what recess has paused.

use jiff::{Timestamp, ToSpan};

use crate::account::Account;
use crate::config::{Config, Span};
use crate::nats_server::Server;
use crate::recess::{Recess, reach, secs, until};

const BILLING: &str = "ORDERS/billing";

/// A server with one consumer.
async fn world() -> (Server, Account) {
    let server = Server::start(Default::default()).unwrap();
    let account = Account::connect(&server.url()).await;
    account.durable(BILLING).await;
    (server, account)
}

/// The same with a window that is open and in force.
async fn paused_world() -> (Server, Account, Recess, Span) {
    let (server, account) = world().await;
    let span = Span::open_for(60);
    let recess = Recess::start(&config(&server, span)).await;
    // Until recess itself has seen it: what is undone before that was never in place.
    let seen = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(seen, 1.0, secs(10)).await;
    assert!(account.is_paused_until(BILLING, span.deadline()).await);
    (server, account, recess, span)
}

fn config(server: &Server, span: Span) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], span)
}

async fn until_paused(account: &Account, deadline: Timestamp) {
    until("the consumer is paused", secs(5), async || {
        let paused = account.is_paused_until(BILLING, deadline);
        paused.await.then_some(())
    })
    .await;
}

/// The change is undone within a second, and counted.
async fn repaired(account: &Account, recess: &Recess, span: Span, cause: &str) {
    let changed = Timestamp::now();
    until_paused(account, span.deadline()).await;
    let took = Timestamp::now().duration_since(changed);
    assert!(took.as_secs_f64() < 1.0, "paused again after {took:#}");
    let series = format!("repairs_total{{cause={cause:?}}}");
    recess.until_metric(&series, 1.0, secs(2)).await;
    assert_eq!(recess.total("repairs_total").await, 1.0);
    recess.until_log(cause).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_resumed_by_hand_is_paused_again_at_once() {
    let (_server, account, recess, span) = paused_world().await;
    account.resume(BILLING).await;
    repaired(&account, &recess, span, "resumed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_deleted_and_made_again_is_paused_again_at_once() {
    let (_server, account, recess, span) = paused_world().await;
    account.delete(BILLING).await;
    account.durable(BILLING).await;
    repaired(&account, &recess, span, "recreated").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_moved_closer_by_hand_is_put_back_at_once() {
    let (_server, account, recess, span) = paused_world().await;
    account.pause(BILLING, span.closes - 40.seconds()).await;
    repaired(&account, &recess, span, "retimed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_appears_in_an_open_window_is_paused_at_once() {
    let (_server, account, recess, span) = paused_world().await;
    account.durable("ORDERS/late").await;
    let made = Timestamp::now();
    until("the new consumer is paused", secs(5), async || {
        let paused = account.is_paused_until("ORDERS/late", span.deadline());
        paused.await.then_some(())
    })
    .await;
    assert!(Timestamp::now() < made + 1.second());
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_foreign_pause_is_left_alone_during_the_window_and_after_it() {
    let (server, account) = world().await;
    let theirs = Timestamp::now().round(jiff::Unit::Second).unwrap() + 300.seconds();
    account.pause(BILLING, theirs).await;
    let tap = account.tap().await;
    let span = Span::open_for(7);
    let recess = Recess::start(&config(&server, span)).await;
    let foreign = r#"consumer_foreign_pause{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(foreign, 1.0, secs(5)).await;
    reach(span.closes + 2.seconds()).await;
    recess
        .until_metric(r#"window_active{window="night"}"#, 0.0, secs(2))
        .await;
    assert!(account.is_paused_until(BILLING, theirs).await);
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    recess.until_log("paused by somebody else").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_foreign_pause_is_extended_and_ends_with_the_window() {
    let (server, account) = world().await;
    let span = Span::open_for(9);
    account.pause(BILLING, span.closes - 4.seconds()).await;
    let tap = account.tap().await;
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span.deadline()).await;
    reach(span.closes - 1.second()).await;
    assert!(account.is_paused_until(BILLING, span.deadline()).await);
    reach(span.closes + 1.second()).await;
    assert!(!account.look(BILLING).await.paused);
    assert_eq!(tap.writes().len(), 1, "{:#?}", tap.writes());
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_pause_that_was_extended_is_given_back_when_the_window_is_taken_out() {
    let (server, account) = world().await;
    let span = Span::open_for(120);
    let theirs = span.closes - 60.seconds();
    account.pause(BILLING, theirs).await;
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span.deadline()).await;
    recess.reload(&Config::new([server.url()]));
    until_paused(&account, theirs).await;
}
