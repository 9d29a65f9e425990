//! `/metrics`, `/healthz` and `/readyz`. The one file that knows the HTTP crate.
//!
//! `/healthz` answers for the process (the loop lives), `/readyz` for the job (connected, and a full pass succeeded
//! lately). Both say why when they say no.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::jetstream::Link;
use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::reconcile::Heart;

/// A loop that has been silent for longer hangs. Its longest sleep is 5 s; a request that is never answered takes
/// `request_timeout`.
pub const HANGING: Duration = Duration::from_secs(30);

/// What the pages are made from.
#[derive(Clone)]
pub struct Pages {
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// The loop's heart.
    pub heart: Heart,
    /// How the job goes.
    pub readiness: watch::Receiver<Readiness>,
}

/// How the job goes.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// The connection.
    pub link: Link,
    /// When the newest full pass without failures ended.
    pub last_good_pass: Option<Instant>,
    /// How old that pass may be.
    pub patience: Duration,
}

impl Readiness {
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

/// Takes the address. Done before anything else, so that a taken port is told at the start.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves the pages until dropped.
pub async fn serve(listener: TcpListener, pages: Pages) -> io::Result<()> {
    let router = Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(pages);
    axum::serve(listener, router).await
}

async fn index() -> Html<&'static str> {
    Html(
        "<!doctype html><title>recess</title><h1>recess</h1>\
         <ul><li><a href=metrics>metrics</a><li><a href=healthz>healthz</a><li><a href=readyz>readyz</a></ul>",
    )
}

async fn metrics(State(pages): State<Pages>) -> Response {
    match pages.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let words = format!("the metrics cannot be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, words).into_response()
        }
    }
}

async fn healthz(State(pages): State<Pages>) -> Response {
    let silent = pages.heart.silent_for();
    verdict((silent > HANGING).then(|| format!("the loop has hung for {} s", silent.as_secs())))
}

async fn readyz(State(pages): State<Pages>) -> Response {
    let objection = pages.readiness.borrow().objection();
    verdict(objection)
}

fn verdict(objection: Option<String>) -> Response {
    match objection {
        None => "ok\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
