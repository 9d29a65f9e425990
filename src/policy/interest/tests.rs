//! What must be asked for a selection, and what of the answers counts.

use super::*;
use crate::consumer::Kind;
use crate::consumer::example::candidate;

fn id(path: &str) -> ConsumerId {
    path.parse().unwrap()
}

fn interest(selectors: &[&str]) -> Interest {
    let parse = |text: &&str| Selector::parse(text).unwrap();
    Interest::of(Selection::new(selectors.iter().map(parse).collect()))
}

/// What is asked in an account with these streams: consumers by name, streams to be listed, whether
/// the streams' names.
fn asked(interest: &Interest, account: &[&str]) -> (String, String, bool) {
    let named: Vec<String> = interest.named().iter().map(ConsumerId::path).collect();
    let wanted = account.iter().copied().filter(|name| interest.lists(name));
    let streams: BTreeSet<&str> = interest.streams().chain(wanted).collect();
    let streams: Vec<&str> = streams.into_iter().collect();
    (
        named.join(" "),
        streams.join(" "),
        interest.needs_stream_names(),
    )
}

#[test]
fn no_more_is_asked_than_the_selectors_need() {
    let account = ["BILLING", "EVENTS", "ORDERS", "ORDERS-OLD", "KV_x"];
    for (selectors, named, streams, names) in [
        (&["ORDERS/billing"][..], "ORDERS/billing", "", false),
        (&["ORDERS/*"], "", "ORDERS", false),
        // Named and matched: only an INFO says that it does not exist.
        (
            &["ORDERS/*", "ORDERS/billing"],
            "ORDERS/billing",
            "ORDERS",
            false,
        ),
        (&["ORDERS/b*", "ORDERS/*"], "", "ORDERS", false),
        (&["ORDERS*/billing"], "", "ORDERS ORDERS-OLD", true),
        (&["{ORDERS,EVENTS}/*"], "", "EVENTS ORDERS", true),
        (&["*/*"], "", "BILLING EVENTS KV_x ORDERS ORDERS-OLD", true),
        // A stream that the account does not have is asked for only if its very name is written.
        (&["NEW/*", "N*/x"], "", "NEW", true),
        (
            &["ORDERS/billing", "EVENTS/mail", "!ORDERS/b*", "!KV_x/one"],
            "EVENTS/mail",
            "",
            false,
        ),
        // What takes away asks for nothing.
        (
            &["ORDERS/*", "!*/audit", "!EVENTS/mail", "!KV_*/*"],
            "",
            "ORDERS",
            false,
        ),
        (&["!*/*"], "", "", false),
        // A wildcard in brackets is a letter, but a glob all the same; in a name nothing else is
        // one.
        (&["ORDERS/a[[]1]"], "", "ORDERS", false),
        (&["$MQTT_sess/a-b_c"], "$MQTT_sess/a-b_c", "", false),
    ] {
        assert_eq!(
            asked(&interest(selectors), &account),
            (named.to_owned(), streams.to_owned(), names),
            "{selectors:?}"
        );
    }
}

#[test]
fn what_is_included_depends_on_its_name_its_kind_and_what_takes_away() {
    let some = ["ORDERS/*", "!ORDERS/audit", "ORDERS/watch", "EVENTS/mail"];
    let taken = ["EVENTS/mail", "!EVENTS/*"];
    let (durable, ephemeral) = (Some(Kind::Durable), Some(Kind::Ephemeral));
    let sourcing = Some(Kind::Sourcing);
    for (selectors, path, kind, included) in [
        (&some[..], "ORDERS/billing", durable, true),
        (&some, "ORDERS/billing", ephemeral, false),
        (&some, "ORDERS/billing", sourcing, false),
        (&some, "ORDERS/billing", None, false),
        (&some, "ORDERS/audit", durable, false),
        (&some, "ORDERS/watch", ephemeral, true),
        (&some, "ORDERS/watch", None, true),
        (&some, "EVENTS/mail", sourcing, true),
        (&some, "EVENTS/other", durable, false),
        (&taken, "EVENTS/mail", durable, false),
        (&["ORDERS/a[1]"], "ORDERS/a1", durable, true),
        (&["ORDERS/a[1]"], "ORDERS/a[1]", durable, false),
    ] {
        assert_eq!(
            interest(selectors).includes(&candidate(&id(path), kind)),
            included,
            "{selectors:?} {path} {kind:?}"
        );
    }
}

#[test]
fn a_glob_may_mean_one_of_unknown_kind() {
    let some = interest(&["ORDERS/*", "!ORDERS/audit", "EVENTS/mail"]);
    for (path, may) in [
        ("ORDERS/billing", true),
        ("ORDERS/audit", false),
        ("EVENTS/mail", true),
        ("EVENTS/other", false),
    ] {
        assert_eq!(some.includes(&Candidate::named(&id(path))), may, "{path}");
    }
}

#[test]
fn a_name_that_looks_like_a_glob_is_asked_for_once_it_is_read_as_a_name() {
    let selector = Selector::parse("ORDERS/a[1]").unwrap().read_as_name();
    let named = Interest::of(Selection::new(vec![selector]));
    assert_eq!(
        asked(&named, &[]),
        ("ORDERS/a[1]".into(), String::new(), false)
    );
    assert!(named.includes(&Candidate::missing(&id("ORDERS/a[1]"))));
    assert!(!named.includes(&Candidate::named(&id("ORDERS/a1"))));
}

#[test]
fn what_is_beyond_the_selections_is_asked_for_and_included_whatever_they_say() {
    let audit = id("ORDERS/audit");
    let more = interest(&["ORDERS/billing", "!ORDERS/audit"]).and([audit.clone()]);
    assert_eq!(more.named(), [audit.clone(), id("ORDERS/billing")].into());
    for kind in [None, Some(Kind::Ephemeral), Some(Kind::Durable)] {
        assert!(more.includes(&candidate(&audit, kind)), "{kind:?}");
    }
    assert!(!more.is_beyond(&id("ORDERS/billing")));
    // It is not selected, and so not passed over either.
    assert!(!more.passes_over(&candidate(&audit, Some(Kind::Ephemeral))));
}
