//! A bounded queue with a thread of its own, between those who log and what takes the log.
//!
//! Invariant: to put a line into it never blocks. A pipe that is not read, a full terminal or a
//! journal that hangs stops that thread and nothing else; what does not fit into the queue
//! meanwhile is lost, counted, and reported once lines are taken again.
//!
//! Not tracing-appender: as it ends it prints to standard error that it cannot write, and so hangs
//! where that is what hangs; and it knows bytes only, where the journal takes records.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

/// How many lines may wait: a minute of a restless night, some hundred kilobytes.
pub(super) const LIMIT: usize = 1024;

/// How long a flush that finds the queue full waits before it tries again.
const AGAIN: Duration = Duration::from_millis(5);

enum Item<T> {
    Line(T),
    /// Answered when all before it was written.
    Flush(SyncSender<()>),
}

/// The end into which lines are put. Cloning shares the queue.
pub(super) struct Queue<T> {
    sender: SyncSender<Item<T>>,
    lost: Arc<AtomicU64>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            lost: self.lost.clone(),
        }
    }
}

impl<T: Send + 'static> Queue<T> {
    /// Starts the thread. `write` may block; `report` logs how many lines were lost so far, and so
    /// puts a line into this very queue.
    ///
    /// # Errors
    /// Where the system has no thread to give.
    pub fn start(
        limit: usize,
        write: impl FnMut(T) -> io::Result<()> + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(limit);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = lost.clone();
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || carry(&receiver, write, &counter, limit, report))?;
        Ok(Self { sender, lost })
    }

    /// Puts a line into the queue, or counts it as lost. Returns at once.
    pub fn put(&self, line: T) {
        if self.sender.try_send(Item::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were lost so far.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.lost.clone()
    }

    /// Waits until all that was put was written, but no longer than that. True where it was.
    pub fn flush(&self, mut within: Duration) -> bool {
        let (done, written) = sync_channel(1);
        let mut flush = Item::Flush(done);
        loop {
            flush = match self.sender.try_send(flush) {
                Ok(()) => return written.recv_timeout(within).is_ok(),
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(flush)) => flush,
            };
            let Some(left) = within.checked_sub(AGAIN) else {
                return false;
            };
            thread::sleep(AGAIN);
            within = left;
        }
    }
}

/// Writes what comes, until the last sender is gone.
fn carry<T>(
    receiver: &Receiver<Item<T>>,
    mut write: impl FnMut(T) -> io::Result<()>,
    lost: &AtomicU64,
    limit: usize,
    report: impl Fn(u64),
) {
    let mut reported = 0;
    let mut taken = 0;
    // A sink that refuses would refuse the report too.
    let mut works = false;
    loop {
        let total = lost.load(Ordering::Relaxed);
        let item = match receiver.try_recv() {
            Ok(item) => Some(item),
            Err(TryRecvError::Disconnected) => return,
            Err(TryRecvError::Empty) if works && total > reported => None,
            Err(TryRecvError::Empty) => match receiver.recv() {
                Ok(item) => Some(item),
                Err(_) => return,
            },
        };
        // There is room for the report now that an item was taken out. It comes when the queue is
        // empty or, where it never is, after all that was in it at the loss.
        if works && total > reported && (item.is_none() || taken > limit) {
            (reported, taken) = (total, 0);
            report(total);
        }
        match item {
            Some(Item::Line(line)) => {
                works = write(line).is_ok();
                // A full disk, or a pipe that was closed: only the count can show it.
                lost.fetch_add(u64::from(!works), Ordering::Relaxed);
                taken += 1;
            }
            // The receiver may be gone by now.
            Some(Item::Flush(done)) => drop(done.try_send(())),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
