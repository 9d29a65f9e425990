//! The lag of a consumer pages as ever, but not while recess holds the consumer, nor while it may still catch up.

use std::sync::Arc;

use jiff::ToSpan;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, reach, secs, until};
use crate::watch::{CATCH_UP, Watch};

const LAG: &str = "JetStreamConsumerLag";
const HELD: &str = "RecessConsumerPaused";
/// More than the alert's threshold.
const MESSAGES_OVER_THRESHOLD: usize = 1100;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Debian's prometheus and prometheus-alertmanager: tests/monitoring/run"]
async fn lag_pages_without_a_window_not_while_paused_and_again_after_the_time_to_catch_up() {
    let server = Arc::new(Server::start(Default::default()).unwrap());
    let account = Account::connect(&server.url()).await;
    account.durables(&["ORDERS/billing", "ORDERS/audit"]).await;
    let config = |span| Config::new([server.url()]).window("night", &["ORDERS/billing"], span);
    let recess = Recess::start(&config(Span::opening_in(3600, 30))).await;
    let watch = Watch::over(&server, &recess).await;

    // No window is open, and nobody works: both page, and stop when somebody does.
    account.publish("ORDERS", MESSAGES_OVER_THRESHOLD).await;
    watch.until_told(LAG, "billing", true).await;
    let told = watch.until_told(LAG, "audit", true).await;
    assert_eq!(told.receiver, "page");
    account
        .drain("ORDERS/billing", MESSAGES_OVER_THRESHOLD)
        .await;
    account.drain("ORDERS/audit", MESSAGES_OVER_THRESHOLD).await;
    watch.until_told(LAG, "billing", false).await;
    watch.until_told(LAG, "audit", false).await;
    let before = watch.told().len();

    // The window opens. Its consumer is paused, so its backlog grows; the other one's is somebody's business.
    let span = Span::opening_in(1, 30);
    recess.reload(&config(span));
    watch.until_state(HELD, "billing", "active").await;
    account.publish("ORDERS", MESSAGES_OVER_THRESHOLD).await;
    until("the lag of both is seen", secs(10), async || {
        let both = watch.fires(LAG, "billing").await && watch.fires(LAG, "audit").await;
        both.then_some(())
    })
    .await;
    watch.until_state(LAG, "billing", "suppressed").await;
    let pages_again = async || {
        let told = watch.told();
        let mut told = told[before..].iter();
        told.find(|told| told.is(LAG, "audit") && told.firing)
            .cloned()
    };
    until("the other one pages", secs(10), pages_again).await;

    // It closes. Nobody works, so the lag stays: it is excused until the time to catch up is over, and pages then.
    reach(span.closes + (CATCH_UP - 1).seconds()).await;
    assert!(!account.look("ORDERS/billing").await.paused);
    let quiet = |told: &[crate::pager::Told]| {
        let mut pages = told[before..].iter().filter(|told| told.firing);
        !pages.any(|told| told.is(LAG, "billing"))
    };
    assert!(quiet(&watch.told()), "{:#?}", watch.told());
    assert_eq!(
        watch.state(LAG, "billing").await.as_deref(),
        Some("suppressed")
    );
    let paged = until("it pages", secs(30), async || {
        let told = watch.told();
        let mut told = told[before..].iter();
        told.find(|told| told.is(LAG, "billing") && told.firing)
            .cloned()
    })
    .await;
    assert!(paged.at >= span.closes + CATCH_UP.seconds() - 1.seconds());

    // The alerts that hold others back reach no receiver, and all went as it should.
    let others: Vec<_> = (watch.told().into_iter())
        .filter(|told| told.labels["alertname"] != LAG)
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}
