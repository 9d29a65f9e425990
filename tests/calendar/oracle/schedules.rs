//! What a schedule answers, against all its occurrences.

use jiff::Timestamp;
use recess::calendar::{Occurrence, Schedule};

use super::clock::{Clock, Zone};
use super::made::{Made, second};
use super::{KNOWN, LONGEST, NEAR, Tally};
use crate::support::random::Random;

/// Questions a round, each put to five functions.
const QUESTIONS: u64 = 8;

/// Makes up a schedule and asks about it around the centre.
pub fn round(zone: &Zone, clock: &Clock, random: &mut Random, tally: &mut Tally) {
    let made = Made::up(clock, &zone.ours, LONGEST, random);
    let near = clock.centre - NEAR..clock.centre + NEAR;
    let edges: Vec<i64> = made.edges(&near).collect();
    let end = second(clock.centre + KNOWN.end);
    for _ in 0..QUESTIONS {
        let [at, until, not_before] = [(); 3].map(|()| instant(clock, &edges, random));
        let context = |what: &str| {
            let (name, text) = (zone.theirs.name(), &made.text);
            format!("{what} of {text} in {name}, at {at}, until {until}, not before {not_before}")
        };
        let Made { schedule, all, .. } = &made;

        let next = all.iter().find(|one| one.opens > at).copied();
        let answer = schedule.next_opening(at);
        // Of what lies beyond the known days the oracle knows nothing.
        let answer = answer.filter(|one| next.is_some() || one.opens < end);
        assert_eq!(answer, next, "{}", context("next_opening"));
        tally.count(next);

        let opened = |one: &&Occurrence| one.opens <= at && one.opens > not_before;
        let latest = all.iter().rfind(opened).copied();
        let answer = schedule.latest_opening(at, not_before);
        assert_eq!(answer, latest, "{}", context("latest_opening"));
        tally.count(latest);

        let open = all.iter().filter(|one| one.opens <= at && at < one.closes);
        let open = open.max_by_key(|one| (one.closes, one.opens)).copied();
        assert_eq!(schedule.open_at(at), open, "{}", context("open_at"));
        tally.count(open);

        let rows = all
            .iter()
            .filter(|one| one.opens < until && at < one.closes);
        let rows: Vec<Occurrence> = rows.filter(|_| at < until).copied().collect();
        let answer: Vec<Occurrence> = schedule.intersecting(at, until).collect();
        assert_eq!(answer, rows, "{}", context("intersecting"));
        tally.count(rows);

        check_covered(schedule, all, at, until, end, &context);
        tally.comparisons += 1;
    }
}

fn check_covered(
    schedule: &Schedule,
    all: &[Occurrence],
    at: Timestamp,
    enough: Timestamp,
    end: Timestamp,
    context: &impl Fn(&str) -> String,
) {
    let uncovered = (all.iter()).fold(at, |reached, one| {
        let joins = one.opens <= reached;
        if joins {
            reached.max(one.closes)
        } else {
            reached
        }
    });
    let answer = schedule.covered_until(at, enough);
    if answer < enough {
        // It met an instant that is not covered before it had seen enough.
        assert_eq!(answer, uncovered, "{}", context("covered_until"));
    } else {
        let enough = uncovered >= enough || at >= enough;
        assert!(enough, "{}", context("covered_until"));
        let true_so_far = answer <= uncovered.max(at) || uncovered >= end;
        assert!(true_so_far, "{}", context("covered_until"));
    }
}

/// An instant worth asking about: the centre, where something opens or closes, or just anywhere near; often a second or a
/// nanosecond to one side.
pub fn instant(clock: &Clock, edges: &[i64], random: &mut Random) -> Timestamp {
    let seconds = match random.below(4) {
        0 => clock.centre,
        1 => clock.centre - NEAR + random.below(2 * NEAR),
        _ if edges.is_empty() => clock.centre,
        _ => *random.pick(edges),
    };
    let aside = *random.pick(&[0, 0, 0, 1, -1, 1_000_000_000, -1_000_000_000]);
    let nanos = i128::from(seconds) * 1_000_000_000 + aside;
    Timestamp::from_nanosecond(nanos).unwrap()
}
