//! The loop: the only place where the core meets the world.
//!
//! Edges wake, levels decide. Whatever wakes the loop (the calendar, the resync, a connection, an
//! advisory, a reload, a stepped clock), it observes the world as it is and decides again; a
//! wake-up that is lost costs time, never truth. Observe and act never overlap.
//!
//! Before a change by the calendar the loop prepares: two seconds ahead it observes and works out
//! what is to be sent at that instant, so that at the instant itself there is nothing left to do
//! but send.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};

use crate::config::Config;
use crate::jetstream::{Advisory, JetStream};
use crate::report::Report;

mod act;
mod apply_observation;
mod build_report;
mod clear;
mod driver;
mod heartbeat;
mod limits;
mod nature;
mod orphans;
mod override_book;
mod pass;
mod read_limits;
mod reconciler;
mod stand_by;
mod window_coverage;

use driver::Driver;

pub use heartbeat::Heartbeat;
pub use reconciler::Reconciler;

/// What the loop listens to.
pub struct Inputs {
    /// The config in force. A change is a reload.
    pub config: watch::Receiver<Arc<Config>>,
    /// The server's advisories.
    pub advisories: mpsc::Receiver<Advisory>,
    /// Something asks the loop to read the clock: see [`crate::clock_watch`].
    pub nudge: Arc<Notify>,
}

/// Runs until dropped, and calls `publish` after every pass and every other change worth knowing.
/// It may be dropped at any point: what is on the server stays right by itself.
pub async fn run<J: JetStream>(
    reconciler: Reconciler<J>,
    mut inputs: Inputs,
    publish: impl FnMut(Report),
) {
    let mut link = reconciler.jetstream.link();
    let heartbeat = reconciler.heartbeat.clone();
    // Before it is reported: what changes from here on wakes the loop.
    link.mark_unchanged();
    let mut hints = reconciler.jetstream.override_hints();
    hints.mark_unchanged();
    let mut driver = Driver::begin(reconciler, publish);
    loop {
        heartbeat.beat();
        // Before each step: where there is always something due (another client overrides
        // everything, the network is slow), the loop never rests, and must hear of a reload and of
        // a connection that was lost all the same.
        match (link.has_changed(), inputs.config.has_changed()) {
            (Err(_), _) | (_, Err(_)) => return,
            (Ok(of_link), Ok(of_config)) => {
                if of_link {
                    link.mark_unchanged();
                    driver.link_changed();
                }
                if of_config {
                    let config = inputs.config.borrow_and_update().clone();
                    driver.reload(config);
                }
            }
        }
        // A burst of ours is echoed in thousands: all are taken at once.
        while let Ok(advisory) = inputs.advisories.try_recv() {
            driver.advised(advisory);
        }
        match hints.has_changed() {
            Err(_) => return,
            Ok(true) => {
                hints.mark_unchanged();
                driver.read_overrides_soon();
            }
            Ok(false) => {}
        }
        driver.take_overrides_read();
        if driver.step().await {
            continue;
        }
        let pause = driver.rest();
        // Cancel-safe: a change of the link, the config or the hints stays marked until it is seen,
        // the read of overrides goes on where it was, `recv` loses nothing, a nudge that nothing
        // waits for is kept, and the next turn works the pause out again. What is done about it
        // follows the arm.
        tokio::select! {
            changed = link.changed() => {
                if changed.is_err() { return }
                driver.link_changed();
            }
            changed = inputs.config.changed() => {
                if changed.is_err() { return }
                let config = inputs.config.borrow_and_update().clone();
                driver.reload(config);
            }
            Some(advisory) = inputs.advisories.recv() => {
                driver.advised(advisory);
            }
            changed = hints.changed() => {
                if changed.is_err() { return }
                driver.read_overrides_soon();
            }
            answer = driver.overrides_read() => driver.take_overrides(answer),
            () = inputs.nudge.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
