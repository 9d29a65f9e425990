//! Chaos: seeded random histories over the real recess and real nats-servers, and a watcher that uses nothing of recess.
//!
//! Each history makes up streams, consumers with metadata, and windows of seconds, some of which select by it. Then it kills,
//! stops, delays, cuts, denies, reloads, overrides and meddles for a while, heals everything, and judges. recess stands behind
//! proxies that note what it asks and is told:
//!
//! - I1: no request carries a deadline beyond the loaded windows (and spread) with the overrides that its sender knows, on
//!   its sender's clock at sending, save Resume's moment and a foreign deadline that is given back; and none ends a pause
//!   but by overrides that were asked for right before;
//! - I2: once faults heal, every consumer is as it should be within 30 s, and stays so;
//! - I3: a foreign pause that the observation showed on which a write rests is never shortened or removed;
//! - I4: nothing is sent outside of what the decision table says, nothing for consumers out of scope, and a stream that no
//!   window names is listed only in the one sweep after a start or a reload;
//! - I5: recess never exits, hangs or leaks because of what a server, a network, a file or a clock does.
//!
//! `cargo test --test chaos` lives through a few, always the same. More:
//!
//! - `RECESS_CHAOS_SECONDS=600`: goes on for so long, with seeds of its own (or from `RECESS_CHAOS_SEED` on);
//! - `RECESS_CHAOS_SEED=7`: that one only, with all that happened in `target/chaos`;
//! - `RECESS_CHAOS_AT_ONCE=8`: so many at a time;
//! - `tests/chaos/run`: those with a clock that is stepped, which need libfaketime;
//! - `RECESS_CHAOS_SECONDS=2700 cargo test --test chaos soak -- --ignored --nocapture`: one recess through it all.

// It waits for real processes, so on the real clock.
#![allow(clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod caught;
mod crowd;
mod daemon_under_test;
mod healed;
mod history;
mod judge;
mod known;
mod late;
mod mind;
mod natures;
mod network;
mod operators;
mod overrides;
mod painting;
mod proxy;
mod readings;
mod record;
mod rules;
mod selectors;
mod servers;
mod sweeps;
mod table;
mod told;
mod wants;
mod wire;
mod writes;

mod runs;
mod soak;
