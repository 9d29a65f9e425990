//! The process: arguments in, exit code out. The only place that reads the system's wall clock;
//! everything else is given its time.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = recess::cli::Cli::parse();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that names the system's clock"
    )]
    let clock = jiff::Timestamp::now;
    recess::cli::execute(cli, clock).into()
}
