//! A log that takes no more lines: whatever reads standard error has stopped to read. Nothing else may wait for it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;

use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, reach, secs, until};
use crate::support::world::World;

/// `O_NONBLOCK` on every Linux that has the tools these tests need, but MIPS and SPARC.
const NON_BLOCKING: i32 = 0o4000;

/// A pipe of which nobody reads, as `recess run 2>&1 | sleep 1000` makes it.
struct Pipe {
    reader: PipeReader,
    /// The same pipe by a description of its own: recess writes to one that blocks.
    filler: File,
}

impl Pipe {
    fn new() -> (Self, Stdio) {
        let (reader, writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        let filler = (OpenOptions::new().write(true))
            .custom_flags(NON_BLOCKING)
            .open(path)
            .unwrap();
        (Self { reader, filler }, writer.into())
    }

    /// Fills it to its last byte.
    fn fill(&mut self) {
        for chunk in [&[b'.'; 4096][..], b"."] {
            loop {
                match self.filler.write(chunk) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Reads all, up to the end of the last writer.
    fn read(self) -> String {
        let Self { mut reader, filler } = self;
        drop(filler);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_delays_no_opening_no_page_and_no_signal() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/shipping"]).await;
    let (first, second) = (Span::opening_in(4, 40), Span::opening_in(8, 40));
    let config = Config::new([server.url()])
        .window("first", &["ORDERS/billing"], first)
        .window("second", &["ORDERS/shipping"], second);
    let (mut pipe, stderr) = Pipe::new();
    let mut recess = Recess::start_logging_to(&config, stderr).await;
    recess.until_ready().await;
    pipe.fill();

    for (window, consumer) in [(first, "ORDERS/billing"), (second, "ORDERS/shipping")] {
        reach(window.opens).await;
        until(&format!("{consumer} is paused"), secs(2), async || {
            (account.is_paused_until(consumer, window.deadline()).await).then_some(())
        })
        .await;
    }
    // A reload has a line of its own.
    recess.reload(
        &config
            .clone()
            .window("third", &["ORDERS/billing"], Span::opening_in(90, 9)),
    );
    recess
        .until_metric(r#"window_active{window="third"}"#, 0.0, secs(5))
        .await;
    assert_eq!(recess.get("/healthz").await.unwrap().0, 200);
    assert_eq!(recess.get("/readyz").await.unwrap().0, 200);

    let ended = recess.terminate(secs(2)).await;
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
    drop(pipe);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_lines_are_counted_and_reported_once_the_log_is_read_again() {
    let World {
        server,
        account: _account,
    } = World::with(&["ORDERS/billing"]).await;
    let span = Span::open_for(120);
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], span);
    let (mut pipe, stderr) = Pipe::new();
    let mut recess = Recess::start_logging_to(&config, stderr).await;
    recess.until_ready().await;
    pipe.fill();
    // Each has a warning, so a line, and they are more than wait for a log that hangs.
    let many = (0..1200).fold(config, |config, number| {
        let selectors = ["ORDERS/billing", "!BILLING/excludes-nothing"];
        config.window(&format!("w{number}"), &selectors, span)
    });
    recess.reload(&many);
    until("lines are lost", secs(30), async || {
        let lost = recess.metric("log_lines_lost_total").await?;
        (lost > 0.0).then_some(())
    })
    .await;
    let reading = tokio::task::spawn_blocking(move || pipe.read());
    // The queue drains into the pipe, and has room for the line that reports it.
    tokio::time::sleep(secs(1)).await;
    let ended = recess.terminate(secs(2)).await;
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
    let log = reading.await.unwrap();
    let lines = || log.lines();
    let reported = lines().position(|line| line.contains(" WARN log: ") && line.contains("lost"));
    let last = lines().position(|line| line.contains("stopping"));
    assert!(
        reported.is_some() && reported < last,
        "reported {reported:?}, last {last:?} of {}",
        lines().count()
    );
}
