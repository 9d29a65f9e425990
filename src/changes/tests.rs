use jiff::SignedDuration;

use super::*;
use crate::consumer::example::observation;
use crate::consumer::{Found, PauseState};
use crate::jetstream::{Link, RequestError, Unreadable};
use crate::ledger::Repair;
use crate::plan::Rule;
use crate::report::{Pass, Row, Wake, Why, WindowState, example};
use crate::write::Action;

mod clock_trust;
mod consumers;
mod lately;
mod overrides;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id() -> ConsumerId {
    ConsumerId::new("ORDERS", "billing")
}

fn occurrence(opens: i64, closes: i64) -> Occurrence {
    Occurrence {
        opens: at(opens),
        closes: at(closes),
        shift: None,
    }
}

fn server(connects: u64, denied: &[&str]) -> Server {
    Server {
        version: "2.15.1".to_owned(),
        address: "nats://a:4222".to_owned(),
        connects,
        crash_prone: false,
        denied: denied.iter().map(|subject| (*subject).to_owned()).collect(),
    }
}

/// A pass that observed everything, over a connection.
fn quiet() -> Report {
    Report {
        link: Link::Up(server(1, &[])),
        pass: Some(example::full_pass()),
        ..example::report("default")
    }
}

fn with(edit: impl FnOnce(&mut Report)) -> Report {
    let mut report = quiet();
    edit(&mut report);
    report
}

fn passed(edit: impl FnOnce(&mut Pass)) -> Report {
    with(|report| edit(report.pass.as_mut().unwrap()))
}

fn night(open: Option<Occurrence>, blank: Option<Blank>) -> Report {
    with(|report| {
        report.windows = vec![WindowState {
            name: "night".into(),
            open,
            next: Some(occurrence(90, 95)),
            consumers: 1,
            exempt: 0,
            unmatched: None,
            blank,
        }];
    })
}

fn row(edit: impl FnOnce(&mut Row)) -> Report {
    let mut row = Row::undecided(Default::default(), Found::Unknown, Duration::ZERO);
    edit(&mut row);
    with(|report| report.rows = [(id(), row)].into_iter().collect())
}

/// What holds of a consumer. Each other row is one difference from it.
fn plain() -> Report {
    row(|_| {})
}

fn timed_out() -> RequestError {
    RequestError::TimedOut {
        subject: "s".to_owned(),
        milliseconds: 3000,
    }
}

fn failure() -> Failure {
    Failure {
        subject: "stream ORDERS".to_owned(),
        stream: Some("ORDERS".to_owned()),
        error: timed_out(),
    }
}

fn act(edit: impl FnOnce(&mut Act)) -> Act {
    let mut act = example::pause(&id());
    edit(&mut act);
    act
}

fn sent(act: &Act) -> Report {
    passed(|pass| pass.acts = vec![act.clone()])
}

fn unreadable() -> Report {
    let entry = Unreadable {
        name: "x".to_owned(),
        reason: "it has no name".to_owned(),
    };
    with(|report| {
        let left_out = Arc::make_mut(&mut report.left_out);
        left_out.unreadable.insert((None, entry));
    })
}

fn passed_over() -> Report {
    with(|report| {
        let why = crate::report::PassedOver {
            why: Why::NotDurable,
            works: true,
        };
        let left_out = Arc::make_mut(&mut report.left_out);
        left_out.passed_over.insert(id(), why);
    })
}

fn sentence(report: &Report) -> Sentence {
    report.left_out.sentences().remove(0)
}

fn down(reason: &str) -> Report {
    Report {
        link: Link::Down {
            reason: reason.to_owned(),
        },
        pass: None,
        ..example::report("default")
    }
}

fn paused_until(until: Timestamp) -> Found {
    Found::Present(observation(PauseState::Paused {
        until,
        remaining: SignedDuration::from_secs(60),
    }))
}

fn decided() -> Change {
    Change::Decided(vec![id()])
}

