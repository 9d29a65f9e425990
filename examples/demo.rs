//! See recess at work: `cargo run --example demo` (half a minute, nothing to set up).
//!
//! Starts a throw-away nats-server with two streams, five consumers whose workers pull and
//! acknowledge, and a steady producer. Then it runs the real `recess run` with a window that opens
//! seconds from now, and while it is open someone extends it by five seconds. It shows what the
//! consumers do, and checks it from outside, with the server as the only witness: paused when the
//! window opened, nothing delivered while paused, resumed at the new deadline, backlog drained, the
//! other consumers left alone. Status 0 when all of that is so.

// The demo measures recess from outside, so it reads the clock itself.
#![allow(clippy::disallowed_methods)]

use async_nats::jetstream::{self, consumer::PullConsumer, consumer::pull, stream};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::io::IsTerminal;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

#[path = "../tests/support/nats_server.rs"]
mod nats_server;
use nats_server::{Server, Watchdog};

/// Stream, consumer, and whether the window names it.
const CONSUMERS: [(&str, &str, bool); 5] = [
    ("ORDERS", "billing", true),
    ("ORDERS", "shipping", true),
    ("ORDERS", "audit", false),
    ("EVENTS", "mail", true),
    ("EVENTS", "search", false),
];
const OPENS_IN_SECONDS: i64 = 8;
const LASTS_SECONDS: i64 = 10;
/// So long after the opening someone extends it.
const EXTENDED_AFTER: SignedDuration = SignedDuration::from_secs(4);
const EXTENDED_BY_SECONDS: i64 = 5;
const MESSAGE_EVERY: Duration = Duration::from_millis(50);
/// A message may be on its way to its worker while the pause is being set.
const IN_FLIGHT: SignedDuration = SignedDuration::from_millis(250);
/// Pausing and resuming take milliseconds; a busy machine may need longer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(2);
const DRAINED: u64 = 5;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    // Whoever wins, the other is dropped, and with it go recess, the server and their files.
    let outcome = tokio::select! {
        biased;
        () = interrupted() => Err("interrupted".into()),
        outcome = demo() => outcome,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\ndemo failed: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be handled");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn demo() -> Result<(), Error> {
    let program = build_recess()?;
    let server = Server::start(Default::default())?;
    let files = tempfile::Builder::new().prefix("recess-demo-").tempdir()?;

    let opens = Timestamp::now().round(jiff::Unit::Second)? + OPENS_IN_SECONDS.seconds();
    let window = opens..opens + (LASTS_SECONDS + EXTENDED_BY_SECONDS).seconds();
    let config = config_text(&server.url(), opens)?;
    println!("This configuration drives it:\n\n{config}");
    std::fs::write(files.path().join("recess.toml"), config)?;

    let client = async_nats::connect(server.url()).await?;
    let jetstream = jetstream::new(client.clone());
    let mut lanes = start_applications(&jetstream, &window).await?;
    let created = recess(&program, files.path(), &["overrides", "create"]).await?;
    println!("$ recess overrides create\n{created}\n$ recess run --config recess.toml\n");
    let mut recess = Recess::run(&program, files.path())?;

    let advisories = client.subscribe("$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>");
    let advisories = advisories.await?;
    let someone = tokio::spawn(extend(
        program.clone(),
        files.path().to_owned(),
        window.start,
    ));
    let mut outcome = watch(&jetstream, advisories, &mut lanes, &mut recess, &window).await;
    if outcome.is_ok() {
        outcome = someone.await?.map(|printed| println!("\n{printed}"));
    }
    if outcome.is_ok() {
        outcome = verify(&lanes, &window);
    }
    if outcome.is_err() {
        let log = std::fs::read_to_string(files.path().join("log"))?;
        eprintln!("\nrecess said:\n{log}");
    }
    outcome
}

/// What a command prints.
async fn recess(program: &Path, files: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .args(["--config", "recess.toml"])
        .current_dir(files)
        .output()
        .await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("recess {arguments:?}: {}", text(&output.stderr)).into()),
    }
}

/// The work takes longer than planned, and whoever does it says so.
async fn extend(program: PathBuf, files: PathBuf, opens: Timestamp) -> Result<String, Error> {
    let wait = (opens + EXTENDED_AFTER).duration_since(Timestamp::now());
    tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
    let by = format!("{EXTENDED_BY_SECONDS}s");
    let extend = ["extend", "half-a-minute", "--for", &by];
    let who = ["--author", "alice", "--reason", "two tables left"];
    let printed = recess(&program, &files, &[extend, who].concat()).await?;
    Ok(format!(
        "While it was open: $ recess extend half-a-minute --for {by} --author alice --reason \"two tables left\"\n{printed}"
    ))
}

