//! What the judge must catch, one made-up record each: the ways in which recess was broken on purpose to try the suite.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::judge::Judge;
use crate::natures::Nature;
use crate::record::{Event, What};
use crate::rules::{Rules, second};
use crate::told::{MARK, RELEASE_MARK};
use crate::wire::Frame;

mod losses;
mod metadata;
mod overrides;

/// A window is open from 1000 to 1100, and returns are spread over a hundred seconds more.
const OPENS: i64 = 1_000;
const CLOSES: i64 = 1_100;

/// A record in the making, of one process. Times are in milliseconds after the opening.
struct Story(Vec<Event>);

impl Story {
    fn begin() -> Self {
        Self::by(Rules::one(&["S0/*"], (OPENS, CLOSES), 100))
    }

    /// The same, by those rules.
    fn by(rules: Rules) -> Self {
        let mut story = Self(Vec::new());
        story.note(-30_000, What::Started(Arc::new(rules)));
        story
    }

    fn note(&mut self, after: i64, what: What) {
        self.0.push(Event {
            at: second(OPENS) + SignedDuration::from_millis(after),
            process: 1,
            what,
        });
    }

    fn sends(&mut self, after: i64, connection: usize, verb: &str, payload: String) {
        self.sends_api(after, connection, &format!("CONSUMER.{verb}"), payload);
    }

    fn sends_api(&mut self, after: i64, connection: usize, verb: &str, payload: String) {
        let frame = Frame {
            verb: "PUB".to_owned(),
            subject: format!("$JS.API.{verb}"),
            reply: format!("reply.{after}"),
            payload,
            ..Frame::default()
        };
        self.note(after, What::Sent { connection, frame });
    }

    fn is_told(&mut self, after: i64, connection: usize, subject: &str, payload: String) {
        let frame = Frame {
            verb: "MSG".to_owned(),
            subject: subject.to_owned(),
            payload,
            ..Frame::default()
        };
        self.note(after, What::Delivered { connection, frame });
    }

    /// It asks for the consumer, and finds it paused until then.
    fn looks(&mut self, after: i64, connection: usize, until: Option<Timestamp>) {
        self.looks_tagged(after, connection, until, Value::Null);
    }

    /// The same, with that metadata.
    fn looks_tagged(
        &mut self,
        after: i64,
        connection: usize,
        until: Option<Timestamp>,
        metadata: Value,
    ) {
        self.sends(after, connection, "INFO.S0.c1", String::new());
        let mut info = json!({ "name": "c1", "config": { "durable_name": "c1", "metadata": metadata }, "created": "1970-01-01T00:00:01Z" });
        if let Some(until) = until {
            let now = second(OPENS) + SignedDuration::from_millis(after);
            let remaining = until.duration_since(now).as_nanos() as i64;
            info["config"]["pause_until"] = json!(until.to_string());
            info["paused"] = json!(remaining > 0);
            info["pause_remaining"] = json!(remaining);
            info["ts"] = json!(now.to_string());
        }
        let reply = format!("reply.{after}");
        self.is_told(after + 1, connection, &reply, info.to_string());
    }

    fn writes(&mut self, after: i64, connection: usize, until: Timestamp) {
        let body = json!({ "pause_until": until.to_string() });
        self.sends(after, connection, "PAUSE.S0.c1", body.to_string());
    }

    fn is_answered(&mut self, after: i64) {
        let body = json!({ "paused": true });
        self.is_told(after + 1, 1, &format!("reply.{after}"), body.to_string());
    }

    fn violations(&self) -> Vec<String> {
        let second = SignedDuration::from_secs(1);
        let mut judge = Judge::new(second, SignedDuration::ZERO);
        judge.hear(&self.0);
        let violations = judge.violations.into_iter();
        violations.map(|violation| violation.what).collect()
    }

    #[track_caller]
    fn breaks(&self, law: &str) {
        let violations = self.violations();
        let caught = violations.iter().any(|what| what.starts_with(law));
        assert!(caught, "{law} is not among {violations:?}");
    }
}

/// What recess writes for that second.
fn ours(at: i64) -> Timestamp {
    Timestamp::new(at, MARK).unwrap()
}

/// When the window lets the consumer go.
fn returns() -> i64 {
    let rules = Rules::one(&["S0/*"], (OPENS, CLOSES), 100);
    let crate::wants::Want::Paused(until) = rules.want("S0/c1", &Nature::durable(true), OPENS)
    else {
        panic!("the window is open");
    };
    assert!(until > CLOSES + 20, "it has a tail to speak of: {until}");
    until
}

