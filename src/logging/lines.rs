//! The form of a line on standard error: the same words as ever, without the fields that they
//! already hold.
//!
//! A terminal gets short times, in UTC like the deadlines in the lines; a file or a pipe gets the
//! whole instant.

use std::fmt;
use std::io::{self, Write, stderr};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{MakeVisitor, VisitFmt, VisitOutput};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::fmt::time::FormatTime;

use super::queue::{LIMIT, Queue};

use crate::text;
use crate::visible::visible_lines;

/// The fields that say for programs what the sentence says for people.
const IN_THE_SENTENCE: [&str; 7] = [
    "stream",
    "consumer",
    "window",
    "undone_by",
    "override",
    "by",
    "reason",
];

/// Writes what was said, and of other crates' fields all.
pub struct Sentences;

impl<'a> MakeVisitor<Writer<'a>> for Sentences {
    type Visitor = Sentence<'a>;

    fn make_visitor(&self, target: Writer<'a>) -> Self::Visitor {
        Sentence(DefaultVisitor::new(target, true))
    }
}

/// One line in the making.
pub struct Sentence<'a>(DefaultVisitor<'a>);

impl Visit for Sentence<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !IN_THE_SENTENCE.contains(&field.name()) {
            self.0.record_debug(field, &Shown(value));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if !IN_THE_SENTENCE.contains(&field.name()) {
            self.0.record_str(field, &visible_lines(value));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0.record_error(field, value);
    }
}

impl VisitOutput<fmt::Result> for Sentence<'_> {
    fn finish(self) -> fmt::Result {
        self.0.finish()
    }
}

impl VisitFmt for Sentence<'_> {
    fn writer(&mut self) -> &mut dyn fmt::Write {
        self.0.writer()
    }
}

/// A text that others may have written parts of: window and stream names, words of libraries.
struct Shown<'a>(&'a dyn fmt::Debug);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible_lines(&format!("{:?}", self.0)))
    }
}

/// What stands in front of a line.
pub(super) struct Time {
    /// The system's wall clock.
    pub wall: fn() -> Timestamp,
    /// A person watches, and knows the day.
    pub short: bool,
}

impl FormatTime for Time {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = (self.wall)();
        if self.short {
            writer.write_str(&text::utc_time(now))
        } else {
            write!(writer, "{now:.6}")
        }
    }
}

/// Whole lines on their way to standard error.
#[derive(Clone)]
pub(super) struct Lines {
    pub queue: Queue<Vec<u8>>,
}

impl Lines {
    /// # Errors
    /// Where the system has no thread to give.
    pub fn start() -> io::Result<Self> {
        let write = |line: Vec<u8>| stderr().lock().write_all(&line);
        let queue = Queue::start(LIMIT, write, super::report_lost)?;
        Ok(Self { queue })
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// The library writes a line at once.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.put(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
