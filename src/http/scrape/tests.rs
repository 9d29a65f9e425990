use std::io::Read;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::body::to_bytes;
use flate2::read::GzDecoder;
use futures_util::StreamExt;
use futures_util::future::join_all;

use super::*;
use crate::consumer::{ConsumerId, Found};
use crate::policy::WindowSet;
use crate::report::{Report, Row, example};

/// Scrapes of a report with so many consumers.
fn scrapes(consumers: u32) -> (Scrapes, Arc<Report>) {
    let row = || Row::undecided(WindowSet::default(), Found::Missing, Duration::ZERO);
    let id = |number| ConsumerId::new("ORDERS", format!("c{number}"));
    let report = Arc::new(Report {
        rows: (0..consumers).map(|number| (id(number), row())).collect(),
        ..example::report("test")
    });
    let metrics = Metrics::new().unwrap();
    metrics.observe(&report, &[]);
    metrics.show(report.kept());
    (Scrapes::of(Arc::new(metrics)), report)
}

/// More than a chunk.
const MANY: u32 = 1_000;

fn accepting(coding: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(coding))])
}

async fn get(scrapes: &Scrapes, coding: &'static str) -> Response {
    let answer = scrapes.get(&Method::GET, &accepting(coding)).await;
    answer.expect("there are metrics")
}

/// The whole text, or that it was cut short.
async fn read(response: Response) -> Result<Bytes, axum::Error> {
    to_bytes(response.into_body(), usize::MAX).await
}

/// The text without the process's own state, which changes meanwhile.
fn steady(text: &[u8]) -> &str {
    let text = std::str::from_utf8(text).unwrap();
    text.split_once("# HELP process_")
        .map_or(text, |(text, _)| text)
}

#[tokio::test]
async fn by_gzip_the_text_is_the_same() {
    for consumers in [0, MANY] {
        let (scrapes, _) = scrapes(consumers);
        let (plain, zipped) = (get(&scrapes, "").await, get(&scrapes, "gzip").await);
        assert_eq!(plain.headers().get(header::CONTENT_ENCODING), None);
        assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
        for response in [&plain, &zipped] {
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
            assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        }
        let (plain, zipped) = (read(plain).await.unwrap(), read(zipped).await.unwrap());
        let mut text = Vec::new();
        GzDecoder::new(&*zipped).read_to_end(&mut text).unwrap();
        assert!(
            steady(&plain) == steady(&text),
            "with {consumers} consumers"
        );
        assert!(
            zipped.len() * 3 < text.len(),
            "{} of {}",
            zipped.len(),
            text.len()
        );
        let names = steady(&plain).matches("recess_consumer_missing{").count();
        assert_eq!(names, usize::try_from(consumers).unwrap());
    }
}

#[tokio::test]
async fn whoever_takes_no_coding_gets_none() {
    let (scrapes, _) = scrapes(0);
    let answer = scrapes.get(&Method::GET, &accepting("identity;q=0")).await;
    assert_eq!(answer.unwrap_err().status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn of_a_long_text_only_the_head_is_made_for_whoever_asks_for_that() {
    let (scrapes, report) = scrapes(MANY);
    let before = Arc::strong_count(&report);
    let answer = scrapes
        .get(&Method::HEAD, &accepting("gzip"))
        .await
        .unwrap();
    assert_eq!(Arc::strong_count(&report), before);
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(read(answer).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_too_many_unfinished_texts_the_oldest_is_ended() {
    let (scrapes, _) = scrapes(MANY);
    let mut answers = Vec::new();
    for _ in 0..=UNFINISHED {
        answers.push(get(&scrapes, "").await);
    }
    let texts = join_all(answers.into_iter().map(read)).await;
    let whole: Vec<bool> = texts.iter().map(Result::is_ok).collect();
    assert_eq!(whole, [vec![false], vec![true; UNFINISHED]].concat());
    // Those are over, and end nothing.
    for _ in 0..UNFINISHED {
        assert!(read(get(&scrapes, "").await).await.is_ok());
    }
}

#[tokio::test]
async fn a_client_that_reads_on_is_not_ended_for_those_that_do_not() {
    let (scrapes, _) = scrapes(10 * MANY);
    let mut reader = get(&scrapes, "").await.into_body().into_data_stream();
    let mut stalled = Vec::new();
    for _ in 0..3 * UNFINISHED {
        reader.next().await.unwrap().unwrap();
        stalled.push(get(&scrapes, "gzip").await);
    }
    while let Some(chunk) = reader.next().await {
        chunk.unwrap();
    }
    let texts = join_all(stalled.into_iter().map(read)).await;
    let whole = texts.iter().filter(|text| text.is_ok()).count();
    assert!(whole < UNFINISHED, "{whole} of the stalled are not ended");
}

#[tokio::test]
async fn a_text_of_one_chunk_is_whole_at_once_whatever_others_do() {
    let (scrapes, _) = scrapes(10);
    let answers = (0..3 * UNFINISHED).map(|_| get(&scrapes, ""));
    for answer in join_all(answers).await {
        assert!(answer.headers().get(header::TRANSFER_ENCODING).is_none());
        assert!(read(answer).await.is_ok());
    }
}

#[tokio::test]
async fn a_scrape_that_is_over_or_whose_client_is_gone_keeps_no_report() {
    let (scrapes, report) = scrapes(MANY);
    let before = Arc::strong_count(&report);
    let whole = get(&scrapes, "").await;
    let mut gone = get(&scrapes, "gzip").await.into_body().into_data_stream();
    assert_eq!(Arc::strong_count(&report), before + 2);
    read(whole).await.unwrap();
    gone.next().await.unwrap().unwrap();
    drop(gone);
    assert_eq!(Arc::strong_count(&report), before);
}

/// On one thread: what a request of the loop has to wait for.
#[tokio::test]
async fn between_two_chunks_others_have_their_turn() {
    let (scrapes, _) = scrapes(20 * MANY);
    let turns = Arc::new(AtomicUsize::new(0));
    let counter = turns.clone();
    tokio::spawn(async move {
        loop {
            counter.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    let mut chunks = 0;
    let mut body = get(&scrapes, "").await.into_body().into_data_stream();
    while let Some(chunk) = body.next().await {
        assert!(chunk.unwrap().len() < 2 * CHUNK);
        chunks += 1;
    }
    assert!(chunks > 100, "only {chunks} chunks");
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= chunks - 1, "{turns} turns beside {chunks} chunks");
}
