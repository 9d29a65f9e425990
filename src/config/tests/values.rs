//! What each kind of value accepts and refuses.

use super::*;
use crate::text;

#[test]
fn lengths_of_time() {
    let seconds = |text| length::parse(text).map(|length| length.as_secs()).ok();
    let table = [
        ("2h", 7_200),
        ("1h 30m", 5_400),
        ("1h30m", 5_400),
        ("90s", 90),
        ("90 s", 90),
        (" 2 hours ", 7_200),
        ("1day", 86_400),
        ("1w 1d", 691_200),
        ("500ms 500ms", 1),
    ];
    for (text, expected) in table {
        assert_eq!(seconds(text), Some(expected), "{text}");
    }
    for text in [
        "",
        " ",
        "0",
        "0s",
        "0h 0m",
        "90",
        "h",
        "1.5h",
        "1,5h",
        "-1h",
        "1h-",
        "1M",
        "1month",
        "1y",
        "1 30m",
        "30m 1",
        "1ms",
        "1ns",
        "PT2H",
        "2h!",
        "2µs",
        "2 Stunden",
        "999999999999s",
        // Here humantime 2.4 panics.
        "18446744073709551615s 1000ms",
    ] {
        assert_eq!(seconds(text), None, "{text}");
    }
}

#[test]
fn lengths_are_shown_as_they_can_be_written() {
    for text in ["7d", "366d", "1d 2h 3m 4s", "1m", "20s"] {
        assert_eq!(text::length(length::parse(text).unwrap()), text);
    }
}

#[test]
fn servers() {
    for address in [
        "nats://127.0.0.1:4222",
        "tls://nats.example.com:4222",
        "nats://nats-1/",
        "nats.example.com",
        "localhost:4222",
        "[::1]",
        "[::1]:4222",
        "nats_1",
    ] {
        assert_eq!(server::check(address), Ok(()), "{address}");
    }
    for address in [
        "",
        " ",
        "nats://",
        "nats:///",
        ":4222",
        "nats://a:0",
        "nats://a:65536",
        "nats://a:",
        "nats://a:b",
        "a b",
        "ws://a",
        "http://a",
        "://a",
        "nats://a/b",
        "nats://a?b",
        "a,b",
        "::1",
        "[::1",
        "[::1]x",
        "[a]",
        "nats://u:p@a",
        "nats://nats://a",
        "nats-é",
    ] {
        assert!(server::check(address).is_err(), "{address}");
    }
}

#[test]
fn zones_by_name() {
    let zones = Zones::open();
    for name in [
        "UTC",
        "Etc/UTC",
        "Europe/Zurich",
        "europe/zurich",
        "CET",
        "EST",
        "GMT",
        "Asia/Calcutta",
        "Etc/GMT-2",
    ] {
        assert!(zones.find(name).is_ok(), "{name}");
    }
    let did_you_mean = |name| zones.find(name).expect_err(name);
    let table = [
        ("Europe/Zurch", "Europe/Zurich"),
        ("Europe/Zürich", "Europe/Zurich"),
        ("Zurich", "Europe/Zurich"),
        ("New York", "America/New_York"),
        ("US/New_York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("Asia/Katmandoo", "Asia/Katmandu"),
        ("UTCC", "UTC"),
    ];
    for (name, meant) in table {
        assert_eq!(did_you_mean(name), format!("did you mean \"{meant}\"?"));
    }
    for name in ["+02:00", "-5", "UTC+2", "GMT+2", "utc-1"] {
        assert!(did_you_mean(name).starts_with("an offset"), "{name}");
    }
    for name in ["Local", "localtime", "posixrules"] {
        assert!(
            did_you_mean(name).contains("it depends on the host's setting"),
            "{name}"
        );
    }
    for name in [
        "",
        "Etc/Unknown",
        "Factory",
        "EST5EDT,M3.2.0,M11.1.0",
        "here",
    ] {
        assert!(
            did_you_mean(name).starts_with("name a place"),
            "{name}: {}",
            did_you_mean(name)
        );
    }
}
