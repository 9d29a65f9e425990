use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::policy::{OverrideId, Selection, Selector, Terms, Verb};

fn policy() -> Policy {
    let toml = "[[window]]\nname = 'w'\nconsumers = ['ORDERS/*']\nschedule = '0 2 * * *'\nduration = '1h'\n";
    let parsed = crate::config::parse("recess.toml".as_ref(), toml);
    Policy::clone(&parsed.expect("a good config").policy)
}

fn now() -> Timestamp {
    "2026-12-01T02:30:00.5Z".parse().expect("an instant")
}

fn on(target: Target, from: i64, until: i64) -> Arc<Override> {
    let second = |after: i64| Timestamp::from_second(now().as_second() + after).expect("a second");
    Arc::new(Override {
        id: OverrideId::new("alice", "k7f2q"),
        sequence: 1,
        made: now() - SignedDuration::from_secs(9),
        terms: Terms {
            effect: Verb::Skip.effect(),
            target,
            from: second(from),
            until: second(until),
            verb: Verb::Skip,
            reason: Some("release".into()),
            host: None,
        },
    })
}

fn window(name: &str) -> Target {
    Target::Window(name.into())
}

fn consumers() -> Target {
    let selectors = ["ORDERS/*", "!ORDERS/audit"].map(|text| Selector::parse(text).expect(text));
    Target::Consumers(Selection::new(selectors.into()))
}

#[test]
fn each_state_by_the_clock_and_the_windows() {
    for (target, from, until, expected) in [
        (window("w"), -10, 10, State::Active),
        (window("w"), 0, 10, State::Active),
        (window("w"), 1, 10, State::Ahead),
        (window("w"), -10, 0, State::Ended),
        (window("gone"), -10, 10, State::Idle),
        (window("gone"), 1, 10, State::Idle),
        (window("gone"), -10, 0, State::Ended),
        (consumers(), -10, 10, State::Active),
        (consumers(), 1, 10, State::Ahead),
        (consumers(), -10, -1, State::Ended),
    ] {
        let state = State::of(&on(target.clone(), from, until), &policy(), now());
        assert_eq!(state, expected, "{target:?} {from} {until}");
    }
    // Its end is the first instant after it, its start the first of it.
    let second = Timestamp::from_second(now().as_second()).expect("a second");
    let ended = State::of(&on(window("w"), -10, 0), &policy(), second);
    let begun = State::of(&on(window("w"), 0, 10), &policy(), second);
    assert_eq!((ended, begun), (State::Ended, State::Active));
}

#[test]
fn a_row_has_all_that_is_known() {
    let live = Listed::live(on(consumers(), 0, 60), &policy(), now());
    assert_eq!(
        json!(live.row()),
        json!({
            "id": "alice.k7f2q",
            "effect": "run",
            "verb": "skip",
            "window": null,
            "consumers": ["ORDERS/*", "!ORDERS/audit"],
            "from": "2026-12-01T02:30:00Z",
            "until": "2026-12-01T02:31:00Z",
            "reason": "release",
            "by": "alice",
            "made": "2026-12-01T02:29:51Z",
            "state": "active",
            "undone": null,
        })
    );
    let undoing = Undoing {
        by: Some("bob".to_owned()),
        reason: None,
        at: now(),
    };
    let undone = |was: Option<Override>| {
        let undone = Undone {
            id: OverrideId::new("alice", "k7f2q"),
            was,
            undoing: undoing.clone(),
        };
        json!(Listed::undone(&undone).row())
    };
    let was = Override::clone(&on(window("w"), 0, 60));
    let row = undone(Some(was));
    assert_eq!(
        (&row["window"], &row["state"]),
        (&json!("w"), &json!("undone"))
    );
    assert_eq!(
        row["undone"],
        json!({"by": "bob", "reason": null, "at": "2026-12-01T02:30:00Z"})
    );
    // Deleted by other means: no more than its name is left.
    let row = undone(None);
    assert_eq!(
        (&row["id"], &row["verb"]),
        (&json!("alice.k7f2q"), &json!(null))
    );
    let key = Unreadable {
        id: "ali\u{7}ce.k7f2q".to_owned(),
        reason: "its verb is none of these".to_owned(),
    };
    let row = json!(Listed::unreadable(&key).row());
    assert_eq!(row["id"], "ali\\u{7}ce.k7f2q");
    assert_eq!(
        (&row["state"], &row["from"]),
        (&json!("unreadable"), &json!(null))
    );
    assert_eq!(row["error"], "its verb is none of these");
}

#[test]
fn a_target_is_shown_as_it_is_typed() {
    assert_eq!(window("w").to_string(), "w");
    assert_eq!(consumers().to_string(), "ORDERS/* !ORDERS/audit");
}
