//! The files of `examples/automation`, each with a real server and a real recess, and those of `examples/kubernetes` by schemas.
//! What needs jq, curl, Ansible, nats-py or kubernetes-validate is ignored unless `tests/automation/run` has installed them.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod calendar;
mod jobs;
mod kubernetes;
mod migrate;
mod notify;
mod world;
