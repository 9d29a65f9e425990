//! Every file in `examples` loads without a warning and plans what it says. The instants are worked out by hand, not by
//! recess: each fortnight holds a night on which clocks change in the example's zone.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use recess::config;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

struct Example {
    file: &'static str,
    from: &'static str,
    until: &'static str,
    /// Window, opening, closing, and what daylight saving did to the opening.
    plan: &'static [(&'static str, &'static str, &'static str, &'static str)],
}

const PLANS: &[Example] = &[
    // Zurich is at +02:00 until 25 October, 01:00 UTC, then at +01:00.
    Example {
        file: "nightly-batch.toml",
        from: "2026-10-18T00:00:00Z",
        until: "2026-11-01T00:00:00Z",
        plan: &[
            (
                "nightly-batch",
                "2026-10-17T23:30:00Z",
                "2026-10-18T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-18T23:30:00Z",
                "2026-10-19T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-19T23:30:00Z",
                "2026-10-20T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-20T23:30:00Z",
                "2026-10-21T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-21T23:30:00Z",
                "2026-10-22T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-22T23:30:00Z",
                "2026-10-23T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-23T23:30:00Z",
                "2026-10-24T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-24T23:30:00Z",
                "2026-10-25T01:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-26T00:30:00Z",
                "2026-10-26T02:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-27T00:30:00Z",
                "2026-10-27T02:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-28T00:30:00Z",
                "2026-10-28T02:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-29T00:30:00Z",
                "2026-10-29T02:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-30T00:30:00Z",
                "2026-10-30T02:30:00Z",
                "",
            ),
            (
                "nightly-batch",
                "2026-10-31T00:30:00Z",
                "2026-10-31T02:30:00Z",
                "",
            ),
        ],
    },
    // Berlin is at +01:00 until 29 March, 01:00 UTC, then at +02:00: that Saturday's window is 23 hours long.
    Example {
        file: "office-hours.toml",
        from: "2026-03-23T00:00:00Z",
        until: "2026-04-06T00:00:00Z",
        plan: &[
            (
                "weekend",
                "2026-03-22T07:00:00Z",
                "2026-03-23T07:00:00Z",
                "",
            ),
            ("night", "2026-03-23T17:00:00Z", "2026-03-24T07:00:00Z", ""),
            ("night", "2026-03-24T17:00:00Z", "2026-03-25T07:00:00Z", ""),
            ("night", "2026-03-25T17:00:00Z", "2026-03-26T07:00:00Z", ""),
            ("night", "2026-03-26T17:00:00Z", "2026-03-27T07:00:00Z", ""),
            ("night", "2026-03-27T17:00:00Z", "2026-03-28T07:00:00Z", ""),
            (
                "weekend",
                "2026-03-28T07:00:00Z",
                "2026-03-29T06:00:00Z",
                "",
            ),
            (
                "weekend",
                "2026-03-29T06:00:00Z",
                "2026-03-30T06:00:00Z",
                "",
            ),
            ("night", "2026-03-30T16:00:00Z", "2026-03-31T06:00:00Z", ""),
            ("night", "2026-03-31T16:00:00Z", "2026-04-01T06:00:00Z", ""),
            ("night", "2026-04-01T16:00:00Z", "2026-04-02T06:00:00Z", ""),
            ("night", "2026-04-02T16:00:00Z", "2026-04-03T06:00:00Z", ""),
            ("night", "2026-04-03T16:00:00Z", "2026-04-04T06:00:00Z", ""),
            (
                "weekend",
                "2026-04-04T06:00:00Z",
                "2026-04-05T06:00:00Z",
                "",
            ),
            (
                "weekend",
                "2026-04-05T06:00:00Z",
                "2026-04-06T06:00:00Z",
                "",
            ),
        ],
    },
    // New York is at -04:00 until 1 November, 06:00 UTC, then at -05:00: that Saturday's window is 25 hours long.
    Example {
        file: "partner-weekend.toml",
        from: "2026-10-25T00:00:00Z",
        until: "2026-11-08T00:00:00Z",
        plan: &[
            (
                "partner-weekend",
                "2026-10-24T02:00:00Z",
                "2026-10-25T02:00:00Z",
                "",
            ),
            (
                "partner-weekend",
                "2026-10-25T02:00:00Z",
                "2026-10-26T02:00:00Z",
                "",
            ),
            (
                "partner-weekend",
                "2026-10-31T02:00:00Z",
                "2026-11-01T02:00:00Z",
                "",
            ),
            (
                "partner-weekend",
                "2026-11-01T02:00:00Z",
                "2026-11-02T03:00:00Z",
                "",
            ),
            (
                "partner-weekend",
                "2026-11-07T03:00:00Z",
                "2026-11-08T03:00:00Z",
                "",
            ),
        ],
    },
    // Zurich again, on the night of 25 October.
    Example {
        file: "database-upgrade.toml",
        from: "2037-10-18T00:00:00Z",
        until: "2037-11-01T00:00:00Z",
        plan: &[
            (
                "database-upgrade",
                "2037-10-24T20:00:00Z",
                "2037-10-25T05:00:00Z",
                "",
            ),
            (
                "replica-move",
                "2037-10-25T00:30:00Z",
                "2037-10-25T01:30:00Z",
                "",
            ),
        ],
    },
    // Zurich is at +01:00 until 29 March, 01:00 UTC, then at +02:00. Easter is from 2 April to 6 April, 22:00 UTC each.
    Example {
        file: "holidays.toml",
        from: "2037-03-27T00:00:00Z",
        until: "2037-04-08T00:00:00Z",
        plan: &[
            (
                "catalogue-rebuild",
                "2037-03-26T22:00:00Z",
                "2037-03-27T04:00:00Z",
                "",
            ),
            (
                "invoices",
                "2037-03-27T01:00:00Z",
                "2037-03-27T02:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-03-27T22:00:00Z",
                "2037-03-28T04:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-03-29T01:00:00Z",
                "2037-03-29T03:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-03-29T21:00:00Z",
                "2037-03-30T03:00:00Z",
                "",
            ),
            (
                "invoices",
                "2037-03-30T00:00:00Z",
                "2037-03-30T01:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-03-30T21:00:00Z",
                "2037-03-31T03:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-03-31T21:00:00Z",
                "2037-04-01T03:00:00Z",
                "",
            ),
            (
                "invoices",
                "2037-04-01T00:00:00Z",
                "2037-04-01T01:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-04-01T21:00:00Z",
                "2037-04-02T03:00:00Z",
                "",
            ),
            (
                "invoices",
                "2037-04-02T00:00:00Z",
                "2037-04-02T01:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-04-02T21:00:00Z",
                "2037-04-02T22:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-04-06T22:00:00Z",
                "2037-04-07T03:00:00Z",
                "",
            ),
            (
                "invoices",
                "2037-04-07T00:00:00Z",
                "2037-04-07T01:00:00Z",
                "",
            ),
            (
                "catalogue-rebuild",
                "2037-04-07T21:00:00Z",
                "2037-04-08T03:00:00Z",
                "",
            ),
        ],
    },
    // Both changes in one fortnight. Each opens on the first of its two.
    Example {
        file: "two-zones.toml",
        from: "2026-10-20T00:00:00Z",
        until: "2026-11-03T00:00:00Z",
        plan: &[
            (
                "frankfurt-backup",
                "2026-10-20T00:30:00Z",
                "2026-10-20T01:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-21T00:30:00Z",
                "2026-10-21T01:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-22T00:30:00Z",
                "2026-10-22T01:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-23T00:30:00Z",
                "2026-10-23T01:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-24T00:30:00Z",
                "2026-10-24T01:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "first",
            ),
            (
                "new-york-maintenance",
                "2026-10-25T05:30:00Z",
                "2026-10-25T08:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-26T01:30:00Z",
                "2026-10-26T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-27T01:30:00Z",
                "2026-10-27T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-28T01:30:00Z",
                "2026-10-28T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-29T01:30:00Z",
                "2026-10-29T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-30T01:30:00Z",
                "2026-10-30T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-10-31T01:30:00Z",
                "2026-10-31T02:30:00Z",
                "",
            ),
            (
                "frankfurt-backup",
                "2026-11-01T01:30:00Z",
                "2026-11-01T02:30:00Z",
                "",
            ),
            (
                "new-york-maintenance",
                "2026-11-01T05:30:00Z",
                "2026-11-01T08:30:00Z",
                "first",
            ),
            (
                "frankfurt-backup",
                "2026-11-02T01:30:00Z",
                "2026-11-02T02:30:00Z",
                "",
            ),
        ],
    },
    // On 29 March Zurich's clocks go from 02:00 to 03:00, at 01:00 UTC.
    Example {
        file: "database-migration.toml",
        from: "2026-03-20T00:00:00Z",
        until: "2026-04-03T00:00:00Z",
        plan: &[
            (
                "database-migration",
                "2026-03-22T01:15:00Z",
                "2026-03-22T01:35:00Z",
                "",
            ),
            (
                "database-migration",
                "2026-03-29T01:00:00Z",
                "2026-03-29T01:20:00Z",
                "gap",
            ),
        ],
    },
    // London is at +01:00 until 25 October, 01:00 UTC, then at +00:00.
    Example {
        file: "month-end.toml",
        from: "2026-10-19T00:00:00Z",
        until: "2026-11-02T00:00:00Z",
        plan: &[(
            "month-end",
            "2026-10-31T20:00:00Z",
            "2026-11-01T06:00:00Z",
            "",
        )],
    },
];

