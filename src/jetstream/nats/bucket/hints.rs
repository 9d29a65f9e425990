//! Listening for writes to a bucket.
//!
//! A put is heard before it is stored, and a refused one too, so what is heard is a hint to read
//! the bucket, and to read it again a little later. However many are heard, the hints that come of
//! them are few.

use std::time::Duration;

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::overrides::Bucket;

/// How long after a write is heard the bucket is worth a read. In a cluster of three a put was
/// heard up to 13 ms before a replica had it; the rest is for replicas that lag.
const READS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// The least time between two hints, whatever is heard.
const SPACING: Duration = Duration::from_millis(50);

/// Which bucket to listen to, and how often it may have changed.
#[derive(Clone)]
pub struct Hints {
    wanted: watch::Sender<Option<Bucket>>,
    count: watch::Sender<u64>,
}

impl Hints {
    pub fn new() -> Self {
        Self {
            wanted: watch::Sender::new(None),
            count: watch::Sender::new(0),
        }
    }

    pub fn watch(&self, bucket: Option<&Bucket>) {
        self.wanted.send_if_modified(|wanted| {
            let changed = wanted.as_ref() != bucket;
            if changed {
                *wanted = bucket.cloned();
            }
            changed
        });
    }

    pub fn listen_to(&self, subject: &str) -> bool {
        let wanted = self.wanted.borrow();
        (wanted.as_ref()).is_some_and(|bucket| bucket.subjects() == subject)
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }
}

/// The listening in one connection.
pub struct HintTask {
    pub hints: Hints,
    pub client: Client,
}

impl HintTask {
    /// Listens for as long as it is polled.
    pub async fn listen(self) {
        let mut wanted = self.hints.wanted.subscribe();
        loop {
            let bucket = wanted.borrow_and_update().clone();
            let subscription = match bucket {
                // It fails only where the connection is gone already.
                Some(bucket) => self.client.subscribe(bucket.subjects()).await.ok(),
                None => None,
            };
            // Cancel-safe: the subscription is made again, and a change that is heard stays.
            tokio::select! {
                () = self.hear(subscription) => {}
                changed = wanted.changed() => if changed.is_err() {
                    return;
                },
            }
        }
    }

    async fn hear(&self, subscription: Option<Subscriber>) {
        let Some(mut subscription) = subscription else {
            return std::future::pending().await;
        };
        let mut schedule = Schedule::default();
        loop {
            let due = schedule.due();
            let hint = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            // Cancel-safe: a message is given only as `next` returns, and the sleep is until an
            // instant that the next turn asks for again. The sleep comes first: writes without end
            // cannot keep it away.
            tokio::select! {
                biased;
                () = hint => {
                    schedule.hint(Instant::now());
                    self.hints.count.send_modify(|count| *count = count.wrapping_add(1));
                }
                message = subscription.next() => match message {
                    Some(_) => schedule.heard(Instant::now()),
                    // The end of the connection, or a permission that was denied.
                    None => return std::future::pending().await,
                },
            }
        }
    }
}

/// When the next hint is due.
#[derive(Debug, Default)]
struct Schedule {
    heard: Option<Instant>,
    /// How many of [`READS`] have been hinted at since.
    done: usize,
    last: Option<Instant>,
}

impl Schedule {
    fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
        self.done = 0;
    }

    fn due(&self) -> Option<Instant> {
        let due = self.heard? + *READS.get(self.done)?;
        let spaced = self.last.map(|last| last + SPACING);
        Some(spaced.map_or(due, |spaced| spaced.max(due)))
    }

    fn hint(&mut self, now: Instant) {
        self.last = Some(now);
        let Some(heard) = self.heard else { return };
        let passed = |read: &&Duration| heard + **read <= now;
        self.done = READS.iter().take_while(passed).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// When hints come, if writes are heard at these times: milliseconds since the first.
    fn hints(heard: &[u64], until: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let mut hints = Vec::new();
        let mut heard = heard.iter().peekable();
        for at in 0..=until {
            let now = start + ms(at);
            while heard.next_if(|heard| **heard == at).is_some() {
                schedule.heard(now);
            }
            if schedule.due().is_some_and(|due| due <= now) {
                schedule.hint(now);
                hints.push(at);
            }
        }
        hints
    }

    #[test]
    fn a_write_hints_at_once_and_four_times_after() {
        assert_eq!(hints(&[0], 20_000), [0, 50, 250, 1000, 5000]);
        assert_eq!(hints(&[], 20_000), [] as [u64; 0]);
    }

    #[test]
    fn a_later_write_begins_anew() {
        let expected = [0, 50, 250, 300, 350, 550, 1300, 5300];
        assert_eq!(hints(&[0, 300], 20_000), expected);
        // One that comes just after a hint is served with the next, and in full.
        assert_eq!(hints(&[0, 10], 20_000), [0, 50, 100, 260, 1010, 5010]);
    }

    #[test]
    fn writes_without_end_hint_twenty_times_a_second() {
        let heard: Vec<u64> = (0..10_000).step_by(2).collect();
        let hints = hints(&heard, 20_000);
        let during = hints.iter().filter(|at| **at < 10_000).count();
        assert_eq!(during, 200);
        assert_eq!(hints.len() - during, READS.len());
    }
}
