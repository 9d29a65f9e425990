//! What is known of the config file that is in force.

use jiff::Timestamp;
use prometheus::{IntGauge, IntGaugeVec, Opts, Registry};

use super::register::{gauge, register};
use crate::config::Config;

pub(super) struct Loaded {
    ok: IntGauge,
    time: IntGauge,
    zone_data: IntGaugeVec,
    exclusion_last_day: IntGaugeVec,
}

impl Loaded {
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            ok: gauge(
                registry,
                "config_last_reload_successful",
                "Whether the last attempt to load the config succeeded.",
            )?,
            time: gauge(
                registry,
                "config_last_reload_success_timestamp_seconds",
                "When the config was last loaded.",
            )?,
            zone_data: register(
                registry,
                IntGaugeVec::new(
                    Opts::new(
                        "tzdb_info",
                        "The active copy of the IANA time zone database (the host's, or the \
                         bundled one); always 1.",
                    ),
                    &["source", "version"],
                )?,
            )?,
            exclusion_last_day: register(
                registry,
                IntGaugeVec::new(
                    Opts::new(
                        "exclusion_last_day_timestamp_seconds",
                        "When the last event in the exclusion's calendar ends; absent if one \
                         recurs without an end.",
                    ),
                    &["exclusion"],
                )?,
            )?,
        })
    }

    /// A config is in force.
    pub fn set(&self, config: &Config, at: Timestamp) {
        self.ok.set(1);
        self.time.set(at.as_second());
        // A host's time zones can be newer at a reload than they were before.
        self.zone_data.reset();
        let data = &config.zone_data;
        self.zone_data
            .with_label_values(&[data.source.as_str(), &*data.version])
            .set(1);
        self.exclusion_last_day.reset();
        for exclusion in config.policy.exclusions() {
            let last_end = exclusion
                .events
                .as_ref()
                .and_then(|events| events.last_end());
            if let Some(end) = last_end {
                self.exclusion_last_day
                    .with_label_values(&[&*exclusion.name])
                    .set(end.as_second());
            }
        }
    }

    /// The config in place was refused.
    pub fn refused(&self) {
        self.ok.set(0);
    }
}