#[test]
fn each_difference_between_two_reports_is_one_change_and_no_difference_is_none() {
    let (open, later, second) = (occurrence(10, 20), occurrence(10, 25), occurrence(20, 30));
    let window: Arc<str> = "night".into();
    let opened = |occurrence, goes_on| Change::Opened {
        window: window.clone(),
        occurrence,
        goes_on,
    };
    let closed = |goes_on| Change::Closed {
        window: window.clone(),
        occurrence: open,
        next: Some(occurrence(90, 95)),
        goes_on,
    };
    let blank = |blank, occurrence| Change::Blank {
        window: window.clone(),
        occurrence: Some(occurrence),
        blank,
    };
    let wrote = act(|_| {});
    let repaired = act(|act| act.repair = Some(Repair::Resumed));
    let vanished = act(|act| act.result = Err(RequestError::Missing.into()));
    let failed = act(|act| act.result = Err(timed_out().into()));
    let burst = Burst {
        acts: Vec::new(),
        done: 1,
        left: 2,
        took: Duration::from_secs(1),
    };
    let unlisted: Arc<[Failure]> = [failure()].into();
    let unsupported = Unsuitable::NoPause {
        version: "2.10.0".to_owned(),
    };
    let would = || {
        let mut report = row(|row| row.verdict = Verdict::Resume);
        report.dry_run = true;
        report
    };
    let table: Vec<(&str, Report, Report, Vec<Change>)> = vec![
        (
            "dry run",
            quiet(),
            with(|report| report.dry_run = true),
            vec![Change::DryRun(true)],
        ),
        (
            "name",
            quiet(),
            with(|report| report.policy = example::report("blue").policy),
            vec![Change::Renamed {
                from: "default".into(),
                to: "blue".into(),
                paused: 0,
            }],
        ),
        (
            "connected",
            down("lost"),
            quiet(),
            vec![Change::Connected(Box::new(server(1, &[])))],
        ),
        (
            "connected again between two reports",
            quiet(),
            with(|report| report.link = Link::Up(server(2, &[]))),
            vec![Change::Connected(Box::new(server(2, &[])))],
        ),
        (
            "denied",
            quiet(),
            with(|report| report.link = Link::Up(server(1, &["a"]))),
            vec![Change::Denied(vec!["a".to_owned()])],
        ),
        (
            "lost",
            quiet(),
            down("lost"),
            vec![Change::Disconnected("lost".to_owned())],
        ),
        ("not tried yet", quiet(), down(""), vec![]),
        (
            "unsupported",
            quiet(),
            with(|report| report.link = Link::Unsuitable(unsupported.clone())),
            vec![Change::Unsupported {
                server: unsupported.clone(),
                was_connected: true,
            }],
        ),
        (
            "clock",
            quiet(),
            passed(|pass| pass.wake = Wake::Clock),
            vec![Change::ClockStepped],
        ),
        (
            "opened",
            night(None, None),
            night(Some(open), None),
            vec![opened(open, false)],
        ),
        (
            "rescheduled",
            night(Some(open), None),
            night(Some(later), None),
            vec![Change::Rescheduled {
                window: window.clone(),
                occurrence: later,
            }],
        ),
        (
            "closed",
            night(Some(open), None),
            night(None, None),
            vec![closed(false)],
        ),
        (
            "seam",
            night(Some(open), None),
            night(Some(second), None),
            vec![closed(true), opened(second, true)],
        ),
        (
            "removed",
            night(Some(open), None),
            quiet(),
            vec![Change::Removed {
                window: window.clone(),
                occurrence: open,
            }],
        ),
        ("removed while closed", night(None, None), quiet(), vec![]),
        (
            "missed",
            night(Some(open), None),
            night(None, Some(Blank::Missed)),
            vec![blank(Blank::Missed, open), closed(false)],
        ),
        (
            "slept through",
            night(None, None),
            night(None, Some(Blank::Unobserved)),
            vec![blank(Blank::Unobserved, occurrence(90, 95))],
        ),
        (
            "burst",
            quiet(),
            with(|report| report.burst = Some(burst.clone())),
            vec![Change::Burst(burst.clone())],
        ),
        (
            "unanswered",
            quiet(),
            passed(|pass| pass.failures = vec![failure()]),
            vec![Change::Unanswered(failure())],
        ),
        (
            "a lost connection is no unanswered question",
            quiet(),
            passed(|pass| {
                pass.failures = vec![Failure {
                    error: RequestError::Cut,
                    ..failure()
                }];
            }),
            vec![],
        ),
        (
            "wrote",
            quiet(),
            sent(&wrote),
            vec![Change::Wrote(Box::new(Writes {
                action: Action::Pause,
                count: 1,
                first: vec![wrote.clone()],
                lateness: None,
                took: Duration::ZERO,
            }))],
        ),
        (
            "repaired",
            quiet(),
            sent(&repaired),
            vec![Change::Repaired(Box::new(repaired.clone()))],
        ),
        (
            "vanished",
            quiet(),
            sent(&vanished),
            vec![Change::Vanished(Box::new(vanished.clone()))],
        ),
        (
            "failed",
            quiet(),
            sent(&failed),
            vec![Change::Failed(Box::new(failed.clone()))],
        ),
        (
            "would",
            {
                let mut plain = plain();
                plain.dry_run = true;
                plain
            },
            would(),
            vec![Change::Would {
                id: id(),
                verdict: Verdict::Resume,
            }],
        ),
        ("would still", would(), would(), vec![]),
        (
            "missing",
            plain(),
            row(|row| row.found = Found::Missing),
            vec![Change::Missing(id())],
        ),
        (
            "contested",
            plain(),
            row(|row| row.contested = true),
            vec![Change::Contested {
                id: id(),
                repair: None,
            }],
        ),
        (
            "held back",
            plain(),
            row(|row| row.sends_in = Some(Duration::from_millis(500))),
            vec![Change::RepairDelayed {
                id: id(),
                wait: Duration::from_millis(500),
            }],
        ),
        (
            "held back for next to nothing",
            plain(),
            row(|row| row.sends_in = Some(Duration::from_millis(499))),
            vec![],
        ),
        (
            "orphaned",
            row(|row| row.found = paused_until(at(70))),
            row(|row| {
                row.found = paused_until(at(70));
                row.rule = Rule::OrphanUnnamed;
            }),
            vec![
                Change::Orphaned {
                    id: id(),
                    until: Some(at(70)),
                    resumes_in: None,
                },
                decided(),
            ],
        ),
        (
            "unlisted",
            quiet(),
            with(|report| report.unlisted = unlisted.clone()),
            vec![Change::Unlisted(unlisted.clone())],
        ),
        (
            "unconfirmed",
            row(|row| row.unconfirmed = Some(Duration::from_millis(9_999))),
            row(|row| row.unconfirmed = Some(CONFIRMATION_LIMIT)),
            vec![Change::Unconfirmed(id())],
        ),
        (
            "foreign",
            plain(),
            row(|row| {
                row.verdict = Verdict::Foreign;
                row.found = paused_until(at(70));
            }),
            vec![Change::Foreign {
                id: id(),
                until: Some(at(70)),
            }],
        ),
        (
            "decided",
            plain(),
            row(|row| row.rule = Rule::Paused),
            vec![decided()],
        ),
        (
            "unreadable",
            quiet(),
            unreadable(),
            vec![Change::Unreadable(sentence(&unreadable()))],
        ),
        (
            "passed over",
            quiet(),
            passed_over(),
            vec![Change::PassedOver(sentence(&passed_over()))],
        ),
    ];
    for (what, before, after, expected) in table {
        assert_eq!(changes(Some(&before), &after), expected, "{what}");
        let state = Report {
            pass: Some(example::full_pass()),
            burst: None,
            ..after.state()
        };
        let mut state = state;
        for window in &mut state.windows {
            window.blank = None;
        }
        assert_eq!(changes(Some(&state), &state), [], "{what}, which goes on");
    }
}

