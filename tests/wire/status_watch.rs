//! `recess status --watch` on a real terminal, and in a pipe.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use crate::cli::ask;
use crate::support::config::{Config, Span};
use crate::support::recess::{PROGRAM, Recess, reach, secs, until};
use crate::support::terminal::Terminal;
use crate::support::world::World;

const WATCH: &str = "status --watch";
const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";

async fn world(span: Span) -> (World, Config) {
    let world = World::with(&[BILLING, SHIPPING]).await;
    let config = (world.config())
        .set(r#"overrides.bucket = "recess""#)
        .set(r#"controller.resync = "2s""#)
        .window("night", &["ORDERS/*"], span);
    let (exit, _, err) = ask(&config, &["overrides", "create"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    (world, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_shows_what_happens_and_is_given_back() {
    let span = Span::opening_in(8, 600);
    let (_world, config) = world(span).await;
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let mut terminal = Terminal::start(&config, WATCH, (100, 30), &[]);
    terminal.until_text("ORDERS > billing").await;
    assert!(terminal.is_alternate() && terminal.is_cursor_hidden());
    let text = terminal.text();
    for part in [
        "Both consumers are running, as scheduled.",
        "NEXT",
        "q: quit",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        !text.contains("OPEN") && !text.contains("waiting"),
        "{text}"
    );
    assert!(
        Timestamp::now() < span.opens,
        "a slow machine: nothing was shown"
    );

    // Only what has changed is written: a clock and a countdown.
    terminal.written();
    tokio::time::sleep(secs(2)).await;
    let written = terminal.written();
    assert!(
        !written.is_empty() && !written.contains("billing"),
        "{written:?}"
    );

    reach(span.opens).await;
    terminal
        .until_text("Both consumers are paused, as scheduled.")
        .await;
    let seen = Timestamp::now().duration_since(span.opens);
    let text = terminal.text();
    assert!(text.contains("OPEN\nnight  ░░"), "{text}");
    println!("shown {} ms after the opening", seen.as_millis());
    assert!(seen.as_secs() < 6, "{seen}");
    let extend = [
        "extend", "night", "--for", "5m", "--author", "alice", "--reason", "late",
    ];
    let (exit, out, err) = ask(&config, &extend);
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    terminal.until_text("extended by alice: late").await;

    terminal.press("x");
    terminal.press("q");
    let (exit, text) = terminal.end().await;
    assert_eq!((exit, text.trim()), (0, "waiting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_follows_the_size_of_the_terminal() {
    let (_world, config) = world(Span::open_for(600)).await;
    let mut terminal = Terminal::start(&config, WATCH, (120, 30), &[]);
    terminal.until_text("UNACKED").await;
    let last = |text: &str| text.lines().last().map(str::to_owned);
    assert_eq!(terminal.text().lines().count(), 30);
    terminal.resize((60, 16));
    until("it fits the small terminal", secs(10), async || {
        let text = terminal.text();
        let fits = text.lines().count() == 16 && last(&text).as_deref() == Some("q: quit");
        // The table has fewer columns, and its last one is whole.
        let mut lines = text.lines().map(str::trim_end);
        let is_whole = lines.any(|line| line.starts_with("CONSUMER") && line.ends_with("WHY"));
        (fits && is_whole && !text.contains("UNACKED")).then_some(())
    })
    .await;
    // Nothing is left but the first lines, and nothing is wrong with that.
    terminal.resize((10, 2));
    until("it fits hardly any terminal", secs(10), async || {
        (terminal.text().lines().count() == 2).then_some(())
    })
    .await;
    terminal.resize((120, 30));
    terminal.until_text("UNACKED").await;
    terminal.press("\u{3}");
    let (exit, text) = terminal.end().await;
    assert_eq!((exit, text.trim()), (130, "waiting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_is_reported_and_looked_at_again_when_it_is_back() {
    let (mut world, config) = world(Span::open_for(600)).await;
    let mut terminal = Terminal::start(&config, WATCH, (100, 30), &[]);
    terminal
        .until_text("2 consumers run and should be paused.")
        .await;
    world.server.kill();
    terminal
        .until_text("recess is not connected to NATS.")
        .await;
    world.server.restart().unwrap();
    terminal
        .until_text("2 consumers run and should be paused.")
        .await;
    terminal.signal("TERM");
    let (exit, text) = terminal.end().await;
    assert_eq!((exit, text.trim()), (130, "waiting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_is_edited_meanwhile_counts_unless_it_is_wrong() {
    let span = Span::open_for(600);
    let (world, config) = world(span).await;
    let mut terminal = Terminal::start(&config, WATCH, (100, 30), &[]);
    terminal
        .until_text("2 consumers run and should be paused.")
        .await;
    let other = world.config().window("weekend", &[BILLING], span);
    let text = other.text("127.0.0.1:0");
    terminal.edit(&text);
    terminal
        .until_text("1 consumer runs and should be paused. weekend is open")
        .await;
    terminal.edit(&text.replace("[[window]]", "[[widow]]"));
    terminal
        .until_text("was rejected, the config before it stays active: line ")
        .await;
    assert!(
        terminal.text().contains("weekend is open"),
        "{}",
        terminal.text()
    );
    terminal.edit(&text);
    until("the mistake is mended", secs(10), async || {
        (!terminal.text().contains("rejected")).then_some(())
    })
    .await;
    terminal.press("q");
    assert_eq!(terminal.end().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_colours_and_without_unicode_it_is_legible() {
    let (_world, config) = world(Span::open_for(600)).await;
    let environment = [("NO_COLOR", "1"), ("LC_ALL", "C")];
    let mut terminal = Terminal::start(&config, WATCH, (100, 30), &environment);
    terminal
        .until_text("[bad] 2 consumers run and should be paused.")
        .await;
    assert!(
        terminal.text().contains("OPEN\nnight  ##--"),
        "{}",
        terminal.text()
    );
    let written = terminal.written();
    assert!(written.is_ascii(), "{written}");
    let colours = written.split("\x1b[").skip(1).filter(|code| {
        let end = code.find(|letter: char| letter.is_ascii_alphabetic());
        end.is_some_and(|end| code[end..].starts_with('m'))
    });
    assert_eq!(colours.count(), 0, "{written:?}");
    terminal.press("q");
    assert_eq!(terminal.end().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_used_is_said_on_the_screen_of_before() {
    let server = crate::support::nats_server::Options {
        binary: Some(crate::support::nats_server::binary_of_version("2.10.26").unwrap()),
        ..Default::default()
    };
    let server = crate::support::nats_server::Server::start(server).unwrap();
    let config = Config::new([server.url()]).window("night", &[BILLING], Span::open_for(600));
    let mut terminal = Terminal::start(&config, WATCH, (100, 30), &[]);
    let (exit, text) = terminal.end().await;
    assert_eq!(exit, 78);
    assert!(text.contains("2.10.26"), "{text}");
}

/// `recess status --watch` in a pipe.
struct Piped {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    _files: tempfile::TempDir,
}

impl Piped {
    fn start(config: &Config, arguments: &[&str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = config.write(files.path());
        let mut child = Command::new(PROGRAM)
            .args(["status", "--watch", "--config"])
            .arg(path)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        Self {
            child,
            lines,
            _files: files,
        }
    }

    async fn until_line(&self, is_it: impl Fn(&str) -> bool) -> String {
        until("the line comes", secs(20), async || {
            self.lines.try_iter().find(|line| is_it(line))
        })
        .await
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_pipe_each_change_is_a_line() {
    let span = Span::opening_in(7, 8);
    let (mut world, config) = world(span).await;
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let text = Piped::start(&config, &[]);
    let json = Piped::start(&config, &["--format", "json"]);
    let rows = |line: &str| serde_json::from_str::<Vec<Value>>(line).expect(line);
    let all_are = |line: &str, state: &str| {
        let rows = rows(line);
        rows.len() == 2 && rows.iter().all(|row| row["observed"]["state"] == state)
    };
    text.until_line(|line| line.ends_with("Z Both consumers are running, as scheduled."))
        .await;
    json.until_line(|line| all_are(line, "running")).await;
    assert!(
        Timestamp::now() < span.opens,
        "a slow machine: nothing was shown"
    );

    let opens = format!(" window night: open until {}", span.closes);
    text.until_line(|line| line.ends_with(&opens)).await;
    let paused = format!(
        "Z ORDERS > billing, ORDERS > shipping: paused until {}; settled",
        span.closes
    );
    text.until_line(|line| line.ends_with(&paused)).await;
    json.until_line(|line| all_are(line, "paused")).await;
    text.until_line(|line| line.contains(" window night: closed, "))
        .await;
    // The server resumes them.
    text.until_line(|line| line.ends_with("Z Both consumers are running, as scheduled."))
        .await;
    json.until_line(|line| all_are(line, "lapsed")).await;
    assert!(Timestamp::now() < span.closes + 10.seconds());

    world.server.kill();
    text.until_line(|line| line.contains("Z not connected: "))
        .await;
    json.until_line(|line| all_are(line, "unknown")).await;
    world.server.restart().unwrap();
    text.until_line(|line| line.contains("Z connected to nats-server "))
        .await;
    json.until_line(|line| all_are(line, "lapsed")).await;
    // What has not changed is no news.
    drop(recess);
    let later: Vec<String> = text.lines.try_iter().collect();
    assert!(
        later.iter().all(|line| !line.contains("ORDERS > billing")),
        "{later:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_has_read_enough_ends_it() {
    let (_world, config) = world(Span::open_for(600)).await;
    let files = tempfile::tempdir().unwrap();
    let path = config.write(files.path());
    let script = format!(
        "{PROGRAM} status --watch --format json --config {} | head -n 1; true",
        path.display()
    );
    let mut child = Command::new("timeout")
        .args(["20", "sh", "-c", &script])
        .spawn()
        .unwrap();
    // The next line finds no reader.
    tokio::time::sleep(secs(2)).await;
    _world.account.publish("ORDERS", 1).await;
    let status = until("it ends", secs(15), async || child.try_wait().unwrap()).await;
    assert!(status.success(), "{status}");
}
