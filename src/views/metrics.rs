//! The Report as Prometheus metrics. The one module that knows the prometheus crate.
//!
//! Counters and histograms take in each report as it comes: passes and answers by the report, as
//! each of them counts whether or not it is news, and what happened to windows by its changes.
//! The rest is written from the newest report at each scrape, family by family ([`families`]), so
//! the series of a consumer that is gone are gone too; and no scrape holds all of it
//! ([`exposition`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use prometheus::proto::MetricFamily;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};

use crate::changes::Change;
use crate::config::{Config, ConsumerMetrics};
use crate::ledger::Repair;
use crate::report::{Act, Blank, Report, Wake};
use crate::write::Action;

mod exposition;
mod families;
mod family;
mod loaded;
mod register;
#[cfg(test)]
mod tests;
mod text;

pub use exposition::{CHUNK, Exposition};

use loaded::Loaded;
use register::{counter, counters, gauge, histogram};

/// The content type of an [`Exposition`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    newest: Mutex<Newest>,
    passes: IntCounterVec,
    pass_duration: Histogram,
    wakeups: IntCounterVec,
    missed: IntCounterVec,
    unobserved: IntCounterVec,
    requests: IntCounterVec,
    repairs: IntCounterVec,
    takeovers: IntCounter,
    lateness: Histogram,
    confirm: Histogram,
    last_pass: IntGauge,
    loaded: Loaded,
    merged: IntCounter,
    lost_lines: Kept,
    events_sent: Kept,
    events_lost: Kept,
}

/// What is written at each scrape.
#[derive(Clone, Default)]
struct Newest {
    report: Option<Arc<Report>>,
    shown: ConsumerMetrics,
}

/// A counter that is kept elsewhere, and read at each scrape.
struct Kept {
    shown: IntCounter,
    source: OnceLock<Arc<AtomicU64>>,
}

impl Kept {
    fn new(shown: IntCounter) -> Self {
        Self {
            shown,
            source: OnceLock::new(),
        }
    }

    /// From now on it shows that. Another source than the first would count from another beginning,
    /// and is not taken.
    fn show(&self, source: Arc<AtomicU64>) {
        let _ = self.source.set(source);
    }

    fn refresh(&self) {
        if let Some(source) = self.source.get() {
            let count = source.load(Ordering::Relaxed);
            self.shown.inc_by(count.saturating_sub(self.shown.get()));
        }
    }
}

impl Metrics {
    /// Registers everything. An error means that two metrics have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("recess".to_owned()), None)?;
        let events = counters(
            &registry,
            "events_total",
            "Events for programs, by whether they were sent (handed to the connection and not \
             denied) or lost.",
            &["result"],
        )?;
        let metrics = Self {
            newest: Mutex::default(),
            passes: counters(
                &registry,
                "passes_total",
                "Passes, by whether each request was answered.",
                &["result"],
            )?,
            pass_duration: histogram(
                &registry,
                "pass_duration_seconds",
                "Duration of a pass, with its writes.",
                &[0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0],
            )?,
            wakeups: counters(
                &registry,
                "wakeups_total",
                "What started a pass.",
                &["source"],
            )?,
            missed: counters(
                &registry,
                "windows_missed_total",
                "Openings of the window that closed without any consumer paused.",
                &["window"],
            )?,
            unobserved: counters(
                &registry,
                "windows_unobserved_total",
                "Openings of the window that recess did not observe from opening to close, and in \
                 which it observed no paused consumer.",
                &["window"],
            )?,
            requests: counters(
                &registry,
                "requests_total",
                "Writes sent to the server, by action and result.",
                &["action", "result"],
            )?,
            repairs: counters(
                &registry,
                "repairs_total",
                "Pauses sent again because another client had overridden them, by cause.",
                &["cause"],
            )?,
            takeovers: counter(
                &registry,
                "takeovers_total",
                "Times that a standby began to send what the primary had not sent.",
            )?,
            lateness: histogram(
                &registry,
                "pause_lateness_seconds",
                "Time from a window's opening to the server's acceptance of a consumer's pause.",
                &LATENESS,
            )?,
            confirm: histogram(
                &registry,
                "pause_confirm_seconds",
                "Time from a window's opening until a consumer's pause was observed.",
                &LATENESS,
            )?,
            last_pass: gauge(
                &registry,
                "last_pass_timestamp_seconds",
                "When the last pass ended; 0 before the first.",
            )?,
            loaded: Loaded::new(&registry)?,
            merged: counter(
                &registry,
                "views_dropped_total",
                "Reports that log lines and events got only merged with the next one, as they were \
                 too slow.",
            )?,
            lost_lines: Kept::new(counter(
                &registry,
                "log_lines_lost_total",
                "Log lines that standard error or the journal did not accept in time.",
            )?),
            events_sent: Kept::new(events.with_label_values(&["sent"])),
            events_lost: Kept::new(events.with_label_values(&["lost"])),
            registry,
        };
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// Counts what a report adds, and what happened since the one before.
    pub fn observe(&self, report: &Report, changes: &[Change]) {
        if let Some(pass) = &report.pass {
            let result = if pass.is_ok() { "ok" } else { "error" };
            self.passes.with_label_values(&[result]).inc();
            self.pass_duration.observe(pass.took.as_secs_f64());
            self.last_pass.set(report.at.as_second());
            self.wakeups.with_label_values(&[pass.wake.as_str()]).inc();
            self.count(pass.unreported());
            for took in &pass.confirmed {
                self.confirm.observe(took.as_secs_f64());
            }
        }
        if let Some(burst) = &report.burst {
            self.count(&burst.acts);
        }
        for window in &report.windows {
            // It reads zero before it counts, and stays when its window is taken out of the file.
            for blank in [Blank::Missed, Blank::Unobserved] {
                self.blanks(blank).with_label_values(&[&*window.name]);
            }
        }
        for change in changes {
            if let Change::Blank { window, blank, .. } = change {
                self.blanks(*blank).with_label_values(&[&**window]).inc();
            }
            if let Change::TookOver { .. } = change {
                self.takeovers.inc();
            }
        }
    }

