//! What two reports show of consumers that takes more than one difference.

use super::*;
use crate::consumer::{Mark, Observation};
use crate::policy::Desired;

const UNTIL: i64 = 60;

/// A deadline of recess's, 60 s after the epoch.
fn ours() -> Timestamp {
    Mark::of_instance("default").stamp(at(UNTIL))
}

fn running() -> Found {
    Found::Present(observation(PauseState::Running))
}

fn lapsed() -> Found {
    Found::Present(observation(PauseState::Lapsed { until: ours() }))
}

/// A report of that second, with a row each.
fn rows(second: i64, rows: &[(&str, Row)]) -> Report {
    let rows = rows
        .iter()
        .map(|(name, row)| (ConsumerId::new("ORDERS", *name), row.clone()));
    with(|report| {
        report.at = at(second);
        report.rows = rows.collect();
    })
}

fn found(found: Found) -> Row {
    Row::undecided(Default::default(), found, Duration::ZERO)
}

fn count(before: &Report, after: &Report, which: impl Fn(&Change) -> bool) -> usize {
    let changes = changes(Some(before), after);
    changes.iter().filter(|change| which(change)).count()
}

#[test]
fn a_consumer_is_resumed_by_the_server_when_a_deadline_of_recess_has_passed_and_it_delivers() {
    let paused = || found(paused_until(ours()));
    let after = |second, row| rows(second, &[("billing", row)]);
    let with_act = |act: Act| {
        let mut report = after(UNTIL + 1, found(running()));
        report.pass.as_mut().unwrap().acts = vec![act];
        report
    };
    let other = ConsumerId::new("ORDERS", "other");
    for (what, was, is, expected) in [
        ("running", paused(), after(UNTIL + 1, found(running())), 1),
        ("lapsed", paused(), after(UNTIL + 1, found(lapsed())), 1),
        (
            "its deadline has not passed",
            paused(),
            after(UNTIL, found(running())),
            0,
        ),
        (
            "still paused",
            paused(),
            after(UNTIL + 1, found(paused_until(ours()))),
            0,
        ),
        (
            "a foreign pause",
            found(paused_until(at(UNTIL))),
            after(UNTIL + 1, found(running())),
            0,
        ),
        (
            "not paused before",
            found(lapsed()),
            after(UNTIL + 1, found(running())),
            0,
        ),
        (
            "unknown",
            paused(),
            after(UNTIL + 1, found(Found::Unknown)),
            0,
        ),
        (
            "missing",
            paused(),
            after(UNTIL + 1, found(Found::Missing)),
            0,
        ),
        ("written to", paused(), with_act(act(|_| {})), 0),
        (
            "a write that failed",
            paused(),
            with_act(act(|act| act.result = Err(timed_out().into()))),
            1,
        ),
        (
            "a write to another",
            paused(),
            with_act(example::pause(&other)),
            1,
        ),
    ] {
        let before = rows(0, &[("billing", was)]);
        let resumed = Change::Resumed(vec![id()]);
        let reported = count(&before, &is, |change| *change == resumed);
        assert_eq!(reported, expected, "{what}");
        let any = count(&before, &is, |change| matches!(change, Change::Resumed(_)));
        assert_eq!(any, expected, "{what}");
    }
}

#[test]
fn a_consumer_is_deleted_when_a_window_wants_it_paused_and_it_is_not_there_any_more() {
    let wanted = |found: Found| Row {
        desired: Desired::Paused(at(UNTIL)),
        ..Row::undecided(Default::default(), found, Duration::ZERO)
    };
    for (what, was, is_reloaded, expected) in [
        ("gone", wanted(running()), false, 1),
        ("gone while paused", wanted(paused_until(ours())), false, 1),
        ("no window is open", found(running()), false, 0),
        ("was never there", wanted(Found::Missing), false, 0),
        ("nothing was known of it", wanted(Found::Unknown), false, 0),
        ("taken out by a reload", wanted(running()), true, 0),
    ] {
        let before = rows(0, &[("billing", was)]);
        let mut after = rows(1, &[]);
        if !is_reloaded {
            after.policy = before.policy.clone();
        }
        let deleted = Change::Deleted {
            id: id(),
            windows: Vec::new(),
        };
        let reported = count(&before, &after, |change| *change == deleted);
        assert_eq!(reported, expected, "{what}");
        let still = Report {
            rows: before.rows.clone(),
            ..after
        };
        let is_deleted = |change: &Change| matches!(change, Change::Deleted { .. });
        assert_eq!(count(&before, &still, is_deleted), 0, "{what}, and back");
    }
}

