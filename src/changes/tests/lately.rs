use super::*;
use crate::changes::Lately;

fn blank(occurrence: Occurrence) -> Change {
    Change::Blank {
        window: "night".into(),
        occurrence: Some(occurrence),
        blank: Blank::Missed,
    }
}

fn closed(occurrence: Occurrence) -> Change {
    Change::Closed {
        window: "night".into(),
        occurrence,
        next: None,
        goes_on: false,
    }
}

fn hours(hours: i64) -> Report {
    with(|report| report.at = Timestamp::from_second(hours * 3600).unwrap())
}

#[test]
fn a_lapse_is_remembered_for_a_day_or_until_the_window_went_well() {
    let (first, second) = (occurrence(0, 60), occurrence(100, 160));
    let removed = Change::Removed {
        window: "night".into(),
        occurrence: first,
    };
    // What happened an hour after the lapse, how long after it that is asked, and what is left.
    let rows: [(&[Change], i64, usize); 6] = [
        (&[], 2, 1),
        (&[], 23, 1),
        (&[], 24, 0),
        (&[closed(second)], 2, 0),
        (&[blank(second), closed(second)], 2, 1),
        (&[removed], 2, 0),
    ];
    for (news, later, left) in rows {
        let mut lately = Lately::default();
        lately.follow(&hours(0), &[blank(first), closed(first)]);
        assert_eq!(lately.lapses().len(), 1);
        lately.follow(&hours(1), news);
        lately.follow(&hours(later), &[]);
        assert_eq!(lately.lapses().len(), left, "{news:?}, {later} h");
    }
}

#[test]
fn lapses_without_end_take_no_room() {
    let mut lately = Lately::default();
    for second in 0..1000 {
        let mut change = blank(occurrence(second, second + 1));
        if let Change::Blank { window, .. } = &mut change {
            *window = format!("night-{second}").into();
        }
        lately.follow(&hours(0), &[change]);
    }
    assert_eq!(lately.lapses().len(), 20);
    assert_eq!(&*lately.lapses()[19].window, "night-999");
}

#[test]
fn what_was_not_observed_stays_so_until_all_was_observed_again() {
    let pass = |full, failures| passed(|pass| (pass.full, pass.failures) = (full, failures));
    let mut lately = Lately::default();
    for (report, left) in [
        (pass(true, vec![failure()]), 1),
        (pass(false, vec![]), 1),
        (with(|report| report.pass = None), 1),
        (pass(true, vec![]), 0),
        (pass(false, vec![failure()]), 0),
    ] {
        lately.follow(&report, &[]);
        assert_eq!(lately.unanswered().len(), left);
    }
}
