//! Operations for real: the package in a systemd that boots, the container in a runtime, and what judges them.
//!
//! What needs root and Debian packages is ignored by `cargo test`; `tests/operations/run` runs it, after it has installed,
//! built and isolated what is needed. Bounds are for a busy machine with two cores.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod container;
mod life;
mod machine;
mod package;
mod released;
mod rpm;
mod service;
mod units;
mod upgrade;

/// The tests without a network need it to be there already.
#[test]
fn a_nats_server_is_at_hand() {
    support::nats_server::binary().unwrap();
}
