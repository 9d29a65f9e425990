//! Clients of the pages that mean no good, or do not know better: each request has its one answer, and no crowd disturbs a
//! boundary.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::ToSpan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

/// How a client goes on after its bytes.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// It listens.
    Listens,
    /// It says that it has no more to say, and listens.
    HalfCloses,
}
use Then::{HalfCloses, Listens};

/// The connection is ended without an answer.
const NOTHING: u16 = 0;

/// The words of a 404 and of a 405.
const NOWHERE: &str = "there is nothing at this path; recess serves /, /calendar.ics, /api/v1/status, /api/v1/plan, \
                       /api/v1/overrides, /metrics, /healthz and /readyz\n";
const READ_ONLY: &str = "recess answers GET and HEAD only: to change something, use its commands\n";

/// What a client sends, what becomes of it: a status, and the start of the body.
type Case = (&'static str, Vec<u8>, Then, u16, &'static str);

fn cases() -> Vec<Case> {
    let head =
        |first: &str, more: &str| format!("{first}\r\nHost: recess\r\n{more}\r\n").into_bytes();
    let get = |path: &str| head(&format!("GET {path} HTTP/1.1"), "");
    let with = |more: &str| head("GET /healthz HTTP/1.1", more);
    let text = |text: &str| text.as_bytes().to_vec();
    let many: String = (0..101).map(|n| format!("X-{n}: 1\r\n")).collect();
    let long = "a".repeat(1_000_000);
    vec![
        ("a good one", get("/healthz"), Listens, 200, "ok\n"),
        (
            "with a question",
            get("/healthz?a=b&c"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "of HTTP/1.0, without a host",
            text("GET /healthz HTTP/1.0\r\n\r\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "by its whole address",
            get("http://elsewhere/healthz"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "after empty lines",
            [text("\r\n\r\n"), get("/healthz")].concat(),
            Listens,
            200,
            "ok\n",
        ),
        (
            "with bare line feeds",
            text("GET /healthz HTTP/1.1\nHost: recess\n\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "the head only",
            head("HEAD /metrics HTTP/1.1", ""),
            Listens,
            200,
            "",
        ),
        (
            "a path that is not there",
            get("/nowhere"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a path with a slash too many",
            get("/metrics/"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a path without a name",
            get("//metrics"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a path to elsewhere",
            get("/../../etc/passwd"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a path with a hidden end",
            get("/metrics%00"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a path of no server",
            head("OPTIONS * HTTP/1.1", ""),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a tunnel",
            text("CONNECT nats:4222 HTTP/1.1\r\nHost: nats:4222\r\n\r\n"),
            Listens,
            404,
            NOWHERE,
        ),
        (
            "a write",
            head("POST /metrics HTTP/1.1", "Content-Length: 0\r\n"),
            Listens,
            405,
            READ_ONLY,
        ),
        (
            "a removal",
            head("DELETE /healthz HTTP/1.1", ""),
            Listens,
            405,
            READ_ONLY,
        ),
        (
            "a method that nobody knows",
            head("BREW /readyz HTTP/1.1", ""),
            Listens,
            405,
            READ_ONLY,
        ),
        (
            "a method in small letters",
            head("get /readyz HTTP/1.1", ""),
            Listens,
            405,
            READ_ONLY,
        ),
        ("no version", text("GET /healthz\r\n\r\n"), Listens, 400, ""),
        (
            "a version to come",
            head("GET /healthz HTTP/3.0", ""),
            Listens,
            400,
            "",
        ),
        (
            "HTTP/2 from the start",
            text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            Listens,
            NOTHING,
            "",
        ),
        (
            "HTTP/2 by upgrade",
            with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "TLS",
            [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 600]].concat(),
            Listens,
            400,
            "",
        ),
        ("zeros", vec![0; 4096], Listens, 400, ""),
        (
            "noise",
            (0..4096_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80)
                .collect(),
            Listens,
            400,
            "",
        ),
        (
            "another protocol",
            text("CONNECT {\"verbose\":false}\r\nPING\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "a header without a colon",
            with("nonsense\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "a header with a zero",
            with("X: a\0b\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "a header name with a space",
            with("X Y: 1\r\n"),
            Listens,
            400,
            "",
        ),
        ("too many headers", with(&many), Listens, 431, ""),
        (
            "a header of a megabyte",
            with(&format!("X: {long}\r\n")),
            Listens,
            431,
            "",
        ),
        (
            "a path of a megabyte",
            get(&format!("/{long}")),
            Listens,
            431,
            "",
        ),
        ("a method of a megabyte", text(&long), Listens, 431, ""),
        (
            "a length below nothing",
            with("Content-Length: -1\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "two lengths",
            with("Content-Length: 1\r\nContent-Length: 2\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "a length beyond all",
            with("Content-Length: 99999999999999999999\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "an encoding that nobody knows",
            with("Transfer-Encoding: nonsense\r\n"),
            Listens,
            400,
            "",
        ),
        (
            "a body that never comes",
            with("Content-Length: 1000000\r\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "a body to be asked for",
            with("Content-Length: 9\r\nExpect: 100-continue\r\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "two at once",
            [get("/healthz"), get("/readyz")].concat(),
            Listens,
            200,
            "ok\n",
        ),
        (
            "one that is to be the first of many",
            with("Connection: keep-alive\r\n"),
            Listens,
            200,
            "ok\n",
        ),
        (
            "half a connection",
            get("/healthz"),
            HalfCloses,
            200,
            "ok\n",
        ),
        (
            "half a head, half a connection",
            text("GET /healthz HT"),
            HalfCloses,
            NOTHING,
            "",
        ),
        (
            "half a connection and no word",
            Vec::new(),
            HalfCloses,
            NOTHING,
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_its_one_answer() {
    let server = Server::start(Default::default()).unwrap();
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    let recess = Recess::start(&config).await;
    let cases = cases();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (what, bytes, then, status, body) in cases {
        let told = tell(recess.port(), &bytes, then).await;
        let (head, rest) = told.split_once("\r\n\r\n").unwrap_or((&told, ""));
        let found = head
            .split(' ')
            .nth(1)
            .map_or(NOTHING, |status| status.parse().unwrap());
        if found != status || rest != body {
            wrong.push(format!(
                "{what}: {found} {rest:?}, not {status} {body:?}\n{told}"
            ));
        }
        let answers = told.matches("HTTP/1.").count();
        assert_eq!(answers, usize::from(found != NOTHING), "{what}: {told}");
        // Of HTTP/1.0 it goes without saying.
        let ends = head.contains("connection: close") || !head.starts_with("HTTP/1.1");
        assert!(ends, "{what}: {head}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        recess.get("/healthz").await.unwrap(),
        (200, "ok\n".to_owned())
    );
    assert!(!recess.log().contains("panicked"), "{}", recess.log());
}

/// Every header of an HTML answer that binds the browser.
const GUARDS: [&str; 6] = [
    "content-security-policy: default-src 'none'; ",
    "x-content-type-options: nosniff",
    "referrer-policy: no-referrer",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
    "cache-control: no-store",
];

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_guarded_and_served_under_known_names_and_metrics_and_health_under_any() {
    let server = Server::start(Default::default()).unwrap();
    let config = Config::new([server.url()]).set(r#"http.hosts = ["Recess.example.com"]"#);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let port = recess.port();
    let ask = async |method: &str, path: &str, hosts: &[&str]| {
        let hosts: String = hosts
            .iter()
            .map(|host| format!("Host: {host}\r\n"))
            .collect();
        let request = format!("{method} {path} HTTP/1.1\r\n{hosts}\r\n");
        let told = tell(port, request.as_bytes(), Listens).await;
        let status = told.split(' ').nth(1).unwrap().parse::<u16>().unwrap();
        (status, told)
    };
    let table: &[(&[&str], u16)] = &[
        (&["127.0.0.1:7778"], 200),
        (&["[::1]:7778"], 200),
        (&["LOCALHOST."], 200),
        (&["recess"], 200),
        (&["recess.example.com:443"], 200),
        (&["evil.example"], 421),
        (&["evil.example:7778"], 421),
        (&["localhost.evil.example"], 421),
        (&["recess.example.com.evil.example"], 421),
        (&["recess", "evil.example"], 400),
        (&["evil.example@recess"], 400),
        (&[""], 400),
        (&[], 400),
    ];
    for (hosts, expected) in table {
        for method in ["GET", "HEAD"] {
            let (status, told) = ask(method, "/", hosts).await;
            assert_eq!(status, *expected, "{method} {hosts:?}: {told}");
            let is_html = told.contains("content-type: text/html");
            assert_eq!(is_html, status == 200, "{told}");
            let guarded = GUARDS.iter().all(|guard| told.contains(guard));
            assert_eq!(guarded, is_html, "{told}");
        }
        for path in ["/metrics", "/healthz", "/readyz"] {
            let (status, told) = ask("GET", path, hosts).await;
            assert_eq!(status, 200, "{path} {hosts:?}: {told}");
            assert!(told.contains("content-type: text/plain"), "{told}");
            assert!(told.contains("x-content-type-options: nosniff"), "{told}");
        }
    }
}

/// All that comes back until the connection ends. Whoever sends more than is read may be cut short, so the answer is read
/// beside the sending.
async fn tell(port: u16, bytes: &[u8], then: Then) -> String {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let sending = async {
        let sent = writer.write_all(bytes).await;
        if sent.is_ok() && then == HalfCloses {
            let _ = writer.shutdown().await;
        }
        writer
    };
    let reading = async {
        let mut told = Vec::new();
        // A reset ends it as well as an end does.
        let _ = reader.read_to_end(&mut told).await;
        String::from_utf8(told).unwrap()
    };
    let both = async { tokio::join!(reading, sending).0 };
    timeout(secs(30), both)
        .await
        .expect("the connection is ended")
}

/// How many may stand idle: of this process's descriptors, most belong to the tests beside.
fn idlers() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    let idlers = soft
        .parse()
        .unwrap_or(usize::MAX)
        .saturating_sub(500)
        .min(2_000);
    assert!(
        idlers >= 400,
        "raise `ulimit -n` ({soft}): this needs at least 900"
    );
    idlers
}

/// Clients that never let go, each in its way, until they are aborted.
fn pests(port: u16) -> JoinSet<()> {
    let mut pests = JoinSet::new();
    let connect = move || TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    for _ in 0..20 {
        // One byte at a time.
        pests.spawn(async move {
            loop {
                let Ok(mut stream) = connect().await else {
                    continue;
                };
                for byte in b"GET /metrics HTTP/1.1\r\nX: ".iter().chain(&[b'a'; 200]) {
                    if stream.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(50)).await;
                }
            }
        });
        // Asks and never reads.
        pests.spawn(async move {
            loop {
                let Ok(mut stream) = connect().await else {
                    continue;
                };
                let _ = stream
                    .write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                    .await;
                sleep(Duration::from_millis(100)).await;
            }
        });
        // Shouts.
        pests.spawn(async move {
            let noise = vec![b'a'; 1_000_000];
            loop {
                let Ok(mut stream) = connect().await else {
                    continue;
                };
                let _ = stream.write_all(&noise).await;
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    pests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_does_not_disturb_a_boundary() {
    let World { server, account } = World::busy().await;
    account.durable("ORDERS/billing").await;
    let tap = account.tap().await;
    let span = Span::opening_in(8, 60);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let before = recess.descriptors();

    let mut idle = Vec::new();
    for _ in 0..idlers() {
        idle.push(
            TcpStream::connect((Ipv4Addr::LOCALHOST, recess.port()))
                .await
                .unwrap(),
        );
    }
    let pests = pests(recess.port());
    until("a scraper gets through", secs(5), async || {
        let scrape = timeout(secs(2), recess.get("/metrics")).await;
        matches!(scrape, Ok(Ok((200, _)))).then_some(())
    })
    .await;
    assert!(
        span.opens > jiff::Timestamp::now(),
        "too slow: the window is open already"
    );
    reach(span.opens).await;
    let pause = until("the consumer is paused", secs(10), async || {
        tap.writes().pop()
    })
    .await;
    assert!(pause.at < span.opens + 1.second(), "late: {pause:?}");
    until("a scraper gets through", secs(5), async || {
        let scrape = timeout(secs(2), recess.get("/metrics")).await;
        matches!(scrape, Ok(Ok((200, _)))).then_some(())
    })
    .await;
    let crowded = recess.descriptors();
    assert!(
        crowded < before + 300,
        "{crowded} descriptors are open, and were {before}"
    );

    drop(pests);
    // The idle ones are held still, so it is recess who ends them.
    until("the crowd is ended", secs(40), async || {
        (recess.descriptors() <= before + 2).then_some(())
    })
    .await;
    let health = recess.get("/healthz").await.unwrap();
    assert_eq!(health, (200, "ok\n".to_owned()));
    let memory = recess.memory("VmHWM");
    assert!(memory < 200, "it took {memory} MB");
    assert!(!recess.log().contains("panicked"), "{}", recess.log());
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_out_of_descriptors_serves_on() {
    let server = Server::start(Default::default()).unwrap();
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60));
    let recess = Recess::start_with_descriptors(&config, 40).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, recess.port()));
        idle.push(stream.await.unwrap());
    }
    let health = timeout(secs(5), recess.get("/healthz")).await;
    assert_eq!(health.unwrap().unwrap(), (200, "ok\n".to_owned()));
    assert!(recess.descriptors() > 30, "they ran out");
    assert!(!recess.log().contains("panicked"), "{}", recess.log());
    drop(idle);
}
