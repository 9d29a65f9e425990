use super::connect::{Discovered, pool};
use super::connection_task::{Denial, denial};
use super::lists::LIST_PAGE;
use super::suitability::{suitability, version_of};
use super::*;
use std::sync::Arc;

use crate::consumer::{Found, Label, Labels};
use crate::jetstream::Unsuitable;

#[test]
fn versions_are_judged_by_level_and_number() {
    let no_pause = |v: &str| {
        Err(Unsuitable::NoPause {
            version: v.to_owned(),
        })
    };
    let crash = |v: &str| {
        Err(Unsuitable::CrashProne {
            version: v.to_owned(),
        })
    };
    assert_eq!(suitability("2.10.26", None), no_pause("2.10.26"));
    assert_eq!(suitability("2.11.0", Some(1)), crash("2.11.0"));
    assert_eq!(suitability("2.11.11", Some(1)), crash("2.11.11"));
    assert_eq!(suitability("2.12.0-RC.3", Some(3)), crash("2.12.0-RC.3"));
    assert_eq!(suitability("2.12.7", Some(3)), crash("2.12.7"));
    for fine in ["2.12.8", "2.12.10", "2.14.0", "2.15.0-dev", "3.0.0"] {
        assert_eq!(suitability(fine, Some(4)), Ok(()), "{fine}");
    }
}

#[test]
fn an_error_is_read_before_the_zero_values_beside_it() {
    let payload = br#"{"type":"io.nats.jetstream.api.v1.consumer_pause_response","error":{"code":404,"err_code":10014,"description":"consumer not found"},"paused":false,"pause_until":"0001-01-01T00:00:00Z"}"#;
    let read: Result<wire::Done, _> = wire::read(payload, "s");
    assert_eq!(
        read.err(),
        Some(RequestError::Refused {
            code: 10014,
            description: "consumer not found".to_owned()
        })
    );
}

