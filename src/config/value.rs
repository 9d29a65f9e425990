//! What single values mean, in whichever table they stand: lengths of time, times and dates, names,
//! choices.

pub mod choice;
pub mod date_time;
pub mod length;
pub mod names;
