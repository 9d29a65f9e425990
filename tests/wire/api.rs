//! The JSON endpoints: what the commands print, from the daemon.

use std::net::Ipv4Addr;

use jiff::ToSpan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cli::ask;
use crate::pages::with_an_override;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

/// What a command prints.
fn printed(config: &Config, arguments: &[&str]) -> String {
    let (exit, out, err) = ask(config, &[arguments, &["--format", "json"]].concat());
    assert_eq!((exit, &*err), (Some(0), ""), "{arguments:?}: {out}");
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_serves_what_the_commands_print_to_the_letter() {
    let World {
        mut server,
        account,
    } = World::with(&["ORDERS/billing", "ORDERS/shipping", "EVENTS/mail"]).await;
    account.publish("ORDERS", 3).await;
    let night = Span::open_for(600);
    let config = Config::new([server.url()])
        .window("night", &["ORDERS/*", "ORDERS/nobody"], night)
        .window("later", &["EVENTS/*"], Span::opening_in(3_000, 60));
    let config = with_an_override(config);
    let recess = Recess::start(&config).await;
    let paused = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(10)).await;

    let month = (night.opens, night.opens + 720.hours());
    let (from, end) = (month.0.to_string(), month.1.to_string());
    let one_window = [
        "plan", "--window", "night", "--from", &from, "--until", &end,
    ];
    let cases: [(String, &[&str], usize); 4] = [
        ("/api/v1/status".to_owned(), &["status"], 4),
        ("/api/v1/overrides".to_owned(), &["overrides"], 1),
        ("/api/v1/plan".to_owned(), &["plan"], 3),
        (
            format!("/api/v1/plan?window=night&from={from}&until={end}"),
            &one_window,
            1,
        ),
    ];
    for (path, arguments, least) in cases {
        let served = until("the daemon knows as much", secs(10), async || {
            let (status, served) = recess.get(&path).await.unwrap();
            let is_same = status == 200 && served == printed(&config, arguments);
            is_same.then_some(served)
        })
        .await;
        let rows: Vec<serde_json::Value> = serde_json::from_str(&served).unwrap();
        assert!(rows.len() >= least, "{path}: {served}");
    }

    server.kill();
    until("what may be past is not shown", secs(10), async || {
        let (status, why) = recess.get("/api/v1/status").await.unwrap();
        (status == 503 && why.starts_with("no connection to NATS")).then_some(())
    })
    .await;
    assert_eq!(recess.get("/api/v1/overrides").await.unwrap().0, 503);
    let (status, offline) = recess.get("/api/v1/plan").await.unwrap();
    assert_eq!(status, 200);
    assert!(offline.contains("\"later\""), "{offline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_endpoint_answers_by_its_method_its_name_and_its_parameters() {
    let server = Server::start(Default::default()).unwrap();
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(600));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let words_of_405 = "recess answers GET and HEAD only: to change something, use its commands\n";
    let json = "content-type: application/json\r\n";
    for (request, host, status, headers, body) in [
        ("GET /api/v1/status", "recess", 200, json, "[]\n"),
        ("HEAD /api/v1/status", "recess", 200, json, ""),
        ("HEAD /api/v1/plan", "recess", 200, json, ""),
        (
            "GET /api/v1/plan",
            "evil.example",
            421,
            "",
            "host evil.example: ",
        ),
        ("HEAD /api/v1/status", "evil.example", 421, "", ""),
        (
            "GET /api/v1/overrides",
            "evil.example",
            421,
            "",
            "host evil.example: ",
        ),
        (
            "GET /api/v1/overrides",
            "recess",
            404,
            "",
            "overrides have no bucket: add [overrides]",
        ),
        (
            "POST /api/v1/plan",
            "recess",
            405,
            "allow: GET,HEAD\r\n",
            words_of_405,
        ),
        (
            "DELETE /api/v1/overrides",
            "recess",
            405,
            "allow: GET,HEAD\r\n",
            words_of_405,
        ),
        ("PUT /", "recess", 405, "allow: GET,HEAD\r\n", words_of_405),
        (
            "GET /api/v1/plan?from=soon",
            "recess",
            400,
            "",
            "parameter `from`: write an instant as in",
        ),
        ("HEAD /api/v1/plan?from=soon", "recess", 400, "", ""),
        (
            "GET /api/v1/plan?window=day",
            "recess",
            400,
            "",
            "parameter `window`: there is no window `day`",
        ),
        (
            "GET /calendar.ics?window=night",
            "recess",
            200,
            "content-type: text/calendar; charset=utf-8; method=PUBLISH\r\n",
            "BEGIN:VCALENDAR\r\n",
        ),
        (
            "GET /calendar.ics?window=day",
            "recess",
            400,
            "",
            "parameter `window`: there is no window `day`",
        ),
        (
            "GET /calendar.ics",
            "evil.example",
            421,
            "",
            "host evil.example: ",
        ),
        (
            "GET /api/v1/status?consumer=a",
            "recess",
            400,
            "",
            "parameter `consumer`: no such parameter",
        ),
        (
            "GET /api/v1/",
            "recess",
            404,
            "",
            "there is nothing at this path; recess serves /, /calendar.ics,",
        ),
        (
            "GET /api/v1/status/",
            "recess",
            404,
            "",
            "there is nothing at this path",
        ),
    ] {
        let told = tell(recess.port(), request, host).await;
        let (head, told_body) = told.split_once("\r\n\r\n").unwrap();
        let head = format!("{head}\r\n");
        let start = format!("HTTP/1.1 {status} ");
        assert!(head.starts_with(&start), "{request}: {told}");
        assert!(head.contains(headers), "{request}: {told}");
        assert!(
            head.contains("x-content-type-options: nosniff\r\n"),
            "{request}: {told}"
        );
        let begins = told_body.starts_with(body) && told_body.is_empty() == body.is_empty();
        assert!(begins, "{request}: {told}");
        // It is not for other origins, and stays in no cache.
        if status == 200 || status == 400 {
            for guard in [
                "cross-origin-resource-policy: same-origin\r\n",
                "cache-control: no-store\r\n",
            ] {
                assert!(head.contains(guard), "{request}: {told}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_is_that_of_the_command_and_shows_what_was_skipped() {
    let World { server, .. } = World::with(&["ORDERS/billing"]).await;
    let config = Config::new([server.url()])
        .window("night", &["ORDERS/*"], Span::open_for(600))
        .window("later", &["EVENTS/*"], Span::opening_in(86_400, 60));
    let config = with_an_override(config);
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    // Each command writes a config file of its own, and events are dated by that.
    let less_dates = |text: &str| -> Vec<String> {
        let lines = text
            .split("\r\n")
            .filter(|line| !line.starts_with("DTSTAMP:"));
        lines.map(str::to_owned).collect()
    };
    let served = async |path: &str| {
        let (status, text) = recess.get(path).await.unwrap();
        assert_eq!(status, 200, "{text}");
        text
    };
    for (path, only) in [
        ("/calendar.ics", &[][..]),
        ("/calendar.ics?window=later", &["--window", "later"]),
    ] {
        let command = [&["plan", "--format", "ics"], only].concat();
        let (exit, printed, err) = ask(&config, &command);
        assert_eq!((exit, &*err), (Some(0), ""));
        assert_eq!(
            less_dates(&served(path).await),
            less_dates(&printed),
            "{path}"
        );
        assert!(printed.contains("SUMMARY:later\r\n"), "{printed}");
        assert_eq!(printed.contains("SUMMARY:night\r\n"), only.is_empty());
        assert!(!printed.contains("CANCELLED"), "{printed}");
    }

    let before = served("/calendar.ics").await;
    let told = tell(recess.port(), "GET /calendar.ics", "recess").await;
    let etag = told
        .split("etag: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    let host = format!("recess\r\nIf-None-Match: {etag}");
    let told = tell(recess.port(), "GET /calendar.ics", &host).await;
    assert!(told.starts_with("HTTP/1.1 304 "), "{told}");

    let reason = [
        "--reason",
        "release; \"spring\", all day",
        "--author",
        "alice",
    ];
    let (exit, _, err) = ask(&config, &[&["skip", "later"][..], &reason].concat());
    assert_eq!(exit, Some(0), "{err}");
    let after = until("the skipped opening is cancelled", secs(10), async || {
        let text = served("/calendar.ics").await;
        text.contains("STATUS:CANCELLED\r\n").then_some(text)
    })
    .await;
    let uids = |text: &str| -> Vec<String> {
        let lines = text.split("\r\n").filter(|line| line.starts_with("UID:"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(uids(&before), uids(&after));
    let unfolded = after.replace("\r\n ", "");
    let why = r#"release\; "spring"\, all day"#;
    assert!(unfolded.contains(&format!("): {why}\r\n")), "{after}");
    let told = tell(recess.port(), "GET /calendar.ics", &host).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
}

async fn tell(port: u16, request: &str, host: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    told
}
