//! The task that connects, stays connected, and finds out what it is connected to.
//!
//! Each connection is a [`Session`] with a client of its own: it begins with a connect, is not used
//! before `INFO` has shown a server that can pause, and ends with the connection. So nothing that
//! was sent in one session arrives in another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{ClientError, Event, ServerError};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::audit::{self, Audit};
use super::bucket::HintTask;
use super::connect::{self, Connected, Discovered};
use super::flood::unreadable_flood;
use super::suitability::{suitability, version_of};
use super::{Abort, Nats, Session, wire};
use crate::config::{self, Api};
use crate::jetstream::{Advisory, Link, RequestError, Server, Unsuitable};
use crate::visible::sanitize;

/// How often a lost or refused connection, or a JetStream that does not answer, is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// A server that finds fault without a pause is quoted once.
const QUOTE_AGAIN: Duration = Duration::from_secs(1);

/// So many of a cluster's other servers are remembered, and tried one after the other where the
/// configured ones are not there.
const DISCOVERED: usize = 64;

/// The longest address that can be one: a scheme, a host name (253 letters at most) and a port.
const LONGEST_ADDRESS: usize = 270;

/// What the server says so shortly before a connection ends is why.
const REASON_BEFORE_END: Duration = Duration::from_secs(1);

/// The task that keeps the link's state true.
pub struct ConnectionTask {
    pub nats: Nats,
    pub settings: config::Nats,
    pub link: watch::Sender<Link>,
    pub session: watch::Sender<Option<Arc<Session>>>,
    pub abort: broadcast::Sender<Abort>,
    pub advisories: mpsc::Sender<Advisory>,
}

impl ConnectionTask {
    /// Keeps at it for as long as the runtime lives.
    pub async fn keep(self) {
        let mut discovered = Discovered::default();
        for connects in 1.. {
            let began = Instant::now();
            let connected = self.connect(&discovered).await;
            // The rest of the cluster, as far as it runs now: async-nats passes later news over.
            discovered = Discovered {
                through: connected.connection.servers.clone(),
                addresses: addresses(connected.client.server_info().connect_urls),
            };
            let reason = self.serve(connected, connects).await;
            self.down(reason);
            // Not more often than that, whatever ends a session at once.
            tokio::time::sleep_until(began + RETRY).await;
        }
    }

    /// Tries until a server lets us in.
    async fn connect(&self, discovered: &Discovered) -> Connected {
        loop {
            let began = Instant::now();
            let source = &self.settings.source;
            match connect::attempt(source, discovered, self.nats.timeout).await {
                Ok(connected) => return connected,
                Err(reason) => self.down(format!("no connection to NATS: {reason}")),
            }
            tokio::time::sleep_until(began + RETRY).await;
        }
    }

    /// One session, until its connection is lost or of no use; returns why.
    async fn serve(&self, connected: Connected, connects: u64) -> String {
        let (session, mut events) = Session::begin(connected);
        let session = Arc::new(session);
        self.session.send_replace(Some(session.clone()));
        // They end with the session: a client lives for as long as anybody listens.
        let _listening = self.listen(&session).await;
        let mut audit = Audit::new(&self.nats.writers, &session.client);
        let mut denied = BTreeSet::new();
        let mut last_words: Option<(Instant, String)> = None;
        let mut probing = true;
        let probe = self.probe(&session);
        let flood = unreadable_flood(&session);
        tokio::pin!(probe, flood);
        let reason = loop {
            // Cancel-safe: `recv` loses no event, probe and flood are polled in place, and
            // `Audit::next` takes a message only as it returns it.
            let event = tokio::select! {
                biased;
                event = events.recv() => event,
                level = &mut probe, if probing => {
                    probing = false;
                    let link = self.judge(&session, level, connects, denied.clone());
                    self.link.send_replace(link);
                    continue;
                }
                () = &mut flood => break format!(
                    "{} sent megabytes that are not a NATS message; recess closed the connection",
                    session.address
                ),
                news = audit.next() => {
                    audit.take(news).await;
                    continue;
                }
            };
            match event {
                Some(Event::ServerError(ServerError::Other(words))) => match denial(&words) {
                    None => {
                        let words = sanitize(&words);
                        if (last_words.as_ref()).is_none_or(|(at, _)| at.elapsed() > QUOTE_AGAIN) {
                            tracing::warn!("NATS server {} reports: {words}", session.address);
                        }
                        last_words = Some((Instant::now(), words));
                    }
                    Some(Denial::Publish(subject)) => {
                        let _ = self.abort.send(Abort::Denied { subject });
                    }
                    // async-nats does not ask for it again, so it takes another session to find it
                    // allowed.
                    Some(Denial::Subscribe(subject)) if session.hears_answers_on(&subject) => {
                        break format!(
                            "connected to {}, but permission denied to subscribe to {}.>, so no \
                             reply can arrive: allow it for recess's NATS user, or set \
                             inbox_prefix in {} to an allowed prefix",
                            session.address,
                            session.inbox_prefix,
                            self.settings.source.place()
                        );
                    }
                    // Nothing but a name in a log line hangs on it.
                    Some(Denial::Subscribe(subject)) if subject == audit::SUBJECT => {
                        tracing::debug!(
                            "permission denied to subscribe to {subject}: clients that resume \
                             consumers cannot be named"
                        );
                        audit.deny();
                    }
                    Some(Denial::Subscribe(subject)) if self.nats.leaving.denied(&subject) => {}
                    Some(Denial::Subscribe(subject)) => {
                        if !self.is_listened_to(&subject) {
                            continue;
                        }
                        denied.insert(subject);
                        self.link.send_if_modified(|link| match link {
                            Link::Up(server) if server.denied != denied => {
                                server.denied.clone_from(&denied);
                                true
                            }
                            Link::Up(_) | Link::Down { .. } | Link::Unsuitable(_) => false,
                        });
                    }
                },
                None
                | Some(Event::Disconnected | Event::Closed)
                | Some(Event::ClientError(ClientError::MaxReconnects)) => {
                    let address = &session.address;
                    break match last_words {
                        Some((at, words)) if at.elapsed() < REASON_BEFORE_END => {
                            format!("{address} closed the connection: {words}")
                        }
                        _ => format!("the connection to {address} was lost"),
                    };
                }
                Some(event) => tracing::debug!("NATS connection: {}", sanitize(&event.to_string())),
            }
        };
        self.session.send_replace(None);
        // No receiver means that nothing is in flight.
        let _ = self.abort.send(Abort::Disconnected);
        reason
    }

