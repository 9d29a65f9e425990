use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::policy::Verb;
use crate::summary::example::{at, consumers, decision, window};

fn frame(zone: &TimeZone) -> Frame<'_> {
    Frame {
        scale: Scale {
            from: at("2027-03-26T00:00:00Z"),
            until: at("2027-03-27T00:00:00Z"),
        },
        now: at("2027-03-26T12:00:00Z"),
        zone,
        few: 3,
    }
}

fn by(verb: Verb) -> Arc<Override> {
    let times = (
        "2027-03-26T11:00:00Z",
        "2027-03-26T11:00:00Z",
        "2027-03-26T18:00:00Z",
    );
    Arc::new(decision(
        ("bob", "b9w3z"),
        verb,
        window("night"),
        times,
        "tests",
    ))
}

fn stretch(from: &str, until: &str, kind: Kind) -> Stretch {
    let time = |text: &str| at(&format!("2027-03-{}:00Z", text.replace(' ', "T")));
    Stretch {
        from: time(from),
        until: time(until),
        kind,
    }
}

#[test]
fn a_bar_looks_as_its_stretch_is_and_says_what_there_is_room_for() {
    let rows = [
        ("26 01:00", "26 03:00", Kind::Open, "past", None),
        (
            "26 01:00",
            "26 03:00",
            Kind::Missed,
            "missed",
            Some("missed"),
        ),
        (
            "26 11:00",
            "26 13:00",
            Kind::Open,
            "held",
            Some("until 13:00"),
        ),
        (
            "26 11:00",
            "27 08:00",
            Kind::Open,
            "held",
            Some("until Sat 27 Mar 08:00"),
        ),
        (
            "26 14:00",
            "26 16:00",
            Kind::Open,
            "planned",
            Some("14:00 – 16:00"),
        ),
        (
            "26 14:00",
            "28 16:00",
            Kind::Open,
            "planned",
            Some("14:00 – Sun 28 Mar 16:00"),
        ),
        ("26 23:00", "27 01:00", Kind::Open, "planned", None),
        (
            "26 13:00",
            "26 14:00",
            Kind::Extra(by(Verb::Open)),
            "extra",
            Some("until 14:00, opened by bob"),
        ),
        (
            "26 21:00",
            "26 22:00",
            Kind::Extra(by(Verb::Open)),
            "extra",
            Some("by bob"),
        ),
        (
            "26 14:00",
            "26 16:00",
            Kind::Skipped(by(Verb::Skip)),
            "skipped",
            Some("skipped by bob"),
        ),
        (
            "26 14:00",
            "26 16:00",
            Kind::Excluded("sales".into()),
            "cut",
            Some("sales"),
        ),
        (
            "26 14:00",
            "26 16:00",
            Kind::Often,
            "planned",
            Some("again and again"),
        ),
        (
            "26 01:00",
            "26 03:00",
            Kind::Skipped(by(Verb::Skip)),
            "skipped",
            None,
        ),
    ];
    for (from, until, kind, look, label) in rows {
        let stretches = [stretch(from, until, kind)];
        let row = frame(&TimeZone::UTC).window("night", "S/*", &stretches);
        let [bar] = &row.bars[..] else {
            panic!("{row:?}")
        };
        let looks = match bar.look {
            Look::Past => "past",
            Look::Missed => "missed",
            Look::Held(_) => "held",
            Look::Planned => "planned",
            Look::Extra => "extra",
            Look::Hold(_) => "hold",
            Look::Skipped => "skipped",
            Look::Cut => "cut",
        };
        assert_eq!(looks, look, "{from} {until}");
        let labels: Vec<&str> = row.labels.iter().map(|label| &*label.text).collect();
        assert_eq!(
            labels,
            label.into_iter().collect::<Vec<_>>(),
            "{from} {until}"
        );
    }
}

#[test]
fn what_is_extended_says_its_new_end_once() {
    let stretches = [
        stretch("26 11:00", "26 13:00", Kind::Open),
        stretch("26 13:00", "26 13:30", Kind::Extra(by(Verb::Extend))),
    ];
    let row = frame(&TimeZone::UTC).window("night", "S/*", &stretches);
    let labels: Vec<&str> = row.labels.iter().map(|label| &*label.text).collect();
    assert_eq!(labels, ["until 13:30, +30 m by bob"]);
    assert_eq!(
        row.bars[1].title,
        "night: Fri 26 Mar 13:00 to Fri 26 Mar 13:30 UTC, extended by bob"
    );
}