#[test]
fn what_the_table_says_is_no_violation() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 1, ours(returns()));
    story.is_answered(2);
    story.looks(50, 1, Some(ours(returns())));
    // Somebody resumes it.
    story.looks(20_000, 1, None);
    story.writes(20_002, 1, ours(returns()));
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn a_released_consumer_that_is_paused_before_the_window_has_closed_is_caught() {
    let release = |at| Some(Timestamp::new(at, RELEASE_MARK).unwrap());
    for (at, looks_at) in [(OPENS + 6, OPENS + 1), (OPENS + 6, OPENS + 30)] {
        let mut story = Story::begin();
        let after = (looks_at - OPENS) * 1_000;
        story.looks(after, 1, release(at));
        assert_eq!(story.violations(), [""; 0]);
        story.writes(after + 2, 1, ours(returns()));
        story.breaks("I4");
    }
    // One from before it opened is none.
    let mut story = Story::begin();
    story.looks(1_000, 1, release(OPENS - 1));
    story.writes(1_002, 1, ours(returns()));
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn a_deadline_without_the_mark_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 1, second(returns()));
    story.breaks("I4");
}

#[test]
fn a_deadline_beyond_the_window_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 1, ours(returns() + 1));
    story.breaks("I1");
}

#[test]
fn a_write_that_does_not_wait_for_the_one_before_to_show_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 1, ours(returns()));
    story.is_answered(2);
    // A cluster has not applied it yet.
    story.looks(50, 1, None);
    story.writes(60, 1, ours(returns()));
    story.breaks("I4");
}

#[test]
fn a_resume_in_the_past_is_caught() {
    let mut story = Story::begin();
    let late = (returns() + 60 - OPENS) * 1_000;
    story.looks(late, 1, Some(ours(returns() + 600)));
    story.writes(late + 2, 1, ours(returns() + 62));
    assert_eq!(story.violations(), [""; 0]);
    story.looks(late + 10_000, 1, Some(ours(returns() + 600)));
    story.writes(late + 10_002, 1, ours(returns() + 69));
    story.breaks("I1");
}

#[test]
fn what_is_sent_in_the_next_connection_without_a_look_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 2, ours(returns()));
    story.breaks("I4");
}

#[test]
fn a_pause_repeated_blindly_for_a_consumer_created_anew_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, None);
    story.writes(2, 1, ours(returns()));
    story.is_answered(2);
    story.looks(50, 1, Some(ours(returns())));
    let created = "$JS.EVENT.ADVISORY.CONSUMER.CREATED.S0.c1";
    story.is_told(20_000, 1, created, "{}".to_owned());
    story.writes(20_001, 1, ours(returns()));
    story.breaks("I4");
}

#[test]
fn a_pause_begun_in_the_tail_is_caught() {
    let mut story = Story::begin();
    let late = (CLOSES + 10 - OPENS) * 1_000;
    story.looks(late, 1, None);
    story.writes(late + 2, 1, ours(returns()));
    story.breaks("I4");
}

#[test]
fn a_foreign_pause_that_is_shortened_is_caught() {
    let mut story = Story::begin();
    story.looks(-1_500, 1, Some(second(returns() + 600)));
    story.writes(2, 1, ours(returns()));
    story.breaks("I3");
}

#[test]
fn a_foreign_pause_that_was_extended_and_is_not_given_back_is_caught() {
    let mut story = Story::begin();
    let theirs = second(CLOSES);
    story.looks(-1_500, 1, Some(theirs));
    story.writes(2, 1, ours(returns()));
    story.is_answered(2);
    story.looks(50, 1, Some(ours(returns())));
    story.note(10_000, What::File(Arc::new(Rules::default())));
    story.looks(20_000, 1, Some(ours(returns())));
    story.writes(20_002, 1, ours(OPENS + 23));
    story.breaks("I3");
}

/// It asks for the streams' names, or for the list of one, and is answered.
fn asks(story: &mut Story, after: i64, verb: &str) {
    asks_by(story, after, 1, verb);
}

fn asks_by(story: &mut Story, after: i64, connection: usize, verb: &str) {
    let body = match verb {
        "STREAM.NAMES" => json!({ "streams": ["S0", "S1"] }),
        _ => json!({ "consumers": [] }),
    };
    story.sends_api(after, connection, verb, String::new());
    let reply = format!("reply.{after}");
    story.is_told(after + 5, connection, &reply, body.to_string());
}

