//! `/metrics`, `/healthz` and `/readyz`. The one file that knows the HTTP crates.
//!
//! `/healthz` answers for the process (the loop lives), `/readyz` for the job (connected, and a
//! full pass succeeded lately). Both say why when they say no.
//!
//! What is a page for people is served only under names that no foreign site can have ([`hosts`]),
//! and every HTML answer forbids the browser to run, frame and send anything else.
//!
//! Invariant: clients cost only so much, whatever they do, and a newcomer never waits for others. A
//! connection carries one request and has its time; of too many the oldest is ended; and the
//! metrics are written for all who ask meanwhile.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::jetstream::Link;
use crate::reconcile::Heartbeat;
use crate::report::Report;
use crate::text;
use crate::views::metrics::{CONTENT_TYPE, Metrics};

mod hosts;
mod scrape;
#[cfg(test)]
mod tests;

use hosts::Hosts;
use scrape::Scrape;

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

/// A loop that has been silent for longer hangs. Its longest sleep is 5 s; a request that is never
/// answered takes `request_timeout`.
const HANGING: Duration = Duration::from_secs(30);

/// What the pages are made from.
#[derive(Clone)]
pub struct HttpState {
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// The loop's heartbeat.
    pub heartbeat: Heartbeat,
    /// How the job goes.
    pub readiness: watch::Receiver<Readiness>,
    /// Further names under which pages are served.
    pub hosts: Vec<String>,
}

/// How the job goes.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// The connection.
    pub link: Link,
    /// When the newest full pass without failures ended.
    pub last_good_pass: Option<Instant>,
    /// How far off the clock is, where it is too far off to begin or end anything.
    pub lost_clock: Option<SignedDuration>,
    /// How old that pass may be.
    pub patience: Duration,
}

impl Readiness {
    /// Takes in a report of a loop that observes everything once in `resync`.
    pub fn observe(&mut self, report: &Report, resync: Duration) {
        self.link = report.link.clone();
        self.lost_clock = report.lost_clock();
        self.patience = resync * 2 + HANGING;
        if (report.pass.as_ref()).is_some_and(|pass| pass.full && pass.is_ok()) {
            self.last_good_pass = Some(Instant::now());
        }
    }

    /// Why the job does not go well, if it does not.
    fn objection(&self) -> Option<String> {
        match &self.link {
            Link::Down { reason } if reason.is_empty() => {
                return Some("not connected yet".to_owned());
            }
            Link::Down { reason } => return Some(reason.clone()),
            Link::Unsuitable(unsuitable) => return Some(unsuitable.to_string()),
            Link::Up(_) => {}
        }
        if let Some(skew) = self.lost_clock {
            return Some(format!(
                "this host's clock is {} off the server's: recess starts and ends no pause until \
                 they agree",
                text::clock_offset(skew)
            ));
        }
        match self.last_good_pass {
            None => Some("connected, but no pass has succeeded yet".to_owned()),
            Some(at) if at.elapsed() > self.patience => Some(format!(
                "no pass has succeeded for {} s",
                at.elapsed().as_secs()
            )),
            Some(_) => None,
        }
    }
}

/// Takes the address. Done before anything else, so that a taken port is reported at the start.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves the pages until dropped.
pub async fn serve(listener: TcpListener, state: HttpState) {
    let all = state.metrics.clone();
    let scrape = Scrape::of(move || all.render().map_err(|error| error.to_string()));
    let hosts = Arc::new(Hosts::of(&state.hosts));
    let router = Router::new()
        .route("/", get(index))
        .route_layer(from_fn_with_state(hosts, only_here))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(state)
        .merge(
            Router::new()
                .route("/metrics", get(metrics))
                .with_state(scrape),
        )
        .layer(map_response(guarded));
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

/// What a browser may do with a page: show it.
const GUARDS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Refuses a page under a name that may be a foreign site's.
async fn only_here(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match hosts.admit(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Whatever is HTML gets all guards, also a page that is still to be written; nothing is to be
/// taken for HTML.
async fn guarded(mut response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    for (name, value) in GUARDS {
        if is_html || name == header::X_CONTENT_TYPE_OPTIONS {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn index() -> Html<&'static str> {
    Html(
        "<!doctype html><title>recess</title><h1>recess</h1><ul><li><a \
         href=metrics>metrics</a><li><a href=healthz>healthz</a><li><a href=readyz>readyz</a></ul>",
    )
}

async fn metrics(State(scrape): State<Scrape>) -> Response {
    match scrape.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let words = format!("cannot write the metrics: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, words).into_response()
        }
    }
}

async fn healthz(State(state): State<HttpState>) -> Response {
    let silent = state.heartbeat.silent_for();
    verdict((silent > HANGING).then(|| format!("the loop has hung for {} s", silent.as_secs())))
}

async fn readyz(State(state): State<HttpState>) -> Response {
    let objection = state.readiness.borrow().objection();
    verdict(objection)
}

fn verdict(objection: Option<String>) -> Response {
    match objection {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
