//! Another client that asks about one consumer all the time: what a burst costs those who have nothing to do with it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::raw::Raw;

const EVERY: Duration = Duration::from_millis(4);

pub struct Bystander {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Vec<Duration>>>,
}

impl Bystander {
    pub fn watch(port: u16, subject: String) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let mut raw = Raw::connect(port, "bystander")?;
        let thread = std::thread::spawn(move || {
            let mut took = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let start = Instant::now();
                // A dropped request ends in an error here.
                raw.ask(&subject, "")?;
                took.push(start.elapsed());
                std::thread::sleep(EVERY);
            }
            Ok(took)
        });
        Ok(Self { stop, thread })
    }

    /// How long each answer took, in order of length.
    pub fn end(self) -> io::Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut took = self
            .thread
            .join()
            .map_err(|_| io::Error::other("it panicked"))??;
        took.sort();
        Ok(took)
    }
}
