//! The files of `examples/automation`, each with a real server and a real recess. What needs jq, Ansible or nats-py is ignored
//! unless `tests/automation/run` has installed them.

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

mod jobs;
mod migrate;
mod notify;
mod world;
