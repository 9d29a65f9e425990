//! The loop against a model server, in simulated time: a year, storms, and the stories of one bad day each.
//!
//! tokio's clock is paused: it moves on only when nobody has anything to do, so a sleeping loop costs nothing, and one
//! that never sleeps hangs the test. The judges are the model's record of every request and a calendar of their own.

mod bucket;
mod client;
mod daemon;
mod model;
mod oracle;
mod scene;
mod scope;
mod server;
mod stream;
mod world;

mod clearing;
mod clocks;
mod crowds;
mod faults;
mod foreign;
mod judge;
mod labels;
mod losses;
mod overrides;
mod planned;
mod released;
mod reloads;
mod standby;
mod storms;
mod unobserved;
mod year;
