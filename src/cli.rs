//! The commands: what can be asked on the command line, and the exit codes.
//!
//! Every command walks the same street as the daemon, to a different corner: `check` stops after
//! the config, `plan` after the calendar, `status` after the decision, `run` goes to its end.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::config::{self, Config, ConfigError, Finding, Severity, Source};
use crate::logging::journal;
use crate::text::parse_instant;
use crate::views::json;
use crate::visible::visible_lines;

mod arguments;
mod bulk;
mod check;
mod completions;
mod connection;
mod diff;
mod explain;
mod labels;
mod left_out;
mod live;
mod overrides;
mod pauses;
mod plan;
mod run;
mod selected;
mod status;
mod table;
mod terminal;
mod wait;

#[cfg(test)]
mod tests;

use arguments::{parse_length, whole_second};

/// Pauses NATS JetStream consumers in maintenance windows.
#[derive(Debug, Parser)]
#[command(
    name = "recess",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit status: 0 success; 1 failure; 2 usage error; 3 findings or changes (check \
                  --live, diff, plan --exit-code), or an unknown result (wait); 78 config error or \
                  unsupported server version; 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: pause consumers when their windows open
    Run(run::RunArgs),
    /// Check the config file; with --live also against the server
    Check(check::CheckArgs),
    /// Show when windows open (asks a server for overrides only)
    Plan(plan::PlanArgs),
    /// Show whether a consumer should be paused at an instant, and why (asks a server for overrides
    /// only)
    Explain(explain::ExplainArgs),
    /// Show what an edit of the config file changes: consumers, times, and settings that decide
    /// which are paused; exit with status 3 if there is a change
    Diff(diff::DiffArgs),
    /// Show the state of each consumer on the server, and what it should be
    Status(status::StatusArgs),
    /// Wait until consumers are paused, drained (no message in flight) or running
    Wait(wait::WaitArgs),
    /// Pause consumers manually, and confirm that each is paused
    Pause(bulk::PauseArgs),
    /// Resume consumers manually, and confirm that each delivers again
    Resume(bulk::ResumeArgs),
    /// Open a window now, whatever its schedule says, for a time
    Open(overrides::OpenArgs),
    /// Close a window that is open: its consumers resume
    Close(overrides::CloseArgs),
    /// Let a window that is open close later
    Extend(overrides::ExtendArgs),
    /// Leave out the next opening of a window, or those of a day
    Skip(overrides::SkipArgs),
    /// List what people have overridden, or make the bucket for it
    Overrides(overrides::OverridesArgs),
    /// End overrides early
    Undo(overrides::UndoArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The config file
    #[arg(long, value_name = "PATH", env = "RECESS_CONFIG", default_value = config::DEFAULT_PATH, value_parser = path())]
    config: PathBuf,
}

/// Any path but an empty one, which clap takes for a `--config` without a value though
/// `RECESS_CONFIG` has it.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| match path.is_empty() {
        true => Err("the path is empty: set RECESS_CONFIG to the path of a file, or unset it"),
        false => Ok(PathBuf::from(path)),
    })
}

#[derive(Debug, Args)]
struct FormatArgs {
    /// The output format: text for people, json for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: it could not be done.
    Failed,
    /// 2: the arguments make no sense together.
    Usage,
    /// 3: done, and there is something to report that a script may want to act on.
    Reported,
    /// 130: interrupted by Ctrl-C.
    Interrupted,
    /// 78 (`EX_CONFIG` of sysexits.h): the config file is wrong, or names a server of an
    /// unsupported version. A restart does not help, so the unit file prevents it.
    Config,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Reported => 3,
            Exit::Interrupted => 130,
            Exit::Config => 78,
        })
    }
}

/// Runs a command. `wall` is the system's wall clock.
pub fn execute(cli: Cli, wall: fn() -> Timestamp) -> Exit {
    match cli.command {
        Command::Run(args) => run::execute(args, wall),
        Command::Check(args) => check::execute(args, wall),
        Command::Plan(args) => plan::execute(args, wall),
        Command::Explain(args) => explain::execute(args, wall),
        Command::Diff(args) => diff::execute(args, wall()),
        Command::Status(args) => status::execute(args, wall),
        Command::Wait(args) => wait::execute(args, wall),
        Command::Pause(args) => bulk::pause(args, wall),
        Command::Resume(args) => bulk::resume(args, wall),
        Command::Open(args) => overrides::open(args, wall),
        Command::Close(args) => overrides::close(args, wall),
        Command::Extend(args) => overrides::extend(args, wall),
        Command::Skip(args) => overrides::skip(args, wall),
        Command::Overrides(args) => overrides::overrides(args, wall),
        Command::Undo(args) => overrides::undo(args, wall),
        Command::Completions(args) => completions::execute(args),
    }
}

