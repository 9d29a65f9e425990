use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::example::{
    IN_THE_AFTERNOON, IN_THE_NIGHT, PROD_EU, PROD_EU_CONSUMERS, Scene, assert_golden, at,
    by_metadata, three_decisions,
};
use super::*;
use crate::changes::Change;
use crate::consumer::Found;
use crate::jetstream::bucket::{BucketError, BucketRead};
use crate::jetstream::{RequestError, Unreadable, Unsuitable};
use crate::overrides::entry;
use crate::plan::{Orphan, Rule, Verdict};
use crate::report::{Blank, BucketState, Failure, Rows};
use crate::retention::Cause;

/// What a summary says, a line each: its title, its sentences, and the things to check with their
/// commands.
fn said(scene: &Scene) -> String {
    let summary = Summary::of(&scene.facts());
    let mut lines = vec![
        summary.title(),
        summary.headline,
        summary.outlook.to_string(),
    ];
    for problem in summary.problems {
        let level = problem.level.glyph();
        lines.push(format!("{level} {} {}.", problem.about, problem.text));
        lines.push(format!("  $ {}", problem.command));
    }
    lines.join("\n")
}

fn night(edit: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::prod_eu(IN_THE_NIGHT);
    edit(&mut scene);
    scene
}

/// The same night, with metadata.
fn by_night_and_metadata(edit: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::new(&by_metadata(), IN_THE_NIGHT, &PROD_EU_CONSUMERS);
    edit(&mut scene);
    scene
}

fn denied() -> RequestError {
    RequestError::Denied {
        subject: "$JS.API.CONSUMER.PAUSE.ORDERS.billing".to_owned(),
    }
}

