//! The gauges about what consumers' metadata decides.

use prometheus::{GaugeVec, Opts};

use super::{flag, size};
use crate::plan::Rule;
use crate::report::Report;

pub(super) struct MetadataGauges {
    window_exempt: GaugeVec,
    exempt: GaugeVec,
    labels_lost: GaugeVec,
}

impl MetadataGauges {
    pub fn new() -> Result<Self, prometheus::Error> {
        let consumer = |name: &str, help: &str| {
            GaugeVec::new(Opts::new(name, help), &["stream_name", "consumer_name"])
        };
        Ok(Self {
            window_exempt: GaugeVec::new(
                Opts::new(
                    "window_exempt_consumers",
                    "How many more consumers the window would match if their metadata did not keep \
                     them out; absent without `exempt` in the config.",
                ),
                &["window"],
            )?,
            exempt: consumer(
                "consumer_exempt",
                "Whether its metadata keeps the consumer out of every window; absent without \
                 `exempt` in the config.",
            )?,
            labels_lost: consumer(
                "consumer_labels_lost",
                "Whether the consumer stays paused although its metadata no longer matches its \
                 window; absent without `where` in the config.",
            )?,
        })
    }

    pub fn all(&self) -> [&GaugeVec; 3] {
        [&self.window_exempt, &self.exempt, &self.labels_lost]
    }

    /// Shows that of those settings only that the config has.
    pub fn fill(&self, report: &Report) {
        let rows = || {
            let rows = report.rows.iter();
            rows.map(|(id, row)| ([id.stream(), id.consumer()], row))
        };
        if report.policy.exempt().is_some() {
            for window in &report.windows {
                self.window_exempt
                    .with_label_values(&[&*window.name])
                    .set(size(window.exempt));
            }
            for (labels, row) in rows() {
                let exempt = row.windows.is_exempt(report.at);
                self.exempt.with_label_values(&labels).set(flag(exempt));
            }
        }
        let mut windows = report.policy.windows().iter();
        if windows.any(|window| window.selection.is_narrowed()) {
            for (labels, row) in rows() {
                let lost = row.rule == Rule::LabelsLost;
                self.labels_lost.with_label_values(&labels).set(flag(lost));
            }
        }
    }
}
