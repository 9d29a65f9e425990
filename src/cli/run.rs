//! `recess run`: the daemon. A checklist: load, bind, connect, and then let the loop, the watcher
//! and the pages live until a signal ends them.

use std::sync::Arc;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use super::{ConfigArgs, Exit};
use crate::clock::Clock;
use crate::clock_watch;
use crate::config::{self, Config, ConfigError, Settings, Severity};
use crate::config_watch::ConfigWatch;
use crate::http::{self, HttpState, InForce, Readiness};
use crate::jetstream::nats::Nats;
use crate::jetstream::{JetStream, Link};
use crate::logging::{self, Log, journal};
use crate::reconcile::{self, Heartbeat, Inputs, Reconciler};
use crate::report::Report;
use crate::signals::{Asked, Signals};
use crate::views::metrics::Metrics;
use crate::views::systemd;
use crate::views::{Newest, Views};

mod standby;

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Send nothing; log what recess would do
    #[arg(long)]
    dry_run: bool,
    /// Leave each request to the primary copy; send what it has not sent this much later
    #[arg(long, value_name = "D", env = "RECESS_STANDBY", value_parser = standby::parse)]
    standby: Option<Duration>,
}

/// How long each of those may hold up the end of the process: views, tasks that are still busy, and
/// the log. Together less than the 2 s within which SIGTERM ends it.
const FAREWELL: Duration = Duration::from_millis(500);

pub fn execute(args: RunArgs, wall: fn() -> Timestamp) -> Exit {
    let config_watch = ConfigWatch::before_load(&args.config.config);
    let config = match load(&args) {
        Ok(config) => config,
        Err(error) => return super::refuse(&error),
    };
    let log = match logging::init(wall) {
        Ok(log) => log,
        Err(error) => {
            super::complain(format!("error: {error}"));
            return Exit::Usage;
        }
    };
    // A thread for the loop and its connection, which would wake each other twice for each request,
    // and one for HTTP, which is not to hold them up.
    let (looping, serving) = match (super::runtime(1), super::runtime(1)) {
        (Ok(looping), Ok(serving)) => (looping, serving),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let handle = looping.handle().clone();
    let exit = serving.block_on(serve(args, config, config_watch, wall, &log, handle));
    looping.shutdown_timeout(FAREWELL);
    serving.shutdown_background();
    log.flush(FAREWELL);
    exit
}

fn load(args: &RunArgs) -> Result<Config, ConfigError> {
    let mut config = config::load(&args.config.config)?;
    config.settings.controller.dry_run |= args.dry_run;
    Ok(config)
}

async fn serve(
    args: RunArgs,
    config: Config,
    mut config_watch: ConfigWatch,
    wall: fn() -> Timestamp,
    log: &Log,
    looping: Handle,
) -> Exit {
    let settings = config.settings.clone();
    greet(&args, &config, wall());
    let (metrics, mut signals) = match (Metrics::new(), Signals::catch()) {
        (Ok(metrics), Ok(signals)) => (Arc::new(metrics), signals),
        (Err(error), _) => return failed(&format!("cannot register the metrics: {error}")),
        (_, Err(error)) => return failed(&format!("cannot catch signals: {error}")),
    };
    let listener = match http::bind(settings.http.listen).await {
        Ok(listener) => Some(listener),
        // A dry run is often made beside the daemon that has the address.
        Err(error) if settings.controller.dry_run => {
            let address = settings.http.listen;
            warn!("cannot listen on {address}: {error}; this dry run serves no HTTP");
            None
        }
        Err(error) => {
            let address = settings.http.listen;
            return failed(&format!(
                "cannot listen on {address}: {error}; set [http] listen to a free address"
            ));
        }
    };
    let clock = Clock::new(wall);
    let heartbeat = Heartbeat::default();
    #[cfg(debug_assertions)]
    let hang = Arc::new(AtomicBool::new(false));
    let nudge = Arc::new(Notify::new());
    metrics.loaded(&config, wall());
    metrics.show_lost_lines(log.lost());
    let (nats, advisories) = {
        let _its_thread = looping.enter();
        Nats::start(&settings.nats, settings.controller.request_timeout)
    };
    let events = nats.notice_counts();
    metrics.show_events(events.sent, events.lost);
    let mut link = nats.link();
    let (config_sender, config_receiver) = watch::channel(Arc::new(config));
    let (readiness_sender, readiness) = watch::channel(Readiness {
        link: link.borrow().clone(),
        last_good_pass: None,
        lost_clock: None,
        patience: Duration::MAX,
    });

    let first = config_receiver.borrow().clone();
    let blind = Report::blind(wall(), first.policy.clone());
    let (newest_sender, newest) = watch::channel(Newest::blind(blind));
    let (shown_config, in_force) = watch::channel(InForce {
        config: first.clone(),
        loaded: wall(),
        refused: None,
    });
    let state = HttpState {
        metrics: metrics.clone(),
        heartbeat: heartbeat.clone(),
        readiness,
        newest,
        in_force,
        clock: clock.clone(),
        hosts: settings.http.hosts.clone(),
    };
    if let Some(listener) = listener {
        tokio::spawn(http::serve(listener, state));
    }
    looping.spawn(clock_watch::watch_wall_clock(clock.clone(), nudge.clone()));
    if let Err(error) = systemd::guard(heartbeat.clone()) {
        return failed(&format!("cannot notify systemd's watchdog: {error}"));
    }
    let mut reconciler = Reconciler::new(nats.clone(), clock, first, heartbeat);
    if let Some(delay) = args.standby {
        reconciler = reconciler.standing_by(delay);
    }
    let (mut views, ended) = match Views::start(
        metrics.clone(),
        newest_sender,
        nats,
        config_receiver.clone(),
    ) {
        Ok(started) => started,
        Err(error) => {
            return failed(&format!(
                "cannot start the log's and metrics' thread: {error}"
            ));
        }
    };
    let config_now = config_receiver.clone();
    #[cfg(debug_assertions)]
    let hang_asked = hang.clone();
    let publish = move |report: Report| {
        #[cfg(debug_assertions)]
        while hang_asked.load(Ordering::Relaxed) {
            std::thread::park();
        }
        let resync = config_now.borrow().settings.controller.resync;
        // In the loop's own task: `/readyz` waits for no view.
        readiness_sender.send_modify(|readiness| readiness.observe(&report, resync));
        views.take(report);
    };
    let inputs = Inputs {
        config: config_receiver,
        advisories,
        nudge,
    };
    let mut main_loop = looping.spawn(reconcile::run(reconciler, inputs, publish));

    let mut first_connect = true;
    let take_in = |loaded: Result<Config, ConfigError>| {
        let now = wall();
        let loaded = report(loaded, &args, &settings, &metrics, now);
        put_in_force(loaded, &config_sender, &shown_config, now);
    };
    let exit = loop {
        let is_watched = config_sender.borrow().settings.controller.watch;
        // Cancel-safe: `Signals::next` loses no signal, `ConfigWatch::next` no version, a change of
        // the link stays marked, and the handle of a task that goes on can be polled again.
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Reload => {
                    config_watch.note();
                    take_in(load(&args));
                }
                #[cfg(debug_assertions)]
                Asked::Hang => {
                    warn!("SIGUSR1: the loop hangs from its next report on, as a test asked");
                    hang.store(true, Ordering::Relaxed);
                }
                Asked::Stop => {
                    info!("stopping; paused consumers stay paused until their deadlines");
                    systemd::stopping();
                    break Exit::Done;
                }
            },
            loaded = config_watch.next(|| load(&args)), if is_watched => take_in(loaded),
            changed = link.changed(), if first_connect => match &*link.borrow_and_update() {
                Link::Unsuitable(unsuitable) => {
                    last_words(&unsuitable.to_string());
                    break Exit::Config;
                }
                Link::Up(_) => first_connect = false,
                Link::Down { .. } if changed.is_err() => first_connect = false,
                Link::Down { .. } => {}
            },
            ended = &mut main_loop => {
                let why = ended.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
                break failed(&format!("the loop has stopped: {why}"));
            }
        }
    };
    // With it go the views, whose thread ends when it has shown all.
    main_loop.abort();
    ended.wait(FAREWELL).await;
    exit
}

