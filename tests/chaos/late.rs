//! Two copies, one of which learns late of an override: it hears of none, or stands still. It reads the bucket before it
//! undoes what the other has done, so it sends nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::crowd::{Crowd, People};
use crate::daemon_under_test::DaemonUnderTest;
use crate::judge::Judge;
use crate::operators::Operators;
use crate::overrides::subject;
use crate::record::Record;
use crate::rules::{Rules, Span, second};
use crate::servers::{DEAF, Servers};
use crate::support::config::INSTANCE;
use crate::told::{State, state};

const PATHS: [&str; 3] = ["S0/c0", "S0/c1", "S0/c2"];

/// A bucket, consumers that are wanted in `w0`, and two copies that know no override.
struct Two {
    record: Record,
    people: People,
    operators: Operators,
    early: DaemonUnderTest,
    late: DaemonUnderTest,
    _servers: Servers,
}

impl Two {
    /// `span` is that of the window, from now.
    async fn start(span: Span, late: &'static str) -> Self {
        let record = Record::default();
        let servers = Servers::start(false, &record);
        let crowd = Crowd::of(&["S0"], 1, 3);
        let people = People::connect(&servers.urls(), &record).await;
        people.settle(&crowd).await;
        let now = Timestamp::now().as_second();
        let rules = Rules::one(&["S0/*"], (now + span.0, now + span.1), 0);
        let rules = Arc::new(rules.with_bucket());
        let operators = Operators::of(&people, &crowd, &record, &servers, &rules);
        operators.make_bucket().await;
        let copy = async |user| {
            let settings = vec!["controller.request_timeout = \"1s\"".to_owned()];
            let rules = rules.clone();
            let mut copy = DaemonUnderTest::new(&servers, &record, rules, settings, false).await;
            copy.user = user;
            copy.start().await;
            copy
        };
        let (early, late) = (copy("recess").await, copy(late).await);
        // What they have read since their start is not fresh any more.
        tokio::time::sleep(Duration::from_secs(3)).await;
        Self {
            record,
            people,
            operators,
            early,
            late,
            _servers: servers,
        }
    }

    /// An operator opens or closes the window from now on. Returns until when.
    async fn overrides(&self, verb: &str, effect: &str) -> i64 {
        let from = Timestamp::now().as_second();
        let until = from + 60;
        let value = json!({
            "v": 1, "instance": INSTANCE, "effect": effect, "verb": verb, "window": "w0",
            "from": second(from).to_string(), "until": second(until).to_string(),
        });
        assert!(self.operators.put(&subject("alice.late"), &value).await);
        until
    }

    /// They are paused until then, or run, before long.
    async fn become_paused(&self, until: Option<i64>) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) && !self.are_paused(until).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.stay_paused(until, Duration::ZERO).await;
    }

    /// So long after that they still are.
    async fn stay_paused(&self, until: Option<i64>, wait: Duration) {
        tokio::time::sleep(wait).await;
        assert!(
            self.are_paused(until).await,
            "{until:?}; {}",
            self.late.log()
        );
    }

    async fn are_paused(&self, until: Option<i64>) -> bool {
        for path in PATHS {
            let found = match state(&self.people.info(path).await.unwrap()) {
                State::Paused { until, .. } => Some(until.as_second()),
                _ => None,
            };
            if found != until {
                return false;
            }
        }
        true
    }

    /// Both end. Returns what they wrote, which breaks no promise.
    async fn writes(mut self) -> usize {
        self.early.terminate().await;
        self.late.terminate().await;
        let mut judge = Judge::new(SignedDuration::from_secs(1), SignedDuration::from_secs(1));
        judge.hear(&self.record.take());
        let violations = judge.violations.into_iter().map(|one| one.what);
        assert_eq!(violations.collect::<Vec<_>>(), [""; 0]);
        judge.writes
    }
}

/// Within so long a copy that is late would have done what is wrong.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_hears_of_no_override_reads_them_before_it_ends_a_pause() {
    let two = Two::start((600, 700), DEAF).await;
    // The judge, too, must find that what was read at the start is old.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let until = Some(two.overrides("open", "pause").await);
    two.become_paused(until).await;
    two.stay_paused(until, SOON).await;
    // The other one's, and none of its own.
    assert_eq!(two.writes().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_hears_of_no_override_reads_them_before_it_pauses_what_was_resumed() {
    let two = Two::start((-60, 600), DEAF).await;
    two.overrides("close", "run").await;
    two.become_paused(None).await;
    two.stay_paused(None, SOON).await;
    assert_eq!(two.writes().await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_stood_still_while_a_window_was_opened_and_closed_undoes_neither() {
    let two = Two::start((600, 700), "recess").await;
    two.late.stands_still();
    let until = Some(two.overrides("open", "pause").await);
    two.become_paused(until).await;
    two.late.goes_on();
    two.stay_paused(until, SOON).await;
    two.late.stands_still();
    two.overrides("close", "run").await;
    two.become_paused(None).await;
    two.late.goes_on();
    two.stay_paused(None, SOON).await;
    assert_eq!(two.writes().await, 6);
}
