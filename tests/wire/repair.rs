//! Others who meddle: foreign pauses, and changes to what recess has paused.

use async_nats::ConnectOptions;
use jiff::{Timestamp, ToSpan};

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";

/// The same with a window that is open and in force.
async fn paused_world() -> (Server, Account, Recess, Span) {
    let World { server, account } = World::with(&[BILLING]).await;
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
    let kind = cause.split(' ').next().unwrap();
    let series = format!("repairs_total{{cause={kind:?}}}");
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
    let World { server, account } = World::with(&[BILLING]).await;
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
    recess.until_log("paused by another client").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_foreign_pause_is_extended_and_ends_with_the_window() {
    let World { server, account } = World::with(&[BILLING]).await;
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
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::open_for(120);
    let theirs = span.closes - 60.seconds();
    account.pause(BILLING, theirs).await;
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span.deadline()).await;
    recess.reload(&Config::new([server.url()]));
    until_paused(&account, theirs).await;
}

/// What the log calls somebody who is known by these three.
fn known_as(user: &str, client: &str) -> String {
    format!("by user {user:?} (client {client:?}, from 127.0.0.1)")
}

/// A server with users: the application, an operator, and recess, which may hear the audit or not.
fn server_with_users(recess_hears: &str) -> Server {
    let users = format!(
        r#"authorization {{ users: [
            {{ user: app, password: app }}, {{ user: alice, password: alice }}
            {{ user: recess, password: s3cret, permissions: {{ subscribe: {{ {recess_hears} }} }} }}
        ] }}"#
    );
    let options = Options {
        config: users,
        ..Default::default()
    };
    Server::start(options).unwrap()
}

async fn user(server: &Server, name: &str, client: &str) -> Account {
    let options = ConnectOptions::with_user_and_password(name.into(), name.into()).name(client);
    Account::connect_with(&server.url(), options).await
}

fn as_recess(config: Config, files: &tempfile::TempDir) -> Config {
    let password = files.path().join("password");
    std::fs::write(&password, "s3cret").unwrap();
    config
        .set(r#"nats.username = "recess""#)
        .file("nats.password_file", &password)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_resumes_a_consumer_is_named_and_who_goes_on_until_recess_stops_too() {
    let server = server_with_users(r#"allow: [">"]"#);
    let account = user(&server, "app", "billing").await;
    let alice = user(&server, "alice", "NATS CLI Version 0.3.0").await;
    account.durable(BILLING).await;
    let files = tempfile::tempdir().unwrap();
    // A minute's wait and one more: so long a fight lasts.
    let span = Span::open_for(180);
    let recess = Recess::start(&as_recess(config(&server, span), &files)).await;
    let seen = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(seen, 1.0, secs(10)).await;
    let who = known_as("alice", "NATS CLI Version 0.3.0");

    // Each is undone as soon as it is seen.
    let contested = r#"consumer_contested{consumer_name="billing",stream_name="ORDERS"}"#;
    until("recess stops", secs(150), async || {
        if account.look(BILLING).await.paused {
            alice.resume(BILLING).await;
        }
        (recess.metric(contested).await == Some(1.0)).then_some(())
    })
    .await;
    let log = recess.log();
    assert_eq!(log.matches("overridden: resumed by ").count(), 4, "{log}");
    // The audit may come a moment too late for one that is undone at once.
    let again = format!("overridden: resumed {who}; paused again until ");
    let again = (log.lines())
        .filter(|line| line.contains(&again) && line.contains("; to release it early, "));
    assert!(again.count() >= 3, "{log}");
    let stopped = format!(
        "ERROR ORDERS > billing: contested: overridden 5 times against window night, {who}; recess leaves it unchanged until \
         the window closes or the config is reloaded"
    );
    assert!(log.contains(&stopped), "{log}");
    assert!(!account.look(BILLING).await.paused);

    // What was said holds: the operator's reload is a fresh start, and another resume has another name.
    recess.reload(&as_recess(config(&server, span), &files));
    recess.until_metric(contested, 0.0, secs(10)).await;
    until_paused(&account, span.deadline()).await;
    recess.until_metric(seen, 1.0, secs(10)).await;
    account.resume(BILLING).await;
    until_paused(&account, span.deadline()).await;
    let who = known_as("app", "billing");
    recess
        .until_log(&format!("overridden: resumed {who}"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_audit_may_not_be_heard_it_is_somebody_else_and_nobody_complains() {
    let server = server_with_users(r#"allow: [">"], deny: ["$JS.EVENT.ADVISORY.API"]"#);
    let account = user(&server, "app", "billing").await;
    account.durable(BILLING).await;
    let files = tempfile::tempdir().unwrap();
    let span = Span::open_for(60);
    let recess = Recess::start(&as_recess(config(&server, span), &files)).await;
    let seen = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(seen, 1.0, secs(10)).await;
    account.resume(BILLING).await;
    repaired(&account, &recess, span, "resumed by another client").await;
    assert!(!recess.log().contains("denied"), "{}", recess.log());
    // It asked once, not at each look.
    let asked = server.log().matches("Subscription Violation").count();
    assert_eq!(asked, 1, "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_listened_to_only_while_there_is_a_pause_to_be_undone() {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::opening_in(4, 8);
    let recess = Recess::start(&config(&server, span)).await;
    recess.until_ready().await;
    assert!(!listens(&server), "before the window");
    let seen = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(seen, 1.0, secs(15)).await;
    until("it listens", secs(5), async || {
        listens(&server).then_some(())
    })
    .await;
    reach(span.closes).await;
    until("it listens no more", secs(5), async || {
        (!listens(&server)).then_some(())
    })
    .await;
    assert!(!account.look(BILLING).await.paused);
}

/// Whether anybody listens to the audit.
fn listens(server: &Server) -> bool {
    let page = server.page("/connz?subs=1").unwrap();
    page.contains("$JS.EVENT.ADVISORY.API\"")
}
