//! One attempt to connect: every server that is known, with the files as they are now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{AuthError, Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connect_error::{self, CONNECT_TIMEOUT, Refusals};
use super::secrets::{Certificates, Credentials, check_tls};
use crate::config::{Connection, ConnectionSource, context};

/// [`CONNECT_TIMEOUT`] for a server by its name, which may have to be looked up, and have several
/// addresses.
pub const CONNECT_BY_NAME_TIMEOUT: Duration = Duration::from_secs(4);

/// A server that has not answered for so long does not keep the next one waiting.
const HEAD_START: Duration = Duration::from_millis(250);

/// How often an idle connection is tested. It is closed when two tests in a row are not answered.
const PING: Duration = Duration::from_secs(5);

/// A connection that stands.
pub struct Connected {
    pub client: Client,
    /// The client's events of the connection.
    pub events: mpsc::UnboundedReceiver<Event>,
    /// How it was made.
    pub connection: Connection,
    /// The server's address.
    pub address: String,
}

/// The rest of a cluster, as a server announced it at a connect.
#[derive(Default)]
pub struct Discovered {
    /// The configured servers through which they are known: those of another context are others.
    pub through: Vec<String>,
    pub addresses: Vec<String>,
}

/// Tries every server once: those of the settings, then those that the cluster announced.
pub async fn attempt(
    source: &ConnectionSource,
    discovered: &Discovered,
    request_timeout: Duration,
) -> Result<Connected, String> {
    let plan = read(source.clone()).await?;
    let servers = pool(&plan.connection.servers, discovered);
    let mut refusals = Refusals::default();
    let mut waiting = servers.iter().enumerate();
    let mut trying = FuturesUnordered::new();
    loop {
        let next = if trying.is_empty() {
            Duration::ZERO
        } else {
            HEAD_START
        };
        // Cancel-safe: the attempts live in `trying`, not in `next`. The sleep begins again with
        // each turn: an attempt that has failed leaves the others a whole head start.
        tokio::select! {
            Some(tried) = trying.next() => {
                let (address, place, outcome): (&String, usize, Result<NewClient, String>) = tried;
                match outcome {
                    Ok((client, events)) => {
                        return Ok(Connected {
                            client,
                            events,
                            address: address.clone(),
                            connection: plan.connection.clone(),
                        });
                    }
                    Err(why) => refusals.add(place, address, why),
                }
            }
            () = tokio::time::sleep(next), if waiting.len() > 0 => {
                let to_try = waiting.next();
                trying.extend(to_try.map(|(place, address)| {
                    let one = plan.connect(address, source, request_timeout);
                    async move { (address, place, one.await) }
                }));
            }
            else => return Err(refusals.to_string()),
        }
    }
}

/// The servers to try, in order, each once however it is written.
pub fn pool(configured: &[String], discovered: &Discovered) -> Vec<String> {
    let known = (discovered.addresses.iter()).filter(|_| discovered.through == configured);
    let mut servers: Vec<String> = Vec::new();
    for address in configured.iter().chain(known) {
        if !servers
            .iter()
            .any(|other| place_of(other) == place_of(address))
        {
            servers.push(address.clone());
        }
    }
    servers
}

/// Host and port of an address.
fn place_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.trim_end_matches('/');
    let port = rest.rsplit_once(':').map(|(_, port)| port);
    match port {
        Some(port) if port.parse::<u16>().is_ok() => rest.to_owned(),
        _ => format!("{rest}:4222"),
    }
}

/// What it takes to connect, read from the files.
struct ConnectPlan {
    connection: Connection,
    credentials: Credentials,
    certificates: Certificates,
}

