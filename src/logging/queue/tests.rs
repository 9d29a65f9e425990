use std::sync::mpsc::channel;
use std::sync::{Mutex, OnceLock};

use super::*;

const SOON: Duration = Duration::from_secs(5);

/// A sink that takes a line whenever the test gives leave, and what it took.
struct Sink {
    queue: Queue<String>,
    /// One leave for one line: to take it, or to fail.
    leave: std::sync::mpsc::Sender<io::Result<()>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    fn of(limit: usize) -> Self {
        let (leave, given) = channel::<io::Result<()>>();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let into = taken.clone();
        let write = move |line| {
            given.recv().unwrap_or(Ok(()))?;
            into.lock().unwrap().push(line);
            Ok(())
        };
        // The report goes into the same queue.
        let itself = Arc::new(OnceLock::<Queue<String>>::new());
        let own = itself.clone();
        let report = move |total| own.get().unwrap().put(format!("{total} lost"));
        let queue = Queue::start(limit, write, report).unwrap();
        let _ = itself.set(queue.clone());
        Self {
            queue,
            leave,
            taken,
        }
    }

    fn put(&self, lines: impl IntoIterator<Item = &'static str>) {
        lines
            .into_iter()
            .for_each(|line| self.queue.put(line.to_owned()));
    }

    fn lost(&self) -> u64 {
        self.queue.lost().load(Ordering::Relaxed)
    }

    /// What it takes once nothing stands in its way any more, which should be so many lines.
    fn freed(self, count: usize) -> Vec<String> {
        drop(self.leave);
        for _ in 0..100 {
            assert!(self.queue.flush(SOON));
            // A report waits for the queue to run empty, which the flushes alone may prevent.
            if self.taken.lock().unwrap().len() >= count {
                break;
            }
            settle();
        }
        std::mem::take(&mut self.taken.lock().unwrap())
    }
}

/// Waits for the thread to have taken its first line, so that the queue is as empty as it gets.
fn settle() {
    thread::sleep(Duration::from_millis(50));
}

#[test]
fn a_sink_that_hangs_holds_up_nobody_and_what_does_not_fit_is_counted_and_reported() {
    let sink = Sink::of(3);
    sink.put(["a"]);
    settle();
    sink.put(["b", "c", "d", "e", "f"]);
    assert_eq!(sink.lost(), 2);
    assert!(!sink.queue.flush(Duration::from_millis(50)), "it hangs");
    assert_eq!(sink.freed(5), ["a", "b", "c", "d", "2 lost"]);
}

#[test]
fn what_was_put_is_written_after_a_flush() {
    let sink = Sink::of(3);
    let queue = sink.queue.clone();
    sink.put(["a", "b"]);
    let flushing = thread::spawn(move || queue.flush(SOON));
    settle();
    assert!(!flushing.is_finished());
    sink.leave.send(Ok(())).unwrap();
    sink.leave.send(Ok(())).unwrap();
    assert!(flushing.join().unwrap());
    assert_eq!(*sink.taken.lock().unwrap(), ["a", "b"]);
}

#[test]
fn a_sink_that_refuses_gets_no_report_until_it_takes_lines_again() {
    let sink = Sink::of(3);
    let full = || Err(io::ErrorKind::StorageFull.into());
    for _ in 0..2 {
        sink.leave.send(full()).unwrap();
    }
    sink.put(["a", "b"]);
    settle();
    // A report would have asked for leave too, and got none.
    assert_eq!((sink.lost(), sink.taken.lock().unwrap().len()), (2, 0));
    sink.put(["c"]);
    assert_eq!(sink.freed(2), ["c", "2 lost"]);
}

#[test]
fn a_queue_that_never_runs_empty_reports_a_loss_all_the_same() {
    let sink = Sink::of(3);
    sink.put(["a"]);
    settle();
    sink.put(["b", "c", "d", "e"]);
    assert_eq!(sink.lost(), 1);
    for _ in 0..20 {
        sink.leave.send(Ok(())).unwrap();
        settle();
        sink.put(["x"]);
        if sink
            .taken
            .lock()
            .unwrap()
            .iter()
            .any(|line| line == "1 lost")
        {
            return;
        }
    }
    panic!("{:?}", sink.taken.lock().unwrap());
}
