//! A real Prometheus scrapes the real recess by the files of `examples/prometheus`, and a real Alertmanager tells a webhook
//! of the test's own. `tests/monitoring/run` installs what is missing and runs them: they are ignored elsewhere, as most
//! machines that build recess have no Prometheus.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod dashboard;
mod documents;
mod files;
mod lag;
mod not_paused;
mod pager;
mod tools;
mod watch;
