//! A running recess in the simulation: the real loop, with a config from text, on a host with a clock of its own.

use std::future::{Future, poll_fn};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use recess::changes::{Change, Tracker};
use recess::clock::was_stepped;
use recess::config::{self, Config};
use recess::reconcile::{self, Heartbeat, Inputs, Reconciler};
use recess::report::{Act, Blank, Report, Row};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::model::id;
use crate::server::Server;
use crate::world::Host;

/// The loop, stopped when dropped.
pub struct Recess {
    config: watch::Sender<Arc<Config>>,
    nudge: Arc<Notify>,
    story: Arc<Mutex<Story>>,
    stopped: Arc<Mutex<Stopped>>,
    task: JoinHandle<()>,
}

/// Whether it stands still, as after SIGSTOP, and how to wake it.
#[derive(Default)]
struct Stopped {
    is_stopped: bool,
    waker: Option<Waker>,
}

/// What the reports told.
#[derive(Default)]
pub struct Story {
    tracker: Tracker,
    pub last: Option<Report>,
    pub passes: usize,
    pub acts: Vec<Act>,
    /// Of bursts under way: how many were answered, how many are left, how many were told by it.
    pub bursts: Vec<(usize, usize, usize)>,
    /// The windows of which an occurrence was missed, and when that was reported.
    pub missed: Vec<(String, Timestamp)>,
    /// Those of which one was not observed.
    pub unobserved: Vec<(String, Timestamp)>,
}

impl Recess {
    /// Starts the first one.
    pub fn start(server: &Server, host: &Host, toml: &str) -> Self {
        Self::start_as(0, server, host, toml)
    }

    /// Starts one more, known by `number` in the record.
    pub fn start_as(number: usize, server: &Server, host: &Host, toml: &str) -> Self {
        Self::start_with(number, server, host, toml, None)
    }

    /// One that leaves each write to the others for so long.
    pub fn stand_by(
        number: usize,
        server: &Server,
        host: &Host,
        toml: &str,
        delay: Duration,
    ) -> Self {
        Self::start_with(number, server, host, toml, Some(delay))
    }

    fn start_with(
        number: usize,
        server: &Server,
        host: &Host,
        toml: &str,
        delay: Option<Duration>,
    ) -> Self {
        let first = parse(toml);
        let (config, receiver) = watch::channel(first.clone());
        let nudge = Arc::new(Notify::new());
        let client = Client::new(number, server, host);
        let inputs = Inputs {
            config: receiver,
            advisories: server.state().listen(),
            nudge: nudge.clone(),
        };
        let mut reconciler = Reconciler::new(client, host.clock(), first, Heartbeat::default());
        if let Some(delay) = delay {
            reconciler = reconciler.standing_by(delay);
        }
        let story = Arc::new(Mutex::new(Story::default()));
        let stopped = Arc::<Mutex<Stopped>>::default();
        let teller = story.clone();
        let publish = move |report: Report| teller.lock().expect("no panic").take(report);
        Self {
            config,
            nudge,
            story,
            task: tokio::spawn(stoppable(
                reconcile::run(reconciler, inputs, publish),
                stopped.clone(),
            )),
            stopped,
        }
    }

    /// SIGSTOP.
    pub fn stop(&self) {
        self.stopped.lock().expect("no panic").is_stopped = true;
    }

    /// SIGCONT.
    pub fn go_on(&self) {
        let mut stopped = self.stopped.lock().expect("no panic");
        stopped.is_stopped = false;
        if let Some(waker) = stopped.waker.take() {
            waker.wake();
        }
    }

    pub fn reload(&self, toml: &str) {
        self.config.send_replace(parse(toml));
    }

    /// Wakes the loop where the wall clock was stepped, and looks twice a second, as the watcher of the wall clock does.
    pub fn watch_wall_clock(&self, host: &Host) {
        let (nudge, clock) = (Arc::downgrade(&self.nudge), host.clock());
        let mut before = clock.now();
        tokio::spawn(async move {
            while let Some(nudge) = nudge.upgrade() {
                let now = clock.now();
                if was_stepped(std::mem::replace(&mut before, now), now) {
                    nudge.notify_one();
                }
                drop(nudge);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }

    pub fn story<T>(&self, ask: impl FnOnce(&Story) -> T) -> T {
        ask(&self.story.lock().expect("no panic"))
    }

    pub fn row(&self, path: &str) -> Row {
        self.find_row(path).expect("it is in the report")
    }

    pub fn find_row(&self, path: &str) -> Option<Row> {
        self.story(|story| story.last.as_ref()?.rows.get(&id(path)).cloned())
    }

    /// Whether the loop has ended, which it never should.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

/// Does not go on while it is stopped.
async fn stoppable(running: impl Future<Output = ()>, stopped: Arc<Mutex<Stopped>>) {
    let mut running = std::pin::pin!(running);
    poll_fn(|context| {
        let mut stopped = stopped.lock().expect("no panic");
        if stopped.is_stopped {
            stopped.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        drop(stopped);
        running.as_mut().poll(context)
    })
    .await;
}

impl Drop for Recess {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Story {
    fn take(&mut self, report: Report) {
        for change in self.tracker.follow(&report) {
            if let Change::Blank { window, blank, .. } = change {
                let blanks = match blank {
                    Blank::Missed => &mut self.missed,
                    Blank::Unobserved => &mut self.unobserved,
                };
                blanks.push((window.to_string(), report.at));
            }
        }
        if let Some(burst) = &report.burst {
            self.bursts.push((burst.done, burst.left, burst.acts.len()));
        }
        if let Some(pass) = &report.pass {
            self.passes += 1;
            self.acts.extend(pass.acts.iter().cloned());
        }
        self.last = Some(report);
    }
}

pub fn parse(toml: &str) -> Arc<Config> {
    match config::parse(Path::new("simulation.toml"), toml) {
        Ok(config) => Arc::new(config),
        Err(error) => panic!("the test's config is wrong:\n{error}"),
    }
}
