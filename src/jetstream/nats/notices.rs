//! Messages to whom it may concern, on core NATS: at most once, and nobody waits for them.
//!
//! They wait in a queue that has an end, so that the loop never does. What does not fit, or has no connection to go out by, is
//! lost; what was handed to one connection is never sent by the next.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;

use super::{Doom, Nats};

/// How many may wait. A window makes a handful; a fight over thousands of consumers makes that many.
pub const BACKLOG: usize = 4096;

/// A connection that takes nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(1);

/// One message.
pub struct Notice {
    pub subject: String,
    pub payload: Bytes,
}

impl Nats {
    /// Sends a message by the connection that stands, if one does. Returns at once, and nobody ever tells whether it arrived.
    pub fn tell(&self, subject: String, payload: Vec<u8>) {
        let payload = Bytes::from(payload);
        if (self.notices.try_send(Notice { subject, payload })).is_err() {
            tracing::debug!("too many events at once: one is lost");
        }
    }

    /// Sends what is in the queue, for as long as the runtime lives.
    pub(super) async fn carry(self, mut queue: mpsc::Receiver<Notice>) {
        let mut doom = self.doom.subscribe();
        let mut sent = BTreeSet::new();
        loop {
            tokio::select! {
                notice = queue.recv() => match notice {
                    Some(notice) => self.send(notice, &mut sent).await,
                    None => return,
                },
                news = doom.recv() => match news {
                    // The server tells it of each message, and nothing but a person can mend it.
                    Ok(Doom::Denied { subject }) if sent.remove(&subject) => tracing::warn!(
                        "permission denied to publish to {subject}, so this event is lost: allow what [events] subject begins \
                         with for recess's NATS user, or take it out of the config"
                    ),
                    Err(broadcast::error::RecvError::Closed) => return,
                    _ => {}
                },
            }
        }
    }

    async fn send(&self, notice: Notice, sent: &mut BTreeSet<String>) {
        let Notice { subject, payload } = notice;
        let session = self.session.borrow().clone();
        let Some(session) = session.filter(|session| session.is_connected()) else {
            tracing::debug!("not connected: the event {subject} is lost");
            return;
        };
        sent.insert(subject.clone());
        let publish = session.client.publish(subject.clone(), payload);
        if !matches!(timeout(PATIENCE, publish).await, Ok(Ok(()))) {
            tracing::debug!("the connection hangs: the event {subject} is lost");
        }
    }
}
