use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::consumer::example::observation;
use crate::consumer::{Found, PauseState};
use crate::jetstream::{Listed, Listing, Sample, Unreadable};
use crate::plan::Skew;
use crate::policy::{Selection, Selector};
use crate::report::LeftOut;

fn id(path: &str) -> ConsumerId {
    path.parse().unwrap()
}

fn ids(paths: &[&str]) -> BTreeSet<ConsumerId> {
    paths.iter().map(|path| id(path)).collect()
}

/// So many milliseconds after 02:00.
fn at(milliseconds: i64) -> Timestamp {
    let begin: Timestamp = "2026-12-01T02:00:00Z".parse().unwrap();
    begin + SignedDuration::from_millis(milliseconds)
}

/// A consumer that delivers, by an answer of a server whose clock shows that.
fn running(server_time: Option<Timestamp>) -> Sample {
    Sample {
        found: Found::Present(observation(PauseState::Running)),
        server_time,
        in_flight: None,
    }
}

fn cut() -> RequestError {
    RequestError::Cut
}

/// The answer to a list, which took 400 ms. All its consumers deliver.
fn list(stream: &str, want: Want, consumers: Option<&[&str]>) -> Answer {
    let listed = |path: &&str| Listed {
        id: id(path),
        sample: running(Some(at(10_300))),
    };
    let entries = |paths: &[&str]| Listing::from(paths.iter().map(listed).collect::<Vec<_>>());
    Answer::List {
        stream: stream.to_owned(),
        want,
        reply: Ok(consumers.map(entries)),
        sent: at(0),
        received: at(400),
    }
}

fn failed_list(stream: &str, want: Want) -> Answer {
    Answer::List {
        stream: stream.to_owned(),
        want,
        reply: Err(cut()),
        sent: at(0),
        received: at(0),
    }
}

fn info(path: &str, reply: Result<Sample, RequestError>) -> Answer {
    Answer::Info {
        id: id(path),
        reply,
        sent: at(0),
        received: at(400),
    }
}

fn whole(named: &[&str]) -> Want {
    Want {
        whole: true,
        named: ids(named),
    }
}

fn some(named: &[&str]) -> Want {
    Want {
        whole: false,
        named: ids(named),
    }
}

fn observed(answers: impl IntoIterator<Item = Answer>) -> Observed {
    let mut observed = Observed::default();
    answers.into_iter().for_each(|answer| observed.take(answer));
    observed
}

/// Everyone who was found, and in parentheses those that do not exist.
fn found(observed: &Observed) -> Vec<String> {
    let show = |(id, sample): (&ConsumerId, &Sample)| match sample.found {
        Found::Missing => format!("({})", id.path()),
        Found::Present(_) | Found::Unknown => id.path(),
    };
    observed.found.iter().map(show).collect()
}

#[test]
fn a_list_shows_the_whole_stream_or_those_that_were_asked_for() {
    let there = Some(&["A/one", "A/two"][..]);
    for (answer, expected) in [
        (list("A", whole(&[]), there), &["A/one", "A/two"][..]),
        (
            list("A", whole(&["A/gone"]), there),
            &["(A/gone)", "A/one", "A/two"],
        ),
        (
            list("A", some(&["A/gone", "A/two"]), there),
            &["(A/gone)", "A/two"],
        ),
        // The stream does not exist.
        (list("A", whole(&["A/one"]), None), &["(A/one)"]),
    ] {
        assert_eq!(found(&observed([answer])), expected);
    }
}

#[test]
fn what_was_not_answered_is_left_open_and_nothing_else() {
    for (answer, subject, open) in [
        (
            failed_list("A", whole(&[])),
            Some("stream A"),
            &["A/one", "A/two"][..],
        ),
        (
            failed_list("A", some(&["A/one"])),
            Some("stream A"),
            &["A/one"],
        ),
        (info("A/one", Err(cut())), Some("A > one"), &["A/one"]),
        (list("A", whole(&[]), Some(&[])), None, &[]),
        (info("A/one", Ok(Sample::MISSING)), None, &[]),
    ] {
        let observed = observed([answer]);
        let failures: Vec<_> = (observed.failures.iter())
            .map(|failure| (&*failure.subject, failure.stream.as_deref()))
            .collect();
        let expected: Vec<_> = subject
            .map(|subject| (subject, Some("A")))
            .into_iter()
            .collect();
        assert_eq!(failures, expected);
        for path in ["A/one", "A/two", "B/one"] {
            let expected = open.contains(&path);
            assert_eq!(observed.leaves_open(&id(path)), expected, "{path}");
        }
    }
}

#[test]
fn without_the_streams_names_only_those_that_were_listed_are_known() {
    let mut observed = observed([list("A", whole(&[]), Some(&[]))]);
    observed.names_unknown = Some(selecting("B*/*"));
    for (path, open) in [
        ("A/one", false),
        ("B/one", true),
        ("BB/one", true),
        ("C/one", false),
    ] {
        assert_eq!(observed.leaves_open(&id(path)), open, "{path}");
    }
}

