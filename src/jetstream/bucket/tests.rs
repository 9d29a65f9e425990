use super::judge::{BucketSettings, judge};
use super::*;
use crate::config::Severity;

fn bucket() -> Bucket {
    Bucket::new("recess", "prod-eu")
}

fn up_to(up_to: Option<u64>) -> BucketRead {
    BucketRead {
        up_to,
        ..BucketRead::default()
    }
}

fn missing() -> BucketError {
    BucketError::Missing {
        bucket: "recess".to_owned(),
    }
}

/// What happens to a reader, and whether the read counts.
enum Step {
    /// A read that reaches so far; whether it counts by itself.
    Read(Option<u64>, bool),
    /// The same that does not; what the leader says then, and whether it counts after that.
    Asked(Option<u64>, BucketEnd, bool),
    Fails(BucketError),
}

#[test]
fn a_read_that_is_older_than_the_last_one_does_not_count() {
    use Step::{Asked, Fails, Read};
    let timed_out = BucketError::Request(RequestError::TimedOut {
        subject: "s".to_owned(),
        milliseconds: 1,
    });
    let silent = BucketError::Silent {
        bucket: "recess".to_owned(),
    };
    let end = |last, is_empty| BucketEnd { last, is_empty };
    let table = [
        // In order, and the same once more.
        vec![
            Read(Some(3), true),
            Read(Some(3), true),
            Read(Some(9), true),
        ],
        // A replica that lags; it says that nothing is there where it has nothing yet.
        vec![
            Read(Some(9), true),
            Asked(Some(8), end(9, false), false),
            Asked(None, end(9, false), false),
            Asked(None, end(12, false), false),
            Read(Some(9), true),
        ],
        // Nothing is there, and then nothing any more.
        vec![
            Read(None, true),
            Read(None, true),
            Read(Some(4), true),
            Asked(None, end(6, true), true),
            Asked(Some(5), end(6, false), false),
            Read(Some(6), true),
        ],
        // A bucket created again begins at 1, whether or not its absence was seen.
        vec![
            Read(Some(9), true),
            Fails(missing()),
            Read(Some(1), true),
            Read(Some(9), true),
            Fails(silent),
            Read(None, true),
            Read(Some(9), true),
            Asked(Some(2), end(2, false), true),
            Read(Some(3), true),
            Asked(None, end(0, true), true),
            Read(Some(1), true),
        ],
        // A failure that says nothing of the bucket.
        vec![
            Read(Some(9), true),
            Fails(timed_out),
            Asked(Some(1), end(9, false), false),
        ],
    ];
    for (row, steps) in table.into_iter().enumerate() {
        let mut last = LastRead::default();
        for (number, step) in steps.into_iter().enumerate() {
            let at = format!("row {row}, step {number}");
            match step {
                Read(reach, counts) => assert_eq!(last.accepts(&up_to(reach)), counts, "{at}"),
                Asked(reach, end, counts) => {
                    assert!(!last.accepts(&up_to(reach)), "{at}");
                    assert_eq!(last.accepts_by(end, &up_to(reach)), counts, "{at}");
                }
                Fails(error) => last.failed(&error),
            }
        }
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let refused = |code| RequestError::Refused {
        code,
        description: "no".to_owned(),
    };
    for (code, expected) in [
        (
            10054,
            "refuses values so long, nothing was stored: write a shorter reason",
        ),
        (
            10059,
            "does not exist: make it with `recess overrides create`",
        ),
        (10077, "is full, nothing was stored: purge ended overrides"),
        (10166, "set allow_msg_ttl of stream KV_recess"),
        (10008, "nats-server refused the request: no (error 10008)"),
    ] {
        let error = BucketError::of(refused(code), &bucket(), None).to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n'));
    }
    let denied = RequestError::Denied {
        subject: "$KV.recess.prod-eu.bob.k7f2q".to_owned(),
    };
    let of = |user: Option<&str>| {
        BucketError::of(denied.clone(), &bucket(), user.map(str::to_owned)).to_string()
    };
    let words = "permission denied to publish to $KV.recess.prod-eu.bob.k7f2q: allow it for";
    assert_eq!(of(Some("alice")), format!("{words} NATS user alice"));
    assert_eq!(of(None), format!("{words} the NATS user of this config"));
}

#[test]
fn a_bucket_that_is_made_otherwise_is_judged() {
    type Change = fn(&mut BucketSettings);
    let table: [(Change, &[(&str, Severity)]); 10] = [
        (|_| {}, &[]),
        (
            |one| one.history = 5,
            &[("bucket-history", Severity::Error)],
        ),
        (
            |one| one.history = -1,
            &[("bucket-history", Severity::Error)],
        ),
        (
            |one| one.allow_direct = false,
            &[("bucket-direct", Severity::Error)],
        ),
        (
            |one| one.allow_msg_ttl = false,
            &[("bucket-ttl", Severity::Error)],
        ),
        (
            |one| one.allow_rollup_hdrs = false,
            &[("bucket-rollup", Severity::Error)],
        ),
        (
            |one| one.max_age = 3_600_000_000_000,
            &[("bucket-age", Severity::Warning)],
        ),
        (
            |one| one.discard = "old".to_owned(),
            &[("bucket-discard", Severity::Warning)],
        ),
        (
            |one| one.storage = "memory".to_owned(),
            &[("bucket-memory", Severity::Warning)],
        ),
        (
            |one| one.num_replicas = 1,
            &[("bucket-replicas", Severity::Warning)],
        ),
    ];
    for (change, expected) in table {
        let mut settings = BucketSettings::ours(3);
        change(&mut settings);
        let faults = judge(Some(&settings), &bucket(), 3);
        let found: Vec<_> = (faults.iter())
            .map(|fault| (fault.code, fault.severity))
            .collect();
        assert_eq!(found, expected, "{settings:?}");
        assert!(faults.iter().all(|fault| !fault.hint.is_empty()));
    }
    let none = judge(None, &bucket(), 1);
    assert_eq!(none.len(), 1);
    assert_eq!(none[0].code, "bucket-missing");
    // More replicas than the streams have are no fault.
    assert_eq!(judge(Some(&BucketSettings::ours(3)), &bucket(), 1), []);
}

#[test]
fn what_is_asked_for_is_what_is_judged() {
    let ours = BucketSettings::ours(3);
    let asked = ours.to_json(&bucket());
    assert_eq!(asked["name"], "KV_recess");
    assert_eq!(asked["subjects"][0], "$KV.recess.>");
    let read: BucketSettings = serde_json::from_value(asked).expect("its own fields");
    assert_eq!(read, ours);
    // A server that leaves out what is not set.
    let bare: BucketSettings = serde_json::from_str("{}").expect("nothing is required");
    assert_eq!((bare.max_bytes, bare.allow_direct), (-1, false));
}
