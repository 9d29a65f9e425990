use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::report::Blank;
use crate::report::example;

/// The news of that second, in which the window of that name was missed.
fn news(second: usize) -> News {
    let report = Report {
        at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
        ..example::report("default")
    };
    News {
        report: Arc::new(report),
        changes: vec![Change::Blank {
            window: second.to_string().into(),
            occurrence: None,
            blank: Blank::Missed,
        }],
    }
}

fn missed(news: &News) -> Vec<String> {
    (news.changes.iter())
        .map(|change| match change {
            Change::Blank { window, .. } => window.to_string(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn what_nobody_takes_is_bounded_keeps_the_newest_state_and_loses_nothing_that_happened() {
    let (outbox, mailbox) = mailbox();
    let all = LIMIT * 3;
    let merged = (0..all).filter(|&second| outbox.put(news(second)));
    assert_eq!(merged.count(), all - LIMIT);
    drop(outbox);
    let mut taken = Vec::new();
    while let Some(news) = mailbox.take() {
        taken.push(news);
    }
    assert_eq!(taken.len(), LIMIT);
    let seen: Vec<String> = taken.iter().flat_map(missed).collect();
    let expected: Vec<String> = (0..all).map(|second| second.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(taken.last().unwrap().report.at, news(all - 1).report.at);
}

#[test]
fn of_two_reports_the_newer_state_counts_and_what_happened_in_either() {
    let both = news(2).after(news(1));
    assert_eq!(both.report.at, news(2).report.at);
    assert_eq!(missed(&both), ["1", "2"]);
    // News of a state alone does not make what happened before it unheard of.
    let only = News {
        changes: Vec::new(),
        ..news(3)
    };
    assert_eq!(missed(&only.after(news(2))), ["2"]);
}

#[test]
fn whoever_waits_for_a_report_gets_it_when_it_comes() {
    let (outbox, mailbox) = mailbox();
    let waiting = thread::spawn(move || (mailbox.take().is_some(), mailbox.take().is_some()));
    thread::sleep(Duration::from_millis(50));
    assert!(!waiting.is_finished());
    outbox.put(news(1));
    drop(outbox);
    assert_eq!(waiting.join().unwrap(), (true, false));
}
