use super::*;
use crate::consumer::{LONGEST_VALUE, LabelKeys};

fn condition(key: &str, any_of: &[&str]) -> Condition {
    let patterns = any_of.iter().map(|text| LabelPattern::parse(text).unwrap());
    Condition {
        key: key.into(),
        any_of: patterns.collect(),
    }
}

fn labels(metadata: &[(&str, &str)]) -> Labels {
    let keys = ["team", "tier", "legacy", "recess.exempt"];
    Labels::of(
        &LabelKeys::new(keys.map(Arc::from)),
        metadata.iter().copied(),
    )
}

#[test]
fn a_condition_holds_row_by_row() {
    let long = "x".repeat(LONGEST_VALUE + 1);
    for (any_of, value, holds) in [
        (&["billing"][..], Some("billing"), true),
        (&["billing"], Some("Billing"), false),
        (&["billing"], Some("billing "), false),
        (&["billing"], None, false),
        (&["bill*"], Some("billing"), true),
        (&["*ing"], Some("billing"), true),
        (&["b?lling"], Some("billing"), true),
        (&["[ab]*"], Some("billing"), true),
        (&["{mail,billing}"], Some("billing"), true),
        (&["{mail,billing}"], Some("audit"), false),
        (&["gold", "silver"], Some("silver"), true),
        (&["gold", "silver"], Some("bronze"), false),
        (&["!billing"], Some("billing"), false),
        (&["!billing"], Some("mail"), true),
        // Who has no team is not of that team.
        (&["!billing"], None, true),
        (&["!bill*"], Some("billing"), false),
        (&["*"], Some("billing"), true),
        (&["*"], Some(""), true),
        (&["*"], None, false),
        (&["!*"], Some(""), false),
        (&["!*"], None, true),
        (&["gold", "!*"], None, true),
        (&["gold", "!*"], Some("gold"), true),
        (&["gold", "!*"], Some("bronze"), false),
        (&[""], Some(""), true),
        (&[""], None, false),
        // Slashes, blanks and dots are letters like others.
        (&["a/b c.d"], Some("a/b c.d"), true),
        (&["a/*"], Some("a/b/c"), true),
        (&["*"], Some(long.as_str()), true),
        (&["!*"], Some(long.as_str()), false),
        (&["x*"], Some(long.as_str()), false),
        (&["!x*"], Some(long.as_str()), true),
    ] {
        let only = Where::new(vec![condition("team", any_of)]);
        let metadata: Vec<_> = value.map(|value| ("team", value)).into_iter().collect();
        let found = only.holds(&labels(&metadata));
        assert_eq!(found, Some(holds), "{any_of:?} {value:?}");
    }
}

#[test]
fn all_keys_must_hold() {
    let only = Where::new(vec![
        condition("team", &["billing"]),
        condition("tier", &["gold", "silver"]),
        condition("legacy", &["!*"]),
    ]);
    let (team, tier) = (("team", "billing"), ("tier", "gold"));
    for (metadata, holds) in [
        (&[team, tier][..], true),
        (&[team], false),
        (&[tier], false),
        (&[team, ("tier", "bronze")], false),
        (&[team, tier, ("legacy", "")], false),
        (&[team, tier, ("color", "red")], true),
        (&[], false),
    ] {
        assert_eq!(only.holds(&labels(metadata)), Some(holds), "{metadata:?}");
    }
    assert_eq!(Where::default().holds(&labels(&[])), Some(true));
}

#[test]
fn what_is_not_known_is_open_unless_another_key_decides() {
    let only = Where::new(vec![
        condition("team", &["billing"]),
        condition("unread", &["*"]),
    ]);
    assert_eq!(only.holds(&Labels::UNKNOWN), None);
    assert_eq!(only.holds(&labels(&[("team", "billing")])), None);
    assert_eq!(only.holds(&labels(&[("team", "mail")])), Some(false));
    assert_eq!(Where::default().holds(&Labels::UNKNOWN), Some(true));
}

#[test]
fn a_consumer_is_exempt_unless_its_value_says_no() {
    let key = ExemptKey::new("recess.exempt");
    let long = "x".repeat(LONGEST_VALUE + 1);
    let until = |text: &str| text.parse::<Timestamp>().unwrap();
    for (value, exempt) in [
        (None, None),
        (Some("false"), None),
        (Some("true"), Some((Timestamp::MAX, false))),
        (
            Some("2026-12-24T00:00:00Z"),
            Some((until("2026-12-24T00:00:00Z"), false)),
        ),
        (
            Some("2026-12-24T00:00:00+01:00"),
            Some((until("2026-12-23T23:00:00Z"), false)),
        ),
        (Some(""), Some((Timestamp::MAX, true))),
        (Some("True"), Some((Timestamp::MAX, true))),
        (Some("no"), Some((Timestamp::MAX, true))),
        // Of which day's beginning, in which zone?
        (Some("2026-12-24"), Some((Timestamp::MAX, true))),
        (Some("2026-12-24T00:00:00"), Some((Timestamp::MAX, true))),
        (Some(long.as_str()), Some((Timestamp::MAX, true))),
    ] {
        let metadata: Vec<_> = value
            .map(|value| ("recess.exempt", value))
            .into_iter()
            .collect();
        let found = key.exempts(&labels(&metadata));
        let found = found.map(|exempt| (exempt.until, exempt.is_odd));
        assert_eq!(found, exempt, "{value:?}");
    }
    assert_eq!(key.exempts(&Labels::UNKNOWN), None);
    let christmas = key.exempts(&labels(&[("recess.exempt", "2026-12-24T00:00:00Z")]));
    let christmas = christmas.unwrap();
    assert!(christmas.covers(until("2026-12-23T23:59:59.999Z")));
    assert!(!christmas.covers(until("2026-12-24T00:00:00Z")));
}

#[test]
fn conditions_are_shown_as_the_file_has_them() {
    let only = Where::new(vec![
        condition("tier", &["gold", "sil*"]),
        condition("team", &["billing"]),
        condition("a b", &["!*"]),
        condition("", &["say \"x\""]),
    ]);
    let written =
        r#"{ "" = "say \"x\"", "a b" = "!*", team = "billing", tier = ["gold", "sil*"] }"#;
    assert_eq!(only.to_string(), written);
    // It can be copied into a file.
    let file = format!(
        "[[window]]\nname = \"w\"\nconsumers = [\"A/*\", \"!A/b\"]\nwhere = {written}\nschedule = \"@daily\"\nduration = \"1h\"\n"
    );
    let config = crate::config::parse(std::path::Path::new("a.toml"), &file).unwrap();
    let selection = &config.policy.windows()[0].selection;
    assert_eq!(selection.condition(), &only);
    assert_eq!(selection.to_string(), format!("A/* !A/b where {written}"));
    let json = serde_json::to_string(&only).unwrap();
    assert_eq!(
        json,
        r#"{"":"say \"x\"","a b":"!*","team":"billing","tier":["gold","sil*"]}"#
    );
}
