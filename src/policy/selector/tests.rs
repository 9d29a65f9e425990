use super::*;

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

#[test]
fn selectors_without_a_common_consumer_are_disjoint_where_their_texts_show_it() {
    for (one, other, is_disjoint) in [
        ("ORDERS/*", "BILLING/*", true),
        ("ORDERS/*", "ORDERS/audit", false),
        ("ORDERS/billing", "ORDERS/audit", true),
        ("ORDERS/billing", "ORDERS/billing", false),
        ("*/audit", "ORDERS/*", false),
        ("*/audit", "ORDERS/billing", true),
        ("*/a*", "*/b*", true),
        ("*/a*", "*/ab*", false),
        ("*/*-eu", "*/*-us", true),
        ("*/*-eu", "*/*-prod-eu", false),
        ("*/a*", "*/*-eu", false),
        ("ORDERS-?/*", "ORDERS-eu/*", true),
        ("ORDERS-??/*", "ORDERS-eu/*", false),
        ("*/{a,b}", "*/c", true),
        ("*/{a,b}", "*/b", false),
        // There is no such consumer, but that takes more than the texts' starts and ends.
        ("*/{a,b}", "*/{c,d}", false),
    ] {
        let (one, other) = (selector(one), selector(other));
        assert_eq!(
            one.is_disjoint_from(&other),
            is_disjoint,
            "{one:?} {other:?}"
        );
        assert_eq!(
            other.is_disjoint_from(&one),
            is_disjoint,
            "{other:?} {one:?}"
        );
    }
}

/// Every pattern of up to three parts, against every name of up to three letters.
#[test]
fn disjoint_patterns_have_no_common_name() {
    let sequences = |parts: &[&str]| -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..3 {
            let until = all.len();
            for index in from..until {
                all.extend(
                    parts
                        .iter()
                        .map(|part| all[index].clone() + part)
                        .collect::<Vec<_>>(),
                );
            }
            from = until;
        }
        all.split_off(1)
    };
    let names = sequences(&["a", "b"]);
    let patterns: Vec<Pattern> = (sequences(&["a", "b", "*", "?", "[ab]", "{a,b}"]).iter())
        .map(|text| Pattern::of_name(text).unwrap())
        .collect();
    let matched: Vec<Vec<bool>> = (patterns.iter())
        .map(|pattern| names.iter().map(|name| pattern.matches(name)).collect())
        .collect();
    let mut disjoint = 0;
    for (one, of_one) in patterns.iter().zip(&matched) {
        for (other, of_other) in patterns.iter().zip(&matched) {
            if one.is_disjoint_from(other) {
                disjoint += 1;
                let common = of_one
                    .iter()
                    .zip(of_other)
                    .any(|(one, other)| *one && *other);
                assert!(!common, "{one:?} {other:?}");
            }
        }
    }
    assert!(disjoint > 1_000, "{disjoint}");
}

#[test]
fn a_selector_that_excludes_nothing_is_without_effect() {
    for (selectors, expected) in [
        (&["ORDERS/*", "!ORDERS/audit"][..], &[][..]),
        (&["ORDERS/*", "!BILLING/audit"], &["!BILLING/audit"]),
        (&["ORDERS/billing", "EVENTS/*", "!ORDERS/*"], &[]),
        (&["ORDERS/a*", "!ORDERS/b*", "!*/ab"], &["!ORDERS/b*"]),
    ] {
        let selection = Selection::new(selectors.iter().map(|text| selector(text)).collect());
        let found: Vec<&str> = selection.without_effect().map(Selector::as_str).collect();
        assert_eq!(found, expected, "{selectors:?}");
    }
}
