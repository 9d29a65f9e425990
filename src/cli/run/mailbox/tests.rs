use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::consumer::ConsumerId;
use crate::jetstream::RequestError;
use crate::report::example;
use crate::report::{Blank, Failure, Pass, Wake, WindowState};

/// The report of that second, in which that consumer was paused.
fn report(second: usize) -> Report {
    let act = example::pause(&ConsumerId::new("ORDERS", second.to_string()));
    let pass = Pass {
        acts: vec![act],
        ..Pass::of(Wake::Resync)
    };
    Report {
        at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
        pass: Some(pass),
        windows: vec![WindowState {
            name: "night".into(),
            open: None,
            next: None,
            consumers: 0,
            idle: None,
            blank: None,
        }],
        ..example::report("default")
    }
}

fn acts(report: &Report) -> Vec<String> {
    let pass = report.pass.iter();
    pass.flat_map(|pass| &pass.acts)
        .map(|act| act.id.consumer().to_owned())
        .collect()
}

#[test]
fn what_nobody_takes_is_bounded_keeps_the_newest_state_and_loses_nothing_that_happened() {
    let (outbox, mailbox) = mailbox();
    let all = LIMIT * 3;
    let merged = (0..all).filter(|&second| outbox.put(Arc::new(report(second))));
    assert_eq!(merged.count(), all - LIMIT);
    drop(outbox);
    let mut reports = Vec::new();
    while let Some(report) = mailbox.take() {
        reports.push(report);
    }
    assert_eq!(reports.len(), LIMIT);
    let seen: Vec<String> = reports.iter().flat_map(|report| acts(report)).collect();
    let expected: Vec<String> = (0..all).map(|second| second.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(reports.last().unwrap().at, report(all - 1).at);
}

#[test]
fn of_two_reports_the_newer_state_counts_and_what_happened_in_either() {
    let mut before = report(1);
    before.windows[0].blank = Some(Blank::Unobserved);
    let mut pass = Pass::of(Wake::Clock);
    pass.full = true;
    pass.failures.push(Failure {
        subject: "stream ORDERS".to_owned(),
        stream: None,
        error: RequestError::NotConnected,
    });
    before.pass = Some(pass);
    let after = report(2).after(&before);
    assert_eq!(
        (after.at, acts(&after)),
        (report(2).at, vec!["2".to_owned()])
    );
    assert_eq!(after.windows[0].blank, Some(Blank::Unobserved));
    let pass = after.pass.unwrap();
    assert!(pass.full && pass.wake == Wake::Clock && !pass.is_ok());
    // A report that only tells of the link does not make the pass before it unheard of.
    let only = Report {
        pass: None,
        ..report(3)
    };
    assert_eq!(acts(&only.after(&report(2))), ["2"]);
}

#[test]
fn whoever_waits_for_a_report_gets_it_when_it_comes() {
    let (outbox, mailbox) = mailbox();
    let waiting = thread::spawn(move || (mailbox.take().is_some(), mailbox.take().is_some()));
    thread::sleep(Duration::from_millis(50));
    assert!(!waiting.is_finished());
    outbox.put(Arc::new(report(1)));
    drop(outbox);
    assert_eq!(waiting.join().unwrap(), (true, false));
}
