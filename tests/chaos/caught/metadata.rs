//! What metadata decides: which consumers are paused, and whose pause is kept.

use super::*;

/// Consumers of team red, and none that is exempt.
fn begin() -> Story {
    Story::by(Rules::one(&["S0/*"], (OPENS, CLOSES), 100).of_team(0))
}

fn red() -> Value {
    json!({ "team": "red" })
}

fn exempt(value: &str) -> Value {
    json!({ "team": "red", "recess.exempt": value })
}

/// Its pause ends at once.
fn resumes(story: &mut Story, after: i64) {
    story.writes(after, 1, ours(OPENS + after / 1_000 + 3));
}

#[test]
fn what_metadata_calls_for_is_no_violation() {
    let mut story = begin();
    story.looks_tagged(-1_500, 1, None, red());
    story.writes(2, 1, ours(returns()));
    story.is_answered(2);
    story.looks_tagged(50, 1, Some(ours(returns())), red());
    // It becomes exempt, and then is not.
    story.looks_tagged(20_000, 1, Some(ours(returns())), exempt("true"));
    resumes(&mut story, 20_002);
    story.is_answered(20_002);
    story.looks_tagged(30_000, 1, None, exempt("1970-01-01T00:17:00Z"));
    story.writes(30_002, 1, ours(returns()));
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn a_consumer_that_is_paused_though_its_metadata_is_not_as_it_must_be_is_caught() {
    for metadata in [
        json!({ "team": "blue" }),
        Value::Null,
        exempt("true"),
        exempt("perhaps"),
    ] {
        let mut story = begin();
        story.looks_tagged(-1_500, 1, None, metadata);
        story.writes(2, 1, ours(returns()));
        story.breaks("I1");
    }
}

#[test]
fn a_pause_that_is_ended_for_lost_metadata_is_caught() {
    for metadata in [json!({ "team": "blue" }), Value::Null] {
        let mut story = begin();
        story.looks_tagged(20_000, 1, Some(ours(returns())), metadata.clone());
        resumes(&mut story, 20_002);
        story.breaks("I4");
        // One that lasts longer than any window would have it is not of it.
        let mut story = begin();
        story.looks_tagged(20_000, 1, Some(ours(returns() + 5)), metadata);
        resumes(&mut story, 20_002);
        assert_eq!(story.violations(), [""; 0]);
    }
}

#[test]
fn an_exempt_consumer_that_is_paused_before_the_end_of_that_is_caught() {
    let mut story = begin();
    // Until 50 s after the opening.
    let until = exempt("1970-01-01T00:17:30Z");
    story.looks_tagged(30_000, 1, None, until.clone());
    assert_eq!(story.violations(), [""; 0]);
    story.writes(30_002, 1, ours(returns()));
    story.breaks("I1");
    let mut story = begin();
    story.looks_tagged(48_600, 1, None, until);
    story.writes(50_002, 1, ours(returns()));
    assert_eq!(story.violations(), [""; 0]);
}
