use super::*;
use crate::consumer::example::observation;
use crate::write::Action;

fn mark() -> Mark {
    Mark::of_instance("default")
}

fn now() -> Timestamp {
    "2026-12-01T02:00:00Z".parse().unwrap()
}

/// So many seconds from now.
fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn nanos(count: i64) -> SignedDuration {
    SignedDuration::from_nanos(count)
}

/// A deadline of ours in so many seconds.
fn ours(seconds: i64) -> Timestamp {
    mark().stamp(at(seconds))
}

/// A deadline of ours in so many seconds that ends a pause on purpose.
fn release(seconds: i64) -> Timestamp {
    mark().stamp_release(at(seconds))
}

fn found(state: PauseState, clustered: bool) -> Found {
    Found::Present(Observation {
        clustered,
        ..observation(state)
    })
}

fn running() -> Found {
    found(PauseState::Running, true)
}

fn lapsed(until: Timestamp) -> Found {
    found(PauseState::Lapsed { until }, true)
}

fn paused(until: Timestamp) -> Found {
    let remaining = until.duration_since(now());
    found(PauseState::Paused { until, remaining }, true)
}

/// A case in which none of the exceptions applies.
fn calm() -> Case {
    Case {
        mark: mark(),
        server_now: now(),
        skew: Some(SignedDuration::ZERO),
        furthest: at(7 * 86_400),
        since_observed: SignedDuration::ZERO,
        settling: false,
        remembered_foreign: None,
        next_pause: None,
        wanted_soon: false,
        orphan: None,
        released: false,
        resumed_on_purpose: false,
        exempt: false,
        labels_lost: false,
        guard: Guard::Off,
        overrides: OverridesKnown::NoBucket,
    }
}

fn released() -> Case {
    Case {
        released: true,
        ..calm()
    }
}

/// A deadline of ours in so many seconds that ends a pause before messages are lost.
fn retention(seconds: i64) -> Timestamp {
    mark().stamp_retention(at(seconds))
}

/// How much later a deadline of another copy may be.
const SLACK: i64 = 30;

/// Messages allow a pause for so many seconds.
fn guarded(seconds: i64) -> Case {
    Case {
        guard: Guard::Until {
            at: at(seconds),
            slack: SignedDuration::from_secs(SLACK),
            exact: true,
        },
        ..calm()
    }
}

fn orphaned(orphan: Orphan) -> Case {
    Case {
        orphan: Some(orphan),
        ..calm()
    }
}

fn exempt() -> Case {
    Case {
        exempt: true,
        ..calm()
    }
}

fn labels_lost() -> Case {
    Case {
        labels_lost: true,
        ..calm()
    }
}

fn wanted_soon() -> Case {
    Case {
        wanted_soon: true,
        ..calm()
    }
}

fn overrides(known: OverridesKnown) -> Case {
    Case {
        overrides: known,
        ..calm()
    }
}

fn settling() -> Case {
    Case {
        settling: true,
        ..calm()
    }
}

fn opening_in(seconds: i64) -> Case {
    Case {
        next_pause: Some(at(seconds)),
        ..calm()
    }
}

fn remembering(foreign: Timestamp) -> Case {
    Case {
        remembered_foreign: Some(foreign),
        ..calm()
    }
}

fn skewed(by: SignedDuration) -> Case {
    Case {
        skew: Some(by),
        ..calm()
    }
}

fn aged(since_observed: SignedDuration) -> Case {
    Case {
        since_observed,
        ..calm()
    }
}

const RUN: Desired = Desired::Running;

