//! What happens to overrides, and to their bucket.

use super::*;
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::overrides::entry::{Undoing, Undone, Unreadable as BadKey};
use crate::policy::Override;
use crate::report::{BucketState, OverridesReport};

/// Closed from 100 to 200.
fn close(sequence: u64) -> Override {
    example::close_of_night(sequence, 100, 200)
}

fn seen(second: i64, overrides: OverridesReport) -> Report {
    with(|report| {
        report.at = at(second);
        report.overrides = Some(overrides);
    })
}

fn having(second: i64, live: Vec<Override>) -> Report {
    seen(second, example::bucket(live))
}

fn in_state(state: BucketState, read_at: Option<Timestamp>) -> Report {
    let nothing = example::bucket(Vec::new());
    seen(
        10,
        OverridesReport {
            state,
            read_at,
            ..nothing
        },
    )
}

fn undone(one: &Override) -> Undone {
    Undone {
        id: one.id.clone(),
        was: Some(one.clone()),
        undoing: Undoing {
            by: Some("bob".to_owned()),
            reason: None,
            at: at(150),
        },
    }
}

fn of(before: Option<&Report>, after: &Report) -> Vec<OverrideChange> {
    let changes = changes(before, after).into_iter();
    changes
        .filter_map(|change| match change {
            Change::Override(change) => Some(change),
            _ => None,
        })
        .collect()
}

#[test]
fn an_override_is_made_undone_or_gone_and_ends_once() {
    use OverrideChange::{Ended, Found, Gone, Made, Undone as Undid};
    let (one, other) = (Arc::new(close(1)), Arc::new(close(2)));
    let none = || having(50, Vec::new());
    let has = |second| having(second, vec![close(1)]);
    let taken_back = |second| {
        let mut bucket = example::bucket(Vec::new());
        bucket.read = Arc::new(BucketRead {
            undone: vec![undone(&close(1))],
            ..BucketRead::default()
        });
        seen(second, bucket)
    };
    for (what, before, after, expected) in [
        ("made", none(), has(101), vec![Made(one.clone())]),
        ("known", has(101), has(102), vec![]),
        (
            "one more",
            has(101),
            having(102, vec![close(1), close(2)]),
            vec![Made(other)],
        ),
        (
            "undone",
            has(101),
            taken_back(150),
            vec![Undid(Box::new(undone(&close(1))))],
        ),
        ("known as undone", taken_back(150), taken_back(151), vec![]),
        (
            "deleted without a word",
            has(101),
            having(150, Vec::new()),
            vec![Gone(one.clone())],
        ),
        (
            "expired after its end",
            has(201),
            having(300, Vec::new()),
            vec![],
        ),
        ("the second before its end", has(198), has(199), vec![]),
        ("its end", has(199), has(200), vec![Ended(one.clone())]),
        ("after its end", has(200), has(201), vec![]),
    ] {
        assert_eq!(of(Some(&before), &after), expected, "{what}");
    }
    // The first read reports what has not ended.
    let unread = in_state(BucketState::Unasked, None);
    assert_eq!(of(Some(&unread), &has(199)), [Found(one.clone())]);
    assert_eq!(of(None, &has(199)), [Found(one)]);
    assert_eq!(of(Some(&unread), &has(200)), []);
    // Another bucket is read for the first time, too.
    let mut elsewhere = example::bucket(Vec::new());
    elsewhere.bucket = "elsewhere".into();
    let found = of(Some(&seen(50, elsewhere)), &has(101));
    assert_eq!(found, [Found(Arc::new(close(1)))]);
    // Without a bucket there is nothing to say.
    assert_eq!(of(Some(&has(101)), &quiet()), []);
}

#[test]
fn a_key_that_cannot_be_read_is_reported_once() {
    let bad = BadKey {
        id: "alice.x".to_owned(),
        reason: "its value is not an override's JSON".to_owned(),
    };
    let with_it = || {
        let mut bucket = example::bucket(Vec::new());
        bucket.read = Arc::new(BucketRead {
            unreadable: vec![bad.clone()],
            ..BucketRead::default()
        });
        seen(10, bucket)
    };
    let reported = [OverrideChange::Unreadable(bad.clone())];
    assert_eq!(of(Some(&having(9, Vec::new())), &with_it()), reported);
    assert_eq!(of(None, &with_it()), reported);
    assert_eq!(of(Some(&with_it()), &with_it()), []);
}

#[test]
fn whether_the_bucket_can_be_read_is_reported_when_it_changes() {
    use OverrideChange::{BucketMissing, BucketRead as Again, BucketUnread};
    let error = || BucketError::Request(RequestError::NotConnected);
    let failed = |read_at| in_state(BucketState::Failed(error()), read_at);
    let read = || in_state(BucketState::Read, Some(at(5)));
    let missing = || in_state(BucketState::Missing, Some(at(5)));
    let unread = |read_before| BucketUnread {
        bucket: "recess".into(),
        error: error(),
        read_before,
    };
    for (what, before, after, expected) in [
        ("lost", read(), failed(Some(at(5))), vec![unread(true)]),
        (
            "lost still",
            failed(Some(at(5))),
            failed(Some(at(5))),
            vec![],
        ),
        (
            "never read",
            in_state(BucketState::Unasked, None),
            failed(None),
            vec![unread(false)],
        ),
        (
            "back",
            failed(Some(at(5))),
            read(),
            vec![Again("recess".into())],
        ),
        (
            "deleted",
            read(),
            missing(),
            vec![BucketMissing("recess".into())],
        ),
        ("created", missing(), read(), vec![Again("recess".into())]),
        (
            "first read",
            in_state(BucketState::Unasked, None),
            read(),
            vec![],
        ),
    ] {
        assert_eq!(of(Some(&before), &after), expected, "{what}");
    }
}