fn files() -> BTreeSet<String> {
    let files = fs::read_dir(EXAMPLES).expect("the examples are there");
    files
        .map(|file| file.expect("a readable directory").path())
        .filter(|path| path.extension() == Some(OsStr::new("toml")))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

fn path(file: &str) -> PathBuf {
    Path::new(EXAMPLES).join(file)
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant in RFC 3339")
}

#[test]
fn every_example_has_a_plan_here() {
    let planned: BTreeSet<String> = PLANS.iter().map(|plan| plan.file.to_owned()).collect();
    assert!(planned.len() >= 8);
    assert_eq!(files(), planned);
}

#[test]
fn every_example_loads_without_a_warning() {
    for file in files() {
        let config = config::load(&path(&file)).unwrap_or_else(|error| panic!("{error}"));
        let warnings = config::render(&config.source, &config.warnings, false);
        assert!(warnings.is_empty(), "{warnings}");
    }
}

/// The dates of the examples, and those that the reference shows, lie in a year whose calendar is that of 2026.
#[test]
fn no_example_is_over_before_2037() {
    let last_day = instant("2036-12-31T00:00:00Z");
    for file in files() {
        let config = config::load(&path(&file)).unwrap_or_else(|error| panic!("{error}"));
        let mut doubts = config::outlook(&config, last_day);
        doubts.retain(|doubt| doubt.code == config::code::PAST);
        assert!(
            doubts.is_empty(),
            "{}",
            config::render(&config.source, &doubts, false)
        );
    }
    let reference = include_str!("../../config/recess.toml");
    let years = reference
        .split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter_map(|word| {
            let (year, rest) = word.split_once('-')?;
            (year.len() == 4 && rest.len() >= 5).then(|| year.parse::<i16>().ok())?
        });
    let years: Vec<i16> = years.collect();
    assert!(years.len() >= 6, "{years:?}");
    assert!(years.iter().all(|year| *year >= 2037), "{years:?}");
}

#[test]
fn every_example_plans_what_was_worked_out_by_hand() {
    for example in PLANS {
        let config = config::load(&path(example.file)).unwrap_or_else(|error| panic!("{error}"));
        let (from, until) = (instant(example.from), instant(example.until));
        let mut found: Vec<(Timestamp, String, Timestamp, &str)> = Vec::new();
        for window in config.policy.windows() {
            found.extend(
                window
                    .intersecting(from, until)
                    .into_iter()
                    .map(|occurrence| {
                        let shift = occurrence.shift.map_or("", |shift| shift.as_str());
                        let name = window.name.to_string();
                        (occurrence.opens, name, occurrence.closes, shift)
                    }),
            );
        }
        found.sort();
        let expected: Vec<_> = (example.plan.iter())
            .map(|(window, opens, closes, shift)| {
                (
                    instant(opens),
                    (*window).to_owned(),
                    instant(closes),
                    *shift,
                )
            })
            .collect();
        assert_eq!(found, expected, "{}", example.file);
    }
}
