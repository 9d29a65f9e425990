//! Everybody who watches the reports.
//!
//! Metrics and `/readyz` take in each report in the loop's own task: they write memory only. Log lines, events and systemd
//! have a thread of their own behind a [`Mailbox`], so that none of them delays a request, whatever they wait for.

use std::io;
use std::sync::Arc;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::mailbox::{Mailbox, Outbox, mailbox};
use crate::config::Config;
use crate::events::Chronicle;
use crate::http::{self, Readiness};
use crate::jetstream::Link;
use crate::jetstream::nats::Nats;
use crate::logging::Narrator;
use crate::metrics::Metrics;
use crate::report::Report;
use crate::systemd;

/// What the loop's task does with each report.
pub(super) struct Views {
    pub metrics: Arc<Metrics>,
    pub readiness: watch::Sender<Readiness>,
    pub config: watch::Receiver<Arc<Config>>,
    /// A test asked the loop to hang: see [`crate::signals::Asked::Hang`].
    #[cfg(debug_assertions)]
    pub hang: Arc<AtomicBool>,
    pub outbox: Outbox,
}

impl Views {
    /// Takes in a report. Returns at once.
    pub fn take(&self, report: Report) {
        #[cfg(debug_assertions)]
        while self.hang.load(Ordering::Relaxed) {
            std::thread::park();
        }
        let report = Arc::new(report);
        self.metrics.observe(&report);
        let resync = self.config.borrow().settings.controller.resync;
        self.readiness.send_modify(|readiness| {
            readiness.link = report.link.clone();
            readiness.lost_clock = report.lost_clock();
            readiness.patience = resync * 2 + http::HANGING;
            if (report.pass.as_ref()).is_some_and(|pass| pass.full && pass.is_ok()) {
                readiness.last_good_pass = Some(Instant::now());
            }
        });
        if self.outbox.put(report) {
            self.metrics.merged_for_views();
        }
    }
}

/// The thread of those who may wait for something.
pub(super) struct Watchers {
    chronicle: Chronicle,
    nats: Nats,
    narrator: Narrator,
    config: watch::Receiver<Arc<Config>>,
    told_ready: bool,
}

impl Watchers {
    /// Starts the thread, which ends when the [`Outbox`] is dropped and all that was put into it was told.
    ///
    /// # Errors
    /// Where the system has no thread to give.
    pub fn start(nats: Nats, config: watch::Receiver<Arc<Config>>) -> io::Result<(Outbox, Ended)> {
        let mut watchers = Self {
            chronicle: Chronicle::default(),
            nats,
            narrator: Narrator::default(),
            config,
            told_ready: false,
        };
        let (outbox, mailbox) = mailbox();
        let (living, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("views".to_owned());
        thread.spawn(move || {
            watchers.tell_all(&mailbox);
            drop(living);
        })?;
        Ok((outbox, Ended(ended)))
    }

    fn tell_all(&mut self, mailbox: &Mailbox) {
        while let Some(report) = mailbox.take() {
            self.tell(&report);
        }
    }

    fn tell(&mut self, report: &Report) {
        let config = self.config.borrow().clone();
        self.narrator.tell(report);
        if let Some(prefix) = &config.settings.events.subject {
            for event in self.chronicle.note(report, report.policy.instance()) {
                self.nats.tell(event.subject(prefix), event.to_json());
            }
        }
        let tried = match &report.link {
            Link::Down { reason } => !reason.is_empty(),
            Link::Up(_) => report.pass.is_some(),
            Link::Unsuitable(_) => false,
        };
        if tried && !self.told_ready {
            self.told_ready = true;
            systemd::ready();
        }
        systemd::status(&status_line(report));
    }
}

/// Resolves when the thread of [`Watchers`] has ended.
pub(super) struct Ended(oneshot::Receiver<()>);

impl Ended {
    /// Waits for that, but no longer than so.
    pub async fn wait(self, within: Duration) {
        // Either way it has had its time.
        let _ = timeout(within, self.0).await;
    }
}

/// The line that `systemctl status` shows.
fn status_line(report: &Report) -> String {
    let link = match &report.link {
        Link::Up(server) => format!("connected to nats-server {}", server.version),
        Link::Down { .. } => "not connected to NATS".to_owned(),
        Link::Unsuitable(_) => "connected to a server that cannot be used".to_owned(),
    };
    let paused = report
        .rows
        .values()
        .filter(|row| row.found.is_paused())
        .count();
    let next = report
        .next_change
        .map_or_else(String::new, |at| format!("; next change {at}"));
    format!(
        "{link}; {paused} of {} consumers paused{next}",
        report.rows.len()
    )
}