/// Reads all that the settings name, beside the runtime: a file can lie on a disk that hangs.
async fn read(source: ConnectionSource) -> Result<ConnectPlan, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let connection = match source {
            ConnectionSource::Here(connection) => connection,
            ConnectionSource::Context(name) => {
                context::load(&name).map_err(|error| error.to_string())?
            }
        };
        let credentials = Credentials::read(&connection)?;
        let tls = connection.tls.as_ref();
        let certificates = tls.map_or(Ok(Certificates::default()), check_tls)?;
        Ok(ConnectPlan {
            connection,
            credentials,
            certificates,
        })
    });
    match timeout(CONNECT_BY_NAME_TIMEOUT, reading).await {
        Ok(Ok(plan)) => plan,
        Ok(Err(error)) => Err(format!("cannot read the files with its secrets: {error}")),
        Err(_) => Err(format!(
            "reading the files with its secrets took longer than {} s",
            CONNECT_BY_NAME_TIMEOUT.as_secs()
        )),
    }
}

type NewClient = (Client, mpsc::UnboundedReceiver<Event>);

impl ConnectPlan {
    /// Tries one server.
    async fn connect(
        &self,
        address: &str,
        source: &ConnectionSource,
        request_timeout: Duration,
    ) -> Result<NewClient, String> {
        let (events_sender, events) = mpsc::unbounded_channel();
        let spent = Arc::new(AtomicBool::new(false));
        let options = (self.options(spent.clone()))
            .request_timeout(Some(request_timeout))
            .event_callback(move |event| {
                // A receiver that is gone has given the connection up.
                let _ = events_sender.send(event);
                std::future::ready(())
            });
        let to = address.to_owned();
        // Beside us: async-nats panics at some of what a server can say (`-ERR` without words, a
        // length beyond all).
        let mut connecting = JoinSet::new();
        connecting.spawn(async move { options.connect(to).await });
        // It does not limit how long a name is looked up.
        let connected = timeout(CONNECT_BY_NAME_TIMEOUT, connecting.join_next()).await;
        let nonsense = || "the server does not speak the NATS protocol".to_owned();
        match connected.map(|ended| ended.and_then(Result::ok).ok_or_else(nonsense)) {
            Ok(Err(nonsense)) => Err(nonsense),
            Ok(Ok(Ok(client))) => {
                spent.store(true, Ordering::Relaxed);
                Ok((client, events))
            }
            Ok(Ok(Err(error))) => Err(self.explain(&error, address, source)),
            Err(_) => Err(format!(
                "no reply within {} s",
                CONNECT_BY_NAME_TIMEOUT.as_secs()
            )),
        }
    }

    fn explain(&self, error: &ConnectError, address: &str, source: &ConnectionSource) -> String {
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation => {
                connect_error::refused(&self.connection, self.credentials.expires(), source.place())
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {
                connect_error::of(error, address, self.connection.tls.as_ref(), source.place())
            }
        }
    }

    /// A client that connects once. async-nats would reconnect by itself, deliver then what was
    /// sent before, and report only the kind of an error; so it may try once, and is refused, and
    /// [`attempt`] begins afresh.
    fn options(&self, spent: Arc<AtomicBool>) -> ConnectOptions {
        let credentials = self.credentials.clone();
        let mut options = ConnectOptions::with_auth_callback(move |nonce| {
            let answer = if spent.load(Ordering::Relaxed) {
                Err(AuthError::new("this connection was replaced"))
            } else {
                credentials.answer(&nonce)
            };
            std::future::ready(answer)
        })
        .name("recess")
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING)
        .max_reconnects(1)
        .reconnect_delay_callback(|_| Duration::ZERO)
        .ignore_discovered_servers()
        .custom_inbox_prefix(&self.connection.inbox_prefix)
        .require_tls(self.connection.wants_tls());
        if (self.connection.tls.as_ref()).is_some_and(|tls| tls.handshake_first) {
            options = options.tls_first();
        }
        if let Some(ca) = &self.certificates.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((cert, key)) = &self.certificates.identity {
            options = options.add_client_certificate(cert.clone(), key.clone());
        }
        options
    }
}
