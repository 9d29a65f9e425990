//! Deadlines of somebody else.

use jiff::Timestamp;

use super::{ahead, config, tells};
use crate::cli::ask;
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Cluster;
use crate::support::recess::{reach, secs, until};
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_somebody_else_is_told() {
    let world = World::new().await;
    world.account.durable("ORDERS/billing").await;
    let theirs = "2100-01-01T00:00:00Z";
    world
        .account
        .pause("ORDERS/billing", theirs.parse().unwrap())
        .await;
    tells(
        &config(&world, &["ORDERS/*"]),
        "foreign-pause",
        "ORDERS > billing",
        "paused by another client until 2100-01-01T00:00:00Z: recess extends the pause if a window \
         lasts longer, and never shortens or ends it",
    );
    // The advice is one that wakes those who wait.
    let (_, _, err) = ask(&config(&world, &["ORDERS/*"]), &["check", "--live"]);
    let advice = "help: if it is not needed, `recess resume 'ORDERS/billing'` ends it";
    assert!(err.contains(advice), "{err}");
    // Ours is as it should be.
    let open = Span::open_for(60);
    let config = Config::new([world.server.url()]).window("now", &["ORDERS/*"], open);
    world.account.pause("ORDERS/billing", open.deadline()).await;
    let (exit, ..) = ask(&config, &["check", "--live"]);
    assert_eq!(exit, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_breaks_strict_creates_is_told_in_a_cluster_only() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ORDERS", 1).await;
    account.consumer("ORDERS/billing").await;
    let alone = World::new().await;
    alone.account.durable("ORDERS/billing").await;
    let ends = Timestamp::from_second(Timestamp::now().as_second() + 2).unwrap();
    account.pause("ORDERS/billing", ends).await;
    alone.account.pause("ORDERS/billing", ends).await;
    reach(ends).await;
    until("it has ended", secs(10), async || {
        let look = account.look("ORDERS/billing").await;
        (!look.paused && look.until == Some(ends)).then_some(())
    })
    .await;
    let clustered = ahead(Config::new([cluster.urls()[0].clone()]), &["ORDERS/*"]);
    tells(
        &clustered,
        "strict-create",
        "ORDERS > billing",
        &format!(
            "another client's pause ended at {ends} and its deadline is still stored: in a cluster \
             the server therefore refuses a strict create of this consumer (action \"create\", \
             error 10148)"
        ),
    );
    assert_eq!(account.strict_create("ORDERS/billing").await, Some(10148));

    // The way out is one.
    account.resume("ORDERS/billing").await;
    until("a strict create goes well", secs(10), async || {
        let refused = account.strict_create("ORDERS/billing").await;
        refused.is_none().then_some(())
    })
    .await;
    for (config, note) in [(clustered, true), (config(&alone, &["ORDERS/*"]), false)] {
        let (exit, out, err) = ask(&config, &["check", "--live"]);
        assert_eq!((exit, &*err), (Some(0), ""), "{out}");
        let words = "note: in a cluster the server refuses a strict create of an existing consumer \
                     (action \"create\", error 10148) during a pause and for about a minute after";
        assert_eq!(out.contains(words), note, "{out}");
    }
}