#[test]
fn each_row_is_compared_with_its_own_of_before_whoever_comes_and_goes() {
    let missing = || found(Found::Missing);
    let is_missing = |change: &Change| matches!(change, Change::Missing(_));
    let before = rows(0, &[("b", missing()), ("d", missing()), ("f", missing())]);
    for (after, expected) in [
        (&["b", "d", "f"][..], 0),
        (&["d"], 0),
        (&["f"], 0),
        (&["a", "b", "c", "d", "e", "f", "g"], 4),
        (&["a", "f"], 1),
    ] {
        let after: Vec<_> = after.iter().map(|name| (*name, missing())).collect();
        let after = rows(1, &after);
        assert_eq!(count(&before, &after, is_missing), expected, "{after:?}");
    }
}

#[test]
fn a_dry_run_reports_each_write_that_it_would_send_when_that_is_new() {
    let row = |verdict| Row {
        verdict,
        ..found(running())
    };
    let report = |verdict, dry_run| Report {
        dry_run,
        ..rows(0, &[("billing", row(verdict))])
    };
    let (resume, settled) = (Verdict::Resume, Verdict::Settled);
    let pause = Verdict::Pause(ours());
    let is_would = |change: &Change| matches!(change, Change::Would { .. });
    for (was, was_dry_run, is, is_dry_run, expected) in [
        (settled, true, resume, true, 1),
        (pause, true, resume, true, 1),
        (resume, true, resume, true, 0),
        // What was sent then is only thought of now.
        (resume, false, resume, true, 1),
        (resume, true, settled, true, 0),
        (settled, true, settled, true, 0),
        (settled, false, settled, true, 0),
        (settled, true, resume, false, 0),
    ] {
        let (before, after) = (report(was, was_dry_run), report(is, is_dry_run));
        let reported = count(&before, &after, is_would);
        assert_eq!(
            reported, expected,
            "{was:?} {was_dry_run}, {is:?} {is_dry_run}"
        );
    }
}

#[test]
fn a_wait_is_reported_if_it_is_a_fight() {
    let waits = |edit: fn(&mut Row)| {
        let mut row = found(running());
        row.sends_in = Some(Duration::from_secs(10));
        edit(&mut row);
        row
    };
    let is_held_back = |change: &Change| matches!(change, Change::RepairDelayed { .. });
    let before = rows(0, &[("billing", found(running()))]);
    for (what, row, expected) in [
        ("undone", waits(|_| {}), 1),
        (
            "after a failure",
            waits(|row| row.problem = Some(Box::new(timed_out()))),
            0,
        ),
        ("an orphan", waits(|row| row.rule = Rule::OrphanWaiting), 0),
        ("nothing waits", waits(|row| row.sends_in = None), 0),
    ] {
        let after = rows(1, &[("billing", row)]);
        assert_eq!(count(&before, &after, is_held_back), expected, "{what}");
        assert_eq!(count(&after, &after, is_held_back), 0, "{what}, and still");
    }
}

#[test]
fn an_orphan_is_reported_with_its_wait_unless_it_is_left() {
    let orphan = |rule, wait| Row {
        rule,
        sends_in: wait,
        ..found(paused_until(ours()))
    };
    let minute = Some(Duration::from_secs(60));
    let before = rows(0, &[("billing", found(paused_until(ours())))]);
    for (rule, wait, resumes_in) in [
        (Rule::OrphanWaiting, minute, minute),
        (Rule::Orphan, None, Some(Duration::ZERO)),
        (Rule::OrphanUnnamed, None, None),
    ] {
        let after = rows(1, &[("billing", orphan(rule, wait))]);
        let orphaned = Change::Orphaned {
            id: id(),
            until: Some(ours()),
            resumes_in,
        };
        assert_eq!(count(&before, &after, |change| *change == orphaned), 1);
    }
    // It is the same orphan when its wait is over.
    let waits = rows(1, &[("billing", orphan(Rule::OrphanWaiting, minute))]);
    let due = rows(2, &[("billing", orphan(Rule::Orphan, None))]);
    let is_orphaned = |change: &Change| matches!(change, Change::Orphaned { .. });
    assert_eq!(count(&waits, &due, is_orphaned), 0);
}