/// One row: what it says, what is wanted, what was found, the case, the verdict.
type Row = (&'static str, Desired, Found, Case, Verdict);

fn holds(rows: impl IntoIterator<Item = Row>) {
    for (row, want, have, case, verdict) in rows {
        assert_eq!(decide(want, &have, &case).verdict, verdict, "{row}");
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn the_decision_table_row_by_row() {
    let tail = Desired::Tail(at(600));
    let pause = Desired::Paused(at(600));
    let u = ours(600);
    holds([
        ("any | unknown | Unknown", pause, Found::Unknown, calm(), Verdict::Unknown),
        ("any | no such consumer | Missing", pause, Found::Missing, calm(), Verdict::Missing),
        ("any | accepted, not observed yet | Settled", pause, running(), settling(), Verdict::Settled),
        ("run | running | Settled", RUN, running(), calm(), Verdict::Settled),
        ("run | lapsed, ours | Clear where due", RUN, lapsed(ours(-90)), calm(), Verdict::Clear),
        ("run | lapsed, ours | else Settled", RUN, lapsed(ours(-9)), calm(), Verdict::Settled),
        ("run | lapsed, foreign | Settled", RUN, lapsed(at(-90)), calm(), Verdict::Settled),
        ("run | paused, recess's, ending within 7 s | Settled", RUN, paused(ours(6)), calm(), Verdict::Settled),
        ("run | paused, ours | Resume", RUN, paused(u), calm(), Verdict::Resume),
        ("run | paused, foreign | Foreign", RUN, paused(at(600)), calm(), Verdict::Foreign),
        ("tail u | running | Settled", tail, running(), calm(), Verdict::Settled),
        ("tail u | lapsed | Settled", tail, lapsed(ours(-90)), calm(), Verdict::Settled),
        ("tail u | paused, recess's, until u | Settled", tail, paused(u), calm(), Verdict::Settled),
        ("tail u | paused, recess's, until sooner | Settled", tail, paused(ours(599)), calm(), Verdict::Settled),
        ("tail u | paused, recess's, later than u | Retime(u)", tail, paused(ours(601)), calm(), Verdict::Retime(u)),
        ("tail u | paused, foreign | Foreign", tail, paused(at(900)), calm(), Verdict::Foreign),
        ("pause u | paused until a release | Settled", pause, paused(release(2)), released(), Verdict::Settled),
        ("pause u | lapsed, a release | Settled", pause, lapsed(release(-90)), released(), Verdict::Settled),
        ("pause u | running | Pause(u)", pause, running(), calm(), Verdict::Pause(u)),
        ("pause u | lapsed | Pause(u)", pause, lapsed(ours(-90)), calm(), Verdict::Pause(u)),
        ("pause u | paused until u, recess's | Settled", pause, paused(u), calm(), Verdict::Settled),
        ("pause u | paused until t < u, ours | Retime(u)", pause, paused(ours(300)), calm(), Verdict::Retime(u)),
        ("pause u | paused until t > u, ours | Retime(u)", pause, paused(ours(900)), calm(), Verdict::Retime(u)),
        ("pause u | paused until t = u, foreign | Foreign", pause, paused(at(600)), calm(), Verdict::Foreign),
        ("pause u | paused until t > u, foreign | Foreign", pause, paused(at(601)), calm(), Verdict::Foreign),
        ("pause u | paused until t < u, foreign | Pause(u)", pause, paused(at(599)), calm(), Verdict::Pause(u)),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn the_first_rows_hold_for_every_want() {
    for want in [RUN, Desired::Tail(at(600)), Desired::Paused(at(600))] {
        holds([
            ("unknown", want, Found::Unknown, settling(), Verdict::Unknown),
            ("missing", want, Found::Missing, settling(), Verdict::Missing),
            ("settling, running", want, running(), settling(), Verdict::Settled),
            ("settling, ours", want, paused(ours(900)), settling(), Verdict::Settled),
            ("settling, foreign", want, paused(at(300)), settling(), Verdict::Settled),
            ("settling, to clear", want, lapsed(ours(-90)), settling(), Verdict::Settled),
        ]);
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn a_pause_of_5_s_or_less_is_not_begun() {
    // The end is judged against the server's clock, which is not at a whole second.
    let moved = |by: i64| Case {
        server_now: now() + nanos(by),
        ..calm()
    };
    let pause = Desired::Paused(at(5));
    holds([
        ("5 s: no", pause, running(), moved(0), Verdict::Settled),
        ("1 ns less: no", pause, running(), moved(1), Verdict::Settled),
        ("1 ns more: yes", pause, running(), moved(-1), Verdict::Pause(ours(5))),
        ("6 s: yes", Desired::Paused(at(6)), running(), moved(0), Verdict::Pause(ours(6))),
        ("after a lapse as well", pause, lapsed(ours(-90)), moved(0), Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_pause_is_not_lengthened_to_5_s_or_less() {
    let (near, far) = (Desired::Paused(at(5)), Desired::Paused(at(6)));
    holds([
        ("ours, to 5 s: no", near, paused(ours(2)), calm(), Verdict::Settled),
        ("ours, to 6 s: yes", far, paused(ours(2)), calm(), Verdict::Retime(ours(6))),
        ("foreign, to 5 s: no", near, paused(at(2)), calm(), Verdict::Settled),
        ("foreign, to 6 s: yes", far, paused(at(2)), calm(), Verdict::Pause(ours(6))),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_pause_that_would_be_shortened_to_5_s_or_less_is_resumed() {
    for (near, far) in [
        (Desired::Paused(at(5)), Desired::Paused(at(6))),
        (Desired::Tail(at(5)), Desired::Tail(at(6))),
    ] {
        holds([
            ("to 5 s", near, paused(ours(600)), calm(), Verdict::Resume),
            ("to 6 s", far, paused(ours(600)), calm(), Verdict::Retime(ours(6))),
        ]);
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn a_pause_that_ends_within_7_s_is_not_resumed() {
    let seven = Timestamp::new(at(7).as_second(), mark().nanoseconds()).unwrap();
    let ending = |remaining| {
        let until = seven;
        found(PauseState::Paused { until, remaining }, false)
    };
    let limit = SignedDuration::from_secs(7);
    holds([
        ("run, 7 s", RUN, ending(limit), calm(), Verdict::Settled),
        ("run, 1 ns more", RUN, ending(limit + nanos(1)), calm(), Verdict::Resume),
        ("run, 1 ns less", RUN, ending(limit - nanos(1)), calm(), Verdict::Settled),
    ]);
    // A Resume's own deadline lies up to 6 s ahead, and so beyond a window's end that is nearer: it
    // must not be answered by another Resume, and another.
    for want in [Desired::Tail(at(2)), Desired::Paused(at(2))] {
        holds([
            ("7 s", want, ending(limit), calm(), Verdict::Settled),
            ("1 ns more", want, ending(limit + nanos(1)), calm(), Verdict::Resume),
        ]);
    }
}

#[test]
fn a_clear_keeps_60_s_from_the_lapse() {
    let after = |seconds: i64, by: i64| Case {
        server_now: mark().stamp(at(0)) + SignedDuration::from_secs(seconds) + nanos(by),
        ..calm()
    };
    let have = || lapsed(ours(0));
    holds([
        ("60 s", RUN, have(), after(60, 0), Verdict::Clear),
        ("1 ns less", RUN, have(), after(60, -1), Verdict::Settled),
        ("a day", RUN, have(), after(86_400, 0), Verdict::Clear),
    ]);
}

#[test]
fn a_clear_keeps_60_s_from_the_next_pause() {
    let have = || lapsed(ours(-90));
    let by_a_nanosecond = Case {
        server_now: now() - nanos(1),
        ..opening_in(60)
    };
    holds([
        ("at 60 s", RUN, have(), opening_in(60), Verdict::Settled),
        ("1 ns more", RUN, have(), by_a_nanosecond, Verdict::Clear),
        ("at 61 s", RUN, have(), opening_in(61), Verdict::Clear),
        ("at once", RUN, have(), opening_in(0), Verdict::Settled),
        ("never", RUN, have(), calm(), Verdict::Clear),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_clear_is_for_clusters_our_own_deadlines_and_consumers_that_should_run() {
    let until = ours(-90);
    let alone = found(PauseState::Lapsed { until }, false);
    let tail = Desired::Tail(at(600));
    let soon = Desired::Paused(at(5));
    let other = Mark::of_instance("prod-eu").stamp(at(-90));
    holds([
        ("standalone", RUN, alone, calm(), Verdict::Settled),
        ("in a tail", tail, lapsed(until), calm(), Verdict::Settled),
        ("in a window too short", soon, lapsed(until), calm(), Verdict::Settled),
        ("another instance's", RUN, lapsed(other), calm(), Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn with_a_skew_over_30_s_pauses_are_only_begun_and_lengthened() {
    let pause = Desired::Paused(at(600));
    let tail = Desired::Tail(at(600));
    let u = ours(600);
    let far = SignedDuration::from_secs(30) + nanos(1);
    for skew in [far, -far] {
        let case = || skewed(skew);
        let give_back = Case {
            skew: Some(skew),
            ..remembering(at(700))
        };
        holds([
            ("begin", pause, running(), case(), Verdict::Pause(u)),
            ("extend a foreign one", pause, paused(at(300)), case(), Verdict::Pause(u)),
            ("lengthen", pause, paused(ours(300)), case(), Verdict::Retime(u)),
            ("shorten", pause, paused(ours(900)), case(), Verdict::Settled),
            ("shorten in a tail", tail, paused(ours(900)), case(), Verdict::Settled),
            ("shorten to too near", Desired::Tail(at(3)), paused(ours(900)), case(), Verdict::Settled),
            ("give back", tail, paused(ours(900)), give_back, Verdict::Settled),
            ("resume", RUN, paused(ours(900)), case(), Verdict::Settled),
            ("clear", RUN, lapsed(ours(-90)), case(), Verdict::Settled),
            ("no write is no write", RUN, paused(at(900)), case(), Verdict::Foreign),
            ("nothing known", RUN, Found::Unknown, case(), Verdict::Unknown),
            ("no such consumer", RUN, Found::Missing, case(), Verdict::Missing),
        ]);
    }
    let near = SignedDuration::from_secs(30);
    for skew in [near, -near] {
        let case = || skewed(skew);
        holds([
            ("shorten", pause, paused(ours(900)), case(), Verdict::Retime(u)),
            ("resume", RUN, paused(ours(900)), case(), Verdict::Resume),
            ("clear", RUN, lapsed(ours(-90)), case(), Verdict::Clear),
        ]);
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn a_foreign_deadline_that_we_extended_is_given_back_to_the_nanosecond() {
    let theirs = at(300) + nanos(123_456_789);
    let give = Verdict::Retime(theirs);
    let kept = || remembering(theirs);
    let (before, after) = (at(299), at(301));
    holds([
        ("run", RUN, paused(ours(900)), kept(), give),
        ("pause, beyond", Desired::Paused(before), paused(ours(900)), kept(), give),
        ("pause, within", Desired::Paused(after), paused(ours(900)), kept(), Verdict::Retime(ours(301))),
        ("tail, beyond", Desired::Tail(before), paused(ours(900)), kept(), give),
        ("tail, within", Desired::Tail(after), paused(ours(900)), kept(), Verdict::Retime(ours(301))),
        ("lengthening", Desired::Paused(at(901)), paused(ours(900)), kept(), Verdict::Retime(ours(901))),
        ("in place", Desired::Paused(at(900)), paused(ours(900)), kept(), Verdict::Settled),
        ("given back", RUN, paused(theirs), kept(), Verdict::Foreign),
    ]);
    // Compared without the mark: at the very end it is not beyond it, one nanosecond later it is.
    let end = Desired::Tail(at(300));
    let exact = at(300);
    let beyond = at(300) + nanos(1);
    holds([
        ("at the end", end, paused(ours(900)), remembering(exact), Verdict::Retime(ours(300))),
        ("1 ns beyond", end, paused(ours(900)), remembering(beyond), Verdict::Retime(beyond)),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_foreign_deadline_that_is_too_near_to_be_given_back_is_a_resume() {
    let (near, far) = (at(5), at(5) + nanos(1));
    let ending = ours(7) - SignedDuration::from_secs(1);
    holds([
        ("5 s", RUN, paused(ours(900)), remembering(near), Verdict::Resume),
        ("1 ns more", RUN, paused(ours(900)), remembering(far), Verdict::Retime(far)),
        ("in a tail", Desired::Tail(at(2)), paused(ours(900)), remembering(near), Verdict::Resume),
        ("ours ends itself", Desired::Tail(at(2)), paused(ending), remembering(near), Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn foreign_deadlines_are_compared_without_our_mark() {
    // at(600) is sooner than our stamped ours(600), and covers the window all the same.
    let pause = Desired::Paused(at(600));
    let other = Mark::of_instance("prod-eu").stamp(at(600));
    holds([
        ("the very end", pause, paused(at(600)), calm(), Verdict::Foreign),
        ("1 ns sooner", pause, paused(at(600) - nanos(1)), calm(), Verdict::Pause(ours(600))),
        ("1 ns later", pause, paused(at(600) + nanos(1)), calm(), Verdict::Foreign),
        ("another instance's", pause, paused(other), calm(), Verdict::Foreign),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn an_observation_is_projected_to_the_moment_that_is_decided_for() {
    let until = ours(10);
    let have = |seconds: i64| {
        let remaining = SignedDuration::from_secs(seconds);
        found(PauseState::Paused { until, remaining }, true)
    };
    let second = SignedDuration::from_secs(1);
    let pause = Desired::Paused(at(600));
    let far = ours(600);
    holds([
        ("8 s left, 1 s ago: ending", RUN, have(8), aged(second), Verdict::Settled),
        ("8 s left, less than 1 s ago", RUN, have(8), aged(second - nanos(1)), Verdict::Resume),
        ("1 s left, 1 s ago: over, begin", pause, have(1), aged(second), Verdict::Pause(far)),
        ("1 s left, less than 1 s ago: lengthen", pause, have(1), aged(second - nanos(1)), Verdict::Retime(far)),
    ]);
    // Over for more than a minute by the server's clock, though it was seen paused.
    let case = Case {
        server_now: at(80),
        ..aged(SignedDuration::from_secs(80))
    };
    holds([("lapsed since", RUN, have(10), case, Verdict::Clear)]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_resume_ends_the_pause_a_moment_ahead_of_the_server() {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    for (server_now, alone, clustered) in [
        ("02:00:00Z", "02:00:02.000435253Z", "02:00:05.000435253Z"),
        ("02:00:00.000000001Z", "02:00:03.000435253Z", "02:00:06.000435253Z"),
        ("02:00:00.5Z", "02:00:03.000435253Z", "02:00:06.000435253Z"),
        ("02:00:00.999999999Z", "02:00:03.000435253Z", "02:00:06.000435253Z"),
        ("23:59:58Z", "24:00:00Z", "24:00:03Z"),
    ] {
        let server_now = time(&format!("2026-12-01T{server_now}"));
        let expected = |text: &str| match text {
            "24:00:00Z" => time("2026-12-02T00:00:00.000435253Z"),
            "24:00:03Z" => time("2026-12-02T00:00:03.000435253Z"),
            _ => time(&format!("2026-12-01T{text}")),
        };
        assert_eq!(resume_deadline(mark(), server_now, false), expected(alone));
        assert_eq!(
            resume_deadline(mark(), server_now, true),
            expected(clustered)
        );
    }
}

#[test]
fn a_resume_is_always_far_enough_ahead_and_never_resumed_again() {
    for instance in ["default", "prod-eu", "blue/green", ""] {
        let mark = Mark::of_instance(instance);
        for step in 0..2_000 {
            let server_now = now() + nanos(step * 999_983);
            for (clustered, least) in [(false, 2), (true, 5)] {
                let deadline = resume_deadline(mark, server_now, clustered);
                let ahead = deadline.duration_since(server_now);
                assert!(mark.owns(deadline));
                assert!(ahead > SignedDuration::from_secs(least), "{ahead}");
                assert!(ahead < SignedDuration::from_secs(least + 2), "{ahead}");
                assert!(ahead <= ENDING, "{ahead}");
            }
        }
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn verdicts_say_what_is_written() {
    let until = ours(600);
    for (verdict, word, action, deadline) in [
        (Verdict::Settled, "settled", None, None),
        (Verdict::Unknown, "unknown", None, None),
        (Verdict::Missing, "missing", None, None),
        (Verdict::Foreign, "foreign", None, None),
        (Verdict::Pause(until), "pause", Some(Action::Pause), Some(until)),
        (Verdict::Retime(until), "retime", Some(Action::Retime), Some(until)),
        (Verdict::Resume, "resume", Some(Action::Resume), None),
        (Verdict::Release, "resume", Some(Action::Resume), None),
        (Verdict::ReleaseBeforeLoss, "resume", Some(Action::Resume), None),
        (Verdict::Clear, "clear", Some(Action::Clear), None),
    ] {
        assert_eq!(verdict.as_str(), word);
        assert_eq!(verdict.to_string(), word);
        assert_eq!(verdict.action(), action, "{word}");
        assert_eq!(verdict.deadline(), deadline, "{word}");
    }
}

/// The guard, row by row: what is stored, how long messages allow a pause, and what follows. A pause
/// is wanted for 600 s.
#[test]
#[rustfmt::skip] // a row a line
fn a_pause_ends_before_messages_are_lost() {
    use Rule::*;
    let calm = calm();
    let released = |case: Case| Case { released: true, ..case };
    let about = |seconds| Case {
        guard: Guard::Until {
            at: at(seconds),
            slack: SignedDuration::from_secs(SLACK),
            exact: false,
        },
        ..calm
    };
    let forecast = |seconds| Case { guard: Guard::Forecast(at(seconds)), ..calm };
    let unread = Case { guard: Guard::Unread, ..calm };
    let theirs = |case: Case, seconds| Case { remembered_foreign: Some(at(seconds)), ..case };
    let pause = |seconds| Verdict::Pause(retention(seconds));
    let retime = |seconds| Verdict::Retime(retention(seconds));
    let (settled, foreign) = (Verdict::Settled, Verdict::Foreign);
    let release_it = Verdict::ReleaseBeforeLoss;
    let rows = [
        // Nothing is known, or nothing is lost before the end.
        (running(), unread, Pause, Verdict::Pause(ours(600))),
        (running(), guarded(600), Pause, Verdict::Pause(ours(600))),
        (running(), forecast(1), Pause, Verdict::Pause(ours(600))),
        // A pause begins with the deadline that keeps messages.
        (running(), guarded(599), LossPause, pause(599)),
        (running(), about(300), LossPause, pause(300)),
        (lapsed(at(-9)), guarded(6), LossPause, pause(6)),
        (running(), guarded(5), LossNear, settled),
        (running(), guarded(-90), LossNear, settled),
        (running(), forecast(0), LossNear, settled),
        // What was released from this pause runs, whatever its messages allow.
        (lapsed(retention(-9)), released(guarded(300)), Released, settled),
        (lapsed(retention(-9)), released(calm), Released, settled),
        (paused(retention(6)), released(guarded(300)), Releasing, settled),
        (paused(retention(6)), released(calm), Releasing, settled),
        (paused(release(20)), released(guarded(300)), Releasing, settled),
        // One of another pause is paused like any other.
        (lapsed(retention(-9)), guarded(300), LossPause, pause(300)),
        (lapsed(retention(-9)), calm, Pause, Verdict::Pause(ours(600))),
        // A pause that was written whole is shortened.
        (paused(ours(600)), guarded(300), LossRetime, retime(300)),
        (paused(ours(600)), about(300), LossRetime, retime(300)),
        (paused(ours(600)), guarded(5), LossRelease, release_it),
        (paused(ours(600)), guarded(-90), LossRelease, release_it),
        (paused(ours(600)), forecast(0), LossRelease, release_it),
        (paused(ours(600)), forecast(1), Paused, settled),
        (paused(ours(6)), forecast(0), EndsItself, settled),
        // One that keeps messages stays within the slack, and is shortened by what is known only.
        (paused(retention(300)), released(guarded(300)), LossPaused, settled),
        (paused(retention(329)), released(guarded(300)), LossPaused, settled),
        (paused(retention(331)), released(guarded(300)), LossRetime, retime(300)),
        (paused(retention(599)), released(about(300)), LossPaused, settled),
        (paused(retention(33)), released(guarded(4)), LossPaused, settled),
        (paused(retention(35)), released(guarded(4)), LossRelease, release_it),
        (paused(retention(300)), released(about(4)), LossPaused, settled),
        // In the tail of its windows, too, where no chain holds it.
        (paused(retention(300)), guarded(300), LossPaused, settled),
        (paused(retention(300)), unread, LossPaused, settled),
        (paused(retention(601)), guarded(599), LossRetime, retime(599)),
        // It follows what messages allow when half of that is over.
        (paused(retention(299)), released(guarded(500)), LossPaused, settled),
        (paused(retention(251)), released(guarded(500)), LossPaused, settled),
        (paused(retention(249)), released(guarded(500)), LossRetime, retime(500)),
        // What is not known any more changes nothing; that nothing is lost does.
        (paused(retention(300)), released(unread), LossPaused, settled),
        (paused(retention(300)), released(calm), Retime, Verdict::Retime(ours(600))),
        (paused(retention(300)), released(guarded(600)), Retime, Verdict::Retime(ours(600))),
        (paused(retention(300)), released(forecast(0)), LossRelease, release_it),
        // A foreign pause is never shortened or ended, and extended for as long as messages allow.
        (paused(at(600)), guarded(4), Covered, foreign),
        (paused(at(200)), guarded(300), Extend, pause(300)),
        (paused(at(300)), guarded(300), Foreign, foreign),
        (paused(at(200)), guarded(4), Foreign, foreign),
        (paused(at(200)), forecast(0), Foreign, foreign),
        (paused(ours(600)), theirs(guarded(4), 60), GiveBack, Verdict::Retime(at(60))),
        (paused(ours(600)), theirs(guarded(30), 60), GiveBack, Verdict::Retime(at(60))),
        (paused(ours(600)), theirs(guarded(90), 60), LossRetime, retime(90)),
        (paused(ours(600)), theirs(forecast(0), 60), GiveBack, Verdict::Retime(at(60))),
        (paused(ours(600)), theirs(forecast(0), 4), LossRelease, release_it),
    ];
    for (found, case, rule, verdict) in rows {
        let decision = decide(Desired::Paused(at(600)), &found, &case);
        let is = (decision.rule, decision.verdict);
        assert_eq!(is, (rule, verdict), "{found:?} {case:?}");
    }
    // By a clock that cannot be trusted none of that is sent but what begins or lengthens a pause.
    let untrusted = Case { skew: Some(SignedDuration::from_secs(31)), ..guarded(300) };
    for (found, is_sent) in [(running(), true), (paused(ours(600)), false), (paused(ours(200)), true)] {
        let decision = decide(Desired::Paused(at(600)), &found, &untrusted);
        assert_eq!(decision.verdict.action().is_some(), is_sent, "{found:?}");
    }
    // If no pause is wanted, the mark changes nothing.
    let decision = decide(RUN, &paused(retention(300)), &calm);
    assert_eq!((decision.rule, decision.verdict), (Resume, Verdict::Resume));
}

/// One case for each rule that it decides, and none of the rules above it.
#[rustfmt::skip] // a rule a line
fn an_example_of(rule: Rule) -> (Desired, Found, Case) {
    let (tail, pause) = (Desired::Tail(at(600)), Desired::Paused(at(600)));
    let far = |by: i64| skewed(SignedDuration::from_secs(by));
    match rule {
        Rule::Unknown => (pause, Found::Unknown, calm()),
        Rule::Missing => (pause, Found::Missing, calm()),
        Rule::Unconfirmed => (pause, running(), settling()),
        Rule::ClockUnknown => (pause, running(), Case { skew: None, ..calm() }),
        Rule::ClockLost => (pause, running(), far(601)),
        Rule::ClockGuard => (RUN, paused(ours(600)), far(31)),
        Rule::OverridesAwaited => (pause, running(), overrides(OverridesKnown::Awaited)),
        Rule::OverridesUnread => (RUN, paused(ours(600)), overrides(OverridesKnown::Unread)),
        Rule::LabelsLost => (RUN, paused(ours(600)), labels_lost()),
        Rule::OrphanUnnamed => (RUN, paused(ours(600)), orphaned(Orphan::Unnamed)),
        Rule::OrphanWaiting => (RUN, paused(ours(600)), orphaned(Orphan::Waiting)),
        Rule::Orphan => (RUN, paused(ours(600)), orphaned(Orphan::Due)),
        Rule::Running => (RUN, running(), calm()),
        Rule::Clear => (RUN, lapsed(ours(-90)), calm()),
        Rule::Lapsed => (RUN, lapsed(ours(-9)), calm()),
        Rule::LapsedForeign => (RUN, lapsed(at(-90)), calm()),
        Rule::Ending => (RUN, paused(ours(6)), calm()),
        Rule::Overdue => (RUN, paused(ours(20)), far(-21)),
        Rule::Early => (RUN, paused(ours(600)), wanted_soon()),
        Rule::EndsItself => (Desired::Tail(at(4)), paused(ours(6)), calm()),
        Rule::GiveBack => (RUN, paused(ours(600)), remembering(at(300))),
        Rule::Exempt => (RUN, paused(ours(600)), exempt()),
        Rule::Resume => (RUN, paused(ours(600)), calm()),
        Rule::ShortenNear => (Desired::Tail(at(4)), paused(ours(600)), calm()),
        Rule::Foreign => (RUN, paused(at(600)), calm()),
        Rule::TailRunning => (tail, running(), calm()),
        Rule::Tail => (tail, paused(ours(600)), calm()),
        Rule::TailRetime => (tail, paused(ours(601)), calm()),
        Rule::TailForeign => (tail, paused(at(900)), calm()),
        Rule::Releasing => (pause, paused(release(2)), released()),
        Rule::Released => (pause, lapsed(release(-90)), released()),
        Rule::LossNear => (pause, running(), guarded(4)),
        Rule::LossPause => (pause, running(), guarded(300)),
        Rule::LossPaused => (pause, paused(retention(300)), Case { released: true, ..guarded(300) }),
        Rule::LossRetime => (pause, paused(ours(600)), guarded(300)),
        Rule::LossRelease => (pause, paused(ours(600)), guarded(4)),
        Rule::TooNear => (Desired::Paused(at(5)), running(), calm()),
        Rule::Pause => (pause, running(), calm()),
        Rule::Paused => (pause, paused(ours(600)), calm()),
        Rule::Retime => (pause, paused(ours(300)), calm()),
        Rule::Covered => (pause, paused(at(600)), calm()),
        Rule::Extend => (pause, paused(at(599)), calm()),
    }
}

#[test]
fn the_document_shows_the_table_and_decide_follows_it() {
    let document = include_str!("../../config/WINDOWS.md");
    let table: Vec<&str> = (document.lines())
        .skip_while(|line| !line.starts_with("| want | have | verdict |"))
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(
        table,
        Rule::table().lines().collect::<Vec<_>>(),
        "config/WINDOWS.md should show:\n{}",
        Rule::table()
    );
    let rows = table.iter().skip(2);
    assert_eq!(rows.len(), Rule::ALL.len());
    for (row, rule) in rows.zip(Rule::ALL) {
        let (want, have, case) = an_example_of(rule);
        let decision = decide(want, &have, &case);
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [wanted, _, says, name] = cells[..] else {
            panic!("not four cells: {row}");
        };
        assert_eq!(decision.rule, rule, "{row}");
        assert_eq!(name, format!("`{rule}`"));
        // The verdict that the row names first is the one that is taken.
        let word = says.split([' ', '(', ':', ',']).next().unwrap_or_default();
        assert_eq!(word.to_lowercase(), decision.verdict.as_str(), "{row}");
        let wants = match want {
            Desired::Running => ["any", "run", "no window names it"],
            Desired::Tail(_) => ["any", "tail u", "tail u"],
            Desired::Paused(_) => ["any", "pause until u", "pause until u"],
        };
        assert!(wants.iter().any(|want| wanted.contains(want)), "{row}");
    }
}

#[test]
fn rules_have_names_of_their_own_in_kebab_case() {
    let mut names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    assert!(names.iter().all(|name| {
        name.split('-')
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
    }));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
}

#[test]
#[rustfmt::skip] // a row a line
fn no_deadline_lies_beyond_what_the_servers_clock_allows() {
    let bounded = || Case { furthest: at(300), ..calm() };
    let (tail, pause) = (Desired::Tail(at(600)), Desired::Paused(at(600)));
    let u = ours(300);
    holds([
        ("begin", pause, running(), bounded(), Verdict::Pause(u)),
        ("extend a foreign one", pause, paused(at(200)), bounded(), Verdict::Pause(u)),
        ("lengthen", pause, paused(ours(200)), bounded(), Verdict::Retime(u)),
        ("in place", pause, paused(u), bounded(), Verdict::Settled),
        ("shorten what is beyond", pause, paused(ours(600)), bounded(), Verdict::Retime(u)),
        ("shorten in a tail", tail, paused(ours(600)), bounded(), Verdict::Retime(u)),
        ("too near", pause, running(), Case { furthest: at(5), ..calm() }, Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn with_a_clock_off_by_more_than_10_minutes_or_unknown_nothing_is_sent() {
    let pause = Desired::Paused(at(600));
    let (lost, near) = (SignedDuration::from_mins(10) + nanos(1), SignedDuration::from_mins(10));
    let unknown = || Case { skew: None, ..calm() };
    for case in [skewed(lost), skewed(-lost), unknown()] {
        holds([
            ("begin", pause, running(), case, Verdict::Settled),
            ("lengthen", pause, paused(ours(300)), case, Verdict::Settled),
            ("extend a foreign one", pause, paused(at(300)), case, Verdict::Settled),
            ("resume", RUN, paused(ours(900)), case, Verdict::Settled),
            ("clear", RUN, lapsed(ours(-90)), case, Verdict::Settled),
            ("no write is no write", RUN, paused(at(900)), case, Verdict::Foreign),
        ]);
    }
    for skew in [near, -near] {
        holds([("begin", pause, running(), skewed(skew), Verdict::Pause(ours(600)))]);
    }
}

#[test]
#[rustfmt::skip] // a row a line
fn before_overrides_are_read_nothing_is_done_and_then_only_what_holds_messages_back() {
    let pause = Desired::Paused(at(600));
    let awaited = || overrides(OverridesKnown::Awaited);
    let unread = || overrides(OverridesKnown::Unread);
    holds([
        ("begin", pause, running(), awaited(), Verdict::Settled),
        ("lengthen", pause, paused(ours(300)), awaited(), Verdict::Settled),
        ("shorten", pause, paused(ours(900)), awaited(), Verdict::Settled),
        ("resume", RUN, paused(ours(900)), awaited(), Verdict::Settled),
        ("clear", RUN, lapsed(ours(-90)), awaited(), Verdict::Settled),
        ("no write is no write", RUN, paused(at(900)), awaited(), Verdict::Foreign),
        ("begin", pause, running(), unread(), Verdict::Pause(ours(600))),
        ("lengthen", pause, paused(ours(300)), unread(), Verdict::Retime(ours(600))),
        ("extend a foreign one", pause, paused(at(300)), unread(), Verdict::Pause(ours(600))),
        ("shorten", pause, paused(ours(900)), unread(), Verdict::Settled),
        ("resume", RUN, paused(ours(900)), unread(), Verdict::Settled),
        ("clear", RUN, lapsed(ours(-90)), unread(), Verdict::Settled),
    ]);
    for known in [OverridesKnown::NoBucket, OverridesKnown::Read] {
        holds([
            ("begin", pause, running(), overrides(known), Verdict::Pause(ours(600))),
            ("resume", RUN, paused(ours(900)), overrides(known), Verdict::Resume),
        ]);
    }
    // The clock comes first, and a pause of a moment is no write.
    let off = Case { skew: None, ..awaited() };
    assert_eq!(decide(pause, &running(), &off).rule, Rule::ClockUnknown);
    let near = decide(Desired::Paused(at(5)), &running(), &unread());
    assert_eq!(near.rule, Rule::TooNear);
}

#[test]
#[rustfmt::skip] // a row a line
fn what_another_copy_wrote_by_a_clock_ahead_of_ours_is_left() {
    let case = wanted_soon;
    holds([
        ("run", RUN, paused(ours(600)), case(), Verdict::Settled),
        ("tail", Desired::Tail(at(300)), paused(ours(600)), case(), Verdict::Settled),
        ("a step of max_pause", Desired::Paused(at(300)), paused(ours(600)), case(), Verdict::Settled),
        ("sooner than wanted", Desired::Paused(at(900)), paused(ours(600)), case(), Verdict::Retime(ours(900))),
        ("foreign", RUN, paused(at(600)), case(), Verdict::Foreign),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_pause_that_is_over_by_our_clock_alone_is_ended_by_the_servers() {
    let ahead = |seconds: i64| skewed(SignedDuration::from_secs(-seconds));
    // 20 s and a mark are left by the server's clock.
    holds([
        ("over by ours", RUN, paused(ours(20)), ahead(20), Verdict::Settled),
        ("not over yet", RUN, paused(ours(20)), ahead(19), Verdict::Resume),
        ("in a tail", Desired::Tail(at(10)), paused(ours(20)), ahead(21), Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn an_orphan_is_resumed_when_its_wait_is_over_and_the_instance_has_a_name() {
    let have = || paused(ours(600));
    holds([
        ("due", RUN, have(), orphaned(Orphan::Due), Verdict::Resume),
        ("ends itself", RUN, paused(ours(6)), orphaned(Orphan::Due), Verdict::Settled),
        ("waiting", RUN, have(), orphaned(Orphan::Waiting), Verdict::Settled),
        ("unnamed", RUN, have(), orphaned(Orphan::Unnamed), Verdict::Settled),
        ("foreign by now", RUN, paused(at(600)), orphaned(Orphan::Due), Verdict::Foreign),
        ("over", RUN, lapsed(ours(-9)), orphaned(Orphan::Due), Verdict::Settled),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_release_that_is_none_from_this_pause_is_a_deadline_of_ours_like_any_other() {
    let (tail, pause) = (Desired::Tail(at(600)), Desired::Paused(at(600)));
    holds([
        ("lapsed", pause, lapsed(release(-90)), calm(), Verdict::Pause(ours(600))),
        ("until sooner", pause, paused(release(300)), calm(), Verdict::Retime(ours(600))),
        ("until that very second", pause, paused(release(600)), calm(), Verdict::Settled),
        ("until later", pause, paused(release(900)), calm(), Verdict::Retime(ours(600))),
        ("in a tail, until that very second", tail, paused(release(600)), calm(), Verdict::Settled),
        ("in a tail, until later", tail, paused(release(601)), calm(), Verdict::Retime(ours(600))),
        ("run", RUN, paused(release(600)), calm(), Verdict::Resume),
        ("run, to clear", RUN, lapsed(release(-90)), calm(), Verdict::Clear),
    ]);
}

#[test]
#[rustfmt::skip] // a row a line
fn a_release_stands_against_a_pause_alone_and_is_not_cleared_meanwhile() {
    let pause = Desired::Paused(at(600));
    let lost = || Case { skew: Some(SignedDuration::from_hours(48)), ..released() };
    let other = Mark::of_instance("prod-eu").stamp_release(at(-90));
    holds([
        ("no Clear", RUN, lapsed(release(-90)), released(), Verdict::Settled),
        ("run", RUN, paused(release(600)), released(), Verdict::Resume),
        ("in a tail", Desired::Tail(at(600)), paused(release(900)), released(), Verdict::Retime(ours(600))),
        ("in a tail, lapsed", Desired::Tail(at(600)), lapsed(release(-9)), released(), Verdict::Settled),
        ("with a lost clock", pause, lapsed(release(-90)), lost(), Verdict::Settled),
        ("another instance's", pause, lapsed(other), calm(), Verdict::Pause(ours(600))),
        ("another instance's, ahead", pause, paused(other + SignedDuration::from_secs(93)), calm(), Verdict::Pause(ours(600))),
    ]);
    let rule = |case: Case| decide(pause, &lapsed(release(-90)), &case).rule;
    assert_eq!(rule(lost()), Rule::Released);
}

#[test]
fn an_exempt_consumer_is_resumed_and_one_that_lost_its_labels_is_not() {
    holds([
        ("exempt", RUN, paused(ours(600)), exempt(), Verdict::Resume),
        ("foreign", RUN, paused(at(600)), exempt(), Verdict::Foreign),
        ("running", RUN, running(), exempt(), Verdict::Settled),
        (
            "lost",
            RUN,
            paused(ours(600)),
            labels_lost(),
            Verdict::Settled,
        ),
        (
            "lost, another window ends sooner",
            Desired::Paused(at(300)),
            paused(ours(600)),
            labels_lost(),
            Verdict::Settled,
        ),
        (
            "lost, found by the sweep after a restart",
            RUN,
            paused(ours(600)),
            Case {
                labels_lost: true,
                ..orphaned(Orphan::Due)
            },
            Verdict::Settled,
        ),
    ]);
}

#[test]
fn a_pause_that_is_ended_on_purpose_is_released() {
    let on_purpose = || Case {
        resumed_on_purpose: true,
        ..calm()
    };
    holds([
        (
            "run",
            RUN,
            paused(ours(600)),
            on_purpose(),
            Verdict::Release,
        ),
        (
            "ending",
            RUN,
            paused(ours(6)),
            on_purpose(),
            Verdict::Settled,
        ),
        (
            "foreign",
            RUN,
            paused(at(600)),
            on_purpose(),
            Verdict::Foreign,
        ),
    ]);
    let guarded = Case {
        skew: Some(SignedDuration::from_secs(31)),
        ..on_purpose()
    };
    holds([(
        "with a clock that is off",
        RUN,
        paused(ours(600)),
        guarded,
        Verdict::Settled,
    )]);
}

/// The table once more, as data, with an interpreter that counts nanoseconds from now and shares no
/// code with
/// [`decide`]: every combination of what is wanted and found with the exceptions around it.
mod restated {
    use super::*;

    const SECOND: i128 = 1_000_000_000;
    const MARK: i128 = 435_253;
    const RELEASE: i128 = 1_000_000;

    #[derive(Clone, Copy, Debug)]
    enum Want {
        Run,
        Tail(i128),
        Pause(i128),
    }

    #[derive(Clone, Copy, Debug)]
    enum Have {
        Unknown,
        NoSuch,
        Running,
        /// A deadline behind us, and one ahead.
        Stored(i128),
    }

    #[derive(Clone, Copy, Debug)]
    struct Facts {
        want: Want,
        have: Have,
        settling: bool,
        clustered: bool,
        skew: i128,
        remembered: Option<i128>,
        opening: Option<i128>,
        wanted_soon: bool,
        labels_lost: bool,
        /// If a release is stored: it is one from this pause.
        released: bool,
    }

    enum WantIs {
        Any,
        Run,
        Tail,
        Pause,
    }

    enum HaveIs {
        Unknown,
        NoSuch,
        AcceptedNotSeen,
        PausedOursLabelsLost,
        Running,
        RunningOrLapsed,
        LapsedOurs,
        LapsedForeign,
        PausedOursEndingWithin7s,
        PausedOurs,
        PausedOursUntilUOrSooner,
        PausedOursUntilU,
        PausedForeign,
        PausedForeignUntilUOrLater,
        PausedForeignUntilSooner,
        Released,
    }

    #[derive(Clone, Copy)]
    enum Says {
        Unknown,
        Missing,
        Settled,
        ClearWhereDue,
        Resume,
        Foreign,
        RetimeU,
        PauseU,
    }

    const TABLE: [(WantIs, HaveIs, Says); 20] = [
        (WantIs::Any, HaveIs::Unknown, Says::Unknown),
        (WantIs::Any, HaveIs::NoSuch, Says::Missing),
        (WantIs::Any, HaveIs::AcceptedNotSeen, Says::Settled),
        (WantIs::Any, HaveIs::PausedOursLabelsLost, Says::Settled),
        (WantIs::Run, HaveIs::Running, Says::Settled),
        (WantIs::Run, HaveIs::LapsedOurs, Says::ClearWhereDue),
        (WantIs::Run, HaveIs::LapsedForeign, Says::Settled),
        (WantIs::Run, HaveIs::PausedOursEndingWithin7s, Says::Settled),
        (WantIs::Run, HaveIs::PausedOurs, Says::Resume),
        (WantIs::Run, HaveIs::PausedForeign, Says::Foreign),
        (WantIs::Tail, HaveIs::RunningOrLapsed, Says::Settled),
        (
            WantIs::Tail,
            HaveIs::PausedOursUntilUOrSooner,
            Says::Settled,
        ),
        (WantIs::Tail, HaveIs::PausedOurs, Says::RetimeU),
        (WantIs::Tail, HaveIs::PausedForeign, Says::Foreign),
        (WantIs::Pause, HaveIs::Released, Says::Settled),
        (WantIs::Pause, HaveIs::RunningOrLapsed, Says::PauseU),
        (WantIs::Pause, HaveIs::PausedOursUntilU, Says::Settled),
        (WantIs::Pause, HaveIs::PausedOurs, Says::RetimeU),
        (
            WantIs::Pause,
            HaveIs::PausedForeignUntilUOrLater,
            Says::Foreign,
        ),
        (
            WantIs::Pause,
            HaveIs::PausedForeignUntilSooner,
            Says::PauseU,
        ),
    ];

    const SKEWS: [i128; 8] = [
        0,
        30 * SECOND,
        30 * SECOND + 1,
        -30 * SECOND,
        -31 * SECOND,
        600 * SECOND,
        600 * SECOND + 1,
        -601 * SECOND,
    ];

    fn is_ours(deadline: i128) -> bool {
        deadline.rem_euclid(SECOND) == MARK || is_release(deadline)
    }

    fn is_release(deadline: i128) -> bool {
        deadline.rem_euclid(SECOND) == MARK + RELEASE
    }

    /// With the plain mark, if it is ours.
    fn plain(deadline: i128) -> i128 {
        deadline - if is_release(deadline) { RELEASE } else { 0 }
    }

    impl Facts {
        fn u(&self) -> i128 {
            match self.want {
                Want::Run => 0,
                Want::Tail(u) | Want::Pause(u) => u,
            }
        }

        fn wants(&self, want: &WantIs) -> bool {
            matches!(
                (want, self.want),
                (WantIs::Any, _)
                    | (WantIs::Run, Want::Run)
                    | (WantIs::Tail, Want::Tail(_))
                    | (WantIs::Pause, Want::Pause(_))
            )
        }

        fn has(&self, have: &HaveIs) -> bool {
            let u = self.u();
            let (mut ours_until, mut theirs_until, mut lapsed) = (None, None, None);
            match self.have {
                Have::Stored(t) if t <= 0 => lapsed = Some(t),
                Have::Stored(t) if is_ours(t) => ours_until = Some(t),
                Have::Stored(t) => theirs_until = Some(t),
                _ => {}
            }
            let running = matches!(self.have, Have::Running);
            match have {
                HaveIs::Unknown => matches!(self.have, Have::Unknown),
                HaveIs::NoSuch => matches!(self.have, Have::NoSuch),
                HaveIs::AcceptedNotSeen => self.settling,
                HaveIs::PausedOursLabelsLost => self.labels_lost && ours_until.is_some(),
                HaveIs::Running => running,
                HaveIs::RunningOrLapsed => running || lapsed.is_some(),
                HaveIs::LapsedOurs => lapsed.is_some_and(is_ours),
                HaveIs::LapsedForeign => lapsed.is_some_and(|t| !is_ours(t)),
                HaveIs::PausedOursEndingWithin7s => ours_until.is_some_and(|t| t <= 7 * SECOND),
                HaveIs::PausedOurs => ours_until.is_some(),
                HaveIs::PausedOursUntilUOrSooner => {
                    ours_until.is_some_and(|t| plain(t) <= u + MARK)
                }
                HaveIs::PausedOursUntilU => ours_until.map(plain) == Some(u + MARK),
                HaveIs::PausedForeign => theirs_until.is_some(),
                HaveIs::PausedForeignUntilUOrLater => theirs_until.is_some_and(|t| t >= u),
                HaveIs::PausedForeignUntilSooner => theirs_until.is_some_and(|t| t < u),
                HaveIs::Released => {
                    let stored = ours_until.or(lapsed).filter(|t| is_release(*t));
                    self.released && stored.is_some()
                }
            }
        }

        fn says(&self) -> Says {
            let row = (TABLE.iter()).find(|(want, have, _)| self.wants(want) && self.has(have));
            row.unwrap_or_else(|| panic!("no row for {self:?}")).2
        }

        /// The table's answer, with the exceptions that stand below it.
        fn verdict(&self) -> Verdict {
            let u = self.u();
            let stored = match self.have {
                Have::Stored(t) => t,
                _ => i128::MIN,
            };
            let trusted = self.skew.abs() <= 30 * SECOND;
            let is_near = |t: i128| t <= 5 * SECOND;
            let ends = plain(stored);
            let is_over_by_our_clock = stored > 0 && ends - MARK <= -self.skew;
            if self.skew.abs() > 600 * SECOND {
                return match self.says() {
                    Says::Unknown => Verdict::Unknown,
                    Says::Missing => Verdict::Missing,
                    Says::Foreign => Verdict::Foreign,
                    _ => Verdict::Settled,
                };
            }
            let resume = if stored <= 7 * SECOND || !trusted {
                Verdict::Settled
            } else {
                Verdict::Resume
            };
            match self.says() {
                Says::Unknown => Verdict::Unknown,
                Says::Missing => Verdict::Missing,
                Says::Settled => Verdict::Settled,
                Says::Foreign => Verdict::Foreign,
                Says::ClearWhereDue => {
                    let stands = self.released && is_release(stored);
                    let due = self.clustered
                        && !stands
                        && stored <= -60 * SECOND
                        && self.opening.is_none_or(|opens| opens > 60 * SECOND);
                    if due && trusted {
                        Verdict::Clear
                    } else {
                        Verdict::Settled
                    }
                }
                Says::PauseU if is_near(u) => Verdict::Settled,
                Says::PauseU => Verdict::Pause(instant(u + MARK)),
                Says::RetimeU if ends < u + MARK && is_near(u) => Verdict::Settled,
                Says::RetimeU if ends < u + MARK => Verdict::Retime(instant(u + MARK)),
                Says::RetimeU | Says::Resume if self.wanted_soon => Verdict::Settled,
                Says::RetimeU | Says::Resume
                    if is_over_by_our_clock && !matches!(self.want, Want::Pause(_)) =>
                {
                    Verdict::Settled
                }
                Says::RetimeU | Says::Resume => {
                    let beyond = self.remembered.filter(|t| *t > u);
                    match (beyond, self.says()) {
                        (Some(t), _) if is_near(t) => resume,
                        (Some(t), _) if !trusted && t <= stored => Verdict::Settled,
                        (Some(t), _) => Verdict::Retime(instant(t)),
                        (None, Says::Resume) => resume,
                        (None, _) if is_near(u) => resume,
                        (None, _) if !trusted => Verdict::Settled,
                        (None, _) => Verdict::Retime(instant(u + MARK)),
                    }
                }
            }
        }
    }

    fn instant(from_now: i128) -> Timestamp {
        Timestamp::from_nanosecond(now().as_nanosecond() + from_now).unwrap()
    }

    fn duration(nanoseconds: i128) -> SignedDuration {
        SignedDuration::from_nanos(i64::try_from(nanoseconds).unwrap())
    }

    fn found_in(have: Have, clustered: bool, seen_ago: i128) -> Found {
        let state = match have {
            Have::Unknown => return Found::Unknown,
            Have::NoSuch => return Found::Missing,
            Have::Running => PauseState::Running,
            Have::Stored(t) if t + seen_ago <= 0 => PauseState::Lapsed { until: instant(t) },
            Have::Stored(t) => PauseState::Paused {
                until: instant(t),
                remaining: duration(t + seen_ago),
            },
        };
        super::found(state, clustered)
    }

    #[test]
    fn in_every_combination() {
        let ends = [1, 5, 6, 7, 20, 3_600].map(|s| s * SECOND);
        let wants: Vec<Want> = std::iter::once(Want::Run)
            .chain(ends.map(Want::Tail))
            .chain(ends.map(Want::Pause))
            .collect();
        let stored = [
            -3_600, -61, -60, -59, -1, 1, 4, 5, 6, 7, 8, 20, 21, 3_600, 3_601,
        ];
        let releases = [-61, -1, 4, 7, 20, 21];
        let haves: Vec<Have> = [Have::Unknown, Have::NoSuch, Have::Running]
            .into_iter()
            .chain(stored.map(|s| Have::Stored(s * SECOND + MARK)))
            .chain(stored.map(|s| Have::Stored(s * SECOND)))
            .chain([19, 20].map(|s| Have::Stored(s * SECOND + MARK + 1)))
            .chain(releases.map(|s| Have::Stored(s * SECOND + MARK + RELEASE)))
            .collect();
        let remembered = [
            None,
            Some(4 * SECOND),
            Some(5 * SECOND + 7),
            Some(20 * SECOND),
            Some(20 * SECOND + 7),
            Some(3_599 * SECOND),
        ];
        let openings = [None, Some(60 * SECOND), Some(60 * SECOND + 1)];
        let mut combinations = 0;
        for &want in &wants {
            // Only a consumer that should run is cleared, and only a Clear minds the next opening.
            let openings = match want {
                Want::Run => &openings[..],
                Want::Tail(_) | Want::Pause(_) => &openings[..1],
            };
            for &have in &haves {
                for remembered in remembered {
                    let is_release = matches!(have, Have::Stored(t) if is_release(t));
                    for bits in 0..if is_release { 16 } else { 8 } {
                        let (settling, clustered) = (bits & 1 != 0, bits & 2 != 0);
                        let seen_ago = if bits & 4 != 0 { 3 * SECOND } else { 0 };
                        let released = bits & 8 != 0;
                        for skew in SKEWS {
                            for &opening in openings {
                                for (wanted_soon, labels_lost) in
                                    [(false, false), (true, false), (false, true)]
                                {
                                    let facts = Facts {
                                        want,
                                        have,
                                        settling,
                                        clustered,
                                        skew,
                                        remembered,
                                        opening,
                                        wanted_soon,
                                        labels_lost,
                                        released,
                                    };
                                    compare(&facts, seen_ago);
                                    combinations += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(
            combinations,
            (3 + 12) * (35 + 2 * 6) * 6 * 8 * SKEWS.len() * 3
        );
    }

    fn compare(facts: &Facts, seen_ago: i128) {
        let want = match facts.want {
            Want::Run => Desired::Running,
            Want::Tail(u) => Desired::Tail(instant(u)),
            Want::Pause(u) => Desired::Paused(instant(u)),
        };
        let case = Case {
            mark: mark(),
            server_now: now(),
            skew: Some(duration(facts.skew)),
            furthest: at(7 * 86_400),
            since_observed: duration(seen_ago),
            settling: facts.settling,
            remembered_foreign: facts.remembered.map(instant),
            next_pause: facts.opening.map(instant),
            wanted_soon: facts.wanted_soon,
            orphan: None,
            released: facts.released,
            resumed_on_purpose: false,
            exempt: false,
            labels_lost: facts.labels_lost,
            guard: Guard::Off,
            overrides: OverridesKnown::NoBucket,
        };
        let found = found_in(facts.have, facts.clustered, seen_ago);
        assert_eq!(
            decide(want, &found, &case).verdict,
            facts.verdict(),
            "{facts:?}, seen {seen_ago} ns ago"
        );
    }
}
