//! A person at a terminal: asked before much is done, free to stop it, and shown a screen.

use std::io::{self, IsTerminal, Write};

use super::{Exit, complain};
use crate::signals::Signals;

pub mod full_screen;
pub mod line;

/// So many consumers are paused or resumed without a question.
const UNASKED: usize = 10;

/// Whether that may be done to so many consumers: a person at a terminal is asked, a script is not.
pub fn is_agreed(question: &str, count: usize, yes: bool) -> bool {
    let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if count <= UNASKED || yes || !is_terminal {
        return true;
    }
    let mut err = io::stderr();
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

/// Works until it is done, or until a person has enough; then false. The work is dropped at once,
/// and its requests with it: some may take effect nevertheless.
pub async fn until_interrupted(work: impl Future<Output = ()>) -> Result<bool, Exit> {
    let mut signals = Signals::catch().map_err(|error| {
        complain(format!("error: cannot catch signals: {error}"));
        Exit::Failed
    })?;
    Ok(tokio::select! {
        () = work => true,
        _ = signals.next() => false,
    })
}
