//! Lines about the connection.

use tracing::{error, info, warn};

use crate::jetstream::{Server, Unsuitable};

pub(super) fn connected(server: &Server) {
    if server.crash_prone {
        warn!(
            "connected to nats-server {}, which can crash when a consumer is paused while another client asks about it; \
             allow_crash_prone is set, so one request is sent at a time",
            server.version
        );
    } else {
        info!(
            "connected to nats-server {} at {}",
            server.version, server.address
        );
    }
}

pub(super) fn denied(subjects: &[String]) {
    warn!(
        "permission denied to subscribe to {}: what others do to consumers is seen at the next resync only; allow it for \
         recess's NATS user",
        subjects.join(", ")
    );
}

pub(super) fn disconnected(reason: &str) {
    warn!(
        "{reason}; trying again twice a second; pauses that are set end at their deadlines by themselves"
    );
}

/// At the first connect it ends the process, which logs it as its last words.
pub(super) fn unsupported(server: &Unsuitable, was_connected: bool) {
    if was_connected {
        error!(
            "{server}; nothing is sent to this server, and it is asked again at the next connect"
        );
    }
}
