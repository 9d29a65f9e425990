//! `/metrics`: a text that is written while it is sent, chunk by chunk as the client reads.
//!
//! Invariant: one chunk is written at a time, by turns, however many scrape, so they take no more
//! than one processor, and what else waits for it waits for less than a millisecond; a client that
//! does not read on costs a chunk or two. It also keeps the report that its text is made of: so of
//! too many unfinished texts the one whose client has not read on for longest is ended.

use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::task::{spawn_blocking, yield_now};

use super::coding::Coding;
use super::gzip::{Compressor, Gzip};
use super::refusal::Refusal;
use crate::views::metrics::{CHUNK, CONTENT_TYPE, Exposition, Metrics};

#[cfg(test)]
mod tests;

/// How many texts may be unfinished at a time: scrapes of two Prometheus servers, and of people.
const UNFINISHED: usize = 8;

/// What all scrapes share.
pub struct Scrapes {
    metrics: Arc<Metrics>,
    turns: Arc<Turns>,
    unfinished: Mutex<Vec<Weak<Text>>>,
}

/// Who has it writes.
type Turns = tokio::sync::Mutex<Turn>;

/// What has its turn uses.
#[derive(Default)]
struct Turn {
    compressor: Compressor,
    /// The number of the turn.
    number: u64,
}

/// A text that is being written.
struct Text {
    /// `None` if it was ended.
    exposition: Mutex<Option<Exposition>>,
    /// The number of its last turn.
    turn: AtomicU64,
}

impl Scrapes {
    pub fn of(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            turns: Arc::default(),
            unfinished: Mutex::default(),
        }
    }

    /// The answer, with its first chunk.
    pub async fn get(&self, method: &Method, headers: &HeaderMap) -> Result<Response, Refusal> {
        let Some(coding) = Coding::asked(headers) else {
            let why =
                "the metrics can be had as they are, or by gzip; Accept-Encoding excludes both";
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, why));
        };
        let gzip = (coding == Coding::Gzip).then(Gzip::new);
        let metrics = self.metrics.clone();
        let exposing = spawn_blocking(move || metrics.expose()).await;
        let exposition = exposing.map_err(broken)?.map_err(broken)?;
        let mut scrape = Scrape {
            text: Arc::new(Text {
                exposition: Mutex::new(Some(exposition)),
                turn: AtomicU64::default(),
            }),
            turns: self.turns.clone(),
            gzip,
            is_over: false,
        };
        let first = scrape.chunk().await.map_err(broken)?;
        let body = match scrape.is_over {
            true => Body::from(first),
            false if *method == Method::HEAD => Body::empty(),
            false => {
                self.note_unfinished(&scrape.text);
                Body::from_stream(scrape.rest(first))
            }
        };
        let mut response = ([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
        let headers = response.headers_mut();
        let vary = HeaderValue::from_static("accept-encoding");
        headers.insert(header::VARY, vary);
        if coding == Coding::Gzip {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        Ok(response)
    }

    /// Of too many, the one whose client has not read on for longest is ended.
    fn note_unfinished(&self, text: &Arc<Text>) {
        let mut unfinished = lock(&self.unfinished);
        let mut living: Vec<Arc<Text>> = unfinished.iter().filter_map(Weak::upgrade).collect();
        if living.len() >= UNFINISHED {
            living.sort_by_key(|text| text.turn.load(Ordering::Relaxed));
            *lock(&living.remove(0).exposition) = None;
        }
        living.push(text.clone());
        *unfinished = living.iter().map(Arc::downgrade).collect();
    }
}

fn broken(error: impl Display) -> Refusal {
    Refusal::from(format!("cannot write the metrics: {error}"))
}

/// One scrape.
struct Scrape {
    text: Arc<Text>,
    turns: Arc<Turns>,
    gzip: Option<Gzip>,
    is_over: bool,
}

impl Scrape {
    /// The first chunk, and the others as they are asked for.
    fn rest(self, first: Bytes) -> impl stream::Stream<Item = io::Result<Bytes>> + use<> {
        stream::try_unfold((self, Some(first)), |(mut scrape, first)| async move {
            let chunk = match first {
                Some(first) => first,
                None if scrape.is_over => return Ok(None),
                None => {
                    // The connection's task would ask for one after the other.
                    yield_now().await;
                    scrape.chunk().await?
                }
            };
            Ok(Some((chunk, (scrape, None))))
        })
    }

    /// The next chunk.
    async fn chunk(&mut self) -> io::Result<Bytes> {
        let mut text = Vec::with_capacity(CHUNK + CHUNK / 8);
        loop {
            let mut turn = self.turns.lock().await;
            turn.number += 1;
            self.text.turn.store(turn.number, Ordering::Relaxed);
            self.is_over = !self.text.write(&mut text)?;
            if self.is_over || text.len() >= CHUNK {
                let Some(gzip) = &mut self.gzip else {
                    return Ok(text.into());
                };
                let chunk = gzip.chunk(&mut turn.compressor, &text, self.is_over)?;
                return Ok(chunk.into());
            }
            drop(turn);
            yield_now().await;
        }
    }
}

impl Text {
    /// Writes on for a turn. Returns whether there is more.
    fn write(&self, out: &mut Vec<u8>) -> io::Result<bool> {
        match &mut *lock(&self.exposition) {
            Some(exposition) => Ok(exposition.turn(out)),
            None => Err(io::Error::other("ended for newer scrapes")),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
