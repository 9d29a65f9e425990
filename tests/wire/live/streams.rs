//! Streams whose limits work against a pause.

use std::time::Duration;

use serde_json::json;

use super::{config, findings, tells};
use crate::cli::ask;
use crate::support::account::Account;
use crate::support::recess::command;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_drops_what_waits_too_long_is_told() {
    let world = World::new().await;
    world
        .account
        .stream_with("ORDERS", json!({ "max_age": 3_600_000_000_000_u64 }))
        .await;
    world.account.consumer("ORDERS/billing").await;
    tells(
        &config(&world, &["ORDERS/*"]),
        "messages-expire",
        "ORDERS > billing",
        "its stream drops messages after 1h (max_age), and window night pauses it for 2h: messages \
         that wait longer are lost",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_nearly_full_of_what_waits_is_told() {
    let world = World::new().await;
    world
        .account
        .stream_with("ORDERS", json!({ "max_msgs": 20 }))
        .await;
    world.account.consumer("ORDERS/billing").await;
    world.account.publish("ORDERS", 19).await;
    tells(
        &config(&world, &["ORDERS/*"]),
        "messages-dropped",
        "ORDERS > billing",
        "19 messages are waiting for it, no inflow now, but more may arrive in window night (2h), \
         and its stream keeps 20 (max_msgs): the oldest are lost",
    );
    // One that has had them all is no matter.
    world.account.drain("ORDERS/billing", 19).await;
    let (exit, ..) = ask(&config(&world, &["ORDERS/*"]), &["check", "--live"]);
    assert_eq!(exit, Some(0));
}

/// Publishes all the time, until it is dropped.
struct Publisher(tokio::task::JoinHandle<()>);

impl Drop for Publisher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn publish_always(account: &Account, subject: &'static str) -> Publisher {
    let client = account.client.clone();
    Publisher(tokio::spawn(async move {
        loop {
            client
                .publish(subject, "x".repeat(100).into())
                .await
                .unwrap();
            client.flush().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_measured_and_counts_against_a_limit_in_bytes() {
    let world = World::new().await;
    world
        .account
        .stream_with("ORDERS", json!({ "max_bytes": 100_000 }))
        .await;
    world.account.consumer("ORDERS/billing").await;
    let config = config(&world, &["ORDERS/*"]);
    world.account.publish("ORDERS", 3).await;
    let (exit, ..) = ask(&config, &["check", "--live"]);
    assert_eq!(exit, Some(0), "no inflow now");
    let _publisher = publish_always(&world.account, "ORDERS.new");
    let told = findings(&config);
    assert_eq!(told.len(), 1, "{told:?}");
    let [code, subject, message] = &told[0];
    assert_eq!(
        (&**code, &**subject),
        ("messages-dropped", "ORDERS > billing")
    );
    assert!(
        message.contains(" per second (as measured now) in window night (2h)"),
        "{message}"
    );
    assert!(
        message.contains("its stream keeps 100 kB (max_bytes), about "),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_queue_that_fills_up_and_refuses_publishers_is_told() {
    let world = World::new().await;
    let queue = json!({ "retention": "workqueue", "discard": "new", "max_msgs": 10 });
    world.account.stream_with("JOBS", queue).await;
    world.account.consumer("JOBS/worker").await;
    world.account.publish("JOBS", 9).await;
    let config = config(&world, &["JOBS/worker"]);
    tells(
        &config,
        "publishers-refused",
        "stream JOBS",
        "9 messages are in it, no inflow now, but more may arrive in window night (2h), and it \
         keeps 10 (max_msgs): when it is full, it refuses publishers (error 10077)",
    );
    // And so it is.
    world.account.publish("JOBS", 1).await;
    let answer = world.account.ask("JOBS.new", "one too many").await;
    assert_eq!(answer["error"]["err_code"], 10077, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_consumers_with_one_finding_are_one_line_for_people_and_each_in_json() {
    let world = World::new().await;
    world
        .account
        .stream_with("ORDERS", json!({ "max_age": 3_600_000_000_000_u64 }))
        .await;
    for number in 0..30 {
        world
            .account
            .consumer(&format!("ORDERS/c{number:02}"))
            .await;
    }
    let config = config(&world, &["ORDERS/*"]);
    let told = findings(&config);
    assert_eq!(told.len(), 30);
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let output = command(&["check", "--live", "--config", path.to_str().unwrap()]);
    let shown = format!(
        "warning[messages-expire]: ORDERS > c00, c01, c02 and 27 more: its stream drops messages \
         after 1h (max_age), and window night pauses it for 2h: messages that wait longer are \
         lost\n--> {path}\n = help: raise the stream's max_age above 2h, or shorten the \
         window\n\n{path}: 1 warning\n",
        path = path.display()
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), shown);
    assert_eq!(output.status.code(), Some(3));
}
