//! Two copies of recess with one config, as a failover pair runs them.

use jiff::ToSpan;

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_do_not_fight() {
    const CONSUMERS: usize = 20;
    let World { server, account } = World::new().await;
    let paths: Vec<String> = (0..CONSUMERS).map(|n| format!("ORDERS/c{n}")).collect();
    for path in &paths {
        account.durable(path).await;
    }
    let span = Span::opening_in(4, 10);
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .window("night", &["ORDERS/*"], span);
    let first = Recess::start(&config).await;
    let second = Recess::start(&config).await;
    let tap = account.tap().await;
    let all_paused = CONSUMERS as f64;
    for copy in [&first, &second] {
        until("a copy sees all paused", secs(20), async || {
            (copy.total("consumer_paused").await == all_paused).then_some(())
        })
        .await;
    }
    reach(span.opens + 2.seconds()).await;
    let opening = tap.writes().len();
    assert!(
        (CONSUMERS..=2 * CONSUMERS).contains(&opening),
        "{opening} writes"
    );

    tap.clear();
    reach(span.closes + 2.seconds()).await;
    assert!(!tap.all().is_empty(), "both go on looking");
    assert_eq!(tap.writes().len(), 0, "{:#?}", tap.writes());
    for copy in [&first, &second] {
        assert_eq!(copy.complaints(), [""; 0]);
        assert_eq!(copy.total("repairs_total").await, 0.0);
        assert_eq!(copy.total("consumer_contested").await, 0.0);
        assert_eq!(copy.total("consumer_paused").await, 0.0);
    }
}
