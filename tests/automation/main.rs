//! The files of `examples/automation`, each with a real server and a real recess. What needs jq, curl, Ansible or nats-py is ignored
//! unless `tests/automation/run` has installed them.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod calendar;
mod jobs;
mod migrate;
mod notify;
mod world;