/// A scene for each fault, alone.
fn faults() -> Vec<(&'static str, Scene)> {
    let mut faults: Vec<(&'static str, Scene)> = Vec::new();
    let mut add = |name, edit: fn(&mut Scene)| faults.push((name, night(edit)));
    add("not connected", |s| {
        s.report.link = Link::Down {
            reason: "connection refused".to_owned(),
        }
    });
    add("not connected yet", |s| {
        s.report.link = Link::Down {
            reason: String::new(),
        }
    });
    add("unsupported", |s| {
        s.report.link = Link::Unsuitable(Unsuitable::NoPause {
            version: "2.10.25".to_owned(),
        })
    });
    add("stale", |s| s.now += SignedDuration::from_mins(5));
    add("clock lost", |s| {
        s.report.skew = Some(SignedDuration::from_mins(12))
    });
    add("clock lost, and one running", |s| {
        s.report.skew = Some(SignedDuration::from_mins(12));
        s.runs("ORDERS/billing");
    });
    add("clock untrusted", |s| {
        s.report.skew = Some(SignedDuration::from_secs(-40))
    });
    add("clock doubtful", |s| {
        s.report.smooth_skew = Some(SignedDuration::from_millis(2100))
    });
    add("not observed yet", |s| {
        *s.rows() = Rows::default();
        s.report.windows.iter_mut().for_each(|w| w.unmatched = None);
    });
    add("stream not observed", |s| {
        let failure = Failure::of_stream("ORDERS".to_owned(), denied());
        s.report.pass.as_mut().unwrap().failures.push(failure);
        let report = s.report.clone();
        s.lately.follow(&report, &[]);
    });
    add("state unknown", |s| {
        s.found("ORDERS/billing", Found::Unknown)
    });
    add("missed", |s| {
        let occurrence = s
            .config
            .policy
            .window("nightly-vacuum")
            .unwrap()
            .open_at(at("2027-03-25T01:00:00Z"));
        let report = s.report.clone();
        s.lately.follow(
            &report,
            &[Change::Blank {
                window: "nightly-vacuum".into(),
                occurrence,
                blank: Blank::Missed,
            }],
        );
    });
    add("unobserved", |s| {
        let report = s.report.clone();
        s.lately.follow(
            &report,
            &[Change::Blank {
                window: "nightly-vacuum".into(),
                occurrence: None,
                blank: Blank::Unobserved,
            }],
        );
    });
    add("running", |s| {
        s.runs("ORDERS/billing");
        s.row("ORDERS/billing").problem = Some(Box::new(denied()));
    });
    add("two running", |s| {
        s.runs("ORDERS/billing");
        s.runs("ORDERS/export");
    });
    add("contested", |s| {
        s.runs("ORDERS/billing");
        s.row("ORDERS/billing").contested = true;
    });
    add("contested and running", |s| {
        s.runs("ORDERS/billing");
        s.runs("ORDERS/export");
        s.row("ORDERS/billing").contested = true;
    });
    add("still paused", |s| {
        s.is_paused_by_recess("PARTNER/sync", "2027-03-26T05:00:00Z")
    });
    add("ends itself", |s| {
        s.is_paused_by_recess("PARTNER/sync", "2027-03-26T01:41:05Z")
    });
    add("wrong deadline", |s| {
        s.is_paused_by_recess("ORDERS/billing", "2027-03-26T02:00:00Z")
    });
    add("unconfirmed", |s| {
        s.row("ORDERS/billing").unconfirmed = Some(Duration::from_secs(10))
    });
    add("unconfirmed for a moment", |s| {
        s.row("ORDERS/billing").unconfirmed = Some(Duration::from_secs(9))
    });
    add("orphan", |s| {
        s.is_orphaned("OLD/one", "2027-03-26T05:00:00Z", Orphan::Waiting)
    });
    add("two orphans", |s| {
        for one in ["OLD/one", "OLD/two"] {
            s.is_orphaned(one, "2027-03-26T05:00:00Z", Orphan::Waiting)
        }
    });
    add("foreign early", |s| {
        s.is_paused_by_another("ORDERS/billing", "2027-03-26T02:00:00Z")
    });
    add("foreign late", |s| {
        s.is_paused_by_another("ORDERS/shipping", "2027-03-26T11:00:00Z")
    });
    add("foreign unwanted", |s| {
        s.is_paused_by_another("PARTNER/sync", "2027-03-26T11:00:00Z")
    });
    add("foreign as wanted", |s| {
        s.is_paused_by_another("ORDERS/shipping", "2027-03-26T02:30:00Z")
    });
    add("messages are lost", |s| {
        s.row("ORDERS/billing")
            .backlog
            .change_losses(|losses| losses.goes_on = true)
    });
    add("messages are lost soon", |s| {
        s.loses("ORDERS/billing", "2027-03-26T01:50:00Z", Cause::MaxAge)
    });
    add("messages are lost later", |s| {
        s.loses("ORDERS/billing", "2027-03-26T02:10:00Z", Cause::MaxBytes)
    });
    add("publishers are refused", |s| {
        s.loses("ORDERS/billing", "2027-03-26T02:10:00Z", Cause::Refused)
    });
    add("messages of two are lost later", |s| {
        for one in ["ORDERS/billing", "ORDERS/export"] {
            s.loses(one, "2027-03-26T02:10:00Z", Cause::MaxMessages)
        }
    });
    add("released and still waiting", |s| {
        s.runs("ORDERS/billing");
        let row = s.row("ORDERS/billing");
        (row.verdict, row.rule) = (Verdict::Settled, Rule::Released);
        row.backlog
            .change_losses(|losses| losses.still_waits = true);
    });
    add("not pausable", |s| {
        s.runs("ORDERS/billing");
        let row = s.row("ORDERS/billing");
        (row.verdict, row.rule) = (Verdict::Settled, Rule::LossNear);
    });
    add("missing", |s| s.found("BILLING/ledger", Found::Missing));
    let mut labelled =
        |name, edit: fn(&mut Scene)| faults.push((name, by_night_and_metadata(edit)));
    labelled("metadata lost", |s| s.loses_its_labels("ORDERS/billing"));
    labelled("metadata of two lost", |s| {
        s.loses_its_labels("ORDERS/billing");
        s.loses_its_labels("ORDERS/export");
    });
    let mut add = |name, edit: fn(&mut Scene)| faults.push((name, night(edit)));
    add("config refused", |s| {
        s.refused = Some("line 12: `duratoin` is not an option".to_owned())
    });
    add("bucket missing", |s| {
        s.report.overrides.as_mut().unwrap().state = BucketState::Missing
    });
    add("bucket unread", |s| {
        let error = BucketError::NoDirectGet {
            bucket: "recess".to_owned(),
        };
        let overrides = s.report.overrides.as_mut().unwrap();
        (overrides.state, overrides.read_at) = (BucketState::Failed(error), None);
    });
    add("override unreadable", |s| {
        let unreadable = vec![entry::Unreadable {
            id: "eve.\u{7}x;reboot".to_owned(),
            reason: "its JSON is cut short".to_owned(),
        }];
        s.report.overrides.as_mut().unwrap().read = Arc::new(BucketRead {
            unreadable,
            ..BucketRead::default()
        });
    });
    add("window without consumers", |s| {
        s.rows().retain(|id, _| id.stream() != "BILLING");
        s.refresh();
    });
    add("selector without consumers", |s| {
        s.window("nightly-vacuum").unmatched = Some(["ORDRES/*".into()].into())
    });
    add("unlisted", |s| {
        s.report.unlisted = [Failure::of_stream("ORDERS".to_owned(), denied())].into()
    });
    add("unreadable entry", |s| {
        let entry = Unreadable {
            name: "x".to_owned(),
            reason: "it has no name".to_owned(),
        };
        Arc::make_mut(&mut s.report.left_out)
            .unreadable
            .insert((Some("ORDERS".to_owned()), entry));
    });
    add("dry run", |s| {
        s.config.settings.controller.dry_run = true;
        s.runs("ORDERS/billing");
    });
    faults
}

fn consumers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("ORDERS/c{number}"))
        .collect()
}

