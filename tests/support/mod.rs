//! What tests share: real servers, the real recess, the applications of an account, config files with windows near the
//! present. Every binary that needs one of them has all of them by `#[path = "../support/mod.rs"] mod support;`.

// Every includer uses a part. They wait for real processes, so on the real clock.
#![allow(dead_code, clippy::disallowed_methods)]

pub mod account;
pub mod certificates;
pub mod config;
pub mod configmap;
pub mod documents;
pub mod hostile_server;
pub mod manifests;
pub mod nats_server;
pub mod operator;
pub mod proxy;
pub mod random;
pub mod recess;
pub mod terminal;
pub mod world;
