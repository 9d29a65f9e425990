//! The TOML file itself: which keys it has and where, and what is wrong with it as a value and as
//! text for people.
//!
//! Knows no meaning: what a value is good for is the business of [`super::value`], [`super::zone`],
//! [`super::nats`], [`super::window`] and [`super::settings`].

pub mod code;
pub mod encoding;
pub mod findings;
pub mod raw;
pub mod read;
pub mod read_error;
pub mod render;
pub mod syntax;
mod table;
