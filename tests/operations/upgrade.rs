//! An upgrade of the Debian package within an open window, from 0.1.0.

use std::path::Path;

use crate::machine::Machine;
use crate::package::{deb, in_target};
use crate::service::Service;
use crate::support::config::Span;
use crate::support::recess::{secs, until};
use crate::support::world::World;

const CONSUMERS: [&str; 2] = ["ORDERS/billing", "ORDERS/shipping"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and Debian packages: tests/operations/run"]
async fn an_upgrade_within_a_window_leaves_pauses_and_sends_nothing() {
    let world = World::with(&CONSUMERS).await;
    let span = Span::open_for(600);
    let before = in_target("operations/before.deb");
    let files = [("/srv/before.deb", &*before), ("/srv/recess.deb", &*deb())];
    let machine = Machine::boot("upgraded", Path::new("/"), &files).await;
    let service = Service::new(&machine, "recess.service", "/etc/recess/recess.toml");

    machine.ok("dpkg -i /srv/before.deb");
    assert_eq!(machine.ok("recess --version"), "recess 0.1.0");
    service.configure(&world.config().window("night", &CONSUMERS, span));
    let edited = machine.ok("sha256sum /etc/recess/recess.toml");
    service.systemctl("restart");
    let all_paused = async || {
        let mut all = true;
        for path in CONSUMERS {
            all &= world.account.is_paused_until(path, span.deadline()).await;
        }
        all
    };
    until("0.1.0 pauses", secs(10), async || {
        all_paused().await.then_some(())
    })
    .await;
    // What it may still have to confirm is confirmed.
    tokio::time::sleep(secs(2)).await;

    let tap = world.account.tap().await;
    machine.ok("dpkg -i /srv/recess.deb");
    assert_eq!(
        machine.ok("recess --version"),
        concat!("recess ", env!("CARGO_PKG_VERSION"))
    );
    let started = concat!("recess ", env!("CARGO_PKG_VERSION"), " started");
    until("the new version observes", secs(10), async || {
        let paused = service
            .metric(r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#)
            .await;
        (service.told(started).len() == 1 && paused == Some(1.0)).then_some(())
    })
    .await;
    tokio::time::sleep(secs(2)).await;
    assert!(all_paused().await);
    let writes = tap.writes();
    assert!(writes.is_empty(), "{writes:?}");
    assert!(!tap.all().is_empty(), "the new version asked nothing");
    let warned = service.journal(&format!("-p warning _PID={}", service.pid()));
    assert!(warned.is_empty(), "{warned:?}");
    assert_eq!(machine.ok("sha256sum /etc/recess/recess.toml"), edited);
}