fn overridden(now: &str) -> Scene {
    let mut scene = Scene::prod_eu(now);
    scene.add("EVENTS/mail");
    scene.overridden(three_decisions());
    scene
}

/// Scenes in which nothing is wrong, and those that have little.
fn calm() -> Vec<(&'static str, Scene)> {
    let many = consumers(10_000);
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let released = night(|s| {
        s.runs("ORDERS/billing");
        let row = s.row("ORDERS/billing");
        (row.verdict, row.rule) = (Verdict::Settled, Rule::Released);
    });
    // Reports are some seconds old when they are shown.
    let later = |made: &str, shown: &str| {
        let mut scene = Scene::prod_eu(made);
        scene.now = at(shown);
        scene
    };
    let exempts = |names: &'static [&str]| {
        move |scene: &mut Scene| {
            for name in names {
                let metadata = [("team", "billing"), ("recess.exempt", "true")];
                scene.is_tagged(&format!("ORDERS/{name}"), &metadata);
            }
        }
    };
    let mut exempt_by_day = Scene::new(&by_metadata(), IN_THE_AFTERNOON, &PROD_EU_CONSUMERS);
    exempts(&["billing"])(&mut exempt_by_day);
    let mut two_open = Scene::prod_eu("2027-03-27T02:10:00Z");
    two_open.refresh();
    vec![
        ("a window is open", night(|_| {})),
        ("nothing is open", Scene::prod_eu(IN_THE_AFTERNOON)),
        ("two windows are open", two_open),
        (
            "a window has opened since the report",
            later("2027-03-26T00:29:58Z", "2027-03-26T00:30:01Z"),
        ),
        (
            "a window has closed since the report",
            later("2027-03-26T02:29:58Z", "2027-03-26T02:30:01Z"),
        ),
        (
            "the last opening is over",
            Scene::new(ONCE, "2027-03-31T04:00:00Z", &["BILLING/ledger"]),
        ),
        (
            "the last opening lasts",
            Scene::new(ONCE, "2027-03-31T00:00:00Z", &["BILLING/ledger"]),
        ),
        (
            "extended, and one paused by a person",
            overridden(IN_THE_NIGHT),
        ),
        (
            "only one paused by a person",
            overridden("2027-03-26T04:10:00Z"),
        ),
        ("one is released", released),
        (
            "one is exempt",
            by_night_and_metadata(exempts(&["billing"])),
        ),
        (
            "all of the open window are exempt",
            by_night_and_metadata(exempts(&["billing", "export", "invoice", "shipping"])),
        ),
        ("one is exempt, and nothing is open", exempt_by_day),
        (
            "no windows",
            Scene::new("instance = 'a'", IN_THE_NIGHT, &[]),
        ),
        ("no consumers", Scene::new(PROD_EU, IN_THE_NIGHT, &[])),
        (
            "one consumer",
            Scene::new(PROD_EU, IN_THE_AFTERNOON, &["ORDERS/billing"]),
        ),
        ("10,000 consumers", Scene::new(PROD_EU, IN_THE_NIGHT, &many)),
    ]
}

