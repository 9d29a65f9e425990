use jiff::SignedDuration;

use super::*;
use crate::changes::Lately;
use crate::jetstream::RequestError;
use crate::report::example::full_pass;
use crate::report::{Failure, Pass};
use crate::summary::example::{
    IN_THE_AFTERNOON, IN_THE_NIGHT, Scene, assert_golden, three_decisions,
};

/// What is said of each scene after the one before.
fn said(scenes: &[(&str, Scene)]) -> String {
    let mut lines = Lines::default();
    let said = scenes.iter().map(|(name, scene)| {
        let said = lines.take(&scene.facts());
        assert_eq!(lines.take(&scene.facts()), "", "{name}, again");
        format!("# {name}\n{said}\n")
    });
    said.collect()
}

fn later(scene: &Scene, edit: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = scene.clone();
    scene.now += SignedDuration::from_secs(1);
    edit(&mut scene);
    scene
}

#[test]
fn each_change_is_a_line() {
    let paths: Vec<String> = (0..1000)
        .map(|number| format!("ORDERS/c{number:03}"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let closed = Scene::prod_eu(IN_THE_AFTERNOON);
    let mut open = Scene::prod_eu(IN_THE_NIGHT);
    open.add("EVENTS/mail");
    let unpaused = later(&open, |scene| scene.runs("ORDERS/export"));
    let foreign = later(&open, |scene| {
        scene.is_paused_by_another("ORDERS/shipping", "2027-03-26T11:00:00Z");
    });
    let extended = later(&open, |scene| scene.overridden(three_decisions()));
    let down = later(&extended, |scene| {
        scene.report.link = Link::Down {
            reason: "connection refused".to_owned(),
        };
    });
    let up = later(&extended, |_| ());
    let failing = later(&up, |scene| {
        let error = RequestError::TimedOut {
            subject: "$JS.API.CONSUMER.LIST.ORDERS".to_owned(),
            milliseconds: 3000,
        };
        let pass = Pass {
            failures: vec![Failure::of_stream("ORDERS".to_owned(), error)],
            ..full_pass()
        };
        scene.report.pass = Some(pass);
        scene.lately = Lately::default();
        scene.lately.follow(&scene.report, &[]);
    });
    let gone = later(&up, |scene| {
        let path = "ORDERS/invoice".parse().unwrap();
        scene.rows().remove(&path);
    });
    let crowd = later(&gone, |scene| paths.iter().for_each(|path| scene.add(path)));
    let unread = later(&crowd, |scene| {
        let overrides = scene.report.overrides.as_mut().unwrap();
        overrides.state = BucketState::Missing;
    });
    let story = [
        ("at first", closed),
        ("a window is open", open),
        ("one runs", unpaused),
        ("one is paused by another client", foreign),
        ("extended, and one paused by a person", extended),
        ("not connected", down),
        ("connected again", up.clone()),
        ("a stream does not answer", failing),
        ("it answers", up),
        ("one is deleted", gone),
        ("a thousand more", crowd),
        ("the bucket is gone", unread),
    ];
    assert_golden("src/cli/status/lines/tests/said.txt", &said(&story));
}

#[test]
fn time_that_passes_is_no_news() {
    let scene = Scene::prod_eu(IN_THE_NIGHT);
    let mut lines = Lines::default();
    assert_ne!(lines.take(&scene.facts()), "");
    for minutes in 1..10 {
        let mut scene = scene.clone();
        scene.now += SignedDuration::from_mins(minutes);
        scene.report.at = scene.now;
        assert_eq!(lines.take(&scene.facts()), "");
    }
}