#[test]
fn every_stream_may_be_listed_once_after_the_start_and_after_a_reload() {
    let mut story = Story::begin();
    for (minute, reloads) in [(0, false), (1, true)] {
        let begins = minute * 60_000;
        if reloads {
            let rules = Rules::one(&["S0/*"], (OPENS, CLOSES), 100);
            story.note(begins, What::File(Arc::new(rules)));
        }
        asks(&mut story, begins + 10, "STREAM.NAMES");
        asks(&mut story, begins + 20, "CONSUMER.LIST.S1");
        asks(&mut story, begins + 30, "CONSUMER.LIST.S0");
    }
    assert_eq!(story.violations(), [""; 0]);
    // S0 is named by a window, S1 is not.
    asks(&mut story, 100_000, "CONSUMER.LIST.S0");
    assert_eq!(story.violations(), [""; 0]);
    asks(&mut story, 100_010, "CONSUMER.LIST.S1");
    asks(&mut story, 100_020, "STREAM.NAMES");
    let no_business = |verb| format!("I4: it has no business to ask $JS.API.{verb}");
    let expected = ["CONSUMER.LIST.S1", "STREAM.NAMES"].map(no_business);
    assert_eq!(story.violations(), expected);
}

#[test]
fn a_list_of_a_stream_that_no_sweep_knows_is_caught() {
    let mut story = Story::begin();
    asks(&mut story, 0, "CONSUMER.LIST.S1");
    story.breaks("I4: it has no business");
    let mut story = Story::begin();
    asks(&mut story, 0, "STREAM.NAMES");
    asks(&mut story, 10, "CONSUMER.LIST.S2");
    story.breaks("I4: it has no business");
}

#[test]
fn a_sweep_whose_answers_may_be_lost_goes_on() {
    // It stands still while it is answered; the list is late, or fails; the next sweep asks for all of it again.
    let mut story = Story::begin();
    asks(&mut story, 0, "STREAM.NAMES");
    story.note(8, What::Stopped);
    asks(&mut story, 10, "CONSUMER.LIST.S0");
    asks(&mut story, 11, "CONSUMER.LIST.S1");
    story.note(5_000, What::Continued);
    asks(&mut story, 6_000, "STREAM.NAMES");
    asks(&mut story, 6_010, "CONSUMER.LIST.S0");
    story.sends_api(6_011, 1, "CONSUMER.LIST.S1", String::new());
    story.is_told(7_000, 1, "reply.6011", json!({}).to_string());
    story.sends_api(12_000, 1, "CONSUMER.LIST.S1", String::new());
    let failed = json!({ "error": { "err_code": 10008 } });
    story.is_told(12_001, 1, "reply.12000", failed.to_string());
    asks(&mut story, 18_000, "CONSUMER.LIST.S1");
    assert_eq!(story.violations(), [""; 0]);
    asks(&mut story, 24_000, "CONSUMER.LIST.S1");
    story.breaks("I4: it has no business");
}

#[test]
fn a_list_that_a_window_calls_for_does_not_take_the_place_of_one_that_the_sweep_has_lost() {
    let mut story = Story::begin();
    asks(&mut story, 0, "STREAM.NAMES");
    story.sends_api(10, 1, "CONSUMER.LIST.S0", String::new());
    asks(&mut story, 11, "CONSUMER.LIST.S1");
    asks(&mut story, 5_000, "CONSUMER.LIST.S0");
    // The sweep begins again.
    asks(&mut story, 9_000, "STREAM.NAMES");
    asks(&mut story, 9_010, "CONSUMER.LIST.S0");
    asks(&mut story, 9_011, "CONSUMER.LIST.S1");
    assert_eq!(story.violations(), [""; 0]);
    asks(&mut story, 14_000, "STREAM.NAMES");
    story.breaks("I4: it has no business");
}

#[test]
fn a_list_whose_answer_may_have_been_lost_with_its_connection_is_asked_for_again_once() {
    let mut story = Story::begin();
    asks(&mut story, 0, "STREAM.NAMES");
    asks(&mut story, 10, "CONSUMER.LIST.S0");
    asks(&mut story, 20, "CONSUMER.LIST.S1");
    asks_by(&mut story, 5_000, 2, "CONSUMER.LIST.S1");
    assert_eq!(story.violations(), [""; 0]);
    asks_by(&mut story, 10_000, 2, "CONSUMER.LIST.S1");
    story.breaks("I4: it has no business");
}

#[test]
fn a_write_out_of_scope_is_caught() {
    let mut story = Story::begin();
    story.sends(0, 1, "INFO.S1.c1", String::new());
    story.breaks("I4: it has no business");
    story.sends(100, 1, "DELETE.S0.c1", String::new());
    assert_eq!(story.violations().len(), 2);
}