/// Loads the config, or says what is wrong with it.
fn load(args: &ConfigArgs) -> Result<Config, Exit> {
    config::load(&args.config).map_err(|error| refuse(&error))
}

/// Says what is wrong with the config.
fn refuse(error: &ConfigError) -> Exit {
    print_findings(&error.source(), &error.findings());
    Exit::Config
}

/// Says what was found: to people under the lines that it speaks of, and in the journal in one line
/// each, since there an entry is a line and a drawing of five lines is five entries.
fn print_findings(source: &Source, findings: &[Finding]) {
    if !journal::is_stderr() {
        return print_error(&config::render(source, findings, colour_errors()));
    }
    for finding in findings {
        journal::last_words(finding.severity, &journal::line_of(finding, source));
    }
}

/// `1 window`, `3 windows`.
fn count_windows(config: &Config) -> String {
    match config.policy.windows().len() {
        1 => "1 window".to_owned(),
        count => format!("{count} windows"),
    }
}

/// An async runtime with so many threads.
fn runtime(threads: usize) -> Result<Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| {
            complain(format!("error: cannot start the async runtime: {error}"));
            Exit::Failed
        })
}

/// Does what needs the async runtime. What goes on in the background, as a connection does, ends
/// with it.
fn block_on<T>(work: impl Future<Output = Result<T, Exit>>) -> Result<T, Exit> {
    let runtime = runtime(2)?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> Exit {
    let mut out = io::stdout().lock();
    printed(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn printed(outcome: io::Result<()>) -> Exit {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format!("error: cannot write the output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

fn print_json<T: serde::Serialize>(value: &T) -> Exit {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => {
            complain(format!("error: cannot write the output as JSON: {error}"));
            Exit::Failed
        }
    }
}

/// Prints rows as a JSON array, one by one as they come, and returns whether there were any.
fn print_json_rows<T: serde::Serialize>(rows: impl Iterator<Item = T>) -> (Exit, bool) {
    let out = io::BufWriter::new(io::stdout().lock());
    match json::write_rows(out, rows) {
        Ok(any) => (Exit::Done, any),
        Err(error) => (printed(Err(error)), true),
    }
}

/// Says why a command ends, in one line.
fn complain(text: impl AsRef<str>) {
    let text = &*visible_lines(text.as_ref());
    if journal::is_stderr() {
        journal::last_words(Severity::Error, text.trim_start_matches("error: "));
    } else {
        print_error(text);
    }
}

/// Prints to standard error, where nothing can be done about a failure to do so.
fn print_error(text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

fn colour_errors() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The most rows of a table for people: it is made whole, and is not readable if longer.
const MOST_ROWS: usize = 100_000;

/// Rows for a table, or that there are too many of them.
fn table_rows<T>(rows: impl Iterator<Item = T>, fix: &str) -> Result<Vec<T>, Exit> {
    let rows: Vec<T> = rows.take(MOST_ROWS + 1).collect();
    if rows.len() <= MOST_ROWS {
        return Ok(rows);
    }
    complain(format!(
        "error: the table would have more than {MOST_ROWS} rows: {fix}, or use --format json, \
         which has no limit"
    ));
    Err(Exit::Usage)
}

/// Which windows there are, where one was named that is none.
fn no_such_window(name: &str, file: &ConfigArgs, config: &Config) -> String {
    let windows = config.policy.windows().iter();
    let names: Vec<&str> = windows.map(|window| &*window.name).collect();
    let file = file.config.display();
    // Of a single one the name is hint enough.
    let near = config::closest(name, names.iter().copied()).filter(|_| names.len() > 1);
    if let Some(near) = near {
        return format!("there is no window `{name}` in {file}; did you mean `{near}`?");
    }
    format!(
        "there is no window `{name}` in {file}; it has: {}",
        names.join(", ")
    )
}

/// The name of this host, where it is known.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
