use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::config;
use crate::policy::{Policy, Verb};
use crate::summary::example::{at, decision, window};

/// Open from 01:00 to 04:00 each night but the 27th, when a part of it is left, and the 29th.
const NIGHT: &str = r#"
instance = "a"

[[window]]
name      = "night"
consumers = ["S/*"]
schedule  = "0 1 * * *"
duration  = "3h"

[[exclusion]]
name = "sales"
from = 2027-03-27T00:00:00
until = 2027-03-27T02:00:00

[[exclusion]]
name  = "holiday"
dates = [2027-03-29]
"#;

const GAP: SignedDuration = SignedDuration::from_mins(10);

fn policy(toml: &str) -> Policy {
    let config = config::parse(Path::new("recess.toml"), toml).expect("a config");
    (*config.policy).clone()
}

/// `2027-03-26 01:00`
fn instant(text: &str) -> Timestamp {
    at(&format!("{}:00Z", text.replace(' ', "T")))
}

/// An override of the window, from when until when.
fn made(sequence: i64, verb: Verb, from: &str, until: &str) -> Arc<Override> {
    let minute = |text: &str| format!("{}:00Z", text.replace(' ', "T"));
    let mut one = decision(
        ("bob", "b9w3z"),
        verb,
        window("night"),
        ("2027-03-25T00:00:00Z", &minute(from), &minute(until)),
        "tests",
    );
    one.sequence = u64::try_from(sequence).unwrap();
    Arc::new(one)
}

fn shown(policy: &Policy, from: &str, until: &str) -> Vec<String> {
    let window = policy.window("night").unwrap();
    let span = (instant(from), instant(until));
    let all = stretches(window, span, GAP).into_iter();
    all.map(|stretch| {
        let kind = match &stretch.kind {
            Kind::Open => "open".to_owned(),
            Kind::Often => "often".to_owned(),
            Kind::Missed => "missed".to_owned(),
            Kind::Extra(by) => format!("extra {}", by.terms.verb.as_str()),
            Kind::Skipped(by) => format!("skipped {}", by.terms.verb.as_str()),
            Kind::Excluded(name) => format!("excluded {name}"),
        };
        let minute = |at: Timestamp| at.strftime("%d %H:%M").to_string();
        format!("{}-{} {kind}", minute(stretch.from), minute(stretch.until))
    })
    .collect()
}

/// Overrides, the time shown, and its stretches.
type Case<'c> = (&'c [Arc<Override>], (&'c str, &'c str), &'c [&'c str]);

#[test]
fn each_stretch_says_why_it_is_open_or_not() {
    let night = ("2027-03-26 00:00", "2027-03-26 12:00");
    let rows: [Case<'_>; 10] = [
        (&[], night, &["26 01:00-26 04:00 open"]),
        (
            &[],
            ("2027-03-27 00:00", "2027-03-30 00:00"),
            &[
                "27 01:00-27 02:00 excluded sales",
                "27 02:00-27 04:00 open",
                "28 01:00-28 04:00 open",
                "29 01:00-29 04:00 excluded holiday",
            ],
        ),
        (
            &[made(
                1,
                Verb::Extend,
                "2027-03-26 04:00",
                "2027-03-26 05:30",
            )],
            night,
            &["26 01:00-26 04:00 open", "26 04:00-26 05:30 extra extend"],
        ),
        (
            &[made(1, Verb::Close, "2027-03-26 03:00", "2027-03-26 04:00")],
            night,
            &["26 01:00-26 03:00 open", "26 03:00-26 04:00 skipped close"],
        ),
        (
            &[made(1, Verb::Skip, "2027-03-26 01:00", "2027-03-26 04:00")],
            night,
            &["26 01:00-26 04:00 skipped skip"],
        ),
        (
            &[made(1, Verb::Open, "2027-03-26 07:00", "2027-03-26 08:00")],
            night,
            &["26 01:00-26 04:00 open", "26 07:00-26 08:00 extra open"],
        ),
        // What the file opens anyway is no extra.
        (
            &[made(1, Verb::Open, "2027-03-26 00:30", "2027-03-26 05:00")],
            night,
            &[
                "26 00:30-26 01:00 extra open",
                "26 01:00-26 04:00 open",
                "26 04:00-26 05:00 extra open",
            ],
        ),
        // An override counts over an exclusion.
        (
            &[made(1, Verb::Open, "2027-03-29 02:00", "2027-03-29 03:00")],
            ("2027-03-29 00:00", "2027-03-29 12:00"),
            &[
                "29 01:00-29 02:00 excluded holiday",
                "29 02:00-29 03:00 extra open",
                "29 03:00-29 04:00 excluded holiday",
            ],
        ),
        // The last word counts.
        (
            &[
                made(1, Verb::Extend, "2027-03-26 04:00", "2027-03-26 06:00"),
                made(2, Verb::Close, "2027-03-26 03:00", "2027-03-26 05:00"),
            ],
            night,
            &[
                "26 01:00-26 03:00 open",
                "26 03:00-26 04:00 skipped close",
                "26 05:00-26 06:00 extra extend",
            ],
        ),
        // One that begins before what is shown, or ends after it, is whole.
        (
            &[],
            ("2027-03-26 02:00", "2027-03-26 03:00"),
            &["26 01:00-26 04:00 open"],
        ),
    ];
    for (overrides, (from, until), expected) in rows {
        let policy = policy(NIGHT).with_overrides(overrides, instant(from));
        assert_eq!(shown(&policy, from, until), expected, "{overrides:?}");
    }
}

