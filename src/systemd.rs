//! Telling systemd how it goes. The one file that knows sd-notify. Outside a service with `Type=notify` it does nothing.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::reconcile::Heart;

/// Tells that the service has started: once, after the first pass or the first failed connect.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Tells that the service is ending.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Sets the line that `systemctl status` shows.
pub fn status(line: &str) {
    tell(&[NotifyState::Status(line)]);
}

/// Feeds the watchdog for as long as the heart beats. Runs until dropped; returns at once where there is no watchdog.
pub async fn feed_watchdog(heart: Heart) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        // Half the limit, as sd_watchdog_enabled(3) recommends.
        tokio::time::sleep((limit / 2).max(Duration::from_millis(10))).await;
        if heart.silent_for() < limit {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd cannot be told: {error}");
    }
}
