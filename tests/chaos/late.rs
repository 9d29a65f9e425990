//! Two copies, one of which hears of no override: it learns of them when it reads the bucket, and reads it before it ends
//! what the other has begun.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::crowd::{Crowd, People};
use crate::daemon_under_test::DaemonUnderTest;
use crate::judge::Judge;
use crate::operators::Operators;
use crate::overrides::subject;
use crate::record::Record;
use crate::rules::{Rules, second};
use crate::servers::{DEAF, Servers};
use crate::support::config::INSTANCE;
use crate::told::{State, state};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_hears_of_no_override_reads_them_before_it_ends_a_pause() {
    let record = Record::default();
    let servers = Servers::start(false, &record);
    let crowd = Crowd::of(&["S0"], 1, 3);
    let people = People::connect(&servers.urls(), &record).await;
    people.settle(&crowd).await;
    let now = Timestamp::now().as_second();
    let rules = Arc::new(Rules::one(&["S0/*"], (now + 600, now + 700), 0).with_bucket());
    let operators = Operators::of(&people, &crowd, &record, &servers, &rules);
    operators.make_bucket().await;
    let settings = vec!["controller.request_timeout = \"1s\"".to_owned()];
    let mut copies = Vec::new();
    for user in ["recess", DEAF] {
        let (rules, settings) = (rules.clone(), settings.clone());
        let mut copy = DaemonUnderTest::new(&servers, &record, rules, settings, false).await;
        copy.user = user;
        copy.start().await;
        copies.push(copy);
    }
    // What they have read since their start is old by then.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let from = Timestamp::now().as_second();
    let value = json!({
        "v": 1, "instance": INSTANCE, "effect": "pause", "verb": "open", "window": "w0",
        "from": second(from).to_string(), "until": second(from + 60).to_string(),
    });
    assert!(operators.put(&subject("alice", "late"), &value).await);
    tokio::time::sleep(Duration::from_secs(3)).await;
    for path in ["S0/c0", "S0/c1", "S0/c2"] {
        let found = state(&people.info(path).await.unwrap());
        let State::Paused { until, .. } = found else {
            panic!("{path} is {found:?}; {}", copies[1].log());
        };
        assert_eq!(until.as_second(), from + 60, "{path}; {}", copies[1].log());
    }
    for copy in &mut copies {
        copy.terminate().await;
    }
    let mut judge = Judge::new(SignedDuration::from_secs(1), SignedDuration::from_secs(1));
    judge.hear(&record.take());
    let violations = judge.violations.into_iter().map(|one| one.what);
    assert_eq!(violations.collect::<Vec<_>>(), [""; 0]);
    // The other one's, and none of its own.
    assert_eq!(judge.writes, 3);
}
