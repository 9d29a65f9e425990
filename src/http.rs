//! Pages and JSON for people and their programs, `/metrics`, `/healthz` and `/readyz`. The one place
//! that knows the HTTP crates.
//!
//! `/healthz` answers for the process (the loop lives), `/readyz` for the job (connected, and a
//! full pass succeeded lately). Both say why when they say no.
//!
//! What is for people is served only under names that no foreign site can have ([`hosts`]), and
//! forbids the browser to run, frame and send anything else. Nothing here acts.
//!
//! Invariant: clients cost only so much, whatever they do, and a newcomer never waits for others. A
//! connection carries one request and has its time; of too many the oldest is ended; the answers
//! that take a while are made for all who ask meanwhile ([`shared`]); and metrics are written
//! while they are sent, by turns ([`scrape`]).
//!
//! `site.rs` has what is served where; this file has the connections.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::reconcile::Heartbeat;
use crate::views::Newest;
use crate::views::metrics::Metrics;

mod api;
mod calendar;
mod coding;
mod etag;
mod gzip;
mod hosts;
mod page;
mod query;
mod readiness;
mod refusal;
mod scrape;
mod shared;
mod site;
#[cfg(test)]
mod tests;

pub use readiness::Readiness;

/// How many connections may stand at a time. A scrape needs one for some milliseconds; the service
/// has 1,024 file descriptors by default.
const CONNECTIONS: usize = 256;

/// How long a client may take to send the head of its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may last in all, with a client that hardly reads: longer than a scrape's
/// own timeout.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(30);

/// How much of a request is read: no scraper's or browser's head comes near it.
const BUFFER: usize = 16 * 1024;

/// How long the listener rests when no connection can be taken.
const REST: Duration = Duration::from_millis(100);

/// What the pages are made from.
#[derive(Clone)]
pub struct HttpState {
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// The loop's heartbeat.
    pub heartbeat: Heartbeat,
    /// How the job goes.
    pub readiness: watch::Receiver<Readiness>,
    /// The newest report.
    pub newest: watch::Receiver<Newest>,
    /// The config.
    pub in_force: watch::Receiver<InForce>,
    /// What it is in the time of.
    pub clock: Clock,
    /// Further names under which pages are served.
    pub hosts: Vec<String>,
}

/// The config that is in force, and what became of a newer one.
#[derive(Clone)]
pub struct InForce {
    /// The config.
    pub config: Arc<Config>,
    /// When it was loaded.
    pub loaded: Timestamp,
    /// What is wrong with a newer version of the file, if that was refused.
    pub refused: Option<Arc<str>>,
}

/// Takes the address. Done before anything else, so that a taken port is reported at the start.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves the pages until dropped.
pub async fn serve(listener: TcpListener, state: HttpState) {
    let router = site::router(state);
    let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
    let mut troubled = false;
    loop {
        let accepted = listener.accept().await;
        open.retain(|connection| !connection.is_finished());
        // The client of the oldest connection has had the most time to use it.
        let crowded = accepted.is_err() || open.len() >= CONNECTIONS;
        let oldest = if crowded { open.pop_front() } else { None };
        let room = oldest.is_some();
        if let Some(oldest) = oldest {
            oldest.abort();
            let _ = oldest.await;
        }
        match accepted {
            Ok((stream, _)) => {
                troubled = false;
                open.push_back(tokio::spawn(answer(stream, router.clone())));
            }
            // Out of file descriptors, mostly: the client is in the kernel's queue until there is
            // one for it.
            Err(_) if room => {}
            Err(error) => {
                if !std::mem::replace(&mut troubled, true) {
                    tracing::warn!("HTTP: cannot accept a connection: {error}; retrying");
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// One connection, for one request: so an idle connection need not be distinguished from a dead
/// one.
async fn answer(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(BUFFER)
        .keep_alive(false)
        // `printf 'GET /metrics HTTP/1.0\r\n\r\n' | nc -N` says that it has no more to say, and
        // listens.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // How it ended is the client's affair.
    let _ = timeout(CONNECTION_LIFETIME, connection).await;
}
