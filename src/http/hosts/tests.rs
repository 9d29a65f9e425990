use axum::http::Request;

use super::*;

fn hosts() -> Hosts {
    let listed = ["recess.example.com", "Pauses.Example.ORG."];
    Hosts::named(listed.into_iter().chain(["nats-1.rack.example.net"]))
}

/// What becomes of a request: 200, or the status of the refusal.
fn status(version: Version, uri: &str, given: &[&[u8]]) -> u16 {
    let mut request = Request::builder().version(version).uri(uri);
    for host in given {
        request = request.header(header::HOST, *host);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    match hosts().admit(&parts) {
        Ok(()) => 200,
        Err(Refusal { status, why }) => {
            assert!(!why.contains(['\n', '\u{1b}']), "{why:?}");
            status.as_u16()
        }
    }
}

#[test]
fn a_page_is_served_under_names_that_no_site_can_have_and_no_others() {
    let table: &[(&[u8], u16)] = &[
        // Addresses.
        (b"127.0.0.1", 200),
        (b"127.0.0.1:7778", 200),
        (b"10.0.0.7:80", 200),
        (b"[::1]", 200),
        (b"[::1]:7778", 200),
        (b"[2001:DB8::7]:7778", 200),
        (b"[::ffff:127.0.0.1]:7778", 200),
        // Names that are nobody's on the internet.
        (b"localhost", 200),
        (b"localhost:7778", 200),
        (b"LocalHost.:7778", 200),
        (b"nats-1", 200),
        (b"nats_1:7778", 200),
        // Its own, and those that are listed.
        (b"nats-1.rack.example.net:7778", 200),
        (b"recess.example.com", 200),
        (b"RECESS.example.COM:443", 200),
        (b"recess.example.com.:7778", 200),
        (b"pauses.example.org", 200),
        (b"recess.example.com:", 200),
        // Anybody's.
        (b"evil.example", 421),
        (b"evil.example:7778", 421),
        (b"example.com", 421),
        (b"a.recess.example.com", 421),
        (b"recess.example.com.evil.example", 421),
        (b"localhost.evil.example", 421),
        (b"foo.localhost", 421),
        (b"127.0.0.1.evil.example", 421),
        (b"1.2.3.4.5", 421),
        (b"127.1", 421),
        (b"0x7f.0.0.1", 421),
        // No names.
        (b"", 400),
        (b".", 400),
        (b"..", 400),
        (b":7778", 400),
        (b"a..b", 400),
        (b"evil.example..", 400),
        (b"::1", 400),
        (b"[::1", 400),
        (b"[::1]7778x", 400),
        (b"[fe80::1%25eth0]", 400),
        (b"[localhost]", 400),
        (b"localhost:80:80", 400),
        (b"localhost:http", 400),
        (b"localhost:-1", 400),
        (b"localhost@evil.example", 400),
        (b"evil.example@localhost", 400),
        (b"localhost evil.example", 400),
        (b"localhost/", 400),
        (b"http://localhost", 400),
        (b"localhost,evil.example", 400),
        (b"l\xc3\xb6calhost", 400),
        (b"\xff", 400),
        ("b\u{fc}cher.example".as_bytes(), 400),
        (b"xn--bcher-kva.example", 421),
    ];
    for (host, expected) in table {
        let shown = String::from_utf8_lossy(host);
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(
                status(version, "/", &[host]),
                *expected,
                "{shown:?} {version:?}"
            );
            // Twice is never meant.
            assert_eq!(status(version, "/", &[host, host]), 400, "{shown:?} twice");
        }
    }
}

#[test]
fn a_host_that_is_missing_is_an_old_client_or_a_mistake() {
    assert_eq!(status(Version::HTTP_10, "/", &[]), 200);
    assert_eq!(status(Version::HTTP_11, "/", &[]), 400);
}

#[test]
fn a_whole_address_counts_before_the_host() {
    let whole = |uri, host: &[u8]| status(Version::HTTP_11, uri, &[host]);
    assert_eq!(whole("http://evil.example/", b"localhost"), 421);
    assert_eq!(whole("http://localhost:7778/", b"evil.example"), 200);
    assert_eq!(whole("http://evil.example@localhost/", b"localhost"), 400);
}

#[test]
fn the_own_name_is_one_of_them() {
    let own = std::fs::read_to_string(OWN_NAME).unwrap();
    assert!(Hosts::of(&[]).0.contains(&canonical(own.trim())));
}