fn selecting(text: &str) -> Interest {
    Interest::of(Selection::new(vec![Selector::parse(text).unwrap()]))
}

/// What is in `interest`, with a row each for some consumers of before, after a whole observation.
fn apply(answers: impl IntoIterator<Item = Answer>, before: &[&str]) -> (Vec<String>, Vec<String>) {
    let interest = selecting("*/*");
    let mut rows: BTreeMap<ConsumerId, String> = (before.iter())
        .map(|path| (id(path), "as before".to_owned()))
        .collect();
    let row = |_: &ConsumerId, sample: Sample, before: Option<&String>| {
        let before = before.map_or("new", |_| "known");
        match sample.found {
            Found::Present(_) => Some(format!("{before}, found")),
            Found::Unknown => Some(format!("{before}, unknown")),
            Found::Missing => None,
        }
    };
    let left_out = &mut LeftOut::default();
    let observed = observed(answers);
    let updated = observed.apply(&interest, &mut rows, left_out, row);
    let rows = (rows.into_iter()).map(|(id, row)| format!("{}: {row}", id.path()));
    let updated = updated.iter().map(ConsumerId::path);
    (rows.collect(), updated.collect())
}

#[test]
fn rows_are_brought_up_to_date_and_what_was_neither_found_nor_left_open_has_none() {
    let answers = [
        list("A", whole(&["A/missing"]), Some(&["A/here", "A/new"])),
        failed_list("B", whole(&["B/named"])),
    ];
    let before = ["A/here", "A/gone", "A/missing", "B/here", "C/here"];
    let (rows, updated) = apply(answers, &before);
    assert_eq!(
        rows,
        [
            "A/here: known, found",
            "A/new: new, found",
            "B/here: known, unknown",
            "B/named: new, unknown",
        ]
    );
    assert_eq!(updated, ["A/here", "A/new", "B/here", "B/named"]);
}

#[test]
fn an_observation_of_some_streams_says_nothing_of_others() {
    let part = BTreeMap::from([
        ("A".to_owned(), whole(&["A/missing"])),
        ("C".to_owned(), some(&["C/one"])),
    ]);
    let mut observed = observed([
        list("A", whole(&["A/missing"]), Some(&["A/here"])),
        info("C/one", Ok(running(None))),
    ]);
    observed.asked = Arc::new(Asked::of(&part));
    // That was asked for the part, too.
    observed.names_unknown = Some(selecting("B*/*"));
    for (path, asked) in [
        ("A/gone", true),
        ("B/one", false),
        ("C/one", true),
        ("C/two", false),
    ] {
        assert_eq!(observed.asked.includes(&id(path)), asked, "{path}");
    }
    let before = [
        "A/gone",
        "A/here",
        "A/missing",
        "B/one",
        "C/one",
        "C/two",
        "D/one",
    ];
    let mut rows: BTreeMap<ConsumerId, &str> =
        before.iter().map(|path| (id(path), "as before")).collect();
    let mut left_out = LeftOut::default();
    let bad = Unreadable {
        name: "x".to_owned(),
        reason: "it has no name".to_owned(),
    };
    for stream in ["A", "D"] {
        left_out
            .unreadable
            .insert((Some(stream.to_owned()), bad.clone()));
    }
    let interest = selecting("*/*");
    observed.apply(
        &interest,
        &mut rows,
        &mut left_out,
        |_, sample, _| match sample.found {
            Found::Present(_) => Some("found"),
            Found::Unknown => Some("unknown"),
            Found::Missing => Some("missing"),
        },
    );
    let rows: Vec<_> = rows
        .iter()
        .map(|(id, row)| format!("{}: {row}", id.path()))
        .collect();
    assert_eq!(
        rows,
        [
            "A/here: found",
            "A/missing: missing",
            "B/one: unknown",
            "C/one: found",
            "C/two: as before",
            "D/one: as before",
        ]
    );
    let unreadable: Vec<_> = (left_out.unreadable.iter())
        .map(|(stream, _)| stream.as_deref())
        .collect();
    assert_eq!(unreadable, [Some("D")]);
}

