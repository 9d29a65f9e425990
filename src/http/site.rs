//! What is served where, under which names, and with which headers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::HttpState;
use super::api::{Api, Json};
use super::calendar::Calendars;
use super::hosts::Hosts;
use super::page::{FORBIDDEN, Page};
use super::readiness::HANGING;
use super::refusal::Refusal;
use super::scrape::Scrapes;

/// Everything that is served.
const PATHS: &str = "/, /calendar.ics, /api/v1/status, /api/v1/plan, /api/v1/overrides, /metrics, /healthz and /readyz";

/// What keeps other sites out, and answers out of caches.
const GUARDS: [(HeaderName, HeaderValue); 5] = [
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

/// What the answers are made from.
struct Site {
    state: HttpState,
    scrapes: Scrapes,
    api: Api,
    page: Page,
    calendars: Calendars,
}

/// All pages.
pub fn router(state: HttpState) -> Router {
    let hosts = Arc::new(Hosts::of(&state.hosts));
    let site = Site {
        scrapes: Scrapes::of(state.metrics.clone()),
        api: Api::of(state.newest.clone(), state.clock.clone()),
        page: Page::of(
            state.newest.clone(),
            state.in_force.clone(),
            state.clock.clone(),
        ),
        calendars: Calendars::of(
            state.newest.clone(),
            state.in_force.clone(),
            state.clock.clone(),
        ),
        state,
    };
    // For people and their programs. What a browser can read is served under known names only.
    let guarded = Router::new()
        .route("/", get(page))
        .route("/calendar.ics", get(calendar))
        .route("/api/v1/status", get(status))
        .route("/api/v1/plan", get(plan))
        .route("/api/v1/overrides", get(overrides))
        .route_layer(map_response(guard))
        .route_layer(from_fn_with_state(hosts, only_here));
    Router::new()
        .merge(guarded)
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(nowhere)
        .method_not_allowed_fallback(read_only)
        .with_state(Arc::new(site))
        .layer(map_response(no_sniffing))
}

/// Refuses a page under a name that may be a foreign site's.
async fn only_here(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match hosts.admit(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.extend(GUARDS);
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(FORBIDDEN);
    response
}

/// Nothing is to be taken for HTML that is none.
async fn no_sniffing(mut response: Response) -> Response {
    let (name, value) = (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response.headers_mut().insert(name, value);
    response
}

async fn page(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    site.page.get(query.as_deref(), &headers).await
}

async fn calendar(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    site.calendars.get(query.as_deref(), &headers).await
}

async fn status(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Result<Json, Refusal> {
    site.api.status(query.as_deref()).await
}

async fn plan(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Result<Json, Refusal> {
    site.api.plan(query.as_deref()).await
}

async fn overrides(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
) -> Result<Json, Refusal> {
    site.api.overrides(query.as_deref()).await
}

async fn metrics(
    State(site): State<Arc<Site>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    site.scrapes.get(&method, &headers).await
}

async fn healthz(State(site): State<Arc<Site>>) -> Result<&'static str, Refusal> {
    let silent = site.state.heartbeat.silent_for();
    verdict((silent > HANGING).then(|| format!("the loop has hung for {} s", silent.as_secs())))
}

async fn readyz(State(site): State<Arc<Site>>) -> Result<&'static str, Refusal> {
    verdict(site.state.readiness.borrow().objection())
}

fn verdict(objection: Option<String>) -> Result<&'static str, Refusal> {
    objection.map_or(Ok("ok\n"), |why| Err(Refusal::unavailable(why)))
}

async fn nowhere() -> Refusal {
    let why = format!("there is nothing at this path; recess serves {PATHS}");
    Refusal::new(StatusCode::NOT_FOUND, why)
}

async fn read_only() -> Refusal {
    let why = "recess answers GET and HEAD only: to change something, use its commands";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why)
}