    fn down(&self, reason: String) {
        let news = Link::Down { reason };
        self.link.send_if_modified(|link| {
            let changed = *link != news;
            if changed {
                *link = news;
            }
            changed
        });
    }

    /// Asks whether there is a JetStream until there is an answer to go by: its API level.
    async fn probe(&self, session: &Session) -> Option<u64> {
        loop {
            let timeout = self.nats.timeout;
            let answer = self
                .nats
                .request_in::<wire::AccountInfo>(session, "INFO", Bytes::new(), timeout)
                .await;
            match answer {
                Ok(account) => return account.api.level,
                Err(RequestError::NotConnected | RequestError::Cut) => {}
                Err(error) => self.down(format!("connected to {}, but {error}", session.address)),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn judge(
        &self,
        session: &Session,
        level: Option<u64>,
        connects: u64,
        denied: BTreeSet<String>,
    ) -> Link {
        let server = session.client.server_info();
        let version = match &session.api {
            Api::Default => sanitize(&server.version),
            Api::Domain(domain) if server.domain.as_ref() == Some(domain) => {
                sanitize(&server.version)
            }
            // The reply comes from another server than that of the connection, and has no version.
            Api::Domain(_) | Api::Prefix(_) => version_of(level),
        };
        let crash_prone = match suitability(&version, level) {
            Ok(()) => false,
            Err(Unsuitable::CrashProne { .. }) if self.settings.allow_crash_prone => true,
            Err(unsuitable) => return Link::Unsuitable(unsuitable),
        };
        Link::Up(Server {
            version,
            address: session.address.clone(),
            connects,
            crash_prone,
            denied,
        })
    }

    /// Subscribes to the advisories on consumers.
    async fn listen(&self, session: &Session) -> JoinSet<()> {
        let mut listening = JoinSet::new();
        let hints = HintTask {
            hints: self.nats.hints.clone(),
            client: session.client.clone(),
        };
        listening.spawn(hints.listen());
        for subject in advisories() {
            // It fails only where the connection is gone already.
            let Ok(mut subscription) = session.client.subscribe(subject).await else {
                break;
            };
            let advisories = self.advisories.clone();
            listening.spawn(async move {
                while let Some(message) = subscription.next().await {
                    if let Some(advisory) = wire::advisory(&message.subject, &message.payload) {
                        // A full backlog drops hints; a closed one means that recess is ending.
                        let _ = advisories.try_send(advisory);
                    }
                }
            });
        }
        listening
    }

    /// Whether a subject tells of what other clients do.
    fn is_listened_to(&self, subject: &String) -> bool {
        advisories().contains(subject) || self.nats.hints.listen_to(subject)
    }
}

/// What is subscribed to.
fn advisories() -> [String; 3] {
    ["PAUSE", "CREATED", "DELETED"].map(|kind| format!("{}.{kind}.*.*", wire::ADVISORY_PREFIX))
}

/// Of what a server says of the rest of its cluster, what can be addresses.
fn addresses(listed: Vec<String>) -> Vec<String> {
    let plausible = |address: &String| {
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '@';
        !address.is_empty() && address.len() <= LONGEST_ADDRESS && !address.contains(odd)
    };
    (listed.into_iter())
        .filter(plausible)
        .take(DISCOVERED)
        .collect()
}

/// What the account's permissions do not allow, with the subject.
#[derive(Debug, PartialEq, Eq)]
pub enum Denial {
    Publish(String),
    Subscribe(String),
}

/// Reads `Permissions Violation for Subscription to "_INBOX.x.*"`, which nats-server sends on its
/// own, not as an answer.
pub fn denial(words: &str) -> Option<Denial> {
    let kind = words.to_ascii_lowercase();
    let subject = || sanitize(words.split('"').nth(1).unwrap_or(words));
    let kind = kind.strip_prefix("permissions violation for ")?;
    Some(if kind.starts_with("subscription") {
        Denial::Subscribe(subject())
    } else {
        Denial::Publish(subject())
    })
}