#[test]
fn two_scopes_together_have_what_either_has() {
    let part = |text| Scope::Part(selecting(text));
    let only = |path| Scope::Only(ids(&[path]));
    let asked = |scope| match scope {
        Scope::All => "everything".to_owned(),
        Scope::Part(part) => {
            let names = part
                .named()
                .iter()
                .map(ConsumerId::path)
                .collect::<Vec<_>>();
            format!(
                "{} and {}",
                part.streams().collect::<String>(),
                names.concat()
            )
        }
        Scope::Only(ids) => ids.iter().map(ConsumerId::path).collect(),
    };
    for (one, other, expected) in [
        (part("A/*"), part("B/*"), "AB and "),
        (part("A/*"), only("B/b"), "A and B/b"),
        (only("A/a"), part("B/*"), "B and A/a"),
        (only("A/a"), only("B/b"), "A/aB/b"),
        (only("A/a"), only("A/a"), "A/a"),
        (Scope::All, part("B/*"), "everything"),
        (only("A/a"), Scope::All, "everything"),
    ] {
        assert_eq!(asked(one.or(other)), expected);
    }
}

#[test]
fn an_observation_of_some_leaves_all_others_as_they_were() {
    let interest = Interest::default();
    let mut rows = BTreeMap::from([(id("A/one"), 1), (id("A/two"), 2)]);
    let mut observed = observed([info("A/one", Ok(running(None)))]);
    observed.asked = Arc::new(Asked::of(&by_stream(&ids(&["A/one"]))));
    let left_out = &mut LeftOut::default();
    let updated = observed.apply(&interest, &mut rows, left_out, |_, _, before| {
        before.map(|row| row + 10)
    });
    assert_eq!(updated, [id("A/one")]);
    assert_eq!(rows, [(id("A/one"), 11), (id("A/two"), 2)].into());
}

#[test]
fn an_entry_that_cannot_be_used_is_left_out_until_its_stream_is_listed_without_it() {
    let bad = |name: &str| Unreadable {
        name: name.to_owned(),
        reason: "it has no name".to_owned(),
    };
    let with_bad = |want| match list("A", want, Some(&[])) {
        Answer::List {
            stream, want, sent, ..
        } => {
            let mut listing = Listing::default();
            listing.unreadable.push(bad("x"));
            Answer::List {
                stream,
                want,
                reply: Ok(Some(listing)),
                sent,
                received: sent,
            }
        }
        Answer::Info { .. } => unreachable!("it is a list"),
    };
    let left_out = |answers: Vec<Answer>, text, left_out: &mut LeftOut| {
        let mut rows = BTreeMap::<ConsumerId, ()>::new();
        let observed = observed(answers);
        observed.apply(&selecting(text), &mut rows, left_out, |_, _, _| None);
        left_out.unreadable.len()
    };
    let known = &mut LeftOut::default();
    assert_eq!(left_out(vec![with_bad(whole(&[]))], "A/*", known), 1);
    let unanswered = failed_list("A", whole(&[]));
    assert_eq!(left_out(vec![unanswered], "A/*", known), 1, "not known yet");
    let listed = list("A", whole(&[]), Some(&[]));
    assert_eq!(left_out(vec![listed], "A/*", known), 0);
    for (want, text) in [(some(&["A/y"]), "A/*"), (whole(&[]), "A/y*")] {
        assert_eq!(left_out(vec![with_bad(want)], text, known), 0, "{text}");
    }
}

#[test]
fn the_servers_clock_is_read_in_the_middle_of_a_question_and_at_the_end_of_a_list() {
    let skew = |answers: Vec<Answer>| {
        let mut skew = Skew::default();
        if let Some(sample) = observed(answers).clock {
            skew.take(sample);
        }
        skew.newest.map(|newest| newest.as_millis())
    };
    let sample = || Ok(running(Some(at(10_300))));
    assert_eq!(skew(vec![info("A/one", sample())]), Some(10_100));
    assert_eq!(
        skew(vec![list("A", whole(&[]), Some(&["A/a"]))]),
        Some(9_900)
    );
    let without = info("A/one", Ok(running(None)));
    assert_eq!(skew(vec![info("A/one", sample()), without]), Some(10_100));
    assert_eq!(skew(vec![list("A", whole(&[]), Some(&[]))]), None);
}

#[test]
fn consumers_are_asked_for_by_their_streams() {
    let wants = by_stream(&ids(&["A/one", "A/two", "B/one"]));
    let named: Vec<_> = (wants.iter())
        .map(|(stream, want)| (&**stream, want.named.len(), want.whole))
        .collect();
    assert_eq!(named, [("A", 2, false), ("B", 1, false)]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_in_time_counts_as_none() {
    let after = |wait| async move {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(())
    };
    let deadline = ReplyDeadline::within(Duration::from_millis(750));
    assert_eq!(deadline.wait("q", after(700)).await, Ok(()));
    let late = RequestError::TimedOut {
        subject: "q".to_owned(),
        milliseconds: 750,
    };
    // It counts from its beginning, whatever was waited for meanwhile.
    assert_eq!(deadline.wait("q", after(60)).await, Err(late.clone()));
    let ask = async { panic!("it is asked") };
    assert_eq!(deadline.wait::<()>("q", ask).await, Err(late));
    assert_eq!(ReplyDeadline::NONE.wait("q", after(60_000)).await, Ok(()));
}
