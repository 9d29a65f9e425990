//! Messages on core NATS: sent at most once, and nothing waits for them.
//!
//! They wait in a queue that has an end, so that the loop never does. What does not fit, or has no
//! connection to go out by, is lost; what was handed to one connection is never sent by the next.
//! What is lost is counted, and one warning says so until something is sent again.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Abort, Nats};

/// How many may wait. A window makes a handful; thousands of contested consumers make that many.
pub const BACKLOG: usize = 4096;

/// A connection that takes nothing for so long hangs.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);

/// A message counts as sent when the server has had so long to deny it. It answers within a round
/// trip.
const DENIED_WITHIN: Duration = Duration::from_secs(1);

/// One message.
pub struct Notice {
    pub subject: String,
    pub payload: Bytes,
}

/// How many messages were sent and how many were lost, since the start.
#[derive(Clone, Debug, Default)]
pub struct NoticeCounts {
    /// Handed to a connection, and not denied by the server.
    pub sent: Arc<AtomicU64>,
    /// All others.
    pub lost: Arc<AtomicU64>,
}

impl Nats {
    /// Sends a message by the connection that stands, if one does. Returns at once, and does not
    /// learn whether it arrived.
    pub fn publish(&self, subject: String, payload: Vec<u8>) {
        let payload = Bytes::from(payload);
        if (self.notices.try_send(Notice { subject, payload })).is_err() {
            // That is reported with the next one that is sent, or with what blocks the queue.
            self.notice_counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What became of the messages.
    pub fn notice_counts(&self) -> NoticeCounts {
        self.notice_counts.clone()
    }

    /// Sends what is in the queue, for as long as the runtime lives.
    pub(super) async fn carry(self, mut queue: mpsc::Receiver<Notice>) {
        let mut abort = self.abort.subscribe();
        let mut ledger = Deliveries::new(self.notice_counts.clone());
        loop {
            let due = ledger.due();
            let settled = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            // Cancel-safe: both `recv` lose nothing, and the sleep is until an instant that the
            // next turn asks for again. Sending is no arm but what follows one, so it is never cut
            // off.
            tokio::select! {
                notice = queue.recv() => match notice {
                    Some(notice) => self.send(notice, &mut ledger).await,
                    None => return,
                },
                () = settled => ledger.settle(Instant::now()),
                news = abort.recv() => match news {
                    // The server reports it for each message, and only a person can fix it.
                    Ok(Abort::Denied { subject }) => ledger.denied(&subject),
                    Err(broadcast::error::RecvError::Closed) => return,
                    _ => {}
                },
            }
        }
    }

    async fn send(&self, notice: Notice, ledger: &mut Deliveries) {
        let Notice { subject, payload } = notice;
        let session = self.session.borrow().clone();
        let Some(session) = session.filter(|session| session.is_connected()) else {
            return ledger.lose(format_args!("{subject}: not connected to NATS"));
        };
        let publish = session.client.publish(subject.clone(), payload);
        if matches!(timeout(PUBLISH_TIMEOUT, publish).await, Ok(Ok(()))) {
            ledger.handed_over(subject, Instant::now());
        } else {
            ledger.lose(format_args!(
                "{subject}: the connection to NATS accepts no messages"
            ));
        }
    }
}

/// What became of each message.
struct Deliveries {
    counts: NoticeCounts,
    /// Handed over, in this order, and when; the server may still deny them.
    handed_over: VecDeque<(Instant, String)>,
    /// How many were lost by the newest one that was sent, in all.
    lost_before: u64,
    /// The outage was reported.
    is_reported: bool,
}

impl Deliveries {
    fn new(counts: NoticeCounts) -> Self {
        Self {
            counts,
            handed_over: VecDeque::new(),
            lost_before: 0,
            is_reported: false,
        }
    }

    fn handed_over(&mut self, subject: String, now: Instant) {
        self.handed_over.push_back((now, subject));
    }

    /// When the next one counts as sent.
    fn due(&self) -> Option<Instant> {
        let (since, _) = self.handed_over.front()?;
        Some(*since + DENIED_WITHIN)
    }

    /// Counts those as sent that the server has not denied.
    fn settle(&mut self, now: Instant) {
        while self.due().is_some_and(|due| due <= now) {
            self.handed_over.pop_front();
            self.counts.sent.fetch_add(1, Ordering::Relaxed);
            let lost = self.counts.lost.load(Ordering::Relaxed);
            let count = lost.saturating_sub(self.lost_before);
            if std::mem::take(&mut self.is_reported) {
                tracing::info!("events: sent again; {count} were lost");
            } else if count > 0 {
                tracing::warn!("events: {count} lost: more than {BACKLOG} waited to be sent");
            }
            self.lost_before = lost;
        }
    }

    fn denied(&mut self, subject: &str) {
        // The server denies other things too.
        let index = (self.handed_over.iter()).position(|(_, sent)| sent == subject);
        if index
            .and_then(|index| self.handed_over.remove(index))
            .is_some()
        {
            self.lose(format_args!(
                "permission denied to publish to {subject}: allow the subject for recess's NATS \
                 user, or remove [events] from the config"
            ));
        }
    }

    /// Counts one as lost; the first of an outage is reported.
    fn lose(&mut self, why: impl Display) {
        self.counts.lost.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut self.is_reported, true) {
            tracing::warn!(
                "event lost: {why}; further losses are only counted (recess_events_total)"
            );
        }
    }
}

#[cfg(test)]
mod tests;
