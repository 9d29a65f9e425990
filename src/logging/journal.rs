//! systemd's journal: the one file that knows tracing-journald and what a service's standard error
//! is.
//!
//! There a line is a record: its priority and what it is about (`STREAM`, `CONSUMER`, `WINDOW`) are
//! fields that `journalctl` searches, and the time is the journal's own. Invariant: nothing is lost
//! for the sake of fields. Where the journal is not what standard error leads to, or does not
//! listen, standard error gets the text.

use std::env;
use std::fs::File;
use std::io::{self, Write, stderr};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::Duration;

use tracing_journald::{Layer, Priority, PriorityMappings};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, registry};

use super::queue::{LIMIT, Queue};
use super::record::{Record, Records};
use super::{Log, report_lost};
use crate::config::{Finding, Severity, Source};

/// How long last words may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether standard error leads to the journal. systemd says where that was so in `JOURNAL_STREAM`;
/// the variable is inherited by children whose standard error may be something else by now, so the
/// file itself is asked too.
pub fn is_stderr() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    let named = stream
        .split_once(':')
        .and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    let file = (stderr().as_fd().try_clone_to_owned()).and_then(|fd| File::from(fd).metadata());
    file.is_ok_and(|file| file.file_type().is_socket() && named == Some((file.dev(), file.ino())))
}

/// A connection to the journal; an error if nothing listens there.
pub(super) fn connect() -> io::Result<Layer> {
    let mappings = PriorityMappings {
        // As other programs count: a pause that was set is no more than information.
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
        ..PriorityMappings::new()
    };
    let layer = Layer::new()?
        // Without it the fields would be F_STREAM and so on.
        .with_field_prefix(None)
        .with_priority_mappings(mappings);
    Ok(layer)
}

/// Sends all that passes the filter there, from a thread of its own: a journal that hangs takes no
/// datagrams.
pub(super) fn install(layer: Layer, filter: EnvFilter) -> Result<Log, String> {
    let journal = registry().with(layer);
    let send = move |record: Record| {
        record.replay(&journal);
        Ok(())
    };
    let queue = Queue::start(LIMIT, send, report_lost).map_err(|error| error.to_string())?;
    registry()
        .with(filter)
        .with(Records(queue.clone()))
        .try_init()
        .map_err(|error| error.to_string())?;
    Ok(Log::of(queue))
}

/// One line of standard error with a priority that systemd takes off again (sd-daemon(3)).
///
/// For commands that end right after it. A record that is sent to the journal may be read when its
/// sender is gone, and then its unit is no longer known; what goes through standard error is the
/// unit's in any case.
pub fn last_words(severity: Severity, line: &str) {
    let priority = match severity {
        Severity::Error => 3,
        Severity::Warning => 4,
    };
    let line = format!("<{priority}>{line}\n");
    // Nothing can be done about a failure to complain, and a journal that hangs is not waited for.
    let (written, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = stderr().lock().write_all(line.as_bytes());
        let _ = written.send(());
    });
    let _ = done.recv_timeout(PATIENCE);
}

/// A finding in one line, with its place.
pub fn line_of(finding: &Finding, source: &Source) -> String {
    let path = source.path.display();
    match finding.line(source) {
        Some(line) => format!("{path}:{line}: {finding}"),
        None => format!("{path}: {finding}"),
    }
}
