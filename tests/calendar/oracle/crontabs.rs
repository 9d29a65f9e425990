//! What Debian's cron makes of a few hundred lines as they stand in public crontabs, workflows and guides: data, made once by
//! a second implementation (`tests/fixtures/cron/expect.py`).

use std::collections::BTreeSet;

use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, ToSpan as _};
use recess::calendar::{Oddity, Pattern};

const EXPECTED: &str = include_str!("../../fixtures/cron/expected.tsv");

struct Expected {
    line: &'static str,
    in_2027: Option<usize>,
    days: usize,
    first: Vec<DateTime>,
}

fn expected() -> Vec<Expected> {
    let rows = EXPECTED.lines().map(|row| {
        let columns: Vec<&str> = row.split('\t').collect();
        let &[line, in_2027, days, first] = columns.as_slice() else {
            panic!("{row}")
        };
        Expected {
            line,
            in_2027: in_2027.parse().ok(),
            days: days.parse().unwrap(),
            first: first.split(' ').map(|at| at.parse().unwrap()).collect(),
        }
    });
    let rows: Vec<Expected> = rows.collect();
    assert!(rows.len() > 300, "{}", rows.len());
    rows
}

/// All times from one on, before another.
fn times(pattern: &Pattern, from: DateTime, until: DateTime) -> impl Iterator<Item = DateTime> {
    let second = SignedDuration::from_secs(1);
    std::iter::successors(pattern.next(from), move |last| pattern.next(*last + second))
        .take_while(move |at| *at < until)
}

#[test]
fn public_crontabs_open_when_debians_cron_runs_them() {
    let year = |year| date(year, 1, 1).at(0, 0, 0, 0);
    let start = date(2026, 11, 27).at(0, 0, 0, 0);
    let mut differences = Vec::new();
    for Expected {
        line,
        in_2027,
        days,
        first,
    } in expected()
    {
        let pattern = match Pattern::parse(line) {
            Ok(pattern) => pattern,
            Err(error) => {
                differences.push(format!("{line}: {error}"));
                continue;
            }
        };
        let found: Vec<DateTime> = times(&pattern, start, DateTime::MAX).take(6).collect();
        if found != first {
            differences.push(format!("{line}: {found:?}, not {first:?}"));
        }
        let count = times(&pattern, year(2027), year(2028)).take(9_001).count();
        if in_2027.unwrap_or(9_001) != count {
            differences.push(format!("{line}: {count} times in 2027, not {in_2027:?}"));
        }
        // Day by day: some open every minute.
        let day_after = |at: DateTime| (at.date() + 1.day()).at(0, 0, 0, 0);
        let named =
            std::iter::successors(pattern.next(year(2027)), |at| pattern.next(day_after(*at)));
        let found = named.take_while(|at| *at < year(2029)).count();
        if found != days {
            differences.push(format!("{line}: on {found} days of two years, not {days}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn lines_that_are_said_in_the_same_words_name_the_same_times() {
    let mut said: Vec<(String, &str, Vec<DateTime>)> = Vec::new();
    let from = date(2027, 1, 1).at(0, 0, 0, 0);
    for Expected { line, .. } in expected() {
        let pattern = Pattern::parse(line).unwrap();
        let found: Vec<DateTime> = times(&pattern, from, DateTime::MAX).take(400).collect();
        said.push((pattern.describe(), line, found));
    }
    said.sort();
    let mut alike = 0;
    for pair in said.windows(2) {
        let [(words, line, times), (other_words, other, other_times)] = pair else {
            panic!("two")
        };
        if words == other_words {
            assert_eq!(times, other_times, "{words}: {line}, {other}");
            alike += 1;
        }
    }
    assert!(alike >= 20, "{alike}");
}

#[test]
fn a_warning_about_the_days_says_which_of_the_two_ways_cron_takes() {
    let two_years = date(2027, 1, 1).at(0, 0, 0, 0)..date(2029, 1, 1).at(0, 0, 0, 0);
    let on = |line: &str| -> BTreeSet<DateTime> {
        let pattern = Pattern::parse(line).unwrap();
        times(&pattern, two_years.start, two_years.end).collect()
    };
    let mut warned = [0, 0];
    for Expected { line, .. } in expected() {
        let oddities = Pattern::parse(line).unwrap().oddities();
        let either = oddities.contains(&Oddity::DayOrWeekday);
        let both = oddities.contains(&Oddity::DayAndWeekday);
        if !either && !both {
            continue;
        }
        let fields: Vec<&str> = line.split(' ').collect();
        let &[_, _, day, month, weekday] = fields.as_slice() else {
            panic!("{line}")
        };
        let (days, weekdays) = (
            on(&format!("0 0 {day} {month} *")),
            on(&format!("0 0 * {month} {weekday}")),
        );
        let wanted: BTreeSet<DateTime> = match both {
            true => days.intersection(&weekdays).copied().collect(),
            false => days.union(&weekdays).copied().collect(),
        };
        assert_eq!(
            on(&format!("0 0 {day} {month} {weekday}")),
            wanted,
            "{line}"
        );
        assert!(both != either, "{line}");
        warned[usize::from(both)] += 1;
    }
    assert!(warned.iter().all(|count| *count > 10), "{warned:?}");
}
