//! `recess status --watch`: the state of the consumers, for as long as a person or a program looks
//! on.
//!
//! It is the daemon's loop in a dry run: it wakes at openings, advisories, overrides and connects,
//! sends nothing that changes anything, and needs no daemon.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::lines::Lines;
use super::screen::{View, screen};
use crate::changes::{Change, Lately, Tracker};
use crate::cli::terminal::full_screen::{self, FullScreen, Input};
use crate::cli::{Exit, Format};
use crate::clock::Clock;
use crate::config::Config;
use crate::jetstream::Link;
use crate::jetstream::nats::Nats;
use crate::now::Now;
use crate::reconcile::{self, Heartbeat, Inputs, Reconciler};
use crate::report::Report;
use crate::signals::Signals;
use crate::summary::Facts;
use crate::views::json;

mod config_file;
#[cfg(test)]
mod tests;

use config_file::ConfigFile;

/// How often everything is observed where nothing happens: numbers of messages raise no advisory.
const OBSERVED_EVERY: Duration = Duration::from_secs(5);

/// How long after a change the view is drawn. More of it is on its way: a window that opens is
/// first seen open, and a moment later its consumers are paused.
const SETTLED_AFTER: Duration = Duration::from_millis(250);

/// How often a screen is drawn where nothing happens: it has a clock.
const DRAWN_EVERY: Duration = Duration::from_secs(1);

/// The newest report, and what it does not show by itself.
#[derive(Clone)]
struct Seen {
    report: Arc<Report>,
    lately: Lately,
    /// The connection through which everything was observed last.
    observed_by: Option<u64>,
}

impl Seen {
    fn take(&mut self, report: Report, changes: &[Change]) {
        self.lately.follow(&report, changes);
        if report.pass.as_ref().is_some_and(|pass| pass.full) {
            self.observed_by = report.link.connection();
        }
        self.report = Arc::new(report);
    }

    /// Whether there is something to report: what was observed, or that nothing can be.
    fn is_known(&self) -> bool {
        match &self.report.link {
            Link::Up(server) => self.observed_by == Some(server.connects),
            Link::Down { reason } => !reason.is_empty(),
            Link::Unsuitable(_) => true,
        }
    }
}

/// How it ends.
enum End {
    /// By `q`, or as no program reads on.
    Enough,
    /// By Ctrl-C or a signal.
    Interrupted,
    /// Something does not work, in these words.
    Failed(String),
    /// The server cannot be used, in these words.
    Unsuitable(String),
}

/// Shows the state of the consumers of a config file that was read just now, until it is enough.
pub fn watch(path: &Path, config: Config, format: Format, wall: fn() -> Timestamp) -> Exit {
    let file = ConfigFile::new(path, config);
    let end = crate::cli::block_on(async {
        let mut output = Output::new(format)?;
        let end = follow(file, &mut output, wall).await;
        // The terminal is given back before anything is said.
        drop(output);
        Ok(end)
    });
    let (exit, why) = match end {
        Err(exit) => return exit,
        Ok(End::Enough) => return Exit::Done,
        Ok(End::Interrupted) => return Exit::Interrupted,
        Ok(End::Failed(why)) => (Exit::Failed, why),
        Ok(End::Unsuitable(why)) => (Exit::Config, why),
    };
    crate::cli::complain(format!("error: {why}"));
    exit
}

