//! The same for overrides: the judge reads the bucket's answers, and knows what counts.

use serde_json::Value;

use super::*;
use crate::overrides::subject;
use crate::support::config::INSTANCE;

/// A story by a config that names the bucket. No window is open before an hour has passed.
fn begin() -> Story {
    let rules = Rules::one(&["S0/*"], (OPENS + 3_600, CLOSES + 3_600), 0);
    let mut story = Story(Vec::new());
    story.note(-30_000, What::Started(Arc::new(rules.with_bucket())));
    story
}

/// An override of the window, in seconds after the opening.
fn entry(verb: &str, from: i64, until: i64) -> Value {
    let effect = match verb {
        "open" | "extend" | "pause" => "pause",
        _ => "run",
    };
    json!({
        "v": 1, "instance": INSTANCE, "effect": effect, "verb": verb, "window": "w0", "from": second(OPENS + from).to_string(),
        "until": second(OPENS + until).to_string(),
    })
}

/// The bucket's sequence, and what is there.
type Entries<'e> = &'e [(u64, Value)];

impl Story {
    fn hears(&mut self, after: i64, subject: &str, headers: &str, payload: String) {
        let frame = Frame {
            verb: "MSG".to_owned(),
            subject: subject.to_owned(),
            headers: headers.to_owned(),
            payload,
            ..Frame::default()
        };
        let connection = 1;
        self.note(after, What::Delivered { connection, frame });
    }

    fn asks_the_bucket(&mut self, after: i64) {
        self.sends_api(after, 1, "DIRECT.GET.KV_recess", String::new());
    }

    /// It reads the bucket, which has come so far.
    fn reads(&mut self, after: i64, up_to: u64, entries: Entries) {
        self.asks_the_bucket(after);
        let reply = format!("reply.{after}");
        for (sequence, value) in entries {
            let key = subject(&format!("alice.k{sequence}"));
            let operation = match value["undone"].is_null() {
                true => "",
                false => "KV-Operation: PURGE\r\n",
            };
            let headers = format!(
                "NATS/1.0\r\n{operation}Nats-Subject: {key}\r\nNats-Sequence: {sequence}\r\n\r\n"
            );
            self.hears(after + 1, &reply, &headers, value.to_string());
        }
        let end = format!(
            "NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\nNats-UpTo-Sequence: {up_to}\r\n\r\n"
        );
        self.hears(after + 1, &reply, &end, String::new());
    }

    /// It asks for the consumer and pauses it for a running window that ends so many seconds after the opening.
    fn pauses(&mut self, after: i64, until: i64) {
        self.looks(after, 1, None);
        self.writes(after + 2, 1, ours(OPENS + until));
    }

    /// It asks for the consumer, which it had paused for so long, and ends that.
    fn resumes(&mut self, after: i64, until: i64) {
        self.looks(after, 1, Some(ours(OPENS + until)));
        let soon = OPENS + (after + 2_999) / 1_000;
        self.writes(after + 2, 1, ours(soon));
    }
}

