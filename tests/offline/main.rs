//! What needs no server: the command line, config files and their mistakes, plans, and the structure of the code.
//!
//! One binary, so that everything is linked once.

mod arguments;
mod cli;
mod config_mistakes;
mod diff;
mod examples;
mod explain;
mod layering;
mod quick_answers;
mod zone_data;
