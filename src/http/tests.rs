use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::routing::get;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::refusal::Refusal;
use super::shared::Shared;
use super::*;
use crate::jetstream::Link;
use crate::report::example;

/// Both ends of a connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

/// More than the kernel takes for a client that does not read.
fn endless() -> Router {
    Router::new().route("/", get(|| async { vec![b'a'; 64 << 20] }))
}

/// How long a client that behaves so keeps its connection.
async fn kept(client: impl AsyncFnOnce(TcpStream)) -> Duration {
    let (ours, theirs) = pair().await;
    let began = Instant::now();
    let answering = async {
        answer(theirs, endless()).await;
        began.elapsed()
    };
    tokio::select! {
        kept = answering => kept,
        () = client(ours) => panic!("the client gave up"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_ended() {
    let kept = kept(async |_held| std::future::pending().await).await;
    assert!(
        kept >= HEADER_TIMEOUT && kept < HEADER_TIMEOUT * 2,
        "{kept:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_a_letter_a_second_is_ended_just_so() {
    let kept = kept(async |mut held| {
        held.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = held.write_all(b"a").await;
        }
    })
    .await;
    assert!(
        kept >= HEADER_TIMEOUT && kept < HEADER_TIMEOUT * 2,
        "{kept:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_ended() {
    let kept = kept(async |mut held| {
        held.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        std::future::pending().await
    })
    .await;
    assert!(
        kept >= CONNECTION_LIFETIME && kept < CONNECTION_LIFETIME * 2,
        "{kept:?}"
    );
}

#[tokio::test]
async fn of_too_many_the_oldest_is_ended() {
    let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_readiness, receiver) = watch::channel(Readiness {
        link: Link::Down {
            reason: String::new(),
        },
        last_good_pass: None,
        lost_clock: None,
        patience: Duration::MAX,
    });
    let state = HttpState {
        metrics: Arc::new(Metrics::new().unwrap()),
        heartbeat: Heartbeat::default(),
        readiness: receiver,
        newest: watch::channel(Newest::blind(example::report("test"))).1,
        in_force: watch::channel(in_force()).1,
        clock: Clock::new(|| Timestamp::UNIX_EPOCH),
        hosts: Vec::new(),
    };
    let _serving = tokio::spawn(serve(listener, state));
    let mut clients = Vec::new();
    for _ in 0..=CONNECTIONS {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    let mut clients = clients.into_iter();
    let (mut first, mut second) = (clients.next().unwrap(), clients.next().unwrap());
    let mut told = Vec::new();
    let end = timeout(HEADER_TIMEOUT / 2, first.read_to_end(&mut told)).await;
    assert_eq!(end.expect("the first is ended").unwrap(), 0);

    let ask = b"GET /healthz HTTP/1.0\r\n\r\n";
    second.write_all(ask).await.unwrap();
    second.read_to_end(&mut told).await.unwrap();
    assert!(told.starts_with(b"HTTP/1.0 200 OK"), "the second is not");
}

fn in_force() -> InForce {
    let config = crate::config::parse("recess.toml".as_ref(), "").unwrap();
    InForce {
        config: Arc::new(config),
        loaded: Timestamp::UNIX_EPOCH,
        refused: None,
    }
}

/// How often a text that takes a while is written.
fn counted() -> (Shared<(), String, Refusal>, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counter = count.clone();
    let scrape = Shared::of(move |()| {
        std::thread::sleep(Duration::from_millis(100));
        let number = counter.fetch_add(1, Ordering::SeqCst);
        Ok(number.to_string())
    });
    (scrape, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_written_once_for_all_who_ask_meanwhile_and_anew_for_those_who_come_later()
{
    let (scrape, count) = counted();
    let asking = (0..100).map(|_| scrape.get(()));
    let texts = futures_util::future::join_all(asking).await;
    assert!(texts.iter().all(Result::is_ok));
    let written = count.load(Ordering::SeqCst);
    assert!(
        written <= 10,
        "written {written} times for 100 who asked at once"
    );

    tokio::time::sleep(Duration::from_secs(2)).await;
    let text = scrape.get(()).await.unwrap();
    assert_eq!(text, written.to_string(), "it is the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_does_not_make_others_begin_again() {
    let (scrape, count) = counted();
    for _ in 0..20 {
        let leaver = scrape.get(());
        let _ = timeout(Duration::from_millis(10), leaver).await;
    }
    scrape.get(()).await.unwrap();
    let written = count.load(Ordering::SeqCst);
    assert!(written <= 4, "written {written} times");
}

#[tokio::test]
async fn an_answer_that_cannot_be_made_is_no_end() {
    let broken = AtomicU32::new(0);
    let shared = Shared::of(move |()| match broken.fetch_add(1, Ordering::SeqCst) {
        0 => Err(Refusal::from("a reason".to_owned())),
        _ => Ok(()),
    });
    assert_eq!(shared.get(()).await.unwrap_err().why, "a reason");
    assert!(shared.get(()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_question_gets_its_own_answer() {
    let shared: Shared<u32, String, Refusal> = Shared::of(|question: &u32| {
        std::thread::sleep(Duration::from_millis(20));
        Ok(question.to_string())
    });
    let asking = (0..10).map(|number| shared.get(number % 2));
    let answers = futures_util::future::join_all(asking).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), (number % 2).to_string());
    }
}
