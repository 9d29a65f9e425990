//! What single values mean, in whichever table they stand: lengths of time, times and dates, names.

pub mod date_time;
pub mod length;
pub mod names;