fn greet(args: &RunArgs, config: &Config, now: Timestamp) {
    info!(
        "{} {} started with {} ({}, instance {})",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        args.config.config.display(),
        super::count_windows(config),
        config.policy.instance()
    );
    warn_of(args, config, now);
}

/// Logs what is doubtful about a config that comes into force.
fn warn_of(args: &RunArgs, config: &Config, now: Timestamp) {
    for warning in &config.warnings {
        warn!("config: {}: {}", warning.subject, warning.message);
    }
    if let Some(delay) = args.standby {
        standby::warn_of_short_windows(&config.policy, delay, now);
    }
}

fn failed(why: &str) -> Exit {
    last_words(why);
    Exit::Failed
}

/// An error that ends the process.
fn last_words(why: &str) {
    if journal::is_stderr() {
        journal::last_words(Severity::Error, why);
    } else {
        error!("{why}");
    }
}

/// Puts a config that was loaded in force, and shows what became of it.
fn put_in_force(
    loaded: Result<Arc<Config>, ConfigError>,
    sender: &watch::Sender<Arc<Config>>,
    shown: &watch::Sender<InForce>,
    now: Timestamp,
) {
    match loaded {
        Ok(config) => {
            shown.send_replace(InForce {
                config: config.clone(),
                loaded: now,
                refused: None,
            });
            sender.send_replace(config);
        }
        Err(error) => {
            let why = error.first();
            shown.send_modify(|shown| shown.refused = Some(why.into()));
        }
    }
}

/// Reports what became of a reload.
fn report(
    loaded: Result<Config, ConfigError>,
    args: &RunArgs,
    settings: &Settings,
    metrics: &Metrics,
    now: Timestamp,
) -> Result<Arc<Config>, ConfigError> {
    match loaded {
        Ok(config) => {
            let (old, new) = (settings, &config.settings);
            let timeout = |settings: &Settings| settings.controller.request_timeout;
            let is_other_listener = old.http.needs_restart(&new.http);
            if new.nats != old.nats || is_other_listener || timeout(new) != timeout(old) {
                warn!(
                    "config changes in [nats], [http] and request_timeout need a restart; all \
                     others are active"
                );
            }
            info!(
                "config reloaded from {} ({})",
                args.config.config.display(),
                super::count_windows(&config)
            );
            warn_of(args, &config, now);
            metrics.loaded(&config, now);
            Ok(Arc::new(config))
        }
        Err(error) => {
            metrics.refused();
            log_rejected(&error);
            Err(error)
        }
    }
}

/// In the journal a mistake is a line, elsewhere it is rendered with its source.
fn log_rejected(error: &ConfigError) {
    if !journal::is_stderr() {
        error!(
            "new config rejected, the active one stays:\n{}",
            error.render(false)
        );
        return;
    }
    let source = error.source();
    for finding in error.findings() {
        error!(
            "new config rejected, the active one stays: {}",
            journal::line_of(&finding, &source)
        );
    }
}
