//! The tables `[[window]]` and `[[exclusion]]`, checked.

pub mod conditions;
pub mod exclusions;
pub mod windows;

mod calendar_file;
mod rule;
mod timing;
mod window_length;

pub use window_length::MaxPause;
