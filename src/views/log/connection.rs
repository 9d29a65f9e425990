//! Lines about the connection.

use tracing::{error, info, warn};

use crate::jetstream::{Server, Unsuitable};

pub(super) fn connected(server: &Server) {
    info!(
        "connected to nats-server {} at {}",
        server.version, server.address
    );
    if server.crash_prone {
        warn!(
            "nats-server {} can crash when a consumer is paused while another client requests its state; \
             allow_crash_prone is set, so recess sends one request at a time",
            server.version
        );
    }
}

pub(super) fn denied(subjects: &[String]) {
    warn!(
        "permission denied to subscribe to {}: changes by other clients are observed at the next resync only; allow it for \
         recess's NATS user",
        subjects.join(", ")
    );
}

pub(super) fn disconnected(reason: &str) {
    warn!(
        "disconnected: {reason}; reconnecting twice a second; existing pauses end at their deadlines"
    );
}

/// At the first connect it ends the process, which logs it as its last words.
pub(super) fn unsupported(server: &Unsuitable, was_connected: bool) {
    if was_connected {
        error!(
            "unsupported server: {server}; recess sends nothing to it and checks again at the next connect"
        );
    }
}
