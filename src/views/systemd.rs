//! Notifies systemd. The one file that knows sd-notify. Outside a service with `Type=notify` it
//! does nothing.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::changes::Change;
use crate::jetstream::Link;
use crate::reconcile::Heartbeat;
use crate::report::Report;
use crate::text;

/// So long the process lives on after its last words: they are written by a thread of their own, and
/// of a sender that is gone the journal does not know to which unit it belonged.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Shows a report: that the service has started, once, and the line of `systemctl status`.
pub(super) fn show(report: &Report, changes: &[Change]) {
    if changes.contains(&Change::FirstAttempt) {
        notify(&[NotifyState::Ready]);
    }
    notify(&[NotifyState::Status(&status_line(report))]);
}

/// Reports that the service stops.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// The line that `systemctl status` shows.
fn status_line(report: &Report) -> String {
    let link = match &report.link {
        Link::Up(server) => format!("connected to nats-server {}", server.version),
        Link::Down { .. } => "not connected to NATS".to_owned(),
        Link::Unsuitable(_) => "connected to an unsupported server version".to_owned(),
    };
    let paused = report
        .rows
        .values()
        .filter(|row| row.found.is_paused())
        .count();
    let next = report
        .next_change
        .map_or_else(String::new, |at| format!("; next change {at}"));
    let standby = report.standby.map_or_else(String::new, |standby| {
        format!("standby ({}); ", text::length(standby.delay))
    });
    format!(
        "{standby}{link}; {paused} of {} consumers paused{next}",
        report.rows.len()
    )
}

/// Feeds the watchdog for as long as the heartbeat beats, and pulls the trigger when it has
/// stopped. Does nothing where there is no watchdog.
///
/// A heartbeat that has been silent for half of `WatchdogSec=` counts as stopped; a window may be
/// open, so no more time is given away. It has a thread of its own: a loop that blocks its thread
/// can block the runtime's timers with it. What is left to systemd is a process that cannot even
/// run this.
pub fn guard(heartbeat: Heartbeat) -> io::Result<()> {
    if let Some(limit) = sd_notify::watchdog_enabled() {
        let guard = std::thread::Builder::new().name("watchdog".to_owned());
        guard.spawn(move || feed_watchdog(&heartbeat, limit))?;
    }
    Ok(())
}

/// Returns when it has pulled the trigger.
fn feed_watchdog(heartbeat: &Heartbeat, limit: Duration) {
    let mut suspected = false;
    loop {
        let pause = if suspected { limit / 20 } else { limit / 4 };
        std::thread::sleep(pause.max(Duration::from_millis(10)));
        let silent = heartbeat.silent_for();
        // A process that was stopped as a whole wakes up here first: the loop gets a moment to
        // beat.
        let stopped = silent >= limit / 2;
        if stopped && std::mem::replace(&mut suspected, stopped) {
            tracing::error!(
                "watchdog: the loop has not moved for {} s; asking systemd for a restart; paused \
                 consumers stay paused until their deadlines",
                silent.as_secs()
            );
            std::thread::sleep(LAST_WORDS);
            return notify(&[NotifyState::WatchdogTrigger]);
        }
        suspected = stopped;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd not notified: {error}");
    }
}