#[test]
fn many_openings_are_joined_and_few_are_not() {
    let every = |schedule: &str, duration: &str| {
        let toml = NIGHT.replace("0 1 * * *", schedule).replace("3h", duration);
        policy(&toml.replace("[[exclusion]]", "[[exclusion]]\nwindows = [\"night\"]"))
    };
    let span = ("2027-03-25 00:00", "2027-04-01 00:00");
    for (schedule, duration, at_least, at_most) in [
        ("0 1 * * *", "3h", 8, 8),
        ("0 */6 * * *", "1h", 28, 40),
        ("0 * * * *", "55m", 1, 40),
        ("*/2 * * * * *", "1s", 1, 40),
        ("*/10 * * * *", "1m", 1, 40),
    ] {
        let all = shown(&every(schedule, duration), span.0, span.1);
        let count = all.len();
        assert!((at_least..=at_most).contains(&count), "{schedule}: {all:?}");
    }
    // Breaks that are longer than the gap stay while there is room for them.
    let all = shown(&every("0 8-16 * * MON-FRI", "45m"), span.0, span.1);
    let often = all.iter().filter(|one| one.ends_with("often")).count();
    assert_eq!((all.len(), often), (36, 36), "{all:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// The calendar itself is asked about each quarter of an hour.
    #[test]
    fn stretches_are_open_when_the_window_is(
        overrides in prop::collection::vec((0..6_usize, 0..300_i64, 1..60_i64), 0..5),
    ) {
        let from = instant("2027-03-26 00:00");
        let quarter = |count: i64| from + SignedDuration::from_mins(15 * count);
        let overrides: Vec<Arc<Override>> = (overrides.iter().zip(1..))
            .map(|((verb, begins, lasts), sequence)| {
                let verb = [Verb::Open, Verb::Close, Verb::Extend, Verb::Skip][verb % 4];
                let mut one = (*made(sequence, verb, "2027-03-26 00:00", "2027-03-26 00:15")).clone();
                (one.terms.from, one.terms.until) = (quarter(*begins), quarter(begins + lasts));
                Arc::new(one)
            })
            .collect();
        let policy = policy(NIGHT).with_overrides(&overrides, from);
        let window = policy.window("night").unwrap();
        let all = stretches(window, (from, quarter(400)), GAP);
        prop_assert!(all.iter().all(|one| one.from < one.until));
        prop_assert!(all.is_sorted_by(|one, next| one.until <= next.from), "{:?}", all);
        for count in 0..400 {
            let at = quarter(count);
            let here = all.iter().find(|one| one.from <= at && at < one.until);
            let is_open = here.is_some_and(|one| one.kind.is_open());
            prop_assert_eq!(is_open, window.open_at(at).is_some(), "{}: {:?}", at, here);
            let is_scheduled = window.schedule.open_at(at).is_some();
            prop_assert!(here.is_some() || !is_scheduled, "{}", at);
        }
    }
}