#[test]
fn an_override_of_consumers_has_a_row() {
    for (verb, name, until, label) in [
        (
            Verb::Pause,
            "pause S/a S/b",
            "2027-03-26T18:00:00Z",
            Some("until 18:00, by bob"),
        ),
        (
            Verb::Resume,
            "resume S/a S/b",
            "2027-03-26T18:00:00Z",
            Some("until 18:00, by bob"),
        ),
        (Verb::Pause, "pause S/a S/b", "2027-03-26T11:30:00Z", None),
    ] {
        let times = ("2027-03-26T11:00:00Z", "2027-03-26T11:00:00Z", until);
        let target = consumers(&["S/a", "S/b"]);
        let one = decision(("bob", "b9w3z"), verb, target, times, "tests");
        let row = frame(&TimeZone::UTC).by_hand(&one);
        assert_eq!((&*row.name, &*row.below), (name, "by bob"));
        let labels: Vec<&str> = row.labels.iter().map(|label| &*label.text).collect();
        assert_eq!(labels, label.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_long_name_is_cut_where_its_room_ends() {
    let name = "x".repeat(300);
    let row = frame(&TimeZone::UTC).window(&name, &name, &[]);
    assert_eq!(
        (row.name.chars().count(), row.below.chars().count()),
        (22, 29)
    );
    assert_eq!(row.whole_name, name);
}

#[test]
fn names_along_an_edge_keep_apart() {
    let places = vec![(200.0, 40.0), (220.0, 40.0), (250.0, 40.0), (1110.0, 40.0)];
    let kept = apart(places, |place| *place);
    assert_eq!(kept, [(200.0, 40.0), (250.0, 40.0), (1110.0, 40.0)]);
}

fn kind(number: usize) -> Kind {
    match number {
        0 => Kind::Open,
        1 => Kind::Often,
        2 => Kind::Extra(by(Verb::Extend)),
        3 => Kind::Skipped(by(Verb::Skip)),
        _ => Kind::Excluded("an-exclusion".into()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bars_are_in_the_plot_and_no_label_hides_anything(
        parts in prop::collection::vec((0..5_usize, 0..7200_i64, 1..20_000_i64), 0..40),
        few in 0..50_usize,
    ) {
        let utc = TimeZone::UTC;
        let frame = Frame { few, ..frame(&utc) };
        let mut end = frame.scale.from - SignedDuration::from_hours(1);
        let mut stretches = Vec::new();
        for (number, pause, length) in parts {
            let from = end + SignedDuration::from_secs(pause);
            let until = from + SignedDuration::from_secs(length);
            stretches.push(Stretch { from, until, kind: kind(number) });
            end = until;
        }
        let row = frame.window("night", "S/*", &stretches);
        for bar in &row.bars {
            prop_assert!(bar.x >= LEFT && bar.x + bar.width <= WIDTH + 1e-9, "{:?}", bar);
            prop_assert!(bar.width >= NARROWEST);
            if let Look::Held(now) | Look::Hold(now) = bar.look {
                prop_assert!(bar.x <= now && now <= bar.x + bar.width);
            }
        }
        prop_assert!(row.bars.is_sorted_by(|one, next| one.x <= next.x));
        let ends = |label: &Label| label.x + text_width(&label.text);
        prop_assert!(row.labels.is_sorted_by(|one, next| ends(one) <= next.x), "{:?}", row.labels);
        for label in &row.labels {
            prop_assert!(ends(label) <= WIDTH, "{:?}", label);
            for bar in &row.bars {
                let is_beside = ends(label) <= bar.x || bar.x + bar.width <= label.x;
                let is_within = bar.x <= label.x && ends(label) <= bar.x + bar.width;
                prop_assert!(is_beside || (label.class == "in" && is_within), "{:?} {:?}", label, bar);
            }
        }
    }
}
