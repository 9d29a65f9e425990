use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::changes::Tracker;
use crate::consumer::example::observation;
use crate::consumer::{Candidate, ConsumerId, Found, Mark, PauseState};
use crate::jetstream::{Link, RequestError};
use crate::plan::{Rule, StandbyState, Verdict};
use crate::policy::Desired;
use crate::report::example;
use crate::report::{Act, Burst, Failure, Pass, Row, WindowState};
use crate::retention::{Cause, Loss};

fn id(consumer: &str) -> ConsumerId {
    ConsumerId::new("ORDERS", consumer)
}

fn timed_out() -> RequestError {
    RequestError::TimedOut {
        subject: "s".to_owned(),
        milliseconds: 3000,
    }
}

fn row(found: Found, problem: Option<RequestError>) -> Row {
    Row {
        problem: problem.map(Box::new),
        ..Row::undecided(Default::default(), found, Duration::ZERO)
    }
}

/// A pass that sent a pause to billing, with that result, or nothing.
fn report(result: Option<Result<(), RequestError>>, billing: Option<Row>) -> Report {
    let act = |result: Result<(), RequestError>| Act {
        result: result.map_err(Box::new),
        ..example::pause(&id("billing"))
    };
    Report {
        pass: Some(Pass {
            acts: result.map(act).into_iter().collect(),
            ..example::full_pass()
        }),
        rows: billing
            .map(|row| (id("billing"), row))
            .into_iter()
            .collect(),
        ..example::report("default")
    }
}

/// What is said of each of these reports, one after the other.
fn said(reports: &[Report]) -> Vec<String> {
    let mut tracker = Tracker::default();
    (reports.iter())
        .map(|report| logged(|| show(report, &tracker.follow(report))))
        .collect()
}

/// What is logged meanwhile.
fn logged(doing: impl FnOnce()) -> String {
    logged_from(tracing::Level::INFO, doing)
}

/// The same, from that level on.
fn logged_from(level: tracing::Level, doing: impl FnOnce()) -> String {
    let log = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Log(log.clone()))
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .fmt_fields(crate::logging::Sentences)
        .with_target(false)
        .finish();
    tracing::subscriber::with_default(subscriber, doing);
    String::from_utf8(std::mem::take(&mut *log.lock().unwrap())).unwrap()
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.0.clone())
    }
}

