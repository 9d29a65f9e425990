//! What a standby knows of the messages of other copies: it sends only those that it has not heard,
//! some time after it could.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{Message, Subscriber, header};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Notice;
use crate::jetstream::nats::Session;

/// So many ids are remembered: a window makes a handful, and a copy that is late is late by seconds.
const REMEMBERED: usize = 10_000;

/// Longer ones are none of recess's.
const LONGEST_ID: usize = 1024;

/// That each message is left to the other copies at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where they send theirs.
    pub subject: String,
    /// For how long.
    pub delay: Duration,
}

/// Whether messages are left to other copies; shared by all who use the connection.
#[derive(Clone)]
pub struct Leaving {
    left: watch::Sender<Option<Left>>,
    denial_logged: Arc<AtomicBool>,
}

impl Leaving {
    pub fn new() -> Self {
        Self {
            left: watch::Sender::new(None),
            denial_logged: Arc::default(),
        }
    }

    pub fn set(&self, left: Option<Left>) {
        self.left.send_if_modified(|known| {
            let differs = *known != left;
            if differs {
                *known = left;
            }
            differs
        });
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<Left>> {
        self.left.subscribe()
    }

    /// Takes in that the server does not allow to listen to a subject. False if it is not this one.
    pub fn denied(&self, subject: &str) -> bool {
        let is_ours = (self.left.borrow().as_ref()).is_some_and(|left| left.subject == subject);
        if is_ours && !self.denial_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "permission denied to subscribe to {subject}: this standby sends each event too, \
                 after the primary; allow the subject for recess's NATS user"
            );
        }
        is_ours
    }
}

/// Listens to the messages of other copies by one connection.
pub async fn listen(session: Option<Arc<Session>>, left: Option<Left>) -> Option<Subscriber> {
    // It fails only where the connection is gone already.
    session?.client.subscribe(left?.subject).await.ok()
}

/// The next message of another copy; never, where none can be heard.
pub async fn next_of(subscription: &mut Option<Subscriber>) -> Message {
    if let Some(open) = subscription
        && let Some(message) = open.next().await
    {
        return message;
    }
    // The end of the connection, or a permission that was denied.
    *subscription = None;
    std::future::pending().await
}

/// The ids that were heard, and the messages that wait for theirs.
#[derive(Default)]
pub struct Others {
    heard: HashSet<String>,
    in_order: VecDeque<String>,
    waiting: VecDeque<(Instant, Notice)>,
}

impl Others {
    pub fn hear(&mut self, message: &Message) {
        let headers = message.headers.as_ref();
        let id = headers.and_then(|headers| headers.get(header::NATS_MESSAGE_ID));
        if let Some(id) = id.map(|id| id.as_str()) {
            self.remember(id);
        }
    }

    fn remember(&mut self, id: &str) {
        if id.len() <= LONGEST_ID && self.heard.insert(id.to_owned()) {
            self.in_order.push_back(id.to_owned());
        }
        if self.in_order.len() > REMEMBERED
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.heard.remove(&oldest);
        }
    }

    /// Leaves a message to the others until then.
    pub fn wait(&mut self, until: Instant, notice: Notice) {
        self.waiting.push_back((until, notice));
    }

    /// When the first of those that wait is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(until, _)| *until)
    }

    /// The next one that is due and that no other copy has sent.
    pub fn take(&mut self, now: Instant) -> Option<Notice> {
        while self.due().is_some_and(|due| due <= now) {
            let (_, notice) = self.waiting.pop_front()?;
            if !self.heard.contains(&notice.id) {
                return Some(notice);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(id: &str) -> Notice {
        Notice {
            id: id.to_owned(),
            subject: "recess.events.prod-eu.night.opened".to_owned(),
            payload: Default::default(),
        }
    }

    fn taken(others: &mut Others, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| others.take(now))
            .map(|notice| notice.id)
            .collect()
    }

    #[test]
    fn only_what_no_other_copy_has_sent_is_sent_and_in_order() {
        let mut others = Others::default();
        let began = Instant::now();
        let later = began + Duration::from_secs(5);
        others.remember("before");
        for id in ["before", "opened", "paused", "drained"] {
            others.wait(later, notice(id));
        }
        others.remember("paused");
        assert_eq!(taken(&mut others, began), [""; 0]);
        assert_eq!(others.due(), Some(later));
        assert_eq!(taken(&mut others, later), ["opened", "drained"]);
        assert_eq!(others.due(), None);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut others = Others::default();
        others.remember(&"x".repeat(LONGEST_ID + 1));
        assert!(others.heard.is_empty());
        for number in 0..=REMEMBERED {
            others.remember(&number.to_string());
            others.remember(&number.to_string());
        }
        assert_eq!(
            (others.heard.len(), others.in_order.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert!(!others.heard.contains("0") && others.heard.contains("1"));
    }

    #[test]
    fn a_denial_of_another_subject_is_another_s() {
        let leaving = Leaving::new();
        assert!(!leaving.denied("recess.events.prod-eu.>"));
        leaving.set(Some(Left {
            subject: "recess.events.prod-eu.>".to_owned(),
            delay: Duration::from_secs(5),
        }));
        assert!(leaving.denied("recess.events.prod-eu.>"));
        assert!(!leaving.denied("_INBOX.>"));
    }
}