fn config_text(url: &str, opens: Timestamp) -> Result<String, Error> {
    // Bound for a moment, to learn a free port.
    let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let schedule = opens.strftime("%-S %-M %-H %-d %-m *");
    Ok(format!(
        r#"instance = "demo"

[nats]
servers = ["{url}"]

[http]
listen = "{listen}"          # see /metrics there while this runs

[overrides]
bucket = "recess"

[[window]]
name      = "half-a-minute"
consumers = ["ORDERS/*", "!ORDERS/audit", "EVENTS/mail"]
schedule  = "{schedule}"      # seconds first: {opens}
duration  = "{LASTS_SECONDS}s"
timezone  = "UTC"
"#
    ))
}

/// The program beside this one, brought up to date by cargo.
fn build_recess() -> Result<PathBuf, Error> {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    let built = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--profile", profile, "--bin", "recess"])
        // Named too, so that the dependencies are those just built for it, not a second set.
        .args(["--example", "demo"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err("recess does not build".into());
    }
    let this = std::env::current_exe()?; // target/debug/examples/demo
    let target = this.ancestors().nth(2).expect("a file in examples/");
    Ok(target.join("recess"))
}

/// The daemon. SIGTERM on drop, as systemd would; the watchdog is for our own sudden death.
struct Recess(
    Child,
    #[expect(dead_code, reason = "works by being there")] Watchdog,
);

impl Recess {
    fn run(program: &Path, files: &Path) -> Result<Recess, Error> {
        let log = std::fs::File::create(files.join("log"))?;
        let child = Command::new(program)
            .args(["run", "--config", "recess.toml"])
            .current_dir(files)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let watchdog = Watchdog::over(child.id(), files);
        Ok(Recess(child, watchdog))
    }
}

impl Drop for Recess {
    fn drop(&mut self) {
        nats_server::terminate(&mut self.0, Duration::from_secs(5));
    }
}

/// One consumer: what the server says of it, and what its worker got.
#[derive(Default)]
struct Lane {
    stream: &'static str,
    name: &'static str,
    matched: bool,
    got_while_paused: Arc<AtomicU64>,
    // ConsumerInfo, as last seen.
    delivered: u64,
    backlog: u64,
    paused_until: Option<Timestamp>,
    // What it came to. The instants are those at which the advisories arrived.
    largest_backlog: u64,
    wrong: Option<&'static str>,
    paused_at: Option<Timestamp>,
    resumed_at: Option<Timestamp>,
}

/// What recess finds on a real server: streams, durable consumers, workers and a producer.
async fn start_applications(
    jetstream: &jetstream::Context,
    window: &Range<Timestamp>,
) -> Result<Vec<Lane>, Error> {
    let mut lanes = Vec::new();
    for (stream, name, matched) in CONSUMERS {
        let config = stream::Config {
            name: stream.into(),
            subjects: vec![format!("{stream}.>")],
            ..Default::default()
        };
        let created = jetstream.get_or_create_stream(config).await?;
        let config = pull::Config {
            durable_name: Some(name.into()),
            ..Default::default()
        };
        let consumer = created.create_consumer(config).await?;
        let got_while_paused = Arc::default();
        let quiet = window.start + IN_FLIGHT..window.end;
        tokio::spawn(work(consumer, quiet, Arc::clone(&got_while_paused)));
        lanes.push(Lane {
            stream,
            name,
            matched,
            got_while_paused,
            ..Default::default()
        });
    }
    tokio::spawn(produce(jetstream.clone()));
    Ok(lanes)
}

async fn work(consumer: PullConsumer, quiet: Range<Timestamp>, got_while_paused: Arc<AtomicU64>) {
    let messages = consumer.messages().await;
    let mut messages = messages.expect("the consumer was just created");
    while let Some(message) = messages.next().await {
        let Ok(message) = message else { continue };
        if quiet.contains(&Timestamp::now()) {
            got_while_paused.fetch_add(1, Relaxed);
        }
        let _ = message.ack().await;
    }
}

async fn produce(jetstream: jetstream::Context) {
    let mut every = tokio::time::interval(MESSAGE_EVERY);
    loop {
        every.tick().await;
        for subject in ["ORDERS.new", "EVENTS.new"] {
            if let Ok(stored) = jetstream.publish(subject, "{}".into()).await {
                let _ = stored.await;
            }
        }
    }
}

/// Watches until the backlog is drained, or something that should have happened did not.
async fn watch(
    jetstream: &jetstream::Context,
    mut advisories: async_nats::Subscriber,
    lanes: &mut [Lane],
    recess: &mut Recess,
    window: &Range<Timestamp>,
) -> Result<(), Error> {
    let mut every = tokio::time::interval(Duration::from_millis(250));
    let mut screen = Screen::default();
    loop {
        tokio::select! {
            _ = every.tick() => {
                for lane in &mut *lanes {
                    lane.observe(jetstream, window).await?;
                }
                let now = Timestamp::now();
                screen.draw(lanes, window, now);
                let drained = lanes.iter().all(|lane| lane.backlog <= DRAINED);
                let never_paused = |lane: &Lane| lane.matched && lane.paused_at.is_none();
                if let Some(status) = recess.0.try_wait()? {
                    return Err(format!("recess stopped unexpectedly ({status})").into());
                }
                if now > window.start + PATIENCE && lanes.iter().any(never_paused) {
                    return Err("the window opened, and a consumer was not paused".into());
                }
                if now > window.end + PATIENCE && (drained || now > window.end + 5 * PATIENCE) {
                    return Ok(());
                }
            }
            Some(advisory) = advisories.next() => {
                let here = Timestamp::now();
                let advisory: serde_json::Value = serde_json::from_slice(&advisory.payload)?;
                let text = |key: &str| advisory[key].as_str().unwrap_or_default();
                let (stream, name) = (text("stream"), text("consumer"));
                let lane = lanes.iter_mut().find(|lane| (lane.stream, lane.name) == (stream, name));
                let lane = lane.ok_or("an advisory for an unknown consumer")?;
                if advisory["paused"] == true && lane.paused_at.is_some() {
                    let (time, until) = (here.strftime("%T%.3f"), window.end.strftime("%T"));
                    screen.event(&format!("{time}  {stream} > {name} now paused until {until}"));
                    continue;
                }
                let (what, boundary, first) = if advisory["paused"] == true {
                    ("paused", window.start, &mut lane.paused_at)
                } else {
                    ("resumed", window.end, &mut lane.resumed_at)
                };
                first.get_or_insert(here);
                let (sent, time) = (text("timestamp").parse()?, here.strftime("%T%.3f"));
                let (sent, here) = (milliseconds(sent, boundary), milliseconds(here, boundary));
                screen.event(&format!(
                    "{time}  {stream} > {name} {what}: {here:.1} ms late (server: {sent:.1} ms)"
                ));
            }
        }
    }
}

impl Lane {
    async fn observe(
        &mut self,
        jetstream: &jetstream::Context,
        window: &Range<Timestamp>,
    ) -> Result<(), Error> {
        let before = Timestamp::now();
        let stream = jetstream.get_stream_no_info(self.stream).await?;
        let info = stream.consumer_info(self.name).await?;
        let after = Timestamp::now();
        self.delivered = info.delivered.consumer_sequence;
        self.backlog = info.num_pending;
        self.largest_backlog = self.largest_backlog.max(self.backlog);
        let until = info.config.pause_until.filter(|_| info.paused);
        let until = until.map(|until| Timestamp::from_nanosecond(until.unix_timestamp_nanos()));
        self.paused_until = until.transpose()?;

        let inside = before > window.start + PATIENCE && after < window.end;
        let outside = after < window.start || before > window.end + PATIENCE;
        // The deadline is the window's end, to the second; the rest of it is the mark of recess.
        let until = self.paused_until.map(|until| until.as_second());
        let extended = after > window.start + EXTENDED_AFTER + PATIENCE;
        let by_file = window.end.as_second() - EXTENDED_BY_SECONDS;
        let wrong = match until {
            Some(until) if until == by_file && !extended => return Ok(()),
            Some(_) if !self.matched => "paused, though the window does not name it",
            Some(_) if outside => "paused outside the window",
            Some(until) if until != window.end.as_second() => "paused until some other time",
            None if self.matched && inside => "running inside the window",
            _ => return Ok(()),
        };
        self.wrong.get_or_insert(wrong);
        Ok(())
    }

    /// Everything that did not go as it should.
    fn faults(&self, window: &Range<Timestamp>) -> Vec<String> {
        let soon = |at: Option<Timestamp>, boundary| {
            at.is_some_and(|at| boundary <= at && at < boundary + PATIENCE)
        };
        let got = self.got_while_paused.load(Relaxed);
        // Half of what was sent meanwhile, for machines that stutter.
        let lasts = (LASTS_SECONDS + EXTENDED_BY_SECONDS) as u64;
        let expected = lasts * 1000 / MESSAGE_EVERY.as_millis() as u64 / 2;
        let grew = self.largest_backlog >= expected;
        let all = [
            (self.wrong.is_some(), self.wrong.unwrap_or_default()),
            (self.backlog > DRAINED, "its backlog was not drained"),
            (
                self.matched && !soon(self.paused_at, window.start),
                "not paused at the opening",
            ),
            (
                self.matched && !soon(self.resumed_at, window.end),
                "not resumed at the close",
            ),
            (self.matched && got > 0, "messages delivered while paused"),
            (
                self.matched && !grew,
                "its backlog did not grow while paused",
            ),
        ];
        let happened = all.iter().filter(|(happened, _)| *happened);
        happened
            .map(|(_, what)| format!("{} > {}: {what}", self.stream, self.name))
            .collect()
    }
}

fn verify(lanes: &[Lane], window: &Range<Timestamp>) -> Result<(), Error> {
    println!();
    for lane in lanes {
        let late = |at: Option<Timestamp>, boundary| {
            at.map_or("never".into(), |at| {
                format!("{:.1} ms late", milliseconds(at, boundary))
            })
        };
        let label = format!("{} > {}", lane.stream, lane.name);
        let paused = late(lane.paused_at, window.start);
        let resumed = late(lane.resumed_at, window.end);
        let backlog = lane.largest_backlog;
        println!("{label:17} paused {paused}, resumed {resumed}, backlog up to {backlog}");
    }
    let faults: Vec<_> = lanes.iter().flat_map(|lane| lane.faults(window)).collect();
    if !faults.is_empty() {
        return Err(faults.join("\n             ").into());
    }
    let first = lanes.iter().filter_map(|lane| lane.paused_at).min();
    let late = milliseconds(first.ok_or("nothing was paused")?, window.start);
    println!("\nThe first pause came {late:.1} ms after the window had opened. All checks passed:");
    println!(
        "paused until the extended close, resumed and drained on time, and the other consumers"
    );
    println!("unchanged.");
    Ok(())
}

fn milliseconds(at: Timestamp, since: Timestamp) -> f64 {
    at.duration_since(since).as_secs_f64() * 1000.0
}

/// On a terminal a table drawn over itself; in a pipe a line a second.
#[derive(Default)]
struct Screen {
    frames: usize,
    /// Lines of the table that stand on the terminal.
    drawn: usize,
}

impl Screen {
    fn draw(&mut self, lanes: &[Lane], window: &Range<Timestamp>, now: Timestamp) {
        let time = now.strftime("%T");
        let seconds = |until: Timestamp| until.duration_since(now).as_secs() + 1;
        let phase = if now < window.start {
            format!("window opens in {} s", seconds(window.start))
        } else if now < window.end {
            format!("window open, {} s to go", seconds(window.end))
        } else {
            "window closed".into()
        };
        if std::io::stdout().is_terminal() {
            self.erase();
            println!("{time} UTC  {phase:26} backlog  delivered");
            for lane in lanes {
                let label = format!("{} > {}", lane.stream, lane.name);
                let state = match lane.paused_until {
                    Some(until) => until.strftime("paused until %T").to_string(),
                    None => "running".into(),
                };
                let (backlog, delivered) = (lane.backlog, lane.delivered);
                let bar = "#".repeat((backlog / 16).min(16) as usize);
                println!("{label:19}{state:22}{backlog:>7}{delivered:>11}  {bar}");
            }
            self.drawn = 1 + lanes.len();
        } else if self.frames.is_multiple_of(4) {
            let state = |lane: &Lane| {
                let paused = if lane.paused_until.is_some() {
                    " (paused)"
                } else {
                    ""
                };
                format!("{} {}{paused}", lane.name, lane.backlog)
            };
            println!("{time} {phase}");
            println!(
                "         {}",
                lanes.iter().map(state).collect::<Vec<_>>().join(", ")
            );
        }
        self.frames += 1;
    }

    /// A line that stays, above the table.
    fn event(&mut self, text: &str) {
        self.erase();
        println!("{text}");
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            print!("\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }
}