    /// From now on the state that a report keeps is what is written.
    pub fn show(&self, kept: Arc<Report>) {
        self.newest().report = Some(kept);
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blanks(&self, blank: Blank) -> &IntCounterVec {
        match blank {
            Blank::Missed => &self.missed,
            Blank::Unobserved => &self.unobserved,
        }
    }

    fn count(&self, acts: &[Act]) {
        for act in acts {
            let result = act
                .result
                .as_ref()
                .map_or_else(|error| error.label(), |()| "ok");
            self.requests
                .with_label_values(&[act.action.as_str(), result])
                .inc();
            if let Some(repair) = act.repair {
                self.repairs.with_label_values(&[repair.as_str()]).inc();
            }
            if let Some(late) = act.lateness {
                self.lateness.observe(late.as_secs_f64());
            }
        }
    }

    /// Notes that a config is in force.
    pub fn loaded(&self, config: &Config, at: Timestamp) {
        self.loaded.set(config, at);
        self.newest().shown = config.settings.http.consumer_metrics;
    }

    /// Notes that the config in place was refused.
    pub fn refused(&self) {
        self.loaded.refused();
    }

    /// Notes that a report was merged with the one before for those who were too slow for it.
    pub fn merged_for_views(&self) {
        self.merged.inc();
    }

    /// Shows what the log counts itself from now on.
    pub fn show_lost_lines(&self, log: Arc<AtomicU64>) {
        self.lost_lines.show(log);
    }

    /// Shows what the connection counts itself from now on.
    pub fn show_events(&self, sent: Arc<AtomicU64>, lost: Arc<AtomicU64>) {
        self.events_sent.show(sent);
        self.events_lost.show(lost);
    }

    /// All metrics as they are now, in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    /// As [`Exposition::new`].
    pub fn expose(&self) -> Result<Exposition, prometheus::Error> {
        for kept in [&self.lost_lines, &self.events_sent, &self.events_lost] {
            kept.refresh();
        }
        let Newest { report, shown } = self.newest().clone();
        Exposition::new(&self.registry.gather(), report, shown, &process_metrics())
    }

    /// A counter that has never counted must read zero, not be absent: alerts compare with what was
    /// before.
    fn start_at_zero(&self) {
        for result in ["ok", "error"] {
            self.passes.with_label_values(&[result]);
        }
        for wake in Wake::ALL {
            self.wakeups.with_label_values(&[wake.as_str()]);
        }
        for repair in Repair::ALL {
            self.repairs.with_label_values(&[repair.as_str()]);
        }
        for action in Action::ALL {
            for result in ["ok", "error", "timeout", "denied"] {
                self.requests.with_label_values(&[action.as_str(), result]);
            }
        }
    }
}

const LATENESS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0,
];

/// Memory, CPU and file descriptors, under the names that every Prometheus client uses (so without
/// our prefix).
fn process_metrics() -> Vec<MetricFamily> {
    #[cfg(target_os = "linux")]
    {
        use prometheus::core::Collector;
        prometheus::process_collector::ProcessCollector::for_self().collect()
    }
    #[cfg(not(target_os = "linux"))]
    {
        Vec::new()
    }
}
