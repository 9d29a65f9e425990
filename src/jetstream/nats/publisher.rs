//! Messages on core NATS: sent at most once, and nothing waits for them.
//!
//! They wait in a queue that has an end, so that the loop never does. What does not fit, or has no
//! connection to go out by, is lost; what was handed to one connection is never sent by the next.
//! What is lost is counted, and one warning says so until something is sent again.
//!
//! Each has an id, by which a stream that captures them drops a second one, and by which a standby
//! knows what another copy has sent.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{HeaderMap, header};
use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Abort, Nats};

mod others;

use others::Others;
pub use others::{Leaving, Left};

/// How many may wait. A window makes a handful; thousands of contested consumers make that many.
pub const BACKLOG: usize = 4096;

/// A connection that takes nothing for so long hangs.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);

/// A message counts as sent when the server has had so long to deny it. It answers within a round
/// trip.
const DENIED_WITHIN: Duration = Duration::from_secs(1);

/// One message.
pub struct Notice {
    /// The same for every copy that sends it.
    pub id: String,
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
    pub fn publish(&self, id: &str, subject: String, payload: Vec<u8>) {
        let notice = Notice {
            // A header's value is one line.
            id: id.replace(char::is_control, "_"),
            subject,
            payload: payload.into(),
        };
        if self.notices.try_send(notice).is_err() {
            // That is reported with the next one that is sent, or with what blocks the queue.
            self.notice_counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Leaves each message to the other copies at first, as a standby does.
    pub fn leave_messages(&self, left: Option<Left>) {
        self.leaving.set(left);
    }

    /// What became of the messages.
    pub fn notice_counts(&self) -> NoticeCounts {
        self.notice_counts.clone()
    }

    /// Sends what is in the queue, for as long as the runtime lives.
    pub(super) async fn carry(self, mut queue: mpsc::Receiver<Notice>) {
        let mut abort = self.abort.subscribe();
        let mut ledger = Deliveries::new(self.notice_counts.clone());
        let (mut session, mut left) = (self.session.clone(), self.leaving.subscribe());
        let mut others = Others::default();
        let mut subscription = None;
        loop {
            let settled = until(ledger.due());
            let waited = until(others.due());
            // Cancel-safe: both `recv` and `next_of` lose nothing, a change stays marked until it
            // is seen, and the sleeps are until instants that the next turn asks for again. Sending
            // is no arm but what follows one, so it is never cut off.
            tokio::select! {
                notice = queue.recv() => match notice {
                    Some(notice) => match delay(&left) {
                        Some(delay) => others.wait(Instant::now() + delay, notice),
                        None => self.send(notice, &mut ledger).await,
                    },
                    None => return,
                },
                () = waited => while let Some(notice) = others.take(Instant::now()) {
                    self.send(notice, &mut ledger).await;
                },
                message = others::next_of(&mut subscription) => others.hear(&message),
                changed = either_changes(&mut session, &mut left) => {
                    if changed.is_err() {
                        return;
                    }
                    let (session, left) = (session.borrow().clone(), left.borrow().clone());
                    subscription = others::listen(session, left).await;
                }
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
        let Notice {
            id,
            subject,
            payload,
        } = notice;
        let session = self.session.borrow().clone();
        let Some(session) = session.filter(|session| session.is_connected()) else {
            return ledger.lose(format_args!("{subject}: not connected to NATS"));
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
        let publish = (session.client).publish_with_headers(subject.clone(), headers, payload);
        if matches!(timeout(PUBLISH_TIMEOUT, publish).await, Ok(Ok(()))) {
            ledger.handed_over(subject, Instant::now());
        } else {
            ledger.lose(format_args!(
                "{subject}: the connection to NATS accepts no messages"
            ));
        }
    }
}

/// For how long messages are left to other copies, where they are.
fn delay(left: &watch::Receiver<Option<Left>>) -> Option<Duration> {
    left.borrow().as_ref().map(|left| left.delay)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Resolves when one of them has changed, and marks both as seen.
async fn either_changes<A, B>(
    one: &mut watch::Receiver<A>,
    other: &mut watch::Receiver<B>,
) -> Result<(), watch::error::RecvError> {
    // Cancel-safe: a change stays marked until `mark_unchanged`.
    tokio::select! {
        changed = one.changed() => changed?,
        changed = other.changed() => changed?,
    }
    one.mark_unchanged();
    other.mark_unchanged();
    Ok(())
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
