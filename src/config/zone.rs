//! Time zones: by which copy of the database a name is understood, which zone counts where none is
//! named, and what was meant by what is none.

mod database;
mod defaults;
mod hint;
mod names;

pub use database::{ZoneData, ZoneDb, ZoneSource, Zones};
pub use defaults::{ZoneDefaults, timezone, zone_defaults};
