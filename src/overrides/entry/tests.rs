use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::policy::Effect;

const SUBJECT: &str = "$KV.recess.prod-eu.alice.k7f2q";

const VALUE: &str = r#"{"v":1,"instance":"prod-eu","effect":"run","window":"nightly-vacuum","from":"2026-12-01T01:30:00Z","until":"2026-12-01T03:30:00Z","verb":"skip","reason":"release","host":"ops-1"}"#;

fn bucket() -> Bucket {
    Bucket::new("recess", "prod-eu")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn stored<'s>(subject: &'s str, operation: Operation, value: &'s [u8]) -> Stored<'s> {
    Stored {
        subject,
        sequence: 7,
        at: at("2026-11-30T22:00:00.25Z"),
        operation,
        value,
    }
}

fn put(value: &str) -> Entry {
    read(
        &stored(SUBJECT, Operation::Put, value.as_bytes()),
        &bucket(),
    )
}

fn erase(value: &str) -> Entry {
    let stored = stored(SUBJECT, Operation::Erase, value.as_bytes());
    read(&stored, &bucket())
}

fn live(entry: Entry) -> Override {
    match entry {
        Entry::Live(one) => one,
        other => panic!("{other:?}"),
    }
}

fn undone(entry: Entry) -> Undone {
    match entry {
        Entry::Undone(one) => one,
        other => panic!("{other:?}"),
    }
}

/// The value that such an override has.
fn value_of(one: &Override) -> String {
    String::from_utf8(encode(&one.terms, None, &bucket())).expect("UTF-8")
}

fn reason(entry: Entry) -> String {
    match entry {
        Entry::Unreadable(one) => {
            assert_eq!(one.id, "alice.k7f2q");
            one.reason
        }
        other => panic!("{other:?}"),
    }
}

/// [`VALUE`] with one text in the place of another.
fn with(from: &str, to: &str) -> String {
    assert!(VALUE.contains(from), "{from}");
    VALUE.replace(from, to)
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let one = live(put(VALUE));
    assert_eq!(one.id.to_string(), "alice.k7f2q");
    assert_eq!((one.sequence, one.made), (7, at("2026-11-30T22:00:00.25Z")));
    assert_eq!(
        (one.terms.effect, one.terms.verb),
        (Effect::Run, Verb::Skip)
    );
    assert!(matches!(&one.terms.target, Target::Window(name) if &**name == "nightly-vacuum"));
    let interval = ("2026-12-01T01:30:00Z", "2026-12-01T03:30:00Z");
    assert_eq!(
        (one.terms.from, one.terms.until),
        (at(interval.0), at(interval.1))
    );
    let noted = (one.terms.reason.as_deref(), one.terms.host.as_deref());
    assert_eq!(noted, (Some("release"), Some("ops-1")));
    assert_eq!(value_of(&one), VALUE);
}

#[test]
fn selectors_stand_as_they_were_written() {
    let window = r#""window":"nightly-vacuum""#;
    let value = with(window, r#""consumers":["ORDERS/*","!ORDERS/audit"]"#);
    assert_eq!(value_of(&live(put(&value))), value);
}

#[test]
fn an_undone_one_is_still_what_it_was() {
    let one = live(put(VALUE));
    let undoing = Undoing {
        by: Some("bob".to_owned()),
        reason: None,
        at: at("2026-12-01T02:00:00Z"),
    };
    let value = encode(&one.terms, Some(&undoing), &bucket());
    let text = String::from_utf8(value).expect("UTF-8");
    let tail = r#","undone":{"by":"bob","reason":null,"at":"2026-12-01T02:00:00Z"}}"#;
    assert!(text.ends_with(tail), "{text}");
    // However such a value came there.
    for entry in [erase(&text), put(&text)] {
        let read = undone(entry);
        assert_eq!((&read.id, &read.undoing), (&one.id, &undoing));
        assert_eq!(read.was.as_ref().map(value_of).as_deref(), Some(VALUE));
    }
}

#[test]
fn what_was_deleted_by_other_means_is_undone_by_an_unknown_author() {
    for (value, is_known) in [("", false), ("gone", false), (VALUE, true)] {
        let read = undone(erase(value));
        assert_eq!(read.id.to_string(), "alice.k7f2q");
        assert_eq!(read.was.is_some(), is_known, "{value}");
        let Undoing {
            by,
            reason,
            at: when,
        } = read.undoing;
        assert_eq!((by, reason), (None, None));
        assert_eq!(when, at("2026-11-30T22:00:00.25Z"));
    }
}

#[test]
fn a_marker_that_the_time_is_up_is_no_entry() {
    let table = [
        ((None, None), Operation::Put),
        ((Some("PUT"), None), Operation::Put),
        ((Some("DEL"), None), Operation::Erase),
        ((Some("PURGE"), None), Operation::Erase),
        ((None, Some("Remove")), Operation::Erase),
        ((None, Some("Purge")), Operation::Erase),
        ((None, Some("MaxAge")), Operation::Expire),
        ((Some("PUT"), Some("MaxAge")), Operation::Expire),
    ];
    for ((operation, marker), expected) in table {
        let found = Operation::of_headers(operation, marker);
        assert_eq!(found, expected, "{operation:?} {marker:?}");
    }
    let expired = stored(SUBJECT, Operation::Expire, b"");
    assert!(matches!(read(&expired, &bucket()), Entry::Expired));
}

#[test]
fn what_is_wrong_with_a_value_is_said() {
    let long = with("release", &"x".repeat(LONGEST_VALUE));
    let many = format!(
        r#""consumers":[{}]"#,
        ["\"A/b\""; MOST_SELECTORS + 1].join(",")
    );
    let window = r#""window":"nightly-vacuum""#;
    let table = [
        (String::new(), "its value is not an override's JSON"),
        ("[]".to_owned(), "its value is not an override's JSON"),
        (
            "{}".to_owned(),
            "its value is not an override's JSON: missing field `v`",
        ),
        (
            with("\"v\":1", "\"v\":\"1\""),
            "its value is not an override's JSON",
        ),
        (long, "bytes, the limit is 4096"),
        (
            "{\"v\":2}".to_owned(),
            "version 2, and this recess reads version 1",
        ),
        (with("prod-eu", "prod.eu"), "of another instance"),
        (
            with("\"run\"", "\"stop\""),
            "its effect is not run, which is what skip does",
        ),
        (
            with("\"skip\"", "\"jump\""),
            "its verb is none of open, close",
        ),
        (with("T03:30", "T01:30"), "its end is not after its start"),
        (with("T03:30", "T00:30"), "its end is not after its start"),
        (with("T01:30:00Z", ""), "its from is not an instant"),
        (
            with("T01:30:00Z", "T01:30:00"),
            "its from is not an instant",
        ),
        (
            with("T03:30:00Z", "T03:30:00.5Z"),
            "its until is not a whole second",
        ),
        (
            with("2026-12-01T03", "99999-12-01T03"),
            "its until is not an instant",
        ),
        (with("nightly-vacuum", " "), "its window has no name"),
        (
            with("\"window\":", "\"wind\":"),
            "it names neither a window nor consumers",
        ),
        (
            with(window, r#""window":"a","consumers":[]"#),
            "it names a window and consumers",
        ),
        (with(window, r#""consumers":[]"#), "its consumers name none"),
        (
            with(window, r#""consumers":["!A/b"]"#),
            "its consumers name none",
        ),
        (
            with(window, r#""consumers":["A"]"#),
            "its consumers are not selectors",
        ),
        (
            with(window, r#""consumers":["A/[b"]"#),
            "its consumers are not selectors",
        ),
        (with(window, &many), "it names more than 100 selectors"),
        (
            with("}", r#","undone":{"by":null,"at":"then"}}"#),
            "its undone.at is not an instant",
        ),
    ];
    for (value, expected) in table {
        let reason = reason(put(&value));
        assert!(reason.contains(expected), "{value}: {reason}");
    }
}

#[test]
fn unknown_fields_are_passed_over() {
    let value = with("\"v\":1", "\"v\":1,\"colour\":{\"deep\":[1]}");
    assert_eq!(value_of(&live(put(&value))), VALUE);
    // Neither reason nor host has to be there.
    let short = live(put(&with(r#","reason":"release","host":"ops-1""#, "")));
    assert_eq!((short.terms.reason, short.terms.host), (None, None));
}

#[test]
fn a_key_that_no_override_has_is_unreadable() {
    let table = [
        "alice",
        "alice.",
        ".k7f2q",
        "alice.k7.f2q",
        "al ice.k7f2q",
        "",
    ];
    for key in table {
        let subject = format!("$KV.recess.prod-eu.{key}");
        let stored = stored(&subject, Operation::Put, VALUE.as_bytes());
        let Entry::Unreadable(Unreadable { id, reason }) = read(&stored, &bucket()) else {
            panic!("{key}");
        };
        assert_eq!((&*id, &*reason), (key, "its key is not INSTANCE.AUTHOR.ID"));
    }
}

fn terms() -> impl Strategy<Value = Terms> {
    let window = "[a-z][ -~]{0,20}".prop_map(|name| Target::Window(name.into()));
    let selector = select(vec!["ORDERS/*", "!ORDERS/audit", "EVENTS/mail", "*/a?"]);
    let selectors = prop::collection::vec(selector, 0..5).prop_map(|mut texts| {
        texts.push("ORDERS/billing");
        let parsed = texts.iter().map(|text| Selector::parse(text));
        let parsed = parsed.collect::<Result<_, _>>().expect("selectors");
        Target::Consumers(Selection::new(parsed))
    });
    (
        select(Verb::ALL.to_vec()),
        prop_oneof![window, selectors],
        (0..4_000_000_000_i64, 1..400_000_000_i64),
        prop::option::of("\\PC{0,40}"),
        prop::option::of("[a-z0-9.-]{0,20}"),
    )
        .prop_map(|(verb, target, (from, length), reason, host)| Terms {
            effect: verb.effect(),
            verb,
            target,
            from: Timestamp::from_second(from).expect("a second"),
            until: Timestamp::from_second(from + length).expect("a second"),
            reason: reason.map(Into::into),
            host: host.map(Into::into),
        })
}

/// A change of some bytes.
fn change() -> impl Strategy<Value = (Index, usize, Vec<u8>)> {
    let pieces = select(vec![
        &b"null"[..],
        b"\"\"",
        b"{}",
        b"[]",
        b"9999-12-31T23:59:59Z",
        b"-009999-01-01T00:00:00Z",
        b"\xff\xfe",
        b"\\ud800",
        b"1e999",
        b"\"consumers\":[\"A/{b,\"]",
    ]);
    let bytes = prop_oneof![
        pieces.prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..6)
    ];
    (any::<Index>(), 0..20_usize, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_read_back(terms in terms()) {
        let value = encode(&terms, None, &bucket());
        let one = live(read(&stored(SUBJECT, Operation::Put, &value), &bucket()));
        prop_assert_eq!(value_of(&one).into_bytes(), value);
        prop_assert_eq!(one.terms, terms);
    }

    #[test]
    fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..600), subject in "\\PC{0,40}") {
        for operation in [Operation::Put, Operation::Erase, Operation::Expire] {
            read(&stored(SUBJECT, operation, &value), &bucket());
            read(&stored(&subject, operation, &value), &bucket());
        }
    }

    #[test]
    fn a_mutated_entry_is_refused_or_is_one_that_could_have_been_written(
        terms in terms(), changes in prop::collection::vec(change(), 1..4)
    ) {
        let mut value = encode(&terms, None, &bucket());
        for (index, length, bytes) in changes {
            let from = index.index(value.len() + 1);
            let until = (from + length).min(value.len());
            value.splice(from..until, bytes);
        }
        match read(&stored(SUBJECT, Operation::Put, &value), &bucket()) {
            Entry::Live(one) => {
                prop_assert!(one.terms.from < one.terms.until);
                let again = value_of(&one);
                prop_assert_eq!(value_of(&live(put(&again))), again);
            }
            Entry::Unreadable(one) => prop_assert!(!one.reason.is_empty()),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