struct Line(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn that_a_consumer_was_deleted_before_its_pause_is_told_and_alarms_nobody() {
    let gone = row(Found::Unknown, Some(RequestError::Missing));
    let said = said(&[report(Some(Err(RequestError::Missing)), Some(gone))]);
    assert_eq!(
        said,
        [" INFO ORDERS > billing: deleted before it was paused\n"]
    );
}

#[test]
fn a_failure_that_goes_on_is_told_once() {
    let failing = || {
        let row = row(Found::Unknown, Some(timed_out()));
        report(Some(Err(timed_out())), Some(row))
    };
    // Nothing was sent in the second pass, as nothing could be learned.
    let unknown = report(None, Some(row(Found::Unknown, None)));
    let said = said(&[failing(), unknown, failing()]);
    assert!(
        said[0].starts_with(" WARN ORDERS > billing: not paused: no reply"),
        "{}",
        said[0]
    );
    assert_eq!(said[1..], ["", ""]);
}

#[test]
fn a_failure_that_was_over_is_told_again_when_it_comes_again() {
    let failing = || {
        let row = row(Found::Unknown, Some(timed_out()));
        report(Some(Err(timed_out())), Some(row))
    };
    let seen = Found::Present(observation(crate::consumer::PauseState::Running));
    let settled = report(None, Some(row(seen, None)));
    let deleted = report(None, None);
    for over in [settled, deleted] {
        let said = said(&[failing(), over, failing()]);
        assert_eq!(said[0], said[2]);
        assert!(said[2].contains("WARN"), "{}", said[2]);
    }
}

#[test]
fn a_repair_that_waits_is_told_with_how_long_and_told_once() {
    let waiting = |wait: u64| {
        let wait = Some(Duration::from_millis(wait));
        let row = Row {
            sends_in: wait,
            ..row(Found::Unknown, None)
        };
        report(None, Some(row))
    };
    let settled = report(None, Some(row(Found::Unknown, None)));
    let said = said(&[
        waiting(100),
        waiting(9_400),
        waiting(5_000),
        settled,
        waiting(60_000),
    ]);
    let told = |seconds: u64| {
        format!(
            " WARN ORDERS > billing: overridden again by another client; re-applying in {seconds} s; recess stops after 5 \
             times\n"
        )
    };
    assert_eq!(said, ["", &told(10), "", "", &told(60)]);
}

#[test]
fn a_burst_under_way_is_told_with_how_long_the_rest_will_take() {
    let burst = |failures: usize| {
        let whole = report(Some(Err(timed_out())), None);
        let acts = whole.pass.as_ref().unwrap().acts.clone();
        Report {
            pass: None,
            burst: Some(Burst {
                acts: acts.into_iter().cycle().take(failures).collect(),
                done: 4_000,
                left: 6_000,
                took: Duration::from_millis(2_020),
            }),
            ..whole
        }
    };
    assert_eq!(
        said(&[burst(0), burst(2)]),
        [
            " INFO requests answered: 4000 of 10000 after 2 s, the rest in about 4 s\n",
            " INFO requests answered: 4000 of 10000 after 2 s, the rest in about 4 s; 2 of the newest 2 failed\n"
        ]
    );
}

fn off(newest: i64, smooth: i64) -> Report {
    Report {
        skew: Some(SignedDuration::from_millis(newest)),
        smooth_skew: Some(SignedDuration::from_millis(smooth)),
        ..report(None, None)
    }
}

#[test]
fn a_clock_that_is_off_is_told_once_and_one_on_the_edge_does_not_fill_the_log() {
    let lines = said(&[
        off(100, 100),
        // One answer that took its time is nothing.
        off(1_500, 450),
        off(1_100, 1_100),
        off(900, 900),
        off(1_100, 1_100),
        off(501, 501),
        off(499, 499),
        off(-2_000, -2_000),
        off(-30_100, -30_100),
        off(-29_500, -29_500),
        off(-30_100, -30_100),
        off(-28_900, -28_900),
        off(-40_000, -40_000),
        off(10, 10),
        off(10, 10),
    ]);
    let expected = [
        "",
        "",
        " WARN clock skew: this host is 1.1 s behind the server: windows open and close that late\n",
        "",
        "",
        "",
        " INFO clock skew ended: this host's clock and the server's agree\n",
        " WARN clock skew: this host is 2.0 s ahead of the server: windows open and close that early\n",
        "ERROR clock skew: this host is 30.1 s ahead of the server: recess starts and extends pauses, and does not \
         shorten or end any early until they agree\n",
        "",
        "",
        " WARN clock skew: this host is 28.9 s ahead of the server: windows open and close that early; pauses are shortened and ended on time again\n",
        "ERROR clock skew: this host is 40.0 s ahead of the server: recess starts and extends pauses, and does not \
         shorten or end any early until they agree\n",
        " INFO clock skew ended: this host's clock and the server's agree\n",
        "",
    ];
    assert_eq!(lines, expected);
}

/// A window with so many consumers, and these globs in vain.
fn with_window(consumers: usize, unmatched: Option<&[&str]>) -> Report {
    let link = Link::Up(crate::jetstream::Server {
        version: "2.15.1".to_owned(),
        address: "nats://a:4222".to_owned(),
        connects: 1,
        crash_prone: false,
        denied: Default::default(),
    });
    let unmatched =
        unmatched.map(|unmatched| unmatched.iter().map(|glob| (*glob).into()).collect());
    let window = WindowState {
        name: "night".into(),
        open: None,
        next: None,
        consumers,
        exempt: 0,
        unmatched,
        blank: None,
    };
    Report {
        link,
        windows: vec![window],
        ..report(None, None)
    }
}

#[test]
fn a_glob_in_vain_beside_others_is_told_once_and_again_when_it_comes_again() {
    let lines = said(&[
        with_window(2, None),
        with_window(2, Some(&["BILLNG/*"])),
        with_window(2, Some(&["BILLNG/*"])),
        with_window(2, Some(&[])),
        with_window(2, Some(&["BILLNG/*"])),
        // That the whole window is empty is told by itself.
        with_window(0, Some(&["BILLNG/*", "ORDERS/*"])),
    ]);
    let told = " WARN window night has a selector that matches no consumer: \"BILLNG/*\"; `recess check --live` suggests similar names\n";
    let empty = " WARN window night matches no consumer; check the names in its `consumers`; `recess check --live` suggests similar ones\n";
    assert_eq!(lines[1..], [told, "", "", told, empty].map(str::to_owned));
}

#[test]
fn who_undoes_a_pause_is_named_in_its_repair_and_when_recess_stops() {
    let alice = crate::jetstream::Writer {
        user: Some("alice".to_owned()),
        ..Default::default()
    };
    let repaired = |undone_by: Option<crate::jetstream::Writer>| {
        let mut report = report(Some(Ok(())), Some(row(Found::Unknown, None)));
        let act = &mut report.pass.as_mut().unwrap().acts[0];
        act.repair = Some(crate::ledger::Repair::Resumed);
        act.undone_by = undone_by.map(Box::new);
        report
    };
    let mut stopped = row(Found::Unknown, None);
    stopped.contested = true;
    let lines = said(&[
        repaired(None),
        repaired(Some(alice)),
        report(None, Some(stopped)),
    ]);
    let again = "ORDERS > billing: overridden: resumed by";
    let then = "; paused again; to release it early, ";
    assert!(
        lines[0].contains(&format!("WARN {again} another client{then}")),
        "{lines:?}"
    );
    assert!(
        lines[1].contains(&format!("WARN {again} user \"alice\"{then}")),
        "{lines:?}"
    );
    let stopped = "ERROR ORDERS > billing: contested: overridden 5 times against window , by user \"alice\"; recess leaves it unchanged";
    assert!(lines[2].starts_with(stopped), "{lines:?}");
}

#[test]
fn a_reload_that_changes_the_deployment_says_what_becomes_of_it() {
    let wet = report(None, None);
    let dry = Report {
        dry_run: true,
        ..report(None, None)
    };
    let named = |report: &Report| Report {
        policy: example::report("prod-eu").policy,
        ..report.clone()
    };
    let on =
        " WARN dry run switched on: nothing is sent from now on, what would be sent is logged\n";
    let off = " INFO dry run switched off: recess pauses and resumes from now on\n";
    let renamed = " WARN instance renamed from prod-eu to default: pauses under the old name (1) stay recess's until \
                   they end; after a restart they are foreign\n";
    let until = Mark::of_instance("default").stamp("2026-12-01T02:00:00Z".parse().unwrap());
    let holding = report(None, Some(held(until, false)));
    for (before, after, expected) in [
        (&wet, &dry, on),
        (&dry, &wet, off),
        (&named(&wet), &holding, renamed),
        (&wet, &wet, ""),
        (&named(&dry), &named(&dry), ""),
    ] {
        assert_eq!(said(&[before.clone(), after.clone()])[1], expected);
    }
}

#[test]
fn a_window_that_is_removed_while_open_is_reported() {
    let mut open = with_window(1, None);
    open.windows[0].open = Some(crate::calendar::Occurrence {
        opens: Timestamp::UNIX_EPOCH,
        closes: "2026-12-01T02:00:00Z".parse().unwrap(),
        shift: None,
    });
    let mut closed = with_window(1, None);
    closed.windows.clear();
    let lines = said(&[open, closed.clone(), closed]);
    let removed = "INFO window night removed while open; its consumers resume unless another window pauses them\n";
    assert_eq!(lines[1].trim_start(), removed);
    assert_eq!(lines[2], "");
}

#[test]
fn what_carries_the_instances_own_mark_is_blamed_on_this_instance() {
    let by_this_name = |repair| {
        let mut report = report(Some(Ok(())), Some(row(Found::Unknown, None)));
        let act = &mut report.pass.as_mut().unwrap().acts[0];
        act.repair = Some(repair);
        act.by_same_instance = true;
        report
    };
    let lines = said(&[
        by_this_name(crate::ledger::Repair::Resumed),
        by_this_name(crate::ledger::Repair::Retimed),
    ]);
    for (line, expected) in lines.iter().zip([
        "overridden: resumed by another recess with this instance name, whose config differs; ",
        "overridden: retimed by another recess with this instance name, whose config differs; ",
    ]) {
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn a_release_is_told_once() {
    let released = |rule| {
        let until = "2026-12-01T01:30:00Z".parse().unwrap();
        let mut row = held(Mark::of_instance("default").stamp_release(until), false);
        row.rule = rule;
        report(None, Some(row))
    };
    let lines = said(&[
        released(crate::plan::Rule::Releasing),
        released(crate::plan::Rule::Released),
    ]);
    let expected = " INFO ORDERS > billing: released by `recess resume` as of 2026-12-01T01:30:00Z; recess does not pause it again \
                    before window  has closed\n";
    assert_eq!(lines[0], expected);
    assert_eq!(lines[1], "");
}

#[test]
fn a_clock_that_is_lost_is_an_error_once() {
    let lost = off(-8_640_000_000, -8_640_000_000);
    let lines = said(&[lost.clone(), lost, off(0, 0)]);
    let error = "ERROR clock skew: this host is 100d ahead of the server, more than 10 minutes: recess starts and ends no \
                 pause until they agree; ";
    assert!(lines[0].starts_with(error), "{lines:?}");
    assert_eq!(lines[1], "");
    assert!(lines[2].contains("INFO "), "{lines:?}");
}

#[test]
fn an_orphan_that_waits_is_blamed_on_nobody() {
    let mut orphan = row(Found::Unknown, None);
    orphan.rule = crate::plan::Rule::OrphanWaiting;
    orphan.sends_in = Some(Duration::from_secs(60));
    let lines = said(&[
        report(None, Some(orphan.clone())),
        report(None, Some(orphan)),
    ]);
    let expected = " WARN ORDERS > billing: paused by recess until , but no window names it; resuming in 60 s; ";
    assert!(lines[0].starts_with(expected), "{lines:?}");
    assert_eq!(lines[0].lines().count(), 1, "{lines:?}");
    assert_eq!(lines[1], "");
}

#[test]
fn of_many_lines_a_command_is_named_only_if_it_shows_the_rest() {
    let rest = |change: fn(ConsumerId) -> Change| {
        let changes: Vec<Change> = (0..8)
            .map(|number| change(id(&format!("c{number}"))))
            .collect();
        let text = logged(|| show(&example::report("default"), &changes));
        assert_eq!(text.lines().count(), SHOWN_OF_MANY + 1, "{text}");
        text.lines().last().map(str::to_owned)
    };
    assert_eq!(
        rest(Change::Missing).as_deref(),
        Some(" INFO and 3 more like the line above; `recess status` shows them all")
    );
    assert_eq!(
        rest(Change::Unconfirmed).as_deref(),
        Some(" INFO and 3 more like the line above")
    );
}

/// A row of a consumer that this deployment paused until then, and an open window wants paused.
fn held(until: Timestamp, is_over: bool) -> Row {
    let state = match is_over {
        true => crate::consumer::PauseState::Running,
        false => crate::consumer::PauseState::Paused {
            until,
            remaining: SignedDuration::from_secs(60),
        },
    };
    Row {
        desired: crate::policy::Desired::Paused(until),
        ..row(Found::Present(observation(state)), None)
    }
}

#[test]
fn each_decision_with_another_rule_is_a_debug_line() {
    let decided = |rule, verdict| {
        let row = Row {
            rule,
            verdict,
            ..row(Found::Present(observation(PauseState::Running)), None)
        };
        report(None, Some(row))
    };
    let until = "2026-12-01T04:00:00Z".parse().unwrap();
    let reports = [
        decided(Rule::Pause, Verdict::Pause(until)),
        decided(Rule::Pause, Verdict::Pause(until)),
        decided(Rule::Resume, Verdict::Resume),
    ];
    let lines_from = |level| {
        let mut tracker = Tracker::default();
        let mut said = |report| logged_from(level, || show(report, &tracker.follow(report)));
        (reports.iter())
            .map(|report| {
                let log = said(report);
                let lines = log.lines().filter(|line| line.contains(" by rule "));
                lines.map(str::to_owned).collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    let lines = lines_from(tracing::Level::DEBUG);
    assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    assert!(
        lines[2][0].contains("ORDERS > billing: resume by rule resume"),
        "{lines:?}"
    );
    assert_eq!(
        lines_from(tracing::Level::INFO),
        vec![Vec::<String>::new(); 3]
    );
}

fn without_debug(log: &str) -> String {
    let lines = log.lines().filter(|line| !line.starts_with("DEBUG"));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn that_consumers_resumed_at_their_deadline_is_reported_unless_a_write_or_another_client_did_it() {
    let until = Mark::of_instance("default").stamp("2026-12-01T02:00:00Z".parse().unwrap());
    let foreign = Mark::of_instance("other").stamp(until);
    let at = |row: Row, seconds: i64, is_written: bool| Report {
        at: until + SignedDuration::from_secs(seconds),
        ..report(is_written.then_some(Ok(())), Some(row))
    };
    let resumed = " INFO resumed by the server (1): ORDERS > billing; the deadlines passed\n";
    for (paused, after, expected) in [
        (held(until, false), at(held(until, true), 1, false), true),
        (held(until, false), at(held(until, true), 1, true), false),
        (held(until, false), at(held(until, true), -9, false), false),
        (held(foreign, false), at(held(until, true), 1, false), false),
        (held(until, true), at(held(until, true), 1, false), false),
        (held(until, false), at(held(until, false), 1, false), false),
    ] {
        let lines = said(&[at(paused, -10, false), after]);
        assert_eq!(lines[1].contains(resumed), expected, "{lines:?}");
        assert_eq!(lines[1].contains("by the server"), expected, "{lines:?}");
    }
}

#[test]
fn that_a_consumer_was_deleted_in_a_window_is_reported_and_that_a_reload_drops_it_is_not() {
    let until: Timestamp = "2026-12-01T02:00:00Z".parse().unwrap();
    let deleted = " INFO ORDERS > billing: deleted during window \n";
    let before = report(None, Some(held(until, false)));
    let gone = Report {
        policy: before.policy.clone(),
        ..report(None, None)
    };
    let idle = Report {
        rows: report(None, Some(row(held(until, true).found, None))).rows,
        ..before.clone()
    };
    let unseen = Report {
        rows: report(
            None,
            Some(Row {
                found: Found::Unknown,
                ..held(until, false)
            }),
        )
        .rows,
        ..before.clone()
    };
    let reloaded = report(None, None);
    for (before, after, expected) in [
        (&before, &gone, deleted),
        (&before, &reloaded, ""),
        (&idle, &gone, ""),
        (&unseen, &gone, ""),
    ] {
        let lines = said(&[before.clone(), after.clone()]);
        assert_eq!(without_debug(&lines[1]), expected);
    }
}

#[test]
fn many_windows_that_open_and_close_together_are_a_few_lines() {
    let occurrence = crate::calendar::Occurrence {
        opens: Timestamp::UNIX_EPOCH,
        closes: "2026-12-01T02:00:00Z".parse().unwrap(),
        shift: None,
    };
    let windows = |is_open: bool| {
        let mut many = with_window(1, None);
        let one = many.windows[0].clone();
        many.windows = (0..300)
            .map(|number| WindowState {
                name: format!("w{number:03}").into(),
                open: is_open.then_some(occurrence),
                ..one.clone()
            })
            .collect();
        many
    };
    let lines = said(&[windows(false), windows(true), windows(false)]);
    for (log, what) in [(&lines[1], "opened until "), (&lines[2], "closed; ")] {
        let log: Vec<&str> = log.lines().collect();
        assert_eq!(log.len(), SHOWN_OF_MANY + 1, "{log:?}");
        assert!(
            log[4].starts_with(&format!(" INFO window w004 {what}")),
            "{log:?}"
        );
        let more = " INFO and 295 more like the line above; `recess status` shows them all";
        assert_eq!(log[5], more);
    }
}

#[test]
fn an_override_is_logged_from_its_making_to_its_end_and_hostile_words_are_inert() {
    let reported = |second: i64, bucket| Report {
        at: Timestamp::from_second(second).unwrap(),
        overrides: Some(bucket),
        ..report(None, None)
    };
    let mut hostile = example::close_of_night(2, 100, 200);
    hostile.terms.reason = Some("\u{1b}[31mred\nline".into());
    let close = || example::close_of_night(1, 100, 200);
    let said = said(&[
        reported(50, example::bucket(Vec::new())),
        reported(51, example::bucket(vec![close()])),
        reported(101, example::bucket(vec![close(), hostile])),
        reported(200, example::bucket(vec![close()])),
    ]);
    let was = "window night closed until 1970-01-01T00:03:20Z";
    let (first, rest) = said[1].split_once('\n').unwrap();
    let ahead = "window night closed from 1970-01-01T00:01:40Z until 1970-01-01T00:03:20Z";
    assert_eq!(
        first,
        format!(" INFO override alice.1 made: {ahead}; tests")
    );
    assert_eq!(rest, "");
    let words = "\\u{1b}[31mred\\nline";
    assert_eq!(
        said[2],
        format!(" INFO override alice.2 made: {was}; {words}\n")
    );
    assert_eq!(
        said[3],
        format!(" INFO override alice.1 ended; it was: {was}\n")
    );
}

#[test]
fn a_standby_says_what_it_is_and_each_takeover_once() {
    let standby = |takeovers| Report {
        standby: Some(StandbyState {
            delay: Duration::from_secs(5),
            takeovers,
        }),
        ..report(None, None)
    };
    let said = said(&[standby(0), standby(0), standby(1), standby(1), standby(3)]);
    let started = " INFO standby: the primary is to send each request; this copy sends what it has \
                   not sent 5s later\n";
    let took_over = " WARN standby took over: the primary has not sent what was due 5s ago; check \
                     the primary copy\n";
    assert!(said[0].starts_with(started), "{}", said[0]);
    assert_eq!(said[1..], ["", took_over, "", took_over]);
}

#[test]
fn losses_are_told_with_their_cause_their_time_and_what_comes_next() {
    let at = |time: &str| format!("2026-12-01T{time}Z").parse::<Timestamp>().unwrap();
    let toml = "[[window]]\nname = \"night\"\nconsumers = [\"ORDERS/*\"]\n\
                schedule = \"0 2 * * *\"\nduration = \"2h\"\n";
    let policy = crate::config::parse("recess.toml".as_ref(), toml);
    let policy = policy.unwrap().policy;
    let report = |desired| {
        let row = Row {
            desired,
            windows: policy.windows_of(&Candidate::named(&id("billing"))),
            ..row(Found::Unknown, None)
        };
        report(None, Some(row))
    };
    let loss = |cause, exact| Loss {
        at: at("02:30:00"),
        cause,
        exact,
    };
    let paused = Desired::Paused(at("04:00:00"));
    let at_risk = |loss, released_at| Change::AtRisk {
        id: id("billing"),
        loss,
        released_at,
    };
    let waiting = |since| Change::StillWaiting {
        id: id("billing"),
        since,
    };
    for (desired, change, expected) in [
        (
            paused,
            at_risk(loss(Cause::MaxAge, true), Some(at("02:29:00"))),
            " WARN ORDERS > billing: messages at risk: its stream drops the first that waits at \
             2026-12-01T02:30:00Z (max_age), and window night pauses it until 2026-12-01T04:00:00Z; \
             recess releases it at 2026-12-01T02:29:00Z",
        ),
        (
            Desired::Tail(at("04:05:00")),
            at_risk(loss(Cause::MaxMessages, false), None),
            " WARN ORDERS > billing: messages at risk: its stream drops the first that waits at \
             about 2026-12-01T02:30:00Z (max_msgs), and window night pauses it until \
             2026-12-01T04:05:00Z",
        ),
        (
            Desired::Running,
            at_risk(loss(Cause::Refused, false), None),
            " WARN ORDERS > billing: publishers at risk: its stream is full at about \
             2026-12-01T02:30:00Z, and window night pauses it; from then on the stream refuses messages",
        ),
        (
            paused,
            waiting(Some(at("02:29:00"))),
            " WARN ORDERS > billing: has acknowledged no message since its release at \
             2026-12-01T02:29:00Z: its stream drops those that wait unless a client processes them",
        ),
        (
            paused,
            waiting(None),
            " WARN ORDERS > billing: has acknowledged no message: its stream drops those that wait \
             unless a client processes them",
        ),
        (
            paused,
            Change::Lost(id("billing")),
            "ERROR ORDERS > billing: messages lost: its stream drops messages that wait for it while \
             it is paused; recess_consumer_lost_messages_total counts them",
        ),
        (
            paused,
            Change::LimitsUnread(Arc::from([])),
            " INFO limits of streams read again: losses in a pause are forecast",
        ),
        (
            paused,
            Change::LimitsUnread(Arc::from([Failure::of_stream(
                "ORDERS".to_owned(),
                timed_out(),
            )])),
            " WARN limits of ORDERS not read: no reply to s within 3000 ms; recess does not know when \
             messages that wait there are lost",
        ),
    ] {
        let line = logged(|| show(&report(desired), &[change]));
        // The fields come after the sentence.
        assert_eq!(line.split(" cause=").next().unwrap().trim_end(), expected);
    }
}
