//! The wire: the real recess against real nats-servers, seen from outside only. Applications feel the pauses, an
//! operator meddles, a tap hears every request, and the pages and the log tell what recess thinks.
//!
//! One binary, so that everything is linked once and runs side by side. Every test has a server of its own, and gets one
//! by itself where the machine has none (see `support/nats_server.rs`). Bounds are for a busy machine with two cores.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod auth;
mod blocked_log;
mod bucket;
mod callout;
mod clearing;
mod cli;
mod clocks;
mod cluster;
mod cluster_failures;
mod cluster_leaders;
mod cluster_moves;
mod config_watch;
mod copies;
mod documents;
mod events;
mod hands;
mod hostile;
mod http;
mod labels;
mod lists;
mod live;
mod losses;
mod matrix;
mod nats_examples;
mod odd_names;
mod orphans;
mod outage;
mod overrides;
mod page;
mod pages;
mod permissions;
mod places;
mod released;
mod reload;
mod repair;
mod scrape;
mod secrets;
mod spread;
mod standby;
mod status_watch;
mod surprises;
mod tls;
mod versions;
mod wait;
mod watch;
mod window;
