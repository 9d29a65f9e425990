//! A real Prometheus scrapes the real recess by the files of `examples/prometheus`, and a real Alertmanager tells a webhook
//! of the test's own. `tests/monitoring/run` installs what is missing and runs them: they are ignored elsewhere, as most
//! machines that build recess have no Prometheus.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/account.rs"]
mod account;
#[path = "../support/config.rs"]
mod config;
#[path = "../support/nats_server.rs"]
mod nats_server;
#[path = "../support/recess.rs"]
mod recess;

mod dashboard;
mod files;
mod lag;
mod not_paused;
mod pager;
mod readme;
mod tools;
mod watch;
