//! Schedules turned into instants: against an oracle that shares nothing with them, on the nights that other schedulers get
//! wrong, and on days that never were.

#[path = "../support/mod.rs"]
mod support;

mod known_failures;
mod odd_history;
mod oracle;
