use jiff::tz::TimeZoneDatabase;

use super::*;
use crate::summary::example::at;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn zurich() -> TimeZone {
    zone("Europe/Zurich")
}

#[test]
fn an_instant_stands_where_its_part_of_the_time_is() {
    let scale = Scale {
        from: at("2027-03-26T00:00:00Z"),
        until: at("2027-03-27T00:00:00Z"),
    };
    for (instant, x) in [
        ("2027-03-26T00:00:00Z", LEFT),
        ("2027-03-26T12:00:00Z", (LEFT + WIDTH) / 2.0),
        ("2027-03-27T00:00:00Z", WIDTH),
        ("2027-03-25T00:00:00Z", LEFT),
        ("2027-04-25T00:00:00Z", WIDTH),
    ] {
        assert!((scale.x(at(instant)) - x).abs() < 1e-9, "{instant}");
    }
    assert_eq!(scale.time(WIDTH - LEFT), SignedDuration::from_hours(24));
    let nothing = Scale {
        until: scale.from,
        ..scale
    };
    assert!(nothing.x(at("2027-03-26T12:00:00Z")).is_finite());
}

/// Every second hour has its place, also when the clocks change; one that they skip has none, one
/// that they repeat has one.
#[test]
fn hours_are_those_of_the_clocks() {
    for (now, first, labels) in [
        (
            "2027-03-26T01:41:00Z",
            "2027-03-25T21:00:00Z",
            "22:00 Fri 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00",
        ),
        (
            "2027-03-28T01:10:00Z",
            "2027-03-27T21:00:00Z",
            "22:00 Sun 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00 22:00",
        ),
        (
            "2027-10-31T01:10:00Z",
            "2027-10-30T20:00:00Z",
            "22:00 Sun 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00",
        ),
    ] {
        let scale = around(at(now), &zurich());
        assert_eq!(scale.from, at(first), "{now}");
        let all: Vec<String> = (ticks(scale, &zurich()).into_iter())
            .map(|tick| tick.label)
            .collect();
        assert_eq!(all.join(" "), labels, "{now}");
    }
}

#[test]
fn a_day_has_its_true_length_and_says_so() {
    let notes = |now: &str, name: &str| -> Vec<String> {
        let days = week(at(now), &zone(name)).into_iter();
        days.filter_map(|day| Some(format!("{} {}", day.date, day.note?)))
            .collect()
    };
    for (now, name, note) in [
        (
            "2027-03-26T01:41:00Z",
            "Europe/Zurich",
            "2027-03-28 23 h: daylight saving begins",
        ),
        (
            "2027-10-28T12:00:00Z",
            "Europe/Zurich",
            "2027-10-31 25 h: daylight saving ends",
        ),
        (
            "2027-04-01T12:00:00Z",
            "Australia/Lord_Howe",
            "2027-04-04 24 h 30 m: daylight saving ends",
        ),
        // There was no 30th of December in Samoa.
        ("2011-12-28T12:00:00Z", "Pacific/Apia", ""),
    ] {
        let notes = notes(now, name);
        assert_eq!(notes.join(", "), note, "{now} {name}");
    }
}

/// Every day of a year, in zones whose clocks change at midnight, by half an hour, or not at
/// all.
#[test]
fn days_and_hours_follow_each_other_without_a_gap_in_every_zone() {
    for name in [
        "Europe/Zurich",
        "America/New_York",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "UTC",
    ] {
        let zone = zone(name);
        for day in 0..400 {
            let now = at("2026-06-01T09:30:00Z") + SignedDuration::from_hours(24 * day + day % 24);
            let days = week(now, &zone);
            assert_eq!(days.len(), 8, "{name} {now}");
            for pair in days.windows(2) {
                assert_eq!(pair[0].until, pair[1].from, "{name} {now}");
            }
            for day in &days {
                let first = day.from.to_zoned(zone.clone());
                assert_eq!(first.date(), day.date, "{name}");
                let before = day.from - SignedDuration::from_secs(1);
                assert!(before.to_zoned(zone.clone()).date() < day.date, "{name}");
            }
            assert!(whole(&days, now).shows(now), "{name} {now}");
            let scale = around(now, &zone);
            assert!(scale.shows(now), "{name} {now}");
            let ticks = ticks(scale, &zone);
            assert!(
                (11..=13).contains(&ticks.len()),
                "{name} {now} {}",
                ticks.len()
            );
            for tick in &ticks {
                let civil = tick.at.to_zoned(zone.clone());
                assert_eq!((civil.hour() % 2, civil.minute()), (0, 0), "{name} {now}");
                assert!(scale.shows(tick.at));
            }
            assert!(
                ticks.is_sorted_by(|one, next| one.at < next.at),
                "{name} {now}"
            );
        }
    }
}