#[test]
fn what_overrides_say_is_no_violation() {
    let mut story = begin();
    story.reads(-10, 7, &[(7, entry("open", 0, 60))]);
    story.pauses(10, 60);
    story.is_answered(12);
    story.reads(
        20_000,
        8,
        &[(7, entry("open", 0, 60)), (8, entry("close", 20, 60))],
    );
    story.resumes(20_010, 60);
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn a_pause_that_no_override_orders_is_caught() {
    let mut story = begin();
    story.reads(-10, 7, &[]);
    story.pauses(10, 60);
    story.breaks("I1");
}

#[test]
fn what_is_sent_before_the_bucket_was_read_is_caught() {
    let mut story = begin();
    story.pauses(10, 60);
    story.breaks("I1");
    // The file's own windows too, while the answer is awaited.
    let mut story = begin();
    story.asks_the_bucket(3_595_000);
    story.pauses(3_600_010, 3_700);
    story.breaks("I1");
    // Not those after ten seconds: but nothing is ended then.
    let mut story = begin();
    story.asks_the_bucket(3_580_000);
    story.pauses(3_600_010, 3_700);
    assert_eq!(story.violations(), [""; 0]);
    story.asks_the_bucket(3_699_000);
    story.resumes(3_701_000, 3_800);
    story.breaks("I4");
}

#[test]
fn an_older_set_is_caught() {
    let both = [(7, entry("open", 0, 60)), (8, entry("close", 0, 60))];
    let mut story = begin();
    story.reads(-20_010, 8, &both);
    story.reads(-10, 7, &both[..1]);
    story.pauses(10, 60);
    story.breaks("I1");
    // A bucket that was made anew begins at 1.
    let mut story = begin();
    story.reads(-20_010, 8, &both);
    story.reads(-10, 1, &[(1, entry("open", 0, 60))]);
    story.sends_api(-8, 1, "STREAM.INFO.KV_recess", String::new());
    let info = json!({ "state": { "last_seq": 1, "subjects": { "one": 1 } } });
    story.is_told(-7, 1, "reply.-8", info.to_string());
    story.pauses(10, 60);
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn an_end_of_a_pause_without_a_read_before_is_caught() {
    let mut story = begin();
    let set = [(7, entry("close", 0, 60))];
    story.reads(-20_000, 7, &set);
    story.resumes(10, 60);
    story.breaks("I1");
    let mut story = begin();
    story.reads(-500, 7, &set);
    story.resumes(10, 60);
    assert_eq!(story.violations(), [""; 0]);
}

#[test]
fn another_opening_than_the_one_that_was_skipped_is_caught() {
    // Of a window that opens every twenty seconds, the one at 20 is skipped, and no other.
    let mut story = begin();
    let rules = Rules::in_turns(OPENS, 9, 20, 10, &["S0/*"]).with_bucket();
    story.note(-29_000, What::File(Arc::new(rules)));
    let skips = json!({
        "v": 1, "instance": INSTANCE, "effect": "run", "verb": "skip", "window": "w1",
        "from": second(OPENS + 20).to_string(), "until": second(OPENS + 30).to_string(),
    });
    let set = [(7, skips)];
    story.reads(39_000, 7, &set);
    story.pauses(40_010, 50);
    assert_eq!(story.violations(), [""; 0]);
    // That the next is skipped instead is an end that nothing orders.
    story.is_answered(40_012);
    story.reads(43_000, 7, &set);
    story.resumes(43_010, 50);
    story.breaks("I4");
}

#[test]
fn one_that_has_ended_and_counts_on_is_caught() {
    let mut story = begin();
    story.reads(-10, 7, &[(7, entry("open", -60, -30))]);
    story.pauses(10, 60);
    story.breaks("I1");
}

#[test]
fn the_last_word_is_that_of_the_latest_sequence() {
    for (verbs, is_paused) in [(["open", "close"], false), (["close", "open"], true)] {
        let mut story = begin();
        let [first, last] = verbs.map(|verb| entry(verb, 0, 60));
        // In whatever order they come.
        story.reads(-10, 8, &[(8, last), (7, first)]);
        story.pauses(10, 60);
        match is_paused {
            true => assert_eq!(story.violations(), [""; 0]),
            false => story.breaks("I1"),
        }
    }
}

#[test]
fn what_was_paused_and_undone_stays_in_sight_until_its_end() {
    let mut undone = entry("pause", 0, 60);
    undone.as_object_mut().unwrap().remove("window");
    undone["consumers"] = json!(["S1/c1"]);
    undone["undone"] = json!({ "by": "alice" });
    let mut story = begin();
    story.reads(0, 8, &[(8, undone)]);
    asks(&mut story, 50_000, "CONSUMER.INFO.S1.c1");
    assert_eq!(story.violations(), [""; 0]);
    asks(&mut story, 80_000, "CONSUMER.INFO.S1.c1");
    story.breaks("I4: it has no business");
}

#[test]
fn a_bucket_that_is_there_again_is_swept_once() {
    let mut story = begin();
    let names = |story: &mut Story, after: i64, streams: &[&str]| {
        story.sends_api(after, 1, "STREAM.NAMES", String::new());
        let answer = json!({ "streams": streams });
        story.is_told(after + 1, 1, &format!("reply.{after}"), answer.to_string());
    };
    names(&mut story, 0, &["S0"]);
    asks(&mut story, 10, "CONSUMER.LIST.S0");
    names(&mut story, 5_000, &["KV_recess", "S0"]);
    asks(&mut story, 5_010, "CONSUMER.LIST.KV_recess");
    asks(&mut story, 5_020, "CONSUMER.LIST.S0");
    assert_eq!(story.violations(), [""; 0]);
    asks(&mut story, 10_000, "CONSUMER.LIST.KV_recess");
    story.breaks("I4: it has no business");
}
