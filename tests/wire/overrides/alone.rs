//! Without a daemon: the command does itself what the override calls for.

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::*;
use crate::hands::pick;
use crate::support::config::MARK;
use crate::support::recess::{reach, secs};

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_opened_extended_closed_and_each_is_undone() {
    let (world, config) = world().await;
    let config = night(config, Span::opening_in(7200, 600));
    let before = Timestamp::now();
    let opened = done(&config, &["open", "night", "--for", "10m"]);
    let (from, until) = (instant(&opened["from"]), instant(&opened["until"]));
    assert!(
        (0..10).contains(&from.duration_since(before).as_secs().abs()),
        "{opened}"
    );
    assert_eq!(until, from + 10.minutes());
    let said = pick(
        &json!([opened]),
        &["effect", "verb", "window", "reason", "by", "state"],
    );
    assert_eq!(
        said,
        json!([["pause", "open", "night", "tests", "alice", "active"]])
    );
    for path in [BILLING, SHIPPING] {
        assert_eq!(held(&world.account, path).await, Some((until, MARK)));
    }

    // It counts from the close.
    let extended = done(&config, &["extend", "night", "--for", "5m"]);
    assert_eq!(instant(&extended["from"]), until);
    let later = until + 5.minutes();
    assert_eq!(instant(&extended["until"]), later);
    assert_eq!(held(&world.account, BILLING).await, Some((later, MARK)));

    let undone = done(&config, &["undo", id(&extended)]);
    assert_eq!(
        (&undone["state"], &undone["undone"]["by"]),
        (&json!("undone"), &json!("alice"))
    );
    assert_eq!(held(&world.account, BILLING).await, Some((until, MARK)));

    let closed = done(&config, &["close", "night"]);
    assert_eq!(instant(&closed["until"]), until);
    for path in [BILLING, SHIPPING] {
        assert_eq!(held(&world.account, path).await, None);
    }
    // And open again, as if it had never been closed.
    done(&config, &["undo", id(&closed)]);
    assert_eq!(held(&world.account, BILLING).await, Some((until, MARK)));
    let states = json!([[opened["id"], "active"]]);
    assert_eq!(listed(&config, &[]), states);
    let states = json!([
        [opened["id"], "active"],
        [extended["id"], "undone"],
        [closed["id"], "undone"]
    ]);
    assert_eq!(listed(&config, &["--all"]), states);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_wakes_those_who_wait_and_holds_until_the_window_would_have_closed() {
    let (world, config) = world().await;
    let span = Span::open_for(20);
    let config = night(config, span);
    let opened = done(
        &config,
        &[
            "open",
            "night",
            "--until",
            &(span.closes + 60.seconds()).to_string(),
        ],
    );
    let deadline = span.closes + 60.seconds();
    assert_eq!(held(&world.account, BILLING).await, Some((deadline, MARK)));
    let mut pull = world.account.pull(BILLING).await;
    world.account.publish("ORDERS", 1).await;
    let (exit, out, err) = ask(
        &config,
        &[
            "close",
            "night",
            "--author",
            "alice",
            "--reason",
            "vacuum is done",
        ],
    );
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    let message = tokio::time::timeout(secs(3), futures_util::StreamExt::next(&mut pull)).await;
    assert!(message.unwrap().unwrap().status.is_none());
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("Closed night (alice."), "{out}");
    assert!(
        lines[1].starts_with("  before: ") && lines[2].starts_with("  after:  "),
        "{out}"
    );
    assert_eq!(lines[3], "  2 consumers are delivering.");
    assert!(
        lines[4].starts_with("The override ends by itself: "),
        "{out}"
    );
    assert!(
        lines[4].contains(". To undo it: recess undo alice."),
        "{out}"
    );
    assert_eq!(lines.len(), 5, "{out}");
    drop(opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skip_leaves_the_next_opening_out_and_its_end_needs_nobody() {
    let (world, config) = world().await;
    let span = Span::opening_in(3600, 600);
    let config = night(config, span);
    let skipped = done(&config, &["skip", "night"]);
    assert_eq!(
        (instant(&skipped["from"]), instant(&skipped["until"])),
        (span.opens, span.closes)
    );
    assert_eq!(skipped["state"], "ahead");
    let (_, plan, _) = ask(&config, &["plan", "--format", "json"]);
    assert_eq!(plan.trim(), "[]");
    let (_, plan, err) = ask(&config, &["plan", "--offline"]);
    assert!(plan.contains("night") && err.is_empty(), "{plan}{err}");
    let (exit, _, err) = alice(&config, &["close", "night"]);
    assert_eq!(exit, Some(3));
    assert!(
        err.starts_with("error: night is not open; it opens next "),
        "{err}"
    );

    // An override of a few seconds: nobody ends it.
    let opened = done(&config, &["open", "night", "--for", "8s"]);
    let until = instant(&opened["until"]);
    assert_eq!(held(&world.account, BILLING).await, Some((until, MARK)));
    reach(until + 1.second()).await;
    assert_eq!(held(&world.account, BILLING).await, None);
    let states = json!([[skipped["id"], "ahead"], [opened["id"], "ended"]]);
    assert_eq!(listed(&config, &["--all"]), states);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_and_a_resume_are_recorded_and_undone() {
    let (world, config) = world().await;
    let rows = done(&config, &["pause", BILLING, "--for", "10m"]);
    assert_eq!(
        pick(&rows, &["consumer", "result"]),
        json!([["billing", "paused"]])
    );
    let id = rows[0]["override"].as_str().unwrap();
    let until = instant(&rows[0]["until"]);
    assert_eq!(held(&world.account, BILLING).await, Some((until, MARK)));
    assert_eq!(held(&world.account, SHIPPING).await, None);
    // No window names it: only the override does.
    done(&config, &["undo", id]);
    assert_eq!(held(&world.account, BILLING).await, None);

    // Nothing holds it: nothing is recorded.
    let rows = done(&config, &["resume", BILLING]);
    assert_eq!(
        pick(&rows, &["result", "override"]),
        json!([["running", null]])
    );
    let span = Span::open_for(120);
    let config = night(config, span);
    let opened = done(&config, &["extend", "night", "--for", "1m"]);
    let closes = instant(&opened["until"]);
    let rows = done(&config, &["resume", BILLING]);
    assert_eq!(pick(&rows, &["result"]), json!([["resumed"]]));
    assert_eq!(held(&world.account, BILLING).await, None);
    assert_eq!(held(&world.account, SHIPPING).await, Some((closes, MARK)));
    let id = rows[0]["override"].as_str().unwrap();
    // What the window wants counts again.
    done(&config, &["undo", id]);
    assert_eq!(held(&world.account, BILLING).await, Some((closes, MARK)));
    // Too short to be sure that each server applies it.
    let (exit, _, err) = alice(&config, &["open", "night", "--for", "5s"]);
    let words = "error: a pause of 5s or less could end before each server has applied it\n";
    assert_eq!((exit, &*err), (Some(2), words));
    // A dry run writes nothing.
    let rows = done(&config, &["pause", "ORDERS/*", "--for", "1h", "--dry-run"]);
    assert_eq!(
        pick(&rows, &["result", "override"]),
        json!([["would-pause", null], ["would-pause", null]])
    );
    let would = done(&config, &["close", "night", "--dry-run"]);
    assert_eq!(
        (&would["id"], &would["verb"]),
        (&json!(null), &json!("close"))
    );
    assert_eq!(listed(&config, &[]), json!([[opened["id"], "ahead"]]));
}
