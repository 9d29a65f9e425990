use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::{debug, error, info, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::*;

/// Where lines are written that a test compares.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// Writes all of an event: place, level, target and fields.
    fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        let text = self.clone();
        tracing_subscriber::fmt::layer()
            .with_writer(move || text.clone())
            .with_ansi(false)
            .without_time()
            .with_file(true)
            .with_line_number(true)
    }

    fn lines(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_is_replayed_as_it_happened() {
    let (direct, replayed) = (Text::default(), Text::default());
    let sink = registry().with(replayed.layer());
    let write = move |record: Record| {
        record.replay(&sink);
        Ok(())
    };
    let queue = Queue::start(100, write, |_| {}).unwrap();
    let both = registry().with(direct.layer()).with(Records(queue.clone()));
    tracing::subscriber::with_default(both, || {
        info!("plain");
        let none: Option<&str> = None;
        warn!(
            consumer = none,
            count = 3,
            is_late = true,
            share = 0.5,
            "with {} and {:?}",
            "words",
            Some(1)
        );
        error!(why = %io::Error::other("a reason"), debug = ?(1, 2));
        debug!(target: "elsewhere", "two\nlines");
    });
    assert!(queue.flush(Duration::from_secs(5)));
    assert_eq!(direct.lines().lines().count(), 5, "{}", direct.lines());
    assert_eq!(replayed.lines(), direct.lines());
}
