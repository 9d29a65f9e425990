//! Pauses that end before messages are lost.

use super::*;
use crate::told::RETENTION_MARK;

fn rules() -> Rules {
    Rules::one(&["S0/*"], (OPENS, CLOSES), 0)
}

/// A deadline that keeps messages.
fn early(at: i64) -> Timestamp {
    Timestamp::new(at, RETENTION_MARK).unwrap()
}

#[test]
fn a_pause_that_ends_early_is_right_only_where_its_stream_drops_messages() {
    let mut story = Story::by(rules().guarding("S0"));
    story.looks(100, 1, None);
    story.writes(200, 1, early(OPENS + 30));
    assert_eq!(story.violations(), [""; 0]);
    for rules in [rules(), rules().guarding("S1")] {
        let mut story = Story::by(rules);
        story.looks(100, 1, None);
        story.writes(200, 1, early(OPENS + 30));
        story.breaks("I4");
    }
}

#[test]
fn a_pause_that_ends_early_ends_no_later_than_its_window() {
    let mut story = Story::by(rules().guarding("S0"));
    story.looks(100, 1, None);
    story.writes(200, 1, early(CLOSES + 1));
    story.breaks("I1");
}

#[test]
fn one_that_was_let_go_for_its_messages_is_not_paused_again() {
    for again in [ours(CLOSES), early(OPENS + 80)] {
        let mut story = Story::by(rules().guarding("S0"));
        story.looks(30_000, 1, Some(early(OPENS + 20)));
        story.writes(30_200, 1, again);
        story.breaks("I4");
    }
}