const ONCE: &str = r#"
instance = "prod-eu"
defaults.timezone = "Europe/Zurich"

[[window]]
name      = "db-upgrade"
consumers = ["BILLING/*"]
from      = 2027-03-30T22:00:00
until     = 2027-03-31T04:00:00
"#;

#[test]
fn everything_is_said_in_a_sentence_and_each_fault_has_its_command() {
    let scenes = calm().into_iter().chain(faults());
    let texts = scenes.map(|(name, scene)| format!("# {name}\n{}\n", said(&scene)));
    let text = texts.collect::<Vec<_>>().join("\n");
    assert_golden("src/summary/tests/said.txt", &text);
}

#[test]
fn a_fault_is_never_called_ok() {
    let unseen = [
        "ends itself",
        "unconfirmed for a moment",
        "foreign as wanted",
    ];
    let faults = faults();
    assert!(faults.len() > 30);
    for (name, scene) in &faults {
        let summary = Summary::of(&scene.facts());
        let is_ok = summary.level == Level::Ok;
        assert_eq!(is_ok, unseen.contains(name), "{name}");
        let is_starting = name.ends_with(" yet");
        assert_eq!(summary.problems.is_empty(), is_ok || is_starting, "{name}");
    }
}

#[test]
fn the_most_urgent_comes_first_and_there_is_room_for_many() {
    let many = consumers(1_000);
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut scene = Scene::new(PROD_EU, IN_THE_NIGHT, &many);
    for path in &many {
        scene.runs(path);
    }
    scene.is_orphaned("OLD/one", "2027-03-26T05:00:00Z", Orphan::Waiting);
    scene.refused = Some("line 1: bad".to_owned());
    let missed = Change::Blank {
        window: "db-upgrade".into(),
        occurrence: None,
        blank: Blank::Missed,
    };
    scene.lately.follow(&scene.report, &[missed]);
    let summary = Summary::of(&scene.facts());
    let levels: Vec<Level> = summary
        .problems
        .iter()
        .map(|problem| problem.level)
        .collect();
    assert!(levels.is_sorted_by(|one, next| one >= next), "{levels:?}");
    let first = &summary.problems[0];
    assert_eq!(
        first.about,
        "ORDERS > c0, ORDERS > c1, ORDERS > c10 and 997 more"
    );
    assert_eq!(
        summary.headline,
        "1\u{a0}000 consumers run and should be paused."
    );
    assert_eq!(summary.problems[1].about, "db-upgrade");
    assert!(summary.problems.len() < 6, "{:?}", summary.problems);
}

#[test]
fn a_name_can_neither_move_text_nor_leave_its_command() {
    let mut scene = Scene::new(PROD_EU, IN_THE_NIGHT, &[]);
    scene.add("ORDERS/$(reboot)\u{202e}'x");
    scene.runs("ORDERS/$(reboot)\u{202e}'x");
    let summary = Summary::of(&scene.facts());
    let problem = &summary.problems[0];
    assert_eq!(problem.about, r"ORDERS > $(reboot)\u{202e}'x");
    assert_eq!(
        problem.command,
        r"recess explain 'ORDERS/$(reboot)\u{202e}'\''x' --live"
    );
}

#[test]
fn a_command_names_a_config_file_that_is_elsewhere() {
    let mut scene = night(|s| s.runs("ORDERS/billing"));
    scene.config.source.path = "/srv/my recess.toml".into();
    let summary = Summary::of(&scene.facts());
    assert_eq!(
        summary.problems[0].command,
        "recess explain ORDERS/billing --live --config '/srv/my recess.toml'"
    );
}

#[test]
fn a_command_s_own_report_is_no_dry_run() {
    // `status --watch` decides as in a dry run.
    let mut scene = night(|_| {});
    scene.report.dry_run = true;
    assert_eq!(Summary::of(&scene.facts()).level, Level::Ok);
}