#[test]
fn advisories_are_read_from_what_the_server_really_sends() {
    // Seen on nats-server 2.15.1: a pause, its expiry (the deadline stays), an explicit resume
    // (zero time).
    let id = ConsumerId::new("ORDERS", "a");
    let subject = "$JS.EVENT.ADVISORY.CONSUMER.PAUSE.ORDERS.a";
    let until = "2026-11-23T21:28:19.000435253Z";
    for paused in [true, false] {
        let payload = format!(r#"{{"paused":{paused},"pause_until":"{until}"}}"#);
        assert_eq!(
            wire::advisory(subject, payload.as_bytes()),
            Some(Advisory::Pause {
                id: id.clone(),
                until: until.parse().ok()
            })
        );
    }
    assert_eq!(
        wire::advisory(
            subject,
            br#"{"paused":false,"pause_until":"0001-01-01T00:00:00Z"}"#
        ),
        Some(Advisory::Pause {
            id: id.clone(),
            until: None
        })
    );
    assert_eq!(
        wire::advisory("$JS.EVENT.ADVISORY.CONSUMER.DELETED.ORDERS.a", b"{}"),
        Some(Advisory::Deleted(id))
    );
    assert_eq!(
        wire::advisory("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.ORDERS", b"{}"),
        None
    );
}

#[test]
fn a_deadline_at_the_end_of_time_is_a_deadline() {
    let payload = br#"{"name":"a","created":"2026-11-23T21:28:16.7Z","paused":true,"pause_remaining":9223372036854775807,"config":{"durable_name":"a","pause_until":"9999-12-31T23:59:59Z"}}"#;
    let info: wire::Info = wire::read(payload, "s").unwrap();
    let found = info.into_sample("s", &LabelKeys::default()).unwrap().found;
    assert!(found.is_paused());
    assert_eq!(
        found.observation().unwrap().state.deadline(),
        Some(Timestamp::MAX)
    );
}

#[test]
fn a_denial_tells_its_subject() {
    let publish = r#"Permissions Violation for Publish to "$JS.API.INFO""#;
    let subscribe = r#"Permissions Violation for Subscription to "_INBOX.abc.*""#;
    let subject = |text: &str| text.to_owned();
    assert_eq!(
        denial(publish),
        Some(Denial::Publish(subject("$JS.API.INFO")))
    );
    assert_eq!(
        denial(subscribe),
        Some(Denial::Subscribe(subject("_INBOX.abc.*")))
    );
    assert_eq!(denial("User Authentication Expired"), None);
}

#[test]
fn a_level_without_a_version_is_judged_by_the_oldest_that_has_it() {
    let judge = |level| suitability(&version_of(level), level).is_ok();
    assert!(!judge(None));
    assert!(!judge(Some(1)), "2.11");
    assert!(!judge(Some(3)), "2.12, and perhaps before 2.12.8");
    assert!(judge(Some(4)) && judge(Some(5)) && judge(Some(6)));
}

#[test]
fn everyone_on_a_page_takes_one_place_also_those_of_whom_nothing_is_known() {
    // As a cluster writes it: one is offline, one did not answer in time, one changed its leader
    // and answered twice.
    let there = r#"{"name":"b","created":"2026-11-23T21:28:16.7Z","ts":"2026-11-23T21:30:00Z","config":{"durable_name":"b"}}"#;
    let payload = format!(
        r#"{{"total":9,"offset":4,"limit":256,"consumers":[{{"created":"2026-11-23T21:28:16.7Z","config":{{"durable_name":"a"}}}},{there},{there}],"missing":["c","a"]}}"#
    );
    let reply: wire::ListReply = wire::read(payload.as_bytes(), "s").unwrap();
    let page = reply.into_page(&LabelKeys::default(), &mut KnownLabels::default());
    assert_eq!((page.total, page.entries.len()), (9, 3));
    let listing = wire::listing(page.entries, |name, sample| {
        (name, sample.found != Found::Unknown)
    });
    let known = [("a", false), ("b", true), ("c", false)];
    let known = known.map(|(name, is_known)| (name.to_owned(), is_known));
    assert_eq!(listing.entries, known);
    assert_eq!(listing.unreadable, []);
}

/// Names, and whether more is known of each.
type Known = Vec<(String, bool)>;

/// What stands in the place of a name, and what is wrong with it.
type Said = Vec<(String, String)>;

/// A page with one entry between two good ones: the names that can be asked about, with what is
/// known of each, and what is said of the rest.
fn page_with(odd: &str) -> (Known, Said) {
    let good = |name: &str| {
        format!(
            r#"{{"name":"{name}","created":"2026-11-23T21:28:16.7Z","config":{{"durable_name":"{name}"}}}}"#
        )
    };
    let payload = format!(
        r#"{{"total":3,"consumers":[{},{odd},{}]}}"#,
        good("before"),
        good("later")
    );
    let reply: wire::ListReply = wire::read(payload.as_bytes(), "s").unwrap();
    let page = reply.into_page(&LabelKeys::default(), &mut KnownLabels::default());
    assert_eq!(page.entries.len(), 3, "a place each: {odd}");
    let listing = wire::listing(page.entries, |name, sample| {
        (name, sample.found != Found::Unknown)
    });
    let unreadable = listing.unreadable.into_iter();
    let unreadable = unreadable.map(|entry| (entry.name, entry.reason));
    (listing.entries, unreadable.collect())
}

#[test]
fn an_entry_with_an_odd_name_costs_no_other() {
    for (name, shown) in [
        ("no\u{a0}break", r"no\u{a0}break"),
        ("\x1b[31mred", r"\u{1b}[31mred"),
        ("be\x07ll", r"be\u{7}ll"),
        ("del\x7fete", r"del\u{7f}ete"),
        ("line\u{2028}line", r"line\u{2028}line"),
        ("a b", "a b"),
        ("a.b", "a.b"),
        ("*", "*"),
        (">", ">"),
        ("a/b", "a/b"),
        ("x\r\nPUB y 0\r\n\r\n", r"x\r\nPUB y 0\r\n\r\n"),
    ] {
        let entry = serde_json::json!({ "name": name, "created": "2026-11-23T21:28:16.7Z" });
        let (entries, unreadable) = page_with(&entry.to_string());
        let good = ["before", "later"].map(|name| (name.to_owned(), true));
        assert_eq!(entries, good, "{name:?}");
        let reason = "its name contains characters that no request can carry".to_owned();
        assert_eq!(unreadable, [(shown.to_owned(), reason)], "{name:?}");
    }
    let long = serde_json::json!({ "name": "a".repeat(256) }).to_string();
    let (entries, unreadable) = page_with(&long);
    assert_eq!(entries.len(), 2);
    assert!(
        unreadable[0].1.starts_with("its name has 256 bytes"),
        "{unreadable:?}"
    );
}

#[test]
fn an_entry_with_odd_contents_is_unknown_and_costs_no_other() {
    for (more, reason) in [
        ("", "created `` is not a time"),
        (r#","created":"soon""#, "created `soon` is not a time"),
        (
            r#","created":7"#,
            "invalid type: integer `7`, expected a string",
        ),
        (
            r#","created":"2026-11-23T21:28:16Z","ts":"never""#,
            "ts `never` is not a time",
        ),
        (
            r#","num_pending":-1"#,
            "invalid value: integer `-1`, expected u64",
        ),
        (r#","num_pending":1e400"#, "number out of range"),
        (
            r#","num_ack_pending":99999999999999999999"#,
            "invalid type: floating point",
        ),
        (
            r#","paused":"yes""#,
            "invalid type: string \"yes\", expected a boolean",
        ),
        (r#","config":[]"#, "invalid length"),
        (
            r#","config":{"durable_name":"it","pause_until":"soon"}"#,
            "pause_until `soon` is not a time",
        ),
        (r#","config":{"backoff":"long"}"#, "invalid type: string"),
        (r#","created":"\ud800""#, "unexpected end of hex escape"),
    ] {
        let (entries, unreadable) = page_with(&format!(r#"{{"name":"it"{more}}}"#));
        let expected = [("before", true), ("it", false), ("later", true)];
        let expected = expected.map(|(name, is_known)| (name.to_owned(), is_known));
        assert_eq!(entries, expected, "{more}");
        let [(name, why)] = &unreadable[..] else {
            panic!("{more}: {unreadable:?}");
        };
        assert!(
            name == "it" && why.contains(reason),
            "{more}: {unreadable:?}"
        );
    }
}

#[test]
fn an_entry_that_is_none_costs_no_other() {
    let pit = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    for (odd, shown) in [
        ("7", "7"),
        ("null", "null"),
        ("[]", "[]"),
        (r#""later""#, r#""later""#),
        ("{}", "{}"),
        (r#"{"name":7}"#, r#"{"name":7}"#),
        (r#"{"name":"a","name":"b"}"#, r#"{"name":"a","name":"b"}"#),
        (&pit, "[[["),
    ] {
        let (entries, unreadable) = page_with(odd);
        assert_eq!(entries.len(), 2, "{odd}");
        let [(name, why)] = &unreadable[..] else {
            panic!("{odd}: {unreadable:?}");
        };
        assert!(name.starts_with(shown) && name.len() < 400, "{odd}: {name}");
        assert!(why.starts_with("it has no name: "), "{odd}: {why}");
    }
}

#[test]
fn entries_without_a_name_take_a_place_each() {
    let payload = br#"{"total":4,"consumers":[{},{},{}],"missing":["offline"]}"#;
    let reply: wire::ListReply = wire::read(payload, "s").unwrap();
    // Of the one that is offline the server writes an entry without a name too.
    let page = reply.into_page(&LabelKeys::default(), &mut KnownLabels::default());
    assert_eq!(page.entries.len(), 3);
    let listing = wire::listing(page.entries, |name, _| name);
    assert_eq!(listing.entries, ["offline"]);
    assert_eq!(listing.unreadable.len(), 2);
}

/// Reads a list of so many good entries and `odd` at a place among them, page by page: how many are
/// read, and what is said.
fn list_with(odd: &str, place: usize, good: usize) -> (usize, Said) {
    let mut entries: Vec<String> = (0..good)
        .map(|number| {
            format!(
                r#"{{"name":"c{number:04}","created":"2026-11-23T21:28:16.7Z","config":{{"durable_name":"c"}}}}"#
            )
        })
        .collect();
    entries.insert(place, odd.to_owned());
    let page =
        |offset: usize| {
            let shown: Vec<&str> = (entries.iter().skip(offset).take(LIST_PAGE))
                .map(|entry| &**entry)
                .collect();
            let payload = format!(
                r#"{{"total":{},"offset":{offset},"consumers":[{}]}}"#,
                entries.len(),
                shown.join(",")
            );
            let reply: Result<wire::ListReply, _> = wire::read(payload.as_bytes(), "s");
            std::future::ready(reply.map(|reply| {
                Some(reply.into_page(&LabelKeys::default(), &mut KnownLabels::default()))
            }))
        };
    let places = futures_util::FutureExt::now_or_never(pagination::read(LIST_PAGE, page));
    let places = places.expect("nothing waits").expect("it is read").unwrap();
    let listing = wire::listing(places, |name, sample| {
        (name, sample.found != Found::Unknown)
    });
    let known = listing.entries.iter().filter(|(_, is_known)| *is_known);
    let unreadable = listing.unreadable.into_iter();
    let unreadable = unreadable.map(|entry| (entry.name, entry.reason));
    (known.count(), unreadable.collect())
}

#[test]
fn one_bad_entry_of_any_kind_on_any_page_costs_that_entry_only() {
    let kinds = [
        "{\"name\":\"c\u{a0}\",\"created\":\"2026-11-23T21:28:16Z\"}",
        r#"{"name":"c\u001b[31m"}"#,
        r#"{"name":"c.c"}"#,
        r#"{"name":""}"#,
        r#"{"name":7}"#,
        r#"{"name":"it"}"#,
        r#"{"name":"it","created":"soon"}"#,
        r#"{"name":"it","created":"2026-11-23T21:28:16Z","num_pending":-1}"#,
        r#"{"name":"it","created":"2026-11-23T21:28:16Z","num_pending":1e999}"#,
        r#"{"name":"it","created":"2026-11-23T21:28:16Z","config":"none"}"#,
        "{}",
        "null",
        "[[[]]]",
        "18446744073709551616",
    ];
    const GOOD: usize = 600;
    for odd in kinds {
        for place in [0, 1, 254, 255, 256, 257, 509, 510, 511, 599, 600] {
            let (known, unreadable) = list_with(odd, place, GOOD);
            assert_eq!(known, GOOD, "{odd} at {place}");
            assert_eq!(unreadable.len(), 1, "{odd} at {place}: {unreadable:?}");
        }
    }
}

#[test]
fn a_stream_with_an_odd_name_costs_no_other() {
    let payload = "{\"total\":5,\"streams\":[\"ORDERS\",\"A.B.>\",7,\"no\u{a0}break\",\"EVENTS\"]}";
    let reply: wire::NamesReply = wire::read(payload.as_bytes(), "s").unwrap();
    let page = reply.into_page();
    assert_eq!(page.entries.len(), 5);
    let listing = wire::listing(page.entries, |name, ()| name);
    assert_eq!(listing.entries, ["EVENTS", "ORDERS"]);
    let shown: Vec<_> = listing
        .unreadable
        .iter()
        .map(|entry| &*entry.name)
        .collect();
    assert_eq!(shown, ["7", "A.B.>", r"no\u{a0}break"]);
}

#[test]
fn a_consumer_without_a_leader_is_not_known() {
    // As the cluster's leader wrote it, but for what does not matter.
    let answer = |paused: &str, until: &str| {
        let payload = format!(
            r#"{{"name":"c18","created":"2026-11-25T18:25:52.410790997Z","config":{{"durable_name":"c18",
            "ack_policy":"explicit","pause_until":"{until}"}},"num_pending":0,"num_ack_pending":0,{paused}
            "ts":"2026-11-25T18:26:07.369901772Z"}}"#
        );
        let info: wire::Info = wire::read(payload.as_bytes(), "s").unwrap();
        info.into_sample("s", &LabelKeys::default()).unwrap()
    };
    let ahead = "2026-11-25T18:26:25.000245944Z";
    let sample = answer("", ahead);
    assert_eq!(sample.found, Found::Unknown);
    assert!(sample.server_time.is_some());
    let paused = answer(r#""paused":true,"pause_remaining":17630344172,"#, ahead);
    assert!(paused.found.is_paused());
    let lapsed = answer("", "2026-11-25T18:26:07.369901772Z");
    assert!(matches!(lapsed.found, Found::Present(_)) && !lapsed.found.is_paused());
}

#[test]
fn messages_in_flight_have_the_longest_wait_and_the_newest_sign_of_life() {
    let flight = |config: &str, more: &str| {
        let payload = format!(
            r#"{{"name":"b","created":"2026-11-25T21:17:36Z","config":{{"durable_name":"b",{config}}},{more}
            "num_ack_pending":3,"paused":true,"ts":"2026-11-25T21:17:40Z"}}"#
        );
        let info: wire::Info = wire::read(payload.as_bytes(), "s").unwrap();
        let sample = info.into_sample("s", &LabelKeys::default()).unwrap();
        let counted = sample.found.observation().unwrap().counted;
        (sample.in_flight.unwrap(), counted)
    };
    let second = |second| Some(format!("2026-11-25T21:17:{second}Z").parse().unwrap());
    // Seen on nats-server 2.12.8 and 2.15.1: four delivered, one of them acked, then one reported
    // as in progress.
    let (told, counted) = flight(
        r#""ack_policy":"explicit","ack_wait":3000000000"#,
        r#""delivered":{"consumer_seq":4,"stream_seq":4,"last_active":"2026-11-25T21:17:39Z"},
        "ack_floor":{"consumer_seq":0,"stream_seq":0,"last_active":"2026-11-25T21:17:38Z"},"#,
    );
    assert!(counted);
    assert_eq!(told.ack_wait, jiff::SignedDuration::from_secs(3));
    assert_eq!(told.sign, second(39));
    // With a backoff, `ack_wait` is its first step; after a restart of the server there is no sign.
    let (told, _) = flight(
        r#""ack_policy":"explicit","ack_wait":1000000000,"backoff":[1000000000,5000000000]"#,
        r#""delivered":{"consumer_seq":4},"ack_floor":{"consumer_seq":4},"#,
    );
    assert_eq!(told.ack_wait, jiff::SignedDuration::from_secs(5));
    assert_eq!(told.sign, None);
    let acked = r#""ack_floor":{"last_active":"2026-11-25T21:17:38Z"},"#;
    assert_eq!(flight(r#""ack_policy":"all""#, acked).0.sign, second(38));
    assert!(!flight(r#""ack_policy":"none""#, "").1);
}

#[test]
fn an_empty_page_of_a_cluster_is_empty() {
    let payload = br#"{"type":"io.nats.jetstream.api.v1.consumer_list_response","total":0,"offset":0,"limit":256,"consumers":[]}"#;
    let reply: wire::ListReply = wire::read(payload, "s").unwrap();
    let page = reply.into_page(&LabelKeys::default(), &mut KnownLabels::default());
    assert_eq!((page.entries.len(), page.total), (0, 0));
}

#[test]
fn each_server_is_tried_once_and_those_of_another_cluster_never() {
    let texts =
        |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| text.to_string()).collect() };
    let configured = texts(&["tls://10.0.0.1:4222/", "nats://b", "b:4222", "[::1]"]);
    let mut discovered = Discovered {
        through: configured.clone(),
        addresses: texts(&["10.0.0.1:4222", "10.0.0.2:4222", "[::1]:4222", "b:4223"]),
    };
    let pool_then = pool(&configured, &discovered);
    let expected = [
        "tls://10.0.0.1:4222/",
        "nats://b",
        "[::1]",
        "10.0.0.2:4222",
        "b:4223",
    ];
    assert_eq!(pool_then, expected);
    discovered.through = texts(&["nats://elsewhere"]);
    let expected = ["tls://10.0.0.1:4222/", "nats://b", "[::1]"];
    assert_eq!(pool(&configured, &discovered), expected);
}

#[test]
fn one_address_that_asks_for_tls_asks_for_all_of_them() {
    let connection = |servers: &[&str]| config::Connection {
        servers: servers.iter().map(|text| text.to_string()).collect(),
        ..Default::default()
    };
    assert!(connection(&["nats://a", "tls://b"]).wants_tls());
    assert!(!connection(&["nats://a", "b"]).wants_tls());
}

#[test]
fn a_write_to_a_consumer_that_is_being_deleted_is_told_from_a_store_that_fails() {
    // Seen on nats-server 2.15.1.
    let going = "error creating store for consumer: consumer does not exist (10149)";
    assert!(wire::says_gone(10104, going));
    assert!(wire::says_gone(10014, "consumer not found"));
    assert!(wire::says_gone(10059, "stream not found"));
    let full = "error creating store for consumer: no space left on device";
    assert!(!wire::says_gone(10104, full));
    assert!(!wire::says_gone(10008, "consumer does not exist (10149)"));
}

/// One consumer as the server answers about it, with that metadata.
fn with_metadata(metadata: &str, keys: &[&str]) -> Result<Labels, RequestError> {
    let payload = format!(
        r#"{{"name":"b","created":"2026-11-25T21:17:36Z","config":{{"durable_name":"b"{metadata}}},
        "ts":"2026-11-25T21:17:40Z"}}"#
    );
    let keys = LabelKeys::new(keys.iter().map(|key| Arc::from(*key)));
    let info: wire::Info = wire::read(payload.as_bytes(), "s")?;
    let found = info.into_sample("s", &keys)?.found;
    Ok(found.observation().unwrap().labels.clone())
}

#[test]
fn of_metadata_only_the_keys_are_kept_that_a_policy_names() {
    // As nats-server 2.15.1 writes it.
    let metadata = r#","metadata":{"_nats.level":"4","_nats.req.level":"0","_nats.ver":"2.15.1","team":"billing","":"empty","a b":"c\"\u00e9"}"#;
    let labels = with_metadata(metadata, &["team", "tier", "", "a b"]).unwrap();
    assert_eq!(labels.get("team"), Label::Text("billing"));
    assert_eq!(labels.get(""), Label::Text("empty"));
    assert_eq!(labels.get("a b"), Label::Text("c\"é"));
    assert_eq!(labels.get("tier"), Label::Absent);
    assert_eq!(labels.get("_nats.ver"), Label::Unknown);
    // What is not named is not kept: the rest is equal.
    let alone = with_metadata(r#","metadata":{"team":"billing","other":"x"}"#, &["team"]);
    let other = with_metadata(r#","metadata":{"team":"billing","other":"y"}"#, &["team"]);
    assert_eq!(alone, other);
    assert_eq!(with_metadata(metadata, &[]), Ok(Labels::UNKNOWN));
    for none in ["", r#","metadata":null"#, r#","metadata":{}"#] {
        let labels = with_metadata(none, &["team"]).unwrap();
        assert_eq!(labels.get("team"), Label::Absent, "{none}");
    }
}

#[test]
fn metadata_that_is_odd_or_huge_does_no_harm() {
    let huge = "x".repeat(128 << 10);
    let metadata = format!(r#","metadata":{{"{huge}":"{huge}","team":"{huge}","tier":"gold"}}"#);
    let labels = with_metadata(&metadata, &["team", "tier"]).unwrap();
    assert_eq!(labels.get("team"), Label::TooLong);
    assert_eq!(labels.get("tier"), Label::Text("gold"));
    let many: Vec<String> = (0..5_000).map(|n| format!(r#""k{n}":"v""#)).collect();
    let metadata = format!(
        r#","metadata":{{{},"team":"a","team":"b"}}"#,
        many.join(",")
    );
    let labels = with_metadata(&metadata, &["team"]).unwrap();
    assert_eq!(labels.get("team"), Label::Text("b"));
    // No server writes these. The consumer is left as it is, and the list goes on.
    for odd in [
        "[]",
        "7",
        r#""team""#,
        r#"{"team":7}"#,
        r#"{"team":{"a":"b"}}"#,
    ] {
        let found = with_metadata(&format!(r#","metadata":{odd}"#), &["team"]);
        assert!(
            matches!(found, Err(RequestError::Unreadable { .. })),
            "{odd}: {found:?}"
        );
        // Who asks for no label is not concerned.
        assert!(with_metadata(&format!(r#","metadata":{odd}"#), &[]).is_ok());
    }
    let odd_elsewhere = with_metadata(r#","metadata":{"other":[7,{}],"team":"a"}"#, &["team"]);
    assert_eq!(odd_elsewhere.unwrap().get("team"), Label::Text("a"));
}

#[test]
fn equal_labels_are_shared_and_changed_metadata_is_read_anew() {
    let keys = |key: &str| LabelKeys::new([key.into()]);
    let mut known = KnownLabels::default();
    let mut list = |metadata: &[&str], key: &str| -> Vec<Labels> {
        let entry = |(name, metadata)| {
            format!(
                r#"{{"name":"c{name}","created":"2026-11-25T21:17:36Z",
                "config":{{"durable_name":"c{name}","metadata":{metadata}}}}}"#
            )
        };
        let entries: Vec<String> = metadata.iter().enumerate().map(entry).collect();
        let payload = format!(r#"{{"total":9,"consumers":[{}]}}"#, entries.join(","));
        let reply: wire::ListReply = wire::read(payload.as_bytes(), "s").unwrap();
        let page = reply.into_page(&keys(key), &mut known);
        (page.entries.into_values())
            .map(|entry| entry.content.found.observation().unwrap().labels.clone())
            .collect()
    };
    let long = format!(r#"{{"team":"x","notes":"{}"}}"#, "n".repeat(2_000));
    let (x, y) = (r#"{"team":"x"}"#, r#"{"team":"y"}"#);
    let first = list(
        &[x, x, r#"{"team":"x","tier":"gold"}"#, y, &long, "null"],
        "team",
    );
    assert!(first[0].is_same_place(&first[1]));
    // What no policy asks for makes no difference.
    assert!(first[0].is_same_place(&first[2]));
    assert_ne!(first[0], first[3]);
    assert_eq!(first[0], first[4]);
    assert_eq!(first[5].get("team"), Label::Absent);
    // The next observation finds most as they were.
    let second = list(&[x, y, x, r#"{"tier":"gold"}"#, &long, "null"], "team");
    assert!(first[0].is_same_place(&second[0]));
    assert!(first[3].is_same_place(&second[1]));
    assert_eq!(second[3].get("team"), Label::Absent);
    assert_eq!(second[4].get("team"), Label::Text("x"));
    // After a reload other keys are asked for.
    let third = list(&[r#"{"team":"x","tier":"gold"}"#, x], "tier");
    assert_eq!(third[0].get("tier"), Label::Text("gold"));
    assert_eq!(
        (third[0].get("team"), third[1].get("tier")),
        (Label::Unknown, Label::Absent)
    );
}

#[test]
fn what_is_remembered_of_metadata_is_bounded() {
    let keys = LabelKeys::new(["team".into()]);
    let mut known = KnownLabels::default();
    for number in 0..20_000 {
        let text = format!(r#"{{"team":"{number}","notes":"{}"}}"#, "n".repeat(900));
        let metadata = serde_json::value::RawValue::from_string(text).unwrap();
        let labels = known.read(Some(&metadata), &keys).unwrap();
        assert_eq!(labels.get("team"), Label::Text(&number.to_string()));
        assert!(known.size() <= 4 << 20, "{}", known.size());
        // What is remembered is not forgotten for want of room that it does not need.
        let again = known.read(Some(&metadata), &keys).unwrap();
        assert!(again.is_same_place(&labels));
    }
}
