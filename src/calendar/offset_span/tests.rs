use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::*;

const HOST: &str = "/usr/share/zoneinfo";
const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn civil(text: &str) -> DateTime {
    text.parse().unwrap()
}

/// A zone of `tests/fixtures/zones/laws.zi`.
fn made(name: &str) -> TimeZone {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zones");
    let data = std::fs::read(folder.join(name)).unwrap();
    TimeZone::tzif(name, &data).unwrap()
}

fn known(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// The instants at which the offset of a zone changes, found by asking for the offset alone, four
/// times an hour.
fn changes(zone: &TimeZone, from: Timestamp, until: Timestamp) -> BTreeSet<Timestamp> {
    let step = SignedDuration::from_mins(15);
    let mut found = BTreeSet::new();
    let mut at = from;
    while at < until {
        let next = at + step;
        if zone.to_offset(at) != zone.to_offset(next) {
            let (mut low, mut high) = (at.as_second(), next.as_second());
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                let instant = Timestamp::from_second(middle).unwrap();
                match zone.to_offset(instant) == zone.to_offset(at) {
                    true => low = middle,
                    false => high = middle,
                }
            }
            found.insert(Timestamp::from_second(high).unwrap());
        }
        at = next;
    }
    found
}

/// The spans of `[from, until)` follow each other: each is the same one seen from its start, its
/// middle, its end and the next one, with the offsets that the zone has on both sides of each edge.
fn check(name: &str, zone: &TimeZone, from: Timestamp, until: Timestamp) -> usize {
    let mut span = OffsetSpan::at(zone, from);
    let mut count = 0;
    while span.end < until {
        let next = span.following().unwrap();
        assert_eq!(next.start, span.end, "{name}");
        let offset = |at: Timestamp| zone.to_offset(at);
        assert_eq!(
            next.before,
            offset(next.start - SECOND),
            "{name} {}",
            next.start
        );
        assert_eq!(next.before, span.offset, "{name} {}", next.start);
        assert_eq!(span.after, next.offset, "{name} {}", next.start);
        let middle = next.start + next.end.duration_since(next.start) / 2;
        for at in [next.start, next.start + SECOND, middle, next.last_instant()] {
            let same = OffsetSpan::at(zone, at);
            assert_eq!(
                (same.start, same.end),
                (next.start, next.end),
                "{name} {at}"
            );
            assert_eq!(same.offset, offset(at), "{name} {at}");
        }
        let back = next.preceding().unwrap();
        assert_eq!((back.start, back.end), (span.start, span.end), "{name}");
        count += 1;
        span = next;
    }
    count
}

#[test]
fn a_law_that_came_once_ends_a_span() {
    let juarez = known("America/Ciudad_Juarez");
    for (zone, law, before, after) in [
        (juarez, "2022-11-30T06:00:00Z", -6, -7),
        (made("Back"), "2026-12-10T06:00:00Z", -6, -7),
        (made("Forth"), "2026-12-10T07:00:00Z", -7, -6),
        (made("Renamed"), "2026-11-01T08:30:00Z", -7, -7),
    ] {
        let law = time(law);
        for days in [0, 1, 30] {
            let span = OffsetSpan::at(&zone, law + SignedDuration::from_hours(24 * days));
            let found = (span.start, span.before.seconds(), span.offset.seconds());
            assert_eq!(
                found,
                (law, before * 3600, after * 3600),
                "{days} days later"
            );
        }
    }
}

#[test]
fn civil_times_around_a_law_are_those_that_the_clocks_show() {
    for (zone, civil_time, first, last) in [
        // 23:00 to midnight comes twice.
        ("Back", "2026-12-09T22:59:59", "2026-12-10T04:59:59Z", None),
        (
            "Back",
            "2026-12-09T23:30:00",
            "2026-12-10T05:30:00Z",
            Some("2026-12-10T06:30:00Z"),
        ),
        ("Back", "2026-12-10T00:00:00", "2026-12-10T07:00:00Z", None),
        // Midnight to 01:00 does not exist.
        ("Forth", "2026-12-09T23:59:59", "2026-12-10T06:59:59Z", None),
        ("Forth", "2026-12-10T00:30:00", "2026-12-10T07:00:00Z", None),
        ("Forth", "2026-12-10T01:00:00", "2026-12-10T07:00:00Z", None),
        // Nothing happens to the clocks, though the rule by itself would have 01:00 to 02:00 twice.
        (
            "Renamed",
            "2026-11-01T01:15:00",
            "2026-11-01T08:15:00Z",
            None,
        ),
        (
            "Renamed",
            "2026-11-01T01:45:00",
            "2026-11-01T08:45:00Z",
            None,
        ),
        (
            "Renamed",
            "2027-11-07T01:45:00",
            "2027-11-07T07:45:00Z",
            Some("2027-11-07T08:45:00Z"),
        ),
    ] {
        let (made, at) = (made(zone), civil(civil_time));
        assert_eq!(first_instant(&made, at), time(first), "{zone} {civil_time}");
        let last = last.unwrap_or(first);
        assert_eq!(last_instant(&made, at), time(last), "{zone} {civil_time}");
    }
}

#[test]
fn the_spans_of_every_zone_of_both_copies_follow_its_table() {
    let host = TimeZoneDatabase::from_dir(HOST).expect("the host has time zone data (tzdata)");
    let (from, until) = (time("1970-01-01T00:00:00Z"), time("2045-01-01T00:00:00Z"));
    for (copy, database) in [("bundled", TimeZoneDatabase::bundled()), ("host", host)] {
        let (mut zones, mut spans) = (0, 0);
        for name in database.available() {
            let zone = database.get(name.as_str()).unwrap();
            spans += check(name.as_str(), &zone, from, until);
            zones += 1;
        }
        println!("{copy}: {spans} spans in {zones} zones");
        assert!(
            zones >= 400 && spans >= 20_000,
            "{copy}: {spans} in {zones}"
        );
    }
    for name in ["Back", "Forth", "Renamed"] {
        assert!(check(name, &made(name), from, until) > 30, "{name}");
    }
}

#[test]
fn the_spans_are_those_that_the_offsets_alone_show() {
    for zone in [
        known("America/Ciudad_Juarez"),
        made("Back"),
        made("Forth"),
        made("Renamed"),
    ] {
        let (from, until) = (time("2021-01-01T00:00:00Z"), time("2028-01-01T00:00:00Z"));
        let all = std::iter::successors(Some(OffsetSpan::at(&zone, from)), OffsetSpan::following);
        let found: BTreeSet<Timestamp> = (all.skip(1))
            .take_while(|span| span.start < until)
            .filter(|span| span.before != span.offset)
            .map(|span| span.start)
            .collect();
        assert!(found.len() >= 2, "{zone:?}");
        assert_eq!(found, changes(&zone, from, until), "{zone:?}");
    }
}
