//! SIGHUP: what the new config calls for happens at once, and a bad one changes nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use jiff::ToSpan;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::Server;
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";
const RELOADED: &str = "config_last_reload_successful";

/// A consumer that is paused by recess, and the config that did it.
async fn paused_world() -> (Server, Account, Recess, Span) {
    let World { server, account } = World::with(&[BILLING]).await;
    let span = Span::open_for(60);
    let recess = Recess::start(&config(&server, span)).await;
    until_paused(&account, span).await;
    (server, account, recess, span)
}

fn config(server: &Server, span: Span) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], span)
}

async fn until_paused(account: &Account, span: Span) {
    until("the deadline is the window's end", secs(5), async || {
        let paused = account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_window_moves_the_deadline_of_our_pause() {
    let (server, account, recess, span) = paused_world().await;
    let shorter = span.closing(span.closes - 30.seconds());
    recess.reload(&config(&server, shorter));
    until_paused(&account, shorter).await;
    recess
        .until_metric(
            r#"requests_total{action="retime",result="ok"}"#,
            1.0,
            secs(2),
        )
        .await;
    assert_eq!(recess.total("repairs_total").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_taken_out_lets_waiting_messages_flow() {
    let (server, account, recess, _) = paused_world().await;
    account.publish("ORDERS", 1).await;
    let mut waiting = account.pull(BILLING).await;
    assert!(is_silent(&mut waiting, secs(1)).await);
    recess.reload(&Config::new([server.url()]));
    let message = tokio::time::timeout(secs(6), waiting.next()).await;
    assert_eq!(message.expect("a message comes").unwrap().status, None);
    recess
        .until_metric(
            r#"requests_total{action="resume",result="ok"}"#,
            1.0,
            secs(2),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_config_leaves_the_last_good_one_in_force() {
    let (server, account, recess, span) = paused_world().await;
    recess.until_metric(RELOADED, 1.0, secs(2)).await;
    recess.write_config("[[window]]\nname = \"night\"\nschedule = \"61 * * * *\"\n");
    recess.signal("HUP");
    recess.until_metric(RELOADED, 0.0, secs(5)).await;
    recess
        .until_log("new config rejected, the active one stays")
        .await;
    assert!(recess.log().contains("61 * * * *"), "the log says why");

    // Still in force: it repairs, and by the old deadline.
    account.resume(BILLING).await;
    until_paused(&account, span).await;

    recess.reload(&config(&server, span.closing(span.closes - 30.seconds())));
    recess.until_metric(RELOADED, 1.0, secs(5)).await;
    until_paused(&account, span.closing(span.closes - 30.seconds())).await;
}

/// A calendar of one event, of these lines.
fn write_calendar(path: &Path, lines: &str) {
    let event = format!("BEGIN:VEVENT\nSUMMARY:Freeze\n{lines}\nEND:VEVENT\n");
    fs::write(path, format!("BEGIN:VCALENDAR\n{event}END:VCALENDAR\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_read_again_and_a_bad_one_leaves_the_last_good_one_in_force() {
    let World { server, account } = World::with(&[BILLING]).await;
    let files = tempfile::tempdir().unwrap();
    let calendar = files.path().join("freeze.ics");
    write_calendar(&calendar, "DTSTART;VALUE=DATE:20880229");
    let span = Span::open_for(120);
    let exclusion = format!("[[exclusion]]\nname = \"freeze\"\ncalendar = {calendar:?}");
    let config = config(&server, span).set(r#"controller.resync = "1s""#);
    let recess = Recess::start(&config.also(&exclusion)).await;
    until_paused(&account, span).await;
    let last_day = r#"exclusion_last_day_timestamp_seconds{exclusion="freeze"}"#;
    recess
        .until_metric(last_day, 3_728_937_600.0, secs(5))
        .await;

    // The calendar's times cut the window as soon as it is read.
    let hour = 1.hours();
    let (from, until_) = (span.opens - hour, span.closes + hour);
    let time = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let lines = format!("DTSTART:{}\nDTEND:{}", time(from), time(until_));
    write_calendar(&calendar, &lines);
    recess.signal("HUP");
    until("the consumer runs", secs(10), async || {
        (!account.look(BILLING).await.paused).then_some(())
    })
    .await;
    let ends = until_.as_second() as f64;
    recess.until_metric(last_day, ends, secs(5)).await;

    // Half a download.
    fs::write(&calendar, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026").unwrap();
    recess.signal("HUP");
    recess.until_metric(RELOADED, 0.0, secs(5)).await;
    let rejected = "new config rejected, the active one stays";
    recess.until_log(rejected).await;
    let at = format!("{}:2: VEVENT has no END", calendar.display());
    assert!(recess.log().contains(&at), "{}", recess.log());
    recess.passes(2).await;
    assert!(!account.look(BILLING).await.paused);
    assert_eq!(recess.metric(last_day).await, Some(ends));

    write_calendar(&calendar, "DTSTART;VALUE=DATE:20880229");
    recess.signal("HUP");
    recess.until_metric(RELOADED, 1.0, secs(5)).await;
    until_paused(&account, span).await;
}

async fn is_silent(pull: &mut Subscriber, within: Duration) -> bool {
    tokio::time::timeout(within, pull.next()).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_means_nothing_does_nothing() {
    let World {
        server,
        account: _account,
    } = World::with(&["ORDERS/billing"]).await;
    let span = Span::opening_in(4, 300);
    let mut config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    // A release build has no way to hang; in this one it takes the variable.
    if !cfg!(debug_assertions) {
        let hang = ("RECESS_TEST_HANG_LOOP_ON", "SIGUSR1");
        config
            .environment
            .push((hang.0.to_owned(), hang.1.to_owned()));
    }
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    recess.signal("USR1");
    let paused = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;
    recess.until_metric(paused, 1.0, secs(15)).await;
    assert_eq!(recess.complaints(), [""; 0]);
}