async fn follow(mut file: ConfigFile, output: &mut Output, wall: fn() -> Timestamp) -> End {
    let mut signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(error) => return End::Failed(format!("cannot catch signals: {error}")),
    };
    let clock = Clock::new(wall);
    let (sender, mut reports) = watch::channel(Seen {
        report: Arc::new(Report::blind(wall(), file.config.policy.clone())),
        lately: Lately::default(),
        observed_by: None,
    });
    let (loop_config, inputs, reconciler) = begin(file.config.clone(), &clock);
    let mut tracker = Tracker::default();
    let publish = move |report: Report| {
        let changes = tracker.follow(&report);
        sender.send_modify(|seen| seen.take(report, &changes));
    };
    let main_loop = tokio::spawn(reconcile::run(reconciler, inputs, publish));
    let mut was_connected = false;
    let mut is_news = false;
    let mut due = Duration::ZERO;
    let end = loop {
        let now = clock.now();
        // Cancel-safe: a change stays marked until it is seen, and no signal and no key is lost.
        tokio::select! {
            changed = reports.changed() => match changed {
                Ok(()) => {
                    is_news = true;
                    due = due.min(now.uptime + SETTLED_AFTER);
                }
                Err(_) => break End::Failed("the loop has stopped".to_owned()),
            },
            input = output.input() => match input {
                Ok(Input::Quit) => break End::Enough,
                Ok(Input::Interrupt) => break End::Interrupted,
                Ok(Input::Redraw) => match output.measure() {
                    Ok(()) => due = Duration::ZERO,
                    Err(error) => break failed(&error),
                },
                Ok(Input::Other) => {}
                Err(error) => break failed(&error),
            },
            _ = signals.next() => break End::Interrupted,
            () = tokio::time::sleep(due.saturating_sub(now.uptime)) => {
                let seen = reports.borrow_and_update().clone();
                match &seen.report.link {
                    Link::Unsuitable(why) if !was_connected => break End::Unsuitable(why.to_string()),
                    Link::Up(_) => was_connected = true,
                    Link::Unsuitable(_) | Link::Down { .. } => {}
                }
                file.follow(&loop_config);
                let shown = match std::mem::take(&mut is_news) || output.has_clock() {
                    true => output.show(&file, &seen, clock.now()),
                    false => Ok(()),
                };
                if let Err(error) = shown {
                    break failed(&error);
                }
                due = now.uptime + DRAWN_EVERY;
            }
        }
    };
    main_loop.abort();
    end
}

fn failed(error: &io::Error) -> End {
    match error.kind() == io::ErrorKind::BrokenPipe {
        true => End::Enough,
        false => End::Failed(format!("cannot write the output: {error}")),
    }
}

/// The config file's, for a loop that only observes.
fn of_the_loop(mut config: Config) -> Config {
    let controller = &mut config.settings.controller;
    controller.dry_run = true;
    controller.resync = controller.resync.min(OBSERVED_EVERY);
    config
}

/// The loop, ready to run.
fn begin(config: Config, clock: &Clock) -> (watch::Sender<Arc<Config>>, Inputs, Reconciler<Nats>) {
    let config = of_the_loop(config);
    let settings = &config.settings;
    let (nats, advisories) = Nats::start(&settings.nats, settings.controller.request_timeout);
    let config = Arc::new(config);
    let (sender, receiver) = watch::channel(config.clone());
    let inputs = Inputs {
        config: receiver,
        advisories,
        nudge: Arc::new(Notify::new()),
    };
    let reconciler = Reconciler::new(nats, clock.clone(), config, Heartbeat::default());
    (sender, inputs, reconciler)
}

/// Where it is shown.
enum Output {
    Screen(Box<FullScreen>),
    Lines(Lines),
    /// The line before.
    Json(String),
}

impl Output {
    fn new(format: Format) -> Result<Self, Exit> {
        match format {
            Format::Json => Ok(Self::Json(String::new())),
            Format::Text if full_screen::is_available() => match FullScreen::enter() {
                Ok(screen) => Ok(Self::Screen(Box::new(screen))),
                Err(error) => {
                    crate::cli::complain(format!("error: cannot use the terminal: {error}"));
                    Err(Exit::Failed)
                }
            },
            Format::Text => Ok(Self::Lines(Lines::default())),
        }
    }

    /// What a person does; never, where there is none.
    async fn input(&mut self) -> io::Result<Input> {
        match self {
            Self::Screen(screen) => screen.input().await,
            Self::Lines(_) | Self::Json(_) => std::future::pending().await,
        }
    }

    /// Whether what it shows changes by the passage of time.
    fn has_clock(&self) -> bool {
        matches!(self, Self::Screen(_))
    }

    fn measure(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.measure(),
            Self::Lines(_) | Self::Json(_) => Ok(()),
        }
    }

    fn show(&mut self, file: &ConfigFile, seen: &Seen, now: Now) -> io::Result<()> {
        let mut facts = Facts {
            report: &seen.report,
            config: &file.config,
            refused: file.refused.as_deref(),
            lately: &seen.lately,
            now: now.wall,
        };
        match self {
            Self::Screen(terminal) => {
                let view = View {
                    facts,
                    uptime: now.uptime,
                    charset: terminal.charset(),
                };
                terminal.draw(screen(&view, terminal.size()))
            }
            _ if !seen.is_known() => Ok(()),
            Self::Lines(lines) => {
                facts.now = seen.report.at;
                print(&lines.take(&facts))
            }
            Self::Json(before) => {
                let rows: Vec<_> = json::status(&seen.report).collect();
                let line = serde_json::to_string(&rows)? + "\n";
                if line != *before {
                    print(&line)?;
                    *before = line;
                }
                Ok(())
            }
        }
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
