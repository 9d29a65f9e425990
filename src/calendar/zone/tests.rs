use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};

use super::*;

#[test]
fn a_table_holds_what_the_rules_of_every_zone_say() {
    let database = TimeZoneDatabase::bundled();
    let from: Timestamp = "2015-01-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2075-01-01T00:00:00Z".parse().unwrap();
    let (mut zones, mut spans) = (0, 0);
    for name in database.available() {
        let time_zone = database.get(name.as_str()).unwrap();
        let zone = Zone::from(time_zone.clone());
        let mut at = from;
        while at < until {
            let span = Span::at(&time_zone, at);
            let second = SignedDuration::from_secs(1);
            let last = span.end.min(until) - second;
            for at in [at, at + second, last, last + second] {
                let by_rules = Span::at(&time_zone, at);
                assert_eq!(zone.span(at), by_rules, "{name} {at}");
            }
            spans += 1;
            at = span.end;
        }
        zones += 1;
    }
    assert!(zones >= 400 && spans >= 10_000, "{spans} in {zones}");
}

#[test]
fn clones_share_a_table() {
    let zone = Zone::from(TimeZone::UTC);
    let clone = zone.clone();
    zone.span(Timestamp::UNIX_EPOCH);
    assert!(clone.table.get().is_some());
}
