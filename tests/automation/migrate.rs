//! `migrate`: what a script learns of a window, and what it does about it.

use std::fs;
use std::process::Command;

use jiff::{Timestamp, ToSpan};

use crate::support::config::Span;
use crate::support::recess::{Recess, secs, until};
use crate::world::{World, begin, ended, folder};

/// The script on a window of a daemon that runs.
async fn scene(rest: i64) -> (World, Recess, Span) {
    let world = World::new().await;
    let span = Span::open_for(rest);
    let config = world.config().window("db-upgrade", &["BILLING/*"], span);
    let recess = Recess::start(&config).await;
    until("it is paused", secs(10), async || {
        world.is_paused().await.then_some(())
    })
    .await;
    (world, recess, span)
}

fn migrate(world: &World, recess: &Recess, needs: i64, script: &str) -> Command {
    let program = world.program("upgrade", script);
    let mut command = world.command(folder().join("migrate"), &recess.config_path());
    command
        .arg("db-upgrade")
        .arg(program)
        .env("NEEDS", needs.to_string())
        .env("TIMEOUT", "20s")
        .env("RELOAD", format!("kill -HUP {}", recess.pid()));
    command
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs jq: tests/automation/run"]
async fn it_migrates_when_the_last_message_is_done_and_ends_the_window_early() {
    let world = World::new().await;
    let message = world.take().await;
    let span = Span::open_for(300);
    let config = world.config().window("db-upgrade", &["BILLING/*"], span);
    let recess = Recess::start(&config).await;
    let migrating = begin(migrate(&world, &recess, 60, "touch migrated"));
    tokio::time::sleep(secs(4)).await;
    let migrated = world.files.path().join("migrated");
    assert!(!migrated.exists(), "a message is in flight");
    message.ack().await.unwrap();
    let output = migrating.await.unwrap();
    assert_eq!(ended(&output).0, Some(0), "{output:?}");
    assert!(migrated.exists());
    assert!(Timestamp::now() < span.closes);
    assert!(!world.is_paused().await, "{output:?}");
    recess.until_log("window db-upgrade closed").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs jq: tests/automation/run"]
async fn a_migration_that_outlasts_the_window_is_told_so() {
    let (world, recess, span) = scene(15).await;
    let seconds = span.closes.duration_since(Timestamp::now()).as_secs() + 3;
    let script = format!("sleep {seconds}; touch migrated");
    let output = begin(migrate(&world, &recess, 1, &script)).await.unwrap();
    let (status, told) = ended(&output);
    assert_eq!(status, Some(4), "{told}");
    assert!(
        told.contains("the migration outlasted the window"),
        "{told}"
    );
    assert!(world.files.path().join("migrated").exists());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs jq: tests/automation/run"]
async fn nothing_is_migrated_while_somebody_works_or_where_too_little_is_left() {
    let world = World::new().await;
    let _message = world.take().await;
    let span = Span::open_for(120);
    let config = world.config().window("db-upgrade", &["BILLING/*"], span);
    let recess = Recess::start(&config).await;
    let mut command = migrate(&world, &recess, 1, "touch migrated");
    command.env("TIMEOUT", "4s");
    let output = begin(command).await.unwrap();
    let (status, told) = ended(&output);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("timed out after 4s"), "{told}");
    assert!(told.contains("not drained; nothing was migrated"), "{told}");
    _message.ack().await.unwrap();
    let output = begin(migrate(&world, &recess, 600, "touch migrated"))
        .await
        .unwrap();
    let (status, told) = ended(&output);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains(" s; nothing was migrated"), "{told}");
    assert!(!world.files.path().join("migrated").exists());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs jq: tests/automation/run"]
async fn a_migration_that_fails_leaves_them_paused_and_a_reload_that_fails_leaves_the_file() {
    let (world, recess, span) = scene(60).await;
    let before = fs::read_to_string(recess.config_path()).unwrap();
    let output = begin(migrate(&world, &recess, 1, "exit 7")).await.unwrap();
    assert_eq!(ended(&output).0, Some(7), "{output:?}");
    assert!(world.is_paused().await);

    let mut command = migrate(&world, &recess, 1, "exit 0");
    command.env("RELOAD", "false");
    let output = begin(command).await.unwrap();
    let (status, told) = ended(&output);
    assert_eq!(status, Some(0), "{told}");
    assert!(
        told.contains("the window could not be ended early"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(recess.config_path()).unwrap(), before);
    assert!(world.is_paused().await && Timestamp::now() < span.closes + 1.second());
}