#[test]
fn a_report_without_a_pass_shows_nothing_new_of_consumers_and_forgets_nothing() {
    let missing = || row(|row| row.found = Found::Missing);
    let unobserved = Report {
        pass: None,
        ..plain()
    };
    assert_eq!(changes(Some(&missing()), &unobserved), []);
    let mut tracker = Tracker::default();
    let told = |changes: Vec<Change>| changes.contains(&Change::Missing(id()));
    assert!(told(tracker.follow(&missing())));
    assert!(!told(tracker.follow(&unobserved)));
    assert!(!told(tracker.follow(&missing())));
    assert!(!told(tracker.follow(&plain())));
    assert!(told(tracker.follow(&missing())));
}

/// How often a change of that kind is reported of these reports, one after the other.
fn counts(reports: &[Report], which: impl Fn(&Change) -> bool) -> Vec<usize> {
    let mut tracker = Tracker::default();
    (reports.iter())
        .map(|report| {
            tracker
                .follow(report)
                .iter()
                .filter(|change| which(change))
                .count()
        })
        .collect()
}

#[test]
fn what_goes_on_is_reported_when_it_begins_and_again_when_it_begins_again() {
    let unanswered = |full: bool| {
        passed(|pass| {
            pass.full = full;
            // Twice in one pass is once.
            pass.failures = vec![failure(), failure()];
        })
    };
    let is_unanswered = |change: &Change| matches!(change, Change::Unanswered(_));
    let part = passed(|pass| pass.full = false);
    let reports = [
        unanswered(true),
        unanswered(false),
        part.clone(),
        unanswered(true),
        quiet(),
        unanswered(false),
        unanswered(true),
    ];
    assert_eq!(counts(&reports, is_unanswered), [1, 0, 0, 0, 0, 1, 0]);

    let empty = || {
        let mut report = night(None, None);
        report.windows[0].consumers = 0;
        report
    };
    let unmatched = || {
        let mut report = night(None, None);
        report.windows[0].unmatched = Some(["A/*".into()].into());
        report
    };
    let is_empty = |change: &Change| matches!(change, Change::Empty(_));
    let is_unmatched = |change: &Change| matches!(change, Change::Unmatched { .. });
    let partly = Report {
        pass: part.pass,
        ..night(None, None)
    };
    let reports = [
        empty(),
        empty(),
        partly.clone(),
        empty(),
        night(None, None),
        empty(),
    ];
    assert_eq!(counts(&reports, is_empty), [1, 0, 0, 0, 0, 1]);
    let reports = [
        unmatched(),
        partly,
        unmatched(),
        night(None, None),
        unmatched(),
    ];
    assert_eq!(counts(&reports, is_unmatched), [1, 0, 0, 0, 1]);
}

