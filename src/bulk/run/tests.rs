use super::*;
use crate::report::{Act, Wake, example};

fn id(name: &str) -> ConsumerId {
    ConsumerId::new("ORDERS", name)
}

/// An operation on consumers that all still wait, with these answers, in that order.
fn run(answers: &[(&str, Result<(), RequestError>)]) -> BulkRun {
    let act = |(name, result): &(&str, Result<(), RequestError>)| Act {
        result: result.clone().map_err(Box::new),
        ..example::pause(&id(name))
    };
    let mut pass = Pass::of(Wake::Edge);
    pass.acts = answers.iter().map(act).collect();
    BulkRun {
        op: BulkOp::Resume,
        results: (answers.iter())
            .map(|(name, _)| (id(name), BulkResult::Waiting))
            .collect(),
        pass,
        sent: BTreeSet::new(),
    }
}

fn timed_out() -> RequestError {
    RequestError::TimedOut {
        subject: "s".to_owned(),
        milliseconds: 3_000,
    }
}

fn refused() -> RequestError {
    RequestError::Refused {
        code: 10_000,
        description: "no".to_owned(),
    }
}

#[test]
fn a_consumer_counts_once_however_often_it_was_written_to() {
    let run = run(&[
        ("a", Ok(())),
        ("a", Ok(())),
        ("b", Err(timed_out())),
        ("b", Ok(())),
        ("c", Err(refused())),
    ]);
    assert_eq!(run.accepted(), 2);
}

#[test]
fn the_newest_answer_tells_whether_a_write_is_in_doubt() {
    let run = run(&[
        ("answered-later", Err(timed_out())),
        ("answered-later", Ok(())),
        ("refused-later", Err(RequestError::Cut)),
        ("refused-later", Err(refused())),
        ("lost", Ok(())),
        ("lost", Err(timed_out())),
        ("cut", Err(RequestError::Cut)),
        ("never-sent", Err(RequestError::NotConnected)),
    ]);
    assert_eq!(run.in_doubt(), 2);
}

#[test]
fn what_a_person_must_mend_is_not_sent_again_and_all_else_is() {
    let denied = RequestError::Denied {
        subject: "s".to_owned(),
    };
    let no_responders = RequestError::NoResponders {
        subject: "s".to_owned(),
        meaning: "m".to_owned(),
    };
    let unreadable = RequestError::Unreadable {
        subject: "s".to_owned(),
        reason: "r".to_owned(),
    };
    let failed = |error: &RequestError| BulkResult::Failed(error.clone());
    for (answer, expected) in [
        (Ok(()), BulkResult::Waiting),
        (Err(RequestError::Missing), BulkResult::Missing),
        (Err(denied.clone()), failed(&denied)),
        (Err(refused()), failed(&refused())),
        (Err(no_responders.clone()), failed(&no_responders)),
        (Err(RequestError::NotConnected), BulkResult::Waiting),
        (Err(RequestError::Cut), BulkResult::Waiting),
        (Err(timed_out()), BulkResult::Waiting),
        (Err(unreadable), BulkResult::Waiting),
    ] {
        // Those before `first` have had their turn.
        let mut run = run(&[("before", Err(refused())), ("a", answer.clone())]);
        run.fail_for_good(1);
        assert_eq!(run.results[&id("a")], expected, "{answer:?}");
        let waits = expected == BulkResult::Waiting;
        let waiting = run.waiting();
        assert!(waiting.contains(&id("before")), "{answer:?}");
        assert_eq!(waiting.contains(&id("a")), waits, "{answer:?}");
    }
}
