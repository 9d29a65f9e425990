//! What needs no server: the command line, config files and their mistakes, plans, and the structure of the code.
//!
//! One binary, so that everything is linked once.

#[path = "../support/mod.rs"]
mod support;

mod arguments;
mod cli;
mod config_mistakes;
mod diff;
mod documents;
mod examples;
mod explain;
mod kubernetes;
mod layering;
mod package;
mod quick_answers;
mod zone_data;