#[test]
fn under_another_name_the_pauses_of_recess_are_counted() {
    let renamed = |rows: &[(&str, Row)]| Report {
        policy: example::report("blue").policy,
        ..self::rows(1, rows)
    };
    let blue = Mark::of_instance("blue").stamp(at(UNTIL));
    let after = renamed(&[
        ("ours", found(paused_until(blue))),
        ("foreign", found(paused_until(at(UNTIL)))),
        (
            "lapsed",
            found(Found::Present(observation(PauseState::Lapsed {
                until: blue,
            }))),
        ),
        ("running", found(running())),
    ]);
    let paused = (changes(Some(&quiet()), &after).into_iter()).find_map(|change| match change {
        Change::Renamed { paused, .. } => Some(paused),
        _ => None,
    });
    assert_eq!(paused, Some(1));
}

#[test]
fn the_consumers_of_a_window_are_counted_by_their_states() {
    let toml = "[[window]]\nname = 'night'\nconsumers = ['ORDERS/*']\nschedule = '@daily'\nduration = '1h'\n";
    let policy = crate::config::parse("test.toml".as_ref(), toml)
        .unwrap()
        .policy;
    let windows: crate::policy::WindowSet = policy.windows().iter().cloned().collect();
    let row = |found| Row::undecided(windows.clone(), found, Duration::ZERO);
    let seen = |state, pending, ack_pending, counted| {
        row(Found::Present(Observation {
            pending,
            ack_pending,
            counted,
            ..observation(state)
        }))
    };
    let paused = |until| PauseState::Paused {
        until,
        remaining: SignedDuration::from_secs(UNTIL),
    };
    let lapsed = PauseState::Lapsed { until: at(UNTIL) };
    let released = Row {
        rule: Rule::Released,
        ..seen(lapsed, 8, 80, true)
    };
    let all = rows(
        0,
        &[
            ("a", seen(paused(ours()), 1, 10, true)),
            ("b", seen(paused(at(UNTIL)), 2, 20, false)),
            ("c", seen(PauseState::Running, 4, 40, true)),
            ("d", released),
            ("e", row(Found::Missing)),
            ("f", row(Found::Unknown)),
        ],
    );
    let consumers = WindowConsumers::of_all(&all).remove("night").unwrap();
    let expected = Counts {
        consumers: 5,
        paused: 2,
        foreign: 1,
        released: 1,
        missing: 1,
        unknown: 1,
        uncounted: 1,
        in_flight: 150,
        pending: 15,
    };
    assert_eq!(consumers.counts, expected);
    assert_eq!(consumers.names.len(), 6);

    let of = |rows: &[(&str, Row)]| {
        let of_all = WindowConsumers::of_all(&self::rows(0, rows));
        of_all.get("night").cloned().unwrap_or_default()
    };
    let busy = ("a", seen(paused(ours()), 0, 1, true));
    let idle = ("b", seen(paused(ours()), 0, 0, true));
    let uncounted = ("c", seen(paused(ours()), 0, 0, false));
    let runs = ("d", seen(PauseState::Running, 0, 0, true));
    for (rows, is_paused, is_drained) in [
        (vec![], false, false),
        (vec![idle.clone()], true, true),
        (vec![idle.clone(), busy.clone()], true, false),
        (vec![idle.clone(), uncounted], true, false),
        (vec![idle, runs], false, false),
    ] {
        let consumers = of(&rows);
        assert_eq!(consumers.is_paused(), is_paused, "{rows:?}");
        assert_eq!(consumers.is_drained(), is_drained, "{rows:?}");
    }
    let many: Vec<String> = (0..=MAX_NAMES_IN_EVENT)
        .map(|number| format!("{number:0>4}"))
        .collect();
    let many: Vec<_> = (many.iter())
        .map(|name| (&**name, busy.1.clone()))
        .collect();
    let consumers = of(&many);
    assert_eq!(
        (consumers.names.len(), consumers.counts.consumers),
        (MAX_NAMES_IN_EVENT, MAX_NAMES_IN_EVENT + 1)
    );
}
