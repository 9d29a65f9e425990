//! The tables `[[window]]` and `[[exclusion]]`, checked.

pub mod exclusions;
pub mod windows;

mod endless;
mod extent;
mod rule;
mod timing;

pub use extent::MaxPause;