#[test]
fn what_matches_nothing_is_reported_of_a_pass_alone_that_observed_everything() {
    type Edit = fn(&mut Report);
    let pass = |report: &mut Report, edit: fn(&mut Pass)| edit(report.pass.as_mut().unwrap());
    let table: [(&str, Edit); 2] = [
        ("empty", |report| report.windows[0].consumers = 0),
        ("unmatched", |report| {
            report.windows[0].unmatched = Some(["A/*".into()].into());
        }),
    ];
    for (what, edit) in table {
        let mut whole = night(None, None);
        edit(&mut whole);
        let [mut part, mut unanswered, mut lost] = [(); 3].map(|()| whole.clone());
        pass(&mut part, |pass| pass.full = false);
        pass(&mut unanswered, |pass| pass.failures.push(failure()));
        lost.link = down("lost").link;
        for (how, report, expected) in [
            ("everything", whole, 1),
            ("a part", part, 0),
            ("unanswered", unanswered, 0),
            ("without a connection", lost, 0),
        ] {
            let changes = changes(Some(&night(None, None)), &report);
            let reported = changes
                .iter()
                .filter(|change| matches!(change, Change::Empty(_) | Change::Unmatched { .. }));
            assert_eq!(reported.count(), expected, "{what}, {how}");
        }
    }
}

#[test]
fn a_window_whose_consumers_are_all_exempt_is_not_without_consumers() {
    let is_empty = |change: &Change| matches!(change, Change::Empty(_));
    let with = |exempt| {
        let mut report = night(None, None);
        (report.windows[0].consumers, report.windows[0].exempt) = (0, exempt);
        report
    };
    assert_eq!(counts(&[with(1), with(0)], is_empty), [0, 1]);
}

#[test]
fn what_is_true_of_a_server_or_a_stream_is_reported_once() {
    let denied = |connects| with(|report| report.link = Link::Up(server(connects, &["a"])));
    let is_denied = |change: &Change| matches!(change, Change::Denied(_));
    assert_eq!(
        counts(&[denied(1), down("lost"), denied(2)], is_denied),
        [1, 0, 0]
    );
    let is_left_out =
        |change: &Change| matches!(change, Change::Unreadable(_) | Change::PassedOver(_));
    let reports = [
        unreadable(),
        quiet(),
        unreadable(),
        passed_over(),
        quiet(),
        passed_over(),
    ];
    assert_eq!(counts(&reports, is_left_out), [1, 0, 0, 1, 0, 0]);
    let is_first = |change: &Change| *change == Change::FirstAttempt;
    let untried = Report {
        pass: None,
        ..quiet()
    };
    assert_eq!(
        counts(&[down(""), untried, quiet(), quiet()], is_first),
        [0, 0, 1, 0]
    );
    assert_eq!(
        counts(&[down(""), down("lost"), quiet()], is_first),
        [0, 1, 0]
    );
}

#[test]
fn that_another_server_was_used_before_is_remembered_through_an_outage() {
    let unsupported = Report {
        link: Link::Unsuitable(Unsuitable::NoPause {
            version: "2.10.0".to_owned(),
        }),
        ..down("")
    };
    let after = |before: &[Report]| {
        let mut tracker = Tracker::default();
        for report in before {
            tracker.follow(report);
        }
        let changes = tracker.follow(&unsupported);
        (changes.iter()).any(|change| {
            matches!(
                change,
                Change::Unsupported {
                    was_connected: true,
                    ..
                }
            )
        })
    };
    assert!(!after(&[down("")]));
    assert!(!after(&[down("lost")]));
    assert!(after(&[quiet(), down("lost")]));
}

#[test]
fn who_is_known_to_have_overridden_a_pause_is_named_when_recess_stops() {
    let repaired = act(|act| {
        act.repair = Some(Repair::Resumed);
        act.by_same_instance = true;
    });
    let unknown = act(|act| act.repair = Some(Repair::Resumed));
    let mut tracker = Tracker::default();
    for act in [&repaired, &unknown] {
        let mut report = plain();
        report.pass = sent(act).pass;
        tracker.follow(&report);
    }
    let changes = tracker.follow(&row(|row| row.contested = true));
    let repair = Some(Box::new(repaired));
    assert!(
        changes.contains(&Change::Contested { id: id(), repair }),
        "{changes:?}"
    );
}
