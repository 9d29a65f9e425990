use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::*;

/// The lines that are logged, and nothing else.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let line = format!("{} {}", event.metadata().level(), message.0);
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn an_outage_is_told_once_and_each_message_counts_once() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let counts = NoticeCounts::default();
    let count = || {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&counts.sent), of(&counts.lost))
    };
    let mut deliveries = Deliveries::new(counts.clone());
    let began = Instant::now();
    for subject in ["e.opened", "e.paused"] {
        deliveries.handed_over(subject.to_owned(), began);
    }
    deliveries.settle(began + DENIED_WITHIN / 2);
    assert_eq!(count(), (0, 0), "the server may still deny them");
    deliveries.denied("$JS.API.INFO");
    deliveries.denied("e.opened");
    deliveries.denied("e.opened");
    assert_eq!(count(), (0, 1));
    for _ in 0..3 {
        deliveries.lose("e.drained: not connected to NATS");
    }
    assert_eq!((count(), lines.0.lock().unwrap().len()), ((0, 4), 1));
    deliveries.settle(began + DENIED_WITHIN);
    assert_eq!((count(), deliveries.due()), ((1, 4), None));
    // The next outage is another one.
    deliveries.lose("e.closed: not connected to NATS");
    assert_eq!(count(), (1, 5));
    deliveries.handed_over("e.opened".to_owned(), began);
    deliveries.settle(began + DENIED_WITHIN);
    // A burst that the queue did not hold.
    counts.lost.fetch_add(7, Ordering::Relaxed);
    deliveries.handed_over("e.paused".to_owned(), began);
    deliveries.settle(began + DENIED_WITHIN);
    assert_eq!(count(), (3, 12));
    drop(guard);
    let lines = lines.0.lock().unwrap();
    assert!(lines[0].starts_with("WARN event lost: permission denied to publish to e.opened: "));
    assert_eq!(lines[1], "INFO events: sent again; 4 were lost");
    assert!(lines[2].starts_with("WARN event lost: e.closed: not connected to NATS; "));
    assert_eq!(lines[3], "INFO events: sent again; 1 were lost");
    assert_eq!(
        lines[4],
        format!("WARN events: 7 lost: more than {BACKLOG} waited to be sent")
    );
    assert_eq!(lines.len(), 5, "{lines:?}");
}
