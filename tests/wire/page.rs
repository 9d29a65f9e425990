//! The page as it is served: what a browser may do with it, and when it is sent again.

use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

/// What comes back: the head, and the body.
async fn tell(recess: &Recess, request: &str, headers: &str) -> (String, String) {
    let address = (Ipv4Addr::LOCALHOST, recess.port());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: recess\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let mut lines = head.lines();
    let value = lines.find_map(|line| line.strip_prefix(&format!("{name}: ")));
    value.unwrap_or_else(|| panic!("no {name} in {head}"))
}

/// What stands in each element of that name.
fn contents<'p>(page: &'p str, element: &str) -> Vec<&'p str> {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    let parts = page.split(&start).skip(1);
    parts.map(|part| part.split_once(&end).unwrap().0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_allows_what_stands_in_the_page_and_nothing_else() {
    let world = World::with(&["ORDERS/billing"]).await;
    let config = world
        .config()
        .window("night", &["ORDERS/*"], Span::open_for(600));
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    for path in [
        "/",
        "/?consumer=ORDERS%2F*",
        "/?consumer=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ] {
        let (head, page) = tell(&recess, &format!("GET {path}"), "").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(
            header(&head, "content-type").starts_with("text/html"),
            "{head}"
        );
        let hash = |element| {
            let [content] = contents(&page, element)[..] else {
                panic!("not one {element} in {page}");
            };
            assert!(!content.is_empty());
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
        };
        let expected = format!(
            "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash("style"),
            hash("script")
        );
        assert_eq!(header(&head, "content-security-policy"), expected);
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        for inert in ["style=", "onclick=", "<iframe", "src="] {
            assert!(!page.contains(inert), "{inert} in {page}");
        }
    }
    let (head, why) = tell(&recess, "GET /?consumers=a", "").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert!(
        why.starts_with("parameter `consumers`: no such parameter"),
        "{why}"
    );
    let long = format!("GET /?consumer={}", "a".repeat(513));
    let (head, why) = tell(&recess, &long, "").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert_eq!(why, "parameter `consumer`: write at most 512 letters\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_sent_again_when_something_has_changed() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/shipping"]).await;
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1h""#)
        .window("night", &["ORDERS/*"], Span::open_for(600));
    let recess = Recess::start(&config).await;
    let paused = r#"consumer_paused{consumer_name="shipping",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(10)).await;
    // A minute that begins meanwhile is a change too.
    let tag = until("the page stays as it is", secs(20), async || {
        let (head, page) = tell(&recess, "GET /", "").await;
        assert!(
            page.contains("shipping") && page.contains("night"),
            "{page}"
        );
        let tag = header(&head, "etag").to_owned();
        let ask = format!("If-None-Match: \"other\", {tag}\r\n");
        let (head, body) = tell(&recess, "GET /", &ask).await;
        if !head.starts_with("HTTP/1.1 304 ") {
            return None;
        }
        assert_eq!((header(&head, "etag"), &*body), (&*tag, ""), "{head}");
        assert!(head.contains("content-security-policy: "), "{head}");
        let (head, _) = tell(&recess, "HEAD /", &ask).await;
        head.starts_with("HTTP/1.1 304 ").then_some(tag)
    })
    .await;

    account.delete("ORDERS/shipping").await;
    let ask = format!("If-None-Match: {tag}\r\n");
    let page = until("the page is another", secs(10), async || {
        let (head, page) = tell(&recess, "GET /", &ask).await;
        let is_new = head.starts_with("HTTP/1.1 200 ") && !page.contains("shipping");
        is_new.then_some(page)
    })
    .await;
    assert!(page.contains("billing"), "{page}");

    recess.write_config("nmae = 1\n");
    recess.signal("HUP");
    until(
        "the page tells of the refused config",
        secs(10),
        async || {
            let (_, page) = tell(&recess, "GET /", "").await;
            (page.contains("line 1: ") && page.contains("nmae")).then_some(())
        },
    )
    .await;
    recess.reload(&config);
    until("and does so no more", secs(10), async || {
        let (_, page) = tell(&recess, "GET /", "").await;
        (!page.contains("nmae")).then_some(())
    })
    .await;
}
