//! Days that never were and days that came twice: nothing hangs, nothing panics, and the way back is the way there.

use jiff::civil::time;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use recess::calendar::{Fixed, Gap, Length, Occurrence, Pattern, Repeat, Rule, Schedule};

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

fn transitions(zone: &TimeZone) -> Vec<Timestamp> {
    let end: Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
    (zone.following(Timestamp::MIN))
        .map(|transition| transition.timestamp())
        .take_while(|instant| *instant < end)
        .collect()
}

#[test]
fn every_transition_of_odd_zones_is_walked_both_ways_alike() {
    let database = TimeZoneDatabase::bundled();
    for name in [
        "Pacific/Apia",
        "Pacific/Kwajalein",
        "Pacific/Enderbury",
        "Asia/Manila",
        "America/Sitka",
        "Africa/Monrovia",
        "Antarctica/Troll",
    ] {
        let zone = database.get(name).unwrap();
        for transition in transitions(&zone) {
            for pattern in ["15 2 * * *", "0,40 23,0,1 * * *"] {
                for length in [
                    Length::Elapsed(SignedDuration::from_mins(90)),
                    Length::Until(time(0, 30, 0, 0)),
                ] {
                    for (gap, repeat) in [
                        (Gap::Shift, Repeat::First),
                        (Gap::Shift, Repeat::Both),
                        (Gap::Skip, Repeat::Last),
                    ] {
                        let rule =
                            Rule::new(Pattern::parse(pattern).unwrap(), zone.clone(), length);
                        let rule = rule.with_policies(Some(gap), Some(repeat));
                        let context = format!(
                            "{pattern} {length:?} {gap:?} {repeat:?} in {name} at {transition}"
                        );
                        walk(&Schedule::Recurring(rule), transition, &context);
                    }
                }
            }
            let today = transition.to_zoned(zone.clone()).date();
            let days = [today.yesterday().unwrap(), today, today.tomorrow().unwrap()];
            let fixed = Fixed::days(zone.clone(), &days);
            walk(&Schedule::Fixed(fixed), transition, name);
        }
    }
}

fn walk(schedule: &Schedule, transition: Timestamp, context: &str) {
    let day = SignedDuration::from_hours(24);
    let (from, until) = (transition - day * 2, transition + day * 2);
    let all: Vec<Occurrence> = std::iter::successors(schedule.next_opening(from), |last| {
        schedule.next_opening(last.opens)
    })
    .take_while(|one| one.opens <= until)
    .collect();
    assert!(all.is_sorted_by(|a, b| a.opens < b.opens), "{context}");
    let back = std::iter::successors(schedule.latest_opening(until, from), |next| {
        schedule.latest_opening(next.opens - NANOSECOND, from)
    });
    let mut back: Vec<Occurrence> = back.collect();
    back.reverse();
    assert_eq!(all, back, "{context}");

    for one in &all {
        assert!(one.opens < one.closes, "{context}");
        assert!(one.length() <= schedule.longest(), "{context}: {one:?}");
    }
    // Two days are long enough for everything that is open behind the transition to have opened in between.
    for at in all
        .iter()
        .flat_map(|one| [one.opens, one.closes, one.closes - NANOSECOND])
    {
        if at < transition || at > until {
            continue;
        }
        let open = all.iter().filter(|one| one.covers(at));
        let open = open.max_by_key(|one| (one.closes, one.opens)).copied();
        let answer = schedule.open_at(at).filter(|one| one.opens > from);
        assert_eq!(answer, open, "{context}: at {at}");
    }
}
