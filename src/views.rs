//! What recess shows of itself: log lines, metrics, JSON, events for programs, and systemd's status
//! line.
//!
//! Each is a function of a report and the [changes](crate::changes) since the one before, and
//! remembers nothing. Metrics are written in the loop's own task: that is memory only, and a scrape
//! must see each report's numbers, also if two are merged for the others. Those have a thread of
//! their own behind a mailbox (`views/mailbox.rs`), so that none of them delays a request, whatever
//! it waits for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::changes::{Lately, Tracker};
use crate::config::Config;
use crate::jetstream::nats::{Left, Nats};
use crate::report::Report;

pub mod agenda;
mod events;
pub mod json;
mod log;
mod mailbox;
pub mod metrics;
pub mod page;
pub mod systemd;

use mailbox::{Mailbox, News, Outbox, mailbox};
use metrics::Metrics;

/// What is newest.
#[derive(Clone)]
pub struct Newest {
    /// The report.
    pub report: Arc<Report>,
    /// What went wrong before it.
    pub lately: Arc<Lately>,
}

impl Newest {
    /// Before the first report.
    pub fn blind(report: Report) -> Self {
        Self {
            report: Arc::new(report),
            lately: Arc::default(),
        }
    }
}

/// What the loop's task does with each report.
pub struct Views {
    tracker: Tracker,
    metrics: Arc<Metrics>,
    newest: watch::Sender<Newest>,
    lately: Arc<Lately>,
    outbox: Outbox,
}

impl Views {
    /// Starts the thread, which ends when this is dropped and all that was put into it was shown.
    ///
    /// # Errors
    /// If the system has no thread to give.
    pub fn start(
        metrics: Arc<Metrics>,
        newest: watch::Sender<Newest>,
        nats: Nats,
        config: watch::Receiver<Arc<Config>>,
    ) -> io::Result<(Self, Ended)> {
        let (outbox, mailbox) = mailbox();
        let (living, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("views".to_owned());
        thread.spawn(move || {
            show_all(&mailbox, &nats, &config);
            drop(living);
        })?;
        let views = Self {
            tracker: Tracker::default(),
            metrics,
            newest,
            lately: Arc::default(),
            outbox,
        };
        Ok((views, Ended(ended)))
    }

    /// Takes in a report. Returns at once.
    pub fn take(&mut self, report: Report) {
        let changes = self.tracker.follow(&report);
        let report = Arc::new(report);
        let kept = report.kept();
        self.metrics.observe(&report, &changes);
        self.metrics.show(kept.clone());
        Arc::make_mut(&mut self.lately).follow(&report, &changes);
        self.newest.send_replace(Newest {
            report: kept,
            lately: self.lately.clone(),
        });
        if self.outbox.put(News { report, changes }) {
            self.metrics.merged_for_views();
        }
    }
}

fn show_all(mailbox: &Mailbox, nats: &Nats, config: &watch::Receiver<Arc<Config>>) {
    while let Some(News { report, changes }) = mailbox.take() {
        log::show(&report, &changes);
        let config = config.borrow().clone();
        if let Some(prefix) = &config.settings.events.subject {
            nats.leave_messages(report.standby.map(|standby| Left {
                subject: events::subjects(report.policy.instance(), prefix),
                delay: standby.delay,
            }));
            for change in &changes {
                if let Some(event) = events::of(&report, change, prefix) {
                    nats.publish(&event.id, event.subject, event.payload);
                }
            }
        }
        systemd::show(&report, &changes);
    }
}

/// Resolves when the thread of the views has ended.
pub struct Ended(oneshot::Receiver<()>);

impl Ended {
    /// Waits for that, but no longer than `limit`.
    pub async fn wait(self, limit: Duration) {
        // Either way it has had its time.
        let _ = timeout(limit, self.0).await;
    }
}
